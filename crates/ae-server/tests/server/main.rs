//! ae-server as a process: configuration, start and end, the protocol over real sockets, limits.

mod append_only;
mod configuration;
mod lifecycle;
mod limits;
mod protocol;
mod saving;

use std::process::{Command, Output, Stdio};
use testkit::Server;

fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_ae-server"))
}

/// Runs ae-server to its end, for command lines that do not start a server.
fn run(args: &[&str]) -> Output {
    command().args(args).stdin(Stdio::null()).output().unwrap()
}

fn start(options: &[&str]) -> Server {
    Server::start(command(), options)
}
