//! What a start does when operations on files fail: it refuses, and says which file it was, or it has everything. Either
//! way the next start has everything.

use super::faults::{Disk, FAULTS, FOREVER, Fault};
use crate::{command, rounds};
use std::fs;
use std::path::Path;
use testkit::{End, Server, eventually, request};

/// What there is when a server starts. Everywhere except in an empty folder the counter is at [`COUNTED`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Before {
    Nothing,
    /// A base and an increment.
    Parts,
    /// The same, with the beginning of a request behind it, files of a rewrite that was not finished, and an old one.
    Killed,
    /// A single file of a version before 7.
    Single,
    /// An RDB file, and no append-only file.
    Rdb,
}

const ALL: [Before; 5] = [Before::Nothing, Before::Parts, Before::Killed, Before::Single, Before::Rdb];
const COUNTED: u64 = 5;

fn options(at: &Path, before: Before) -> [&str; 6] {
    let append = if before == Before::Rdb { "no" } else { "yes" };
    ["--dir", at.to_str().unwrap(), "--appendonly", append, "--appendfsync", "always"]
}

fn counter(server: &Server) -> u64 {
    String::from_utf8(server.connect().ask(&["GET", "counter"])).unwrap().parse().unwrap_or(0)
}

impl Before {
    fn make(self, at: &Path) {
        fs::create_dir_all(at).unwrap();
        let count = |server: &Server, times| (0..times).for_each(|_| drop(server.connect().ask(&["INCR", "counter"])));
        let folder = at.join("appendonlydir");
        match self {
            Before::Nothing => {}
            Before::Single => {
                let set = request(&["SET", "counter", &COUNTED.to_string()]);
                fs::write(at.join("appendonly.aof"), set).unwrap();
            }
            Before::Rdb => {
                let server = Server::start(command(), &options(at, self));
                count(&server, COUNTED);
                server.connect().call("SAVE", "+OK");
            }
            Before::Parts | Before::Killed => {
                let server = Server::start(command(), &options(at, self));
                count(&server, COUNTED - 2);
                server.connect().ask(&["BGREWRITEAOF"]);
                let mut client = server.connect();
                eventually("the rewrite ends", || {
                    let info = client.bulk("INFO persistence");
                    let is_done = info.contains("aof_rewrite_in_progress:0") && info.contains("aof_rewrites:1");
                    is_done.then_some(())
                });
                count(&server, 2);
            }
        }
        if self == Before::Killed {
            let manifest = folder.join("appendonly.aof.manifest");
            let text = fs::read_to_string(&manifest).unwrap();
            let old = "file appendonly.aof.1.incr.aof seq 1 type h\n";
            fs::write(manifest, format!("{old}{text}")).unwrap();
            for name in ["appendonly.aof.1.incr.aof", "temp-rewrite-appendonly.aof", "temp-appendonly.aof.incr"] {
                fs::write(folder.join(name), "old").unwrap();
            }
            let last = folder.join("appendonly.aof.2.incr.aof");
            fs::write(&last, [fs::read(&last).unwrap(), b"*3\r\n$3\r\nSET\r\n$7\r\ncoun".to_vec()].concat()).unwrap();
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

fn start_failing(disk: &Disk, before: Before) -> Result<Server, End> {
    let mut command = command();
    disk.attach(&mut command);
    Server::try_start(command, &options(&disk.data(), before))
}

/// The operations from this number on fail, so many. Returns how many have.
fn fail(before: Before, origin: &Path, fault: Fault, number: u32, count: u32) -> Option<u32> {
    let context = format!("{before:?}, {fault:?} of {count} from {number} on");
    let disk = Disk::new()?;
    copy(origin, &disk.data());
    disk.fail(fault, number, count);
    let mut expected = if before == Before::Nothing { 0 } else { COUNTED };
    let failed = match start_failing(&disk, before) {
        Ok(server) => {
            let failed = disk.heal();
            assert_eq!(counter(&server), expected, "it starts without everything: {context}");
            if before != Before::Rdb {
                // Refused, or there after the next start.
                let reply = String::from_utf8_lossy(&server.connect().ask(&["INCR", "counter"])).into_owned();
                expected += u64::from(reply == format!(":{}", expected + 1));
            }
            server.signal("KILL");
            failed
        }
        Err(End { code, error }) => {
            let failed = disk.heal();
            let path = disk.data().to_str().unwrap().to_owned();
            let last = error.lines().last().unwrap_or_default();
            assert_eq!(code, Some(1), "{context}: {error}");
            assert!(failed > 0 && last.contains(&path), "{context}: {error}");
            failed
        }
    };
    let server = Server::try_start(command(), &options(&disk.data(), before));
    let server = server.unwrap_or_else(|end| panic!("the next start fails: {context}: {}", end.error));
    assert_eq!(counter(&server), expected, "the next start has not everything: {context}");
    Some(failed)
}

#[test]
fn a_start_during_which_any_file_operation_fails_loses_nothing() {
    let origins = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for before in ALL {
        let origin = origins.path().join(format!("{before:?}"));
        before.make(&origin);
        let Some(disk) = Disk::new() else { return };
        copy(&origin, &disk.data());
        let server = start_failing(&disk, before).unwrap();
        server.connect().call("PING", "+PONG");
        let operations = disk.begun();
        assert!(operations > 2, "{before:?}");
        for number in 0..operations {
            for fault in FAULTS {
                cases.extend([1, FOREVER].map(|count| (before, origin.clone(), fault, number, count)));
            }
        }
    }
    // A sample, unless there is time for all.
    let step = if rounds() < 100 { (cases.len() / 24) | 1 } else { 1 };
    let failed: u32 = cases
        .iter()
        .step_by(step)
        .filter_map(|(before, origin, fault, number, count)| fail(*before, origin, *fault, *number, *count))
        .sum();
    assert!(failed > 0);
}
