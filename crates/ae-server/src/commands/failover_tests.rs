use crate::clients::client::{ClientRef, Closing};
use crate::log::{Level, heard};
use crate::replication::link::Phase;
use crate::testing::Session;

fn offset(session: &Session) -> u64 {
    session.server.replication_offset()
}

/// A replica that listens there.
fn replica(session: &mut Session, port: u16) -> ClientRef {
    session.replica(&format!("REPLCONF listening-port {port} capa psync2")).0
}

/// The replica has everything.
fn catch_up(session: &mut Session, replica: &mut ClientRef) {
    session.server.feed_replicas();
    let offset = offset(session);
    session.run_as(replica, &format!("REPLCONF ACK {offset}"));
}

/// The port of the server's own primary, once the role has been handed over to it.
fn successor(session: &mut Session) -> Option<u16> {
    session.server.advance_failover();
    session.server.replication.link.as_ref().map(|link| link.port)
}

#[test]
fn what_came_before_is_sent_to_replicas_first() {
    let mut session = Session::new();
    let mut one = replica(&mut session, 7000);
    session.run("SET k v");
    let before = offset(&session);
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    assert_eq!(session.received(&mut one), "*2 $6 SELECT $1 0 *3 $3 SET $1 k $1 v");
    // What clients of a replica change belongs to it alone.
    session.expect(&[("CONFIG SET replica-read-only no", "+OK"), ("SET k w", "+OK")]);
    assert_eq!((session.fed(&mut one), offset(&session)), (String::new(), before));
}

#[test]
fn who_waits_for_a_key_is_sent_away_when_the_server_becomes_a_replica() {
    let mut session = Session::new();
    let mut waits = session.other();
    session.run_as(&mut waits, "BLPOP k 100");
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    assert!(session.server.databases.observers.waiting.is_empty());
    assert_eq!(session.number("clients_in_timeout_table"), 0);
    let told = session.received(&mut waits);
    assert!(told.starts_with("-UNBLOCKED force unblock from blocking operation, instance state changed"), "{told}");
    assert_eq!(session.server.clients.get_same(waits).unwrap().closing, Closing::AfterReplies);
    // Who waits at a replica may stay.
    let mut waits = session.other();
    session.run_as(&mut waits, "XREAD BLOCK 0 STREAMS s 0");
    session.expect(&[("REPLICAOF 127.0.0.1 2", "+OK")]);
    assert_eq!(session.received(&mut waits), "");
    session.expect(&[("REPLICAOF NO ONE", "+OK"), ("XADD s 1-1 f v", "$3 1-1"), ("RPUSH k v", ":1"), ("LLEN k", ":1")]);
    assert_eq!(session.received(&mut waits), "*1 *2 $1 s *1 *2 $3 1-1 *2 $1 f $1 v");
}

#[test]
fn since_when_there_is_no_link_is_told() {
    let mut session = Session::new();
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    session.wait(3000);
    assert_eq!(session.info("master_link_down_since_seconds"), "3");
    // It comes and goes.
    let mut primary = session.other();
    session.server.clients.get_same(primary).unwrap().is_primary = true;
    let link = session.server.replication.link.as_mut().unwrap();
    (link.phase, link.client) = (Phase::Connected, Some(primary));
    session.expect(&[("CONFIG SET replica-serve-stale-data no", "+OK"), ("GET k", "$-1")]);
    assert_eq!(session.info("master_link_status"), "up");
    session.wait(3000);
    session.run_as(&mut primary, "QUIT");
    let mut gone = session.server.clients.take_same(primary).unwrap();
    session.server.release(&mut gone);
    session.wait(4000);
    assert_eq!(
        (session.info("master_link_status"), session.number("master_link_down_since_seconds")),
        ("down".into(), 4)
    );
    assert!(session.run("ROLE").contains(" $7 connect "));
    assert!(session.run("GET k").starts_with("-MASTERDOWN "));
}

#[test]
fn a_new_primary_goes_on_with_the_history_under_another_id() {
    let mut session = Session::new();
    let one = replica(&mut session, 7000);
    session.run("SET k v");
    let id = session.server.replication.id.clone();
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK"), ("REPLICAOF NO ONE", "+OK")]);
    assert!(session.server.clients.get_same(one).is_none(), "it has to learn of the new id");
    let (next, new) = (offset(&session) + 1, session.server.replication.id.clone());
    let info = session.run("INFO replication");
    assert!(info.contains(&format!("master_replid:{new} master_replid2:{id} ")), "{info}");
    assert!(info.contains(&format!("second_repl_offset:{next} ")), "{info}");
    let mut back = session.other();
    session.run_as(&mut back, "REPLCONF capa psync2");
    assert_eq!(session.run_as(&mut back, &format!("PSYNC {id} {next}")), format!("+CONTINUE {new}"));
    session.run("SET k w");
    assert_eq!(session.fed(&mut back), "*2 $6 SELECT $1 0 *3 $3 SET $1 k $1 w");
    // Unless the data had gone for others that never came.
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK")]);
    session.server.replication.link.as_mut().unwrap().needs_copy = true;
    session.expect(&[("REPLICAOF 127.0.0.1 2", "+OK"), ("REPLICAOF NO ONE", "+OK")]);
    session.expect(&[("CONFIG GET replicaof", "*2 $9 replicaof $0 ")]);
    let none = "0".repeat(40);
    assert!(session.run("INFO replication").contains(&format!("master_replid2:{none} ")));
}

