//! The append-only file over kills at any moment.

use crate::append_only::start;
use crate::rounds;
use std::collections::HashMap;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use testkit::{Client, PATIENCE};

/// Counts up keys until the connection ends, some requests at a time: what was acknowledged of each key in turn, and
/// when.
fn count_up(port: u16, name: usize) -> Vec<(String, u64, Instant)> {
    const AT_ONCE: u64 = 8;
    let mut acknowledged = Vec::new();
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { return acknowledged };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut client = Client { stream };
    for round in 0.. {
        let keys: Vec<String> = (0..AT_ONCE).map(|i| format!("k{name}:{}", (round * AT_ONCE + i) % 50)).collect();
        let requests: String = keys.iter().map(|key| format!("INCR {key}\r\n")).collect();
        if client.stream.write_all(requests.as_bytes()).is_err() {
            return acknowledged;
        }
        for key in keys {
            let Some(line) = client.whole_line() else { return acknowledged };
            let value = line.strip_prefix(':').unwrap().parse().unwrap();
            acknowledged.push((key, value, Instant::now()));
        }
    }
    acknowledged
}

/// Kills the server again and again under load. Nothing that was acknowledged so long before may be missing, nor
/// anything that was there after a start.
fn kill_rounds(fsync: &str, rounds: u64, may_be_missing: Duration) {
    let at = tempfile::tempdir().unwrap();
    let (mut expected, mut certain) = (HashMap::<String, u64>::new(), 0);
    for round in 0..rounds {
        // Small enough that rewrites begin by themselves.
        let server = start(
            at.path(),
            &["--appendfsync", fsync, "--auto-aof-rewrite-min-size", "20kb", "--auto-aof-rewrite-percentage", "50"],
        );
        let mut client = server.connect();
        for (key, value) in &mut expected {
            let there: u64 = String::from_utf8(client.ask(&["GET", key])).unwrap().parse().unwrap_or(0);
            assert!(there >= *value, "round {round}, {fsync}: {key} is {there}, and {value} was acknowledged");
            *value = there;
        }
        let port = server.port;
        let writers: Vec<_> = (0..3).map(|name| std::thread::spawn(move || count_up(port, name))).collect();
        // When is no matter: any moment will do. Some rounds are long enough that something has to be there.
        let moment = Duration::from_millis(30 + 37 * (round * round % 11));
        std::thread::sleep(if round % 4 == 2 { may_be_missing + moment } else { moment });
        if round % 3 == 1 {
            client.send("BGREWRITEAOF\r\n");
            std::thread::sleep(Duration::from_millis(round % 7));
        }
        server.signal("KILL");
        let killed = Instant::now();
        drop(server);
        for (key, value, when) in writers.into_iter().flat_map(|writer| writer.join().unwrap()) {
            let is_certain = may_be_missing.is_zero() || killed.saturating_duration_since(when) >= may_be_missing;
            certain += u64::from(is_certain);
            let least = expected.entry(key).or_default();
            if is_certain {
                *least = value.max(*least);
            }
        }
    }
    assert!(certain > 0, "{fsync}");
}

#[test]
fn killed_with_every_change_synced() {
    kill_rounds("always", rounds(), Duration::ZERO);
}

/// A kill does not take what the system has got; writes are put off for two seconds at most.
#[test]
fn killed_with_a_sync_every_second() {
    kill_rounds("everysec", rounds(), Duration::from_secs(2));
}

#[test]
fn killed_without_syncs() {
    kill_rounds("no", rounds(), Duration::ZERO);
}
