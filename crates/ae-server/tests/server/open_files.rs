//! The limit on open files, which is one on clients.

use crate::command;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use testkit::{Server, free_port};

/// A server for up to 1000 clients, started by a shell after `ulimit`, without the right to raise the limit that root has.
fn with_limits(ulimit: &str, port: u16, options: &[&str]) -> Command {
    let mut start = Command::new("setpriv");
    // Root's programs get what is in this set; whoever is not root has nothing to lose.
    if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0) {
        start.args(["--bounding-set=-sys_resource", "--inh-caps=-sys_resource"]);
    }
    start.args(["--no-new-privs", "sh", "-c", &format!("{ulimit}; exec \"$0\" \"$@\"")]).arg(command().get_program());
    start
        .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--maxclients", "1000"])
        .args(options);
    start
}

/// The soft limit is raised as far as it has to be, also where the hard one is high enough from the start.
#[test]
fn it_is_raised_for_as_many_clients_as_there_may_be() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let options = ["--dir", folder.path().to_str().unwrap()];
    let server = Server::spawn(&mut with_limits("ulimit -Sn 200; ulimit -Hn 2000", port, &options), port);
    server.connect().call("CONFIG GET maxclients", "*2\r\n$10\r\nmaxclients\r\n$4\r\n1000");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.pid())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[3..5], ["1032", "2000"]);
    assert_eq!(server.first_log, "");
    server.connect().call("CONFIG SET maxclients 1500", "+OK");
    let able = "The operating system is not able to handle the specified number of clients, try with 1968";
    let error = format!("-ERR CONFIG SET failed (possibly related to argument 'maxclients') - {able}");
    server.connect().call("CONFIG SET maxclients 2500", &error);
    server.connect().call("CONFIG GET maxclients", "*2\r\n$10\r\nmaxclients\r\n$4\r\n1500");
}

#[test]
fn where_it_cannot_be_raised_there_is_room_for_fewer_clients() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let options = ["--dir", folder.path().to_str().unwrap()];
    let server = Server::spawn(&mut with_limits("ulimit -n 200", port, &options), port);
    server.connect().call("CONFIG GET maxclients", "*2\r\n$10\r\nmaxclients\r\n$3\r\n168");
    let log = &server.first_log;
    assert!(log.contains(" # the limit of 200 open files cannot be raised"), "{log}");
}

#[test]
fn without_room_for_any_client_it_does_not_start() {
    let output = with_limits("ulimit -n 32", free_port(), &[]).stdin(Stdio::null()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("ae-server: the limit of 32 open files leaves no room for clients"), "{error}");
}

/// Connections that are not clients yet need descriptors, too, but never more than half of what there is.
#[test]
fn handshakes_of_tls_have_room_beside_the_clients() {
    for (handshakes, clients) in [("100", "908"), ("600", "504")] {
        let options = ["--tls-port", &free_port().to_string(), "--tls-max-handshakes", handshakes];
        let port = free_port();
        // Without a certificate it ends, but it has said by then for how many clients there is room.
        let output = with_limits("ulimit -n 1040", port, &options).stdin(Stdio::null()).output().unwrap();
        let log = String::from_utf8(output.stdout).unwrap();
        assert!(log.contains(&format!(": maxclients is {clients}, not 1000\n")), "{handshakes}: {log}");
    }
}
