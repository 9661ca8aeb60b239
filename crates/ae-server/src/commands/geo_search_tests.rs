use crate::testing::Session;

const SYNTAX: &str = "-ERR syntax error";
const TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const UNIT: &str = "-ERR unsupported unit provided. please use M, KM, FT, MI";
const NO_MEMBER: &str = "-ERR could not decode requested zset member";

/// Three places in Sicily, and one in Rome.
fn sicily() -> Session {
    let mut session = Session::new();
    session.run("GEOADD g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 13.583333 37.316667 Agrigento");
    session.run("GEOADD g 12.5 41.9 Rome");
    session.run("SET s str");
    session
}

#[test]
fn circles_and_boxes() {
    sicily().expect(&[
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km", "*3 $9 Agrigento $7 Palermo $7 Catania"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ASC", "*3 $7 Catania $9 Agrigento $7 Palermo"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC", "*3 $7 Palermo $9 Agrigento $7 Catania"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km DESC ASC", "*3 $7 Catania $9 Agrigento $7 Palermo"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYBOX 100000 400000 ft", "*1 $7 Catania"),
        ("GEOSEARCH g FROMMEMBER Palermo BYBOX 400 400 KM ASC", "*3 $7 Palermo $9 Agrigento $7 Catania"),
        ("GEOSEARCH g FROMMEMBER Palermo BYRADIUS 0 m", "*1 $7 Palermo"),
        ("GEOSEARCH g BYRADIUS 0 m FROMMEMBER Palermo", "*1 $7 Palermo"),
        ("GEOSEARCH g FROMLONLAT 0 0 BYRADIUS 1 m", "*0"),
        ("GEORADIUS g 15 37 200 km", "*3 $9 Agrigento $7 Palermo $7 Catania"),
        ("GEORADIUS_RO g 15 37 100 km", "*1 $7 Catania"),
        ("GEORADIUS g 15 37 inf km COUNT 1 DESC", "*1 $4 Rome"),
        ("GEORADIUSBYMEMBER g Agrigento 100 km ASC", "*2 $9 Agrigento $7 Palermo"),
        ("GEORADIUSBYMEMBER_RO g Agrigento 1 mi", "*1 $9 Agrigento"),
    ]);
}

#[test]
fn details() {
    let mut session = sicily();
    session.expect(&[
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 60 km WITHDIST", "*1 *2 $7 Catania $7 56.4413"),
        (
            "GEORADIUS g 15 37 60 km WITHCOORD WITHHASH WITHDIST WITHCOORD",
            "*1 *4 $7 Catania $7 56.4413 :3479447370796909 *2 $20 15.08726745843887329 $20 37.50266842333162032",
        ),
    ]);
    session.run("HELLO 3");
    session.expect(&[(
        "GEORADIUS g 15 37 60 km WITHCOORD WITHHASH WITHDIST",
        "*1 *4 $7 Catania $7 56.4413 :3479447370796909 *2 ,15.08726745843887329 ,37.50266842333162032",
    )]);
}

#[test]
fn some_of_them() {
    sicily().expect(&[
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 2", "*2 $7 Catania $9 Agrigento"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 DESC", "*1 $7 Palermo"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 3 COUNT 1", "*1 $7 Catania"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 ANY", "*1 $9 Agrigento"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 3 ANY", "*3 $9 Agrigento $7 Palermo $7 Catania"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ANY COUNT 2 DESC", "*2 $7 Palermo $9 Agrigento"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 100", "*3 $7 Catania $9 Agrigento $7 Palermo"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 0", "-ERR COUNT must be > 0"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT x", "-ERR value is not an integer or out of range"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km COUNT", SYNTAX),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 200 km ANY", "-ERR the ANY argument requires COUNT argument"),
    ]);
}

/// The answers of Redis: a part is sorted in another way than all.
#[test]
fn of_equally_distant_ones_the_same_are_left_as_in_redis() {
    let mut session = Session::new();
    session.run("GEOADD g 15.001 37 f1 15.002 37 f2 15.003 37 f3");
    (1..=12).for_each(|number| _ = session.run(&format!("GEOADD g 15 37 m{number}")));
    let eight = "*8 $2 f3 $2 f2 $2 f1 $3 m12 $2 m2 $2 m3 $2 m4 $2 m1";
    session.expect(&[
        ("GEOSEARCH g FROMLONLAT 15.003 37 BYRADIUS 20 km COUNT 8", eight),
        ("GEOSEARCH g FROMLONLAT 15.003 37 BYRADIUS 20 km ASC COUNT 6", "*6 $2 f3 $2 f2 $2 f1 $3 m12 $2 m2 $2 m3"),
        ("GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 20 km DESC COUNT 8", eight),
        (
            "GEOSEARCH g FROMLONLAT 15 37 BYRADIUS 20 km DESC",
            "*15 $2 f3 $2 f2 $2 f1 $2 m1 $3 m10 $3 m11 $3 m12 $2 m2 $2 m3 $2 m4 $2 m5 $2 m6 $2 m7 $2 m8 $2 m9",
        ),
    ]);
}

