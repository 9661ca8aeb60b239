use crate::testing::Session;

/// A stream with two entries and a group that has read none.
fn session() -> Session {
    let mut session = Session::new();
    session.expect(&[("XADD s 1-1 f 1", "$3 1-1"), ("XADD s 1-2 f 2", "$3 1-2"), ("XGROUP CREATE s g 0", "+OK")]);
    session
}

#[test]
fn each_entry_goes_to_one_consumer() {
    session().expect(&[
        ("XREADGROUP GROUP g a COUNT 1 STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-1 *2 $1 f $1 1"),
        ("XREADGROUP GROUP g b NOACK STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-2 *2 $1 f $1 2"),
        ("XREADGROUP GROUP g c STREAMS s >", "*-1"),
        ("XPENDING s g", "*4 :1 $3 1-1 $3 1-1 *1 *2 $1 a $1 1"),
        ("XGROUP CREATECONSUMER s g b", ":0"),
        // It has got nothing, so it was not created.
        ("XGROUP CREATECONSUMER s g c", ":1"),
    ]);
}

/// Save points count as in Redis: each stream that is read is a change, and so is each consumer that is new. Keys are
/// looked at twice, for the group and for its entries.
#[test]
fn changes_and_hits() {
    let mut session = session();
    for (line, changes, hits) in [
        ("XREADGROUP GROUP g a COUNT 1 STREAMS s >", 2, 2),
        ("XREADGROUP GROUP g a STREAMS s >", 1, 2),
        ("XREADGROUP GROUP g a STREAMS s >", 0, 2),
        ("XREADGROUP GROUP g b NOACK STREAMS s 0", 2, 2),
        ("XCLAIM s g c 0 1-1", 2, 1),
        ("XCLAIM s g c 0 1-1", 1, 1),
        ("XAUTOCLAIM s g d 0 1-2", 2, 1),
    ] {
        let databases = &session.server.databases;
        let before = (databases.dirty, databases.stats.hits);
        session.run(line);
        let databases = &session.server.databases;
        assert_eq!((databases.dirty - before.0, databases.stats.hits - before.1), (changes, hits), "{line}");
    }
}

#[test]
fn history_is_what_is_pending() {
    session().expect(&[
        ("XREADGROUP GROUP g a STREAMS s >", "*1 *2 $1 s *2 *2 $3 1-1 *2 $1 f $1 1 *2 $3 1-2 *2 $1 f $1 2"),
        ("XDEL s 1-1", ":1"),
        ("XREADGROUP GROUP g a STREAMS s 0", "*1 *2 $1 s *2 *2 $3 1-1 *-1 *2 $3 1-2 *2 $1 f $1 2"),
        ("XREADGROUP GROUP g a COUNT 1 STREAMS s 1-1", "*1 *2 $1 s *1 *2 $3 1-2 *2 $1 f $1 2"),
        ("XREADGROUP GROUP g b BLOCK 0 STREAMS s 0", "*1 *2 $1 s *0"),
        ("XPENDING s g - + 9", "*2 *4 $3 1-1 $1 a :0 :1 *4 $3 1-2 $1 a :0 :3"),
        ("XGROUP CREATECONSUMER s g b", ":0"),
        ("XADD s 2-1 f 3", "$3 2-1"),
        (
            "XREADGROUP GROUP g a STREAMS s 18446744073709551615-18446744073709551615",
            "*1 *2 $1 s *1 *2 $3 2-1 *2 $1 f $1 3",
        ),
    ]);
}

