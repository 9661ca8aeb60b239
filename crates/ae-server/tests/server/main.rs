//! ae-server as a process: configuration, start and end, the protocol over real sockets, limits, kills.

mod append_only;
mod append_only_kills;
mod append_only_loading;
mod configuration;
mod consistency;
mod disk;
mod eviction;
mod lifecycle;
mod limits;
mod migrate;
mod open_files;
mod output_limits;
mod primaries;
mod protection;
mod protocol;
mod replicas;
mod restarts;
mod saving;
mod streams;

use std::process::{Command, Output, Stdio};
use testkit::{Client, Server};

/// AE_SERVER names another program than the one that was built with the tests.
fn command() -> Command {
    Command::new(std::env::var_os("AE_SERVER").unwrap_or(env!("CARGO_BIN_EXE_ae-server").into()))
}

/// Runs ae-server to its end, for command lines that do not start a server.
fn run(args: &[&str]) -> Output {
    command().args(args).stdin(Stdio::null()).output().unwrap()
}

fn start(options: &[&str]) -> Server {
    Server::start(command(), options)
}

/// How many bytes a server's files may have from now on, or "unlimited": in place of a full disk.
fn limit_files(server: &Server, bytes: &str) {
    let args = ["--pid", &server.pid().to_string(), &format!("--fsize={bytes}:unlimited")];
    assert!(Command::new("prlimit").args(args).status().unwrap().success());
}

/// How many rounds of kills: few, unless AE_DURABILITY_ROUNDS says so.
fn rounds() -> u64 {
    std::env::var("AE_DURABILITY_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(6)
}

/// A field of INFO.
fn number(client: &mut Client, section: &str, name: &str) -> i64 {
    field(&client.bulk(&format!("INFO {section}")), name).parse().unwrap()
}

fn field<'a>(info: &'a str, name: &str) -> &'a str {
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("no {name} in {info}"))
}
