use crate::testing::Session;

/// Consumer `a` has got two entries, `b` has got one, 100 ms later.
fn session() -> Session {
    let mut session = Session::new();
    for line in ["XADD s 1 f v", "XADD s 2 f v", "XADD s 3 f v", "XGROUP CREATE s g 0"] {
        session.run(line);
    }
    session.run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
    session.wait(100);
    session.run("XREADGROUP GROUP g b STREAMS s >");
    session
}

#[test]
fn acknowledging() {
    session().expect(&[
        ("XACK s g 1 1 9", ":1"),
        ("XACK s g 2 x", "-ERR Invalid stream ID specified as stream command argument"),
        ("XPENDING s g", "*4 :2 $3 2-0 $3 3-0 *2 *2 $1 a $1 1 *2 $1 b $1 1"),
        ("XACK s none x", ":0"),
        ("XACK none g x", ":0"),
        ("SET k v", "+OK"),
        ("XACK k g x", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn what_is_pending() {
    session().expect(&[
        ("XPENDING s g - + 2", "*2 *4 $3 1-0 $1 a :100 :1 *4 $3 2-0 $1 a :100 :1"),
        ("XPENDING s g IDLE 100 - + 9", "*2 *4 $3 1-0 $1 a :100 :1 *4 $3 2-0 $1 a :100 :1"),
        ("XPENDING s g IDLE 101 - + 9", "*0"),
        ("XPENDING s g (1 + 9 a", "*1 *4 $3 2-0 $1 a :100 :1"),
        ("XPENDING s g - + 9 b", "*1 *4 $3 3-0 $1 b :0 :1"),
        ("XPENDING s g - + 9 nobody", "*0"),
        ("XPENDING s g - + -1", "*0"),
        ("XCLAIM s g a 0 1 JUSTID", "*1 $3 1-0"),
        ("XPENDING s g IDLE 100 - + 1", "*1 *4 $3 2-0 $1 a :100 :1"),
        ("XPENDING s g", "*4 :3 $3 1-0 $3 3-0 *2 *2 $1 a $1 2 *2 $1 b $1 1"),
        ("XACK s g 3", ":1"),
        ("XPENDING s g", "*4 :2 $3 1-0 $3 2-0 *1 *2 $1 a $1 2"),
    ]);
}

#[test]
fn requests_are_checked() {
    const NO_GROUP: &str = "-NOGROUP No such key 's' or consumer group 'h'";
    session().expect(&[
        ("XPENDING s h", NO_GROUP),
        ("XPENDING s h - + x", "-ERR value is not an integer or out of range"),
        ("XPENDING s h x + x", "-ERR value is not an integer or out of range"),
        ("XPENDING s h x + 1", "-ERR Invalid stream ID specified as stream command argument"),
        ("XPENDING s h - (0-0 1", "-ERR invalid end ID for the interval"),
        ("XPENDING s h - +", "-ERR syntax error"),
        ("XPENDING s h IDLE 1 - +", "-ERR syntax error"),
        ("XPENDING s h IDLE x - + 1", "-ERR value is not an integer or out of range"),
        ("XPENDING s h IDLE 1 - + 1 a b", "-ERR syntax error"),
        ("XPENDING s h - + 1", NO_GROUP),
    ]);
}
