use crate::testing::Session;

fn filled() -> Session {
    let mut session = Session::new();
    session.expect(&[("ZADD a 1 x 2 y 3 z", ":3"), ("ZADD b 10 y 20 z 30 w", ":3"), ("SET s v", "+OK")]);
    session
}

/// Where scores are packed, -0 is 0; a large result was never packed, in whatever order its members came.
#[test]
fn minus_zero_in_a_large_result() {
    let mut session = Session::new();
    session.expect(&[
        ("CONFIG SET zset-max-listpack-entries 3", "+OK"),
        ("ZADD a 0 zero 1 one 2 two", ":3"),
        ("ZUNIONSTORE b 1 a WEIGHTS -1", ":3"),
        ("ZSCORE b zero", "$1 0"),
        ("ZADD a 3 three", ":1"),
        ("ZINTERSTORE b 1 a WEIGHTS -1", ":4"),
        ("ZSCORE b zero", "$2 -0"),
        ("ZRANGESTORE b b 0 -1", ":4"),
        ("ZSCORE b zero", "$2 -0"),
    ]);
}

#[test]
fn results() {
    filled().expect(&[
        ("ZUNION 2 a b WITHSCORES", "*8 $1 x $1 1 $1 y $2 12 $1 z $2 23 $1 w $2 30"),
        ("ZUNION 2 a b AGGREGATE MIN", "*4 $1 x $1 y $1 z $1 w"),
        ("ZINTER 2 a b AGGREGATE MIN WITHSCORES WITHSCORES", "*4 $1 y $1 2 $1 z $1 3"),
        ("ZINTER 2 a b WEIGHTS 2 0.5 WITHSCORES", "*4 $1 y $1 9 $1 z $2 16"),
        ("ZINTER 2 a b AGGREGATE MAX WITHSCORES", "*4 $1 y $2 10 $1 z $2 20"),
        ("ZDIFF 2 a b WITHSCORES", "*2 $1 x $1 1"),
        ("ZDIFF 2 none a", "*0"),
        ("ZUNION 2 a a WEIGHTS 1 -1 WITHSCORES", "*6 $1 x $1 0 $1 y $1 0 $1 z $1 0"),
        ("ZINTERCARD 2 a b", ":2"),
        ("ZINTERCARD 2 a b LIMIT 1", ":1"),
        ("ZINTERCARD 2 a b LIMIT 0", ":2"),
        ("SADD plain x y", ":2"),
        ("ZUNION 2 plain a WITHSCORES", "*6 $1 x $1 2 $1 y $1 3 $1 z $1 3"),
        ("ZDIFF 2 a plain", "*1 $1 z"),
    ]);
}

#[test]
fn pairs_in_resp3() {
    let mut session = filled();
    session.run("HELLO 3");
    session.expect(&[("ZINTER 2 a b WITHSCORES", "*2 *2 $1 y ,12 *2 $1 z ,23")]);
}

#[test]
fn storing() {
    filled().expect(&[
        ("ZUNIONSTORE to 2 a b", ":4"),
        ("ZINTERSTORE a 2 a b WEIGHTS 1 0", ":2"),
        ("ZRANGE a 0 -1 WITHSCORES", "*4 $1 y $1 2 $1 z $1 3"),
        ("ZDIFFSTORE to 2 a b", ":0"),
        ("EXISTS to", ":0"),
        ("ZDIFFSTORE s 2 b a", ":1"),
        ("ZRANGE s 0 -1 WITHSCORES", "*2 $1 w $2 30"),
        ("OBJECT ENCODING s", "$8 listpack"),
    ]);
}

#[test]
fn what_cannot_be_combined() {
    let wrong_type = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    filled().expect(&[
        ("ZUNION x a", "-ERR value is not an integer or out of range"),
        ("ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command"),
        ("ZINTERSTORE to -1 a", "-ERR at least 1 input key is needed for 'zinterstore' command"),
        ("ZUNION 2 a", "-ERR syntax error"),
        ("ZUNION 2 a s JUNK", wrong_type),
        ("ZUNION 2 a b WEIGHTS 1", "-ERR syntax error"),
        ("ZUNION 2 a b WEIGHTS 1 x", "-ERR weight value is not a float"),
        ("ZUNION 2 a b WEIGHTS 1 nan", "-ERR weight value is not a float"),
        ("ZUNION 2 a b AGGREGATE AVG", "-ERR syntax error"),
        ("ZUNION 2 a b AGGREGATE", "-ERR syntax error"),
        ("ZDIFFSTORE to 2 a b WITHSCORES", "-ERR syntax error"),
        ("ZUNION 2 a b LIMIT 1", "-ERR syntax error"),
        ("ZUNIONSTORE to 2 a b WITHSCORES", "-ERR syntax error"),
        ("ZDIFF 2 a b WEIGHTS 1 1", "-ERR syntax error"),
        ("ZDIFF 2 a b AGGREGATE MAX", "-ERR syntax error"),
        ("ZDIFFSTORE to 2 a b AGGREGATE MAX", "-ERR syntax error"),
        ("ZINTERCARD 2 a b WITHSCORES", "-ERR syntax error"),
        ("ZINTERCARD 2 a b LIMIT -1", "-ERR LIMIT can't be negative"),
        ("ZINTERCARD 2 a b LIMIT x", "-ERR LIMIT can't be negative"),
    ]);
}
