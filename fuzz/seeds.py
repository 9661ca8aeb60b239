#!/usr/bin/env python3
"""Makes files for the fuzzers to begin with: seeds.py FOLDER. They are written by redis-server and by ae-server, of data
of every type and encoding: RDB files, append-only files, payloads of DUMP, the bytes that a primary sends to a replica,
and requests. AE_SERVER names another ae-server than build/ae-server."""

import hashlib
import shutil
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(1, str(ROOT / "tools"))

from testkit.replication import Node, until, write  # noqa: E402
from testkit.resp import NULL_BULK, request  # noqa: E402

KINDS = ["ae"] + ["redis"] * bool(shutil.which("redis-server"))
BETWEEN = b"\n--\n"


def fill(client):
    """Some keys of every type and encoding, small enough that a file of them is a good beginning."""
    numbers, words = [str(n * 7919) for n in range(6)], [f"{n}abc" * 4 for n in range(6)]
    for name, value in ("int", "12345"), ("raw", "ab" * 40), ("plain", "hello"), ("large", str(1 << 60)):
        client("SET", name, value)
    client("SET", "volatile", "v", "PXAT", 4000000000001)
    client("PFADD", "loglog", *words)
    for size, elements in ("small", [*numbers, *words]), ("many", [f"{n:04}" for n in range(140)]), ("long", ["x" * 90, "y"]):
        client("RPUSH", f"list:{size}", *elements)
        client("SADD", f"set:{size}", *elements)
        client("HSET", f"hash:{size}", *(word for element in elements for word in (element, element)))
        client("ZADD", f"zset:{size}", *(word for at, element in enumerate(elements) for word in (at / 4, element)))
    client("SADD", "intset", *numbers)
    client("ZADD", "extremes", "-inf", "low", "inf", "high", "-0", "zero")
    for at in range(1, 12):
        client("XADD", "stream", f"{at}-{at % 3}", "field", at, *(["more", "x"] if at % 4 == 0 else []))
    client("XGROUP", "CREATE", "stream", "group", 0)
    client("XREADGROUP", "GROUP", "group", "reader", "COUNT", 4, "STREAMS", "stream", ">")
    client("XACK", "stream", "group", "2-2")
    client("XDEL", "stream", "5-2")
    client("XADD", "empty", "MAXLEN", 0, "1-1", "f", "v")


class Seeds:
    def __init__(self, folder):
        self.folder = folder

    def keep(self, target, content):
        place = self.folder / target
        place.mkdir(parents=True, exist_ok=True)
        (place / hashlib.sha1(content).hexdigest()[:16]).write_bytes(content)


def files(seeds, kind):
    """What a server writes."""
    for compression in "yes", "no":
        with Node(kind, "--rdbcompression", compression) as node, node.connect() as client:
            fill(client)
            place = Path(node.folder.name, "dump.rdb")
            client.call("SAVE")
            seeds.keep("rdb", place.read_bytes())
            for key in client("KEYS", "*"):
                payload = client("DUMP", key)
                assert payload is not NULL_BULK, key
                seeds.keep("dump", payload[:-10])
                # A file of one key, too.
                entry = payload[:1] + bytes([len(key)]) + key + payload[1:-10]
                seeds.keep("rdb", b"REDIS0010" + entry + b"\xff" + bytes(8))
    for preamble in "yes", "no":
        options = ["--appendonly", "yes", "--aof-use-rdb-preamble", preamble, "--aof-timestamp-enabled", "yes"]
        with Node(kind, *options, "--appendfsync", "always") as node:
            with node.connect() as client:
                fill(client)
            write(node, 30, 1)
            append_only(seeds, node)
            node("BGREWRITEAOF")
            until(lambda: (info := node.info("persistence"))["aof_rewrite_in_progress"] == "0"
                  and info["aof_last_bgrewrite_status"] == "ok" and int(info["aof_current_size"]) > 0)
            write(node, 20, 2)
            append_only(seeds, node)


