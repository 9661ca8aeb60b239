//! What each write command tells others of what it changed: a row for each command at least, so that none is forgotten.

use crate::clients::client::ClientRef;
use crate::command::spec::SPECS;
use crate::testing::Session;
use resp::{Limits, RequestParser};

/// A request that changes something, and what becomes of it.
struct Row {
    /// What comes before it, separated by `;`.
    before: &'static str,
    request: &'static str,
    /// By how much INFO's `rdb_changes_since_last_save` grows.
    changes: u64,
    /// The keyspace events, with the keys that they happen to.
    events: &'static str,
    /// What the append-only file and replicas get. `=`: the request itself.
    told: &'static str,
    /// Whether a transaction of another client that watches the key `k` fails.
    fails_watcher: bool,
}

const fn row(
    before: &'static str,
    request: &'static str,
    changes: u64,
    events: &'static str,
    told: &'static str,
    fails_watcher: bool,
) -> Row {
    Row { before, request, changes, events, told, fails_watcher }
}

/// Write commands without a row: MIGRATE needs another server, and the payload of FUNCTION RESTORE is no text.
const ELSEWHERE: [&str; 2] = ["migrate", "function|restore"];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // Strings.
    row("SET k a", "APPEND k b", 1, "append k", "=", true),
    row("", "BITFIELD k SET u8 0 1 SET u8 8 2 GET u8 0", 2, "setbit k", "=", true),
    row("SET a x", "BITOP NOT k a", 1, "set k", "=", true),
    row("SET k x", "BITOP AND k none", 1, "del k", "=", true),
    row("SET k 5", "DECR k", 1, "incrby k", "=", true),
    row("", "DECRBY k 2", 1, "incrby k", "=", true),
    row("SET k v", "GETDEL k", 1, "del k", "DEL k", true),
    row("SET k v", "GETEX k PXAT 9999999999999", 1, "expire k", "PEXPIREAT k 9999999999999", true),
    row("SET k v PX 1000", "GETEX k PERSIST", 1, "persist k", "PERSIST k", true),
    row("SET k v PX 1000", "GETSET k w", 1, "set k", "SET k w", true),
    row("", "INCR k", 1, "incrby k", "=", true),
    row("SET k 1", "INCRBY k 2", 1, "incrby k", "=", true),
    row("SET k 1 PX 1000", "INCRBYFLOAT k 0.5", 1, "incrbyfloat k", "SET k 1.5 KEEPTTL", true),
    row("SET a 1", "MSET a 2 k 3", 2, "set a, set k", "=", true),
    row("", "MSETNX a 2 k 3", 2, "set a, set k", "=", true),
    row("", "PSETEX k 1000 v", 1, "set k, expire k", "SET k v PXAT 2000", true),
    row("", "SET k v", 1, "set k", "=", true),
    row("SET k v PX 1000", "SET k w", 1, "set k", "=", true),
    row("", "SET get get GET", 1, "set get", "SET get get", false),
    row("SET k 1", "SET k v XX GET KEEPTTL", 1, "set k", "SET k v XX KEEPTTL", true),
    row("", "SETBIT k 7 1", 1, "setbit k", "=", true),
    row("", "SETEX k 1 v", 1, "set k, expire k", "SET k v PXAT 2000", true),
    row("", "SETNX k v", 1, "set k", "=", true),
    row("SET k abc", "SETRANGE k 1 x", 1, "setrange k", "=", true),
    // HyperLogLogs.
    row("", "PFADD k a b", 3, "pfadd k", "=", true),
    row("PFADD k a", "PFDEBUG TODENSE k", 1, "", "=", true),
    row("PFADD a x", "PFMERGE k a", 1, "pfadd k", "=", true),
    // Keys.
    row("SET a v", "COPY a k", 1, "copy_to k", "=", true),
    row("SET k v;SET a v", "DEL k none a", 2, "del k, del a", "=", true),
    row("SET k v", "EXPIRE k 1 NX", 1, "expire k", "PEXPIREAT k 2000 NX", true),
    row("SET k v", "EXPIRE k -1", 1, "del k", "DEL k", true),
    row("SET k v", "EXPIREAT k 9999999999", 1, "expire k", "PEXPIREAT k 9999999999000", true),
    row("SET k v", "MOVE k 1", 1, "move_from k, move_to k", "=", true),
    row("SET k v PX 1000", "PERSIST k", 1, "persist k", "=", true),
    row("SET k v", "PEXPIRE k 1 NX", 1, "expire k", "PEXPIREAT k 1001 NX", true),
    row("SET k v", "PEXPIREAT k 9999999999999", 1, "expire k", "=", true),
    row("SET a v;SET k v", "RENAME a k", 1, "rename_from a, rename_to k", "=", true),
    row("SET a v", "RENAMENX a k", 1, "rename_from a, rename_to k", "=", true),
    row("", "RESTORE k 0 PAYLOAD", 1, "restore k", "=", true),
    row("", "RESTORE k 9999999999999 PAYLOAD ABSTTL", 1, "restore k", "=", true),
    row("", "RESTORE k 9 PAYLOAD", 1, "restore k", "RESTORE k 1009 PAYLOAD ABSTTL", true),
    row("", "RESTORE-ASKING k 0 PAYLOAD", 1, "restore k", "=", true),
    row("RPUSH a 2 1", "SORT a STORE k", 1, "sortstore k", "=", true),
    row("SET k v", "UNLINK k", 1, "del k", "=", true),
    // Lists.
    row("RPUSH a x y", "BLMOVE a k LEFT RIGHT 0", 1, "rpush k, lpop a", "LMOVE a k LEFT RIGHT", true),
    row("RPUSH a x", "BLMOVE a k LEFT RIGHT 0", 1, "rpush k, lpop a, del a", "LMOVE a k LEFT RIGHT", true),
    row("RPUSH k a b c", "BLMPOP 0 2 none k LEFT COUNT 2", 2, "lpop k", "LPOP k 2", true),
    row("RPUSH k a b c", "BLPOP none k 0", 1, "lpop k", "LPOP k", true),
    row("RPUSH k a", "BRPOP none k 0", 1, "rpop k, del k", "RPOP k", true),
    row("RPUSH a x y", "BRPOPLPUSH a k 0", 1, "lpush k, rpop a", "RPOPLPUSH a k", true),
    row("RPUSH k a", "LINSERT k AFTER a b", 1, "linsert k", "=", true),
    row("RPUSH k a b", "LMOVE k k LEFT LEFT", 1, "lpush k, lpop k", "=", true),
    row("RPUSH k a b", "LMOVE k k LEFT RIGHT", 1, "rpush k, lpop k", "=", true),
    row("RPUSH k a b", "LMPOP 2 none k RIGHT COUNT 5", 2, "rpop k, del k", "RPOP k 2", true),
    row("RPUSH k a b c", "LPOP k 2", 2, "lpop k", "=", true),
    row("RPUSH k a b c", "LPOP k", 1, "lpop k", "=", true),
    row("", "LPUSH k a b", 2, "lpush k", "=", true),
    row("RPUSH k a", "LPUSHX k b c", 2, "lpush k", "=", true),
    row("RPUSH k a b a c", "LREM k 0 a", 2, "lrem k", "=", true),
    row("RPUSH k a b", "LSET k 0 x", 1, "lset k", "=", true),
    row("RPUSH k a b c", "LTRIM k 2 -1", 2, "ltrim k", "=", true),
    row("RPUSH k a b c", "LTRIM k 0 -1", 0, "ltrim k", "", true),
    row("RPUSH k a b c", "LTRIM k 5 6", 3, "ltrim k, del k", "=", true),
    row("RPUSH k a b c", "RPOP k 2", 2, "rpop k", "=", true),
    row("RPUSH a x", "RPOPLPUSH a k", 1, "lpush k, rpop a, del a", "=", true),
    row("", "RPUSH k a b", 2, "rpush k", "=", true),
    row("RPUSH k a", "RPUSHX k b c", 2, "rpush k", "=", true),
    // Hashes.
    row("HSET k f v g w", "HDEL k f g", 2, "hdel k, del k", "=", true),
    row("HSET k f 1", "HINCRBY k f 2", 1, "hincrby k", "=", true),
    row("HSET k f 1", "HINCRBYFLOAT k f 0.5", 1, "hincrbyfloat k", "HSET k f 1.5", true),
    row("", "HMSET k f v g w", 2, "hset k", "=", true),
    row("HSET k f v", "HSET k f w g w", 2, "hset k", "=", true),
    row("", "HSETNX k f v", 1, "hset k", "=", true),
    // Sets.
    row("SADD k a", "SADD k a b c", 2, "sadd k", "=", true),
    row("SADD a x y", "SDIFFSTORE k a b", 1, "sdiffstore k", "=", true),
    row("SADD a x y", "SINTERSTORE k a", 1, "sinterstore k", "=", true),
    row("SADD k x", "SINTERSTORE k a", 1, "del k", "=", true),
    row("SADD a x;SADD k y", "SMOVE a k x", 2, "srem a, del a, sadd k", "=", true),
    row("SADD a x;SADD k x", "SMOVE a k x", 1, "srem a, del a", "=", false),
    row("SADD k x", "SPOP k", 1, "spop k, del k", "SREM k x", true),
    row("SADD k x y", "SPOP k 2", 2, "spop k, del k", "DEL k", true),
    row("SADD k x y z", "SREM k x z none", 2, "srem k", "=", true),
    row("SADD a x y;SADD b z", "SUNIONSTORE k a b", 1, "sunionstore k", "=", true),
    // Sorted sets.
    row("ZADD k 1 a 2 b 3 c", "BZMPOP 0 1 k MIN COUNT 2", 2, "zpopmin k", "ZPOPMIN k 2", true),
    row("ZADD k 1 a 2 b", "BZPOPMAX none k 0", 1, "zpopmax k", "ZPOPMAX k", true),
    row("ZADD k 1 a", "BZPOPMIN none k 0", 1, "zpopmin k, del k", "ZPOPMIN k", true),
    row("", "GEOADD k NX CH 13.361389 38.115556 p 15.087269 37.502669 q", 2, "zadd k", "zadd k NX CH 3479099956230698 p 3479447370796909 q", true),
    row("GEOADD a 13.361389 38.115556 p 15.087269 37.502669 q", "GEORADIUS a 15 37 200 km STORE k", 1, "georadiusstore k", "=", true),
    row("GEOADD a 13.361389 38.115556 p", "GEORADIUSBYMEMBER a p 9 km STOREDIST k", 1, "georadiusstore k", "=", true),
    row("GEOADD a 13.361389 38.115556 p", "GEOSEARCHSTORE k a FROMMEMBER p BYRADIUS 9 km", 1, "geosearchstore k", "=", true),
    row("ZADD k 1 a 2 b", "ZADD k 5 a 2 b 3 c", 2, "zadd k", "=", true),
    row("ZADD k 1 a", "ZADD k INCR 2 a", 1, "zincr k", "=", true),
    row("ZADD a 1 x", "ZDIFFSTORE k 2 a b", 1, "zdiffstore k", "=", true),
    row("", "ZINCRBY k 2 a", 1, "zincr k", "=", true),
    row("ZADD a 1 x 2 y", "ZINTERSTORE k 1 a", 1, "zinterstore k", "=", true),
    row("ZADD k 1 a 2 b 3 c", "ZMPOP 1 k MAX COUNT 2", 2, "zpopmax k", "ZPOPMAX k 2", true),
    row("ZADD k 1 a 2 b", "ZMPOP 2 none k MIN COUNT 5", 2, "zpopmin k, del k", "ZPOPMIN k 2", true),
    row("ZADD k 1 a 2 b 3 c", "ZPOPMAX k 2", 2, "zpopmax k", "=", true),
    row("ZADD k 1 a", "ZPOPMIN k", 1, "zpopmin k, del k", "=", true),
    row("ZADD a 1 x 2 y", "ZRANGESTORE k a 0 -1", 1, "zrangestore k", "=", true),
    row("ZADD k 1 a 2 b", "ZREM k a b none", 2, "zrem k, del k", "=", true),
    row("ZADD k 0 a 0 b 0 c", "ZREMRANGEBYLEX k [a [b", 2, "zremrangebylex k", "=", true),
    row("ZADD k 1 a 2 b 3 c", "ZREMRANGEBYRANK k 0 1", 2, "zremrangebyrank k", "=", true),
    row("ZADD k 1 a 2 b 3 c", "ZREMRANGEBYSCORE k 1 2", 2, "zremrangebyscore k", "=", true),
    row("ZADD a 1 x;ZADD b 2 y", "ZUNIONSTORE k 2 a b", 1, "zunionstore k", "=", true),
    // Streams.
    row("XADD k 1-1 f v;XADD k 2-1 f v;XGROUP CREATE k g 0;XREADGROUP GROUP g c STREAMS k >", "XACK k g 1-1 2-1", 2, "", "=", false),
    row("", "XADD k 7-1 f v", 1, "xadd k", "=", true),
    row("XADD k 1-1 f v", "XADD k MAXLEN 1 2-1 f v", 1, "xadd k, xtrim k", "=", true),
    row("XADD k 1-1 f v", "XADD k MAXLEN ~ 1 7-* f v", 1, "xadd k", "XADD k MAXLEN = 2 7-0 f v", true),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0;XREADGROUP GROUP g c STREAMS k >", "XAUTOCLAIM k g d 0 0", 2, "xgroup-createconsumer k", "XCLAIM k g d 0 1-1 TIME 1000 RETRYCOUNT 2 FORCE JUSTID LASTID 1-1", false),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0;XREADGROUP GROUP g c STREAMS k >;XDEL k 1-1", "XAUTOCLAIM k g d 0 0", 1, "", "XCLAIM k g c 0 1-1 TIME 1000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1", false),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0;XREADGROUP GROUP g c STREAMS k >", "XCLAIM k g d 0 1-1", 2, "xgroup-createconsumer k", "XCLAIM k g d 0 1-1 TIME 1000 RETRYCOUNT 2 FORCE JUSTID LASTID 1-1", false),
    row("XADD k 1-1 f v;XADD k 2-1 f v;XGROUP CREATE k g 0;XREADGROUP GROUP g c STREAMS k >", "XCLAIM k g d 0 1-1 2-1 JUSTID", 3, "xgroup-createconsumer k", "MULTI XCLAIM k g d 0 1-1 TIME 1000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1 XCLAIM k g d 0 2-1 TIME 1000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1 EXEC", false),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0;XREADGROUP GROUP g c STREAMS k >;XDEL k 1-1", "XCLAIM k g d 0 1-1", 1, "", "XCLAIM k g c 0 1-1 TIME 1000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1", false),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0", "XCLAIM k g c 0 9-9 LASTID 1-1", 1, "", "XGROUP SETID k g 1-1 ENTRIESREAD -1", false),
    row("XADD k 1-1 f v;XADD k 2-1 f v;XGROUP CREATE k g 0;XREADGROUP GROUP g c COUNT 1 STREAMS k >", "XCLAIM k g c 0 1-1 LASTID 2-1 JUSTID", 1, "", "XCLAIM k g c 0 1-1 TIME 1000 RETRYCOUNT 1 FORCE JUSTID LASTID 2-1", false),
    row("XADD k 1-1 f v;XADD k 2-1 f v", "XDEL k 1-1 2-1", 2, "xdel k", "=", true),
    row("", "XGROUP CREATE k g $ MKSTREAM", 1, "xgroup-create k", "=", true),
    row("XADD k 1-1 f v", "XGROUP CREATE k g 0", 1, "xgroup-create k", "=", false),
    row("XGROUP CREATE k g $ MKSTREAM", "XGROUP CREATECONSUMER k g c", 1, "xgroup-createconsumer k", "=", false),
    row("XGROUP CREATE k g $ MKSTREAM;XGROUP CREATECONSUMER k g c", "XGROUP DELCONSUMER k g c", 1, "xgroup-delconsumer k", "=", false),
    row("XGROUP CREATE k g $ MKSTREAM", "XGROUP DESTROY k g", 1, "xgroup-destroy k", "=", false),
    row("XGROUP CREATE k g $ MKSTREAM", "XGROUP SETID k g 5", 1, "xgroup-setid k", "=", false),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0;XGROUP CREATECONSUMER k g c", "XREADGROUP GROUP g c STREAMS k >", 1, "", "XCLAIM k g c 0 1-1 TIME 1000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1", false),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0", "XREADGROUP GROUP g c STREAMS k >", 2, "xgroup-createconsumer k", "XCLAIM k g c 0 1-1 TIME 1000 RETRYCOUNT 1 FORCE JUSTID LASTID 1-1", false),
    row("XADD k 1-1 f v;XGROUP CREATE k g 0", "XREADGROUP GROUP g c NOACK STREAMS k >", 2, "xgroup-createconsumer k", "MULTI XGROUP CREATECONSUMER k g c XGROUP SETID k g 1-1 ENTRIESREAD 1 EXEC", false),
    row("XADD k 1-1 f v", "XSETID k 5-1", 1, "xsetid k", "=", false),
    row("XADD k 1-1 f v;XADD k 2-1 f v;XADD k 3-1 f v", "XTRIM k MAXLEN 1", 2, "xtrim k", "=", true),
    // Everything.
    row("SET k v;SET a v", "FLUSHALL", 3, "", "=", true),
    row("SET k v;SET a v", "FLUSHDB ASYNC", 3, "", "=", true),
    row("SET k v", "SWAPDB 0 1", 1, "", "=", true),
];

