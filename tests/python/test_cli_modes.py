#!/usr/bin/env python3
"""ae-cli's modes, TLS and clusters: beside redis-cli where it is there, on real servers."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support import main
from testkit.certificates import Certificates
from testkit.ports import free_ports
from testkit.resp import PATIENCE
from testkit.server import AE_CLI, AeServer, RedisServer, Server, TlsServer
from told import Told, bulk


def run(cli, *words, given=b"", **environment):
    done = subprocess.run([cli, *map(str, words)], input=given, capture_output=True, timeout=PATIENCE,
                          env={**os.environ, "REDISCLI_HISTFILE": "/dev/null", "TERM": "dumb", **environment})
    return done.stdout, done.stderr, done.returncode


def request(stream):
    """The words of a request that arrives"""
    words = int(stream.readline()[1:])
    return [stream.read(int(stream.readline()[1:]) + 2)[:-2] for _ in range(words)]


def fill(server):
    with server.connect() as client:
        for index in range(300):
            client.call("SET", f"string:{index}", "x" * index)
        for name, count in (("a", 3), ("b", 20)):
            client.call("RPUSH", f"list:{name}", *range(count))
            client.call("SADD", f"set:{name}", *range(count))
            client.call("HSET", f"hash:{name}", *range(2 * count))
            for _ in range(count):
                client.call("XADD", f"stream:{name}", "*", "f", "v")
        client.call("SET", "od\"d\n\x00", "v")


def summary(out):
    """What is said first, and the lines of the summary: the types come in another order. A table that is being moved is
    walked over in another order, too."""
    first, _, rest = out.partition(b"-------- summary -------")
    return first.split(b"[")[0], sorted(rest.splitlines()), len(re.findall(rb"\[\d\d\.\d\d%\] Biggest ", first)) > 3


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class Modes(unittest.TestCase):
    maxDiff = None

    def servers(self):
        for kind in (RedisServer, AeServer):
            with kind("--repl-diskless-sync-delay", "0") as server:
                fill(server)
                yield server

    def both(self, server, *words, given=b""):
        """Both clients' output; the place of what went to the other output differs."""
        ours = run(AE_CLI, "-p", server.port, *words, given=given)
        return ours, run("redis-cli", "-p", server.port, *words, given=given)

    def test_keys(self):
        for server in self.servers():
            for words in (["--bigkeys"], ["--memkeys"], ["--memkeys-samples", "3"],
                          ["--bigkeys", "--pattern", "list*"], ["--bigkeys", "--pattern", "list:a"]):
                with self.subTest(words, server=server):
                    ours, theirs = self.both(server, *words)
                    self.assertEqual([*summary(ours[0]), *ours[1:]], [*summary(theirs[0]), *theirs[1:]])
            for words in (["--scan"], ["--scan", "--no-raw"], ["--scan", "--pattern", "list*"], ["--scan", "--csv"],
                          ["--scan", "--json"], ["--hotkeys"]):
                with self.subTest(words, server=server):
                    ours, theirs = self.both(server, *words)
                    # Raw output of redis-cli ends at a NUL.
                    self.assertEqual([ours[0].replace(b"\0", b""), *ours[1:]], list(theirs))
            with server.connect() as client:
                client.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lfu")
                for _ in range(50):
                    client.call("GET", "string:7")
            ours, _, status = run(AE_CLI, "-p", server.port, "--hotkeys")
            self.assertIn(b'keyname: "string:7"', ours.split(b"summary")[1])
            self.assertEqual(status, 0)

    def test_snapshots(self):
        for server in self.servers():
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "dump.rdb")
                out, err, status = run(AE_CLI, "-p", server.port, "--rdb", path)
                self.assertEqual((out, status), (b"", 0), err)
                self.assertIn(b"Transfer finished with success", err)
                checked = subprocess.run(["redis-check-rdb", path], capture_output=True, check=True).stdout
                self.assertIn(b"[info] 309 keys read", checked)
                out, err, status = run(AE_CLI, "-p", server.port, "--rdb", "-")
                self.assertEqual((out[:5], status), (b"REDIS", 0), err)
                out, err, status = run(AE_CLI, "-p", server.port, "--rdb", f"{folder}/missing/dump.rdb")
                self.assertEqual((out, status), (b"", 1))
                self.assertIn(b"Error opening", err)

    def test_what_a_replica_is_sent(self):
        for server in self.servers():
            with subprocess.Popen([AE_CLI, "-p", str(server.port), "--replica"], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL) as replica, server.connect() as client:
                while b"state=online" not in client.call("INFO", "replication"):
                    time.sleep(0.01)
                client.call("SET", "told", "v")
                while b"told" not in (line := replica.stdout.readline()):
                    self.assertTrue(line)
                self.assertEqual(line, b'"SET","told","v"\n')
                replica.send_signal(signal.SIGTERM)

    def test_watching(self):
        for server in self.servers():
            for words in (["--latency", "--raw", "-i", "0.1"], ["--latency", "--csv", "-i", "0.1"]):
                out, err, status = run(AE_CLI, "-p", server.port, *words)
                self.assertRegex(out, rb"^\d+[ ,]\d+[ ,]\d+\.\d\d[ ,]\d+\n$")
                self.assertEqual((err, status), (b"", 0))
            watched = [(["--stat", "-i", "0.05"], rb"\n309 +\d"),
                       (["--latency-dist", "-i", "0.05"], rb"From 0 to 100%")]
            if isinstance(server, AeServer):
                watched.append((["--lru-test", "100"], rb"Gets/sec \| Hits: "))
            for words, pattern in watched:
                with subprocess.Popen([AE_CLI, "-p", str(server.port), *words], stdout=subprocess.PIPE) as program:
                    seen = b""
                    while not re.search(pattern, seen):
                        seen += program.stdout.readline() or self.fail(seen)
                    program.terminate()
        out, _, status = run(AE_CLI, "--intrinsic-latency", "0")
        self.assertEqual(status, 0)
        self.assertIn(b"total runs", out)

    def test_an_interrupted_walk_has_a_summary(self):
        """Ctrl-C while a reply is waited for, and in a pause."""
        answers = {b"DBSIZE": b":2\r\n", b"TYPE": b"+string\r\n", b"STRLEN": b":3\r\n", b"MEMORY": b":3\r\n",
                   b"OBJECT": b":3\r\n", b"SCAN": b"*2\r\n$1\r\n7\r\n*1\r\n$1\r\nk\r\n"}
        for mode in ("--bigkeys", "--memkeys", "--hotkeys"):
            for answered in (1, 100):
                with self.subTest(mode, answered=answered), socket.create_server(("127.0.0.1", 0)) as server:
                    server.settimeout(PATIENCE)
                    words = [AE_CLI, "-p", str(server.getsockname()[1]), mode, "-i", "3600"]
                    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
                        connection, _ = server.accept()
                        with connection, connection.makefile("rb") as requests:
                            scans = 0
                            # The answers to the hundredth call's keys are followed by the pause.
                            while (name := request(requests)[0]) != b"SCAN" or scans < answered:
                                scans += name == b"SCAN"
                                connection.sendall(answers[name])
                                if scans == 100 and name in (b"STRLEN", b"MEMORY", b"OBJECT"):
                                    break
                            program.send_signal(signal.SIGINT)
                            out, err = program.communicate(timeout=PATIENCE)
                    self.assertEqual((err, program.returncode), (b"", 0))
                    self.assertRegex(out.split(b"summary")[1], rb"\[\d+\.00%\] Sampled \d+ keys in the keyspace!")

    def test_a_server_that_ends_every_connection(self):
        """Connecting anew is tried again and again, and not all the time."""
        for words in (["--latency"], ["--stat"]):
            with self.subTest(words), socket.create_server(("127.0.0.1", 0)) as server:
                server.settimeout(PATIENCE)
                place = ["-p", str(server.getsockname()[1])]
                with subprocess.Popen([AE_CLI, *place, *words], stdout=subprocess.DEVNULL) as program:
                    # The first, the one that is tried at once, and one after a pause of a second.
                    for _ in range(2):
                        server.accept()[0].close()
                    begun = time.monotonic()
                    server.accept()[0].close()
                    self.assertGreater(time.monotonic() - begun, 0.9)
                    program.kill()

    def test_a_command_connects_once(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(PATIENCE)
            place = ["-p", str(server.getsockname()[1]), "-a", "x", "--no-auth-warning"]
            with subprocess.Popen([AE_CLI, *place, "ping"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
                server.accept()[0].close()
                # A second one would be taken by the backlog, and say something, too.
                self.assertEqual(program.communicate(timeout=PATIENCE), (b"", b"\nI/O error\n"))
                self.assertEqual(program.returncode, 1)
            server.setblocking(False)
            self.assertRaises(BlockingIOError, server.accept)

    def test_output_that_nobody_takes(self):
        """A full disk is said, and a reader that has left is not."""
        with AeServer("--repl-diskless-sync-delay", "0") as server:
            fill(server)
            place = ["-p", str(server.port)]
            for words, given in (([*place, "ping"], b""), (place, b"ping\nping\n"), ([*place, "--scan"], b""),
                                 ([*place, "--rdb", "-"], b""), (["--help"], b"")):
                with self.subTest(words):
                    reader, left = os.pipe()
                    os.close(reader)
                    full = os.open("/dev/full", os.O_WRONLY)
                    said = []
                    for output in (full, left):
                        done = subprocess.run([AE_CLI, *words], input=given, stdout=output, stderr=subprocess.PIPE,
                                              timeout=PATIENCE)
                        os.close(output)
                        self.assertEqual(done.returncode, 1)
                        said.append(done.stderr.count(b"Error writing to standard output: No space left on device\n"))
                    self.assertEqual(said, [1, 0])

    def test_what_tls_lacks_is_an_option(self):
        for words, said in ((["--cacert", "/nowhere"], b": --cacert: "),
                            (["--tls-ciphers", "nothing"], b": --tls-ciphers: "),
                            (["--cert", "/nowhere", "--key", "/nowhere"], b": --cert: ")):
            with self.subTest(words):
                _, err, status = run(AE_CLI, "-p", 1, "--tls", *words, "ping")
                self.assertEqual(status, 1)
                self.assertIn(said, err)
                self.assertNotIn(b"os error", err)

    def test_scripts(self):
        with RedisServer() as server, tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write("return {KEYS[1], ARGV[1], ARGV[2]}")
            script.flush()
            for words in (["k", ",", "a", "b"], ["k", "l", ",", "a"], []):
                self.assertEqual(*self.both(server, "--eval", script.name, *words))

    def test_much_through_a_pipe(self):
        for server in self.servers():
            given = b"".join(b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$1\r\nv\r\n" % (len(key), key)
                             for key in (b"key:%d" % index for index in range(20_000)))
            self.assertEqual(*self.both(server, "--pipe", given=given + b"nonsense\r\n"))


class Tls(unittest.TestCase):
    def test_certificates(self):
        certificates = Certificates()
        with TlsServer(certificates) as server:
            place = ["-p", server.tls_port, "--tls"]
            ca = ["--cacert", certificates["ca.crt"]]
            for words in ([*ca], ["--insecure"], [*ca, "--sni", "localhost"], [*ca, "-h", "localhost"]):
                with self.subTest(words):
                    self.assertEqual(run(AE_CLI, *place, *words, "ping"), (b"PONG\n", b"", 0))
            uri = f"rediss://127.0.0.1:{server.tls_port}"
            self.assertEqual(run(AE_CLI, "-u", uri, *ca, "ping"), (b"PONG\n", b"", 0))
            big = run(AE_CLI, *place, *ca, "-x", "set", "k", given=b"x" * 5_000_000)
            self.assertEqual(big, (b"OK\n", b"", 0))
            self.assertEqual(len(run(AE_CLI, *place, *ca, "get", "k")[0]), 5_000_001)
            for words in ([], ["--cacert", certificates["other-ca.crt"]], ["--cacert", "/nowhere"]):
                with self.subTest(words):
                    out, err, status = run(AE_CLI, *place, *words, "ping")
                    self.assertEqual((out, status), (b"", 1))
                    self.assertIn(b"Could not connect to Redis at 127.0.0.1:", err)

    def test_a_certificate_of_ones_own(self):
        certificates = Certificates()
        with TlsServer(certificates, auth="yes") as server:
            place = ["-p", server.tls_port, "--tls", "--cacert", certificates["ca.crt"]]
            own = ["--cert", certificates["client.crt"], "--key", certificates["client.key"]]
            self.assertEqual(run(AE_CLI, *place, *own, "ping"), (b"PONG\n", b"", 0))
            self.assertEqual(run(AE_CLI, *place, "ping")[::2], (b"", 1))


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed")
class Cluster(unittest.TestCase):
    """Three masters, each with a third of the slots, and a replica."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="ae-cli-")
        cls.addClassCleanup(folder.cleanup)
        cls.ports = free_ports(4, above=10_000)
        cls.nodes = []
        for port in cls.ports:
            home = Path(folder.name, str(port))
            home.mkdir()
            node = Server(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", home,
                           "--cluster-enabled", "yes"], port)
            cls.nodes.append(node.__enter__())
            cls.addClassCleanup(node.stop)
        clients = [node.connect() for node in cls.nodes]
        for client, first, last in zip(clients, (0, 5461, 10923), (5460, 10922, 16383)):
            client.call("CLUSTER", "ADDSLOTSRANGE", first, last)
        for number, client in enumerate(clients):
            client.call("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for port in cls.ports[1:]:
            clients[0].call("CLUSTER", "MEET", "127.0.0.1", port)
        cls.until(lambda: all(b"cluster_known_nodes:4" in client.call("CLUSTER", "INFO") for client in clients))
        master = clients[0].call("CLUSTER", "MYID")
        cls.until(lambda: cls.replicates(clients[3], master))
        cls.until(lambda: all(b"cluster_state:ok" in client.call("CLUSTER", "INFO") for client in clients))
        cls.until(lambda: all(client.call("CLUSTER", "NODES").count(b" slave ") + client.call("CLUSTER", "NODES").count(
            b"myself,slave ") == 1 and b"handshake" not in client.call("CLUSTER", "NODES") for client in clients))

    @staticmethod
    def replicates(client, master):
        try:
            return client.call("CLUSTER", "REPLICATE", master)
        except Exception:
            return False

    @staticmethod
    def until(condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError("the cluster is not there in time")
            time.sleep(0.05)

    def both(self, *words, given=b"", **environment):
        return [run(cli, *words, given=given, **environment) for cli in (AE_CLI, "redis-cli")]

    def test_redirections(self):
        keys = "abcdefgh"
        for key in keys:
            self.assertEqual(*self.both("-c", "-p", self.ports[0], "set", key, f"value {key}"))
            self.assertEqual(run(AE_CLI, "-c", "-p", self.ports[1], "get", key)[0], f"value {key}\n".encode())
        given = "".join(f"get {key}\n" for key in keys).encode()
        self.assertEqual(*self.both("-c", "-p", self.ports[0], given=given))
        self.assertEqual(*self.both("-p", self.ports[0], given=given))
        self.assertEqual(*self.both("-c", "-r", "3", "-p", self.ports[2], "get", "a"))

    def test_an_asked_slot(self):
        with self.nodes[0].connect() as first, self.nodes[1].connect() as second:
            # b is in slot 3300.
            first.call("DEL", "b")
            first.call("CLUSTER", "SETSLOT", 3300, "MIGRATING", second.call("CLUSTER", "MYID"))
            second.call("CLUSTER", "SETSLOT", 3300, "IMPORTING", first.call("CLUSTER", "MYID"))
            try:
                self.assertEqual(*self.both("-c", "-p", self.ports[0], "set", "b", "moving"))
                self.assertEqual(*self.both("-c", "-p", self.ports[0], "get", "b"))
                ours, theirs = self.both("--cluster", "check", f"127.0.0.1:{self.ports[0]}")
                self.assertEqual(sorted(ours[0].splitlines()), sorted(theirs[0].splitlines()))
                self.assertEqual((ours[1:], ours[2]), (theirs[1:], 1))
                run(AE_CLI, "-c", "-p", self.ports[0], "del", "b")
            finally:
                for client in (first, second):
                    client.call("CLUSTER", "SETSLOT", 3300, "STABLE")

    def test_asking_all(self):
        for words in (["info", f"127.0.0.1:{self.ports[0]}"], ["check", f"127.0.0.1:{self.ports[0]}"],
                      ["check", "127.0.0.1", self.ports[3]], ["call", f"127.0.0.1:{self.ports[0]}", "dbsize"],
                      ["call", f"127.0.0.1:{self.ports[0]}", "config", "get", "port"],
                      ["call", f"127.0.0.1:{self.ports[0]}", "ping", "--cluster-only-masters"],
                      ["call", f"127.0.0.1:{self.ports[0]}", "ping", "--cluster-only-replicas"],
                      ["check", f"127.0.0.1:{self.ports[0]}", "--cluster-search-multiple-owners"],
                      ["call", "127.0.0.1"], ["info", "nonsense"], ["nosuch", "x"], ["info", "127.0.0.1:1"]):
            with self.subTest(words):
                ours, theirs = self.both("--cluster", *words)
                # The nodes come in the order of their names, which each server tells in an order of its own.
                self.assertEqual(sorted(ours[0].splitlines()), sorted(theirs[0].splitlines()))
                self.assertEqual(ours[1:], theirs[1:])

    def test_what_changes_a_cluster_is_refused(self):
        place = f"127.0.0.1:{self.ports[0]}"
        for words in (["reshard", place], ["create", place, place, "--cluster-replicas", "1"],
                      ["reshard", place, "--cluster-from", "x"]):
            with self.subTest(words):
                out, err, status = run(AE_CLI, "--cluster", *words)
                self.assertEqual((out, status), (b"", 1))
                self.assertEqual(err, f"--cluster {words[0]}: ae-cli changes no cluster; use redis-cli --cluster "
                                      f"{words[0]}\n".encode())

    def test_a_server_without_cluster(self):
        with RedisServer() as server:
            ours, theirs = self.both("--cluster", "info", f"127.0.0.1:{server.port}")
            self.assertEqual(ours, theirs)


class Node(Told):
    """A node that says what it is told to say: of the cluster, and of how many keys it has in which slots"""

    def __init__(self):
        super().__init__(CLUSTER=self.cluster, DBSIZE=lambda _: b":%d\r\n" % sum(self.keys.values()),
                         INFO=bulk("cluster_enabled:1\r\n"))
        self.nodes, self.keys = "", {}

    def cluster(self, words):
        if words[1].upper() == b"COUNTKEYSINSLOT":
            return b":%d\r\n" % self.keys.get(int(words[2]), 0)
        return bulk(self.nodes)


# Of each node its flags, the number of its master, its slots, and sometimes that it is not connected; for those that
# see it otherwise, what they see; and the keys that nodes have in slots.
WELL = [("master", "-", "0-8191 16383"), ("master", "-", "8192-16382"), ("slave", 0, "")]
TOLD = {
    "all is well": (WELL, {}, {0: {1: 2, 16383: 3}, 1: {8192: 4}}),
    "slots and nodes in another order": (WELL, {1: [WELL[1], ("master", "-", "16383 0-8191"), WELL[2]]}, {}),
    "the second disagrees": (WELL, {1: [("master", "-", "0-8190 16383"), *WELL[1:]]}, {}),
    "the last disagrees": (WELL, {2: [("master", "-", "0-8190 16383"), *WELL[1:]]}, {}),
    "slots of nobody": ([("master", "-", "0-4 7-8"), ("master", "-", "10 12-16383")], {}, {}),
    "a master without slots": ([("master", "-", "0-16383"), ("master", "-", ""), ("slave", 1, ""), ("slave", 1, "")], {}, {}),
    "a slot on its way": ([("master", "-", "0-16383 [5->-1]"), ("master", "-", "[5-<-0]")], {}, {}),
    "a slot that only one gives": ([("master", "-", "0-16383 [5->-1]"), ("master", "-", "")], {}, {}),
    "a slot that only one takes": ([("master", "-", "0-16383"), ("master", "-", "[5-<-0]")], {}, {}),
    "one has gone": ([*WELL, ("slave,fail", 1, ""), ("slave,noaddr", 1, ""), ("handshake", "-", "")], {}, {}),
    "one is not connected": ([*WELL, ("slave", 1, "", "disconnected")], {}, {}),
    "a master that nobody knows": ([*WELL, ("slave", 9, "")], {}, {}),
    "two owners": ([WELL[0], ("master", "-", "8191-16382")], {}, {}),
    "an owner by its keys": (WELL[:2], {}, {0: {3: 1}, 1: {3: 1, 4: 1}}),
    "three owners": ([WELL[0], ("master", "-", "8191-16382"), ("master", "-", "8191")], {}, {}),
}


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class ToldCluster(unittest.TestCase):
    """What both clients make of what nodes say"""

    def test_what_nodes_say(self):
        servers = [Node() for _ in range(6)]
        for server in servers:
            self.addCleanup(server.server_close)
            self.addCleanup(server.shutdown)

        def name(number):
            return number if number == "-" else f"{number}" * 40

        def line(at, me, flags, master, slots, state="connected"):
            flags = f"myself,{flags}" if at == me else flags
            slots = re.sub(r"-(\d)\]", lambda found: f"-{name(found[1])}]", slots)
            return f"{name(at)} 127.0.0.1:{servers[at].port}@1 {flags} {name(master)} 0 0 1 {state} {slots}\n"

        for title, (nodes, others, keys) in TOLD.items():
            for at, server in enumerate(servers):
                seen = [line(number, at, *node) for number, node in enumerate(nodes)]
                if at in others:
                    places = [nodes.index(node) if node in nodes else 0 for node in others[at]]
                    seen = [line(number, at, *node) for number, node in zip(places, others[at])]
                server.nodes, server.keys = "".join(seen), keys.get(at, {})
            place = f"127.0.0.1:{servers[0].port}"
            for words in (["info", place], ["check", place],
                          *([["check", place, "--cluster-search-multiple-owners"]] if "owner" in title else [])):
                with self.subTest(title, words=words):
                    ours, theirs = (run(cli, "--cluster", *words) for cli in (AE_CLI, "redis-cli"))
                    self.assertEqual(ours[0].decode().splitlines(), theirs[0].decode().splitlines())
                    self.assertEqual(ours[1:], theirs[1:])


if __name__ == "__main__":
    main("cli-modes")
