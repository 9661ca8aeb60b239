use crate::config::settings::Config;
use crate::testing::Session;
use std::collections::HashSet;

#[test]
fn members_come_and_go() {
    Session::new().expect(&[
        ("SADD s 3 1 2 1", ":3"),
        ("SADD s 3", ":0"),
        ("SMEMBERS s", "*3 $1 1 $1 2 $1 3"),
        ("SCARD s", ":3"),
        ("SISMEMBER s 1", ":1"),
        ("SISMEMBER s x", ":0"),
        ("SMISMEMBER s 1 x 2", "*3 :1 :0 :1"),
        ("SMISMEMBER none 1 x", "*2 :0 :0"),
        ("SREM s 1 x 1 2", ":2"),
        ("SREM s 3", ":1"),
        ("EXISTS s", ":0"),
        ("SREM s 3", ":0"),
        ("SMEMBERS s", "*0"),
        ("SCARD s", ":0"),
    ]);
}

#[test]
fn members_move() {
    Session::new().expect(&[
        ("SADD a 1 2", ":2"),
        ("SADD b 2", ":1"),
        ("SET s v", "+OK"),
        ("SMOVE a b 1", ":1"),
        ("SMOVE a b 2", ":1"),
        ("SMEMBERS b", "*2 $1 1 $1 2"),
        ("EXISTS a", ":0"),
        ("SMOVE a s 1", ":0"),
        ("SMOVE b s none", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SMOVE b b 1", ":1"),
        ("SMOVE b b none", ":0"),
        ("SMOVE b c none", ":0"),
        ("EXISTS c", ":0"),
    ]);
}

#[test]
fn popping() {
    let mut session = Session::new();
    session.expect(&[
        ("SADD s a", ":1"),
        ("SPOP s 0", "*0"),
        ("SPOP s", "$1 a"),
        ("EXISTS s", ":0"),
        ("SPOP s", "$-1"),
        ("SPOP s 1", "*0"),
        ("SADD s 1 2 3", ":3"),
        ("SPOP s 9223372036854775807", "*3 $1 1 $1 2 $1 3"),
        ("SPOP s -1", "-ERR value is out of range, must be positive"),
        ("SPOP s x", "-ERR value is out of range, must be positive"),
        ("SPOP s 1 2", "-ERR syntax error"),
    ]);
    for count in [3, 80, 99, 100] {
        let members: HashSet<String> = (0..100).map(|number| format!("m{number}")).collect();
        session.run(&format!("SADD s {}", members.iter().cloned().collect::<Vec<_>>().join(" ")));
        let popped = session.run(&format!("SPOP s {count}"));
        let left = session.run("SMEMBERS s");
        let words = popped.split(' ').chain(left.split(' ')).filter(|word| word.starts_with('m'));
        let words: Vec<String> = words.map(String::from).collect();
        assert_eq!(words.len(), 100, "{count}");
        assert_eq!(words.into_iter().collect::<HashSet<_>>(), members);
        assert!(popped.starts_with(&format!("*{count} ")) && left.starts_with(&format!("*{}", 100 - count)));
        session.run("DEL s");
    }
}

#[test]
fn few_integers_that_are_left_are_one_block() {
    let mut session = Session::new();
    session.run("SADD s 1 2 3 4 5 6 7 8 9 10 11 12 13 14 a");
    session.expect(&[("SREM s a", ":1"), ("OBJECT ENCODING s", "$9 hashtable")]);
    session.run("SPOP s 1");
    session.expect(&[("OBJECT ENCODING s", "$9 hashtable")]);
    session.run("SPOP s 11");
    session.expect(&[("OBJECT ENCODING s", "$6 intset"), ("SCARD s", ":2")]);
}

#[test]
fn random_members() {
    let mut session = Session::new();
    session.run("SADD s a");
    let range = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    session.expect(&[
        ("SRANDMEMBER s", "$1 a"),
        ("SRANDMEMBER s 5", "*1 $1 a"),
        ("SRANDMEMBER s -3", "*3 $1 a $1 a $1 a"),
        ("SRANDMEMBER s 0", "*0"),
        ("SRANDMEMBER none", "$-1"),
        ("SRANDMEMBER none 1", "*0"),
        ("SRANDMEMBER s x", "-ERR value is not an integer or out of range"),
        ("SRANDMEMBER s -9223372036854775808", range),
        ("SRANDMEMBER s 1 2", "-ERR syntax error"),
        ("SRANDMEMBER s 9223372036854775807", "*1 $1 a"),
        ("SRANDMEMBER s -9223372036854775807", "-ERR value is out of range"),
        ("SCARD s", ":1"),
    ]);
}

#[test]
fn resp3_has_sets() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("SADD s a", ":1"),
        ("SMEMBERS s", "~1 $1 a"),
        ("SMEMBERS none", "~0"),
        ("SRANDMEMBER s 1", "*1 $1 a"),
        ("SPOP none 1", "~0"),
        ("SPOP s 1", "~1 $1 a"),
        ("SPOP s", "_"),
    ]);
}

