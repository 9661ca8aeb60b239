use crate::db::databases::Expiry;
use crate::db::door::Ttl;
use crate::db::event::Event;
use crate::testing::Session;

/// What the append-only file gets of these requests, as words.
fn logged(session: &mut Session, requests: &[&str]) -> String {
    session.server.set_streams(true, true);
    requests.iter().for_each(|request| drop(session.run(request)));
    let bytes = std::mem::take(&mut session.server.streams.log.bytes);
    let text = String::from_utf8(bytes).unwrap();
    text.split("\r\n").filter(|word| !word.is_empty() && !word.starts_with('$')).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_changed_is_told_and_nothing_else() {
    let mut session = Session::new();
    assert_eq!(
        logged(&mut session, &["SET k 1", "GET k", "INCR k", "LPUSH k x", "DEL none", "PING"]),
        "*2 SELECT 0 *3 SET k 1 *2 INCR k"
    );
    assert_eq!(logged(&mut session, &["SELECT 3", "SADD s a", "SADD s a"]), "*2 SELECT 3 *3 SADD s a");
}

#[test]
fn what_was_asked_for_in_vain_is_not_told() {
    let mut session = Session::new();
    session.run("XGROUP CREATE s g 0 MKSTREAM");
    let in_vain = [
        "XGROUP DESTROY s none",
        "XGROUP DELCONSUMER s g none",
        "XACK s g 1",
        "XDEL s 1",
        "XTRIM s MAXLEN 5",
        "HDEL none f",
        "SMOVE none other m",
    ];
    assert_eq!(logged(&mut session, &in_vain), "");
}

#[test]
fn a_target_that_has_expired_is_removed_though_nothing_comes() {
    let mut session = Session::new();
    session.run("DEBUG SET-ACTIVE-EXPIRE 0");
    session.expect(&[("SADD d m", ":1"), ("PEXPIRE d 10", ":1")]);
    session.wait(11);
    assert_eq!(logged(&mut session, &["SMOVE none d m"]), "*2 SELECT 0 *2 DEL d");
}

#[test]
fn transactions_are_framed_if_they_change_several_things() {
    let mut session = Session::new();
    assert_eq!(logged(&mut session, &["MULTI", "SET k 1", "GET k", "EXEC"]), "*2 SELECT 0 *3 SET k 1");
    assert_eq!(
        logged(&mut session, &["MULTI", "SET k 1", "SELECT 1", "SET k 2", "EXEC"]),
        "*1 MULTI *3 SET k 1 *2 SELECT 1 *3 SET k 2 *1 EXEC"
    );
    assert_eq!(logged(&mut session, &["MULTI", "GET k", "EXEC"]), "");
}

#[test]
fn expired_keys_are_removed_elsewhere_too() {
    let mut session = Session::new();
    session.run("DEBUG SET-ACTIVE-EXPIRE 0");
    session.run("SET k 1 PX 100");
    session.run("SET l 1 PX 100");
    session.wait(101);
    assert_eq!(logged(&mut session, &["SADD k a"]), "*2 SELECT 0 *1 MULTI *2 DEL k *3 SADD k a *1 EXEC");
    assert_eq!(logged(&mut session, &["GET l"]), "*2 DEL l");
}

/// What had to go for a request is no part of it.
#[test]
fn what_is_evicted_for_a_request_is_told_by_itself() {
    let mut session = Session::new();
    session.expect(&[
        ("SET old v", "+OK"),
        ("CONFIG SET maxmemory-policy allkeys-random maxmemory-eviction-tenacity 100", "+OK"),
    ]);
    session.server.config.memory.max = 1;
    assert_eq!(logged(&mut session, &["SWAPDB 0 1"]), "*2 SELECT 0 *2 DEL old *3 SWAPDB 0 1");
}

#[test]
fn points_in_time_are_told() {
    let mut session = Session::new();
    session.server.now = 1000;
    for (line, told) in [
        ("SET k v EX 1", "*2 SELECT 0 *5 SET k v PXAT 2000"),
        ("SET k w GET", "*3 SET k w"),
        ("SETEX k 2 v", "*5 SET k v PXAT 3000"),
        ("GETEX k", ""),
        ("GETEX k PX 1", "*3 PEXPIREAT k 1001"),
        ("GETEX k PERSIST", "*2 PERSIST k"),
        ("GETEX k PERSIST", ""),
        ("EXPIRE k 1 NX", "*4 PEXPIREAT k 2000 NX"),
        ("EXPIRE k 1 NX", ""),
        ("EXPIRE k -1", "*2 DEL k"),
        ("EXPIRE k -1", ""),
    ] {
        assert_eq!(logged(&mut session, &[line]), told, "{line}");
    }
}

#[test]
fn what_is_restored_too_late_is_removed_elsewhere_and_a_replica_waits_for_that() {
    let mut session = Session::new();
    let payload = rdb::dump(&store::Value::from(store::StringValue::new(b"v")), rdb::Compression::Off);
    let payload: String = payload.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let restore = format!("RESTORE k 1000 \"{payload}\" REPLACE ABSTTL");
    assert_eq!(logged(&mut session, &[&restore]), "");
    assert_eq!(logged(&mut session, &["SET k 1", &restore]), "*2 SELECT 0 *3 SET k 1 *2 DEL k");
    session.server.databases.expiry = Expiry::Ignores;
    session.expect(&[
        (&restore, "+OK"),
        ("EXISTS k", ":1"),
        ("PEXPIRETIME k", ":1000"),
        ("PERSIST k", ":1"),
        ("GET k", "$1 v"),
    ]);
}

#[test]
fn what_came_of_it_is_told() {
    let mut session = Session::new();
    for (line, told) in [
        ("INCRBYFLOAT f 0.5", "*2 SELECT 0 *4 SET f 0.5 KEEPTTL"),
        ("HINCRBYFLOAT h f 1", "*4 HSET h f 1"),
        ("GETSET f 2", "*3 SET f 2"),
        ("GETDEL f", "*2 DEL f"),
        ("SADD s a", "*3 SADD s a"),
        ("SPOP s 0", ""),
        ("SPOP s", "*3 SREM s a"),
        ("SADD s 1 2", "*4 SADD s 1 2"),
        ("SPOP s 2", "*2 DEL s"),
        ("RPUSH l a b c", "*5 RPUSH l a b c"),
        ("LMPOP 2 x l LEFT COUNT 9", "*3 LPOP l 3"),
        ("ZADD z 1 a 2 b", "*6 ZADD z 1 a 2 b"),
        ("BZMPOP 0 1 z MAX", "*3 ZPOPMAX z 1"),
        ("BZPOPMIN x z 0", "*2 ZPOPMIN z"),
        ("XADD x 5-* f v", "*5 XADD x 5-0 f v"),
        ("XADD x MAXLEN ~ 1 6 f v", "*8 XADD x MAXLEN = 2 6 f v"),
        ("XTRIM x MAXLEN 1", "*4 XTRIM x MAXLEN 1"),
        ("XTRIM x MAXLEN 1", ""),
        ("SWAPDB 0 0", "*3 SWAPDB 0 0"),
        ("FLUSHDB", "*1 FLUSHDB"),
        ("FLUSHALL ASYNC", "*2 FLUSHALL ASYNC"),
    ] {
        assert_eq!(logged(&mut session, &[line]), told, "{line}");
    }
}

#[test]
fn entries_of_streams_that_go_are_told_to_everybody() {
    let mut session = Session::new();
    for id in ["1-1", "2-1", "3-1"] {
        session.run(&format!("XADD x {id} f v"));
    }
    for (line, told) in [
        ("XDEL x 1-1 7-7", "*2 SELECT 0 *4 XDEL x 1-1 7-7"),
        ("XDEL x 1-1", ""),
        ("XDEL none 1-1", ""),
        ("XDEL x 2-1 3-1", "*4 XDEL x 2-1 3-1"),
    ] {
        assert_eq!(logged(&mut session, &[line]), told, "{line}");
        let bytes = String::from_utf8(std::mem::take(&mut session.server.streams.replicas.bytes)).unwrap();
        assert_eq!(bytes.contains("\r\nXDEL\r\n"), !told.is_empty(), "{line}");
    }
}

#[test]
fn several_parts_of_one_request_are_framed() {
    let mut session = Session::new();
    session.run("SADD s 1 2 3 4 5 6 7 8 9");
    let told = logged(&mut session, &["SPOP s 2"]);
    assert!(told.starts_with("*2 SELECT 0 *1 MULTI *3 SREM s ") && told.ends_with(" *1 EXEC"), "{told}");
    assert_eq!(told.matches("SREM").count(), 2);
}

#[test]
fn expired_keys_that_a_scan_finds_are_told_one_by_one() {
    let mut session = Session::new();
    session.run("DEBUG SET-ACTIVE-EXPIRE 0");
    session.run("SET a 1 PX 1");
    session.run("SET b 1 PX 1");
    session.wait(2);
    let told = logged(&mut session, &["SCAN 0"]);
    assert!(!told.contains("MULTI") && told.matches("DEL").count() == 2, "{told}");
}

#[test]
fn whoever_waited_is_told_of_in_a_unit_of_its_own() {
    let mut session = Session::new();
    let (mut one, mut other) = (session.other(), session.other());
    session.run_as(&mut one, "BLPOP l 0");
    session.run_as(&mut other, "BRPOPLPUSH l m 0");
    assert_eq!(
        logged(&mut session, &["MULTI", "RPUSH l a b", "SET k v", "EXEC"]),
        "*2 SELECT 0 *1 MULTI *4 RPUSH l a b *3 SET k v *1 EXEC *2 LPOP l *3 RPOPLPUSH l m"
    );
}

#[test]
fn a_move_that_had_to_wait_is_told_with_its_ends_in_small_letters() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "BLMOVE Source Target LEFT RIGHT 0");
    assert_eq!(
        logged(&mut session, &["RPUSH Source a", "RPUSH Source b", "BLMOVE Source Target LEFT RIGHT 0"]),
        "*2 SELECT 0 *3 RPUSH Source a *5 LMOVE Source Target left right *3 RPUSH Source b \
         *5 LMOVE Source Target LEFT RIGHT"
    );
}

