use crate::testing::Session;

#[test]
fn entries_come_and_go() {
    Session::new().expect(&[
        ("XADD s 1-1 f v g w", "$3 1-1"),
        ("XADD s 1-* f v", "$3 1-2"),
        ("XADD s 2 f v", "$3 2-0"),
        ("XADD s 2-0 f v", "-ERR The ID specified in XADD is equal or smaller than the target stream top item"),
        ("XLEN s", ":3"),
        ("XDEL s 1-2 9-9 1-2", ":1"),
        ("XRANGE s - +", "*2 *2 $3 1-1 *4 $1 f $1 v $1 g $1 w *2 $3 2-0 *2 $1 f $1 v"),
        ("XDEL s 1-1 2-0", ":2"),
        ("EXISTS s", ":1"),
        ("XLEN s", ":0"),
        ("XLEN none", ":0"),
        ("XDEL none x", ":0"),
        ("XDEL s 1-1 x", "-ERR Invalid stream ID specified as stream command argument"),
    ]);
}

#[test]
fn ids_from_the_clock() {
    let mut session = Session::new();
    let now = session.server.now;
    session.expect(&[("XADD s * f v", &format!("${} {now}-0", format!("{now}-0").len()))]);
    session.expect(&[("XADD s * f v", &format!("${} {now}-1", format!("{now}-1").len()))]);
    session.expect(&[
        ("XADD s 18446744073709551615-18446744073709551615 f v", "$41 18446744073709551615-18446744073709551615"),
        ("XADD s * f v", "-ERR The stream has exhausted the last possible ID, unable to add more items"),
    ]);
}

