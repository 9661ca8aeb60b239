use crate::clients::client::Closing;
use crate::log::{Level, heard};
use crate::replication::copy::AHEAD_MAX;
use crate::testing::Session;

/// Gives the replicas that wait their copies.
fn copy(session: &mut Session) {
    session.server.start_copies();
    while session.server.replication.copy.is_some() || session.server.advance_copies() {
        session.server.advance_copies();
        session.server.advance_snapshot(false);
    }
}

/// What has changed before a copy is in it, and not in the stream behind it.
#[test]
fn a_copy_has_what_is_still_to_be_sent_to_others() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.run("INCR n");
    let mut other = session.other();
    session.run_as(&mut other, "PSYNC ? -1");
    session.run("INCR n");
    copy(&mut session);
    let (id, offset) = (session.server.replication.id.clone(), session.server.replication.offset);
    let sent = session.received(&mut other);
    session.server.finish_copies();
    assert!(offset > 0 && sent.starts_with(&format!("+FULLRESYNC {id} {offset} $")), "{sent}");
    assert!(session.run("INFO replication").contains(&format!("slave1:ip=?,port=0,state=online,offset={offset},")));
    assert!(session.fed(&mut one).ends_with("*2 $4 INCR $1 n *2 $4 INCR $1 n"));
    assert_eq!(session.fed(&mut other), "");
    session.run("INCR n");
    assert_eq!(session.fed(&mut other), "*2 $6 SELECT $1 0 *2 $4 INCR $1 n");
}

#[test]
fn what_has_been_held_back_a_replica_does_not_have_yet() {
    let mut session = Session::new();
    let mut one = session.other();
    session.run_as(&mut one, "PSYNC ? -1");
    session.server.start_copies();
    session.run("SET k v");
    session.server.feed_replicas();
    copy(&mut session);
    session.received(&mut one);
    // However long that took.
    session.wait(100_000);
    session.server.finish_copies();
    assert!(session.run("INFO replication").contains("state=online,offset=0,lag=0"));
    assert_eq!(session.received(&mut one), "*2 $6 SELECT $1 0 *3 $3 SET $1 k $1 v");
}

#[test]
fn a_copy_waits_for_other_replicas() {
    let mut session = Session::new();
    let begun = |session: &mut Session| {
        session.server.start_copies();
        session.server.replication.copy.is_some()
    };
    let come = |session: &mut Session, settings: &str| {
        let mut one = session.other();
        session.run_as(&mut one, settings);
        session.wait(10_000);
        session.run_as(&mut one, "PSYNC ? -1");
        one
    };
    session.expect(&[("CONFIG SET repl-diskless-sync-delay 5", "+OK")]);
    come(&mut session, "REPLCONF capa eof");
    session.wait(4999);
    assert!(!begun(&mut session));
    session.wait(1);
    assert!(begun(&mut session));
    // As long as there are not as many as it is to have at once.
    let mut session = Session::new();
    session.expect(&[("CONFIG SET repl-diskless-sync-delay 100 repl-diskless-sync-max-replicas 2", "+OK")]);
    come(&mut session, "REPLCONF capa eof");
    assert!(!begun(&mut session));
    come(&mut session, "REPLCONF capa eof");
    assert!(begun(&mut session));
    // Not for more than it is to have at once, nor for one that needs to know the length anyway.
    for (setting, settings) in [
        ("repl-diskless-sync-max-replicas 1", "REPLCONF capa eof"),
        ("repl-diskless-sync-max-replicas 0", "REPLCONF capa psync2"),
        ("repl-diskless-sync no", "REPLCONF capa eof"),
    ] {
        let mut session = Session::new();
        session.run("CONFIG SET repl-diskless-sync-delay 5");
        session.run(&format!("CONFIG SET {setting}"));
        come(&mut session, settings);
        assert!(begun(&mut session), "{setting}");
    }
}