#[cfg(feature = "scripting")]
#[rustfmt::skip]
const OF_FUNCTIONS: &[Row] = &[
    row("", "FUNCTION LOAD LIBRARY", 1, "", "=", false),
    row("FUNCTION LOAD LIBRARY", "FUNCTION DELETE l", 1, "", "=", false),
    row("FUNCTION LOAD LIBRARY", "FUNCTION FLUSH", 1, "", "=", false),
];
#[cfg(not(feature = "scripting"))]
const OF_FUNCTIONS: &[Row] = &[];

/// Requests that change nothing, so that nobody is told of them.
#[rustfmt::skip]
const IN_VAIN: &[(&str, &str)] = &[
    // The time to wait is no key.
    ("RPUSH 0 a", "BLPOP k 0"),
    ("ZADD 0 1 a", "BZPOPMIN k 0"),
    ("SET k v", "COPY none k"),
    ("", "DEL k"),
    ("SET k v PX 1000", "EXPIRE k 9 NX"),
    ("", "EXPIREAT k 9"),
    ("", "GETDEL k"),
    ("SET k v", "GETEX k"),
    ("SET k v", "GETEX k PERSIST"),
    ("HSET k f v", "HDEL k none"),
    ("HSET k f v", "HSETNX k f w"),
    ("RPUSH k a", "LINSERT k AFTER none b"),
    ("", "LINSERT k AFTER a b"),
    ("", "LPOP k"),
    ("RPUSH k a", "LPOP k 0"),
    ("", "LPUSHX k b"),
    ("RPUSH k a", "LREM k 0 none"),
    ("RPUSH k a", "LSET k 9 x"),
    ("", "LMOVE none k LEFT LEFT"),
    ("", "LMPOP 1 k LEFT"),
    ("", "LTRIM k 0 1"),
    ("SET k v", "MOVE k 0"),
    ("SET k v", "MSETNX a 1 k 2"),
    ("SET k v", "PERSIST k"),
    ("", "PEXPIRE k 9"),
    ("", "PEXPIREAT k 9"),
    ("PFADD k a", "PFADD k a"),
    ("PFADD k a;PFDEBUG TODENSE k", "PFDEBUG TODENSE k"),
    ("SET k v", "RENAME k k"),
    ("SET k v;SET a v", "RENAMENX k a"),
    ("", "RPOP k 1"),
    ("", "RPOPLPUSH none k"),
    ("", "RPUSHX k b"),
    ("SADD k a", "SADD k a"),
    ("", "SDIFFSTORE k none"),
    ("SET k v", "SET k w NX"),
    ("", "SET k w XX"),
    ("SETBIT k 1 1", "SETBIT k 1 1"),
    ("SETBIT k 1 1", "BITFIELD k SET u1 1 1 OVERFLOW FAIL INCRBY u1 1 1 GET u1 0"),
    ("SET k v", "SETNX k w"),
    ("SET k v", "SETRANGE k 9 \"\""),
    ("SADD k a", "SMOVE k none b"),
    ("SADD k a", "SMOVE k k a"),
    ("SADD k a", "SPOP k 0"),
    ("", "SPOP k"),
    ("SADD k a", "SREM k none"),
    ("", "SORT none STORE k"),
    ("ZADD k 1 a", "SORT k ALPHA"),
    ("", "UNLINK k"),
    ("XADD k 1-1 f v;XGROUP CREATE k g 0", "XACK k g 1-1"),
    ("", "XADD k NOMKSTREAM 1-1 f v"),
    ("XADD k 1-1 f v", "XADD k 1-1 f v"),
    ("XADD k 1-1 f v;XGROUP CREATE k g 0", "XAUTOCLAIM k g d 0 0"),
    ("XADD k 1-1 f v;XGROUP CREATE k g 0", "XCLAIM k g d 0 1-1"),
    ("XADD k 1-1 f v", "XDEL k 9-9"),
    ("XGROUP CREATE k g 0 MKSTREAM", "XGROUP CREATE k g 0"),
    ("XGROUP CREATE k g 0 MKSTREAM", "XGROUP CREATECONSUMER k none c"),
    ("XGROUP CREATE k g 0 MKSTREAM;XGROUP CREATECONSUMER k g c", "XGROUP CREATECONSUMER k g c"),
    ("XGROUP CREATE k g 0 MKSTREAM", "XGROUP DELCONSUMER k g c"),
    ("XGROUP CREATE k g 0 MKSTREAM", "XGROUP DESTROY k none"),
    ("XGROUP CREATE k g 0 MKSTREAM;XGROUP CREATECONSUMER k g c", "XREADGROUP GROUP g c STREAMS k >"),
    ("XADD k 2-1 f v", "XSETID k 1-1"),
    ("XADD k 1-1 f v", "XTRIM k MAXLEN 1"),
    ("ZADD k 1 a", "ZADD k 1 a"),
    ("ZADD k 1 a", "ZADD k NX 2 a"),
    ("ZADD k +inf a", "ZADD k INCR -inf a"),
    ("GEOADD k 13.361389 38.115556 p", "GEOADD k NX 15 37 p"),
    ("", "ZDIFFSTORE k 1 none"),
    ("", "ZMPOP 1 k MIN"),
    ("", "ZPOPMIN k"),
    ("ZADD k 1 a", "ZPOPMAX k 0"),
    ("ZADD k 1 a", "ZREM k none"),
    ("ZADD k 1 a", "ZREMRANGEBYRANK k 5 6"),
    ("ZADD k 1 a", "ZREMRANGEBYSCORE k 5 6"),
    ("ZADD k 1 a", "ZREMRANGEBYLEX k [x [y"),
    ("", "ZRANGESTORE k none 0 -1"),
    ("SET k v", "RESTORE k 0 PAYLOAD"),
];

