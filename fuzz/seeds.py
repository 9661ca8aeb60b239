#!/usr/bin/env python3
"""Makes files for the fuzzers to begin with: seeds.py FOLDER. They are written by redis-server and by ae-server, of data
of every type and encoding: RDB files, append-only files, payloads of DUMP, the bytes that a primary sends to a replica,
and requests; with them replies, PROXY headers, numbers and patterns, TLS handshakes and what TLS is configured with. AE_SERVER names another ae-server than build/ae-server."""

import hashlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
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


def replies(seeds):
    parts = [b"+OK\r\n", b"-ERR no\r\n", b":-12\r\n", b"$5\r\nhello\r\n", b"$-1\r\n", b"*-1\r\n", b"_\r\n", b"#t\r\n",
             b",1.5e10\r\n", b",inf\r\n", b"(123456789012345678901\r\n", b"=7\r\ntxt:abc\r\n", b"*2\r\n:1\r\n*1\r\n+a\r\n",
             b"%1\r\n+a\r\n:1\r\n", b"~2\r\n+a\r\n+b\r\n", b">2\r\n+message\r\n$1\r\nx\r\n", b"|1\r\n+ttl\r\n:3\r\n+a\r\n"]
    for piece in 0, 2, 255:
        for part in [*parts, b"".join(parts)]:
            seeds.keep("reply", bytes([piece]) + part)


def proxy_headers(seeds):
    magic = b"\r\n\r\n\0\r\nQUIT\n"
    four, six = bytes(range(12)), bytes(range(36))
    lines = [b"PROXY TCP4 192.0.2.1 192.0.2.9 4321 6379\r\n", b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n",
             b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", magic + b"\x20\x00\0\0"]
    for family, ends in (0x11, four), (0x12, four), (0x21, six), (0x31, bytes(216)):
        for more in b"", b"\x03\0\4abcd", b"\x20\0\1x":
            lines.append(magic + bytes([0x21, family]) + len(ends + more).to_bytes(2, "big") + ends + more)
    for line in lines:
        seeds.keep("proxy", line)
        seeds.keep("proxy", line + b"PING\r\n")


def texts(seeds):
    for text in ("0", "-1", "9223372036854775807", "-9223372036854775808", "1.5", "-0", "1e400", "3.0e-5", "0x1p3", "inf", "nan",
                 "17179869184.000000001", "a*c", "[a-z]x?[^b]\\\\", "*a*a*b", "[\x80-z]"):
        seeds.keep("text", bytes([255]) + text.encode())
        for at in 1, len(text):
            seeds.keep("text", bytes([at]) + (text + "abcabcaab").encode())


def tls(seeds):
    """What both sides say in handshakes, and what a configuration is made of."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        for name, key in ("ec", ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]), ("rsa", ["rsa:2048"]):
            subprocess.run(["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-keyout", at / f"{name}.key", "-out",
                            at / f"{name}.crt", "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", at / "ec.key", "-aes256", "-passout", "pass:password", "-out", at / "locked.key"],
                       check=True)
        for path in sorted(at.iterdir()):
            for kind in 4, 5, 6:
                seeds.keep("tls_config", bytes([kind]) + path.read_bytes())
        for name in "ec", "rsa":
            for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
                hello, answer = handshake(at / f"{name}.crt", at / f"{name}.key", version)
                seeds.keep("tls", b"\0" + hello)
                seeds.keep("tls", b"\1" + answer)
    for kind, texts in (0, ["HIGH:!aNULL:@STRENGTH", "ECDHE-RSA-AES128-GCM-SHA256", "ALL:-kRSA:+ECDHE", "DEFAULT@SECLEVEL=2"]), \
            (1, ["TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"]), (2, ["TLSv1.2 TLSv1.3", "tlsv1.3"]), \
            (3, ["localhost", "::1", "a.example.org."]):
        for text in texts:
            seeds.keep("tls_config", bytes([kind]) + text.encode())


def handshake(certificate, key, version):
    """the first message of a client, and all that a server answers"""
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    server.load_cert_chain(certificate, key)
    client.check_hostname, client.verify_mode, client.maximum_version = False, ssl.CERT_NONE, version
    said = [ssl.MemoryBIO(), ssl.MemoryBIO()]
    for context, ends, side in (client, said, False), (server, said[::-1], True):
        try:
            # The one reads what the other has said.
            context.wrap_bio(ends[1], ends[0], server_side=side).do_handshake()
        except ssl.SSLWantReadError:
            pass
        if not side:
            hello = said[0].read()
            said[0].write(hello)
    return hello, said[1].read()


def main(folder):
    seeds = Seeds(folder)
    replies(seeds)
    proxy_headers(seeds)
    texts(seeds)
    tls(seeds)
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
