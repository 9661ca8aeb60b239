use crate::testing::Session;

/// Consumer `a` has got entries 1 and 2 of 3, 100 ms ago.
fn session() -> Session {
    let mut session = Session::new();
    for line in ["XADD s 1 f v", "XADD s 2 f v", "XADD s 3 f v", "XGROUP CREATE s g 0"] {
        session.run(line);
    }
    session.run("XREADGROUP GROUP g a COUNT 2 STREAMS s >");
    session.wait(100);
    session
}

#[test]
fn idle_entries_are_taken_over() {
    session().expect(&[
        ("XCLAIM s g b 101 1", "*0"),
        ("XGROUP CREATECONSUMER s g b", ":1"),
        ("XCLAIM s g b 100 1 3", "*1 *2 $3 1-0 *2 $1 f $1 v"),
        ("XCLAIM s g b 0 2 JUSTID", "*1 $3 2-0"),
        ("XPENDING s g - + 9", "*2 *4 $3 1-0 $1 b :0 :2 *4 $3 2-0 $1 b :0 :1"),
        ("XCLAIM s g b 0 3 FORCE", "*1 *2 $3 3-0 *2 $1 f $1 v"),
        ("XCLAIM s g b 0 1 IDLE 50 RETRYCOUNT 9 LASTID 3", "*1 *2 $3 1-0 *2 $1 f $1 v"),
        ("XPENDING s g - + 9 b", "*3 *4 $3 1-0 $1 b :50 :9 *4 $3 2-0 $1 b :0 :1 *4 $3 3-0 $1 b :0 :2"),
        ("XREADGROUP GROUP g a STREAMS s >", "*-1"),
    ]);
}

/// Also if the clock was set back since they were delivered.
#[test]
fn with_a_negative_idle_time_everything_is_taken_over() {
    let mut session = session();
    session.server.now -= 1000;
    session.expect(&[("XCLAIM s g b 1 1", "*0"), ("XCLAIM s g b -5 1 JUSTID", "*1 $3 1-0")]);
    session.expect(&[("XAUTOCLAIM s g b -5 0 JUSTID", "*3 $3 0-0 *2 $3 1-0 $3 2-0 *0")]);
}

#[test]
fn entries_that_have_gone_are_pending_no_longer() {
    session().expect(&[
        ("XDEL s 1 2", ":2"),
        ("XCLAIM s g b 0 1", "*0"),
        ("XPENDING s g", "*4 :1 $3 2-0 $3 2-0 *1 *2 $1 a $1 1"),
        ("XAUTOCLAIM s g b 100000 0", "*3 $3 0-0 *0 *1 $3 2-0"),
        ("XPENDING s g", "*4 :0 $-1 $-1 *-1"),
        ("XGROUP CREATECONSUMER s g b", ":1"),
    ]);
}

#[test]
fn entries_that_have_gone_count_as_replied() {
    session().expect(&[
        ("XDEL s 1", ":1"),
        ("XAUTOCLAIM s g b 0 0 COUNT 1", "*3 $3 2-0 *0 *1 $3 1-0"),
        ("XAUTOCLAIM s g b 0 2 COUNT 1 JUSTID", "*3 $3 0-0 *1 $3 2-0 *0"),
    ]);
}

#[test]
fn all_are_taken_over_step_by_step() {
    session().expect(&[
        ("XAUTOCLAIM s g b 0 0 COUNT 1", "*3 $3 2-0 *1 *2 $3 1-0 *2 $1 f $1 v *0"),
        ("XAUTOCLAIM s g b 0 2 COUNT 1 JUSTID", "*3 $3 0-0 *1 $3 2-0 *0"),
        ("XPENDING s g - + 9", "*2 *4 $3 1-0 $1 b :0 :2 *4 $3 2-0 $1 b :0 :1"),
        ("XAUTOCLAIM s g b 1 0", "*3 $3 0-0 *0 *0"),
        ("XAUTOCLAIM s g b 0 (2", "*3 $3 0-0 *0 *0"),
    ]);
}

#[test]
fn one_call_looks_at_ten_times_as_many_as_it_may_return() {
    let mut session = Session::new();
    session.run("XGROUP CREATE s g 0 MKSTREAM");
    for id in 1..=12 {
        session.run(&format!("XADD s {id} f v"));
    }
    session.run("XREADGROUP GROUP g a STREAMS s >");
    session.expect(&[
        ("XAUTOCLAIM s g b 1 0 COUNT 1", "*3 $4 11-0 *0 *0"),
        ("XAUTOCLAIM s g b 1 11 COUNT 1", "*3 $3 0-0 *0 *0"),
    ]);
}

