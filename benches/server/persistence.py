"""What it costs to keep data on disk: requests with an append-only file, saving and loading, and what a snapshot does to
memory and latency."""

import contextlib
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import latency
import speed
from testkit.commands import Failure
from testkit.resp import Error

KEYS = 1_000_000
POLICIES = ("everysec", "always")
PIPELINES = (1, 16)
# The append-only file that is loaded has fewer requests: no base makes it short.
LOGGED_SHARE = 4
# Requests a second while it is looked for pauses, and for how long they are sent.
RATE = 10_000
SECONDS = 10
PAUSES = ("p50", "p99.9", "max")
# Keys of so many bytes, as redis-benchmark's are, and values.
KEY, VALUE = "key:{:012d}", 16
# How often memory is looked at, in seconds.
LOOK_EVERY = 0.05


@dataclass(frozen=True)
class Row:
    """A measurement: smaller is better."""

    title: str
    digits: int = 2


def rows():
    """{name: what is measured}"""
    found = {}
    for policy in POLICIES:
        for pipeline in PIPELINES:
            found[f"cpu {policy} {pipeline}"] = Row(f"CPU time of SET, appendfsync {policy}, {pipeline} at a time, in µs")
    found["save"] = Row("SAVE, in µs a key", 3)
    found["load"] = Row("start with an RDB file, in µs a key", 3)
    found["replay"] = Row("start with an append-only file of requests, in µs a request", 3)
    for name, title in ("calm", "no snapshot"), ("saving", "snapshots"):
        for quantile in PAUSES:
            found[f"{name} {quantile}"] = Row(f"latency with {title}, {quantile}, in µs", 0)
    found["growth"] = Row("memory beyond normal, snapshots under full load, in MiB", 1)
    return found


ROWS = rows()


def measured(peer, keys, share, generator, on_one, on_others):
    """{row's name: value}"""
    count = max(int(keys * share), 10_000)
    seconds = max(2, round(SECONDS * share))
    return {**costs(peer, share, on_one, on_others), **rates(peer, count, on_one),
            **pauses(peer, count, seconds, generator, on_one, on_others), "growth": growth(peer, count, seconds, on_one, on_others)}


@contextlib.contextmanager
def folder():
    # Not in memory: it is about disks.
    with tempfile.TemporaryDirectory(prefix="bench-server-", dir="/var/tmp") as made:
        yield made


def on_disk(peer, place, *options, before=None):
    return peer.start("--dir", place, "--save", "", *options, before=before)


def costs(peer, share, on_one, on_others):
    """of requests that are written to an append-only file"""
    found = {}
    for policy in POLICIES:
        for pipeline in PIPELINES:
            point = speed.Point("SET", pipeline, 3)
            requests = point.requests(share)
            with folder() as place, on_disk(peer, place, "--appendonly", "yes", "--appendfsync", policy, before=on_one) as server:
                speed.load(server, point, max(requests // 5, 2 * speed.CLIENTS * pipeline), on_others)
                before = server.cpu()
                speed.load(server, point, requests, on_others)
                found[f"cpu {policy} {pipeline}"] = (server.cpu() - before) / requests * 1e6
    return found


def fill(server, count):
    """Sends so many keys, of redis-benchmark's names."""
    command = ["redis-cli", "-p", str(server.port), "--pipe"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as pipe:
        for start in range(0, count, 10_000):
            for number in range(start, min(start + 10_000, count)):
                pipe.stdin.write(f"*3\r\n$3\r\nSET\r\n$16\r\n{KEY.format(number)}\r\n${VALUE}\r\n{number:0{VALUE}d}\r\n")
        pipe.stdin.close()
        said = pipe.stdout.read()
    if "errors: 0" not in said:
        raise Failure(f"redis-cli --pipe: {said[-300:]}")


def took(work):
    start = time.monotonic()
    work()
    return time.monotonic() - start


def start_to_data(peer, place, expected, *options, before=None):
    """seconds from a start until the keys can be read"""
    start = time.monotonic()
    with on_disk(peer, place, *options, before=before) as server, server.connect() as client:
        while (there := client("DBSIZE")) != expected:
            if not isinstance(there, Error):
                raise Failure(f"{peer.name} has loaded {there} keys, not {expected}")
            time.sleep(0.001)
        return time.monotonic() - start


def rates(peer, count, on_one):
    """of saving and loading"""
    found = {}
    with folder() as place:
        empty = start_to_data(peer, place, 0, before=on_one)
        with on_disk(peer, place, before=on_one) as server, server.connect() as client:
            fill(server, count)
            found["save"] = took(lambda: client.call("SAVE")) / count * 1e6
        loaded = start_to_data(peer, place, count, before=on_one)
        found["load"] = max(loaded - empty, 0) / count * 1e6
    logged = max(count // LOGGED_SHARE, 1)
    options = "--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"
    with folder() as place:
        with on_disk(peer, place, *options, before=on_one) as server:
            fill(server, logged)
        found["replay"] = max(start_to_data(peer, place, logged, *options, before=on_one) - empty, 0) / logged * 1e6
    return found


class Snapshots:
    """Has a server make one snapshot after another, for as long as this is entered."""

    def __init__(self, server):
        self.client = server.connect()
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.made, self.problem = 0, None

    def work(self):
        try:
            while not self.ends.is_set():
                self.client.call("BGSAVE")
                while self.client.info("INFO", "persistence")["rdb_bgsave_in_progress"] != "0":
                    time.sleep(0.01)
                self.made += 1
        except Exception as problem:
            self.problem = problem

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *raised):
        self.ends.set()
        self.thread.join()
        self.client.close()
        if not raised[0] and (self.problem or not self.made):
            raise Failure(f"no snapshot was made: {self.problem}")


def pauses(peer, count, seconds, generator, on_one, on_others):
    """latency at a fixed rate, without and with snapshots"""
    found = {}
    with folder() as place, on_disk(peer, place, before=on_one) as server:
        fill(server, count)
        for name in "calm", "saving":
            with Snapshots(server) if name == "saving" else contextlib.nullcontext():
                quantiles = latency.at_rate(server, RATE, seconds, generator, on_others)
            found.update({f"{name} {quantile}": quantiles[quantile] for quantile in PAUSES})
    return found


def memory(pid):
    """bytes of a process and its children, what they share counted once"""
    total = 0
    for place in Path("/proc", str(pid), "task").iterdir():
        try:
            children = (place / "children").read_text().split()
        except OSError:
            continue
        total += sum(memory(child) for child in children)
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
    except OSError:
        return total
    return total + sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def highest(server, seconds):
    """the most memory that it has in that time"""
    end, most = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        most = max(most, memory(server.pid))
        time.sleep(LOOK_EVERY)
    return most


def growth(peer, count, seconds, on_one, on_others):
    """MiB of memory that it has more while snapshots are made, under as many writes as it takes"""
    with folder() as place, on_disk(peer, place, before=on_one) as server:
        fill(server, count)
        command = ["redis-benchmark", "-p", server.port, "-c", speed.CLIENTS, "-P", 16, "-n", 1_000_000_000, "-r", count, "-d", VALUE,
                   "-t", "set", "-q"]
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              preexec_fn=on_others) as load:
            try:
                # Buffers and the free room of tables are there then.
                highest(server, seconds / 2)
                normal = highest(server, seconds)
                with Snapshots(server):
                    most = highest(server, seconds)
                if load.poll() is not None:
                    raise Failure("redis-benchmark has ended")
            finally:
                load.kill()
    return max(most - normal, 0) / (1 << 20)
