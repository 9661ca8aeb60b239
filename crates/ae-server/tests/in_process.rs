//! A server in the test's own process.

use ae_server::start;
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use testkit::{Client, eventually};

/// One test at a time: what the process has open is counted.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn serves_and_is_stopped() {
    let _alone = alone();
    let server = start(&["--databases", "3"]).unwrap();
    let address = server.address();
    let mut client = Client::to(address);
    client.call("SET k v", "+OK");
    client.call("GET k", "$1\r\nv");
    client.call("SELECT 3", "-ERR DB index is out of range");
    let port = address.port().to_string();
    client.call("CONFIG GET port", &format!("*2\r\n$4\r\nport\r\n${}\r\n{port}", port.len()));
    assert!(client.bulk("INFO server").contains(&format!("\r\ntcp_port:{port}\r\n")));
    server.stop().unwrap();
    client.expect_end();
    assert!(TcpStream::connect(address).is_err());
}

/// The system picks a port at the start, and never again.
#[test]
fn its_port_is_closed() {
    let _alone = alone();
    let server = start(&[]).unwrap();
    let mut client = Client::to(server.address());
    client.call("CONFIG SET port 0", "+OK");
    assert!(TcpStream::connect(server.address()).is_err());
    assert!(client.bulk("INFO server").contains("\r\ntcp_port:0\r\n"));
    client.call("CONFIG SET bind 127.0.0.2", "+OK");
    assert!(client.bulk("INFO server").contains("\r\ntcp_port:0\r\n"));
}

#[test]
fn two_at_once_have_nothing_in_common() {
    let _alone = alone();
    let (one, other) = (start(&[]).unwrap(), start(&[]).unwrap());
    let mut client = Client::to(one.address());
    client.call("SET k v", "+OK");
    Client::to(other.address()).call("GET k", "$-1");
    drop(one);
    client.expect_end();
    Client::to(other.address()).call("PING", "+PONG");
}

#[test]
fn ends_on_shutdown() {
    let _alone = alone();
    let server = start(&[]).unwrap();
    let mut client = Client::to(server.address());
    client.send("SHUTDOWN NOSAVE\r\n");
    client.expect_end();
    server.wait().unwrap();
}

#[test]
fn what_keeps_it_from_starting_is_told() {
    let _alone = alone();
    for (options, error) in [
        (&["--prot", "1"][..], "unknown option '--prot' (see --help)"),
        (&["--help"], "these options start no server"),
        (&["--daemonize", "yes"], "a server in another program cannot be daemonized"),
        (&["--backend", "none"], "cannot create the event loop with backend 'none'"),
    ] {
        let told = start(options).unwrap_err();
        assert!(told.starts_with(error), "{told}");
    }
}

/// So many descriptors and threads has this process.
fn open() -> (usize, usize) {
    let count = |folder| std::fs::read_dir(folder).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

/// So much memory has this process in use, as a server in it says.
fn used() -> u64 {
    let server = start(&["--dbfilename", "none"]).unwrap();
    let info = Client::to(server.address()).bulk("INFO memory");
    server.stop().unwrap();
    info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().parse().unwrap()
}

#[test]
fn a_start_that_fails_and_an_end_leave_nothing() {
    const TIMES: usize = 20;
    const SIZE: usize = 1 << 20;
    let _alone = alone();
    let at = tempfile::tempdir().unwrap();
    let dir = at.path().to_str().unwrap();
    let before = std::env::current_dir().unwrap();
    // What can be loaded, and then what cannot.
    let set = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${SIZE}\r\n{}\r\n", "v".repeat(SIZE));
    std::fs::write(at.path().join("appendonly.aof"), format!("{set}*1\r\n$4\r\nNONE\r\n")).unwrap();
    std::fs::write(at.path().join("dump.rdb"), "REDIS0010\u{0}\u{1}k\u{1}v, and no more").unwrap();
    let missing = at.path().join("none/socket");
    for (options, error) in [
        (&["--appendonly", "yes"][..], "appendonly.aof: offset"),
        (&["--appendonly", "no"], "dump.rdb"),
        (&["--unixsocket", missing.to_str().unwrap()], "cannot listen on the Unix socket"),
        (&["--aclfile", "none"], "ACL"),
        (&["--dbfilename", "none"], ""),
    ] {
        let options = [&["--dir", dir], options].concat();
        let once = || match start(&options) {
            Ok(server) => assert!(error.is_empty() && server.stop().is_ok()),
            Err(told) => assert!(!error.is_empty() && told.contains(error), "{told}"),
        };
        // What is made once and stays.
        once();
        let (used_before, open_before) = (used(), open());
        (0..TIMES).for_each(|_| once());
        eventually("threads have ended", || (open() <= open_before).then_some(()));
        let grown = used().saturating_sub(used_before);
        assert!(grown < (TIMES * SIZE / 4) as u64, "{grown} bytes more: {options:?}");
    }
    // The folder goes, and the other tests' servers begin in the working directory.
    std::env::set_current_dir(before).unwrap();
}
