"""Values that requests are made of: numbers at the edges, what is no number, texts, patterns, names."""

LARGE = [
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "99999999999999999999", "9223372036854775",
    "4294967296", "2147483648", "-2147483649", "-9223372036854775807", "18446744073709551615",
]

NO_NUMBERS = ["", "x", " 1", "1 ", "01", "+1", "0x1", "-0", "1.0", "1e3", "1\x002", "-", "--1"]

FLOATS = [
    "0", "1", "-1", "2", "3", "0.1", "-0.1", "10.5", "3.0e3", "1e-5", "1e17", "1.25", "123456789.123456789", "-1e5",
    ".5", "5.", "+3", "1e400", "1e-400", "0.0000001", "-0", "1e20", "17179869184.5", "0x10", "0x1p3", "-0X.8P-1",
    "0xA.8", "0x1p-60", "0x8000000000000001p-60", "0x", "0x.p1", "0x1p", "1e", "1e+", "0x1p16384", "0x1p-16445",
    "0x1p-16446", "inf", "-INFINITY", "+inf", "nan", "NaN(1)", "infin", "1e5000", "+-1", "1_0", "1,5", "1.5\x00",
    " 1.5", "1.5 ", "", "4503599627370497.5", "9007199254740993", "1e15", "0.1e-6", "100000000000000000000000",
]

STRINGS = [
    b"", b"x", b"hello", b"two words", b"\x00\x01\xfe", b"9" * 19, b"1" * 20, b"1" * 21, b"v" * 44, b"v" * 45,
    b"long" * 100, b"007", b" 1", b"1 ", b"-0", b"inf", b"nan", b"abc", b"12abc", b"m" * 64, b"n" * 65, b"\r\n",
]

PATTERNS = [
    b"*", b"?", b"a*", b"[ab]", b"[^a]", b"key:?", b"*1", b"", b"\\a", b"[a-c]", b"[c-a]", b"*\xff*", b"[", b"k[",
    b"[a", b"**", b"a?", b"[^", b"\\", b"[\x80-z]", b"[z-\x80]", b"[\x80-\xff]", b"[A-\xff]*", b"?[\xf0-\xff]",
    b"[^\x81-\xff]", b"[\\a-c]", b"[a-]", b"[]-z]", b"***a", b"A", b"[Z-a]", b"*:1", b"list:*", b"[lhsz]*:[12]",
    b"f*", b"h?llo", b"*o*", b"[0-9]*",
]

CURSORS = [
    "", "0", "0", "0", "-1", "+0", "00", " 0", "0 ", "-", "0x0", "1.0", "18446744073709551615",
    "18446744073709551616", "-18446744073709551616", b"0\x00x", b"\xff",
]

ENTRIES = ["0-1", "1-1", "1-2", "2-0", "3-5", "5-1", "7-3", "9-9", "12-0"]

CHANNELS = [b"news", b"sport", b"a", b"", b"ne\x00ws", b"hello"]

CATEGORIES = """
    keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow blocking
    dangerous connection transaction scripting
""".split()
# All that Redis 7.0 has, except what scripts, modules, clusters and replicas are for.
COMMANDS = """
    acl append auth bgrewriteaof bgsave bitcount bitfield bitfield_ro bitop bitpos blmove blmpop blpop brpop brpoplpush
    bzmpop bzpopmax bzpopmin client command config copy dbsize debug decr decrby del discard dump echo exec exists
    expire expireat expiretime flushall flushdb geoadd geodist geohash geopos georadius georadius_ro georadiusbymember
    georadiusbymember_ro geosearch geosearchstore get getbit getdel getex getrange getset hdel hello hexists hget
    hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetnx hstrlen hvals incr incrby
    incrbyfloat info keys lastsave latency lcs lindex linsert llen lmove lmpop lolwut lpop lpos lpush lpushx lrange lrem
    lset ltrim memory mget monitor move mset msetnx multi object persist pexpire pexpireat pexpiretime pfadd pfcount
    pfdebug pfmerge pfselftest ping psetex psubscribe pttl publish pubsub punsubscribe quit randomkey rename renamenx
    reset restore role rpop rpoplpush rpush rpushx sadd save scan scard sdiff sdiffstore select set setbit setex setnx
    setrange shutdown sinter sintercard sinterstore sismember slowlog smembers smismember smove sort sort_ro spop
    spublish srandmember srem sscan ssubscribe strlen subscribe substr sunion sunionstore sunsubscribe swapdb time touch
    ttl type unlink unsubscribe unwatch wait watch xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange
    xread xreadgroup xrevrange xsetid xtrim zadd zcard zcount zdiff zdiffstore zincrby zinter zintercard zinterstore
    zlexcount zmpop zmscore zpopmax zpopmin zrandmember zrange zrangebylex zrangebyscore zrangestore zrank zrem
    zremrangebylex zremrangebyrank zremrangebyscore zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore
    zunion zunionstore
""".split()
# Of parameters that both have, with the same limits. Where there are several, the last is the default.
SETTINGS = {
    "timeout": ["1000000", "2147483647", "2147483648", "0"],
    "tcp-keepalive": ["0", "2147483647", "300"],
    "proto-max-bulk-len": ["1", "1mb", "1MB", "9223372036854775808", "1.5gb", "mb", "512mb"],
    "client-query-buffer-limit": ["0", "5gb", "2147483649", "9223372036854775807b", "99999999999999999999", "-1mb",
                                  "1gb"],
    "protected-mode": ["no", "NO", "maybe", "yes"],
    "tls-auth-clients": ["no", "Optional", "maybe", "yes"],
    "tls-session-cache-size": ["0", "-1", "2147483648", "20480"],
    "maxmemory": ["0"],
    "maxmemory-policy": ["NOEVICTION"],
    "save": [""],
    "appendonly": ["no"],
    "databases": ["1"],
    "tcp-backlog": ["1"],
    "unixsocketperm": ["700"],
    "nosuch": ["1"],
}

# Of users, besides those that name a command or category.
RULES = """
    ~* ~list:* %R~string:* %W~set:* %RW~a %R~ %X~a ~ &* &news &n* allkeys resetkeys allchannels resetchannels %~a
    >secret >other <secret <nosuch #abc nopass resetpass on on off sanitize-payload skip-sanitize-payload
    reset +@all -@all allcommands nocommands ( () (+x) clearselectors +config|get -config|set +select|0 +get|x x + -@ ON
""".encode().split() + [
    b"", b"~ x", b"(+get ~a)", b"(+@read %R~b*)", b"#" + b"a" * 64, b"#" + b"g" * 64, b"!" + b"a" * 64,
]

# Of CLIENT KILL and CLIENT LIST: nobody is like that.
FILTERS = [
    *(["ID", number] for number in ("99999", "0", "-1", "x", "", "9223372036854775808")),
    ["USER", "nosuch"], ["USER", ""], ["USER", "\xff\x00x"], ["ADDR", "1.2.3.4:5"], ["LADDR", ""],
    *(["TYPE", kind] for kind in ("master", "REPLICA", "slave", "x", "")),
    *(["SKIPME", word, "ID", "99999"] for word in ("yes", "YES", "maybe", "")),
    ["JUNK", "x"], ["ID"], ["type"], ["99999"],
]
