//! What replicas say of themselves, and what they hear.

use crate::testing::Session;

#[test]
fn a_replica_asks_for_its_copy_once() {
    let mut session = Session::new();
    let (mut replica, _) = session.replica("REPLCONF capa eof");
    assert_eq!(session.run_as(&mut replica, "PSYNC ? -1"), "");
    assert_eq!(session.run_as(&mut replica, "PSYNC ? x"), "");
    assert!(session.run("INFO stats").contains("sync_full:1 "));
}

#[test]
fn a_replica_goes_on_from_a_number() {
    Session::new().expect(&[("PSYNC ? x", "-ERR value is not an integer or out of range")]);
}

#[test]
fn every_option_of_a_replica_has_a_value() {
    let mut session = Session::new();
    session.expect(&[
        ("REPLCONF", "+OK"),
        ("REPLCONF capa", "-ERR syntax error"),
        ("REPLCONF capa eof capa", "-ERR syntax error"),
        ("REPLCONF rdb-only 1", "+OK"),
        ("REPLCONF rdb-filter-only ''", "+OK"),
        ("REPLCONF rdb-filter-only ' functions  FUNCTIONS '", "+OK"),
        ("REPLCONF rdb-filter-only 'functions x'", "-ERR Unsupported rdb-filter-only option: x"),
    ]);
    assert!(session.client.replica.as_ref().unwrap().copy_only);
    session.expect(&[("REPLCONF rdb-only 0", "+OK")]);
    assert!(!session.client.replica.as_ref().unwrap().copy_only);
}

/// Also what has not been sent yet.
#[test]
fn the_role_of_a_primary_has_the_offset_of_all_that_it_has_told() {
    let mut session = Session::new();
    session.expect(&[("ROLE", "*3 $6 master :0 *0")]);
    let (mut replica, _) = session.replica("REPLCONF listening-port 7 ip-address h");
    session.run("SET k v");
    session.expect(&[("ROLE", "*3 $6 master :50 *1 *3 $1 h $1 7 $1 0")]);
    // It is told nothing of what it says.
    for offset in ["x", "-1", "23"] {
        assert_eq!(session.run_as(&mut replica, &format!("REPLCONF ACK {offset}")), "");
    }
    session.expect(&[("ROLE", "*3 $6 master :50 *1 *3 $1 h $1 7 $2 23")]);
    // No such port can be told.
    session.run_as(&mut replica, "REPLCONF listening-port 65543");
    session.expect(&[("ROLE", "*3 $6 master :50 *1 *3 $1 h $1 0 $2 23")]);
    assert!(session.run("INFO replication").contains(" master_repl_offset:50 "));
}

#[test]
fn a_replica_that_wants_only_functions_gets_no_keys() {
    let mut session = Session::new();
    session.run("SET thekey v");
    let (_, all) = session.replica("REPLCONF capa eof");
    let (_, none) = session.replica("REPLCONF capa eof rdb-only 1 rdb-filter-only functions");
    assert!(all.contains("thekey") && !none.contains("thekey"));
}
