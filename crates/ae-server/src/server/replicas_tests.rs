use crate::clients::replica::Phase;
use crate::replication::link;
use crate::testing::Session;

#[test]
fn a_backlog_may_become_smaller_at_once() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.request(&[b"SET".into(), b"k".into(), vec![b'v'; 100_000]]);
    session.fed(&mut one);
    session.expect(&[("CONFIG SET repl-backlog-size 20000", "+OK")]);
    assert_eq!(session.number("repl_backlog_histlen"), 20_000);
    let memory = session.number("mem_replication_backlog");
    assert!((20_000..60_000).contains(&memory), "{memory}");
}

#[test]
fn replicas_are_no_clients_among_others() {
    let mut session = Session::new();
    let _replicas = [(); 3].map(|()| session.replica("REPLCONF capa psync2").0);
    let clients = session.number("connected_clients");
    assert_eq!(clients, -3 + session.server.clients.count() as i64);
    // Their memory is none of other clients'.
    let (theirs, others) = (session.number("mem_clients_slaves"), session.number("mem_clients_normal"));
    let size = size_of::<crate::clients::client::Client>() as i64;
    assert!(theirs >= 3 * size && others >= size && others < 2 * size + 100_000, "{theirs} {others}");
}

/// What is held back until it has its copy is its memory, too.
#[test]
fn what_is_held_for_a_replica_is_its_memory() {
    let mut session = Session::new();
    let (one, _) = session.replica("REPLCONF capa eof capa psync2");
    let memory = |session: &Session| session.server.clients.get(one.fd).unwrap().memory();
    let before = memory(&session);
    session.request(&[b"SET".into(), b"k".into(), vec![b'v'; 10_000]]);
    session.server.feed_replicas();
    assert!(memory(&session) > before + 10_000);
}

/// It has said so, but of a stream that it does not get yet.
#[test]
fn who_still_gets_its_copy_has_acknowledged_nothing() {
    let mut session = Session::new();
    let (one, _) = session.replica("REPLCONF capa psync2");
    session.expect(&[("SET k v", "+OK")]);
    let offset = session.server.replication_offset();
    for (phase, count) in [(Phase::Copied, 0), (Phase::Settles, 0), (Phase::Online, 1)] {
        let replica = session.server.clients.get_same(one).unwrap().replica.as_mut().unwrap();
        (replica.phase, replica.acknowledged) = (phase, offset);
        assert_eq!(session.server.count_acknowledged(offset, None), count, "{phase:?}");
    }
}

/// It never says anything.
#[test]
fn who_came_by_sync_lags_behind_by_nothing() {
    let mut session = Session::new();
    session.replica_by("REPLCONF capa psync2", "SYNC");
    session.wait(60_000);
    let line = session.info("slave0");
    assert!(line.ends_with(",lag=0"), "{line}");
}

#[test]
fn how_much_of_a_copy_is_left_may_be_unknown() {
    let mut session = Session::new();
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    for (copy_len, left) in [(None, "-1"), (Some(100), "60")] {
        let known = session.server.replication.link.as_mut().unwrap();
        (known.phase, known.copy_len, known.copy_read) = (link::Phase::Transfer, copy_len, 40);
        assert_eq!(session.info("master_sync_left_bytes"), left);
        assert_eq!(session.info("master_sync_read_bytes"), "40");
    }
    // ROLE says that it is at it.
    session.expect(&[("ROLE", "*5 $5 slave $9 127.0.0.1 :1 $4 sync :-1")]);
}

/// Somebody who waits for messages sends nothing: the limit is no longer the one that it came with.
#[test]
fn a_new_limit_of_output_is_for_those_that_are_there() {
    let mut session = Session::new();
    session.expect(&[("CONFIG SET client-output-buffer-limit 'pubsub 100000 0 0'", "+OK")]);
    let mut subscriber = session.other();
    session.run_as(&mut subscriber, "SUBSCRIBE c");
    session.expect(&[("CONFIG SET client-output-buffer-limit 'pubsub 0 0 0'", "+OK")]);
    for _ in 0..3 {
        session.request(&[b"PUBLISH".into(), b"c".into(), vec![b'm'; 100_000]]);
    }
    assert!(session.received(&mut subscriber).len() > 300_000);
}

#[test]
fn memory_and_time_add_up() {
    let mut session = Session::new();
    // What is in use may be more than there was whenever the cron looked.
    session.server.last_sample.peak_memory = 0;
    assert!(session.number("used_memory_peak") > 0);
    session.server.last_sample.peak_memory = 1 << 50;
    assert_eq!(session.number("used_memory_peak"), 1 << 50);
    session.expect(&[("CONFIG SET hz 20", "+OK")]);
    assert_eq!((session.number("hz"), session.number("configured_hz")), (20, 20));
    if cfg!(feature = "scripting") {
        session.expect(&[("EVAL 'return 1' 0", ":1")]);
        let text = b"#!lua name=l\nredis.register_function('f', function() end)";
        session.request(&[b"FUNCTION".into(), b"LOAD".into(), text.to_vec()]);
        let of = |session: &mut Session, name: &str| session.number(&format!("used_memory_vm_{name}"));
        let parts = (of(&mut session, "eval"), of(&mut session, "functions"));
        assert!(parts.0 > 0 && parts.1 > 0 && of(&mut session, "total") == parts.0 + parts.1);
    }
}

/// What there is of the stream is kept in a ring.
#[test]
fn a_replica_that_was_away_gets_the_whole_end_of_the_stream() {
    let mut session = Session::new();
    session.run("CONFIG SET repl-backlog-size 16384");
    let _one = session.replica("REPLCONF capa psync2");
    for key in 0..1000 {
        session.run(&format!("SET key:{key} value"));
        session.server.feed_replicas();
    }
    let replication = &session.server.replication;
    let (id, offset, first) =
        (replication.id.clone(), replication.offset, replication.backlog.as_ref().unwrap().first());
    let mut back = session.other();
    let (head, request) = ("+CONTINUE\r\n", ["PSYNC", &id, &first.to_string()].map(|word| word.into()));
    let reply = session.request_as(&mut back, &request);
    assert_eq!(reply.len() as u64, head.len() as u64 + offset + 1 - first);
    assert!(reply.starts_with(head.as_bytes()) && reply.ends_with(b"key:999\r\n$5\r\nvalue\r\n"));
}
