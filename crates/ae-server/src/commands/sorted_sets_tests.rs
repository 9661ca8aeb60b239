use crate::testing::Session;

#[test]
fn adding() {
    Session::new().expect(&[
        ("ZADD z 1 a 2 b 3 c", ":3"),
        ("ZADD z 1 a 5 b 4 d", ":1"),
        ("ZADD z CH 1 a 6 b 4 d", ":1"),
        ("ZADD z NX 9 a 9 e", ":1"),
        ("ZADD z XX CH 2 a 9 f", ":1"),
        ("ZADD z GT CH 1 a 10 e 0 g", ":2"),
        ("ZADD z LT CH 3 a 2 e", ":1"),
        ("ZRANGE z 0 -1 WITHSCORES", "*12 $1 g $1 0 $1 a $1 2 $1 e $1 2 $1 c $1 3 $1 d $1 4 $1 b $1 6"),
    ]);
}

#[test]
fn incrementing() {
    Session::new().expect(&[
        ("ZADD z INCR 1.5 a", "$3 1.5"),
        ("ZINCRBY z 0.1 a", "$18 1.6000000000000001"),
        ("ZADD z NX INCR 1 a", "$-1"),
        ("ZADD z XX INCR 1 b", "$-1"),
        ("ZADD none XX INCR 1 b", "$-1"),
        ("ZADD z GT INCR -1 a", "$-1"),
        ("ZADD z LT INCR -1 a", "$19 0.60000000000000009"),
        ("ZINCRBY z inf a", "$3 inf"),
        ("ZINCRBY z -inf a", "-ERR resulting score is not a number (NaN)"),
        ("ZSCORE z a", "$3 inf"),
    ]);
}

#[test]
fn what_cannot_be_added() {
    let incompatible = "-ERR GT, LT, and/or NX options at the same time are not compatible";
    Session::new().expect(&[
        ("ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"),
        ("ZADD z 1 a 2", "-ERR syntax error"),
        ("ZADD z NX CH", "-ERR syntax error"),
        ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD z NX GT 1 a", incompatible),
        ("ZADD z LT NX 1 a", incompatible),
        ("ZADD z GT LT 1 a", incompatible),
        ("ZADD z LT GT 1 a", incompatible),
        // What is wrong with options is told before what is wrong with scores.
        ("ZADD z INCR x a 2 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD z NX XX x a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD z 1 a nan b", "-ERR value is not a valid float"),
        ("ZINCRBY z NX a", "-ERR syntax error"),
        ("EXISTS z", ":0"),
        ("SET s v", "+OK"),
        ("ZADD s x a", "-ERR value is not a valid float"),
        ("ZADD s XX 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn a_set_that_nothing_was_added_to_does_not_exist() {
    let mut session = Session::new();
    session.expect(&[("ZADD z XX 1 a", ":0"), ("EXISTS z", ":0"), ("ZADD z 1 a", ":1")]);
    let before = session.server.databases.dirty;
    session.expect(&[("ZADD z 1 a", ":0"), ("ZADD z XX 2 b", ":0"), ("ZREM z b", ":0")]);
    assert_eq!(session.server.databases.dirty, before);
    session.expect(&[("ZADD z 2 a 1 b", ":1")]);
    assert_eq!(session.server.databases.dirty, before + 2);
}

#[test]
fn removing_and_looking_up() {
    Session::new().expect(&[
        ("ZADD z 1 a 2 b 2 c 3.5 d", ":4"),
        ("ZCARD z", ":4"),
        ("ZSCORE z d", "$3 3.5"),
        ("ZSCORE z none", "$-1"),
        ("ZSCORE none a", "$-1"),
        ("ZMSCORE z a none d", "*3 $1 1 $-1 $3 3.5"),
        ("ZMSCORE none a b", "*2 $-1 $-1"),
        ("ZRANK z c", ":2"),
        ("ZREVRANK z c", ":1"),
        ("ZRANK z none", "$-1"),
        ("ZREVRANK none a", "$-1"),
        ("ZREM z a none a", ":1"),
        ("ZREM z b c d", ":3"),
        ("EXISTS z", ":0"),
        ("ZREM z a", ":0"),
        ("ZCARD z", ":0"),
    ]);
}

#[test]
fn scores_are_numbers_in_resp3() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("ZADD z 1 a 2.5 b", ":2"),
        ("ZSCORE z b", ",2.5"),
        ("ZMSCORE z a none", "*2 ,1 _"),
        ("ZINCRBY z inf a", ",inf"),
        ("ZADD z NX INCR 1 a", "_"),
        ("ZREM z a", ":1"),
        ("ZRANDMEMBER z -2 WITHSCORES", "*2 *2 $1 b ,2.5 *2 $1 b ,2.5"),
        ("ZRANDMEMBER z 3 WITHSCORES", "*1 *2 $1 b ,2.5"),
        ("ZRANDMEMBER none", "_"),
    ]);
}

