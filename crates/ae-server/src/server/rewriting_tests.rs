use super::*;
use crate::config::choices::{Allowed, Fsync};
use crate::config::settings::Config;
use crate::log::{Level, heard};
use crate::persist::aof::replay::Replay;
use crate::testing::Session;
use std::fs;
use std::io::ErrorKind::NotFound;
use std::time::Duration;
use tempfile::TempDir;

pub fn session(at: &TempDir, on: bool, rdb_preamble: bool) -> Session {
    let mut config = Config { dir: Some(at.path().into()), ..Config::default() };
    config.append_only.on = on;
    config.append_only.rdb_preamble = rdb_preamble;
    // Otherwise a write may wait for a sync.
    config.append_only.fsync = Fsync::Always;
    config.security.debug_command = Allowed::Yes;
    config.saving.points.clear();
    let mut session = Session::with(config);
    if on {
        session.server.find_log().unwrap();
        if let Some(mut replay) = Replay::begin(&mut session.server).unwrap() {
            while !replay.step(&mut session.server, Instant::now() + Duration::from_secs(1)).unwrap() {}
        }
        session.server.begin_log().unwrap();
    }
    session
}

/// One round of the loop.
pub fn round(session: &mut Session) {
    session.server.flush_log();
    session.server.begin_scheduled_rewrite();
    session.server.advance_snapshot(true);
}

pub fn finish(session: &mut Session) {
    testkit::eventually("the rewrite ends", || {
        round(session);
        (!session.server.is_rewriting() && !session.server.append_only.rewrites.scheduled).then_some(())
    });
}

fn files(at: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(at.path().join("appendonlydir")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn digest_after_restart(at: &TempDir) -> String {
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("appendonlydir");
    fs::create_dir(&folder).unwrap();
    for name in files(at) {
        let copied = fs::copy(at.path().join("appendonlydir").join(&name), folder.join(&name));
        // A thread removes files that are no longer used.
        assert!(copied.is_ok() || copied.is_err_and(|error| error.kind() == NotFound), "{name}");
    }
    session(&copy, true, true).run("DEBUG DIGEST")
}

pub const INFO: &str = "INFO persistence";
pub const STARTED: &str = "+Background append only file rewriting started";

#[test]
fn a_rewrite_under_way_loses_nothing() {
    for rdb_preamble in [true, false] {
        let at = tempfile::tempdir().unwrap();
        let mut session = session(&at, true, rdb_preamble);
        for i in 0..300 {
            session.run(&format!("RPUSH l{} {i}", i % 50));
            session.run("INCR n");
        }
        session.expect(&[("BGREWRITEAOF", STARTED)]);
        // Part of the snapshot, not of the next increment.
        session.run("INCR n");
        round(&mut session);
        assert_eq!(session.info("aof_rewrite_in_progress"), "1");
        session.expect(&[("BGREWRITEAOF", "-ERR Background append only file rewriting already in progress")]);
        for i in 0..50 {
            session.run("INCR n");
            session.run(&format!("LPOP l{i}"));
            round(&mut session);
            if i == 10 {
                assert!(session.server.flush_log());
                // Killed now.
                assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
            }
        }
        finish(&mut session);
        session.run("INCR n");
        assert!(session.server.flush_log());
        let digest = session.run("DEBUG DIGEST");
        assert_eq!(digest_after_restart(&at), digest);
        let info = session.run(INFO);
        for expected in ["aof_rewrites:1", "aof_last_bgrewrite_status:ok", "aof_rewrite_in_progress:0"] {
            assert!(info.contains(expected), "{info}");
        }
        let kind = if rdb_preamble { "rdb" } else { "aof" };
        testkit::eventually("old files are removed", || {
            let expected =
                [&format!("appendonly.aof.2.base.{kind}"), "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"];
            (files(&at) == expected).then_some(())
        });
    }
}

/// It is written a part at a time.
#[test]
fn a_base_of_requests_may_be_large_and_has_the_functions() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, false);
    let library = "#!lua name=lib\nredis.register_function('five', function() return 5 end)";
    session.request(&[b"FUNCTION".into(), b"LOAD".into(), library.into()]);
    for i in 0..30 {
        session.request(&[b"SET".into(), format!("k{i}").into(), vec![b'v'; 50_000]]);
    }
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    finish(&mut session);
    let (base, _) = session.server.append_only.folder.as_ref().unwrap().sizes().unwrap();
    assert!((30 * 50_000..31 * 50_000).contains(&base), "{base}");
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
    drop(session);
    self::session(&at, true, false).expect(&[("FCALL five 0", ":5")]);
}