/// As `redis-cli --rdb` and `--functions-rdb` ask for it.
#[test]
fn a_copy_alone_and_one_of_functions_alone() {
    for settings in ["REPLCONF rdb-only 1", "REPLCONF rdb-only 1 rdb-filter-only functions"] {
        for capable in ["", " capa eof"] {
            let mut session = Session::new();
            session.run("SET before 1");
            let (one, sent) = session.replica(&format!("{settings}{capable}"));
            assert_eq!(sent.contains("before"), !settings.contains("functions"), "{sent}");
            let (start, copy) = sent.split_once("REDIS0010").unwrap();
            match start.trim_end().rsplit_once('$').unwrap().1.strip_prefix("EOF:") {
                Some(mark) => assert!(!capable.is_empty() && copy.ends_with(mark), "{sent}"),
                None => assert!(capable.is_empty(), "{sent}"),
            }
            assert_eq!(session.server.clients.get_same(one).unwrap().closing, Closing::AfterReplies);
        }
    }
}

#[test]
fn a_copy_that_nobody_wants_any_more_is_given_up() {
    let mut session = Session::new();
    let mut one = session.other();
    session.run_as(&mut one, "PSYNC ? -1");
    session.server.start_copies();
    heard::told(Level::Notice, "a copy for the replica ?:0 begins");
    let mut client = session.server.clients.take_same(one).unwrap();
    session.server.release(&mut client);
    session.server.advance_copies();
    session.server.advance_snapshot(false);
    assert!(session.server.replication.copy.is_none() && session.server.snapshot.is_none());
}

/// A copy whose length is told is written into a file first.
#[test]
fn how_a_copy_ends_is_as_the_primary_has_it_configured() {
    for (diskless, start) in [("yes", "$EOF:"), ("no", "$")] {
        let mut session = Session::new();
        session.run(&format!("CONFIG SET repl-diskless-sync {diskless}"));
        let (_, sent) = session.replica("REPLCONF capa eof capa psync2");
        let copy = sent.split(' ').nth(3).unwrap();
        assert!(copy.starts_with(start) && (diskless == "yes") == copy.contains("EOF"), "{sent}");
    }
}

/// Otherwise the end of the copy would wait for the next event.
#[test]
fn the_loop_does_not_sleep_before_a_copy_has_gone() {
    let mut session = Session::new();
    let mut one = session.other();
    session.run("CONFIG SET repl-diskless-sync-delay 0");
    session.run_as(&mut one, "REPLCONF capa eof");
    session.run_as(&mut one, "PSYNC ? -1");
    session.server.start_copies();
    while session.server.replication.copy.is_some() {
        session.server.advance_copies();
        session.server.advance_snapshot(false);
    }
    assert!(session.server.advance_copies());
    assert!(!session.server.advance_copies());
}

/// Whatever is waiting for it takes memory.
#[test]
fn a_copy_waits_for_the_slowest_replica() {
    for settings in ["REPLCONF capa eof", "REPLCONF capa psync2"] {
        let mut session = Session::new();
        session.expect(&[
            ("DEBUG POPULATE 120 key 100000", "+OK"),
            ("CONFIG SET rdbcompression no", "+OK"),
            ("CONFIG SET repl-diskless-sync-delay 0", "+OK"),
        ]);
        let [slow, mut fast] = [(); 2].map(|()| session.other());
        for mut replica in [slow, fast] {
            session.run_as(&mut replica, settings);
            session.run_as(&mut replica, "PSYNC ? -1");
        }
        session.server.start_copies();
        loop {
            let goes_on = session.server.advance_snapshot(false);
            let moved = session.server.advance_copies();
            session.received(&mut fast);
            if !goes_on && !moved {
                break;
            }
        }
        let waiting = session.server.clients.get_same(slow).unwrap().output.pending();
        assert!((AHEAD_MAX..2 * AHEAD_MAX).contains(&waiting), "{settings}: {waiting}");
    }
}

/// What is there by then is only a part of them.
#[test]
fn a_copy_waits_until_the_data_are_there() {
    let mut session = Session::new();
    let mut one = session.other();
    session.run_as(&mut one, "PSYNC ? -1");
    session.server.status.starting = true;
    session.server.start_copies();
    assert!(session.server.replication.copy.is_none());
    session.server.status.starting = false;
    session.server.start_copies();
    assert!(session.server.replication.copy.is_some());
}

/// Also when the server is killed before the copy is complete.
#[test]
fn the_file_that_a_copy_is_kept_in_is_in_no_folder() {
    let (mut session, folder) = crate::testing::saving::session();
    session.expect(&[("SET k v", "+OK")]);
    let (_replica, sent) = session.replica("REPLCONF capa psync2");
    assert!(sent.contains("REDIS0010"), "{sent}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