/// The request with what the tables abbreviate.
fn whole(request: &str) -> String {
    let payload = rdb::dump(&store::Value::from(store::StringValue::new(b"v")), rdb::Compression::Off);
    let payload: String = payload.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    let library = r##""#!lua name=l\nredis.register_function('f', function() end)""##;
    request.replace("PAYLOAD", &format!("\"{payload}\"")).replace("LIBRARY", library)
}

/// A session in which `before` has been run.
fn prepared(before: &str) -> Session {
    let mut session = Session::new();
    session.server.now = 1000;
    for line in before.split(';').filter(|line| !line.is_empty()) {
        let reply = session.run(&whole(line));
        assert!(!reply.starts_with('-'), "{line}: {reply}");
    }
    session
}

/// The words of requests.
fn words(requests: &mut Vec<u8>) -> String {
    let text = String::from_utf8_lossy(&std::mem::take(requests)).into_owned();
    let mut lines = text.split("\r\n");
    let mut words = Vec::new();
    while let Some(line) = lines.next() {
        words.extend(line.strip_prefix('$').and_then(|_| lines.next()));
    }
    words.join(" ")
}

/// A line of the tables as it is told: without quotes and escapes.
fn unquoted(line: &str) -> String {
    let (mut parser, mut bytes) = (RequestParser::new(), format!("{line}\n").into_bytes());
    if !parser.advance(&mut bytes, &Limits::default()).expect("the quotes are balanced") {
        return String::new();
    }
    parser.args(&bytes).iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
}

