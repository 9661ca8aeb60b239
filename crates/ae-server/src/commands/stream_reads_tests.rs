use crate::testing::Session;

/// As in Redis, which looks at their types first.
#[test]
fn keys_are_looked_up_twice() {
    let mut session = Session::new();
    session.run("XADD s 1 f v");
    session.run("XREAD STREAMS s none 0 0");
    assert_eq!((session.number("keyspace_hits"), session.number("keyspace_misses")), (2, 2));
}

/// A stream with three entries.
fn session() -> Session {
    let mut session = Session::new();
    session.expect(&[("XADD s 1-1 f 1", "$3 1-1"), ("XADD s 1-2 f 2", "$3 1-2"), ("XADD s 2-1 f 3", "$3 2-1")]);
    session
}

#[test]
fn ranges() {
    session().expect(&[
        ("XRANGE s - + COUNT 1", "*1 *2 $3 1-1 *2 $1 f $1 1"),
        ("XRANGE s (1-1 1", "*1 *2 $3 1-2 *2 $1 f $1 2"),
        ("XREVRANGE s + (1-2", "*1 *2 $3 2-1 *2 $1 f $1 3"),
        ("XREVRANGE s - +", "*0"),
        ("XRANGE s - + COUNT 0", "*-1"),
        ("XRANGE s - + COUNT -1", "*-1"),
        ("XRANGE none - + COUNT 0", "*0"),
        ("XRANGE s - + COUNT", "-ERR syntax error"),
        ("XRANGE s - + COUNT x", "-ERR value is not an integer or out of range"),
        ("XRANGE s (- +", "-ERR Invalid stream ID specified as stream command argument"),
        ("XRANGE s - (0", "*0"),
        ("XRANGE s - (0-0", "-ERR invalid end ID for the interval"),
        ("XRANGE s (18446744073709551615-18446744073709551615 +", "-ERR invalid start ID for the interval"),
        ("XRANGE s (18446744073709551615-18446744073709551615 (0-0", "-ERR invalid start ID for the interval"),
        ("SET k v", "+OK"),
        ("XRANGE k - +", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn what_is_there_is_read_at_once() {
    session().expect(&[
        ("XREAD COUNT 1 STREAMS s none 1-1 0", "*1 *2 $1 s *1 *2 $3 1-2 *2 $1 f $1 2"),
        ("XREAD COUNT 0 STREAMS s 1-2", "*1 *2 $1 s *1 *2 $3 2-1 *2 $1 f $1 3"),
        ("XREAD STREAMS s $", "*-1"),
        ("XREAD BLOCK 0 STREAMS s 2", "*1 *2 $1 s *1 *2 $3 2-1 *2 $1 f $1 3"),
        ("XREAD STREAMS s 18446744073709551615-18446744073709551615", "*-1"),
        ("MULTI", "+OK"),
        ("XREAD BLOCK 0 STREAMS s $", "+QUEUED"),
        ("EXEC", "*1 *-1"),
    ]);
}

#[test]
fn maps_in_the_newer_protocol() {
    let mut session = session();
    session.run("HELLO 3");
    session.expect(&[("XREAD STREAMS s 1-2", "%1 $1 s *1 *2 $3 2-1 *2 $1 f $1 3"), ("XREAD STREAMS s $", "_")]);
}

#[test]
fn requests_are_checked() {
    const UNBALANCED: &str =
        "-ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.";
    session().expect(&[
        ("XREAD STREAMS s 0 s", UNBALANCED),
        ("XREADGROUP GROUP g c STREAMS s 0 s", UNBALANCED),
        ("XREAD COUNT 1 COUNT 2", "-ERR syntax error"),
        ("XREAD COUNT 1 COUNT x", "-ERR value is not an integer or out of range"),
        ("XREAD STREAMS s +", "-ERR Invalid stream ID specified as stream command argument"),
        ("XREAD COUNT 1 GROUP g", "-ERR syntax error"),
        ("XREAD COUNT x STREAMS s 0", "-ERR value is not an integer or out of range"),
        ("XREAD BLOCK x STREAMS s 0", "-ERR timeout is not an integer or out of range"),
        ("XREAD BLOCK -1 STREAMS s 0", "-ERR timeout is negative"),
        ("XREAD NOACK STREAMS s 0", "-ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead."),
        (
            "XREAD GROUP g c STREAMS s 0",
            "-ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
        ),
        (
            "XREAD STREAMS s >",
            "-ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        ),
        ("XREADGROUP NOACK COUNT 1 STREAMS s >", "-ERR Missing GROUP option for XREADGROUP"),
    ]);
}

#[test]
fn the_last_id_is_that_of_the_first_try() {
    let mut session = session();
    let mut other = session.other();
    assert_eq!(session.run_as(&mut other, "XREAD BLOCK 0 STREAMS s t $ $"), "");
    session.expect(&[("XDEL s 2-1", ":1"), ("XADD s 3-1 f 4", "$3 3-1"), ("XADD t 1-1 f v", "$3 1-1")]);
    assert_eq!(session.received(&mut other), "*1 *2 $1 s *1 *2 $3 3-1 *2 $1 f $1 4");
}

#[test]
fn the_key_that_changed_first_is_served() {
    let mut session = session();
    let mut other = session.other();
    session.run_as(&mut other, "XREAD BLOCK 0 STREAMS s t $ $");
    for line in ["MULTI", "XADD t 1-1 f v", "XADD s 3-1 f v", "EXEC"] {
        session.run(line);
    }
    assert_eq!(session.received(&mut other), "*1 *2 $1 t *1 *2 $3 1-1 *2 $1 f $1 v");
}

#[test]
fn a_key_that_is_named_twice_is_read_behind_its_first_id() {
    let mut session = session();
    let mut other = session.other();
    session.run_as(&mut other, "XREAD BLOCK 0 STREAMS s s 3 9");
    session.run("XADD s 4-1 f v");
    assert_eq!(session.received(&mut other), "*1 *2 $1 s *1 *2 $3 4-1 *2 $1 f $1 v");
}

#[test]
fn an_entry_that_has_gone_again_ends_a_wait() {
    let mut session = session();
    let mut other = session.other();
    session.run_as(&mut other, "XREAD BLOCK 0 STREAMS s $");
    session.run("XADD s MAXLEN 0 3-1 f v");
    assert_eq!(session.received(&mut other), "*1 *2 $1 s *0");
}

#[test]
fn other_changes_do_not() {
    let mut session = session();
    let mut other = session.other();
    session.run_as(&mut other, "XREAD BLOCK 50 STREAMS s none $ $");
    for line in [
        "XSETID s 9",
        "XDEL s 1-1",
        "XTRIM s MAXLEN 1",
        "XGROUP CREATE s g 0",
        "DEL s",
        // No further than before.
        "XADD s 2-1 f v",
        "DEL s",
        "SET none v",
        "SET s v",
    ] {
        session.run(line);
        assert_eq!(session.received(&mut other), "", "{line}");
    }
    session.wait(50);
    assert_eq!(session.received(&mut other), "*-1");
}

/// As in Redis, whoever had to wait gets at most a thousand entries unless more are asked for.
#[test]
fn a_thousand_entries_at_most_end_a_wait() {
    let mut session = session();
    session.run("XGROUP CREATE s g $");
    for (line, entries) in [
        ("XREAD BLOCK 0 STREAMS s $", 1000),
        ("XREAD BLOCK 0 COUNT 1001 STREAMS s $", 1001),
        ("XREADGROUP GROUP g c BLOCK 0 STREAMS s >", 1000),
        ("XREADGROUP GROUP g c BLOCK 0 COUNT 1001 STREAMS s >", 1001),
    ] {
        let mut other = session.other();
        session.run("XGROUP SETID s g $");
        assert_eq!(session.run_as(&mut other, line), "");
        session.run("MULTI");
        (0..1001).for_each(|_| drop(session.run("XADD s * f v")));
        session.run("EXEC");
        let received = session.received(&mut other);
        assert!(received.starts_with(&format!("*1 *2 $1 s *{entries} ")), "{line}");
        session.run_as(&mut other, "XGROUP SETID s g 2-1");
    }
    for line in ["XREAD STREAMS s 2-1", "XREADGROUP GROUP g d STREAMS s >"] {
        session.run("XGROUP SETID s g 2-1");
        assert!(session.run(line).starts_with("*1 *2 $1 s *4004 "), "{line}");
    }
}

#[cfg(feature = "scripting")]
#[test]
fn scripts_do_not_wait() {
    session().expect(&[(
        "EVAL \"return redis.pcall('XREAD', 'BLOCK', '0', 'STREAMS', 's', '2').err\" 1 s",
        "$63 ERR xread command is not allowed with BLOCK option from scripts",
    )]);
}
