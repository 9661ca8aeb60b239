use crate::clients::client::ClientRef;
use crate::log::{Level, heard};
use crate::testing::Session;

#[test]
fn what_a_replica_says_about_itself() {
    Session::new().expect(&[
        ("REPLCONF listening-port 7000 capa eof capa psync2 capa new", "+OK"),
        ("REPLCONF ip-address 10.0.0.1", "+OK"),
        ("REPLCONF version 7.0.15", "+OK"),
        ("REPLCONF rdb-only 1", "+OK"),
        ("REPLCONF rdb-only 2", "-ERR value is out of range, value must between 0 and 1"),
        ("REPLCONF rdb-filter-only functions", "+OK"),
        ("REPLCONF rdb-filter-only x", "-ERR Unsupported rdb-filter-only option: x"),
        ("REPLCONF nosuch 1", "-ERR Unrecognized REPLCONF option: nosuch"),
        ("REPLCONF listening-port x", "-ERR value is not an integer or out of range"),
        ("REPLCONF capa", "-ERR syntax error"),
        ("REPLCONF ack 5", ""),
        ("REPLCONF getack *", ""),
    ]);
}

#[test]
fn a_replicas_address_is_limited() {
    let mut session = Session::new();
    assert_eq!(session.run(&format!("REPLCONF ip-address {}", "h".repeat(255))), "+OK");
    let reply = session.run(&format!("REPLCONF ip-address {}", "h".repeat(256)));
    assert_eq!(reply, "-ERR REPLCONF ip-address provided by replica instance is too long: 256 bytes");
    // INFO shows it behind a comma, and before a line's end.
    for address in ["'a b'", r#""a\r\nb""#] {
        assert_eq!(session.run(&format!("REPLCONF ip-address {address}")), "-ERR Invalid IP address");
    }
}

#[test]
fn a_replica_says_how_far_it_is_only_if_its_primary_asks() {
    let mut session = Session::new();
    session.run("REPLICAOF 127.0.0.1 1");
    for (is_primary, wants_ack) in [(false, false), (true, true)] {
        session.client.is_primary = is_primary;
        assert_eq!(session.run("REPLCONF GETACK *"), "");
        assert_eq!(session.server.replication.link.as_ref().unwrap().wants_ack, wants_ack);
    }
}

#[test]
fn a_copy_and_then_the_stream() {
    let mut session = Session::new();
    session.run("SET before 1");
    let (mut one, sent) = session.replica("REPLCONF listening-port 7000 capa psync2");
    let id = session.server.replication.id.clone();
    assert!(sent.starts_with(&format!("+FULLRESYNC {id} 0 $")), "{sent}");
    assert!(sent.contains("REDIS0010") && sent.contains("before"), "{sent}");
    session.run("SET k v");
    assert_eq!(session.fed(&mut one), "*2 $6 SELECT $1 0 *3 $3 SET $1 k $1 v");
    session.run("PUBLISH channel message");
    assert_eq!(session.fed(&mut one), "*3 $7 PUBLISH $7 channel $7 message");
    session.run("GET k");
    assert_eq!(session.fed(&mut one), "");
    assert!(session.run("ROLE").starts_with("*3 $6 master :"));
    assert!(session.run("INFO replication").contains("connected_slaves:1 slave0:ip=?,port=7000,state=online,"));
    assert_eq!(session.run_as(&mut one, "GET k"), "-ERR Replica can't interact with the keyspace");
}

#[test]
fn the_stream_is_held_back_until_the_end_mark_has_been_seen() {
    let mut session = Session::new();
    let (mut one, sent) = session.replica("REPLCONF capa eof capa psync2");
    assert!(sent.contains(" $EOF:"), "{sent}");
    session.run("SET k v");
    assert_eq!(session.fed(&mut one), "");
    // As in Redis.
    assert!(session.info("slave0").contains("state=online"));
    assert_eq!(session.run_as(&mut one, "REPLCONF ACK 0"), "*2 $6 SELECT $1 0 *3 $3 SET $1 k $1 v");
    session.run("DEL k");
    assert_eq!(session.fed(&mut one), "*2 $3 DEL $1 k");
}

