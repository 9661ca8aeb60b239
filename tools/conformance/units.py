"""Which units of Redis's suite are run, and how the servers under test are started for them."""

VERSION = "7.0.15"
RELEASE = "bookworm"  # Debian's

UNITS = tuple(f"unit/{name}" for name in """
    type/hash type/incr type/list type/list-2 type/list-3 type/set type/stream type/stream-cgroups type/string type/zset
    acl acl-v2 auth bitfield bitops client-eviction dump expire functions geo hyperloglog info info-command introspection
    introspection-2 keyspace latency-monitor limits maxmemory multi obuf-limits other protocol pubsub pubsubshard
    querybuf quit scan scripting slowlog sort tracking
""".split())

# Those that tell most in two minutes. (Of acl and auth, a server that the suite has not started runs nothing.)
QUARTER = tuple(f"unit/{name}" for name in """
    type/zset type/list type/hash type/string type/incr type/stream-cgroups bitfield introspection-2 keyspace multi
    protocol pubsub quit scan
""".split())

# Of a server that the suite does not start itself; what tests of that kind expect.
EXTERNAL = ("--save", "", "--enable-debug-command", "yes", "--enable-protected-configs", "yes")
