//! redis-server, to compare with.

use crate::ports::free_port;
use crate::server::Server;
use std::process::Command;

/// Starts redis-server with these options, on a free port of the loopback interface and without files. None if it is
/// not installed, which fails the test where every tool has to be there.
pub fn redis_server(options: &[&str]) -> Option<Server> {
    if Command::new("redis-server").arg("--version").output().is_err() {
        assert!(std::env::var_os("LIBAE_ALL_TOOLS").is_none(), "redis-server is not installed");
        eprintln!("not compared: redis-server is not installed");
        return None;
    }
    let port = free_port();
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
        .args(options);
    Some(Server::spawn(&mut command, port))
}
