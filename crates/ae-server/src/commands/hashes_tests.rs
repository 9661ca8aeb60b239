use crate::config::settings::Config;
use crate::testing::Session;

#[test]
fn a_reply_ends_where_the_client_is_closed_for_it() {
    let mut session = Session::new();
    session.expect(&[
        ("HSET h a b", ":1"),
        ("SADD s a", ":1"),
        ("ZADD z 1 a", ":1"),
        ("HRANDFIELD h -999999999", "-ERR value is out of range"),
        ("CONFIG SET client-output-buffer-limit \"normal 100000 0 0\"", "+OK"),
    ]);
    for line in ["HRANDFIELD h -999999999", "SRANDMEMBER s -999999999", "ZRANDMEMBER z -999999999 WITHSCORES"] {
        let mut other = session.other();
        session.run_as(&mut other, "PING");
        session.run_as(&mut other, line);
        let output = &session.server.clients.get_same(other).unwrap().output;
        assert!((100_000..200_000).contains(&output.dropped()) && output.pending() == 0, "{line}");
    }
}

#[test]
fn fields_are_set_and_read() {
    Session::new().expect(&[
        ("HSET h a 1 b 2", ":2"),
        ("HSET h a 3 c x", ":1"),
        ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
        ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
        ("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
        ("HMSET h d 4", "+OK"),
        ("HSETNX h d 5", ":0"),
        ("HSETNX h e 5", ":1"),
        ("HGET h a", "$1 3"),
        ("HGET h none", "$-1"),
        ("HGET none a", "$-1"),
        ("HMGET h a none b", "*3 $1 3 $-1 $1 2"),
        ("HMGET none a b", "*2 $-1 $-1"),
        ("HGETALL h", "*10 $1 a $1 3 $1 b $1 2 $1 c $1 x $1 d $1 4 $1 e $1 5"),
        ("HKEYS h", "*5 $1 a $1 b $1 c $1 d $1 e"),
        ("HVALS h", "*5 $1 3 $1 2 $1 x $1 4 $1 5"),
        ("HGETALL none", "*0"),
        ("HLEN h", ":5"),
        ("HEXISTS h a", ":1"),
        ("HEXISTS h none", ":0"),
        ("HSTRLEN h a", ":1"),
        ("HSTRLEN h none", ":0"),
        ("HDEL h a none a b c d", ":4"),
        ("HDEL h e", ":1"),
        ("EXISTS h", ":0"),
        ("HDEL h e", ":0"),
    ]);
}

#[test]
fn resp3_has_maps_and_pairs() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("HSET h a 1", ":1"),
        ("HGETALL h", "%1 $1 a $1 1"),
        ("HGETALL none", "%0"),
        ("HKEYS h", "*1 $1 a"),
        ("HGET h none", "_"),
        ("HRANDFIELD h -2 WITHVALUES", "*2 *2 $1 a $1 1 *2 $1 a $1 1"),
        ("HRANDFIELD h 2 WITHVALUES", "*1 *2 $1 a $1 1"),
        ("HRANDFIELD h 2", "*1 $1 a"),
    ]);
}

#[test]
fn arithmetic() {
    Session::new().expect(&[
        ("HINCRBY h n 5", ":5"),
        ("HINCRBY h n -7", ":-2"),
        ("HINCRBY h n x", "-ERR value is not an integer or out of range"),
        ("HSET h s abc m 9223372036854775807", ":2"),
        ("HINCRBY h s 1", "-ERR hash value is not an integer"),
        ("HINCRBY h m 1", "-ERR increment or decrement would overflow"),
        ("HINCRBYFLOAT h n 0.5", "$4 -1.5"),
        ("HINCRBYFLOAT h new 3", "$1 3"),
        ("HINCRBYFLOAT h s 1", "-ERR hash value is not a float"),
        ("HINCRBYFLOAT h n x", "-ERR value is not a valid float"),
        ("HINCRBYFLOAT h n -inf", "-ERR value is NaN or Infinity"),
        ("HSET h s inf", ":0"),
        ("HINCRBYFLOAT h s 1", "-ERR increment would produce NaN or Infinity"),
        ("HGET h n", "$4 -1.5"),
        ("SET k v", "+OK"),
        ("HINCRBYFLOAT k a inf", "-ERR value is NaN or Infinity"),
        ("HINCRBY none a x", "-ERR value is not an integer or out of range"),
        ("EXISTS none", ":0"),
    ]);
}