/// The keyspace events that `listener` has received.
fn events(session: &mut Session, listener: &mut ClientRef) -> String {
    let received = session.received(listener);
    let events = received.split("__:").skip(1).filter_map(|text| {
        // The name of the event, the length of the key, the key.
        let mut words = text.split(' ');
        Some(format!("{} {}", words.next()?, words.nth(1)?))
    });
    events.collect::<Vec<_>>().join(", ")
}

/// Runs the request, and compares what others get to know of it.
fn check(row: &Row) {
    let (mut session, request) = (prepared(row.before), whole(row.request));
    let (mut watcher, mut listener) = (session.other(), session.other());
    session.expect(&[("CONFIG SET notify-keyspace-events EA", "+OK")]);
    session.server.set_streams(true, true);
    // The number of the database is told once.
    session.run("SET other 1");
    let streams = &mut session.server.streams;
    streams.log.bytes.clear();
    streams.replicas.bytes.clear();
    for line in ["WATCH k", "MULTI", "PING"] {
        session.run_as(&mut watcher, line);
    }
    session.run_as(&mut listener, "PSUBSCRIBE __keyevent@*");
    session.received(&mut listener);
    let changes = session.server.databases.dirty;
    session.run(&request);
    let changes = session.server.databases.dirty - changes;
    let told = words(&mut session.server.streams.log.bytes);
    assert_eq!(words(&mut session.server.streams.replicas.bytes), told, "{request}: replicas");
    let expected = unquoted(&whole(if row.told == "=" { row.request } else { row.told }));
    assert_eq!(told, expected, "{request}: append-only file");
    assert_eq!(changes, row.changes, "{request}: changes");
    assert_eq!(events(&mut session, &mut listener), row.events, "{request}: events");
    assert_eq!(session.run_as(&mut watcher, "EXEC") == "*-1", row.fails_watcher, "{request}: WATCH");
}

