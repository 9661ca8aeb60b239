//! A server in the test's own process.

use ae_server::start;
use std::net::TcpStream;
use testkit::Client;

#[test]
fn serves_and_is_stopped() {
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

#[test]
fn two_at_once_have_nothing_in_common() {
    let (one, other) = (start(&[]).unwrap(), start(&[]).unwrap());
    Client::to(one.address()).call("SET k v", "+OK");
    Client::to(other.address()).call("GET k", "$-1");
    drop(one);
    Client::to(other.address()).call("PING", "+PONG");
}

#[test]
fn ends_on_shutdown() {
    let server = start(&[]).unwrap();
    let mut client = Client::to(server.address());
    client.send("SHUTDOWN NOSAVE\r\n");
    client.expect_end();
    server.wait().unwrap();
}

#[test]
fn what_keeps_it_from_starting_is_told() {
    for (options, error) in [
        (&["--prot", "1"][..], "unknown option '--prot' (see --help)"),
        (&["--help"], "these options start no server"),
        (&["--backend", "none"], "cannot create the event loop with backend 'none'"),
    ] {
        let told = start(options).unwrap_err();
        assert!(told.starts_with(error), "{told}");
    }
}
