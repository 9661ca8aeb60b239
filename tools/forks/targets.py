"""What is known of each fork: where it comes from, what libae takes the place of, and how its suite is run."""

from dataclasses import dataclass

OLD_CONNECTIONS = ("ae.o", "anet.o", "connection.o")
CONNECTIONS = ("ae.o", "anet.o", "connection.o", "socket.o", "unix.o")
TOOLS = ("ae.o", "anet.o")
# Of the server alone, when it is built with TLS; and what the rest of the server takes from it.
TLS = "tls.o"
OLD_TLS_FUNCTIONS = ("tlsInit", "tlsCleanup", "tlsConfigure", "isTlsConfigured", "connCreateTLS", "connCreateAcceptedTLS",
                     "tlsHasPendingData", "tlsProcessPendingData", "connTLSGetPeerCert")
TLS_FUNCTIONS = ("RedisRegisterConnectionTypeTLS",)
# And from Valkey 9.1 on.
RELOAD_FUNCTIONS = ("tlsReconfigureIfNeeded", "tlsConfigureAsync", "tlsApplyPendingReload", "tlsResetCertInfo")


@dataclass(frozen=True)
class Program:
    """A program of the fork, and the objects in it that libae replaces."""

    name: str
    replaced: tuple


@dataclass(frozen=True)
class Fork:
    name: str
    package: str
    version: str
    release: str  # Debian's
    profile: str
    programs: tuple
    trees: tuple = ("unit", "integration")  # of its test suite
    io_threads: tuple = ()  # runtest's arguments that turn them on

    @property
    def server(self):
        return self.programs[0].name

    @property
    def cli(self):
        return self.programs[1].name

    @property
    def benchmark(self):
        return self.programs[2].name

    @property
    def tls_functions(self):
        if self.programs[0].replaced == OLD_CONNECTIONS:
            return OLD_TLS_FUNCTIONS
        return TLS_FUNCTIONS + (RELOAD_FUNCTIONS if self.profile.startswith("valkey-9.1") else ())

    def replaced(self, program, tls=False):
        """the objects of the program that libae takes the place of"""
        return (*program.replaced, TLS) if tls and program.name == self.server else program.replaced


def _programs(prefix, replaced):
    return Program(f"{prefix}-server", replaced), Program(f"{prefix}-cli", TOOLS), Program(f"{prefix}-benchmark", TOOLS)


FORKS = {
    "redis-7.0": Fork(
        "redis-7.0", "redis", "7.0.15", "bookworm", "redis-7.0", _programs("redis", OLD_CONNECTIONS),
        io_threads=("--config", "io-threads", "4", "--config", "io-threads-do-reads", "yes")),
    "redis-8.0": Fork(
        "redis-8.0", "redis", "8.0.2", "trixie", "redis-8.0", _programs("redis", CONNECTIONS),
        trees=("unit",),
        io_threads=("--config", "io-threads", "4")),
    "valkey-8.1": Fork(
        "valkey-8.1", "valkey", "8.1.1", "trixie", "valkey-8.1", _programs("valkey", CONNECTIONS),
        io_threads=("--io-threads",)),
    "valkey-9.1": Fork(
        "valkey-9.1", "valkey", "9.1.2", "sid", "valkey-9.1.2", _programs("valkey", CONNECTIONS),
        io_threads=("--io-threads",)),
}

WRK = "wrk"
WRK_VERSION = "4.1.0"
NAMES = (*FORKS, WRK)

# What cannot pass on libae: they want AES128-SHA256 and AES256-SHA256, without forward secrecy and in CBC
# mode, which rustls does not have. They count as failed, and stand in the results, but are no news.
TLS_IMPOSSIBLE = {
    "unit/tls: TLS: Verify tls-ciphers behaves as expected",
    "unit/tls: TLS: Verify tls-prefer-server-ciphers behaves as expected",
}

# The part of the suites that is run again with io-threads on: what reads and writes much, in many ways.
IO_THREADS_UNITS = """
    unit/acl unit/auth unit/client-eviction unit/dump unit/introspection unit/limits unit/multi unit/networking
    unit/obuf-limits unit/other unit/pause unit/protocol unit/pubsub unit/pubsubshard unit/querybuf unit/quit
    unit/replybufsize unit/scan unit/shutdown unit/slowlog unit/tracking unit/wait unit/io-threads
    unit/type/list unit/type/stream unit/type/string
    unit/cluster/cluster-migrateslots unit/cluster/links unit/cluster/misc unit/cluster/sharded-pubsub
    unit/cluster/slot-migration
    integration/failover integration/psync2 integration/redis-benchmark integration/redis-cli integration/replication
    integration/replication-buffer integration/replication-psync integration/valkey-benchmark integration/valkey-cli
""".split()

# The part of the suite that is run in continuous integration, in about three minutes: the long ones come first.
CI_UNITS = """
    integration/replication-4 integration/psync2 integration/replication-buffer unit/obuf-limits unit/cluster
    integration/block-repl unit/cluster/slot-ownership unit/cluster/failover unit/dump
    integration/psync2-reg integration/redis-cli integration/valkey-cli unit/introspection unit/type/stream
    integration/replication-2 integration/replication-3 integration/failover unit/scripting unit/functions
    unit/acl unit/auth unit/client-eviction unit/limits unit/multi unit/networking unit/other unit/pause unit/protocol
    unit/pubsub unit/pubsubshard unit/querybuf unit/quit unit/replybufsize unit/scan unit/shutdown unit/slowlog
    unit/tracking unit/wait unit/type/string unit/cluster-scripting
    unit/cluster/announced-endpoints unit/cluster/links unit/cluster/misc unit/cluster/pubsub unit/cluster/scripting
    unit/cluster/transactions-on-replica
    integration/redis-benchmark integration/valkey-benchmark integration/shutdown
""".split()