#[test]
fn a_replica_goes_on_where_it_was() {
    let mut session = Session::new();
    let (_, _) = session.replica("REPLCONF capa psync2");
    session.run("SET k v");
    session.server.feed_replicas();
    let (id, offset) = (session.server.replication.id.clone(), session.server.replication.offset);
    session.run("SET l w");
    let mut back = session.other();
    session.run_as(&mut back, "REPLCONF capa psync2");
    let reply = session.run_as(&mut back, &format!("PSYNC {id} {}", offset + 1));
    assert_eq!(reply, format!("+CONTINUE {id} *3 $3 SET $1 l $1 w"));
    // One that does not know that ids may change.
    let mut old = session.other();
    let reply = session.run_as(&mut old, &format!("PSYNC {id} {}", offset + 1));
    assert_eq!(reply, "+CONTINUE *3 $3 SET $1 l $1 w");
    let mut stranger = session.other();
    assert_eq!(session.run_as(&mut stranger, &format!("PSYNC {id} {}", offset + 1000)), "");
    let stats = session.run("INFO stats");
    assert!(stats.contains("sync_full:2 sync_partial_ok:2 sync_partial_err:1"), "{stats}");
}

#[test]
fn no_replica_comes_while_the_server_fails_over() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF listening-port 7000 capa psync2");
    session.expect(&[("SET k v", "+OK"), ("FAILOVER", "+OK")]);
    let mut other = session.other();
    for request in ["PSYNC ? -1", "SYNC"] {
        assert_eq!(session.run_as(&mut other, request), "-NOMASTERLINK Can't SYNC while failing over");
    }
    // One that is there is one already.
    for request in ["PSYNC ? -1", "SYNC"] {
        assert_eq!(session.run_as(&mut one, request), "");
    }
    session.expect(&[("FAILOVER ABORT", "+OK")]);
    assert_eq!(session.run_as(&mut other, "PSYNC ? -1"), "");
    assert_eq!(session.info("connected_slaves"), "2");
}

#[test]
fn who_waits_for_replies_or_is_in_a_transaction_becomes_no_replica() {
    for request in ["PSYNC ? -1", "SYNC"] {
        let mut session = Session::new();
        let mut client = session.other();
        assert_eq!(
            session.run_as(&mut client, &format!("PING\n{request}")),
            "+PONG -ERR SYNC and PSYNC are invalid with pending output"
        );
        session.run_as(&mut client, "MULTI");
        assert_eq!(session.run_as(&mut client, request), "-ERR Command not allowed inside a transaction");
        assert_eq!(session.info("connected_slaves"), "0");
    }
}

#[test]
fn waiting_for_acknowledgements() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.run("SET k v");
    let mut writer = session.other();
    session.run_as(&mut writer, "SET l w");
    assert_eq!(session.run_as(&mut writer, "WAIT 1 0"), "");
    session.server.ask_for_acks();
    assert!(session.fed(&mut one).ends_with("*3 $8 REPLCONF $6 GETACK $1 *"));
    session.run_as(&mut one, "REPLCONF ACK 10");
    assert_eq!(session.received(&mut writer), "");
    let offset = session.server.replication.offset;
    session.run_as(&mut one, &format!("REPLCONF ACK {offset}"));
    assert_eq!(session.received(&mut writer), ":1");
    session.run_as(&mut writer, "WAIT 2 50");
    session.wait(50);
    assert_eq!(session.received(&mut writer), ":1");
    // It waits for something else by now.
    assert_eq!(session.run_as(&mut writer, "BLPOP list 0"), "");
    session.run_as(&mut one, &format!("REPLCONF ACK {offset}"));
    assert_eq!(session.received(&mut writer), "");
    session.run("RPUSH list v");
    assert_eq!(session.received(&mut writer), "*2 $4 list $1 v");

    // One that comes while it waits counts in the end.
    session.run_as(&mut writer, "SET l x");
    assert_eq!(session.run_as(&mut writer, "WAIT 2 50"), "");
    session.fed(&mut one);
    let offset = session.server.replication.offset;
    session.run_as(&mut one, &format!("REPLCONF ACK {offset}"));
    assert_eq!(session.received(&mut writer), "");
    session.wait(50);
    assert_eq!(session.received(&mut writer), ":1");
}