/// ae-check-aof cuts the last file off at a time, so each file has to say from which time on its requests are.
#[test]
fn each_file_begins_with_its_time() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("CONFIG SET aof-timestamp-enabled yes", "+OK")]);
    // The clock is read meanwhile, which puts it back.
    const NOW: i64 = 4_000_000_000_000;
    session.server.now = NOW;
    session.expect(&[("INCR n", ":1"), ("BGREWRITEAOF", STARTED)]);
    finish(&mut session);
    session.server.now = NOW;
    session.expect(&[("INCR n", ":2")]);
    assert!(session.server.flush_log());
    let folder = session.server.append_only.folder.as_ref().unwrap();
    let file = fs::read_to_string(folder.path_of(folder.manifest.increments.last().unwrap())).unwrap();
    assert!(file.starts_with("#TS:4000000000\r\n"), "{file}");
    // A base of requests, too.
    session.expect(&[("CONFIG SET aof-use-rdb-preamble no", "+OK"), ("BGREWRITEAOF", STARTED)]);
    session.server.now = NOW;
    session.server.begin_scheduled_rewrite();
    finish(&mut session);
    let folder = session.server.append_only.folder.as_ref().unwrap();
    let base = fs::read_to_string(folder.path_of(folder.manifest.base.as_ref().unwrap())).unwrap();
    assert!(base.starts_with("#TS:4000000000\r\n*2\r\n$6\r\nSELECT"), "{base}");
}

#[test]
fn turned_on_and_off() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, false, true);
    session.run("SET a 1");
    session.expect(&[("CONFIG SET appendonly yes", "+OK"), ("INCR a", ":2")]);
    assert_eq!(session.info("aof_enabled"), "1");
    round(&mut session);
    session.run("INCR a");
    finish(&mut session);
    session.server.rewrite_when_due();
    assert_eq!(session.info("aof_rewrite_scheduled"), "0", "it has a base now");
    session.run("INCR a");
    assert!(session.server.flush_log());
    let digest = session.run("DEBUG DIGEST");
    assert_eq!(digest_after_restart(&at), digest);
    session.expect(&[("CONFIG SET appendonly no", "+OK"), ("INCR a", ":5")]);
    assert!(session.server.streams.log.bytes.is_empty(), "nobody would ever take it");
    assert_eq!(session.info("aof_enabled"), "0");
    assert_eq!(digest_after_restart(&at), digest, "what is changed afterwards is not written");
    // Off while the first base is written: what was there before stays.
    session.expect(&[("CONFIG SET appendonly yes", "+OK")]);
    round(&mut session);
    session.expect(&[("CONFIG SET appendonly no", "+OK")]);
    assert!(!session.server.is_rewriting());
    assert_eq!(digest_after_restart(&at), digest);
    session.expect(&[("CONFIG SET appendonly yes", "+OK")]);
    finish(&mut session);
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn one_that_cannot_be_turned_on_is_off() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, false, true);
    fs::write(at.path().join("appendonlydir"), "no folder").unwrap();
    let refused = session.run("CONFIG SET appendonly yes");
    assert!(refused.ends_with("Unable to turn on AOF. Check server logs."), "{refused}");
    heard::told(Level::Warning, "append-only file: cannot turn it on: ");
    session.expect(&[("CONFIG GET appendonly", "*2 $10 appendonly $2 no"), ("SET a 1", "+OK")]);
    assert_eq!(session.info("aof_enabled"), "0");
    fs::remove_file(at.path().join("appendonlydir")).unwrap();
    session.expect(&[("CONFIG SET appendonly yes", "+OK")]);
    let on = "append-only file: turned on. An AOF background was scheduled for its base.";
    heard::expect(Level::Warning, &[on]);
    finish(&mut session);
    let len = session.server.append_only.len();
    heard::told(Level::Notice, &format!("append-only file: rewritten, {len} bytes"));
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn syncs_may_be_left_out_while_a_rewrite_is_running() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.run("CONFIG SET no-appendfsync-on-rewrite yes");
    let operations = |session: &mut Session| {
        let before = session.server.append_only.disk.faults.begun();
        session.run("INCR n");
        assert!(session.server.flush_log());
        session.server.append_only.disk.faults.begun() - before
    };
    assert_eq!(operations(&mut session), 2, "a write and a sync");
    session.run("BGREWRITEAOF");
    round(&mut session);
    assert!(session.server.is_rewriting());
    assert_eq!(operations(&mut session), 1);
    finish(&mut session);
    assert_eq!(operations(&mut session), 2);
}

