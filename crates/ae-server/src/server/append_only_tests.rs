use crate::config::choices::Fsync;
use crate::log::{Level, heard};
use crate::persist::aof::disk::faults::{ENOSPC, Fault};
use crate::persist::aof::state::AppendOnlyFile;
use crate::server::rewriting::tests::{INFO, STARTED, digest_after_restart, finish, round, session};
use crate::server::under_way::LoadedFile;
use crate::testing::Session;

#[test]
fn its_size_is_that_of_all_files_while_it_is_rewritten() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    (0..100).for_each(|_| drop(session.run("INCR n")));
    assert!(session.server.flush_log());
    let before = session.number("aof_current_size");
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    round(&mut session);
    assert!(session.server.is_rewriting());
    assert_eq!(session.number("aof_current_size"), before);
    finish(&mut session);
    assert!(session.number("aof_current_size") < before);
}

#[test]
fn its_size_begins_with_nothing_when_it_is_turned_on_again() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    (0..100).for_each(|_| drop(session.run("INCR n")));
    assert!(session.server.flush_log());
    session.expect(&[("CONFIG SET appendonly no", "+OK"), ("CONFIG SET appendonly yes", "+OK")]);
    round(&mut session);
    assert!(session.server.is_rewriting());
    assert_eq!((session.number("aof_current_size"), session.number("aof_base_size")), (0, 0));
    finish(&mut session);
    let size = session.number("aof_current_size");
    assert!(size > 0 && session.number("aof_base_size") == size);
    // The same if somebody has removed it.
    std::fs::remove_dir_all(at.path().join("appendonlydir")).unwrap();
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    session.server.begin_scheduled_rewrite();
    assert_eq!(session.number("aof_current_size"), 0);
}

/// An operator who asks for a rewrite need not wait until the next try.
#[test]
fn failures_are_forgotten_when_somebody_asks_for_a_rewrite() {
    for asked in ["BGREWRITEAOF", "CONFIG SET appendonly no appendonly yes", "REPLICAOF NO ONE"] {
        let at = tempfile::tempdir().unwrap();
        let mut session = session(&at, true, true);
        if asked.starts_with("REPLICAOF") {
            session.run("REPLICAOF 127.0.0.1 1");
            session.server.suspend_log();
        }
        session.server.append_only.rewrites.failures = 4;
        if asked.starts_with("CONFIG") {
            session.expect(&[("CONFIG SET appendonly no", "+OK"), ("CONFIG SET appendonly yes", "+OK")]);
        } else {
            session.run(asked);
        }
        assert_eq!(session.number("aof_rewrites_consecutive_failures"), 0, "{asked}");
    }
}

#[test]
fn a_first_base_is_empty_in_either_form() {
    for (rdb_preamble, name, begins) in
        [(true, "appendonly.aof.1.base.rdb", "REDIS"), (false, "appendonly.aof.1.base.aof", "")]
    {
        let at = tempfile::tempdir().unwrap();
        session(&at, true, rdb_preamble);
        let base = std::fs::read(at.path().join("appendonlydir").join(name)).unwrap();
        assert!(base.starts_with(begins.as_bytes()) && base.is_empty() != rdb_preamble, "{name}: {base:?}");
    }
}

/// Nothing would be written if it were said to be on.
#[test]
fn it_cannot_be_turned_on_where_there_is_no_folder_for_it() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, false, true);
    std::fs::remove_dir(at.path()).unwrap();
    session.expect(&[(
        "CONFIG SET appendonly yes",
        "-ERR CONFIG SET failed (possibly related to argument 'appendonly') - Unable to turn on AOF. Check server logs.",
    )]);
    heard::told(Level::Warning, "append-only file: cannot turn it on: ");
    assert_eq!(session.number("aof_enabled"), 0);
}

/// It would be of data that have gone since.
#[test]
fn a_rewrite_gives_way_to_a_file_that_begins_anew() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("INCR n", ":1"), ("REPLICAOF 127.0.0.1 1", "+OK")]);
    session.server.suspend_log();
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    round(&mut session);
    assert!(session.server.is_rewriting());
    session.expect(&[("REPLICAOF NO ONE", "+OK")]);
    assert!(!session.server.is_rewriting());
    session.expect(&[("INCR n", ":2")]);
    finish(&mut session);
    assert!(session.server.flush_log());
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

/// The file's base is to be made, while there is a change that could not be written to the file.
fn base_of_what_could_not_be_written(at: &tempfile::TempDir) -> Session {
    let mut session = session(at, true, true);
    session.server.config.append_only.fsync = Fsync::EverySecond;
    session.run("INCR n");
    // Writing it fails, and once more when the base begins.
    session.server.append_only.disk.faults.plan(0..2, Fault::Error(ENOSPC));
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    session
}