#[test]
fn random_members() {
    Session::new().expect(&[
        ("ZRANDMEMBER z", "$-1"),
        ("ZRANDMEMBER z 3", "*0"),
        ("ZADD z 1 a", ":1"),
        ("ZRANDMEMBER z", "$1 a"),
        ("ZRANDMEMBER z 0", "*0"),
        ("ZRANDMEMBER z 5", "*1 $1 a"),
        ("ZRANDMEMBER z -3 WITHSCORES", "*6 $1 a $1 1 $1 a $1 1 $1 a $1 1"),
        ("ZRANDMEMBER z 1 x", "-ERR syntax error"),
        ("ZRANDMEMBER z 1 WITHSCORES x", "-ERR syntax error"),
        ("ZRANDMEMBER z x WITHSCORES x", "-ERR value is not an integer or out of range"),
        ("ZRANDMEMBER z 9223372036854775807 WITHSCORES", "-ERR value is out of range"),
        ("ZRANDMEMBER z 9223372036854775807", "*1 $1 a"),
        ("ZRANDMEMBER z -9223372036854775807", "-ERR value is out of range"),
        (
            "ZRANDMEMBER z -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        ),
    ]);
}

#[test]
fn scanning() {
    let mut session = Session::new();
    session.expect(&[
        ("ZSCAN z x COUNT", "-ERR invalid cursor"),
        ("ZSCAN z 0 COUNT", "*2 $1 0 *0"),
        ("ZADD z 1 a 2.5 b 3 10", ":3"),
        ("ZSCAN z 0", "*2 $1 0 *6 $1 a $1 1 $1 b $3 2.5 $2 10 $1 3"),
        ("ZSCAN z 0 MATCH 1*", "*2 $1 0 *2 $2 10 $1 3"),
        ("ZSCAN z 0 TYPE zset", "-ERR syntax error"),
        ("ZSCAN z 0 COUNT 0", "-ERR syntax error"),
    ]);
    for i in 0..1000 {
        session.run(&format!("ZADD big {i} m:{i}"));
    }
    let (mut cursor, mut seen, mut pages) = (String::from("0"), std::collections::HashSet::new(), 0);
    loop {
        let reply = session.run(&format!("ZSCAN big {cursor} COUNT 50"));
        let words: Vec<&str> = reply.split(' ').collect();
        cursor = words[2].into();
        seen.extend(words[4..].iter().skip(1).step_by(4).map(ToString::to_string));
        pages += 1;
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 1000);
    assert!(pages > 5, "{pages}");
}

#[test]
fn an_increment_that_changes_nothing_is_neither_less_nor_greater() {
    Session::new().expect(&[
        ("ZADD z 1 a", ":1"),
        ("ZADD z LT INCR 0 a", "$-1"),
        ("ZADD z GT INCR 0 a", "$-1"),
        ("ZADD z INCR 0 a", "$1 1"),
        ("ZADD z LT INCR -1 a", "$1 0"),
    ]);
}

#[test]
fn an_increment_is_notified_as_one() {
    let events = Session::new().events(&["ZADD z 1 a", "ZADD z INCR 1 a", "ZINCRBY z 1 a"]);
    assert_eq!(events, ["zadd", "zincr", "zincr"]);
}
