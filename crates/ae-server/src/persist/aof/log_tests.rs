use super::*;
use crate::log::{Level, heard};
use crate::persist::aof::disk::Disk;
use crate::persist::aof::disk::faults::{self, Fault};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

struct Scene {
    _at: TempDir,
    path: PathBuf,
    disk: Disk,
    log: Log,
    ticks: i64,
    fsync: Fsync,
}

impl Scene {
    fn new(fsync: Fsync) -> Scene {
        let at = tempfile::tempdir().unwrap();
        let path = at.path().join("log");
        let disk = Disk::default();
        let log = Log::new(disk.open(&path, true).unwrap(), Syncer::start().unwrap()).unwrap();
        Scene { _at: at, path, disk, log, ticks: 10_000, fsync }
    }

    /// Adds text and flushes: whether replies may leave.
    fn add(&mut self, text: &str) -> bool {
        self.log.add(&mut text.as_bytes().to_vec());
        self.flush()
    }

    fn flush(&mut self) -> bool {
        self.log.flush(Flush { fsync: self.fsync, skip_sync: false, ticks: self.ticks, urgent: false })
    }

    fn content(&self) -> String {
        fs::read_to_string(&self.path).unwrap()
    }

    fn fail(&self, operations: std::ops::Range<usize>, fault: Fault) {
        self.disk.faults.plan(operations, fault);
    }

    fn wait_for_syncs(&self) {
        testkit::eventually("the thread has synced", || (self.log.syncer().running() == 0).then_some(()));
    }
}

#[test]
fn what_is_added_is_written_at_once() {
    for fsync in [Fsync::Always, Fsync::EverySecond, Fsync::No] {
        let mut scene = Scene::new(fsync);
        assert!(scene.add("one "));
        scene.wait_for_syncs();
        assert!(scene.add("two"));
        assert_eq!((scene.content().as_str(), scene.log.len()), ("one two", 7));
        assert!(scene.log.failure().is_none());
    }
}

#[test]
fn a_failing_write_is_cut_off_and_done_again() {
    for (fault, why) in
        [(Fault::Error(faults::ENOSPC), "No space left on device"), (Fault::Error(faults::EIO), "Input/output error")]
    {
        for fsync in [Fsync::Always, Fsync::EverySecond, Fsync::No] {
            let mut scene = Scene::new(fsync);
            assert!(scene.add("one "));
            scene.wait_for_syncs();
            scene.fail(0..1, fault);
            assert_eq!(scene.add("two"), fsync != Fsync::Always);
            assert_eq!((scene.log.failure(), scene.log.fails_to_write()), (Some(why), true));
            assert_eq!(scene.content(), "one ");
            // Not at once.
            assert_eq!(scene.flush(), fsync != Fsync::Always);
            assert_eq!(scene.content(), "one ");
            scene.ticks += RETRY_AFTER;
            assert!(scene.flush());
            assert_eq!((scene.content().as_str(), scene.log.failure()), ("one two", None));
        }
    }
}

/// The log of a server whose disk is full does not grow with every request.
#[test]
fn a_failure_is_logged_once_until_it_is_over_and_every_half_a_minute() {
    let mut scene = Scene::new(Fsync::EverySecond);
    assert!(scene.log.complains(scene.ticks));
    for (passed, complains) in [(0, false), (COMPLAIN_EVERY - 1, false), (1, true), (1, false)] {
        scene.ticks += passed;
        assert_eq!(scene.log.complains(scene.ticks), complains);
    }
    scene.fail(0..1, Fault::Error(faults::ENOSPC));
    scene.add("one");
    assert!(!scene.log.complains(scene.ticks));
    assert!(heard::take().is_empty(), "not again");
    scene.ticks += RETRY_AFTER;
    assert!(scene.flush() && scene.log.failure().is_none());
    heard::expect(Level::Warning, &["the append-only file can be written again"]);
    scene.wait_for_syncs();
    scene.fail(0..1, Fault::Error(faults::ENOSPC));
    scene.add("two");
    let told = "cannot write to the append-only file: No space left on device. Changes are refused.";
    heard::expect(Level::Warning, &[told]);
    assert!(!scene.log.complains(scene.ticks), "it was another one");
}

#[test]
fn half_a_write_is_taken_back() {
    let mut scene = Scene::new(Fsync::Always);
    assert!(scene.add("one "));
    // The first write takes half, the second fails; then it is cut.
    scene.fail(0..2, Fault::Half);
    assert!(!scene.add("two two "));
    assert_eq!((scene.content().as_str(), scene.log.len()), ("one ", 4));
    scene.ticks += RETRY_AFTER;
    assert!(scene.add("three"));
    assert_eq!(scene.content(), "one two two three");
}

#[test]
fn a_write_may_take_several_times() {
    let mut scene = Scene::new(Fsync::Always);
    scene.fail(0..1, Fault::Half);
    assert!(scene.add("one two"));
    assert_eq!((scene.content().as_str(), scene.log.len()), ("one two", 7));
}

