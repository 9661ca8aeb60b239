//! A primary that is killed, or hands its role over, and its replica that goes on.

use super::checker::anomalies;
use super::clients::{Clients, Habits, Keys, content};
use crate::{command, rounds};
use std::time::{Duration, Instant};
use testkit::{Server, eventually, redis_server};

/// A server without data that may become a replica.
fn start(folder: &tempfile::TempDir, round: u64) -> Server {
    let options = ["--dir", folder.path().to_str().unwrap(), "--repl-diskless-sync-delay", "0"];
    match round % 4 {
        // The other server's replica keeps what it has acknowledged, too.
        3 => redis_server(&options).unwrap_or_else(|| Server::start(command(), &options)),
        _ => Server::start(command(), &options),
    }
}

fn follow(replica: &Server, primary: &Server) {
    let mut client = replica.connect();
    client.call(&format!("REPLICAOF 127.0.0.1 {}", primary.port), "+OK");
    eventually("it follows", || client.bulk("INFO replication").contains("master_link_status:up").then_some(()));
}

/// What a replica has acknowledged to WAIT is there when it takes over.
#[test]
fn killed_primaries_leave_what_replicas_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut primary = start(&folder, 0);
    let (mut earlier, mut acknowledged) = (None, 0);
    let habits = Habits { waits: true, ..Habits::default() };
    for round in 0..rounds() {
        let folder = tempfile::tempdir().unwrap();
        let replica = start(&folder, round + 1);
        follow(&replica, &primary);
        let (keys, epoch) = (Keys { round }, Instant::now());
        let clients = Clients::start(primary.port, keys, epoch, habits);
        // When is no matter: any moment will do.
        std::thread::sleep(Duration::from_millis(40 + 41 * (round * round % 7)));
        let hands_over = round % 3 == 2;
        if hands_over {
            primary.connect().call("FAILOVER", "+OK");
            let mut client = replica.connect();
            eventually("it takes over", || client.bulk("INFO replication").contains("role:master").then_some(()));
        }
        // Who is no longer the primary refuses; whoever waits for its replicas gets no answer.
        primary.signal("KILL");
        let history = clients.finish();
        drop(primary);
        acknowledged += history.iter().filter(|operation| operation.ended.is_some()).count();
        replica.connect().call("REPLICAOF NO ONE", "+OK");
        let found = content(&replica, keys);
        let wrong = anomalies(&history, &found);
        assert!(wrong.is_empty(), "round {round}, {} operations: {wrong:?}", history.len());
        if let Some((keys, before)) = earlier.replace((keys, found)) {
            assert_eq!(content(&replica, keys), before, "round {round}: what was there has changed");
        }
        primary = replica;
    }
    assert!(acknowledged > 0);
}
