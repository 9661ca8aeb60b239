//! Every command that takes a key, with keys of other types than it is for. A command without a row fails.

use super::{SPECS, TABLE};
use crate::command::context::Command;
use crate::command::spec::key_flag;
use crate::testing::Session;
use std::collections::BTreeSet;

/// A key of each type, which has its type's name.
const KEYS: [(&str, &str); 6] = [
    ("string", "SET string 10"),
    ("list", "RPUSH list 1 2"),
    ("set", "SADD set 1 2"),
    ("zset", "ZADD zset 1 a 2 b"),
    ("hash", "HSET hash f 1"),
    ("stream", "XADD stream 1-1 f 1"),
];

/// Requests, and the types that the key `k` may have. What another key is called says its type.
const ROWS: &[(&[&str], &str)] = &[
    (
        &["string"],
        "APPEND k v|BITCOUNT k|BITFIELD k GET u8 0|BITFIELD k SET u8 0 1|BITFIELD_RO k GET u8 0|BITOP AND d k",
    ),
    (&["string"], "BITOP AND d string k|BITPOS k 1|DECR k|DECRBY k 1|GET k|GETBIT k 0|GETDEL k|GETEX k|GETRANGE k 0 1"),
    (&["string"], "GETSET k v|INCR k|INCRBY k 1|INCRBYFLOAT k 1|LCS k string|LCS string k|PFADD k e|PFCOUNT k"),
    (
        &["string"],
        "PFDEBUG GETREG k|PFMERGE d k|PFMERGE k|SET k v GET|SETBIT k 0 1|SETRANGE k 0 v|STRLEN k|SUBSTR k 0 1",
    ),
    (
        &["list"],
        "BLMOVE k d LEFT RIGHT 0|BLMOVE list k LEFT RIGHT 0|BLMPOP 0 1 k LEFT|BLPOP k 0|BRPOP k 0|BRPOPLPUSH k d 0",
    ),
    (
        &["list"],
        "BRPOPLPUSH list k 0|LINDEX k 0|LINSERT k BEFORE 1 v|LLEN k|LMOVE k d LEFT RIGHT|LMOVE list k LEFT RIGHT",
    ),
    (
        &["list"],
        "LMPOP 1 k LEFT|LPOP k|LPOS k v|LPUSH k v|LPUSHX k v|LRANGE k 0 1|LREM k 0 v|LSET k 0 v|LTRIM k 0 1|RPOP k",
    ),
    (&["list"], "RPOPLPUSH k d|RPOPLPUSH list k|RPUSH k v|RPUSHX k v"),
    (
        &["set"],
        "SADD k m|SCARD k|SDIFF k|SDIFF set k|SDIFFSTORE d k|SDIFFSTORE d set k|SINTER k|SINTER set k|SINTERCARD 1 k",
    ),
    (
        &["set"],
        "SINTERCARD 2 set k|SINTERSTORE d k|SISMEMBER k 1|SMEMBERS k|SMISMEMBER k 1|SMOVE k d 1|SMOVE set k 1|SPOP k",
    ),
    (&["set"], "SPOP k 1|SRANDMEMBER k|SRANDMEMBER k 1|SREM k 1|SSCAN k 0|SUNION k|SUNION set k|SUNIONSTORE d k"),
    (
        &["zset"],
        "BZMPOP 0 1 k MIN|BZPOPMAX k 0|BZPOPMIN k 0|GEOADD k 1 1 m|GEODIST k a b|GEOHASH k a|GEOPOS k a|ZADD k 1 m",
    ),
    (&["zset"], "GEORADIUS k 1 1 1 m|GEORADIUS_RO k 1 1 1 m|GEORADIUSBYMEMBER k a 1 m|GEORADIUSBYMEMBER_RO k a 1 m"),
    (
        &["zset"],
        "GEOSEARCH k FROMMEMBER a BYRADIUS 1 m|GEOSEARCHSTORE d k FROMMEMBER a BYRADIUS 1 m|ZCARD k|ZCOUNT k 0 1",
    ),
    (
        &["zset"],
        "ZINCRBY k 1 a|ZLEXCOUNT k - +|ZMPOP 1 k MIN|ZMSCORE k a|ZPOPMAX k|ZPOPMIN k|ZRANDMEMBER k|ZRANGE k 0 1",
    ),
    (
        &["zset"],
        "ZRANGEBYLEX k - +|ZRANGEBYSCORE k 0 1|ZRANGESTORE d k 0 1|ZRANK k a|ZREM k a|ZREMRANGEBYLEX k - +|ZREVRANK k a",
    ),
    (
        &["zset"],
        "ZREMRANGEBYRANK k 0 1|ZREMRANGEBYSCORE k 0 1|ZREVRANGE k 0 1|ZREVRANGEBYLEX k + -|ZREVRANGEBYSCORE k 1 0",
    ),
    (&["zset"], "ZSCAN k 0|ZSCORE k a"),
    (
        &["set", "zset"],
        "ZDIFF 1 k|ZDIFF 2 zset k|ZDIFFSTORE d 1 k|ZINTER 1 k|ZINTER 2 zset k|ZINTERCARD 1 k|ZINTERSTORE d 1 k",
    ),
    (&["set", "zset"], "ZUNION 1 k|ZUNION 2 zset k|ZUNIONSTORE d 1 k"),
    (&["list", "set", "zset"], "SORT k ALPHA|SORT k BY nosort|SORT k ALPHA STORE d|SORT_RO k ALPHA"),
    (
        &["hash"],
        "HDEL k f|HEXISTS k f|HGET k f|HGETALL k|HINCRBY k f 1|HINCRBYFLOAT k f 1|HKEYS k|HLEN k|HMGET k f|HMSET k f v",
    ),
    (&["hash"], "HRANDFIELD k|HRANDFIELD k 1|HSCAN k 0|HSET k f v|HSETNX k f v|HSTRLEN k f|HVALS k"),
    (
        &["stream"],
        "XACK k g 1|XADD k * f v|XAUTOCLAIM k g c 0 0|XCLAIM k g c 0 1|XDEL k 1|XGROUP CREATE k g 0|XGROUP DESTROY k g",
    ),
    (
        &["stream"],
        "XGROUP CREATECONSUMER k g c|XGROUP DELCONSUMER k g c|XGROUP SETID k g 0|XINFO CONSUMERS k g|XINFO GROUPS k",
    ),
    (
        &["stream"],
        "XINFO STREAM k|XLEN k|XPENDING k g|XRANGE k - +|XREAD STREAMS k 0|XREAD BLOCK 0 STREAMS k $|XREVRANGE k + -",
    ),
    (&["stream"], "XREADGROUP GROUP g c STREAMS k >|XSETID k 9|XTRIM k MAXLEN 1"),
];

