use crate::testing::Session;

#[test]
fn streams() {
    Session::new().expect(&[
        ("XINFO STREAM s", "-ERR no such key"),
        ("XADD s 1-1 f v", "$3 1-1"),
        ("XADD s 1-2 f v", "$3 1-2"),
        ("XDEL s 1-1", ":1"),
        (
            "XINFO STREAM s",
            "*20 $6 length :1 $15 radix-tree-keys :1 $16 radix-tree-nodes :2 $17 last-generated-id $3 1-2 \
             $20 max-deleted-entry-id $3 1-1 $13 entries-added :2 $23 recorded-first-entry-id $3 1-2 $6 groups :0 \
             $11 first-entry *2 $3 1-2 *2 $1 f $1 v $10 last-entry *2 $3 1-2 *2 $1 f $1 v",
        ),
        ("XDEL s 1-2", ":1"),
        (
            "XINFO STREAM s FULL COUNT 0",
            "*18 $6 length :0 $15 radix-tree-keys :0 $16 radix-tree-nodes :1 $17 last-generated-id $3 1-2 \
             $20 max-deleted-entry-id $3 1-2 $13 entries-added :2 $23 recorded-first-entry-id $3 0-0 $7 entries *0 \
             $6 groups *0",
        ),
        ("SET k v", "+OK"),
        ("XINFO STREAM k FOO", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("XINFO STREAM s FULL COUNT x", "-ERR value is not an integer or out of range"),
        (
            "XINFO STREAM s FULL FOO 1",
            "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
        ),
        ("XINFO STREAM s FOO", "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP."),
        (
            "XINFO STREAM s FULL COUNT",
            "-ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
        ),
    ]);
}

#[test]
fn groups_and_consumers() {
    let mut session = Session::new();
    session.expect(&[("XADD s 1-1 f v", "$3 1-1"), ("XADD s 1-2 f v", "$3 1-2"), ("XGROUP CREATE s g 0", "+OK")]);
    session.run("XREADGROUP GROUP g a COUNT 1 STREAMS s >");
    let now = session.server.now;
    session.wait(50);
    session.expect(&[
        ("XINFO CONSUMERS s g", "*1 *6 $4 name $1 a $7 pending :1 $4 idle :50"),
        ("XINFO CONSUMERS s h", "-NOGROUP No such consumer group 'h' for key name 's'"),
        ("XINFO CONSUMERS none h", "-ERR no such key"),
        (
            "XINFO GROUPS s",
            "*1 *12 $4 name $1 g $9 consumers :1 $7 pending :1 $17 last-delivered-id $3 1-1 $12 entries-read :1 $3 lag :1",
        ),
    ]);
    session.run("HELLO 3");
    let full = session.run("XINFO STREAM s FULL COUNT 1");
    let groups = full.split_once("$6 groups ").map(|(_, groups)| groups.to_string());
    assert_eq!(
        groups.unwrap(),
        format!(
            "*1 %7 $4 name $1 g $17 last-delivered-id $3 1-1 $12 entries-read :1 $3 lag :1 $9 pel-count :1 $7 pending \
             *1 *4 $3 1-1 $1 a :{now} :1 $9 consumers *1 %4 $4 name $1 a $9 seen-time :{now} $9 pel-count :1 $7 pending \
             *1 *3 $3 1-1 :{now} :1"
        )
    );
}

#[test]
fn a_full_description_shows_as_much_as_asked_for() {
    let mut session = Session::new();
    for id in 1..=12 {
        session.run(&format!("XADD s {id} f v"));
    }
    for (count, shown) in [("", 10), (" COUNT 0", 12), (" COUNT -1", 10), (" COUNT 3", 3)] {
        let full = session.run(&format!("XINFO STREAM s FULL{count}"));
        assert!(full.contains(&format!("$7 entries *{shown} ")), "{count}: {full}");
    }
}

#[test]
fn no_more_pending_entries_are_shown_than_asked_for() {
    let mut session = Session::new();
    session.expect(&[("XADD s 1-1 f v", "$3 1-1"), ("XADD s 2-1 f v", "$3 2-1"), ("XGROUP CREATE s g 0", "+OK")]);
    session.run("XREADGROUP GROUP g c STREAMS s >");
    let reply = session.run("XINFO STREAM s FULL COUNT 1");
    assert_eq!(reply.matches("$9 pel-count :2 $7 pending *1 ").count(), 2, "{reply}");
}

#[test]
fn maps_in_resp3() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[("XADD s 1-1 f 1", "$3 1-1"), ("XADD s 1-2 f 2", "$3 1-2")]);
    let info = session.run("XINFO STREAM s");
    assert!(info.starts_with("%10 $6 length :2 "), "{info}");
    let ends = "$11 first-entry *2 $3 1-1 *2 $1 f $1 1 $10 last-entry *2 $3 1-2 *2 $1 f $1 2";
    assert!(info.ends_with(ends), "{info}");
    assert!(session.run("XINFO STREAM s FULL").starts_with("%9 $6 length :2 "));
    session.run("XDEL s 1-1 1-2");
    assert!(session.run("XINFO STREAM s").ends_with("$11 first-entry _ $10 last-entry _"));
}

#[test]
fn nobody_has_been_idle_for_less_than_no_time() {
    let mut session = Session::new();
    session.expect(&[("XADD s 1-1 f v", "$3 1-1"), ("XGROUP CREATE s g 0", "+OK")]);
    session.run("XREADGROUP GROUP g a STREAMS s >");
    // Somebody sets the clock back.
    session.server.now -= 50;
    session.expect(&[
        ("XINFO CONSUMERS s g", "*1 *6 $4 name $1 a $7 pending :1 $4 idle :0"),
        ("XPENDING s g - + 1", "*1 *4 $3 1-1 $1 a :0 :1"),
    ]);
}