#[test]
fn scanning() {
    let mut session = Session::new();
    session.run("SADD s 1 2 30");
    session.expect(&[
        ("SSCAN s 0", "*2 $1 0 *3 $1 1 $1 2 $2 30"),
        ("SSCAN s 0 MATCH 3*", "*2 $1 0 *1 $2 30"),
        ("SSCAN s 0 TYPE set", "-ERR syntax error"),
        ("SSCAN none x", "-ERR invalid cursor"),
        ("SSCAN none 0 COUNT", "*2 $1 0 *0"),
    ]);
}

#[test]
fn events_and_types() {
    let mut session = Session::new();
    let lines = ["SADD a 1 2", "SADD a 1", "SREM a x", "SMOVE a b 1", "SPOP a", "SPOP b 5", "SET s v"];
    let expected = ["sadd", "srem", "sadd", "spop", "del", "spop", "del", "set"];
    assert_eq!(session.events(&lines), expected);
    for line in [
        "SADD s a",
        "SREM s a",
        "SISMEMBER s a",
        "SMISMEMBER s a",
        "SCARD s",
        "SMEMBERS s",
        "SMOVE s s a",
        "SPOP s",
        "SPOP s 0",
        "SRANDMEMBER s",
        "SRANDMEMBER s 0",
        "SSCAN s 0 COUNT",
    ] {
        assert!(session.run(line).starts_with("-WRONGTYPE "), "{line}");
    }
}

#[test]
fn a_move_to_the_same_set_changes_nothing() {
    let mut session = Session::new();
    session.expect(&[
        ("SADD s 1", ":1"),
        ("EXPIRE s 100", ":1"),
        ("SMOVE s s 1", ":1"),
        ("SMOVE s s 2", ":0"),
        ("TTL s", ":100"),
    ]);
    assert!(session.events(&["SMOVE s s 1"]).is_empty());
}

/// Few are those of which there are at least five times as many that go.
#[test]
fn what_is_left_of_a_set_keeps_its_form_unless_it_is_small() {
    for (setting, popped, encoding) in [("512", 8, "$9 hashtable"), ("512", 11, "$6 intset"), ("1", 11, "$9 hashtable")]
    {
        let mut session = Session::new();
        session.run("SADD s 1 2 3 4 5 6 7 8 9 10 11 12 13 a");
        session.run("SREM s a");
        session.run(&format!("CONFIG SET set-max-intset-entries {setting}"));
        session.run(&format!("SPOP s {popped}"));
        session.expect(&[("OBJECT ENCODING s", encoding)]);
    }
}

/// Repeated members are refused by what the longest needs.
#[test]
fn long_members_count() {
    let mut session = Session::with(Config { max_bulk: 1 << 20, ..Config::default() });
    let long = "m".repeat(1000);
    session.run(&format!("SADD s a {long}"));
    session.run(&format!("ZADD z 1 a 2 {long}"));
    session.expect(&[
        ("SRANDMEMBER s -1100", "-ERR value is out of range"),
        ("ZRANDMEMBER z -1100", "-ERR value is out of range"),
    ]);
    assert!(session.run("SRANDMEMBER s -1000").starts_with("*1000 "));
    assert!(session.run("ZRANDMEMBER z -1000").starts_with("*1000 "));
}
