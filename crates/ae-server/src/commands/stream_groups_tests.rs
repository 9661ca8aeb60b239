use crate::testing::Session;

const NO_KEY: &str = "-ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the \
                      MKSTREAM option to create an empty stream automatically.";

#[test]
fn groups_come_and_go() {
    Session::new().expect(&[
        ("XGROUP CREATE s g $", NO_KEY),
        ("XGROUP CREATE s g x MKSTREAM", "-ERR Invalid stream ID specified as stream command argument"),
        ("EXISTS s", ":0"),
        ("XGROUP CREATE s g $ MKSTREAM", "+OK"),
        ("XGROUP CREATE s g 0", "-BUSYGROUP Consumer Group name already exists"),
        ("XADD s 1-1 f v", "$3 1-1"),
        ("XGROUP SETID s g $ ENTRIESREAD 1", "+OK"),
        (
            "XINFO GROUPS s",
            "*1 *12 $4 name $1 g $9 consumers :0 $7 pending :0 $17 last-delivered-id $3 1-1 $12 entries-read :1 $3 lag :0",
        ),
        ("XGROUP CREATE s h +", "-ERR Invalid stream ID specified as stream command argument"),
        ("XGROUP SETID s g -", "+OK"),
        ("XREADGROUP GROUP g a NOACK STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-1 *2 $1 f $1 v"),
        ("XGROUP SETID s g +", "+OK"),
        ("XADD s 1-2 f v", "$3 1-2"),
        ("XREADGROUP GROUP g a NOACK STREAMS s >", "*-1"),
        ("XGROUP DESTROY s g", ":1"),
        ("XGROUP DESTROY s g", ":0"),
        ("XGROUP DESTROY none g", NO_KEY),
        ("XGROUP SETID s g 0", "-NOGROUP No such consumer group 'g' for key name 's'"),
    ]);
}

#[test]
fn options_are_checked() {
    let wrong =
        |name: &str| format!("-ERR unknown subcommand or wrong number of arguments for '{name}'. Try XGROUP HELP.");
    let mut session = Session::new();
    session.expect(&[
        ("XGROUP CREATE s g 0 MKSTREAM ENTRIESREAD 5", "+OK"),
        ("XGROUP CREATE s twice 0 MKSTREAM MKSTREAM", "+OK"),
        ("XGROUP CREATE s h 0 ENTRIESREAD x", "-ERR value is not an integer or out of range"),
        ("XGROUP CREATE s h 0 ENTRIESREAD -2", "-ERR value for ENTRIESREAD must be positive or -1"),
        ("XGROUP CREATE s h 0 ENTRIESREAD", &wrong("CREATE")),
        ("XGROUP CREATE s h 0 MKSTREAM MKSTREAM MKSTREAM MKSTREAM", &wrong("CREATE")),
        ("XGROUP SETID s g 0 MKSTREAM", &wrong("SETID")),
        ("XGROUP SETID s g 0 ENTRIESREAD 1 ENTRIESREAD 1", &wrong("SETID")),
        ("SET k v", "+OK"),
        ("XGROUP CREATE k g 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn consumers_come_and_go() {
    const NO_GROUP: &str = "-NOGROUP No such consumer group 'h' for key name 's'";
    Session::new().expect(&[
        ("XADD s 1-1 f v", "$3 1-1"),
        ("XGROUP CREATE s g 0", "+OK"),
        ("XGROUP CREATECONSUMER s g a", ":1"),
        ("XGROUP CREATECONSUMER s g a", ":0"),
        ("XREADGROUP GROUP g a STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-1 *2 $1 f $1 v"),
        ("XADD s 1-2 f v", "$3 1-2"),
        ("XREADGROUP GROUP g a STREAMS s >", "*1 *2 $1 s *1 *2 $3 1-2 *2 $1 f $1 v"),
        ("XGROUP DELCONSUMER s g a", ":2"),
        ("XGROUP DELCONSUMER s g a", ":0"),
        ("XPENDING s g", "*4 :0 $-1 $-1 *-1"),
        ("XGROUP CREATECONSUMER s h a", NO_GROUP),
        ("XGROUP DELCONSUMER s h a", NO_GROUP),
        ("XGROUP CREATECONSUMER none h a", NO_KEY),
    ]);
}

#[test]
fn only_a_new_group_makes_a_stream() {
    let mut session = Session::new();
    session.expect(&[("XGROUP CREATE s g 0 MKSTREAM", "+OK")]);
    let refused = session.run("XGROUP SETID s g 0 MKSTREAM MKSTREAM");
    assert!(refused.starts_with("-ERR unknown subcommand or wrong number of arguments for 'SETID'"), "{refused}");
}

#[test]
fn how_many_entries_a_group_has_read_may_be_unknown() {
    let mut session = Session::new();
    session.expect(&[("XADD s 1-1 f v", "$3 1-1"), ("XGROUP CREATE s g 0 ENTRIESREAD 1", "+OK")]);
    assert!(session.run("XINFO GROUPS s").contains("entries-read :1 "));
    session.expect(&[("XGROUP SETID s g 0 ENTRIESREAD 0", "+OK")]);
    assert!(session.run("XINFO GROUPS s").contains("entries-read :0 "));
    session.expect(&[("XGROUP SETID s g 0 ENTRIESREAD -1", "+OK")]);
    assert!(session.run("XINFO GROUPS s").contains("entries-read $-1 "));
}
