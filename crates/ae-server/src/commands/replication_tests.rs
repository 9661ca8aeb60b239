use crate::clients::client::ClientRef;
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

/// A replica that has its copy, and what it was sent.
fn replica(session: &mut Session, settings: &str) -> (ClientRef, String) {
    let mut replica = session.other();
    session.run("CONFIG SET repl-diskless-sync-delay 0");
    session.run_as(&mut replica, settings);
    session.run_as(&mut replica, "PSYNC ? -1");
    session.server.start_copies();
    while session.server.replication.copy.is_some() || session.server.advance_copies() {
        session.server.advance_copies();
        session.server.advance_snapshot(false);
    }
    let sent = session.received(&mut replica);
    session.server.finish_copies();
    (replica, sent)
}

fn fed(session: &mut Session, replica: &mut ClientRef) -> String {
    session.server.feed_replicas();
    session.received(replica)
}

#[test]
fn a_copy_and_then_the_stream() {
    let mut session = Session::new();
    session.run("SET before 1");
    let (mut one, sent) = replica(&mut session, "REPLCONF listening-port 7000 capa psync2");
    let id = session.server.replication.id.clone();
    assert!(sent.starts_with(&format!("+FULLRESYNC {id} 0 $")), "{sent}");
    assert!(sent.contains("REDIS0010") && sent.contains("before"), "{sent}");
    session.run("SET k v");
    assert_eq!(fed(&mut session, &mut one), "*2 $6 SELECT $1 0 *3 $3 SET $1 k $1 v");
    session.run("PUBLISH channel message");
    assert_eq!(fed(&mut session, &mut one), "*3 $7 PUBLISH $7 channel $7 message");
    session.run("GET k");
    assert_eq!(fed(&mut session, &mut one), "");
    assert!(session.run("ROLE").starts_with("*3 $6 master :"));
    assert!(session.run("INFO replication").contains("connected_slaves:1 slave0:ip=?,port=7000,state=online,"));
    assert_eq!(session.run_as(&mut one, "GET k"), "-ERR Replica can't interact with the keyspace");
}

#[test]
fn the_stream_is_held_back_until_the_end_mark_has_been_seen() {
    let mut session = Session::new();
    let (mut one, sent) = replica(&mut session, "REPLCONF capa eof capa psync2");
    assert!(sent.contains(" $EOF:"), "{sent}");
    session.run("SET k v");
    assert_eq!(fed(&mut session, &mut one), "");
    assert_eq!(session.run_as(&mut one, "REPLCONF ACK 0"), "*2 $6 SELECT $1 0 *3 $3 SET $1 k $1 v");
    session.run("DEL k");
    assert_eq!(fed(&mut session, &mut one), "*2 $3 DEL $1 k");
}

#[test]
fn a_replica_goes_on_where_it_was() {
    let mut session = Session::new();
    let (_, _) = replica(&mut session, "REPLCONF capa psync2");
    session.run("SET k v");
    session.server.feed_replicas();
    let (id, offset) = (session.server.replication.id.clone(), session.server.replication.offset);
    session.run("SET l w");
    let mut back = session.other();
    session.run_as(&mut back, "REPLCONF capa psync2");
    let reply = session.run_as(&mut back, &format!("PSYNC {id} {}", offset + 1));
    assert_eq!(reply, format!("+CONTINUE {id} *3 $3 SET $1 l $1 w"));
    let mut stranger = session.other();
    assert_eq!(session.run_as(&mut stranger, &format!("PSYNC {id} {}", offset + 1000)), "");
    let stats = session.run("INFO stats");
    assert!(stats.contains("sync_full:2 sync_partial_ok:1 sync_partial_err:1"), "{stats}");
}

#[test]
fn waiting_for_acknowledgements() {
    let mut session = Session::new();
    let (mut one, _) = replica(&mut session, "REPLCONF capa psync2");
    session.run("SET k v");
    let mut writer = session.other();
    session.run_as(&mut writer, "SET l w");
    assert_eq!(session.run_as(&mut writer, "WAIT 1 0"), "");
    session.server.ask_for_acks();
    assert!(fed(&mut session, &mut one).ends_with("*3 $8 REPLCONF $6 GETACK $1 *"));
    session.run_as(&mut one, "REPLCONF ACK 10");
    assert_eq!(session.received(&mut writer), "");
    let offset = session.server.replication.offset;
    session.run_as(&mut one, &format!("REPLCONF ACK {offset}"));
    assert_eq!(session.received(&mut writer), ":1");
    session.run_as(&mut writer, "WAIT 2 50");
    session.wait(50);
    assert_eq!(session.received(&mut writer), ":1");

    // One that comes while it waits counts in the end.
    session.run_as(&mut writer, "SET l x");
    assert_eq!(session.run_as(&mut writer, "WAIT 2 50"), "");
    fed(&mut session, &mut one);
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
    let (mut one, _) = replica(&mut session, "REPLCONF capa psync2");
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
    assert!(session.run("INFO replication").contains("min_slaves_good_slaves:1"));
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
    session.expect(&[("DBSIZE", ":0")]);
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
    let (one, _) = replica(&mut session, "REPLCONF capa psync2");
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

#[test]
fn a_forced_failover_wants_a_target_and_a_time() {
    let mut session = Session::new();
    replica(&mut session, "REPLCONF listening-port 7000");
    let both = "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
    session.expect(&[
        ("FAILOVER FORCE", both),
        ("FAILOVER FORCE TIMEOUT 1", both),
        ("FAILOVER FORCE TO 127.0.0.1 7000", both),
        ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0"),
        ("FAILOVER ABORT FORCE", "-ERR syntax error"),
        ("FAILOVER ABORT", "-ERR No failover in progress."),
    ]);
}

#[test]
fn a_primary_is_not_made_the_primary_by_another_one() {
    let mut session = Session::new();
    let id = session.server.replication.id.clone();
    session.expect(&[(&format!("PSYNC {id} 0 FAILOVER"), "-ERR PSYNC FAILOVER can't be sent to a master.")]);
}

#[test]
fn during_a_failover_neither_another_one_nor_another_primary_can_be_asked_for() {
    let mut session = Session::new();
    replica(&mut session, "REPLCONF listening-port 7000");
    session.expect(&[
        ("FAILOVER TIMEOUT 60000", "+OK"),
        ("FAILOVER", "-ERR FAILOVER already in progress."),
        ("REPLICAOF NO ONE", "-ERR REPLICAOF not allowed while failing over."),
        ("FAILOVER ABORT", "+OK"),
        ("REPLICAOF NO ONE", "+OK"),
    ]);
}

#[test]
fn a_replica_waits_for_no_replicas() {
    let mut session = Session::new();
    session.expect(&[("WAIT 0 0", ":0"), ("REPLICAOF 127.0.0.1 1", "+OK")]);
    assert!(session.run("WAIT 0 0").starts_with("-ERR WAIT cannot be used with replica instances."));
}
