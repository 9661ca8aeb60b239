//! What becomes of bytes that arrive.

use crate::clients::client::Replies;
use crate::clients::replica::{Phase, Replica};
use crate::log::{Level, heard};
use crate::net::turns::Turns;
use std::io::Write;
use std::sync::Arc;
use testkit::LocalClient;

/// A field of CLIENT LIST, of the client that was the last to come.
fn field(turns: &Turns, other: &mut LocalClient, name: &str) -> i64 {
    let list = turns.ask(other, "CLIENT LIST");
    let last = list.rsplit_once(&format!(" {name}=")).unwrap().1;
    last.split(' ').next().unwrap().parse().unwrap()
}

/// The loop may have slept for long.
#[test]
fn the_time_is_that_of_the_request() {
    let turns = Turns::new(|_, _| ());
    let mut client = turns.connect();
    turns.net().server.now = 1000;
    assert_eq!(turns.ask(&mut client, "SET k v EX 1000"), "+OK");
    let deadline: i64 = turns.ask(&mut client, "PEXPIRETIME k").trim_start_matches(':').parse().unwrap();
    assert!(deadline > 1_000_000_000_000, "{deadline}");
}

#[test]
fn nothing_is_left_of_requests_that_have_run() {
    let turns = Turns::new(|_, _| ());
    let (mut other, mut client) = (turns.connect(), turns.connect());
    client.write_all(b"*2\r\n$4\r\nECHO\r\n$5\r\nab").unwrap();
    turns.handle();
    assert_eq!(field(&turns, &mut other, "qbuf"), 2);
    assert_eq!(turns.ask(&mut client, "cde"), "$5 abcde");
    assert_eq!([field(&turns, &mut other, "qbuf"), field(&turns, &mut other, "qbuf-free")], [0, 0]);
    let many = format!("DEL{}", " k".repeat(20_000));
    assert_eq!(turns.ask(&mut client, &many), ":0");
    assert_eq!([field(&turns, &mut other, "qbuf"), field(&turns, &mut other, "qbuf-free")], [0, 0]);
    assert!(turns.net().parser.memory() < 20_000);
    let value = "v".repeat(60_000);
    assert!(turns.ask(&mut client, &format!("MSET a {value}\r\nSTRLEN a")).ends_with(":60000"));
    assert!(turns.ask(&mut client, "MGET a a a").len() > 180_000);
    assert_eq!(field(&turns, &mut other, "rbs"), 0);
    assert!(turns.net().spare.iter().all(|buffer| buffer.capacity() < 100_000));
    turns.change_last_client(|client| client.replies = Replies::Off);
    assert_eq!(turns.ask(&mut client, "PING"), "");
    assert_eq!(field(&turns, &mut other, "rbs"), 0);
}

#[test]
fn every_byte_of_a_large_request_is_counted() {
    let turns = Turns::new(|_, _| ());
    let mut client = turns.connect();
    let request = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$200000\r\n{}\r\n", "v".repeat(200_000));
    let mut rest = request.as_bytes();
    while !rest.is_empty() {
        let len = client.write(rest).unwrap_or(0);
        rest = &rest[len..];
        turns.handle();
    }
    turns.handle();
    turns.before_sleep();
    assert_eq!(client.received(), "+OK");
    assert_eq!(turns.net().server.stats.bytes_in, request.len() as u64);
}

/// So many bytes wait for a client that its requests have to, but not what a replica says.
#[test]
fn whose_requests_wait_until_it_has_read() {
    for is_replica in [false, true] {
        let turns = Turns::new(|config, _| config.output_limits.replica.hard = 0);
        let mut client = turns.connect();
        let part = Arc::new(vec![0; 1 << 20]);
        turns.change_last_client(|client| {
            if is_replica {
                client.replica = Some(Box::new(Replica { phase: Phase::Online, ..Replica::new(0) }));
            }
            (0..300).for_each(|_| client.output.attach(part.clone()));
        });
        client.write_all(b"REPLCONF ACK 7\r\n").unwrap();
        turns.handle();
        let client = turns.last_client();
        assert_eq!(client.paused, !is_replica);
        assert_eq!(client.replica.as_ref().map(|replica| replica.acknowledged), is_replica.then_some(7));
    }
}

/// An empty line is enough, as one that loads its copy sends it.
#[test]
fn whatever_a_replica_sends_shows_that_it_is_there() {
    let turns = Turns::new(|_, _| ());
    let (mut other, mut client) = (turns.connect(), turns.connect());
    turns.change_last_client(|client| {
        client.replica = Some(Box::new(Replica { phase: Phase::Online, ..Replica::new(-1_000_000) }));
    });
    let replica = turns.last_client().reference();
    turns.net().server.replication.replicas.push(replica);
    let lags = |client: &mut LocalClient| turns.ask(client, "INFO replication").contains("lag=1000");
    assert!(lags(&mut other));
    client.write_all(b"\n").unwrap();
    turns.handle();
    assert!(!lags(&mut other));
}

/// Not only at the end of a turn: what many clients send in one would be too much.
#[test]
fn clients_are_closed_for_their_memory_as_soon_as_they_take_it() {
    let turns = Turns::new(|_, _| ());
    let (mut other, mut client) = (turns.connect(), turns.connect());
    assert_eq!(turns.ask(&mut other, "CONFIG SET maxmemory-clients 500000"), "+OK");
    turns.change_last_client(|client| client.output.attach(Arc::new(vec![0; 1_000_000])));
    client.write_all(b"*2\r\n").unwrap();
    turns.handle();
    assert_eq!(client.received(), "closed");
    heard::told(Level::Notice, ": clients used too much memory");
}