#[test]
fn what_others_get_to_know_of_each_write_command() {
    ROWS.iter().chain(OF_FUNCTIONS).for_each(check);
}

#[test]
fn nobody_is_told_of_what_was_asked_for_in_vain() {
    IN_VAIN.iter().for_each(|(before, request)| check(&row(before, request, 0, "", "", false)));
}

#[test]
fn every_write_command_has_a_row() {
    let of_rows = |name: &str| {
        let words = name.to_ascii_uppercase().replace('|', " ");
        let begins = |row: &&Row| row.request.strip_prefix(&words).is_some_and(|rest| !rest.starts_with(|c| c != ' '));
        ROWS.iter().chain(OF_FUNCTIONS).find(begins)
    };
    for spec in SPECS.iter().filter(|spec| spec.is_write() && !ELSEWHERE.contains(&spec.full_name)) {
        let is_absent = !cfg!(feature = "scripting") && spec.full_name.starts_with("function|");
        assert!(of_rows(spec.full_name).is_some() || is_absent, "{}", spec.full_name);
    }
}

#[test]
fn whoever_waits_for_a_key_gets_what_a_request_puts_there() {
    let mut served = 0;
    for Row { before, request, .. } in ROWS {
        let mut alone = prepared(before);
        if alone.run("EXISTS k") != ":0" {
            continue;
        }
        alone.run(&whole(request));
        let kind = alone.run("TYPE k");
        let is_empty = kind == "+stream" && alone.run("XLEN k") == ":0";
        let mut session = prepared(before);
        for (waits_for, line) in
            [("+list", "BLPOP k 0"), ("+zset", "BZPOPMIN k 0"), ("+stream", "XREAD BLOCK 0 STREAMS k $")]
        {
            let mut waiter = session.other();
            assert_eq!(session.run_as(&mut waiter, line), "");
            if waits_for != kind || is_empty {
                continue;
            }
            session.run(&whole(request));
            assert_ne!(session.received(&mut waiter), "", "{line} with {request}");
            served += 1;
            break;
        }
    }
    assert!(served > 15, "{served}");
}