#[test]
fn an_entry_that_was_deleted_counts_in_what_trimming_by_ids_has_left() {
    let mut session = Session::new();
    for line in ["XADD x 1-1 f v", "XADD x 2-1 f v", "XDEL x 1-1"] {
        session.run(line);
    }
    assert_eq!(
        logged(&mut session, &["XADD x MINID ~ 2 3-1 f v", "XADD x MINID = 1 4-1 f v"]),
        "*2 SELECT 0 *8 XADD x MINID = 1-1 3-1 f v *8 XADD x MINID = 1 4-1 f v"
    );
}

#[test]
fn consumers_of_groups_are_told_of() {
    let mut session = Session::new();
    session.server.now = 1000;
    session.run("XADD x 1-1 f v");
    session.run("XADD x 2-1 f v");
    session.run("XGROUP CREATE x g 0");
    let claim = |id: &str, consumer: &str, count: u32, last: &str| {
        format!("*14 XCLAIM x g {consumer} 0 {id} TIME 1000 RETRYCOUNT {count} FORCE JUSTID LASTID {last}")
    };
    for (line, told) in [
        ("XREADGROUP GROUP g a COUNT 1 STREAMS x >", format!("*2 SELECT 0 {}", claim("1-1", "a", 1, "1-1"))),
        ("XREADGROUP GROUP g a STREAMS x 0", String::new()),
        (
            "XREADGROUP GROUP g b NOACK STREAMS x >",
            "*1 MULTI *5 XGROUP CREATECONSUMER x g b *7 XGROUP SETID x g 2-1 ENTRIESREAD 2 *1 EXEC".into(),
        ),
        ("XCLAIM x g b 0 1-1", claim("1-1", "b", 3, "2-1")),
        ("XAUTOCLAIM x g a 0 0 JUSTID", claim("1-1", "a", 3, "2-1")),
        ("XCLAIM x g b 0 7-7 LASTID 9", "*7 XGROUP SETID x g 9-0 ENTRIESREAD 2".into()),
    ] {
        assert_eq!(logged(&mut session, &[line]), told, "{line}");
    }
}