#[test]
fn groups_must_be_there() {
    session().expect(&[
        (
            "XREADGROUP GROUP h a STREAMS s >",
            "-NOGROUP No such key 's' or consumer group 'h' in XREADGROUP with GROUP option",
        ),
        (
            "XREADGROUP GROUP g a STREAMS s none > >",
            "-NOGROUP No such key 'none' or consumer group 'g' in XREADGROUP with GROUP option",
        ),
        (
            "XREADGROUP GROUP g a STREAMS s $",
            "-ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer \
             by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result \
             set.",
        ),
        ("XREADGROUP GROUP g a STREAMS s x", "-ERR Invalid stream ID specified as stream command argument"),
        ("SET k v", "+OK"),
        ("XREADGROUP GROUP g a STREAMS k >", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("XPENDING s g", "*4 :0 $-1 $-1 *-1"),
    ]);
}

#[test]
fn whoever_waits_longest_gets_the_entry() {
    let mut session = session();
    session.run("XGROUP SETID s g $");
    let (mut first, mut second) = (session.other(), session.other());
    session.run_as(&mut first, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
    session.run_as(&mut second, "XREADGROUP GROUP g b BLOCK 0 NOACK STREAMS s >");
    session.expect(&[("XADD s 2-1 f v", "$3 2-1")]);
    assert_eq!(session.received(&mut first), "*1 *2 $1 s *1 *2 $3 2-1 *2 $1 f $1 v");
    assert_eq!(session.received(&mut second), "");
    session.expect(&[("XADD s 2-2 f v", "$3 2-2"), ("XPENDING s g", "*4 :1 $3 2-1 $3 2-1 *1 *2 $1 a $1 1")]);
    assert_eq!(session.received(&mut second), "*1 *2 $1 s *1 *2 $3 2-2 *2 $1 f $1 v");
}

#[test]
fn a_wait_ends_with_its_stream_or_group() {
    const GONE: &str = "-UNBLOCKED the stream key no longer exists";
    let endings = [
        ("XGROUP DESTROY s g", "-NOGROUP the consumer group this client was blocked on no longer exists"),
        ("DEL s", GONE),
        ("SET s v", GONE),
        ("RENAME s t", GONE),
        ("PEXPIRE s -1", GONE),
        ("FLUSHALL", GONE),
    ];
    for (line, reply) in endings {
        let mut session = session();
        session.run("XGROUP SETID s g $");
        let mut other = session.other();
        session.run_as(&mut other, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >");
        session.run(line);
        assert_eq!(session.received(&mut other), reply, "{line}");
    }
}

#[test]
fn a_group_that_is_set_back_serves_nobody_who_waits() {
    let mut session = session();
    session.run("XGROUP SETID s g $");
    let mut other = session.other();
    session.run_as(&mut other, "XREADGROUP GROUP g a BLOCK 9 STREAMS s >");
    session.run("XGROUP SETID s g 0");
    assert_eq!(session.received(&mut other), "");
    session.wait(9);
    assert_eq!(session.received(&mut other), "*-1");
}

#[test]
fn groups_are_no_part_of_what_is_watched() {
    let mut session = session();
    let mut other = session.other();
    for line in ["XREADGROUP GROUP g a STREAMS s >", "XACK s g 1-1", "XCLAIM s g b 0 1-2", "XGROUP DESTROY s g"] {
        session.run_as(&mut other, "WATCH s");
        session.run(line);
        session.run_as(&mut other, "MULTI");
        assert_eq!(session.run_as(&mut other, "EXEC"), "*0", "{line}");
    }
    for line in ["XADD s 9-9 f v", "XDEL s 9-9", "XTRIM s MAXLEN 0"] {
        session.run_as(&mut other, "WATCH s");
        session.run(line);
        session.run_as(&mut other, "MULTI");
        assert_eq!(session.run_as(&mut other, "EXEC"), "*-1", "{line}");
    }
}

#[test]
fn who_reads_has_been_seen() {
    let mut session = session();
    session.expect(&[("XGROUP CREATECONSUMER s g a", ":1")]);
    session.wait(50);
    session.run("XREADGROUP GROUP g a NOACK NOACK STREAMS s >");
    session.expect(&[("XINFO CONSUMERS s g", "*1 *6 $4 name $1 a $7 pending :0 $4 idle :0")]);
}

#[test]
fn who_reads_once_more_has_been_seen() {
    let mut session = session();
    session.run("XREADGROUP GROUP g a STREAMS s >");
    session.wait(50);
    session.run("XREADGROUP GROUP g a STREAMS s 0");
    session.expect(&[("XINFO CONSUMERS s g", "*1 *6 $4 name $1 a $7 pending :2 $4 idle :0")]);
}