#[test]
fn writes_may_want_replicas_that_are_up_to_date() {
    const REFUSED: &str = "-NOREPLICAS Not enough good replicas to write.";
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.run_as(&mut one, "REPLCONF ACK 0");
    session.expect(&[("CONFIG SET min-replicas-to-write 1", "+OK"), ("SET k v", "+OK")]);
    session.wait(10_999);
    session.expect(&[("SET k v", "+OK")]);
    session.wait(1);
    session.expect(&[
        ("SET k v", REFUSED),
        ("CONFIG SET min-replicas-max-lag 11", "+OK"),
        ("SET k v", "+OK"),
        ("CONFIG SET min-replicas-max-lag 10", "+OK"),
        ("SET k v", REFUSED),
        ("CONFIG SET min-replicas-max-lag 0", "+OK"),
        ("SET k v", "+OK"),
        ("CONFIG SET min-replicas-max-lag 10", "+OK"),
    ]);
    session.run_as(&mut one, "REPLCONF ACK 0");
    session.expect(&[("SET k v", "+OK"), ("CONFIG SET min-replicas-to-write 2", "+OK"), ("SET k v", REFUSED)]);
    // One that still waits for its copy does not count.
    let mut other = session.other();
    session.run_as(&mut other, "PSYNC ? -1");
    session.expect(&[("SET k v", REFUSED)]);
    assert_eq!(session.info("min_slaves_good_slaves"), "1");
    // At a replica that may be written to, nobody else is asked.
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK"), ("CONFIG SET replica-read-only no", "+OK"), ("SET k v", "+OK")]);
}

/// Its primary evicts for both, unless it is told otherwise.
#[test]
fn a_replica_has_no_limit_of_memory() {
    let mut session = Session::new();
    session.expect(&[
        ("SET k v", "+OK"),
        ("REPLICAOF 127.0.0.1 1", "+OK"),
        ("CONFIG SET replica-read-only no maxmemory-policy allkeys-random", "+OK"),
        ("CONFIG SET maxmemory 1", "+OK"),
        ("SET l v", "+OK"),
    ]);
    session.server.cron();
    session.expect(&[
        ("DBSIZE", ":2"),
        ("CONFIG SET replica-ignore-maxmemory no maxmemory-policy noeviction", "+OK"),
        ("SET l v", "-OOM command not allowed when used memory > 'maxmemory'."),
        ("CONFIG SET maxmemory-policy allkeys-random", "+OK"),
    ]);
    session.server.cron();
    assert!(session.server.databases[0].is_empty());
}

#[test]
fn a_replica_refuses_writes_and_hides_what_has_expired() {
    let mut session = Session::new();
    session.run("SET k v PX 100");
    session.expect(&[
        ("REPLICAOF 127.0.0.1 x", "-ERR Invalid master port"),
        ("SLAVEOF 127.0.0.1 1", "+OK"),
        ("REPLICAOF 127.0.0.1 1", "+OK Already connected to specified master"),
        ("SET k w", "-READONLY You can't write against a read only replica."),
        ("MULTI", "+OK"),
        ("SET k w", "-READONLY You can't write against a read only replica."),
        ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
        ("PSYNC ? -1", "-NOMASTERLINK Can't SYNC while not connected with my master"),
        ("ROLE", "*5 $5 slave $9 127.0.0.1 :1 $7 connect :-1"),
        ("CONFIG GET replicaof", "*2 $9 replicaof $11 127.0.0.1 1"),
    ]);
    session.wait(101);
    session.expect(&[
        ("GET k", "$-1"),
        ("DBSIZE", ":1"),
        ("CONFIG SET replica-serve-stale-data no", "+OK"),
        ("GET k", "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
        ("REPLICAOF NO ONE", "+OK"),
        ("GET k", "$-1"),
        ("DBSIZE", ":0"),
        ("CONFIG SET min-replicas-to-write 1", "+OK"),
        ("SET k w", "-NOREPLICAS Not enough good replicas to write."),
        ("FAILOVER", "-ERR FAILOVER requires connected replicas."),
        ("FAILOVER ABORT", "-ERR No failover in progress."),
        ("FAILOVER TO a", "-ERR syntax error"),
        ("FAILOVER TO a x", "-ERR value is not an integer or out of range"),
        ("FAILOVER TO a 65536", "-ERR FAILOVER requires connected replicas."),
        ("FAILOVER TO a -1", "-ERR FAILOVER requires connected replicas."),
        ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0"),
    ]);
}

#[test]
fn a_lost_replica_and_a_backlog_that_nobody_needs() {
    let mut session = Session::new();
    let (one, _) = session.replica("REPLCONF capa psync2");
    session.server.ticks += 1000;
    assert_eq!(session.server.look_after_replicas(), []);
    session.server.ticks += 61_000;
    assert_eq!(session.server.look_after_replicas(), [one]);
    let mut client = session.server.clients.take_same(one).unwrap();
    session.server.release(&mut client);
    let id = session.server.replication.id.clone();
    session.server.ticks += 3_602_000;
    session.server.look_after_replicas();
    assert!(session.server.replication.backlog.is_none() && session.server.replication.id != id);
    assert!(!session.server.streams.replicas.is_open());
}

fn leave(session: &mut Session, replica: ClientRef) {
    let mut client = session.server.clients.take_same(replica).unwrap();
    session.server.release(&mut client);
}

/// A second at a time, for so many of them: who has been lost meanwhile.
fn look_for(session: &mut Session, seconds: usize) -> Vec<ClientRef> {
    let look = |_| {
        session.server.ticks += 1000;
        session.server.look_after_replicas()
    };
    (0..seconds).flat_map(look).collect()
}

#[test]
fn what_a_replica_has_is_what_it_says_as_a_replica() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.run("SET k v");
    session.fed(&mut one);
    let (id, offset) = (session.server.replication.id.clone(), session.server.replication.offset);
    session.run_as(&mut one, &format!("REPLCONF ACK {offset}"));
    session.run_as(&mut one, "REPLCONF ACK 1");
    assert!(session.run("INFO replication").contains(&format!("state=online,offset={offset},")), "never less");
    leave(&mut session, one);
    let mut other = session.other();
    session.run_as(&mut other, "REPLCONF capa psync2 ACK 1000000");
    session.run_as(&mut other, &format!("PSYNC {id} {}", offset + 1));
    assert!(session.run("INFO replication").contains("state=online,offset=0,"), "that was before");
}