#[test]
fn random_fields() {
    let mut session = Session::new();
    session.run("HSET h a 1");
    let range = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    session.expect(&[
        ("HRANDFIELD h", "$1 a"),
        ("HRANDFIELD none", "$-1"),
        ("HRANDFIELD h 5", "*1 $1 a"),
        ("HRANDFIELD h -2", "*2 $1 a $1 a"),
        ("HRANDFIELD h -2 WITHVALUES", "*4 $1 a $1 1 $1 a $1 1"),
        ("HRANDFIELD h 0", "*0"),
        ("HRANDFIELD none 1", "*0"),
        ("HRANDFIELD h x", "-ERR value is not an integer or out of range"),
        ("HRANDFIELD h -9223372036854775808", range),
        ("HRANDFIELD h 1 WITH", "-ERR syntax error"),
        ("HRANDFIELD h 1 WITHVALUES x", "-ERR syntax error"),
        ("HRANDFIELD h 4611686018427387904 WITHVALUES", "-ERR value is out of range"),
        ("HRANDFIELD h 4611686018427387903 WITHVALUES", "*2 $1 a $1 1"),
        ("HRANDFIELD h 9223372036854775807", "*1 $1 a"),
        // Redis would write until there is no memory left.
        ("HRANDFIELD h -9223372036854775807", "-ERR value is out of range"),
    ]);
}

/// Repeated fields are refused by what they and their values need at most.
#[test]
fn long_values_count() {
    let mut session = Session::with(Config { max_bulk: 1 << 20, ..Config::default() });
    session.run(&format!("HSET h f {}", "v".repeat(1000)));
    session.expect(&[("HRANDFIELD h -1100 WITHVALUES", "-ERR value is out of range")]);
    assert!(session.run("HRANDFIELD h -1000 WITHVALUES").starts_with("*2000 "));
}

#[test]
fn scanning() {
    let mut session = Session::new();
    session.run("HSET h a 1 b 2");
    session.expect(&[
        ("HSCAN h 0", "*2 $1 0 *4 $1 a $1 1 $1 b $1 2"),
        ("HSCAN h 0 MATCH b", "*2 $1 0 *2 $1 b $1 2"),
        ("HSCAN h x COUNT", "-ERR invalid cursor"),
        ("HSCAN h 0 COUNT", "-ERR syntax error"),
        ("HSCAN h 0 TYPE hash", "-ERR syntax error"),
        ("HSCAN none 0 COUNT", "*2 $1 0 *0"),
    ]);
}

#[test]
fn forms_events_and_types() {
    let mut session = Session::new();
    session.expect(&[
        ("HSET h a 1", ":1"),
        ("OBJECT ENCODING h", "$8 listpack"),
        (&format!("HINCRBY h {} 1", "f".repeat(65)), ":1"),
        ("OBJECT ENCODING h", "$9 hashtable"),
        ("HINCRBYFLOAT h a 1", "$1 2"),
        ("HSETNX h a 1", ":0"),
        (&format!("HDEL h a none {}", "f".repeat(65)), ":2"),
        ("SET s v", "+OK"),
    ]);
    let lines = [
        "HSET h a 1",
        "HINCRBY h b 1",
        "HINCRBYFLOAT h a 1",
        "HSETNX h a 1",
        "HDEL h x",
        "HDEL h a",
        "HDEL h b",
        "HINCRBY s a 1",
    ];
    assert_eq!(session.events(&lines), ["hset", "hincrby", "hincrbyfloat", "hdel", "hdel", "del"]);
    for line in [
        "HSET s a 1",
        "HSETNX s a 1",
        "HGET s a",
        "HMGET s a",
        "HGETALL s",
        "HKEYS s",
        "HVALS s",
        "HDEL s a",
        "HLEN s",
        "HEXISTS s a",
        "HSTRLEN s a",
        "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1",
        "HRANDFIELD s",
        "HRANDFIELD s 0",
        "HSCAN s 0 COUNT",
    ] {
        assert!(session.run(line).starts_with("-WRONGTYPE "), "{line}");
    }
}