#[test]
fn what_cannot_be_taken_back_is_continued() {
    let mut scene = Scene::new(Fsync::EverySecond);
    // A half write, then errors: of the next write, and of the cut.
    scene.fail(0..3, Fault::Half);
    let long = "x".repeat(7);
    scene.add(&long);
    assert!(scene.log.failure().is_some());
    scene.disk.faults.clear();
    scene.ticks += RETRY_AFTER;
    assert!(scene.add("yz"));
    assert_eq!(scene.content(), "xxxxxxxyz");
    assert_eq!(scene.log.len(), 9);
}

/// The disk may be full until the server goes on in another file.
#[test]
fn a_part_that_stays_is_synced() {
    let mut scene = Scene::new(Fsync::No);
    let other = scene.disk.open(&scene.path.with_file_name("other"), true).unwrap();
    // The first write takes half, the second fails, and it cannot be cut either.
    scene.fail(0..3, Fault::Half);
    assert!(scene.add("one two") && scene.content() == "one");
    scene.disk.faults.clear();
    scene.log.switch(other);
    testkit::eventually("it is synced", || (scene.disk.faults.begun() == 1).then_some(()));
}

#[test]
fn a_failing_sync_under_always_is_not_trusted() {
    let mut scene = Scene::new(Fsync::Always);
    assert!(scene.add("one "));
    // The second operation is the sync.
    scene.fail(1..2, Fault::Error(faults::EIO));
    assert!(!scene.add("two "));
    assert_eq!((scene.log.failure(), scene.log.fails_to_write()), (Some("Input/output error"), false));
    assert_eq!(scene.content(), "one ", "what may not have reached the disk is cut off");
    scene.ticks += RETRY_AFTER;
    assert!(scene.add("three"));
    assert_eq!((scene.content().as_str(), scene.log.failure()), ("one two three", None));
}

#[test]
fn a_failing_sync_of_the_thread_is_noticed() {
    let mut scene = Scene::new(Fsync::EverySecond);
    scene.fail(1..2, Fault::Error(faults::EIO));
    assert!(scene.add("one"));
    scene.wait_for_syncs();
    assert!(scene.flush());
    assert_eq!(scene.log.failure(), Some("Input/output error"));
    assert!(scene.log.has_gap);
    scene.ticks += RETRY_AFTER;
    assert!(scene.add("two"));
    assert_eq!((scene.content().as_str(), scene.log.failure()), ("onetwo", Some("Input/output error")));
    scene.ticks += SYNC_EVERY;
    assert!(scene.flush());
    scene.wait_for_syncs();
    scene.ticks += SYNC_EVERY;
    assert!(scene.flush());
    assert!(scene.log.failure().is_none());
}

#[test]
fn a_second_passes_between_syncs() {
    let mut scene = Scene::new(Fsync::EverySecond);
    assert!(scene.add("one"));
    scene.wait_for_syncs();
    scene.disk.faults.clear();
    scene.ticks += SYNC_EVERY - 1;
    assert!(scene.add("two"));
    scene.wait_for_syncs();
    assert_eq!(scene.disk.faults.begun(), 1, "a write");
    scene.ticks += 1;
    assert!(scene.flush());
    scene.wait_for_syncs();
    assert_eq!(scene.disk.faults.begun(), 2, "a sync");
    scene.ticks += SYNC_EVERY;
    assert!(scene.flush());
    scene.wait_for_syncs();
    assert_eq!(scene.disk.faults.begun(), 2, "nothing to sync");
}

/// A file that is done with is synced also where nothing else is.
#[test]
fn a_failing_last_sync_is_made_up_for_without_syncs() {
    let mut scene = Scene::new(Fsync::No);
    assert!(scene.add("one"));
    let next = scene.path.with_extension("next");
    let next = scene.disk.open(&next, true).unwrap();
    scene.fail(0..1, Fault::Error(faults::EIO));
    scene.log.switch(next);
    scene.wait_for_syncs();
    assert!(scene.flush());
    assert_eq!(scene.log.failure(), Some("Input/output error"));
    scene.ticks += SYNC_EVERY;
    assert!(scene.flush());
    scene.wait_for_syncs();
    scene.ticks += SYNC_EVERY;
    assert!(scene.flush());
    assert_eq!(scene.log.failure(), None);
}