#[test]
fn requests_are_checked() {
    const NO_GROUP: &str = "-NOGROUP No such key 's' or consumer group 'h'";
    session().expect(&[
        ("XCLAIM s h b x 1", NO_GROUP),
        ("XCLAIM s g b x 1", "-ERR Invalid min-idle-time argument for XCLAIM"),
        ("XCLAIM s g b 0 1 FOO", "-ERR Unrecognized XCLAIM option 'FOO'"),
        ("XCLAIM s g b 0 1 IDLE", "-ERR Unrecognized XCLAIM option 'IDLE'"),
        ("XCLAIM s g b 0 1 IDLE x", "-ERR Invalid IDLE option argument for XCLAIM"),
        ("XCLAIM s g b 0 1 TIME x", "-ERR Invalid TIME option argument for XCLAIM"),
        ("XCLAIM s g b 0 1 RETRYCOUNT x", "-ERR Invalid RETRYCOUNT option argument for XCLAIM"),
        ("XCLAIM s g b 0 1 LASTID x", "-ERR Invalid stream ID specified as stream command argument"),
        ("XAUTOCLAIM s h b x 0", "-ERR Invalid min-idle-time argument for XAUTOCLAIM"),
        ("XAUTOCLAIM s h b 0 x", "-ERR Invalid stream ID specified as stream command argument"),
        ("XAUTOCLAIM s h b 0 0 COUNT 0", "-ERR COUNT must be > 0"),
        ("XAUTOCLAIM s h b 0 0 COUNT x", "-ERR COUNT must be > 0"),
        ("XAUTOCLAIM s h b 0 0 COUNT 576460752303423488", "-ERR COUNT must be > 0"),
        ("XAUTOCLAIM s h b 0 0 COUNT", "-ERR syntax error"),
        ("XAUTOCLAIM s h b 0 0", NO_GROUP),
        ("XPENDING s g", "*4 :2 $3 1-0 $3 2-0 *1 *2 $1 a $1 2"),
    ]);
}

#[test]
fn who_claims_has_been_seen() {
    let mut session = session();
    session.expect(&[("XGROUP CREATECONSUMER s g b", ":1")]);
    session.wait(50);
    session.run("XCLAIM s g b 0 1");
    let consumers = session.run("XINFO CONSUMERS s g");
    assert!(consumers.contains("$1 b $7 pending :1 $4 idle :0"), "{consumers}");
}

#[test]
fn what_will_be_delivered_was_delivered_now() {
    let mut session = session();
    session.expect(&[("XCLAIM s g b 0 1 TIME 99999999999999 JUSTID", "*1 $3 1-0")]);
    session.wait(50);
    session.expect(&[("XPENDING s g - + 1 b", "*1 *4 $3 1-0 $1 b :50 :1")]);
}

#[test]
fn a_negative_idle_time_is_none() {
    Session::new().expect(&[
        ("XADD s 1-1 f v", "$3 1-1"),
        ("XGROUP CREATE s g 0", "+OK"),
        ("XREADGROUP GROUP g one STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-1 *2 $1 f $1 v"),
        ("XCLAIM s g two -5 1-1 JUSTID", "*1 $3 1-1"),
        ("XAUTOCLAIM s g one -5 0 JUSTID", "*3 $3 0-0 *1 $3 1-1 *0"),
    ]);
}

#[test]
fn a_hundred_are_taken_over_unless_more_are_asked_for() {
    let mut session = Session::new();
    for id in 1..=102 {
        session.run(&format!("XADD s {id} f v"));
    }
    session.run("XGROUP CREATE s g 0");
    session.run("XREADGROUP GROUP g a STREAMS s >");
    let claimed = session.run("XAUTOCLAIM s g b 0 0 JUSTID");
    assert!(claimed.starts_with("*3 $5 101-0 *100 "), "{claimed}");
}

#[test]
fn the_time_of_delivery_may_be_any_in_the_past() {
    let mut session = session();
    let now = session.server.now;
    session.expect(&[
        ("XCLAIM s g b 0 1 TIME 0 JUSTID", "*1 $3 1-0"),
        ("XPENDING s g - + 1 b", &format!("*1 *4 $3 1-0 $1 b :{now} :1")),
    ]);
}

#[test]
fn the_last_lastid_counts() {
    let mut session = session();
    session.run("XCLAIM s g b 0 1 LASTID 9 LASTID 3");
    let groups = session.run("XINFO GROUPS s");
    assert!(groups.contains("last-delivered-id $3 3-0 "), "{groups}");
}

#[test]
fn ids_alone_are_no_delivery_but_their_number_can_be_set() {
    session().expect(&[
        ("XCLAIM s g b 0 1 RETRYCOUNT 9 JUSTID", "*1 $3 1-0"),
        ("XPENDING s g - + 9 b", "*1 *4 $3 1-0 $1 b :0 :9"),
        ("XCLAIM s g b 0 1 JUSTID", "*1 $3 1-0"),
        ("XPENDING s g - + 9 b", "*1 *4 $3 1-0 $1 b :0 :9"),
        ("XCLAIM s g c 0 3 JUSTID", "*0"),
        // It has got nothing, so it was not created.
        ("XGROUP CREATECONSUMER s g c", ":1"),
    ]);
}
