use crate::testing::Session;

const NOT_AN_INTEGER: &str = "-ERR value is not an integer or out of range";
const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

#[test]
fn pushing() {
    Session::new().expect(&[
        ("RPUSH l b c", ":2"),
        ("LPUSH l a 0", ":4"),
        ("LRANGE l 0 -1", "*4 $1 0 $1 a $1 b $1 c"),
        ("LPUSHX l x", ":5"),
        ("RPUSHX l y z", ":7"),
        ("RPUSHX none x", ":0"),
        ("EXISTS none", ":0"),
        ("LLEN l", ":7"),
        ("LLEN none", ":0"),
        ("TYPE l", "+list"),
    ]);
}

#[test]
fn reading() {
    Session::new().expect(&[
        ("RPUSH l a b c", ":3"),
        ("LINDEX l 0", "$1 a"),
        ("LINDEX l -1", "$1 c"),
        ("LINDEX l 3", "$-1"),
        ("LINDEX l x", NOT_AN_INTEGER),
        ("LINDEX none x", "$-1"),
        ("LRANGE l 1 1", "*1 $1 b"),
        ("LRANGE l -2 -1", "*2 $1 b $1 c"),
        ("LRANGE l -100 100", "*3 $1 a $1 b $1 c"),
        ("LRANGE l 2 1", "*0"),
        ("LRANGE none 0 -1", "*0"),
        ("LRANGE none x 0", NOT_AN_INTEGER),
        ("LRANGE l 0 x", NOT_AN_INTEGER),
    ]);
}

#[test]
fn changing() {
    Session::new().expect(&[
        ("RPUSH l a b c", ":3"),
        ("LSET l 1 B", "+OK"),
        ("LSET l -1 C", "+OK"),
        ("LSET l 3 x", "-ERR index out of range"),
        ("LSET l x x", NOT_AN_INTEGER),
        ("LSET none x x", "-ERR no such key"),
        ("LINSERT l BEFORE B b", ":4"),
        ("LINSERT l after a 1", ":5"),
        ("LINSERT l AFTER none x", ":-1"),
        ("LINSERT none AFTER a x", ":0"),
        ("LINSERT none OVER a x", "-ERR syntax error"),
        ("LRANGE l 0 -1", "*5 $1 a $1 1 $1 b $1 B $1 C"),
        ("RPUSH l a 1 a", ":8"),
        ("LREM l -1 a", ":1"),
        ("LREM l 0 1", ":2"),
        ("LREM l 5 none", ":0"),
        ("LREM none 1 x", ":0"),
        ("LREM l x x", NOT_AN_INTEGER),
        ("LRANGE l 0 -1", "*5 $1 a $1 b $1 B $1 C $1 a"),
        ("LTRIM l 1 -2", "+OK"),
        ("LRANGE l 0 -1", "*3 $1 b $1 B $1 C"),
        ("LTRIM l 5 9", "+OK"),
        ("EXISTS l", ":0"),
        ("LTRIM l 5 9", "+OK"),
        ("LTRIM l 0 x", NOT_AN_INTEGER),
    ]);
}

#[test]
fn positions() {
    let mut session = Session::new();
    session.run("RPUSH l a b c 1 2 3 c c");
    session.expect(&[
        ("LPOS l c", ":2"),
        ("LPOS l c RANK -1", ":7"),
        ("LPOS l c RANK 2 RANK -1", ":7"),
        ("LPOS l c rank 2 count 0", "*2 :6 :7"),
        ("LPOS l c COUNT 2", "*2 :2 :6"),
        ("LPOS l c COUNT 0 RANK -1 MAXLEN 2", "*2 :7 :6"),
        ("LPOS l c COUNT 9223372036854775807 MAXLEN 9223372036854775807", "*3 :2 :6 :7"),
        ("LPOS l c MAXLEN 2", "$-1"),
        ("LPOS l none", "$-1"),
        ("LPOS l none COUNT 1", "*0"),
        ("LPOS none x COUNT 1", "*0"),
        ("LPOS none x", "$-1"),
        ("LPOS l c RANK -9223372036854775808", ":7"),
        ("LPOS l c RANK 9223372036854775807", "$-1"),
        ("LPOS l c RANK x", NOT_AN_INTEGER),
        ("LPOS l c COUNT x", "-ERR COUNT can't be negative"),
        ("LPOS l c MAXLEN -1", "-ERR MAXLEN can't be negative"),
        ("LPOS l c RANK", "-ERR syntax error"),
        ("LPOS l c WHAT 1", "-ERR syntax error"),
    ]);
    let zero = session.run("LPOS l c RANK 0");
    assert_eq!(
        zero,
        "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to \
         start from the end of the list"
    );
}

#[test]
fn another_type_is_refused() {
    let mut session = Session::new();
    session.run("SET s v");
    for line in [
        "LPUSH s a",
        "RPUSHX s a",
        "LLEN s",
        "LINDEX s x",
        "LRANGE s 0 1",
        "LSET s x x",
        "LINSERT s AFTER a b",
        "LREM s 0 a",
        "LTRIM s 0 1",
        "LPOS s a",
        "LPOP s",
        "RPOP s 0",
        "LMPOP 2 none s LEFT",
        "BLPOP none s 0",
        "BLMPOP 0 2 none s LEFT",
        "LMOVE s none LEFT LEFT",
        "BLMOVE s none LEFT LEFT 0",
    ] {
        assert_eq!(session.run(line), WRONG_TYPE, "{line}");
    }
    session.expect(&[("DBSIZE", ":1")]);
}

#[test]
fn an_error_changes_nothing() {
    let mut session = Session::new();
    session.run("RPUSH l a");
    let dirty = session.server.databases.dirty;
    session.run("LSET l x v");
    session.run("LSET l 5 v");
    session.run("LINSERT l AFTER none x");
    session.run("LREM l 0 none");
    session.run("LTRIM l 0 -1");
    assert_eq!(session.server.databases.dirty, dirty);
}
