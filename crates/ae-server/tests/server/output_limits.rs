//! How much may wait for a client: for a replica as much as the backlog has, at least.

use crate::primaries::{Primary, file};
use crate::{number, start};
use testkit::{Client, Server, eventually, request};

/// Replies that are too long take no more memory than the limit, the first one on a connection neither.
#[test]
fn a_first_reply_that_is_too_long_is_not_made_whole() {
    let mut server = start(&["--client-output-buffer-limit", "normal 1mb 0 0"]);
    let mut client = server.connect();
    client.send(request(&["SET", "k", &"v".repeat(10_000)]));
    client.expect("+OK\r\n");
    let mut other = server.connect();
    other.send(request(&[&["MGET"], &["k"; 2000][..]].concat()));
    other.rest();
    let told = loop {
        let line = server.log_line();
        if let Some((before, _)) = line.split_once(" bytes of output waited") {
            break before.rsplit_once(' ').unwrap().1.parse::<u32>().unwrap();
        }
    };
    assert!((1 << 20..2 << 20).contains(&told), "{told}");
}

/// A replica that has its copy and does not read.
fn replica(server: &Server, capabilities: &str) -> Client {
    let mut replica = server.connect();
    replica.call(&format!("REPLCONF {capabilities}"), "+OK");
    replica.send(request(&["PSYNC", "?", "-1"]));
    assert!(replica.line().starts_with("+FULLRESYNC "));
    let mut client = server.connect();
    eventually("it is online", || (client.bulk("INFO replication").contains("state=online")).then_some(()));
    replica
}

fn feed(server: &Server, megabytes: usize) -> i64 {
    let mut client = server.connect();
    for _ in 0..megabytes {
        client.send(request(&["SET", "k", &"v".repeat(1 << 20)]));
        client.expect("+OK\r\n");
    }
    // What waits is looked at before the loop sleeps.
    client.call("PING", "+PONG");
    number(&mut client, "replication", "connected_slaves")
}

#[test]
fn a_replica_may_have_as_much_waiting_as_the_backlog_has() {
    for (limit, backlog, stays) in
        [("replica 1mb 0 0", "64mb", true), ("replica 1mb 0 0", "1mb", false), ("replica 0 0 0", "1mb", true)]
    {
        let server = start(&[
            "--client-output-buffer-limit",
            limit,
            "--repl-backlog-size",
            backlog,
            "--repl-diskless-sync-delay",
            "0",
        ]);
        let _one = replica(&server, "capa psync2");
        // More than sockets take.
        let left = feed(&server, 30);
        assert_eq!(left, i64::from(stays), "{limit}, {backlog}");
    }
}

/// What is held back for one that has not said yet that it has its copy.
#[test]
fn what_waits_for_a_replica_that_loads_is_limited_too() {
    let server = start(&[
        "--client-output-buffer-limit",
        "replica 1mb 0 0",
        "--repl-backlog-size",
        "1mb",
        "--repl-diskless-sync-delay",
        "0",
    ]);
    let _one = replica(&server, "capa eof capa psync2");
    let mut client = server.connect();
    feed(&server, 3);
    eventually("it is closed", || (number(&mut client, "replication", "connected_slaves") == 0).then_some(()));
}

/// A replica that is slow to read still tells how far it is.
#[test]
fn what_a_replica_says_is_read_whatever_waits_for_it() {
    let server = start(&["--client-output-buffer-limit", "replica 0 0 0", "--repl-diskless-sync-delay", "0"]);
    let mut one = replica(&server, "capa psync2");
    let mut client = server.connect();
    assert_eq!(feed(&server, 30), 1);
    one.send(request(&["REPLCONF", "ACK", "5"]));
    eventually("it is known", || (client.bulk("INFO replication").contains("state=online,offset=5,")).then_some(()));
}

/// A client that sends only the most of a request of some megabytes.
fn large(server: &Server) -> Client {
    let mut large = server.connect();
    large.send(format!("*2\r\n$4\r\nPING\r\n$4000000\r\n{}", "m".repeat(3 << 20)));
    large
}

/// Other clients are closed before the memory of a replica counts, however much waits for it.
#[test]
fn replicas_are_not_closed_for_their_memory() {
    let server = start(&[
        "--client-output-buffer-limit",
        "replica 0 0 0",
        "--repl-diskless-sync-delay",
        "0",
        "--maxmemory-clients",
        "2mb",
    ]);
    let _one = replica(&server, "capa psync2");
    let mut client = server.connect();
    assert_eq!(feed(&server, 30), 1);
    large(&server).rest();
    assert_eq!(number(&mut client, "stats", "evicted_clients"), 1);
    assert_eq!(number(&mut client, "replication", "connected_slaves"), 1);
}

/// Nor is the primary, whose transactions may be large.
#[test]
fn the_primary_is_not_closed_for_its_memory() {
    let primary = Primary::new();
    let server = primary.replica(&["--maxmemory-clients", "2mb"]);
    let mut link = primary.give(100, &file(1, 1));
    let mut client = server.connect();
    let value = "v".repeat(8 << 20);
    let transaction = [request(&["MULTI"]), request(&["SET", "k", &value]), request(&["PING"])].concat();
    link.send(&transaction).unwrap();
    // What is left of it comes when all of this has been queued.
    let mut arrived = || number(&mut client, "stats", "total_net_repl_input_bytes") as usize;
    eventually("it is queued", || (arrived() >= transaction.len()).then_some(()));
    large(&server).rest();
    link.send(request(&["EXEC"])).unwrap();
    eventually("it has the value", || (client.ask(&["STRLEN", "k"]) == b":8388608").then_some(()));
    assert_eq!(number(&mut client, "stats", "evicted_clients"), 1);
}
