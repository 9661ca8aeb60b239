use crate::config::choices::Allowed;
use crate::config::settings::Config;
use crate::testing::Session;

#[test]
fn who_may_use_it() {
    let refused = "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it \
                   from a local connection, otherwise you need to set this option in the configuration file, and then \
                   restart the server.";
    Session::with(Config::default()).expect(&[("DEBUG SLEEP 0", refused), ("DEBUG HELP", refused)]);
    let mut config = Config::default();
    config.security.debug_command = Allowed::Local;
    // Clients of tests are of the same host.
    Session::with(config).expect(&[("DEBUG SLEEP 0", "+OK"), ("DEBUG SLEEP x", "+OK")]);
    let unknown = "-ERR unknown subcommand or wrong number of arguments for";
    Session::new().expect(&[
        ("DEBUG NOSUCH", &format!("{unknown} 'NOSUCH'. Try DEBUG HELP.")),
        ("DEBUG SLEEP", &format!("{unknown} 'SLEEP'. Try DEBUG HELP.")),
        ("DEBUG JMAP", &format!("{unknown} 'JMAP'. Try DEBUG HELP.")),
    ]);
    assert!(Session::new().run("DEBUG HELP").contains("+SLEEP <seconds> "));
}

#[test]
fn what_only_redis_has() {
    Session::new().expect(&[
        ("DEBUG SEGFAULT", "-ERR this server has no DEBUG 'SEGFAULT'. Try DEBUG HELP."),
        ("DEBUG quicklist l 1", "-ERR this server has no DEBUG 'quicklist'. Try DEBUG HELP."),
    ]);
}

#[test]
fn hash_tables() {
    let mut session = Session::new();
    for line in ["MSET a 1 b 2", "EXPIRE a 100", "SADD s x y", "SADD integers 1", "HSET h f v", "ZADD z 1 m"] {
        session.run(line);
    }
    session.run("CONFIG SET hash-max-listpack-entries 0 zset-max-listpack-entries 0");
    session.run("HSET h2 f v g w");
    session.run("ZADD z2 1 m 2 n 3 o");
    let no_table = "-ERR The value stored at the specified key is not represented using an hash table";
    session.expect(&[
        ("DEBUG HTSTATS 0", "$75 [Dictionary HT]\n number of elements: 8\n[Expires HT]\n number of elements: 1\n"),
        ("DEBUG HTSTATS 16", "-ERR Out of range database"),
        ("DEBUG HTSTATS -1", "-ERR Out of range database"),
        ("DEBUG HTSTATS x", "-ERR value is not an integer or out of range"),
        ("DEBUG HTSTATS-KEY nothing", "-ERR no such key"),
        ("DEBUG HTSTATS-KEY s", "$23  number of elements: 2\n"),
        ("DEBUG HTSTATS-KEY h2", "$23  number of elements: 2\n"),
        ("DEBUG HTSTATS-KEY z2", "$23  number of elements: 3\n"),
        ("DEBUG HTSTATS-KEY a", no_table),
        ("DEBUG HTSTATS-KEY integers", no_table),
        ("DEBUG HTSTATS-KEY h", no_table),
        ("DEBUG HTSTATS-KEY z", no_table),
    ]);
    assert!(session.run("DEBUG HTSTATS 1").contains("[Expires HT]\nNo stats available for empty dictionaries\n"));
}

#[test]
fn replies_of_every_kind() {
    let attribute = "Some real reply following the attribute";
    Session::new().expect(&[
        ("DEBUG PROTOCOL string", "$11 Hello World"),
        ("DEBUG PROTOCOL integer", ":12345"),
        ("DEBUG PROTOCOL double", "$5 3.141"),
        ("DEBUG PROTOCOL bignum", "$37 1234567999999999999999999999999999999"),
        ("DEBUG PROTOCOL null", "$-1"),
        ("DEBUG PROTOCOL array", "*3 :0 :1 :2"),
        ("DEBUG PROTOCOL set", "*3 :0 :1 :2"),
        ("DEBUG PROTOCOL map", "*6 :0 :0 :1 :1 :2 :0"),
        ("DEBUG PROTOCOL attrib", &format!("$39 {attribute}")),
        ("DEBUG PROTOCOL push", "-ERR RESP2 is not supported by this command"),
        ("DEBUG PROTOCOL verbatim", "$25 This is a verbatim\nstring"),
        ("DEBUG PROTOCOL true", ":1"),
        ("DEBUG PROTOCOL false", ":0"),
    ]);
    let mut session = Session::new();
    session.run("HELLO 3");
    session.expect(&[
        ("DEBUG PROTOCOL string", "$11 Hello World"),
        ("DEBUG PROTOCOL double", ",3.141"),
        ("DEBUG PROTOCOL bignum", "(1234567999999999999999999999999999999"),
        ("DEBUG PROTOCOL null", "_"),
        ("DEBUG PROTOCOL set", "~3 :0 :1 :2"),
        ("DEBUG PROTOCOL map", "%3 :0 #f :1 #t :2 #f"),
        ("DEBUG PROTOCOL attrib", &format!("|1 $14 key-popularity *2 $7 key:123 :90 $39 {attribute}")),
        ("DEBUG PROTOCOL push", ">2 $16 server-cpu-usage :42 $40 Some real reply following the push reply"),
        ("DEBUG PROTOCOL verbatim", "=29 txt:This is a verbatim\nstring"),
        ("DEBUG PROTOCOL true", "#t"),
        ("DEBUG PROTOCOL false", "#f"),
    ]);
    assert!(session.run("DEBUG PROTOCOL x").starts_with("-ERR Wrong protocol type name. Please use one of"));
}

