//! The program ae-server: see the library beside this file.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    ae_server::main(std::env::args_os())
}
