use crate::testing::Session;

#[test]
fn times_to_wait_are_checked() {
    Session::new().expect(&[
        ("BZPOPMIN z x", "-ERR timeout is not a float or out of range"),
        ("BZPOPMAX z -1", "-ERR timeout is negative"),
        ("BZMPOP -1 1 z MIN", "-ERR timeout is negative"),
    ]);
}

#[test]
fn popping() {
    Session::new().expect(&[
        ("ZADD z 1 a 2 b 3 c 4 d 5 e", ":5"),
        ("ZPOPMIN z", "*2 $1 a $1 1"),
        ("ZPOPMAX z 2", "*4 $1 e $1 5 $1 d $1 4"),
        ("ZPOPMIN z 0", "*0"),
        ("ZPOPMIN none 0", "*0"),
        ("ZPOPMIN z -1", "-ERR value is out of range, must be positive"),
        ("ZPOPMIN z x", "-ERR value is out of range, must be positive"),
        ("ZPOPMIN z 1 2", "-ERR syntax error"),
        ("ZPOPMIN z 100", "*4 $1 b $1 2 $1 c $1 3"),
        ("EXISTS z", ":0"),
    ]);
}

#[test]
fn from_several() {
    Session::new().expect(&[
        ("ZADD b 1 x 2 y 3 z", ":3"),
        ("ZMPOP 2 a b MIN", "*2 $1 b *1 *2 $1 x $1 1"),
        ("ZMPOP 2 a b max COUNT 9", "*2 $1 b *2 *2 $1 z $1 3 *2 $1 y $1 2"),
        ("ZMPOP 2 a b MAX", "*-1"),
        ("ZMPOP 0 a MIN", "-ERR numkeys should be greater than 0"),
        ("ZMPOP x a MIN", "-ERR numkeys should be greater than 0"),
        ("ZMPOP 9 a MIN", "-ERR syntax error"),
        ("ZMPOP 1 a LOW", "-ERR syntax error"),
        ("ZMPOP 1 a MIN COUNT 0", "-ERR count should be greater than 0"),
        ("ZMPOP 1 a MIN COUNT", "-ERR syntax error"),
        ("ZMPOP 1 a MIN COUNT 1 COUNT 1", "-ERR syntax error"),
        ("BZMPOP x 1 a LOW", "-ERR syntax error"),
        ("BZMPOP x 1 a MIN", "-ERR timeout is not a float or out of range"),
        ("SET s v", "+OK"),
        ("ZPOPMIN s 0", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("ZMPOP 2 s b MIN", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("BZPOPMIN s 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ]);
}

#[test]
fn pairs_in_resp3() {
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("ZADD z 1 a 2 b 3 c 4 d 5 e", ":5"),
        ("ZPOPMIN z", "*2 $1 a ,1"),
        ("ZPOPMIN z 1", "*1 *2 $1 b ,2"),
        ("BZPOPMAX z 0", "*3 $1 z $1 e ,5"),
        ("ZMPOP 1 z MIN COUNT 2", "*2 $1 z *2 *2 $1 c ,3 *2 $1 d ,4"),
        ("ZMPOP 1 z MIN", "_"),
    ]);
}

#[test]
fn waiting() {
    let mut session = Session::new();
    let (mut first, mut second, mut third) = (session.other(), session.other(), session.other());
    assert_eq!(session.run_as(&mut first, "BZPOPMIN a b 0"), "");
    session.run_as(&mut second, "BZPOPMAX b 0.5");
    session.run_as(&mut third, "BZMPOP 0 2 a b MAX COUNT 10");
    // Something else at a key is of no interest, and stays.
    session.expect(&[("SET b v", "+OK"), ("DEL b", ":1"), ("ZADD b 1 x 2 y 3 z 4 zz", ":4"), ("EXISTS b", ":0")]);
    assert_eq!(session.received(&mut first), "*3 $1 b $1 x $1 1");
    assert_eq!(session.received(&mut second), "*3 $1 b $2 zz $1 4");
    assert_eq!(session.received(&mut third), "*2 $1 b *2 *2 $1 z $1 3 *2 $1 y $1 2");
    session.run_as(&mut first, "BZMPOP 0.1 1 a MIN");
    session.wait(100);
    assert_eq!(session.received(&mut first), "*-1");
    session.expect(&[("MULTI", "+OK"), ("BZPOPMIN a 0", "+QUEUED"), ("EXEC", "*1 *-1")]);
}