/// From redis-server 7.0.15.
#[test]
fn digests_are_those_of_redis() {
    let mut session = Session::new();
    session.expect(&[("DEBUG DIGEST", &format!("+{}", "0".repeat(40)))]);
    for line in ["SET s hello", "SET i 12345", "SET e x EX 1000", "RPUSH l a b 3", "SELECT 5", "SET s other"] {
        session.run(line);
    }
    session.expect(&[
        ("DEBUG DIGEST", "+e647ef0c5992e0f1539ee98d366ff38a9539a0f7"),
        ("SELECT 0", "+OK"),
        (
            "DEBUG DIGEST-VALUE s i e l nosuch",
            "*5 +36b23a1456b2dce2c3ed252c456761301dba8060 +e1cf90774e995ae03de66e8109dc5cb9d9c2dc83 \
             +0745672cb1bf060476eedeb8a28f5ffe1ff5a2be +09eb1fc9381ee92790d59930ab462945f8cd948b \
             +0000000000000000000000000000000000000000",
        ),
    ]);
}

#[test]
fn small_tools() {
    let mut session = Session::new();
    let id = session.server.replication.id.clone();
    session.expect(&[
        ("DEBUG POPULATE 3", "+OK"),
        ("GET key:2", "$7 value:2"),
        ("DEBUG POPULATE 2 other 3", "+OK"),
        ("GET other:1", "$3 val"),
        ("DEBUG POPULATE x", "-ERR value is out of range, must be positive"),
        ("DEBUG POPULATE -1", "-ERR value is out of range, must be positive"),
        ("DBSIZE", ":5"),
        ("DEBUG OBJECT nosuch", "-ERR no such key"),
        ("DEBUG ERROR \"MYERR some text\"", "-MYERR some text"),
        ("DEBUG DIGEST-VALUE", "*0"),
        ("DEBUG CHANGE-REPL-ID", "+OK"),
        ("DEBUG QUICKLIST-PACKED-THRESHOLD 100b", "+OK"),
        (
            "DEBUG QUICKLIST-PACKED-THRESHOLD x",
            "-ERR argument must be a memory value bigger than 1 and smaller than 4gb",
        ),
    ]);
    assert_ne!(session.server.replication.id, id);
    let object = session.run("DEBUG OBJECT key:1");
    assert!(
        object.starts_with("+Value at:0x")
            && object.contains(" refcount:1 encoding:embstr serializedlength:8 lru:")
            && object.ends_with(" lru_seconds_idle:0"),
        "{object}"
    );
    let lru = object.split(" lru:").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    assert!(lru.is_some_and(|seconds| seconds < 1 << 24), "{object}");
    session.run("SET volatile v PX 10");
    session.wait(20);
    assert!(session.run("DEBUG OBJECT volatile").starts_with("+Value at:0x"), "it has expired, and is still there");
    session.expect(&[("EVAL \"return redis.call('exists', 'volatile')\" 0", ":0")]);
    session.expect(&[("DEBUG OBJECT volatile", "-ERR no such key")]);
    session.run("RPUSH l a b c");
    session.wait(5000);
    let object = session.run("DEBUG OBJECT l");
    assert!(
        object.contains(" encoding:quicklist serializedlength:19 ")
            && object.ends_with(
                " lru_seconds_idle:5 ql_nodes:1 ql_avg_node:3.00 ql_listpack_max:-2 ql_compressed:0 \
                 ql_uncompressed_size:16"
            ),
        "{object}"
    );
    session.expect(&[
        ("DEBUG REPLYBUFFER RESIZING 0", "+OK"),
        ("DEBUG REPLYBUFFER PEAK-RESET-TIME never", "+OK"),
        ("DEBUG REPLYBUFFER PEAK-RESET-TIME x", "-ERR value is not an integer or out of range"),
    ]);
}

