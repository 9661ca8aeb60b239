use crate::testing::Session;

#[test]
fn moving() {
    Session::new().expect(&[
        ("RPUSH a 1 2 3", ":3"),
        ("LMOVE a b LEFT RIGHT", "$1 1"),
        ("LMOVE a b right left", "$1 3"),
        ("RPOPLPUSH a b", "$1 2"),
        ("EXISTS a", ":0"),
        ("LRANGE b 0 -1", "*3 $1 2 $1 3 $1 1"),
        ("RPOPLPUSH b b", "$1 1"),
        ("LMOVE b b LEFT LEFT", "$1 1"),
        ("LRANGE b 0 -1", "*3 $1 1 $1 2 $1 3"),
        ("LMOVE b b LEFT RIGHT", "$1 1"),
        ("BLMOVE b c RIGHT LEFT 0", "$1 1"),
        ("BRPOPLPUSH b c 0", "$1 3"),
        ("LRANGE c 0 -1", "*2 $1 3 $1 1"),
        ("LMOVE a b LEFT RIGHT", "$-1"),
        ("LMOVE a b UP RIGHT", "-ERR syntax error"),
        ("BLMOVE a b LEFT DOWN x", "-ERR syntax error"),
        ("BLMOVE a b LEFT LEFT x", "-ERR timeout is not a float or out of range"),
        ("SET s v", "+OK"),
        ("BLMOVE s b LEFT LEFT x", "-ERR timeout is not a float or out of range"),
        ("BRPOPLPUSH s b -1", "-ERR timeout is negative"),
    ]);
}

#[test]
fn the_destination_s_type_matters_only_if_there_is_a_source() {
    Session::new().expect(&[
        ("SET s v", "+OK"),
        ("LMOVE none s LEFT LEFT", "$-1"),
        ("RPUSH a 1", ":1"),
        ("LMOVE a s LEFT LEFT", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("LLEN a", ":1"),
    ]);
}

#[test]
fn one_who_waits_for_the_destination_gets_the_element() {
    let mut session = Session::new();
    let (mut first, mut second, mut third) = (session.other(), session.other(), session.other());
    session.run_as(&mut first, "BLMOVE b c LEFT LEFT 0");
    session.run_as(&mut second, "BRPOPLPUSH a b 0");
    session.run_as(&mut third, "BLPOP c 0");
    session.expect(&[("RPUSH a x", ":1"), ("EXISTS a b c", ":0")]);
    for client in [&mut first, &mut second] {
        assert_eq!(session.received(client), "$1 x");
    }
    assert_eq!(session.received(&mut third), "*2 $1 c $1 x");
}

#[test]
fn a_circle_ends() {
    let mut session = Session::new();
    let (mut first, mut second) = (session.other(), session.other());
    session.run_as(&mut first, "BLMOVE a b LEFT LEFT 0");
    session.run_as(&mut second, "BLMOVE b a LEFT LEFT 0");
    session.expect(&[("RPUSH a x", ":1"), ("LRANGE a 0 -1", "*1 $1 x")]);
    let mut same = session.other();
    session.run_as(&mut same, "BLMOVE k k LEFT RIGHT 0");
    session.expect(&[("RPUSH k 1 2", ":2"), ("LRANGE k 0 -1", "*2 $1 2 $1 1")]);
    assert_eq!(session.received(&mut same), "$1 1");
}

#[test]
fn a_destination_of_another_type_leaves_the_element_to_the_next() {
    let mut session = Session::new();
    let (mut first, mut second) = (session.other(), session.other());
    session.run("SET s v");
    session.run_as(&mut first, "BLMOVE a s LEFT LEFT 0");
    session.run_as(&mut second, "BLPOP a 0");
    session.expect(&[("RPUSH a x", ":1")]);
    let wrong_type = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    assert_eq!(session.received(&mut first), wrong_type);
    assert_eq!(session.received(&mut second), "*2 $1 a $1 x");
}

#[test]
fn events_and_changes() {
    let mut session = Session::new();
    let events = |session: &mut Session, line: &str| {
        let before = session.server.databases.dirty;
        let events = session.events(&[line]).join(" ");
        (events, session.server.databases.dirty - before)
    };
    assert_eq!(events(&mut session, "RPUSH a 1 2 3"), ("rpush".into(), 3));
    assert_eq!(events(&mut session, "LMOVE a b LEFT RIGHT"), ("rpush lpop".into(), 1));
    assert_eq!(events(&mut session, "RPOPLPUSH a a"), ("lpush rpop".into(), 1));
    assert_eq!(events(&mut session, "RPOP a 2"), ("rpop del".into(), 2));
    assert_eq!(events(&mut session, "LMPOP 1 b LEFT"), ("lpop del".into(), 1));
    assert_eq!(events(&mut session, "RPUSH a 1"), ("rpush".into(), 1));
    assert_eq!(events(&mut session, "LTRIM a 0 0"), ("ltrim".into(), 0));
    assert_eq!(events(&mut session, "LTRIM a 1 0"), ("ltrim del".into(), 1));
}