/// A replica's own data are not in it while those of its primary come.
#[test]
fn one_that_is_suspended_begins_anew_when_the_replica_becomes_a_primary() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("INCR n", ":1"), ("REPLICAOF 127.0.0.1 1", "+OK"), ("CONFIG SET replica-read-only no", "+OK")]);
    session.server.suspend_log();
    let before = digest_after_restart(&at);
    session.expect(&[("INCR n", ":2"), ("CONFIG SET appendonly yes", "+OK")]);
    round(&mut session);
    assert_eq!(session.info("aof_enabled"), "0");
    assert_eq!(digest_after_restart(&at), before);
    session.expect(&[("REPLICAOF NO ONE", "+OK"), ("INCR n", ":3")]);
    finish(&mut session);
    assert!(session.server.flush_log());
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
    // Unless it is turned off meanwhile.
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    session.server.suspend_log();
    session.expect(&[("CONFIG SET appendonly no", "+OK"), ("REPLICAOF NO ONE", "+OK")]);
    round(&mut session);
    assert!(session.run(INFO).contains("aof_enabled:0") && !session.server.is_rewriting());
}

#[test]
fn a_rewrite_without_the_file_on() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, false, true);
    session.run("SET a 1");
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    finish(&mut session);
    let first = ["appendonly.aof.1.base.rdb", "appendonly.aof.manifest"];
    assert_eq!(files(&at), first);
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
    // Somebody may have put it elsewhere.
    first.iter().for_each(|name| fs::remove_file(at.path().join("appendonlydir").join(name)).unwrap());
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    finish(&mut session);
    assert_eq!(files(&at), first);
}

#[test]
fn it_is_rewritten_when_it_has_grown() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.server.config.append_only.rewrite_min_size = 1000;
    session.server.cron();
    assert!(!session.server.append_only.rewrites.scheduled);
    for _ in 0..100 {
        session.run("INCR n");
    }
    session.server.flush_log();
    let (now, before) = (session.server.append_only.len(), session.server.append_only.len_at_rewrite);
    heard::take();
    session.server.cron();
    let told = format!("append-only file: {now} bytes, {before} after the last rewrite. Rewriting...");
    heard::expect(Level::Notice, &[told]);
    assert!(session.server.append_only.rewrites.scheduled);
    finish(&mut session);
    let file = &session.server.append_only;
    assert!(file.len() < 200 && file.len_at_rewrite == file.len());
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn a_rewrite_that_fails_changes_nothing() {
    use crate::persist::aof::disk::faults::{EIO, Fault};
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    let mut number = 0;
    loop {
        session.run("INCR n");
        session.run("BGREWRITEAOF");
        assert!(session.server.flush_log());
        session.server.append_only.disk.faults.plan(number..number + 1, Fault::Error(EIO));
        finish(&mut session);
        let failed = session.server.append_only.rewrites.last_ok == Some(false);
        let begun = session.server.append_only.disk.faults.begun();
        session.server.append_only.disk.faults.clear();
        // If it was the sync of the file before, that is tried again.
        session.wait(1000);
        assert!(session.server.flush_log());
        session.run("INCR n");
        assert!(session.server.flush_log());
        assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"), "operation {number}");
        let status = if failed { "aof_last_bgrewrite_status:err" } else { "aof_last_bgrewrite_status:ok" };
        assert!(session.run(INFO).contains(status));
        if begun <= number {
            assert!(!failed && number > 10, "{number}");
            break;
        }
        number += 1;
    }
}

#[test]
fn a_base_has_what_cannot_be_written() {
    use crate::persist::aof::disk::faults::{ENOSPC, Fault};
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.run("SELECT 3");
    for failing in 1..8 {
        session.run("INCR n");
        session.server.append_only.disk.faults.plan(0..failing, Fault::Error(ENOSPC));
        assert!(!session.server.flush_log());
        session.expect(&[("INCR n", "-MISCONF Errors writing to the AOF file: No space left on device")]);
        // What fails first is to write it once more.
        session.server.append_only.disk.faults.plan(0..failing, Fault::Error(ENOSPC));
        session.run("BGREWRITEAOF");
        finish(&mut session);
        session.server.append_only.disk.faults.clear();
        let rewritten = session.server.append_only.rewrites.last_ok == Some(true);
        assert_eq!(session.server.append_only.failure().is_none(), rewritten, "{failing} fail");
        session.wait(1000);
        assert!(session.server.flush_log());
        session.expect(&[("SET k v", "+OK")]);
        assert!(session.server.flush_log());
        assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"), "{failing} fail");
        assert_eq!(rewritten, failing == 1, "{failing} fail");
    }
}

/// The last step may fail when the manifest names the new files already.
#[test]
fn what_is_named_is_what_is_written() {
    use crate::persist::aof::disk::faults::{EIO, ENOSPC, Fault};
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    for number in 0.. {
        session.run("INCR n");
        for asked in [false, true] {
            session.server.append_only.disk.faults.plan(0..1, Fault::Error(ENOSPC));
            if asked {
                session.run("BGREWRITEAOF");
                round(&mut session);
            } else {
                assert!(!session.server.flush_log());
            }
        }
        assert!(session.server.is_rewriting());
        session.server.append_only.disk.faults.plan(number..number + 1, Fault::Error(EIO));
        finish(&mut session);
        let begun = session.server.append_only.disk.faults.begun();
        session.server.append_only.disk.faults.clear();
        // The clock is read meanwhile, which puts it back.
        session.wait(1000 * (number as i64 + 1));
        assert!(session.server.flush_log());
        session.run("INCR n");
        assert!(session.server.flush_log());
        assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"), "operation {number}");
        if begun <= number {
            assert!(number > 5, "{number}");
            break;
        }
    }
}