#[test]
fn keys_can_be_left_alone_when_they_expire() {
    let mut session = Session::new();
    session.expect(&[("DEBUG SET-ACTIVE-EXPIRE 0", "+OK"), ("SET k v PX 10", "+OK")]);
    session.wait(20);
    session.server.expire();
    session.expect(&[("DBSIZE", ":1"), ("DEBUG SET-ACTIVE-EXPIRE 1", "+OK")]);
    session.server.expire();
    session.expect(&[("DBSIZE", ":0")]);
}

/// As it has for a request that comes after it.
#[test]
fn what_expires_while_the_server_sleeps_has_gone_behind_that() {
    Session::new().expect(&[("SET k v PX 1", "+OK"), ("DEBUG SLEEP 0.002", "+OK"), ("GET k", "$-1")]);
}

#[test]
fn nobody_hears_of_strings_made_for_tests() {
    let mut session = Session::new();
    assert_eq!(session.events(&["DEBUG POPULATE 3", "SET k v"]), ["set"]);
}

#[test]
fn nothing_is_done_regularly_while_the_cron_is_paused() {
    let mut session = Session::new();
    session.expect(&[("DEBUG PAUSE-CRON 1", "+OK"), ("SET k v PX 1", "+OK")]);
    // The key's time has come, whatever the machine is busy with.
    std::thread::sleep(std::time::Duration::from_millis(2));
    session.server.cron();
    assert_eq!(session.server.databases.stats.expired, 0);
    session.expect(&[
        ("DEBUG PAUSE-CRON 0", "+OK"),
        ("DEBUG PAUSE-CRON x", "-ERR value is not an integer or out of range"),
    ]);
    session.server.cron();
    assert_eq!(session.server.databases.stats.expired, 1);
}

#[test]
fn streams_with_other_ids_have_other_digests() {
    let mut session = Session::new();
    let digests = ["1-1", "1-2", "2-1"].map(|id| {
        session.run("DEL s");
        session.run(&format!("XADD s {id} f v"));
        session.run("DEBUG DIGEST-VALUE s")
    });
    assert!(digests[0] != digests[1] && digests[0] != digests[2] && digests[1] != digests[2], "{digests:?}");
}

/// As C reads numbers: what is none is 0.
#[test]
fn switches_that_are_no_numbers_are_off() {
    let mut session = Session::new();
    session.expect(&[("DEBUG SET-ACTIVE-EXPIRE x", "+OK"), ("DEBUG SET-DISABLE-DENY-SCRIPTS 1", "+OK")]);
    assert!(!session.server.expires_actively && session.server.scripting.allows_all);
    session.expect(&[("DEBUG SET-ACTIVE-EXPIRE 1", "+OK"), ("DEBUG SET-DISABLE-DENY-SCRIPTS x", "+OK")]);
    assert!(session.server.expires_actively && !session.server.scripting.allows_all);
}

#[test]
fn the_greatest_threshold_is_a_little_less_than_4_gb() {
    let refused = "-ERR argument must be a memory value bigger than 1 and smaller than 4gb";
    Session::new().expect(&[
        ("DEBUG QUICKLIST-PACKED-THRESHOLD 0", "+OK"),
        ("DEBUG QUICKLIST-PACKED-THRESHOLD 4095mb", "+OK"),
        ("DEBUG QUICKLIST-PACKED-THRESHOLD 4293918721", refused),
        ("DEBUG QUICKLIST-PACKED-THRESHOLD x", refused),
    ]);
}

#[test]
fn strings_are_filled_with_zero_bytes() {
    Session::new().expect(&[
        ("DEBUG POPULATE 0", "+OK"),
        ("DBSIZE", ":0"),
        ("DEBUG POPULATE 2 k 9", "+OK"),
        ("GET k:1", "$9 value:1\0\0"),
        ("DEBUG POPULATE 1 short 3", "+OK"),
        ("GET short:0", "$3 val"),
    ]);
}

#[test]
fn an_error_that_was_asked_for_is_not_counted() {
    let mut session = Session::new();
    session.expect(&[("DEBUG ERROR 'OWN words'", "-OWN words"), ("INFO errorstats", "$14 # Errorstats ")]);
}

/// Those that redis-server 7.0.15 has for the same values.
#[test]
fn digests_of_pairs_and_streams_are_those_of_redis() {
    let mut session = Session::new();
    ["HSET h a 1", "XADD x 1-1 f v", "ZADD z 1.5 m"].iter().for_each(|request| drop(session.run(request)));
    session.expect(&[(
        "DEBUG DIGEST-VALUE h x z",
        "*3 +626a7b57a269f8f179a44902458ecb2f5920d35d +2ed9a7a81688084b1f7eae33456ef7727d357031 \
         +0b67afcf657d7aa53a5226bcca2f55ea7f2fff48",
    )]);
}