#[test]
fn what_xadd_refuses_leaves_no_key() {
    const TOO_SMALL: &str = "-ERR The ID specified in XADD must be greater than 0-0";
    Session::new().expect(&[
        ("XADD k 0-0 f v", TOO_SMALL),
        ("XADD k NOMKSTREAM 0-0 f v", TOO_SMALL),
        ("XADD k 0 f v", TOO_SMALL),
        ("XADD k - f v", "-ERR Invalid stream ID specified as stream command argument"),
        ("XADD k * f", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD k * f v g", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD k MAXLEN 1 NOMKSTREAM NOMKSTREAM", "-ERR wrong number of arguments for 'xadd' command"),
        ("XADD k NOMKSTREAM 1-1 f v", "$-1"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("XADD k NOMKSTREAM 1-1 f v", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("XADD k 0-0 f v", TOO_SMALL),
    ]);
}

#[test]
fn trimming() {
    Session::new().expect(&[
        ("CONFIG SET stream-node-max-entries 2", "+OK"),
        ("XADD s 1 f v", "$3 1-0"),
        ("XADD s 2 f v", "$3 2-0"),
        ("XADD s 3 f v", "$3 3-0"),
        ("XADD s 4 f v", "$3 4-0"),
        ("XADD s MAXLEN ~ 2 5 f v", "$3 5-0"),
        ("XLEN s", ":3"),
        ("XADD s MAXLEN = 3 6 f v", "$3 6-0"),
        ("XLEN s", ":3"),
        ("XTRIM s MINID 5", ":1"),
        ("XTRIM s MAXLEN ~ 0 LIMIT 1", ":0"),
        ("XTRIM s MAXLEN ~ 0 LIMIT 2", ":2"),
        ("XTRIM s MAXLEN 0", ":0"),
        ("XTRIM none MAXLEN 0", ":0"),
    ]);
}

/// Without LIMIT, as many go as are in a hundred full nodes.
#[test]
fn an_approximate_trimming_has_a_limit_unless_it_is_0() {
    let mut session = Session::new();
    session.run("CONFIG SET stream-node-max-entries 1");
    (0..102).for_each(|_| _ = session.run("XADD s * f v"));
    session.expect(&[("XTRIM s MAXLEN ~ 0", ":100")]);
    (0..100).for_each(|_| _ = session.run("XADD s * f v"));
    session.expect(&[("XTRIM s MAXLEN ~ 0 LIMIT 0", ":102")]);
}

#[test]
fn the_append_only_file_may_limit_an_exact_trimming() {
    let mut session = Session::new();
    session.client.is_log = true;
    session.expect(&[
        ("XADD s 1 f v", "$3 1-0"),
        ("XADD s MAXLEN = 1 LIMIT 100 2 f v", "$3 2-0"),
        ("XTRIM s MAXLEN = 0 LIMIT 100", ":1"),
    ]);
}

#[test]
fn options_of_trimming_are_checked() {
    const NO_APPROXIMATION: &str = "-ERR syntax error, LIMIT cannot be used without the special ~ option";
    Session::new().expect(&[
        ("XADD s MAXLEN x 1 f v", "-ERR value is not an integer or out of range"),
        ("XADD s MAXLEN -1 1 f v", "-ERR The MAXLEN argument must be >= 0."),
        ("XADD s MINID + 1 f v", "-ERR Invalid stream ID specified as stream command argument"),
        ("XADD s MAXLEN ~ 1 LIMIT -1 1 f v", "-ERR The LIMIT argument must be >= 0."),
        ("XADD s MAXLEN 1 LIMIT 1 1 f v", NO_APPROXIMATION),
        ("XADD s LIMIT 0 1 f v", NO_APPROXIMATION),
        ("XADD s LIMIT 1 1 f v", "-ERR syntax error, LIMIT cannot be used without specifying a trimming strategy"),
        (
            "XADD s MAXLEN 1 MINID 1 1 f v",
            "-ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
        ),
        ("XTRIM s LIMIT 0", "-ERR syntax error, XTRIM must be called with a trimming strategy"),
        ("XTRIM s NOMKSTREAM MAXLEN 1", "-ERR syntax error"),
        ("XTRIM s MAXLEN ~", "-ERR value is not an integer or out of range"),
        ("XTRIM s MINID =", "-ERR Invalid stream ID specified as stream command argument"),
        ("XTRIM s MAXLEN 1 *", "-ERR syntax error"),
        ("EXISTS s", ":0"),
    ]);
}

#[test]
fn the_last_id_can_be_set() {
    Session::new().expect(&[
        ("XSETID s 5", "-ERR no such key"),
        (
            "XSETID s 5 MAXDELETEDID 6",
            "-ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
        ),
        ("XADD s 3-3 f v", "$3 3-3"),
        ("XSETID s 3-2", "-ERR The ID specified in XSETID is smaller than the target stream top item"),
        (
            "XSETID s 5 ENTRIESADDED 0",
            "-ERR The entries_added specified in XSETID is smaller than the target stream length",
        ),
        ("XSETID s 5 ENTRIESADDED -1", "-ERR entries_added must be positive"),
        ("XSETID s 5 ENTRIESADDED", "-ERR syntax error"),
        ("XSETID s +", "-ERR Invalid stream ID specified as stream command argument"),
        ("XSETID s 7 ENTRIESADDED 9 MAXDELETEDID 2-2", "+OK"),
        ("XSETID s 7 MAXDELETEDID 7", "+OK"),
        ("XADD s 7-* f v", "$3 7-1"),
        ("SET k v", "+OK"),
        ("XSETID k 5", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn events_in_their_order() {
    let mut session = Session::new();
    let mut listener = session.other();
    session.expect(&[("CONFIG SET notify-keyspace-events Etn", "+OK")]);
    session.run_as(&mut listener, "PSUBSCRIBE *");
    session.run("XADD s MAXLEN 0 1 f v");
    let told = session.received(&mut listener);
    let names: Vec<&str> = told.split("__keyevent@0__:").skip(1).filter_map(|text| text.split(' ').next()).collect();
    assert_eq!(names, ["new", "xadd", "xtrim"]);
    for quiet in ["XTRIM s MAXLEN 0", "XDEL s 5-5", "XGROUP DESTROY s none", "XADD s 1 f v", "XACK s g 1"] {
        session.run(quiet);
        assert_eq!(session.received(&mut listener), "", "{quiet}");
    }
}

/// An approximate trimming stops at so many entries, a hundred times as many as a node has if nothing else is said.
#[test]
fn approximate_trimming_has_a_limit() {
    for (limit, trimmed) in [("", 200), (" LIMIT 0", 300), (" LIMIT 0 LIMIT 10", 10), (" LIMIT 10 LIMIT 0", 300)] {
        let mut session = Session::new();
        session.run("CONFIG SET stream-node-max-entries 2");
        for id in 1..=300 {
            session.run(&format!("XADD s {id} f v"));
        }
        session.expect(&[(&format!("XTRIM s MAXLEN ~ 0{limit}"), &format!(":{trimmed}"))]);
    }
}
