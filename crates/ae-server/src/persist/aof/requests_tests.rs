use super::*;
use crate::testing::Session;
use resp::{Limits, RequestParser};

/// Runs the requests of a base made of everything that is in a session, in another one.
fn copied(session: &Session) -> Session {
    let mut bytes = Vec::new();
    for (db, keyspace) in session.server.databases.iter().enumerate().filter(|(_, keyspace)| !keyspace.is_empty()) {
        select(&mut bytes, db);
        for (key, deadline) in keyspace.iter() {
            let value = keyspace.find(key).and_then(|id| keyspace.value(id)).unwrap();
            of_entry(&mut bytes, key, value, deadline);
        }
    }
    let mut other = Session::new();
    let mut parser = RequestParser::new();
    while parser.advance(&mut bytes, &Limits::default()).unwrap() {
        let args: Vec<Vec<u8>> = parser.args(&bytes).iter().map(<[u8]>::to_vec).collect();
        let reply = other.request(&args);
        assert!(!reply.starts_with(b"-"), "{:?}: {:?}", parser.args(&bytes), String::from_utf8_lossy(&reply));
    }
    other
}

fn numbered(command: &str, element: impl Fn(usize) -> String) -> String {
    format!("{command} {}", (0..300).map(element).collect::<Vec<_>>().join(" "))
}

#[test]
fn every_type_and_every_size() {
    let mut session = Session::new();
    for line in [
        "SET s hello".into(),
        "SET n 12345".into(),
        "SET expires x PXAT 99999999999999".into(),
        "RPUSH l a 1 b".into(),
        "SADD ints 3 1 2".into(),
        "SADD small a b".into(),
        "HSET h f v g 2".into(),
        "ZADD z 1.5 a -inf b 3 c".into(),
        numbered("RPUSH longlist", |i| format!("e{i}")),
        numbered("SADD longset", |i| format!("m{i}")),
        numbered("SADD longints", |i| i.to_string()),
        numbered("HSET longhash", |i| format!("f{i} {i}")),
        numbered("ZADD longzset", |i| format!("{i}.25 m{i}")),
        "PEXPIREAT longlist 99999999999999".into(),
        "SELECT 3".into(),
        "PFADD hll a b c".into(),
        "SET other database".into(),
    ] {
        session.run(&line);
    }
    let mut other = copied(&session);
    assert_eq!(other.run("DEBUG DIGEST"), session.run("DEBUG DIGEST"));
    other.expect(&[
        ("SELECT 0", "+OK"),
        ("PEXPIRETIME longlist", ":99999999999999"),
        ("LRANGE l 0 -1", "*3 $1 a $1 1 $1 b"),
        ("SELECT 3", "+OK"),
        ("GET other", "$8 database"),
    ]);
}

#[test]
fn streams_with_their_groups() {
    let mut session = Session::new();
    for line in [
        "XADD x 1-1 f v",
        "XADD x 1-2 f v g w",
        "XADD x 2-0 h i",
        "XADD x 3-0 j k",
        "XDEL x 3-0",
        "XGROUP CREATE x g 0",
        "XGROUP CREATE x unknown 1-1",
        "XGROUP CREATECONSUMER x g idle",
        "XREADGROUP GROUP g alice COUNT 2 STREAMS x >",
        "XREADGROUP GROUP g bob STREAMS x >",
        "XADD empty 5-5 a b",
        "XDEL empty 5-5",
    ] {
        session.run(line);
    }
    let mut other = copied(&session);
    for line in ["XRANGE x - +", "XINFO GROUPS x", "XPENDING x g", "XINFO STREAM empty", "DEBUG DIGEST"] {
        assert_eq!(other.run(line), session.run(line), "{line}");
    }
    let consumers = |session: &mut Session| session.run("XINFO CONSUMERS x g");
    let names = |text: String| {
        text.split("name").filter_map(|part| part.split(' ').nth(2).map(String::from)).collect::<Vec<_>>()
    };
    assert_eq!(names(consumers(&mut other)).len(), 4, "an empty part, and three consumers");
}

#[test]
fn as_many_elements_as_redis_writes_at_once() {
    let mut session = Session::new();
    session.run(&numbered("RPUSH l", |i| i.to_string()));
    let mut bytes = Vec::new();
    let keyspace = &session.server.databases[0];
    of_entry(&mut bytes, b"l", keyspace.find(b"l").and_then(|id| keyspace.value(id)).unwrap(), None);
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("*66\r\n$5\r\nRPUSH").count(), 4);
    assert_eq!(text.matches(&format!("*{}\r\n$5\r\nRPUSH", 300 - 4 * 64 + 2)).count(), 1);
}

/// An entry that is gone has left its id behind.
#[test]
fn what_a_stream_has_lost_is_known_there_too() {
    let mut session = Session::new();
    for line in ["XADD s 1-0 a b", "XADD s 2-0 a b", "XADD s 3-0 a b", "XDEL s 2-0"] {
        session.run(line);
    }
    let info = session.run("XINFO STREAM s");
    assert!(info.contains("max-deleted-entry-id $3 2-0"), "{info}");
    assert_eq!(copied(&session).run("XINFO STREAM s"), info);
}