/// Neither a hit nor a miss is what is only looked for in order to be changed.
#[test]
fn what_is_changed_is_not_read() {
    for (value, request) in [
        ("RPUSH k a", "LPUSHX k b"),
        ("RPUSH k a", "RPOPLPUSH k k"),
        ("RPUSH k a", "BLMOVE k a LEFT LEFT 0"),
        ("SET k 1", "INCRBYFLOAT k 1"),
        ("SET k 1", "MSETNX a 1 k 1"),
        ("SET k 1", "SETRANGE k 0 \"\""),
        ("SADD k a", "SMOVE k a a"),
        ("XADD k 1-1 f v", "XGROUP CREATE k g $"),
    ] {
        let mut session = Session::new();
        session.run("MULTI");
        for line in [request, value, request, "EXEC"] {
            session.run(line);
        }
        let stats = &session.server.databases.stats;
        assert_eq!((stats.hits, stats.misses), (0, 0), "{request}");
    }
}

#[test]
fn what_is_replied_is_read() {
    for (value, request) in [
        ("SET k v", "GETEX k PERSIST"),
        ("SET k v", "GETDEL k"),
        ("SET k v", "SET k v GET"),
        ("SET k v", "STRLEN k"),
        ("SET k v", "TTL k"),
        ("SET k v", "GETRANGE k 0 1"),
        ("SET k v", "GETBIT k 1"),
        ("SET k v", "BITCOUNT k"),
        ("PFADD k a", "PFCOUNT k"),
        ("RPUSH k a", "LINDEX k 0"),
        ("RPUSH k a", "LPOS k a"),
        ("RPUSH k a", "LLEN k"),
        ("HSET k f v", "HSTRLEN k f"),
        ("HSET k f v", "HLEN k"),
        ("HSET k f v", "HEXISTS k f"),
        ("HSET k f v", "HMGET k f"),
        ("HSET k f v", "HRANDFIELD k"),
        ("SADD k a", "SRANDMEMBER k"),
        ("SADD k a", "SISMEMBER k a"),
        ("SADD k a", "SCARD k"),
        ("SADD k a", "SORT k ALPHA"),
        ("ZADD k 1 a", "ZSCORE k a"),
        ("ZADD k 1 a", "ZCARD k"),
        ("ZADD k 1 a", "ZRANK k a"),
        ("ZADD k 1 a", "ZCOUNT k 0 1"),
        ("GEOADD k 1 2 a", "GEODIST k a a"),
        ("GEOADD k 1 2 a", "GEOPOS k a"),
        ("GEOADD k 1 2 a", "GEOSEARCH k FROMLONLAT 1 2 BYRADIUS 1 m"),
        ("XADD k 1-1 f v", "XLEN k"),
        ("XADD k 1-1 f v", "XACK k g 1-1"),
        ("XADD k 1-1 f v", "XINFO STREAM k"),
        ("XADD k 1-1 f v", "XRANGE k - +"),
    ] {
        let mut session = Session::new();
        for line in [request, value, request] {
            session.run(line);
        }
        let stats = &session.server.databases.stats;
        assert_eq!((stats.hits, stats.misses), (1, 1), "{request}");
    }
}
