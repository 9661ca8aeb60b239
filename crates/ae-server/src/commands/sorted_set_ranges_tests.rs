use crate::testing::Session;

fn filled() -> Session {
    let mut session = Session::new();
    session.expect(&[("ZADD z 1 a 2 b 3 c 4 d", ":4"), ("ZADD l 0 a 0 b 0 c 0 d", ":4")]);
    session
}

#[test]
fn by_rank() {
    filled().expect(&[
        ("ZRANGE z 0 1", "*2 $1 a $1 b"),
        ("ZRANGE z -2 -1 WITHSCORES", "*4 $1 c $1 3 $1 d $1 4"),
        ("ZRANGE z 0 1 REV", "*2 $1 d $1 c"),
        ("ZREVRANGE z 1 2 WITHSCORES", "*4 $1 c $1 3 $1 b $1 2"),
        ("ZREVRANGE z -1 -1", "*1 $1 a"),
        ("ZRANGE z 4 9", "*0"),
        ("ZRANGE none 0 -1", "*0"),
        ("ZRANGE z 0 x", "-ERR value is not an integer or out of range"),
        ("ZRANGE z 0 1 LIMIT 0 -1", "*2 $1 a $1 b"),
    ]);
}

#[test]
fn by_score() {
    filled().expect(&[
        ("ZRANGEBYSCORE z (1 3", "*2 $1 b $1 c"),
        ("ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 1 2", "*4 $1 b $1 2 $1 c $1 3"),
        ("ZREVRANGEBYSCORE z 3 (1", "*2 $1 c $1 b"),
        ("ZREVRANGEBYSCORE z 1 3", "*0"),
        ("ZRANGE z 4 2 BYSCORE REV LIMIT 1 -5", "*2 $1 c $1 b"),
        ("ZRANGE z 2 4 BYSCORE LIMIT -1 5", "*0"),
        ("ZCOUNT z 2 (4", ":2"),
        ("ZCOUNT none 2 (4", ":0"),
        ("ZCOUNT none x 4", "-ERR min or max is not a float"),
    ]);
}

#[test]
fn by_member() {
    filled().expect(&[
        ("ZRANGEBYLEX l [b (d", "*2 $1 b $1 c"),
        ("ZREVRANGEBYLEX l + - LIMIT 1 2", "*2 $1 c $1 b"),
        ("ZRANGE l + [c BYLEX REV", "*2 $1 d $1 c"),
        ("ZLEXCOUNT l - (c", ":2"),
        ("ZLEXCOUNT l b c", "-ERR min or max not valid string range item"),
    ]);
}

#[test]
fn options_that_do_not_fit() {
    let no_limit = "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
    filled().expect(&[
        ("ZRANGE z 0 1 LIMIT 0 5", no_limit),
        ("ZREVRANGE z 0 1 LIMIT 0 5", no_limit),
        ("ZRANGE l - + BYLEX WITHSCORES", "-ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
        ("ZRANGE l + - BYLEX REV WITHSCORES", "-ERR syntax error, WITHSCORES not supported in combination with BYLEX"),
        ("ZRANGE z 0 1 BYLEX BYSCORE", "-ERR syntax error"),
        ("ZRANGE z 0 1 BYSCORE BYLEX", "-ERR syntax error"),
        ("ZRANGEBYSCORE z 0 1 BYLEX", "-ERR syntax error"),
        ("ZRANGE z 0 1 REV REV", "-ERR syntax error"),
        ("ZRANGEBYSCORE z 0 1 REV", "-ERR syntax error"),
        ("ZRANGE z x y LIMIT 0", "-ERR syntax error"),
        ("ZRANGE z x y BYSCORE LIMIT 0 z", "-ERR value is not an integer or out of range"),
        ("ZRANGESTORE to z 0 1 WITHSCORES", "-ERR syntax error"),
        ("SET s v", "+OK"),
        ("ZRANGESTORE to s 0 x", "-ERR value is not an integer or out of range"),
        ("ZRANGESTORE to s 0 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SET s v", "+OK"),
        ("ZRANGE s 0 x", "-ERR value is not an integer or out of range"),
        ("ZRANGEBYSCORE s 0 x", "-ERR min or max is not a float"),
        ("ZCOUNT s 0 x", "-ERR min or max is not a float"),
        ("ZREMRANGEBYSCORE s 0 x", "-ERR min or max is not a float"),
    ]);
}

#[test]
fn pairs_in_resp3() {
    let mut session = filled();
    session.run("HELLO 3");
    session.expect(&[("ZRANGE z 0 1 WITHSCORES", "*2 *2 $1 a ,1 *2 $1 b ,2"), ("ZRANGE none 0 1 WITHSCORES", "*0")]);
}

#[test]
fn storing() {
    filled().expect(&[
        ("ZRANGESTORE to z 1 2", ":2"),
        ("ZRANGE to 0 -1 WITHSCORES", "*4 $1 b $1 2 $1 c $1 3"),
        ("ZRANGESTORE to z 4 3 BYSCORE REV LIMIT 0 1", ":1"),
        ("ZRANGE to 0 -1", "*1 $1 d"),
        ("ZRANGESTORE z z 0 0", ":1"),
        ("ZCARD z", ":1"),
        ("ZRANGESTORE to none 0 -1", ":0"),
        ("EXISTS to", ":0"),
        ("SET s v", "+OK"),
        ("ZRANGESTORE to s 0 -1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZRANGESTORE s z 0 -1", ":1"),
        ("TYPE s", "+zset"),
    ]);
}

#[test]
fn removing() {
    filled().expect(&[
        ("ZREMRANGEBYRANK z 0 1", ":2"),
        ("ZREMRANGEBYRANK z 5 9", ":0"),
        ("ZREMRANGEBYRANK none 0 1", ":0"),
        ("ZREMRANGEBYRANK none x 1", "-ERR value is not an integer or out of range"),
        ("ZREMRANGEBYSCORE z (3 4", ":1"),
        ("ZREMRANGEBYSCORE z (3 x", "-ERR min or max is not a float"),
        ("ZREMRANGEBYLEX l [b [c", ":2"),
        ("ZREMRANGEBYLEX l b c", "-ERR min or max not valid string range item"),
        ("ZREMRANGEBYSCORE z -inf +inf", ":1"),
        ("EXISTS z", ":0"),
    ]);
}

#[test]
fn ranks_have_no_limit() {
    const TEXT: &str = "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX";
    Session::new().expect(&[
        ("ZADD z 1 a", ":1"),
        ("ZRANGE z 0 -1 LIMIT 0 1", TEXT),
        ("ZRANGE z 0 -1 LIMIT 0 -2", TEXT),
        ("ZRANGE z 0 -1 LIMIT 5 -1", "*1 $1 a"),
    ]);
}