#[test]
fn a_group_that_gets_nothing_has_not_read_on() {
    let mut session = Session::new();
    session.run("XGROUP CREATE x g $ MKSTREAM");
    let mut other = session.other();
    session.run_as(&mut other, "XREADGROUP GROUP g a BLOCK 0 NOACK STREAMS x >");
    assert_eq!(
        logged(&mut session, &["XADD x MAXLEN 0 1-1 f v"]),
        "*2 SELECT 0 *7 XADD x MAXLEN 0 1-1 f v *5 XGROUP CREATECONSUMER x g a"
    );
    assert_eq!(session.received(&mut other), "*1 *2 $1 x *0");
}

#[test]
fn messages_are_told_to_replicas_alone() {
    let mut session = Session::new();
    assert_eq!(logged(&mut session, &["PUBLISH c m", "SPUBLISH c m"]), "");
    let bytes = String::from_utf8(std::mem::take(&mut session.server.streams.replicas.bytes)).unwrap();
    assert!(bytes.contains("\r\nPUBLISH\r\n") && bytes.contains("\r\nSPUBLISH\r\n"), "{bytes}");
}

#[test]
fn what_has_gone_again_serves_nobody() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run("DEBUG SET-ACTIVE-EXPIRE 0");
    session.run_as(&mut other, "BLPOP l 0");
    session.run("PEXPIRE l 1");
    assert_eq!(
        logged(&mut session, &["MULTI", "RPUSH l a", "EXPIRE l 0", "EXEC"]),
        "*2 SELECT 0 *1 MULTI *3 RPUSH l a *2 DEL l *1 EXEC"
    );
}

#[test]
fn keys_that_expire_by_themselves_are_told_at_once_one_by_one() {
    let mut session = Session::new();
    logged(&mut session, &["SET a 1 PX 1", "SET b 1 PX 1"]);
    session.wait(2);
    session.server.expire();
    let told = logged(&mut session, &[]);
    assert!(["*2 DEL a *2 DEL b", "*2 DEL b *2 DEL a"].contains(&told.as_str()), "{told}");
}

#[test]
fn a_replica_expires_what_its_own_clients_gave_a_deadline_and_nothing_else() {
    let mut session = Session::new();
    session.expect(&[("REPLICAOF 127.0.0.1 1", "+OK"), ("CONFIG SET replica-read-only no", "+OK")]);
    logged(&mut session, &["SET own 1 PX 10", "SET kept 1 PX 10", "PERSIST kept"]);
    session.server.expire();
    // As requests of the primary do it.
    session.server.databases.expiry = Expiry::Ignores;
    for key in [&b"kept"[..], b"primary's"] {
        session.server.databases.db(0, 0).set_string(key, b"v", Ttl::At(1), Event::SET);
    }
    session.server.databases.expiry = Expiry::Hides;
    session.wait(11);
    session.server.expire();
    assert_eq!(logged(&mut session, &[]), "*2 DEL own");
    assert_eq!(session.server.databases[0].len(), 2);
}
