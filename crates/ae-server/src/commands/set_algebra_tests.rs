use crate::testing::Session;

#[test]
fn results_are_replied() {
    let mut session = Session::new();
    for line in ["SADD a 1 2 3", "SADD b 2 3 4", "SADD c 3", "SET s v"] {
        session.run(line);
    }
    session.expect(&[
        ("SINTER a b", "*2 $1 2 $1 3"),
        ("SINTER a b c", "*1 $1 3"),
        ("SINTER a none", "*0"),
        ("SINTER a b none", "*0"),
        ("SDIFF a b", "*1 $1 1"),
        ("SDIFF a none c", "*2 $1 1 $1 2"),
        ("SDIFF none a", "*0"),
        ("SDIFF a a", "*0"),
        ("SUNION c none c", "*1 $1 3"),
        ("SUNION none", "*0"),
        ("SINTERCARD 2 a b", ":2"),
        ("SINTERCARD 2 a b LIMIT 1", ":1"),
        ("SINTERCARD 2 a b LIMIT 1 LIMIT 0", ":2"),
        ("SINTERCARD 2 a none", ":0"),
        ("SINTERCARD 0 a", "-ERR numkeys should be greater than 0"),
        ("SINTERCARD 9223372036854775807 a", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 2 a", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 1 a LIMIT", "-ERR syntax error"),
        ("SINTERCARD 1 a WHAT 1", "-ERR syntax error"),
        ("SINTERCARD 1 a LIMIT 1 WHAT 1", "-ERR syntax error"),
        ("SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative"),
        ("HELLO 3", &Session::new().run("HELLO 3")),
        ("SINTER c", "~1 $1 3"),
        ("SUNION none", "~0"),
    ]);
    for line in ["SINTER none s", "SUNION s", "SDIFF none s", "SINTERCARD 2 none s", "SUNIONSTORE d a s"] {
        assert!(session.run(line).starts_with("-WRONGTYPE "), "{line}");
    }
}

#[test]
fn results_are_stored() {
    let mut session = Session::new();
    for line in ["SADD a 1 2 3", "SADD b 2 3 x", "SET d v EX 100"] {
        session.run(line);
    }
    session.expect(&[
        ("SINTERSTORE d a b", ":2"),
        ("TTL d", ":-1"),
        ("OBJECT ENCODING d", "$6 intset"),
        ("SUNIONSTORE d d b", ":3"),
        ("OBJECT ENCODING d", "$9 hashtable"),
        ("SDIFFSTORE a a b", ":1"),
        ("SMEMBERS a", "*1 $1 1"),
        ("SINTERSTORE d a b", ":0"),
        ("EXISTS d", ":0"),
        ("SDIFFSTORE d none", ":0"),
    ]);
    session.run("SADD a 1 2 3");
    let lines =
        ["SINTERSTORE d a b", "SUNIONSTORE d d b", "SDIFFSTORE a a b", "SINTERSTORE d a b", "SDIFFSTORE d none"];
    assert_eq!(session.events(&lines), ["sinterstore", "sunionstore", "sdiffstore", "del"]);
}

#[test]
fn a_difference_of_several_sets() {
    Session::new().expect(&[
        ("SADD a 1 2 3", ":3"),
        ("SADD b 1", ":1"),
        ("SADD c 2", ":1"),
        ("SDIFF a b c", "*1 $1 3"),
        ("SDIFF a none c b", "*1 $1 3"),
    ]);
}

#[test]
fn encodings_of_results() {
    Session::new().expect(&[
        ("CONFIG SET set-max-intset-entries 2", "+OK"),
        ("SADD a 1 2", ":2"),
        ("SADD b 3", ":1"),
        ("SUNIONSTORE to a", ":2"),
        ("OBJECT ENCODING to", "$6 intset"),
        ("SUNIONSTORE to a b", ":3"),
        ("OBJECT ENCODING to", "$9 hashtable"),
    ]);
}