/// What waits to be written is in the base then, and must not be behind it once more.
#[test]
fn a_base_has_what_could_not_be_written_yet() {
    let at = tempfile::tempdir().unwrap();
    let mut session = base_of_what_could_not_be_written(&at);
    finish(&mut session);
    session.server.append_only.disk.faults.clear();
    session.server.config.append_only.fsync = Fsync::Always;
    session.expect(&[("INCR n", ":2")]);
    assert!(session.server.flush_log());
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn a_server_ends_without_its_first_base_if_it_has_to() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, false, true);
    session.expect(&[
        ("SET k v", "+OK"),
        ("CONFIG SET appendonly yes", "+OK"),
        ("SHUTDOWN NOSAVE", "-ERR Errors trying to SHUTDOWN. Check logs."),
    ]);
    heard::told(Level::Warning, "The first base of the append-only file is not written yet, can't exit.");
    session.expect(&[("SHUTDOWN NOSAVE FORCE", "")]);
    assert!(session.server.shutdown);
}

/// It has become a primary while the last of the data was loaded.
#[test]
fn a_primary_that_has_loaded_a_copy_goes_on_with_its_file() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("SET k v", "+OK")]);
    session.server.note_loaded(Ok(LoadedFile::default()));
    finish(&mut session);
    assert_eq!(session.number("aof_enabled"), 1);
    assert!(session.server.flush_log());
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn what_waits_for_the_file_and_for_the_disk_is_told() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    assert_eq!(session.number("aof_buffer_length"), 0);
    session.request(&[b"SET".into(), b"k".into(), vec![b'v'; 10_000]]);
    assert!(session.number("aof_buffer_length") > 10_000);
    assert!(session.number("mem_aof_buffer") > 10_000);
    session.server.config.append_only.fsync = Fsync::EverySecond;
    let disk = session.server.append_only.disk.clone();
    let syncs = disk.faults.hold_syncs();
    session.server.ticks += 10_000;
    assert!(session.server.flush_log());
    assert_eq!(session.number("aof_pending_bio_fsync"), 1);
    drop(syncs);
    testkit::eventually("it is synced", || (session.number("aof_pending_bio_fsync") == 0).then_some(()));
}

#[test]
fn a_large_change_takes_no_memory_once_it_is_written() {
    for fsync in [Fsync::Always, Fsync::EverySecond] {
        let at = tempfile::tempdir().unwrap();
        let mut session = session(&at, true, true);
        session.server.config.append_only.fsync = fsync;
        session.request(&[b"SET".into(), b"k".into(), vec![b'v'; 8 << 20]]);
        assert!(session.number("mem_aof_buffer") > 8 << 20);
        assert!(session.server.flush_log());
        assert!(session.number("mem_aof_buffer") < 2 << 20);
    }
}

#[test]
fn what_grows_while_it_is_rewritten_is_no_reason_for_another_rewrite() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.server.config.append_only.rewrite_min_size = 1000;
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    round(&mut session);
    (0..100).for_each(|_| drop(session.run("INCR n")));
    assert!(session.server.is_rewriting() && session.server.flush_log());
    session.server.rewrite_when_due();
    assert!(!session.server.append_only.rewrites.scheduled);
}

#[test]
fn what_it_lacks_when_it_is_turned_off_is_told() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.server.append_only.disk.faults.plan(0..10, Fault::Error(ENOSPC));
    session.expect(&[("SET k v", "+OK"), ("CONFIG SET appendonly no", "+OK")]);
    heard::told(Level::Warning, "append-only file: it has been turned off, and its last changes could not be written");
}

#[test]
fn a_rewrite_is_no_save() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("SET k v", "+OK"), ("BGREWRITEAOF", STARTED)]);
    round(&mut session);
    let info = session.run(INFO);
    for expected in ["rdb_bgsave_in_progress:0", "rdb_current_bgsave_time_sec:-1", "aof_rewrite_in_progress:1"] {
        assert!(info.contains(expected), "{info}");
    }
}

/// Of the first one nobody knows what is changed behind it.
#[test]
fn a_rewrite_without_the_file_gives_way_to_the_first_base_of_one() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, false, true);
    session.expect(&[("SET k v", "+OK"), ("BGREWRITEAOF", STARTED)]);
    round(&mut session);
    assert!(session.server.is_rewriting());
    session.expect(&[("CONFIG SET appendonly yes", "+OK"), ("SET l w", "+OK")]);
    assert!(!session.server.is_rewriting());
    finish(&mut session);
    assert!(session.server.flush_log());
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

/// What goes is in the base, and that it goes is behind it.
#[test]
fn a_rewrite_goes_on_when_everything_goes() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("SET k v", "+OK"), ("BGREWRITEAOF", STARTED)]);
    round(&mut session);
    session.expect(&[("FLUSHALL", "+OK"), ("SET l w", "+OK")]);
    assert!(session.server.is_rewriting());
    finish(&mut session);
    assert_eq!(session.number("aof_rewrites"), 1);
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

