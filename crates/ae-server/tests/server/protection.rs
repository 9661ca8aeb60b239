//! Protected mode: who is refused because anybody could use the server.

use crate::{command, number, start};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use testkit::{Client, Server, free_port};

/// An address of this host that is not loopback, if it has one.
fn outer_address() -> Option<Ipv4Addr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Sends nothing; only asks for the route.
    socket.connect("192.0.2.1:9").ok()?;
    match socket.local_addr().ok()? {
        SocketAddr::V4(addr) if !addr.ip().is_loopback() && !addr.ip().is_unspecified() => Some(*addr.ip()),
        _ => None,
    }
}

#[test]
fn protected_mode() {
    let Some(outer) = outer_address() else {
        eprintln!("skipped: this host has no address but loopback");
        return;
    };
    let port = free_port();
    let start = |options: &[&str]| {
        Server::spawn(command().args(["--save", "", "--port", &port.to_string()]).args(options), port)
    };
    let mut server = start(&[]);
    let connect = || Client::to((outer, port).into());
    server.connect().call("PING", "+PONG");
    let denied = String::from_utf8(connect().rest()).unwrap();
    assert!(denied.starts_with("-DENIED ") && denied.ends_with("\r\n"), "{denied}");
    assert_eq!(number(&mut server.connect(), "stats", "rejected_connections"), 1);
    server.connect().call("CONFIG SET protected-mode no", "+OK");
    connect().call("PING", "+PONG");
    server.connect().call("CONFIG SET protected-mode yes requirepass secret", "+OK");
    connect().call("PING", "-NOAUTH Authentication required.");
    drop(server);
    server = start(&["--protected-mode", "no"]);
    connect().call("PING", "+PONG");
    drop(server);
    server = start(&["--requirepass", "secret"]);
    connect().call("AUTH secret", "+OK");
    drop(server);
}

#[test]
fn who_comes_through_a_proxy_is_refused_by_the_address_that_it_tells() {
    let server = start(&["--proxy-protocol-networks", "127.0.0.0/8"]);
    let mut own = server.connect();
    own.send("PROXY UNKNOWN\r\n");
    let mut stranger = server.connect();
    stranger.send("PROXY TCP4 203.0.113.5 192.0.2.9 4321 6379\r\nPING\r\n");
    let denied = String::from_utf8(stranger.rest()).unwrap();
    assert!(denied.starts_with("-DENIED ") && denied.ends_with("\r\n"), "{denied}");
    assert_eq!(number(&mut own, "stats", "rejected_connections"), 1);
    own.call("CONFIG SET protected-mode no", "+OK");
    let mut stranger = server.connect();
    stranger.send("PROXY TCP4 203.0.113.5 192.0.2.9 4321 6379\r\nPING\r\n");
    stranger.expect("+PONG\r\n");
}

/// Through a proxy on another host the client may be on this one.
#[test]
fn a_proxy_on_another_host_is_let_in() {
    let Some(outer) = outer_address() else {
        eprintln!("skipped: this host has no address but loopback");
        return;
    };
    let server = start(&["--bind", "*", "--proxy-protocol-networks", &format!("{outer}/32")]);
    let mut client = Client::to((outer, server.port).into());
    client.send("PROXY TCP4 127.0.0.1 192.0.2.9 4321 6379\r\nPING\r\n");
    client.expect("+PONG\r\n");
}