#[test]
fn storing() {
    sicily().expect(&[
        ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km", ":3"),
        ("GEOHASH d Palermo", "*1 $11 sqc8b49rny0"),
        ("GEOSEARCHSTORE d g FROMLONLAT 15 37 BYRADIUS 200 km COUNT 1 STOREDIST", ":1"),
        ("GEOHASH d Catania", "*1 $11 00bh0hbj2f0"),
        ("GEORADIUS g 15 37 200 km STORE d STOREDIST d COUNT 1", ":1"),
        ("GEOHASH d Catania", "*1 $11 00bh0hbj2f0"),
        ("GEORADIUS g 15 37 200 km STOREDIST d STORE d", ":3"),
        ("GEOHASH d Palermo", "*1 $11 sqc8b49rny0"),
        ("GEORADIUSBYMEMBER g Rome 1 km STORE g", ":1"),
        ("GEOPOS g Palermo", "*1 *-1"),
        ("GEOSEARCHSTORE s g FROMMEMBER Rome BYRADIUS 1 km", ":1"),
        ("TYPE s", "+zset"),
        ("GEOSEARCHSTORE s g FROMLONLAT 0 0 BYRADIUS 1 km", ":0"),
        ("EXISTS s", ":0"),
        ("GEORADIUSBYMEMBER none x 1 km STORE d", ":0"),
        ("EXISTS d", ":0"),
    ]);
}

#[test]
fn errors_come_in_redis_s_order() {
    sicily().expect(&[
        ("GEOSEARCH s x x x x x", TYPE),
        ("GEOSEARCH g FROMMEMBER none BYRADIUS x x", NO_MEMBER),
        ("GEOSEARCH g FROMMEMBER Rome BYRADIUS x x", "-ERR need numeric radius"),
        ("GEOSEARCH g FROMMEMBER Rome BYRADIUS -1 x", "-ERR radius cannot be negative"),
        ("GEOSEARCH g FROMMEMBER Rome BYRADIUS 1 x", UNIT),
        ("GEOSEARCH g FROMMEMBER Rome BYBOX x x m", "-ERR need numeric width"),
        ("GEOSEARCH g FROMMEMBER Rome BYBOX -1 x m", "-ERR need numeric height"),
        ("GEOSEARCH g FROMMEMBER Rome BYBOX 1 -1 x", "-ERR height or width cannot be negative"),
        ("GEOSEARCH g FROMLONLAT 200 1 BYRADIUS 1 x", "-ERR invalid longitude,latitude pair 200.000000,1.000000"),
        ("GEOSEARCH g FROMLONLAT 1 2 FROMMEMBER Rome BYRADIUS 1 m", SYNTAX),
        ("GEOSEARCH g FROMMEMBER Rome FROMLONLAT 1 2 BYRADIUS 1 m", SYNTAX),
        ("GEOSEARCH g FROMMEMBER Rome BYRADIUS 1 m BYBOX 1 1 m", SYNTAX),
        ("GEOSEARCH g FROMMEMBER Rome BYBOX 1 1 m BYRADIUS 1 m", SYNTAX),
        ("GEOSEARCH g FROMMEMBER Rome BYRADIUS 1 m STORE x", SYNTAX),
        ("GEOSEARCH g FROMMEMBER Rome BYRADIUS 1 m STOREDIST", SYNTAX),
        (
            "geoSearch g BYRADIUS 1 m COUNT 1 ASC",
            "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for geoSearch",
        ),
        (
            "GEOSEARCH g FROMMEMBER Rome COUNT 1 ASC",
            "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH",
        ),
        (
            "GEOSEARCHSTORE d g BYRADIUS 1 m ASC WITHDIST ANY",
            "-ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        ),
        (
            "GEORADIUS g 1 2 3 m STORE d WITHHASH",
            "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        ),
        ("GEORADIUS g 200 1 x x", "-ERR invalid longitude,latitude pair 200.000000,1.000000"),
        ("GEORADIUS g 1 1 1 m STORE", SYNTAX),
        ("GEORADIUS g 1 1 1 m FROMMEMBER Rome", SYNTAX),
        ("GEORADIUS g 1 1 1 m FROMLONLAT 1 2", SYNTAX),
        ("GEORADIUS g 1 1 1 m BYRADIUS 1 m", SYNTAX),
        ("GEORADIUS g 1 1 1 m BYBOX 1 1 m", SYNTAX),
        ("GEORADIUS_RO g 1 1 1 m STORE d", SYNTAX),
        ("GEORADIUSBYMEMBER_RO g Rome 1 m STOREDIST d", SYNTAX),
        ("GEORADIUSBYMEMBER g none x x", NO_MEMBER),
        ("GEORADIUSBYMEMBER s none x x", TYPE),
    ]);
}

#[test]
fn options_have_all_their_words() {
    for options in [
        "ASC BYRADIUS 1 m FROMMEMBER",
        "BYRADIUS 1 m FROMLONLAT 1",
        "ASC FROMMEMBER Rome BYRADIUS 1",
        "FROMMEMBER Rome BYBOX 1 1",
        "FROMMEMBER Rome BYRADIUS 1 m COUNT",
    ] {
        Session::new().expect(&[(&format!("GEOSEARCH none {options}"), SYNTAX)]);
    }
}

#[test]
fn without_a_key() {
    Session::new().expect(&[
        ("GEOSEARCH none FROMMEMBER a FROMMEMBER b BYRADIUS 1 m", "*0"),
        ("GEOSEARCH none FROMMEMBER a FROMLONLAT 1 2 BYRADIUS 1 m", SYNTAX),
        ("GEOSEARCH none FROMMEMBER a BYRADIUS x m", "-ERR need numeric radius"),
        ("GEORADIUS none 1 2 1 x", UNIT),
        ("GEORADIUSBYMEMBER none a x x", "*0"),
        ("GEORADIUSBYMEMBER none a x x foo", SYNTAX),
    ]);
}

#[test]
fn events() {
    let lines = [
        "GEOSEARCHSTORE d g FROMMEMBER Rome BYRADIUS 1 km",
        "GEORADIUS g 15 37 200 km STORE d",
        "GEORADIUS g 0 0 1 km STOREDIST d",
        "GEORADIUS none 0 0 1 km STORE g",
    ];
    assert_eq!(sicily().events(&lines), ["geosearchstore", "georadiusstore", "del", "del"]);
}
