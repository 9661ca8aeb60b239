//! One server that is killed and started again.

use super::checker::anomalies;
use super::clients::{Clients, Habits, Keys, content};
use crate::{command, rounds};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::Server;

fn start(at: &Path, fsync: &str) -> Server {
    let options = ["--dir", at.to_str().unwrap(), "--appendonly", "yes", "--appendfsync", fsync];
    // Small enough that rewrites begin by themselves.
    let rewrites = ["--auto-aof-rewrite-min-size", "40kb", "--auto-aof-rewrite-percentage", "60"];
    Server::start(command(), &[&options[..], &rewrites].concat())
}

/// What was acknowledged so long before a kill has to be there afterwards.
fn rounds_of(fsync: &str, may_be_missing: Duration) {
    let at = tempfile::tempdir().unwrap();
    let mut server = start(at.path(), fsync);
    let (mut earlier, mut certain) = (None, 0);
    for round in 0..rounds() {
        let (keys, epoch) = (Keys { round }, Instant::now());
        // Some rounds are long enough that something has to be there in any case.
        let is_long = !may_be_missing.is_zero() && round % 4 == 3;
        let rest = Duration::from_millis(if is_long { 2 } else { 0 });
        let clients = Clients::start(server.port, keys, epoch, Habits { rest, ..Habits::default() });
        let mut operator = server.connect();
        // When is no matter: any moment will do.
        let moment = Duration::from_millis(40 + 53 * (round * round % 9));
        std::thread::sleep(if is_long { may_be_missing + moment } else { moment });
        if round % 3 == 1 {
            operator.send(if round % 2 == 0 { "BGSAVE\r\n" } else { "BGREWRITEAOF\r\n" });
            std::thread::sleep(Duration::from_millis(round % 7));
        }
        // A server that is asked to end has to have everything, too.
        let asked = round % 5 == 4;
        server.signal(if asked { "TERM" } else { "KILL" });
        let killed = epoch.elapsed();
        let mut history = clients.finish();
        drop(server);
        let all_there = asked || may_be_missing.is_zero();
        let limit = if all_there { Duration::MAX } else { killed.saturating_sub(may_be_missing) };
        for operation in &mut history {
            if operation.ended.is_some_and(|ended| Duration::from_nanos(ended) > limit) {
                operation.forget();
            }
        }
        certain += history.iter().filter(|operation| operation.ended.is_some()).count();
        server = start(at.path(), fsync);
        let found = content(&server, keys);
        let wrong = anomalies(&history, &found);
        assert!(wrong.is_empty(), "round {round}, {fsync}, {} operations: {wrong:?}", history.len());
        if let Some((keys, before)) = earlier.replace((keys, found)) {
            assert_eq!(content(&server, keys), before, "round {round}, {fsync}: what was there has changed");
            let deleted = if before.lists[0].is_empty() { ":0" } else { ":1" };
            server.connect().call(&format!("DEL {}", keys.list(0)), deleted);
        }
    }
    assert!(certain > 0, "{fsync}");
}

#[test]
fn killed_with_every_change_synced() {
    rounds_of("always", Duration::ZERO);
}

#[test]
fn killed_with_a_sync_every_second() {
    rounds_of("everysec", Duration::from_secs(2));
}