/// As in Redis: a write waits for a sync under way for two seconds, and counts as delayed when it waits no longer.
#[test]
fn a_slow_sync_delays_writes_for_two_seconds() {
    let mut scene = Scene::new(Fsync::EverySecond);
    let disk = scene.disk.clone();
    let held = disk.faults.hold_syncs();
    assert!(scene.add("one "));
    assert_eq!((scene.content().as_str(), scene.log.syncer().running(), scene.log.delayed), ("one ", 1, 0));
    for (passed, content, delayed) in [
        (0, "one ", 0),
        (PATIENCE - 1, "one ", 0),
        (1, "one x x x ", 1),
        // From the next write that waits on, it is another two seconds.
        (PATIENCE, "one x x x ", 1),
        (PATIENCE - 1, "one x x x ", 1),
        (1, "one x x x x x x ", 2),
    ] {
        let before = scene.log.delayed;
        scene.ticks += passed;
        assert!(scene.add("x "));
        assert_eq!((scene.content().as_str(), scene.log.delayed), (content, delayed));
        let slow = "a sync of the append-only file takes more than 2 s: the disk is busy, and writes may wait for it";
        heard::expect(Level::Notice, &[slow][..usize::from(delayed > before)]);
    }
    // What cannot be put off does not wait, as before a rewrite.
    scene.log.add(&mut b"at once ".to_vec());
    assert!(scene.log.flush(Flush { fsync: scene.fsync, skip_sync: false, ticks: scene.ticks, urgent: true }));
    assert_eq!((scene.content().as_str(), scene.log.delayed), ("one x x x x x x at once ", 2));
    drop(held);
    scene.wait_for_syncs();
    assert!(scene.add("last"));
    assert_eq!((scene.content().as_str(), scene.log.delayed), ("one x x x x x x at once last", 2));
}

#[test]
fn without_syncs_there_are_none() {
    let mut scene = Scene::new(Fsync::No);
    for _ in 0..5 {
        scene.ticks += SYNC_EVERY;
        assert!(scene.add("x"));
    }
    assert_eq!(scene.disk.faults.begun(), 1 + 5, "opened once, written five times");
    scene.fsync = Fsync::Always;
    assert!(scene.log.flush(Flush { fsync: Fsync::Always, skip_sync: true, ticks: scene.ticks, urgent: false }));
    assert_eq!(scene.disk.faults.begun(), 6, "a rewrite is running");
    assert!(scene.flush());
    assert_eq!(scene.disk.faults.begun(), 7, "what was left is synced");
}

#[test]
fn syncs_of_every_second_wait_for_the_end_of_a_rewrite() {
    let mut scene = Scene::new(Fsync::EverySecond);
    let flush = |scene: &mut Scene, skip_sync| {
        scene.ticks += SYNC_EVERY;
        assert!(scene.log.flush(Flush { fsync: Fsync::EverySecond, skip_sync, ticks: scene.ticks, urgent: false }));
        scene.wait_for_syncs();
        scene.disk.faults.begun()
    };
    scene.log.add(&mut b"one".to_vec());
    assert_eq!([flush(&mut scene, true), flush(&mut scene, true)], [2, 2], "opened and written");
    assert_eq!(flush(&mut scene, false), 3, "synced");
}

/// What is pending is neither in the file nor in a base yet.
#[test]
fn no_reply_leaves_under_always_while_a_base_is_waited_for() {
    for fsync in [Fsync::Always, Fsync::EverySecond, Fsync::No] {
        let mut scene = Scene::new(fsync);
        let next = scene.path.with_extension("next");
        scene.log.hold(scene.disk.open(&next, true).unwrap());
        assert_eq!(scene.add("one"), fsync != Fsync::Always);
        assert_eq!(scene.content(), "");
        scene.log.let_go();
        assert!(scene.flush());
        assert_eq!(scene.content(), "one");
    }
}

#[test]
fn a_switch_loses_nothing() {
    let mut scene = Scene::new(Fsync::EverySecond);
    assert!(scene.add("one"));
    let next = scene.path.with_extension("next");
    scene.log.switch(scene.disk.open(&next, true).unwrap());
    scene.wait_for_syncs();
    assert!(scene.add("two"));
    assert_eq!((scene.content().as_str(), fs::read_to_string(&next).unwrap().as_str()), ("one", "two"));
    assert_eq!(scene.log.len(), 3);
    assert!(scene.log.finish(scene.ticks));
}

#[test]
fn syncs_may_fail_one_after_the_other() {
    let mut scene = Scene::new(Fsync::Always);
    assert!(scene.add("one "));
    for _ in 0..2 {
        // The write succeeds, and so does cutting it off.
        scene.fail(1..2, Fault::Error(faults::EIO));
        assert!(!scene.add("two "));
        assert_eq!((scene.content().as_str(), scene.log.len()), ("one ", 4));
        scene.ticks += RETRY_AFTER;
    }
    scene.disk.faults.clear();
    assert!(scene.flush());
    assert_eq!((scene.content().as_str(), scene.log.len()), ("one two two ", 12));
}

#[test]
fn what_could_not_be_synced_nor_cut_off_is_made_whole_by_a_rewrite() {
    let mut scene = Scene::new(Fsync::Always);
    assert!(scene.add("one "));
    scene.fail(1..3, Fault::Error(faults::EIO));
    assert!(!scene.add("two"));
    assert!(scene.log.has_gap);
    scene.disk.faults.clear();
    scene.ticks += RETRY_AFTER;
    assert!(scene.flush() && scene.log.has_gap);
    assert_eq!((scene.content().as_str(), scene.log.len()), ("one two", 7));
}