/// Older ones never say how far they are.
#[test]
fn a_replica_that_came_by_sync_is_neither_lost_nor_waited_for() {
    let mut session = Session::new();
    let (mut one, sent) = session.replica_by("PING", "SYNC");
    assert!(sent.starts_with('$'), "{sent}");
    session.run("SET k v");
    assert!(session.fed(&mut one).ends_with("SET $1 k $1 v"));
    assert_eq!(look_for(&mut session, 100), []);
    session.server.begin_waiting_for_replicas(false);
    assert!(!session.server.waits_for_replicas());
}

#[test]
fn replicas_that_say_nothing_are_lost_whatever_they_wait_for() {
    for settings in ["REPLCONF capa psync2", "REPLCONF capa eof"] {
        let mut session = Session::new();
        let (one, _) = session.replica(settings);
        assert_eq!(look_for(&mut session, 60), []);
        assert_eq!(look_for(&mut session, 1), [one]);
    }
    // This one takes nothing of its copy.
    let mut session = Session::new();
    let mut one = session.other();
    session.run_as(&mut one, "PSYNC ? -1");
    session.server.start_copies();
    assert_eq!(look_for(&mut session, 60), []);
    assert_eq!(look_for(&mut session, 1), [one]);
}

#[test]
fn a_primary_pings_its_replicas_every_ten_seconds() {
    const PING: &str = "*1 $4 PING";
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    look_for(&mut session, 10);
    session.fed(&mut one);
    look_for(&mut session, 9);
    assert_eq!(session.fed(&mut one), "");
    look_for(&mut session, 1);
    assert_eq!(session.fed(&mut one), PING);
    // The target of a failover has everything sooner so.
    session.expect(&[("SET k v", "+OK"), ("FAILOVER", "+OK")]);
    session.fed(&mut one);
    look_for(&mut session, 20);
    assert_eq!(session.fed(&mut one), "");
    session.expect(&[("FAILOVER ABORT", "+OK")]);
    look_for(&mut session, 1);
    assert_eq!(session.fed(&mut one), PING);
    // A replica passes on what its primary sends.
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    look_for(&mut session, 20);
    assert_eq!(session.fed(&mut one), "");
}

#[test]
fn a_backlog_stays_as_long_as_it_is_to_stay_without_replicas() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.server.ticks += 5_000_000;
    session.run_as(&mut one, "REPLCONF ACK 0");
    leave(&mut session, one);
    let stays = |session: &mut Session, milliseconds: i64| {
        session.server.ticks += milliseconds;
        session.server.look_after_replicas();
        session.server.replication.backlog.is_some()
    };
    assert!(stays(&mut session, 3_600_999));
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    assert!(stays(&mut session, 5_000_000));
    session.expect(&[("REPLICAOF NO ONE", "+OK")]);
    assert!(stays(&mut session, 3_600_999));
    session.expect(&[("CONFIG SET repl-backlog-ttl 0", "+OK")]);
    assert!(stays(&mut session, 5_000_000));
    session.expect(&[("CONFIG SET repl-backlog-ttl 3600", "+OK")]);
    assert!(!stays(&mut session, 1000));
}

