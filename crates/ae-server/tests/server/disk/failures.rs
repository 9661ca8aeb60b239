//! What the server does when operations on its files fail: nothing that it has acknowledged is lost, it says what is wrong,
//! it goes on reading, and it recovers by itself.

use super::faults::{Disk, FAULTS, FOREVER, Fault};
use crate::{command, rounds};
use std::io::Write;
use testkit::{Client, Server, eventually, request};

fn start(disk: &Disk, fsync: &str, fails: bool) -> Server {
    let mut command = command();
    if fails {
        disk.attach(&mut command);
    }
    let folder = disk.data();
    let options = ["--dir", folder.to_str().unwrap(), "--appendonly", "yes", "--appendfsync", fsync];
    Server::start(command, &[&options[..], &["--save", "3600", "1000000"]].concat())
}

/// A client that counts, and the last number that it was told.
struct Counter<'a> {
    server: &'a Server,
    client: Client,
    told: u64,
    /// How often it was refused.
    refused: usize,
}

impl<'a> Counter<'a> {
    fn new(server: &'a Server) -> Counter<'a> {
        Counter { server, client: server.connect(), told: 0, refused: 0 }
    }

    /// The reply's line; None if the connection has ended instead.
    fn ask(&mut self, args: &[&str]) -> Option<String> {
        self.client.stream.write_all(&request(args)).ok()?;
        self.client.whole_line()
    }

    /// Counts some times.
    fn count(&mut self, times: usize) {
        for _ in 0..times {
            self.count_once();
        }
    }

    /// True if it was acknowledged.
    fn count_once(&mut self) -> bool {
        let Some(reply) = self.ask(&["INCR", "counter"]) else {
            // It cannot be told whether that is safe. What comes later shows whether it took place.
            self.client = self.server.connect();
            return false;
        };
        if let Some(number) = reply.strip_prefix(':') {
            let number = number.parse().unwrap();
            assert!(number > self.told, "{number} after {}", self.told);
            self.told = number;
            return true;
        }
        self.refused += 1;
        let info = self.client.bulk("INFO persistence");
        // It may have recovered since.
        match &reply {
            reply if reply.starts_with("-MISCONF Errors writing to the AOF file: ") => {}
            reply if reply.starts_with("-MISCONF Redis is configured to save RDB snapshots, but it's currently") => {
                assert!(info.contains("rdb_last_bgsave_status:err"), "{info}");
            }
            _ => panic!("{reply}"),
        }
        // Reading goes on.
        let found = String::from_utf8(self.client.ask(&["GET", "counter"])).unwrap();
        assert!(found.parse::<u64>().unwrap_or(0) >= self.told, "{found}");
        false
    }

    /// A line of INFO persistence.
    fn info(&mut self, name: &str) -> String {
        let info = self.client.bulk("INFO persistence");
        info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap().into()
    }

    fn until(&mut self, name: &str, value: &str) {
        eventually(name, || (self.info(name) == value).then_some(()));
    }

    /// Ends at once if it has to wait until what has changed can be written.
    fn rewrite(&mut self) {
        self.ask(&["BGREWRITEAOF"]);
        eventually("the rewrite ends", || {
            let begins = self.info("aof_rewrite_scheduled") == "0" || self.info("aof_last_write_status") == "err";
            (begins && self.info("aof_rewrite_in_progress") == "0").then_some(())
        });
    }

    fn save(&mut self) {
        self.ask(&["BGSAVE"]);
        self.until("rdb_bgsave_in_progress", "0");
    }

    /// Everything that touches files.
    fn work(&mut self) {
        self.count(3);
        self.rewrite();
        self.count(2);
        self.save();
        self.count(2);
        self.rewrite();
        self.count(1);
    }

    /// The disk works again.
    fn recover(&mut self) {
        if self.info("rdb_last_bgsave_status") == "err" {
            // Nothing else would try before the next save point. A rewrite may come first.
            eventually("it is saved", || {
                self.save();
                (self.info("rdb_last_bgsave_status") == "ok").then_some(())
            });
        }
        eventually("changes are taken again", || self.count_once().then_some(()));
        self.until("aof_last_write_status", "ok");
        if self.info("aof_last_bgrewrite_status") == "err" {
            eventually("it is rewritten", || {
                self.rewrite();
                (self.info("aof_last_bgrewrite_status") == "ok").then_some(())
            });
        }
        self.count(2);
        // With a sync every second writes are put off while one runs.
        self.until("aof_buffer_length", "0");
    }
}

/// What was left half done.
fn names(disk: &Disk) -> Vec<String> {
    let names = std::fs::read_dir(disk.data()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("temp-")).collect()
}

/// The operations from this number on fail, so many, and the server is killed when it has recovered, or before.
fn fail(fsync: &str, fault: Fault, number: u32, count: u32, recovers: bool) -> Option<u32> {
    let context = format!("{fsync}, {fault:?} of {count} from {number} on, recovers: {recovers}");
    println!("{context}");
    let disk = Disk::new()?;
    let server = start(&disk, fsync, true);
    let mut counter = Counter::new(&server);
    counter.count(1);
    disk.fail(fault, number, count);
    counter.work();
    let failed = if recovers {
        let failed = disk.heal();
        counter.recover();
        // A file whose removal fails, too, is in nobody's way.
        assert!(count > 1 || names(&disk).is_empty(), "{:?}", names(&disk));
        failed
    } else {
        0
    };
    let told = counter.told;
    server.signal("KILL");
    drop(counter);
    drop(server);
    let server = start(&disk, fsync, false);
    let found = String::from_utf8(server.connect().ask(&["GET", "counter"])).unwrap();
    let found: u64 = found.parse().unwrap();
    let may_be_missing = match fsync {
        _ if recovers => 0,
        "always" => 0,
        // What could not be written is known only after its reply; the next one is refused.
        "no" => 1,
        // And writes are put off while a sync is running.
        _ => told - 1,
    };
    assert!(found + may_be_missing >= told, "{found} is there, {told} was acknowledged: {context}");
    assert!(!recovers || found == told, "{found} is there, {told} was told last: {context}");
    Some(failed)
}

/// How many operations there are if none fails.
fn operations(fsync: &str) -> Option<u32> {
    let disk = Disk::new()?;
    let server = start(&disk, fsync, true);
    let mut counter = Counter::new(&server);
    let begun = disk.begun();
    counter.work();
    assert_eq!(counter.refused, 0);
    Some(disk.begun() - begun)
}

/// Every single operation in turn, alone, as the first of some, and as the first of all that follow.
#[test]
fn killed_after_any_file_operation_has_failed() {
    let mut cases = Vec::new();
    for fsync in ["always", "everysec", "no"] {
        let Some(operations) = operations(fsync) else { return };
        for number in 0..operations {
            for fault in FAULTS {
                for (count, recovers) in [(1, true), (3, true), (FOREVER, true), (FOREVER, false)] {
                    cases.push((fsync, fault, number, count, recovers));
                }
            }
        }
    }
    // A sample, unless there is time for all.
    let step = if rounds() < 100 { cases.len() / 24 } else { 1 };
    let failed: u32 = cases
        .iter()
        .step_by(step)
        .filter_map(|(fsync, fault, number, count, recovers)| fail(fsync, *fault, *number, *count, *recovers))
        .sum();
    assert!(failed > 0);
}

/// While it cannot write, or cannot sync, it says so.
#[test]
fn what_fails_is_told() {
    for fsync in ["always", "everysec", "no"] {
        for fault in FAULTS {
            let Some(disk) = Disk::new() else { return };
            let server = start(&disk, fsync, true);
            let mut counter = Counter::new(&server);
            counter.count(1);
            disk.fail(fault, 0, FOREVER);
            counter.rewrite();
            assert_eq!(counter.info("aof_last_bgrewrite_status"), "err");
            assert_eq!(counter.info("aof_last_write_status"), "ok");
            eventually("it is refused", || {
                counter.count(1);
                (counter.refused > 0).then_some(())
            });
            assert_eq!(counter.info("aof_last_write_status"), "err");
            counter.save();
            assert_eq!(counter.info("rdb_last_bgsave_status"), "err");
            assert!(disk.heal() > 0);
            counter.recover();
            assert_eq!(counter.info("rdb_last_bgsave_status"), "ok");
        }
    }
}
