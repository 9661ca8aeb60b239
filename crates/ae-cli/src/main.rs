//! The program ae-cli: see the library beside this file.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    ae_cli::main(std::env::args_os())
}