/// Requests for which the type of the key `k` makes no difference.
const ANY_TYPE: &str = "COPY k d|COPY string k|DEL k|DUMP k|EVAL 'return 1' 1 k|EVAL_RO 'return 1' 1 k|EVALSHA x 1 k|\
    EVALSHA_RO x 1 k|EXISTS k|EXPIRE k 1|EXPIREAT k 1|EXPIRETIME k|FCALL f 1 k|FCALL_RO f 1 k|MEMORY USAGE k|MGET k|\
    MIGRATE h 1 k 0 1|MOVE k 1|MSET k v|MSETNX k v|OBJECT ENCODING k|OBJECT FREQ k|OBJECT IDLETIME k|OBJECT REFCOUNT k|\
    PERSIST k|PEXPIRE k 1|PEXPIREAT k 1|PEXPIRETIME k|PSETEX k 1 v|PTTL k|RENAME k d|RENAME string k|RENAMENX k d|\
    RESTORE k 0 x|RESTORE-ASKING k 0 x|SET k v|SETEX k 1 v|SETNX k v|TOUCH k|TTL k|TYPE k|UNLINK k|WATCH k|\
    BITOP AND k string|GEORADIUS zset 1 1 1 m STORE k|GEOSEARCHSTORE k zset FROMMEMBER a BYRADIUS 1 m|SDIFFSTORE k set|\
    SINTERSTORE k set|SORT list STORE k|SUNIONSTORE k set|ZDIFFSTORE k 1 zset|ZINTERSTORE k 1 zset|ZRANGESTORE k zset 0 1|\
    ZUNIONSTORE k 1 zset";

fn requests() -> impl Iterator<Item = (&'static [&'static str], &'static str)> {
    ROWS.iter().flat_map(|(types, requests)| requests.split('|').map(|request| (*types, request)))
}

fn command(request: &str) -> &'static Command {
    let mut words = request.split(' ');
    let command = TABLE.find(words.next().unwrap().as_bytes()).expect(request);
    command
        .subcommands
        .iter()
        .find(|sub| request.split(' ').nth(1).unwrap().eq_ignore_ascii_case(sub.spec.name))
        .unwrap_or(command)
}

#[test]
fn every_command_with_keys_has_a_row() {
    let all = requests().map(|(_, request)| request).chain(ANY_TYPE.split('|'));
    let rows: BTreeSet<&str> = all.map(|request| command(request).spec.full_name).collect();
    let has_keys =
        |keys: &[_]| keys.iter().any(|key: &crate::command::spec::KeySpec| key.flags & key_flag::NOT_KEY == 0);
    let without = SPECS.iter().filter(|spec| has_keys(spec.keys) && !rows.contains(spec.full_name));
    assert_eq!(without.map(|spec| spec.full_name).collect::<Vec<_>>(), [""; 0]);
}

/// A session with a key of each type, and the request for one of them.
fn with_key(kind: &str, request: &str) -> (Session, String) {
    let mut session = Session::new();
    KEYS.iter().for_each(|(_, request)| _ = session.run(request));
    session.run("XGROUP CREATE stream g 0");
    let words: Vec<&str> = request.split(' ').map(|word| if word == "k" { kind } else { word }).collect();
    (session, words.join(" "))
}

#[test]
fn a_key_of_another_type_is_refused_and_stays() {
    for (types, request) in requests() {
        for (kind, _) in KEYS {
            let (mut session, request) = with_key(kind, request);
            let before = (session.run("DEBUG DIGEST"), session.server.databases.dirty);
            let reply = session.run(&request);
            // One command has words of its own.
            let refusal = match request.starts_with("LCS ") {
                true => "-ERR The specified keys must contain string values",
                false => "-WRONGTYPE Operation against a key holding the wrong kind of value",
            };
            let refused = reply == refusal;
            assert_eq!(refused, !types.contains(&kind), "{request}: {reply}");
            if refused {
                assert_eq!((session.run("DEBUG DIGEST"), session.server.databases.dirty), before, "{request}");
            }
        }
    }
}

#[test]
fn some_commands_take_a_key_of_any_type() {
    for request in ANY_TYPE.split('|') {
        for (kind, _) in KEYS {
            let (mut session, request) = with_key(kind, request);
            let reply = session.run(&request);
            assert!(!reply.starts_with("-WRONGTYPE"), "{request}: {reply}");
        }
    }
}
