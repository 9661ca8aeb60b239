//! A server in this process.

use ae_server::Running;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

/// Longer than anything takes; the fuzzer reports a hang before.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a request of the input must not do: leave the folder, reach another host, end the server, change its users.
const FORBIDDEN: [&str; 9] =
    ["acl", "cluster", "config", "debug", "failover", "migrate", "replicaof", "shutdown", "slaveof"];
/// By this name the fuzzer itself can still use one of them.
const SECRET: &str = "what-no-input-is-going-to-guess-";

/// The name by which the fuzzer itself uses a command that the input must not use.
pub fn secret(name: &str) -> String {
    format!("{SECRET}{name}")
}

/// Starts a server on the files of a folder.
pub fn start(folder: &Path, options: &[&str]) -> Result<Running, String> {
    let folder = folder.to_str().expect("a path in UTF-8");
    let secrets = FORBIDDEN.map(secret);
    let mut all = vec!["--dir", folder, "--loglevel", "nothing", "--logfile", "/dev/null", "--databases", "4"];
    for (name, secret) in FORBIDDEN.iter().zip(&secrets) {
        all.extend(["--rename-command", name, secret]);
    }
    all.extend(options);
    ae_server::start(&all)
}

/// A client of it.
pub fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("a server that listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream.set_nodelay(true).expect("an option of TCP");
    stream
}

/// Sends a request, and returns the reply's first line, which is all of it.
pub fn ask(client: &mut TcpStream, args: &[&str]) -> String {
    let mut request = Vec::new();
    resp::writer::request(&mut request, args);
    client.write_all(&request).expect("a server that reads");
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        client.read_exact(&mut byte).expect("a reply");
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).trim_end().into()
}
