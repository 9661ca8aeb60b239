"""What a request costs a server, as redis-benchmark sends them."""

import hashlib
import re
from dataclasses import dataclass

from testkit.commands import Failure, completed

CLIENTS = 50
PIPELINES = {1: 15_000, 16: 100_000, 64: 150_000}
SIZES = (3, 1024)
# redis-benchmark's own tests, in its order: what pops finds what was pushed. Those of LRANGE would count the pushes
# that fill the list.
TESTS = ("PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP", "ZADD",
         "ZPOPMIN")
RANGES = (100, 300, 500, 600)
# Scripts of one line, and what follows their name in EVALSHA.
SCRIPTS = {
    "EVALSHA": ("return 1", ["0"]),
    "EVALSHA_GET": ("return redis.call('GET', KEYS[1])", ["1", "key"]),
    "EVALSHA_SET": ("return redis.call('SET', KEYS[1], ARGV[1])", ["1", "key", "xxx"]),
    "EVALSHA_INCR": ("return redis.call('INCR', KEYS[1])", ["1", "counter"]),
}


@dataclass(frozen=True)
class Point:
    """One load: a test with so many requests at a time and values of that size."""

    test: str
    pipeline: int
    size: int

    @property
    def name(self):
        return f"{self.test} -P {self.pipeline} -d {self.size}"

    def requests(self, share):
        """a part of what a whole run sends; long replies are fewer, so that all take about as long"""
        count = PIPELINES[self.pipeline]
        count = count // 10 if self.test.startswith("LRANGE") else count // 2 if self.test == "MSET" else count
        return max(int(count * share), 2 * CLIENTS * self.pipeline)

    def words(self):
        """what redis-benchmark is told"""
        if self.test.startswith("LRANGE"):
            return ["LRANGE", "mylist", "0", str(int(self.test.split("_")[1]) - 1)]
        if self.test in SCRIPTS:
            script, arguments = SCRIPTS[self.test]
            return ["EVALSHA", hashlib.sha1(script.encode()).hexdigest(), *arguments]
        return ["-t", self.test.lower()]


def points(pipelines=tuple(PIPELINES), sizes=SIZES):
    """in the order in which one server meets them"""
    tests = [*TESTS, *(f"LRANGE_{count}" for count in RANGES), "MSET", *SCRIPTS]
    # Scripts have the same values in all sizes.
    return [Point(test, pipeline, size) for size in sizes for pipeline in pipelines for test in tests
            if test not in SCRIPTS or size == sizes[0]]


def measured(peer, work, share, on_one, on_others):
    """{point's name: microseconds of the server's CPU time a request}"""
    costs = {}
    with peer.start(before=on_one) as server, server.connect() as client:
        for point in work:
            if point.test == "PING_INLINE":
                client.call("FLUSHALL")
            if point.test.startswith("LRANGE"):
                client.call("DEL", "mylist")
                client.call("RPUSH", "mylist", *["x" * point.size] * max(RANGES))
            if point.test in SCRIPTS:
                client.call("SCRIPT", "LOAD", SCRIPTS[point.test][0])
            requests = point.requests(share)
            load(server, point, max(requests // 5, 2 * CLIENTS * point.pipeline), on_others)
            before = server.cpu()
            load(server, point, requests, on_others)
            costs[point.name] = (server.cpu() - before) / requests * 1e6
    return costs


def load(server, point, requests, on_others):
    command = ["redis-benchmark", "-p", server.port, "-c", CLIENTS, "-P", point.pipeline, "-n", requests, "-d", point.size, "-q",
               *point.words()]
    done = completed([str(word) for word in command], timeout=300, preexec_fn=on_others)
    if done.returncode or not re.search(r"[0-9.]+ requests per second", done.stdout):
        raise Failure(f"redis-benchmark {point.name}: {done.stdout[-300:]} {done.stderr[-300:]}")