/// CONFIG SET has left something to the end of loading, which is no more to be done later on.
#[test]
fn one_that_was_turned_off_and_on_while_it_was_loaded_is_on() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.server.append_only = AppendOnlyFile::default();
    session.server.find_log().unwrap();
    session.server.status.starting = true;
    session.expect(&[("CONFIG SET appendonly no", "+OK"), ("CONFIG SET appendonly yes", "+OK")]);
    session.server.begin_log().unwrap();
    session.server.status.starting = false;
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK"), ("REPLICAOF NO ONE", "+OK")]);
    assert_eq!(session.number("aof_rewrite_scheduled"), 0);
}

#[test]
fn one_that_is_off_stays_off_when_a_copy_has_been_loaded() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, false, true);
    session.server.note_loaded(Ok(LoadedFile::default()));
    assert_eq!((session.number("aof_enabled"), session.number("aof_rewrite_scheduled")), (0, 0));
}

/// The disk may be full: it would be for each try.
#[test]
fn after_some_failures_the_next_rewrite_waits() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.server.append_only.log.as_mut().unwrap().has_gap = true;
    for (failures, scheduled) in [(3, 0), (100, 0), (2, 1)] {
        session.server.append_only.rewrites.failures = failures;
        session.server.append_only.rewrites.failed_at = Some(std::time::Instant::now());
        session.server.rewrite_when_due();
        assert_eq!(session.number("aof_rewrite_scheduled"), scheduled, "{failures} failures");
    }
}

/// What the primary sends cannot be refused.
#[test]
fn what_changes_while_a_base_is_made_of_what_could_not_be_written_is_kept() {
    let at = tempfile::tempdir().unwrap();
    let mut session = base_of_what_could_not_be_written(&at);
    session.server.flush_log();
    session.server.begin_scheduled_rewrite();
    assert!(session.server.is_rewriting());
    session.client.is_primary = true;
    session.run("INCR n");
    session.client.is_primary = false;
    finish(&mut session);
    assert!(session.server.finish_log());
    session.expect(&[("GET n", "$1 2")]);
    assert_eq!(digest_after_restart(&at), session.run("DEBUG DIGEST"));
}

#[test]
fn a_rewrite_that_was_asked_for_waits_until_the_data_are_there() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("BGREWRITEAOF", STARTED)]);
    session.server.status.starting = true;
    session.server.begin_scheduled_rewrite();
    session.server.status.starting = false;
    assert_eq!((session.number("aof_rewrite_scheduled"), session.info("aof_last_bgrewrite_status")), (1, "ok".into()));
    finish(&mut session);
    assert_eq!(session.number("aof_rewrites"), 1);
}

#[test]
fn what_a_rewrite_was_to_mend_is_left_to_the_next_one_if_it_is_given_up() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.server.append_only.log.as_mut().unwrap().has_gap = true;
    session.server.rewrite_when_due();
    session.server.begin_scheduled_rewrite();
    session.server.abandon_rewrite();
    assert_eq!(session.number("aof_rewrite_scheduled"), 0);
    session.server.rewrite_when_due();
    assert_eq!(session.number("aof_rewrite_scheduled"), 1);
    finish(&mut session);
    session.server.rewrite_when_due();
    assert_eq!(session.number("aof_rewrite_scheduled"), 0, "all is whole again");
}

#[test]
fn one_that_is_turned_off_is_not_rewritten_any_more() {
    let at = tempfile::tempdir().unwrap();
    let mut session = session(&at, true, true);
    session.expect(&[("BGREWRITEAOF", STARTED), ("CONFIG SET appendonly no", "+OK")]);
    assert_eq!(session.number("aof_rewrite_scheduled"), 0);
}

/// As after a rewrite that the end of the server has interrupted.
#[test]
fn its_size_is_that_of_all_files_after_a_start_with_several_of_them() {
    let at = tempfile::tempdir().unwrap();
    let mut first = session(&at, true, true);
    (0..100).for_each(|_| drop(first.run("INCR n")));
    first.expect(&[("BGREWRITEAOF", STARTED)]);
    round(&mut first);
    assert!(first.server.is_rewriting());
    (0..100).for_each(|_| drop(first.run("INCR m")));
    assert!(first.server.finish_log());
    drop(first);
    let mut second = session(&at, true, true);
    let folder = second.server.append_only.folder.as_ref().unwrap();
    assert_eq!(folder.manifest.increments.len(), 2);
    let all: u64 = folder.manifest.files().map(|file| std::fs::metadata(folder.path_of(file)).unwrap().len()).sum();
    assert_eq!(second.number("aof_current_size"), all as i64);
}
