use crate::testing::Session;

#[test]
fn popping() {
    Session::new().expect(&[
        ("RPUSH l a b c d e f g", ":7"),
        ("LPOP l", "$1 a"),
        ("RPOP l", "$1 g"),
        ("LPOP l 2", "*2 $1 b $1 c"),
        ("RPOP l 2", "*2 $1 f $1 e"),
        ("LPOP l 0", "*0"),
        ("LPOP l 9223372036854775807", "*1 $1 d"),
        ("EXISTS l", ":0"),
        ("LPOP l", "$-1"),
        ("LPOP l 0", "*-1"),
        ("LPOP l -1", "-ERR value is out of range, must be positive"),
        ("LPOP l x", "-ERR value is out of range, must be positive"),
        ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
        ("HELLO 3", &Session::new().run("HELLO 3")),
        ("LPOP l", "_"),
        ("LPOP l 1", "_"),
    ]);
}

#[test]
fn popping_from_the_first_of_several() {
    Session::new().expect(&[
        ("RPUSH b 1 2 3 4", ":4"),
        ("LMPOP 2 a b LEFT", "*2 $1 b *1 $1 1"),
        ("LMPOP 2 a b right count 2", "*2 $1 b *2 $1 4 $1 3"),
        ("LMPOP 1 a LEFT", "*-1"),
        ("RPUSH LEFT x", ":1"),
        ("LMPOP 1 a LEFT", "*-1"),
        ("BLMPOP 0 2 a b LEFT COUNT 9", "*2 $1 b *1 $1 2"),
        ("LMPOP 0 a LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP 9223372036854775807 a LEFT", "-ERR syntax error"),
        ("LMPOP 2 a LEFT", "-ERR syntax error"),
        ("LMPOP 1 a UP", "-ERR syntax error"),
        ("LMPOP 1 a LEFT COUNT", "-ERR syntax error"),
        ("LMPOP 1 a LEFT COUNT 1 COUNT 1", "-ERR syntax error"),
        ("LMPOP 1 a LEFT COUNT 0 COUNT", "-ERR count should be greater than 0"),
        ("BLMPOP x 0 a LEFT", "-ERR numkeys should be greater than 0"),
        ("BLMPOP x 1 a LEFT", "-ERR timeout is not a float or out of range"),
    ]);
}

#[test]
fn whoever_waits_longest_is_served_first() {
    let mut session = Session::new();
    let (mut first, mut second) = (session.other(), session.other());
    session.run_as(&mut first, "BLPOP a b 0");
    session.run_as(&mut second, "BRPOP b 0.5");
    session.expect(&[("RPUSH b 1 2 3", ":3"), ("LPUSH b x", ":2")]);
    assert_eq!(session.received(&mut first), "*2 $1 b $1 1");
    assert_eq!(session.received(&mut second), "*2 $1 b $1 3");
}

#[test]
fn the_key_that_came_first_is_popped_from() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "BLPOP a b 0");
    session.expect(&[
        ("MULTI", "+OK"),
        ("RPUSH b 1", "+QUEUED"),
        ("RPUSH a 2", "+QUEUED"),
        ("EXEC", "*2 :1 :1"),
        ("EXISTS a b", ":1"),
    ]);
    assert_eq!(session.received(&mut other), "*2 $1 b $1 1");
}

#[test]
fn several_are_popped_after_a_wait() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "BLMPOP 0 2 a b RIGHT COUNT 2");
    session.expect(&[("RPUSH b 1 2 3", ":3"), ("LRANGE b 0 -1", "*1 $1 1")]);
    assert_eq!(session.received(&mut other), "*2 $1 b *2 $1 3 $1 2");
}

#[test]
fn whoever_waits_does_not_mind_another_type() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "BLPOP a b 0");
    session.expect(&[("SET a v", "+OK"), ("SET b v", "+OK"), ("DEL b", ":1"), ("RPUSH b 1", ":1")]);
    assert_eq!(session.received(&mut other), "*2 $1 b $1 1");
}

#[test]
fn whoever_leaves_is_passed_over() {
    let mut session = Session::new();
    let (mut first, mut second) = (session.other(), session.other());
    session.run_as(&mut first, "BLPOP a 0");
    session.run_as(&mut second, "BLPOP a 0");
    let mut client = session.server.clients.take_same(first).unwrap();
    session.server.release(&mut client);
    session.expect(&[("RPUSH a 1", ":1")]);
    assert_eq!(session.received(&mut second), "*2 $1 a $1 1");
}

#[test]
fn a_wait_ends() {
    let mut session = Session::new();
    let mut other = session.other();
    for line in ["BLPOP k 0.5", "BLMPOP 0.5 1 k LEFT", "BLMOVE k k LEFT LEFT 0.5", "BRPOPLPUSH k k 0.5"] {
        session.run_as(&mut other, line);
        session.wait(499);
        assert_eq!(session.received(&mut other), "", "{line}");
        session.wait(1);
        assert_eq!(session.received(&mut other), "*-1", "{line}");
        session.expect(&[("RPUSH k 1", ":1"), ("DEL k", ":1")]);
        assert_eq!(session.received(&mut other), "", "{line}");
    }
}

#[test]
fn a_transaction_does_not_wait_and_wakes_others_at_its_end() {
    let mut session = Session::new();
    let mut other = session.other();
    session.run_as(&mut other, "BLPOP k 0");
    session.expect(&[
        ("MULTI", "+OK"),
        ("BLPOP none 0", "+QUEUED"),
        ("BLMPOP 0 1 none LEFT", "+QUEUED"),
        ("BLMOVE none none LEFT LEFT 0", "+QUEUED"),
        ("RPUSH k 1", "+QUEUED"),
        ("LPUSH k 2", "+QUEUED"),
        ("EXEC", "*5 *-1 *-1 $-1 :1 :2"),
    ]);
    assert_eq!(session.received(&mut other), "*2 $1 k $1 2");
}

#[test]
fn only_count_follows_an_end() {
    Session::new().expect(&[
        ("RPUSH l a b", ":2"),
        ("LMPOP 1 l LEFT LIMIT 1", "-ERR syntax error"),
        ("LMPOP 1 l LEFT COUNT 1 COUNT 1", "-ERR syntax error"),
        ("LMPOP 1 l LEFT count 1", "*2 $1 l *1 $1 a"),
    ]);
}

#[test]
fn timeouts_are_checked() {
    Session::new().expect(&[
        ("BLPOP k x", "-ERR timeout is not a float or out of range"),
        ("BLPOP k -1", "-ERR timeout is negative"),
        ("BLPOP k 1e300", "-ERR timeout is negative"),
        ("BLPOP k inf", "-ERR timeout is negative"),
        ("MULTI", "+OK"),
        ("BLPOP k 9223372036854775.807", "+QUEUED"),
        ("EXEC", "*1 *-1"),
        ("BLPOP k nan", "-ERR timeout is not a float or out of range"),
    ]);
}
