"""Servers that replicate: how tests start them, wait for them and compare them."""

import itertools
import random
import tempfile
import time
from pathlib import Path

from testkit.ports import free_port
from testkit.resp import PATIENCE
from testkit.server import AE_SERVER, Server


# A PING moves the offset of a primary that nothing was written to: whether a replica that is promoted has got it is a
# matter of time, and so is then whether the others need a copy. Tests of PINGs ask for them.
WITHOUT_PINGS = ["--repl-ping-replica-period", "1000", "--repl-timeout", "1000"]


class Node(Server):
    """ae-server ("ae") or redis-server ("redis"), with a folder of its own; restart() starts it again after its end,
    and waits until it has its data."""

    def __init__(self, kind, *options, port=None):
        self.kind = kind
        self.folder = tempfile.TemporaryDirectory()
        self.options = [str(option) for option in options]
        super().__init__(self.command(port := port or free_port(), self.options), port)

    def command(self, port, options):
        program = [AE_SERVER] if self.kind == "ae" else ["redis-server", "--save", ""]
        return [*program, "--bind", "127.0.0.1", "--port", str(port), "--dir", self.folder.name, "--repl-diskless-sync-delay",
                "0", "--enable-debug-command", "yes", *WITHOUT_PINGS, *options]

    def restart(self, *options):
        super().__init__(self.command(self.port, options), self.port)
        self.wait()
        until(lambda: self.info("persistence")["loading"] == "0")

    def __call__(self, *words):
        with self.connect() as client:
            return client(*words)

    def info(self, section="replication"):
        lines = self("INFO", section).decode().splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def is_linked_to(self, primary):
        info = self.info()
        return info.get("master_port") == str(primary.port) and info.get("master_link_status") == "up"

    def follow(self, primary):
        """Becomes a replica, and waits until both see it so."""
        self("REPLICAOF", "127.0.0.1", primary.port)
        until(lambda: self.is_linked_to(primary))
        until(lambda: any(f"port={self.port},state=online" in value for value in primary.info().values()))


class Sentinel(Server):
    """A redis-sentinel that supervises the primary by the name "it"."""

    def __init__(self, primary):
        port = free_port()
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name, "sentinel.conf")
        lines = [f"port {port}", f"dir {self.folder.name}", f"sentinel monitor it 127.0.0.1 {primary.port} 2",
                 # Within one second a server that is well may not get its turn on a busy machine.
                 "sentinel down-after-milliseconds it 5000", "sentinel failover-timeout it 6000"]
        file.write_text("\n".join(lines) + "\n")
        super().__init__(["redis-server", file, "--sentinel"], port)

    def primary_port(self):
        with self.connect() as client:
            return int(client("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "it")[1])

    def counts(self):
        """The other sentinels, and the replicas, that it has found."""
        with self.connect() as client:
            words = client("SENTINEL", "MASTER", "it")
        values = dict(zip(words[::2], words[1::2]))
        return int(values[b"num-other-sentinels"]), int(values[b"num-slaves"])


def until(condition, patience=PATIENCE):
    """Waits for a condition. A server that cannot be reached does not have it yet."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.01)
    raise AssertionError("it did not come true")


def same(primary, *replicas):
    """Waits until the replicas have everything, and compares digests of all data. What expires meanwhile goes from
    the primary first, and then from the replicas."""
    for replica in replicas:
        until(lambda: replica.info()["master_link_status"] == "up"
              and replica.info()["master_repl_offset"] == primary.info()["master_repl_offset"])
        until(lambda: replica("DEBUG", "DIGEST") == primary("DEBUG", "DIGEST"), 30)


ids = itertools.count(1)


def write(node, count, seed, expiring=True):
    """Sends random writes of all types, some of them in transactions. With keys that expire at once, more is told to
    replicas later."""
    rnd = random.Random(seed)

    def key(letter):
        return f"{letter}{rnd.randrange(60)}"

    def text():
        return "".join(rnd.choices("abcdef", k=rnd.choice([1, 5, 70, 3000])))

    rows = [
        lambda: ("SET", key("s"), text()), lambda: ("SET", key("s"), text(), "EX", 1000), lambda: ("INCR", key("n")),
        lambda: ("APPEND", key("s"), text()), lambda: ("INCRBYFLOAT", key("f"), "1.5"), lambda: ("SETBIT", key("b"), 77, 1),
        lambda: ("SETRANGE", key("s"), rnd.randrange(99), text()), lambda: ("LPUSH", key("l"), text(), text()),
        lambda: ("RPOP", key("l")), lambda: ("LMOVE", key("l"), key("l"), "LEFT", "RIGHT"),
        lambda: ("SADD", key("S"), text(), rnd.randrange(99)), lambda: ("SINTERSTORE", key("S"), key("S"), key("S")),
        lambda: ("HSET", key("h"), text(), text()), lambda: ("HINCRBY", key("h"), "number", 3),
        lambda: ("ZADD", key("z"), rnd.randrange(99), text()), lambda: ("ZPOPMIN", key("z")),
        lambda: ("XADD", key("x"), f"{next(ids)}-1", "field", text()), lambda: ("PFADD", key("p"), text()),
        lambda: ("DEL", key("s")), lambda: ("EXPIRE", key("h"), 1000), lambda: ("RENAME", key("s"), key("s")),
        lambda: ("PERSIST", key("h")),
        lambda: ("SPOP", key("S")), lambda: ("SPOP", key("S"), 2), lambda: ("GETEX", key("s"), "EX", 500),
        lambda: ("XADD", key("y"), "*", "field", text()), lambda: ("XTRIM", key("x"), "MAXLEN", "~", 3),
        lambda: ("INCRBYFLOAT", key("f"), "0.1"), lambda: ("HINCRBYFLOAT", key("h"), "float", "0.1"),
    ]
    if expiring:
        rows.append(lambda: ("SET", key("t"), text(), "PX", 1))
    with node.connect() as client:
        for number in range(count):
            if number % 50 == 0:
                client("SELECT", rnd.randrange(4))
            if number % 37 in (0, 5):
                client("MULTI" if number % 37 == 0 else "EXEC")
            client(*rnd.choice(rows)())