def append_only(seeds, node):
    """The files as they are now, and each increment alone, whole and torn."""
    folder = Path(node.folder.name, "appendonlydir")
    manifest = (folder / "appendonly.aof.manifest").read_text()
    base, increment = b"", b""
    for line in manifest.splitlines():
        name, kind = line.split()[1], line.split()[-1]
        content = (folder / name).read_bytes()
        base, increment = (content, increment) if kind == "b" else (base, content)
    names = "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"
    seeds.keep("aof", names.encode() + BETWEEN + base + BETWEEN + increment)
    seeds.keep("aof", manifest.encode() + BETWEEN + base + BETWEEN + increment)
    seeds.keep("aof", b"!" + base + increment)
    seeds.keep("aof", increment[:3000])
    seeds.keep("aof", increment[:-5])


def stream(seeds, kind):
    """What a primary says: the handshake's replies, a copy in either form, the stream."""
    for diskless, capabilities in ("yes", ("capa", "eof", "capa", "psync2")), ("no", ("capa", "psync2")):
        with Node(kind, "--repl-diskless-sync", diskless, "--repl-diskless-sync-delay", "0") as node:
            with node.connect() as client:
                fill(client)
            with socket.create_connection(("127.0.0.1", node.port)) as replica:
                replica.settimeout(1)
                said = b""
                for words in ("PING",), ("REPLCONF", "listening-port", "1"), ("REPLCONF", *capabilities), \
                        ("REPLCONF", "version", "7.0.15"):
                    replica.sendall(request(*words))
                    said += replica.recv(1000)
                replica.sendall(request("PSYNC", "?", "-1"))
                said += heard(replica)
                # Only then is the stream sent.
                replica.sendall(request("REPLCONF", "ACK", "0"))
                write(node, 40, 3)
                said += heard(replica)
        for load in range(3):
            seeds.keep("replication", bytes([load]) + said)
    greeting = b"+PONG\r\n" + b"+OK\r\n" * 3
    for load in range(3):
        seeds.keep("replication", bytes([load]) + greeting + b"+CONTINUE " + b"a" * 40 + b"\r\n" + request("SET", "a", "b"))
        seeds.keep("replication", bytes([load]) + greeting + b"+FULLRESYNC " + b"a" * 40 + b" 0\r\n\n$18\r\nREDIS0010\xff"
                   + bytes(8) + request("SELECT", "1") + request("SET", "a", "b") + request("REPLCONF", "GETACK", "*"))
        seeds.keep("replication", bytes([load]) + b"-NOAUTH x\r\n-ERR x\r\n-ERR x\r\n-ERR x\r\n-NOMASTERLINK x\r\n")


def heard(replica):
    """Everything until nothing more comes."""
    said = b""
    try:
        while more := replica.recv(1 << 16):
            said += more
    except TimeoutError:
        pass
    return said


def requests(seeds):
    written = [request("SET", "key", "value"), request("GET", ""), request("MSET", "a", "x" * 100, "b", b"\r\n\0"),
               b"PING\r\n", b'SET "a\\x41\\n" \'b c\'\r\n', b"*0\r\n*-1\r\n\r\n", b"*2\r\n$3\r\nGET\r\n$-1\r\n", b"*1\r\n+x\r\n"]
    for options in 0, 1, 6, 32, 63:
        for part in [*written, b"".join(written[:6])]:
            seeds.keep("request", bytes([options]) + part)


def scripts(seeds):
    """The target reads any bytes as a program: these are long enough for several statements."""
    for number in range(200):
        text = b"".join(hashlib.sha256(b"%d-%d" % (number, part)).digest() for part in range(8))
        seeds.keep("script", text[:40 + number])


def main(folder):
    seeds = Seeds(folder)
    requests(seeds)
    scripts(seeds)
    for kind in KINDS:
        files(seeds, kind)
        stream(seeds, kind)


if __name__ == "__main__":
    made = Path(sys.argv[1]).resolve()
    partial = made.with_name(made.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    main(partial)
    shutil.rmtree(made, ignore_errors=True)
    partial.rename(made)