#[test]
fn the_first_replica_begins_a_history() {
    let mut session = Session::new();
    session.expect(&[("CONFIG SET repl-backlog-size 20000", "+OK")]);
    let before = session.server.replication.id.clone();
    let (mut one, sent) = session.replica("REPLCONF capa psync2");
    let id = session.server.replication.id.clone();
    assert!(id != before && sent.starts_with(&format!("+FULLRESYNC {id} 0 ")), "{sent}");
    session.request(&[b"SET".into(), b"k".into(), vec![b'v'; 30_000]]);
    session.fed(&mut one);
    assert_eq!(session.info("repl_backlog_histlen"), "20000");
}

#[test]
fn replicas_are_asked_once_how_far_they_are() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.run("FAILOVER");
    for sent in ["*3 $8 REPLCONF $6 GETACK $1 *", ""] {
        session.server.ask_for_acks();
        assert_eq!(session.fed(&mut one), sent);
    }
}

#[test]
fn an_end_waits_for_replicas_for_some_time() {
    let mut session = Session::new();
    let (mut one, _) = session.replica("REPLCONF capa psync2");
    session.run("SET k v");
    session.server.begin_waiting_for_replicas(true);
    assert!(!session.server.waits_for_replicas(), "it is to be now");
    session.server.begin_waiting_for_replicas(false);
    let mut other = session.other();
    assert_eq!(session.run_as(&mut other, "SET k w"), "", "writes wait");
    session.server.ask_for_acks();
    assert!(session.fed(&mut one).ends_with("GETACK $1 *"));
    session.server.ticks += 9_999;
    assert!(session.server.waits_for_replicas());
    session.server.ticks += 1;
    assert!(!session.server.waits_for_replicas());
    session.server.begin_waiting_for_replicas(false);
    let offset = session.server.replication.offset;
    session.run_as(&mut one, &format!("REPLCONF ACK {offset}"));
    assert!(!session.server.waits_for_replicas());
    // It goes on after all.
    session.server.shutdown = true;
    session.expect(&[
        ("SHUTDOWN ABORT", "+OK"),
        ("SET k x", "+OK"),
        ("SHUTDOWN ABORT", "-ERR No shutdown in progress."),
    ]);
}

#[test]
fn a_primary_is_not_made_the_primary_by_another_one() {
    let mut session = Session::new();
    let id = session.server.replication.id.clone();
    session.expect(&[(&format!("PSYNC {id} 0 FAILOVER"), "-ERR PSYNC FAILOVER can't be sent to a master.")]);
}

#[test]
fn a_replica_becomes_the_primary_if_the_one_who_asks_knows_its_history() {
    let mut session = Session::new();
    session.run("REPLICAOF 127.0.0.1 1");
    let mut old = session.other();
    session.run_as(&mut old, "REPLCONF capa psync2");
    let other_id = "0".repeat(40);
    let reply = session.run_as(&mut old, &format!("PSYNC {other_id} 1 FAILOVER"));
    assert_eq!(reply, "-ERR PSYNC FAILOVER replid must match my replid.");
    assert!(session.run("ROLE").starts_with("*5 $5 slave "));
    let id = session.server.replication.id.clone();
    session.run_as(&mut old, &format!("PSYNC {} 1 FAILOVER", id.to_uppercase()));
    heard::told(Level::Notice, "becomes the primary: failover request of ");
    assert!(session.run("ROLE").starts_with("*3 $6 master "));
}

#[test]
fn a_replica_without_its_copy_has_no_role_yet() {
    let mut session = Session::new();
    let mut introduced = session.other();
    session.run_as(&mut introduced, "REPLCONF listening-port 7000");
    assert_eq!(session.run("ROLE"), "*3 $6 master :0 *0");
    session.run_as(&mut introduced, "PSYNC ? -1");
    assert!(session.run("ROLE").ends_with(" *0"), "its copy has not begun");
    let _online = session.replica("REPLCONF listening-port 7001 capa psync2");
    let role = session.run("ROLE");
    assert!(role.contains(" *1 *3 ") && role.contains("$4 7001"), "{role}");
}

#[test]
fn a_replica_waits_for_no_replicas() {
    let mut session = Session::new();
    session.expect(&[("WAIT 0 0", ":0"), ("REPLICAOF 127.0.0.1 1", "+OK")]);
    assert!(session.run("WAIT 0 0").starts_with("-ERR WAIT cannot be used with replica instances."));
    // Nor at its end: they have the same primary in the end.
    let mut session = Session::new();
    session.replica("REPLCONF capa psync2");
    session.run("SET k v");
    session.server.begin_waiting_for_replicas(false);
    assert!(session.server.waits_for_replicas());
    session.run("REPLICAOF 127.0.0.1 1");
    assert!(!session.server.waits_for_replicas());
}