#[test]
fn the_role_goes_to_the_first_replica_that_has_everything() {
    let mut session = Session::new();
    let (_, mut other) = (replica(&mut session, 7000), replica(&mut session, 7001));
    heard::take();
    session.expect(&[("SET k v", "+OK"), ("FAILOVER", "+OK")]);
    heard::expect(Level::Notice, &["FAILOVER requested"]);
    assert_eq!(successor(&mut session), None);
    catch_up(&mut session, &mut other);
    assert_eq!(successor(&mut session), Some(7001));
}

#[test]
fn the_role_goes_to_the_replica_that_was_named() {
    let mut session = Session::new();
    let (mut one, mut other) = (replica(&mut session, 7000), replica(&mut session, 7001));
    session.run_as(&mut one, "REPLCONF ip-address 10.0.0.2");
    session.run_as(&mut other, "REPLCONF ip-address 10.0.0.2");
    let mut third = replica(&mut session, 7001);
    session.expect(&[("SET k v", "+OK"), ("FAILOVER TO 10.0.0.2 7001", "+OK")]);
    heard::told(Level::Notice, "FAILOVER requested to 10.0.0.2:7001");
    for replica in [&mut one, &mut third] {
        catch_up(&mut session, replica);
        assert_eq!(successor(&mut session), None);
    }
    catch_up(&mut session, &mut other);
    assert_eq!(successor(&mut session), Some(7001));
    assert_eq!(session.server.replication.link.as_ref().unwrap().host, "10.0.0.2");
}

#[test]
fn a_failover_may_have_a_time_limit() {
    for (force, expected) in [("", None), ("FORCE", Some(7000))] {
        let mut session = Session::new();
        replica(&mut session, 7000);
        session.expect(&[("SET k v", "+OK"), (&format!("FAILOVER TO ? 7000 {force} TIMEOUT 100"), "+OK")]);
        let mut writer = session.other();
        assert_eq!(session.run_as(&mut writer, "SET k w"), "", "writes wait");
        session.wait(99);
        assert_eq!(successor(&mut session), None);
        assert_eq!(session.info("master_failover_state"), "waiting-for-sync");
        session.wait(1);
        heard::take();
        assert_eq!(successor(&mut session), expected);
        if expected.is_none() {
            heard::expect(Level::Notice, &["FAILOVER: Replica never caught up before timeout"]);
        }
        let state = if force.is_empty() { "no-failover" } else { "failover-in-progress" };
        assert!(session.run("INFO replication").contains(&format!("master_failover_state:{state}")));
    }
}

#[test]
fn a_forced_failover_wants_a_target_and_a_time() {
    let mut session = Session::new();
    replica(&mut session, 7000);
    let both = "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.";
    session.expect(&[
        ("FAILOVER FORCE", both),
        ("FAILOVER FORCE TIMEOUT 1", both),
        ("FAILOVER FORCE TO 127.0.0.1 7000", both),
        ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0"),
        ("FAILOVER ABORT FORCE", "-ERR syntax error"),
        ("FAILOVER TIMEOUT 1 TIMEOUT 2", "-ERR syntax error"),
        ("FAILOVER TO ? 7000 TO ? 7000", "-ERR syntax error"),
        ("FAILOVER ABORT", "-ERR No failover in progress."),
    ]);
}

#[test]
fn during_a_failover_neither_another_one_nor_another_primary_can_be_asked_for() {
    let mut session = Session::new();
    replica(&mut session, 7000);
    session.expect(&[
        ("FAILOVER TIMEOUT 60000", "+OK"),
        ("FAILOVER", "-ERR FAILOVER already in progress."),
        ("REPLICAOF NO ONE", "-ERR REPLICAOF not allowed while failing over."),
        ("FAILOVER ABORT", "+OK"),
        ("REPLICAOF NO ONE", "+OK"),
    ]);
}

#[test]
fn who_may_be_made_the_primary_and_by_whom() {
    let mut session = Session::new();
    let mut one = replica(&mut session, 7000);
    session.run_as(&mut one, "REPLCONF ip-address 10.0.0.2");
    let mut copied = session.other();
    session.run_as(&mut copied, "REPLCONF listening-port 7001 ip-address 10.0.0.3");
    session.run_as(&mut copied, "PSYNC ? -1");
    session.expect(&[
        ("FAILOVER TO 10.0.0.9 7000", "-ERR FAILOVER target HOST and PORT is not a replica."),
        ("FAILOVER TO 10.0.0.2 7001", "-ERR FAILOVER target HOST and PORT is not a replica."),
        ("FAILOVER TO 10.0.0.3 7001", "-ERR FAILOVER target replica is not online."),
    ]);
    assert_eq!(
        session.run_as(&mut one, "REPLICAOF 127.0.0.1 1"),
        "-ERR Command is not valid when client is a replica."
    );
    session.expect(&[
        ("REPLICAOF Example.com 1", "+OK"),
        ("REPLICAOF example.COM 1", "+OK Already connected to specified master"),
        ("FAILOVER", "-ERR FAILOVER is not valid when server is a replica."),
    ]);
}

#[test]
fn the_port_of_a_primary_may_be_any() {
    let mut session = Session::new();
    session.expect(&[("REPLICAOF h 65535", "+OK"), ("REPLICAOF h 0", "+OK")]);
    session
        .expect(&[("REPLICAOF h 65536", "-ERR Invalid master port"), ("REPLICAOF h -1", "-ERR Invalid master port")]);
}