#[test]
fn the_end_does_not_wait_for_a_base() {
    use crate::persist::aof::disk::faults::{ENOSPC, Fault};
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.run("INCR n");
    session.server.append_only.disk.faults.plan(0..1, Fault::Error(ENOSPC));
    session.run("BGREWRITEAOF");
    session.server.begin_scheduled_rewrite();
    assert!(session.server.is_rewriting());
    assert!(session.server.finish_log());
    assert!(!session.server.is_rewriting());
    heard::told(Level::Notice, "append-only file: the rewrite was given up");
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn a_folder_that_is_gone_is_made_again() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("SET a 1", "+OK")]);
    assert!(session.server.flush_log());
    fs::remove_dir_all(at.path().join("appendonlydir")).unwrap();
    session.expect(&[("SET b 2", "+OK")]);
    session.run("BGREWRITEAOF");
    finish(&mut session);
    session.expect(&[("SET c 3", "+OK")]);
    assert!(session.server.flush_log());
    assert_eq!(session.info("aof_last_bgrewrite_status"), "ok");
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn each_file_says_to_which_database_it_belongs() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("SELECT 3", "+OK"), ("SET a 1", "+OK"), ("BGREWRITEAOF", STARTED)]);
    round(&mut session);
    session.expect(&[("SET b 1", "+OK")]);
    finish(&mut session);
    session.expect(&[("SET c 1", "+OK")]);
    assert!(session.server.flush_log());
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn it_waits_for_a_save_under_way() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[
        ("SET a 1", "+OK"),
        ("BGSAVE", "+Background saving started"),
        ("BGREWRITEAOF", "+Background append only file rewriting scheduled"),
    ]);
    round(&mut session);
    assert!(!session.server.is_rewriting());
    finish(&mut session);
    assert_eq!(session.info("aof_rewrites"), "1");
}

/// How many bases and increments there are.
fn counts(at: &TempDir) -> [usize; 2] {
    [".rdb", ".aof"].map(|end| files(at).iter().filter(|name| name.ends_with(end)).count())
}

/// One that has been rewritten once and has kept what was there before, with a change afterwards.
fn rewritten(at: &TempDir) -> Session {
    let mut session = session(at, true, true);
    session.expect(&[("CONFIG SET aof-disable-auto-gc yes", "+OK"), ("INCR n", ":1"), ("BGREWRITEAOF", STARTED)]);
    finish(&mut session);
    session.expect(&[("INCR n", ":2")]);
    assert!(session.server.finish_log());
    session
}

#[test]
fn what_a_rewrite_has_replaced_goes_unless_it_is_to_be_kept() {
    let at = tempfile::tempdir().unwrap();
    drop(rewritten(&at));
    assert_eq!(counts(&at), [2, 2]);
    // The next start, which is to keep nothing, removes what the manifest has as history.
    let mut next = session(&at, true, true);
    next.expect(&[("GET n", "$1 2")]);
    let go = || testkit::eventually("they have gone", || (counts(&at) == [1, 1]).then_some(()));
    go();
    next.run("BGREWRITEAOF");
    finish(&mut next);
    go();
}

/// The sizes by which the next rewrite is due.
#[test]
fn a_start_knows_how_large_the_files_are() {
    let at = tempfile::tempdir().unwrap();
    let mut before = rewritten(&at);
    let sizes = |session: &mut Session| {
        ["aof_base_size", "aof_current_size"].map(|name| u64::try_from(session.number(name)).unwrap())
    };
    let length = |end: &str| {
        let folder = at.path().join("appendonlydir");
        let mut files = files(&at).into_iter().filter(|name| name.ends_with(end));
        fs::metadata(folder.join(files.next_back().unwrap())).unwrap().len()
    };
    let [base, all] = [length(".base.rdb"), length(".base.rdb") + length(".incr.aof")];
    assert!(all > base && base > 0);
    assert_eq!(sizes(&mut before), [base, all]);
    drop(before);
    let mut after = session(&at, true, true);
    assert_eq!(sizes(&mut after), [base, all]);
    after.expect(&[("INCR n", ":3")]);
    assert!(after.server.finish_log());
    assert_eq!(sizes(&mut after), [base, length(".base.rdb") + length(".incr.aof")]);
}
