#!/usr/bin/env python3
"""What Redis's own suite tests in its folder tests/integration, which only runs servers that it starts itself. The list of
those cases, with what tests each here, is in redis_integration.csv."""

import contextlib
import csv
import random
import re
import shutil
import signal
import socket
import tempfile
import threading
import unittest
from pathlib import Path

from support import main
from test_replication import Case
from testkit.ports import free_port
from testkit.replication import same, until, write
from testkit.resp import PATIENCE
from testkit.server import AE_SERVER, Server

ROOT = Path(__file__).resolve().parents[2]
ID = "0123456789abcdef0123456789abcdef01234567"


class Link:
    """The connection of a replica with a primary that a test plays."""

    def __init__(self, socket):
        self.socket = socket
        self.socket.settimeout(PATIENCE)
        self.file = socket.makefile("rb")

    def request(self):
        words = [self.file.read(int(self.file.readline()[1:]) + 2)[:-2] for _ in range(int(self.file.readline()[1:]))]
        return [word.decode() for word in words]

    def send(self, data):
        self.socket.sendall(data)

    def close(self):
        self.file.close()
        self.socket.close()


class Impostor:
    """A primary that a test plays by hand."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.port = self.listener.getsockname()[1]
        self.links = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for closes in [self.listener, *self.links]:
            closes.close()

    def accept(self):
        self.links.append(Link(self.listener.accept()[0]))
        return self.links[-1]

    def handshake(self, reply):
        """Until the replica asks for the data, and is given this reply. Returns the connection and what was asked for."""
        link = self.accept()
        while (words := link.request())[0] != "PSYNC":
            link.send(b"+PONG\r\n" if words[0] == "PING" else b"+OK\r\n")
        link.send(reply)
        return link, words


def request(*words):
    return b"".join([b"*%d\r\n" % len(words)] + [b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words)])


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Copies(Case):
    """A replica while it gets a copy of the data."""

    def copy(self):
        """A file with much in it."""
        node = self.node("redis")
        node("DEBUG", "POPULATE", 2000, "new", 500)
        node("SAVE")
        return Path(node.folder.name, "dump.rdb").read_bytes()

    def test_a_copy_that_breaks_off(self):
        """What there is stays, unless it has to go for the copy; and another copy is taken."""
        copy = self.copy()
        for load, kept in ("disabled", True), ("swapdb", True), ("on-empty-db", False):
            for diskless in True, False:
                with self.subTest(load=load, diskless=diskless), Impostor() as primary:
                    replica = self.node("ae", "--repl-diskless-load", load)
                    if kept:
                        replica("SET", "old", "v")
                    replica("REPLICAOF", "127.0.0.1", primary.port)
                    start = f"+FULLRESYNC {ID} 7\r\n".encode()
                    start += b"$EOF:%s\r\n" % (b"m" * 40) if diskless else b"$%d\r\n" % len(copy)
                    link, _ = primary.handshake(start + copy[:len(copy) // 2])
                    link.close()
                    link, words = primary.handshake(start + copy + b"m" * 40 * diskless)
                    # As long as it has the old data, it would go on with them.
                    self.assertEqual(words[1] == "?", not kept)
                    until(lambda: replica.info()["master_link_status"] == "up")
                    self.assertEqual((replica("DBSIZE"), replica("EXISTS", "old")), (2000, 0))
                    self.assertEqual(replica.info()["master_repl_offset"], "7")

    def test_the_append_only_file_after_a_copy_that_cannot_be_loaded(self):
        """It stays as it was; if the replica becomes a primary, it begins anew with what that has."""
        copy = self.copy()
        for promoted in False, True:
            with self.subTest(promoted=promoted), Impostor() as primary:
                replica = self.node("ae", "--appendonly", "yes", "--appendfsync", "always")
                replica("SET", "old", "v")
                replica("REPLICAOF", "127.0.0.1", primary.port)
                primary.handshake(f"+FULLRESYNC {ID} 7\r\n".encode() + b"$%d\r\n" % (len(copy) - 9) + copy[:-9])
                primary.accept()
                self.assertEqual(replica("DBSIZE"), 0)
                # What else is set does not turn it on.
                replica("CONFIG", "SET", "hz", 10)
                self.assertEqual(replica.info("persistence")["aof_enabled"], "0")
                if promoted:
                    replica("REPLICAOF", "NO", "ONE")
                    replica("SET", "new", "v")
                    until(lambda: replica.info("persistence")["aof_last_bgrewrite_status"] == "ok"
                          and replica.info("persistence")["aof_rewrite_in_progress"] == "0"
                          and replica.info("persistence")["aof_rewrite_scheduled"] == "0")
                replica.kill()
                replica.restart("--appendonly", "yes")
                self.assertEqual(replica("KEYS", "*"), [b"new" if promoted else b"old"])

    def test_a_stream_that_breaks(self):
        """Where it goes on is unknown, so another copy is taken; an inline request is none that a primary sends."""
        copy = self.copy()
        good = request("SELECT", "0") + request("SET", "good", "v")
        for bad in b"*x\r\n", b"SET inline v\r\n", b"*1\r\nPING\r\n":
            with self.subTest(bad=bad), Impostor() as primary:
                replica = self.node("ae")
                replica("REPLICAOF", "127.0.0.1", primary.port)
                start = f"+FULLRESYNC {ID} 7\r\n".encode() + b"$%d\r\n" % len(copy) + copy
                primary.handshake(start + good + bad + request("SET", "behind", "v"))
                _, words = primary.handshake(start)
                self.assertEqual(words[1], "?")
                until(lambda: replica.info()["master_link_status"] == "up")
                self.assertEqual((replica("DBSIZE"), replica.info()["master_repl_offset"]), (2000, "7"))

    def test_what_is_served_meanwhile(self):
        copy = self.copy()
        for load in "swapdb", "disabled", "on-empty-db":
            with self.subTest(load=load), Impostor() as primary:
                replica = self.node("ae", "--repl-diskless-load", load)
                if load != "on-empty-db":
                    replica("SET", "old", "v")
                replica("REPLICAOF", "127.0.0.1", primary.port)
                start = f"+FULLRESYNC {ID} 7\r\n$EOF:{'m' * 40}\r\n".encode()
                link, _ = primary.handshake(start + copy[:len(copy) // 2])
                until(lambda: replica.info()["master_sync_in_progress"] == "1")
                if load == "on-empty-db":
                    until(lambda: replica("GET", "old").startswith("LOADING"))
                    self.assertEqual(replica.info("persistence")["loading"], "1")
                else:
                    self.assertEqual(replica("GET", "old"), b"v")
                    self.assertTrue(replica("SET", "old", "w").startswith("READONLY"))
                if load == "swapdb":
                    until(lambda: replica.info("persistence")["async_loading"] == "1")
                    self.assertEqual(replica.info("persistence")["loading"], "0")
                    self.assertTrue(replica("SAVE").startswith("LOADING"))
                link.send(copy[len(copy) // 2:] + b"m" * 40)
                until(lambda: replica.info()["master_link_status"] == "up")
                self.assertEqual((replica("DBSIZE"), replica("EXISTS", "old")), (2000, 0))

    def test_a_history_that_was_known_is_forgotten_with_the_data(self):
        """When the old data have gone for a copy that never comes, the old history cannot be continued."""
        copy = self.copy()
        with Impostor() as primary:
            replica = self.node("ae")
            replica("REPLICAOF", "127.0.0.1", primary.port)
            whole = f"+FULLRESYNC {ID} 7\r\n${len(copy)}\r\n".encode() + copy
            link, _ = primary.handshake(whole)
            until(lambda: replica.info()["master_link_status"] == "up")
            link.close()
            # It is broken, which is only seen when it is loaded.
            broken = f"+FULLRESYNC {ID[::-1]} 9\r\n${len(copy)}\r\n".encode() + copy[:-9] + b"\x00" * 9
            link, words = primary.handshake(broken)
            self.assertEqual(words[1:], [ID, "8"])
            link.close()
            link, words = primary.handshake(whole)
            self.assertEqual(words[1:], ["?", "-1"])
            until(lambda: replica.info()["master_link_status"] == "up")

    def test_replicas_that_go_away_during_a_copy(self):
        one = self.node("ae", "--repl-diskless-sync", "yes", "--rdb-key-save-delay", "100000")
        one("DEBUG", "POPULATE", 1000, "key", 1000)
        one("CONFIG", "SET", "repl-diskless-sync-delay", 1000, "repl-diskless-sync-max-replicas", 2)
        replicas = [self.node(kind) for kind in ("ae", "redis")]
        for replica in replicas:
            replica("REPLICAOF", "127.0.0.1", one.port)
        until(lambda: all(replica.info()["master_sync_in_progress"] == "1" for replica in replicas))
        replicas[0].kill()
        one("CONFIG", "SET", "rdb-key-save-delay", 0)
        until(lambda: replicas[1].is_linked_to(one))
        same(one, replicas[1])
        # Nobody is left: it is given up.
        one("CONFIG", "SET", "rdb-key-save-delay", 100_000, "repl-diskless-sync-delay", 0)
        other = self.node("ae")
        other("REPLICAOF", "127.0.0.1", one.port)
        until(lambda: other.info()["master_sync_in_progress"] == "1")
        other.kill()
        until(lambda: one("BGSAVE") == "Background saving started")

    def test_replicas_that_come_together_share_a_copy(self):
        """The copy waits for others, until there are as many as it waits for."""
        one = self.node("ae")
        one("CONFIG", "SET", "repl-diskless-sync-delay", 1000, "repl-diskless-sync-max-replicas", 3)
        replicas = [self.node(kind) for kind in ("ae", "redis", "ae")]
        for replica in replicas[:2]:
            replica("REPLICAOF", "127.0.0.1", one.port)
        until(lambda: one("INFO", "replication").count(b"state=wait_bgsave") == 2)
        self.assertEqual(one.info("persistence")["rdb_bgsave_in_progress"], "0")
        replicas[2]("REPLICAOF", "127.0.0.1", one.port)
        until(lambda: all(replica.is_linked_to(one) for replica in replicas))
        self.assertEqual(one("INFO", "replication").count(b"state=online"), 3)
        same(one, *replicas)


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Links(Case):
    """The connection between a primary and its replicas."""

    def test_a_primary_that_says_nothing(self):
        with Impostor() as primary:
            replica = self.node("ae", "--repl-timeout", "1")
            replica("REPLICAOF", "127.0.0.1", primary.port)
            for _ in range(2):
                primary.accept()
            self.assertIn("time", replica.text())

    def test_the_stream_is_not_replied_to(self):
        with Impostor() as primary:
            replica = self.node("ae")
            empty = self.node("redis")
            empty("SAVE")
            copy = Path(empty.folder.name, "dump.rdb").read_bytes()
            replica("REPLICAOF", "127.0.0.1", primary.port)
            link, _ = primary.handshake(f"+FULLRESYNC {ID} 0\r\n${len(copy)}\r\n".encode() + copy)
            stream = request("SET", "k", "v") + request("GET", "k") + request("NOSUCH") + request("INFO")
            stream += request("KEYS", "*") + request("SLOWLOG", "GET") + request("REPLCONF", "GETACK", "*")
            link.send(stream)
            wanted = ["REPLCONF", "ACK", str(len(stream))]
            while (words := link.request()) != wanted:
                self.assertEqual(words[:2], ["REPLCONF", "ACK"])
            self.assertEqual(replica("GET", "k"), b"v")

    def test_what_an_earlier_primary_says_is_not_the_new_ones(self):
        """Its reply arrives together with the request to follow another."""
        replica = self.node("ae")
        for reply in f"+FULLRESYNC {ID} 7\r\n", "-ERR no\r\n", "+PONG\r\n":
            with self.subTest(reply=reply), Impostor() as one, Impostor() as two, replica.connect() as client:
                client("REPLICAOF", "127.0.0.1", one.port)
                link = one.accept()
                if "PONG" not in reply:
                    while link.request()[0] != "PSYNC":
                        link.send(b"+OK\r\n")
                replica.process.send_signal(signal.SIGSTOP)
                client.send("REPLICAOF", "127.0.0.1", two.port)
                link.send(reply.encode())
                replica.process.send_signal(signal.SIGCONT)
                self.assertEqual(client.read(), "OK")
                self.assertEqual(two.accept().request(), ["PING"])

    def test_psync_with_an_offset_that_is_none(self):
        for kind in "redis", "ae":
            with self.subTest(kind=kind):
                self.assertEqual(self.node(kind)("PSYNC", "replicationid", "offset_str"),
                                 "ERR value is not an integer or out of range")

    def test_a_request_longer_than_a_client_may_send(self):
        one, two = self.pair("ae", "ae")
        two("CONFIG", "SET", "client-query-buffer-limit", 2_000_000)
        one("CONFIG", "SET", "client-query-buffer-limit", "1gb")
        one("SET", "k", b"v" * 5_000_000)
        same(one, two)
        self.assertEqual(two("STRLEN", "k"), 5_000_000)

    def test_config_rewrite_tells_the_primary(self):
        def case(program):
            port = free_port()
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "redis.conf")
                file.write_text(f"# mine\nport {port}\nbind 127.0.0.1\nreplicaof 127.0.0.1 1\nreplica-priority 7\n")
                with Server([program, file], port) as server, server.connect() as client:
                    seen = []
                    for words in (["REPLICAOF", "127.0.0.1", "2"], ["REPLICAOF", "NO", "ONE"], ["REPLICAOF", "127.0.0.1", "3"],
                                  ["CONFIG", "SET", "masterauth", "a b", "masteruser", "u", "min-replicas-to-write", 2,
                                   "repl-diskless-load", "swapdb", "replica-read-only", "no", "replica-announce-port", 9],
                                  ["CONFIG", "SET", "min-replicas-to-write", 0]):
                        seen += [client(*words), client("CONFIG", "REWRITE")]
                        lines = file.read_text().split("\n")
                        seen.append(sorted(line for line in lines if re.match(r"#|repl|bind|master|min-", line)))
                    server.kill()
                    return seen

        self.assertEqual(case(AE_SERVER), case("redis-server"))

    def test_a_small_limit_of_output_does_not_keep_a_replica_from_going_on(self):
        one, two = self.pair("ae", "redis")
        one("CONFIG", "SET", "repl-backlog-size", "10mb")
        one("CONFIG", "SET", "client-output-buffer-limit", "replica 1mb 1mb 60")
        two.process.send_signal(signal.SIGSTOP)
        one("CLIENT", "KILL", "TYPE", "replica")
        for number in range(5):
            one("SET", f"large{number}", b"v" * 1_000_000)
        two.process.send_signal(signal.SIGCONT)
        until(lambda: one.info("stats")["sync_partial_ok"] == "1")
        same(one, two)

    def test_many_arguments(self):
        one, two = self.pair("ae", "redis")
        with one.connect() as client:
            for count in 1000, 10_000, 50_000:
                client("RPUSH", "list", *range(count))
                client("DEL", *(f"none{number}" for number in range(count)), "list2")
        same(one, two)

    def test_a_lagging_replica_does_not_count(self):
        one, two = self.pair("ae", "redis")
        one("CONFIG", "SET", "min-replicas-to-write", 1)
        one("CONFIG", "SET", "min-replicas-max-lag", 1)
        until(lambda: one("SET", "k", "v") == "OK")
        two.process.send_signal(signal.SIGSTOP)
        until(lambda: one("SET", "k", "v").startswith("NOREPLICAS"))
        # It is no matter to a replica.
        three = self.node("ae", "--min-replicas-to-write", "3", "--replica-read-only", "no")
        three.follow(one)
        self.assertEqual(three("SET", "own", "v"), "OK")
        two.process.send_signal(signal.SIGCONT)
        until(lambda: one("SET", "k", "v") == "OK")


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Data(Case):
    """That primary and replica have the same."""

    def test_clients_in_different_databases(self):
        one, two = self.pair("ae", "redis")

        def load(seed):
            rnd = random.Random(seed)
            with one.connect() as client:
                client("SELECT", seed)
                for number in range(400):
                    client("INCR", f"k{rnd.randrange(20)}")
                    client("SPOP", f"s{rnd.randrange(5)}", rnd.randrange(3))
                    client("SADD", f"s{rnd.randrange(5)}", number, seed)

        threads = [threading.Thread(target=load, args=(seed,)) for seed in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        same(one, two)

    def test_blocking_requests(self):
        """Clients that wait for lists, sorted sets and streams while others fill them."""
        one, replicas = self.node("ae"), [self.node("redis"), self.node("ae")]
        for replica in replicas:
            replica.follow(one)
        names = [f"k{number}" for number in range(4)]

        def load(seed):
            rnd = random.Random(seed)
            with one.connect() as client:
                for _ in range(150):
                    key, other = rnd.sample(names, 2)
                    client(*rnd.choice([
                        ("BLPOP", f"l{key}", f"l{other}", 0.001), ("BRPOP", f"l{key}", 0.001),
                        ("BLMOVE", f"l{key}", f"l{other}", "LEFT", "RIGHT", 0.001),
                        ("BRPOPLPUSH", f"l{key}", f"l{other}", 0.001), ("BLMPOP", 0.001, 1, f"l{key}", "LEFT", "COUNT", 2),
                        ("BZPOPMIN", f"z{key}", 0.001), ("BZPOPMAX", f"z{key}", f"z{other}", 0.001),
                        ("BZMPOP", 0.001, 1, f"z{key}", "MAX", "COUNT", 2), ("LPUSH", f"l{key}", seed, rnd.random()),
                        ("RPUSH", f"l{key}", rnd.random()), ("ZADD", f"z{key}", rnd.random(), rnd.random(), 1, seed),
                        ("DEL", f"l{key}"), ("RENAME", f"z{key}", f"z{other}")]))

        threads = [threading.Thread(target=load, args=(seed,)) for seed in range(6)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        same(one, *replicas)

    def test_keys_of_a_writable_replica(self):
        """What was written on a replica alone expires there, and counts as gone when its time has come."""
        for kind in "redis", "ae":
            with self.subTest(kind=kind):
                _, two = self.pair("redis", kind, "--replica-read-only", "no")
                for number in range(10):
                    two("SET", f"own{number}", "v", "PX", 1)
                until(lambda: two("EXISTS", *(f"own{number}" for number in range(10))) == 0)
                two("SET", "own", "v", "PX", 1)
                until(lambda: two("GET", "own") != b"v")
                self.assertEqual(two("INCR", "own"), 1)

    def test_what_waits_for_a_replica_does_not_evict(self):
        one, two = self.node("ae", "--maxmemory-policy", "allkeys-random"), self.node("redis")
        one("CONFIG", "SET", "client-output-buffer-limit", "replica 0 0 0", "repl-backlog-size", "16kb")
        one("DEBUG", "POPULATE", 1000, "key", 1000)
        two.follow(one)
        same(one, two)
        one("SETRANGE", "k", 999_999, "v")
        two.process.send_signal(signal.SIGSTOP)
        self.addCleanup(two.process.send_signal, signal.SIGCONT)
        used = int(one.info("memory")["used_memory"])
        # The rest is for the requests themselves.
        for length, rest, waits in [(10, 300_000, 10e6), (20_000, 300_000, 20e6), (900_000, 8_000_000, 40e6)]:
            one("CONFIG", "SET", "maxmemory", used + rest)
            count = 10_000 // length + 1
            changes = request("SETRANGE", "k", "0", "v" * length) * count
            with one.connect() as client:
                while int(one.info("memory")["mem_not_counted_for_evict"]) < waits:
                    client.socket.sendall(changes)
                    for _ in range(count):
                        client.read()
        self.assertEqual((one("DBSIZE"), one.info("stats")["evicted_keys"]), (1001, "0"))
        memory = {name: int(value) for name, value in one.info("memory").items() if value.isdigit()}
        self.assertLess(abs(memory["used_memory"] - memory["mem_not_counted_for_evict"] - used), 300_000)
        self.assertGreater(memory["mem_clients_slaves"], 10_000_000)
        self.assertLess(memory["mem_clients_normal"], 10_000_000)
        self.assertGreater(memory["mem_total_replication_buffers"], 40_000_000)
        stats = one("MEMORY", "STATS")
        self.assertEqual(stats[stats.index(b"clients.slaves") + 1], int(one.info("memory")["mem_clients_slaves"]))
        two.process.send_signal(signal.SIGCONT)
        same(one, two)

    def test_a_role_that_changes_while_a_client_waits(self):
        one, two = self.node("ae"), self.node("ae")
        with one.connect() as client:
            client.send("BLPOP", "list", 0)
            until(lambda: one.info("clients")["blocked_clients"] == "1")
            one("REPLICAOF", "127.0.0.1", two.port)
            self.assertTrue(str(client.read()).startswith("UNBLOCKED"))
        two("RPUSH", "list", "v")
        until(lambda: one.is_linked_to(two))
        same(two, one)


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Topologies(Case):
    def test_any_tree_of_servers_becomes_any_other(self):
        """One history goes on under changing primaries, however the others hang behind it. Each was copied to once."""
        rnd = random.Random(7)
        nodes = [self.node(kind) for kind in ("ae", "redis", "ae", "redis", "ae")]
        primary = nodes[0]
        for _ in range(5):
            order = [primary := rnd.choice(nodes)]
            primary("REPLICAOF", "NO", "ONE")
            for node in rnd.sample([node for node in nodes if node is not primary], len(nodes) - 1):
                node("REPLICAOF", "127.0.0.1", (above := rnd.choice(order)).port)
                until(lambda: node.is_linked_to(above))
                order.append(node)
            # Who is promoted next has to have everything.
            write(primary, 60, rnd.random(), expiring=False)
            for node in rnd.sample(nodes, 2):
                node("CLIENT", "KILL", "TYPE", rnd.choice(["replica", "master"]))
            write(primary, 60, rnd.random(), expiring=False)
            same(primary, *(node for node in nodes if node is not primary))
        self.assertEqual(sum(int(node.info("stats")["sync_full"]) for node in nodes), len(nodes) - 1)
        # One of them is restarted with its file, and is still part of it.
        restarted = next(node for node in nodes if node is not primary and node.kind == "ae")
        with restarted.connect() as client, contextlib.suppress(OSError, EOFError):
            client("SHUTDOWN", "SAVE")
        restarted.process.wait()
        write(primary, 60, 1)
        restarted.restart("--replicaof", f"127.0.0.1 {primary.port}")
        same(primary, *(node for node in nodes if node is not primary))
        full = sum(int(node.info("stats")["sync_full"]) for node in nodes if node is not restarted)
        self.assertLessEqual(full, len(nodes) - 1)

    def test_pings_at_the_end_are_no_other_history(self):
        """The old primary has sent PINGs that the new one, which stood still, never got."""
        one, two = self.pair("ae", "ae")
        three = self.node("redis")
        three.follow(one)
        one("CONFIG", "SET", "repl-ping-replica-period", 1)
        two.process.send_signal(signal.SIGSTOP)
        before = int(one.info()["master_repl_offset"])
        until(lambda: int(one.info()["master_repl_offset"]) > before)
        two.process.send_signal(signal.SIGCONT)
        one("CLIENT", "KILL", "TYPE", "replica")
        two("REPLICAOF", "NO", "ONE")
        write(two, 50, 1)
        one.follow(two)
        three.follow(two)
        same(two, one, three)

    def test_too_many_removals_for_the_backlog(self):
        """A primary that starts with a file tells of keys whose time has come; if they are too many, replicas get a copy."""
        one, two = self.pair("ae", "ae")
        one("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        with one.connect() as client:
            for number in range(1000):
                client("SET", f"some-key-that-goes:{number}", "v", "PX", 1)
        same(one, two)
        with one.connect() as client, contextlib.suppress(OSError, EOFError):
            client("SHUTDOWN", "SAVE")
        one.process.wait()
        one.restart("--repl-backlog-size", "16kb")
        until(lambda: two.is_linked_to(one))
        same(one, two)
        self.assertEqual((one.info("stats")["sync_full"], two("DBSIZE")), ("1", one("DBSIZE")))


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Ends(Case):
    """SHUTDOWN while a replica does not have everything."""

    def lagging(self, *options):
        one = self.node("ae", *options)
        two = self.node("redis")
        two.follow(one)
        same(one, two)
        two.process.send_signal(signal.SIGSTOP)
        self.addCleanup(two.process.send_signal, signal.SIGCONT)
        one("SET", "k", "v")
        return one, two

    def test_the_time_is_up(self):
        one, _ = self.lagging("--shutdown-timeout", "1")
        one.process.terminate()
        self.assertEqual(one.process.wait(PATIENCE), 0)

    def test_now(self):
        one, _ = self.lagging("--shutdown-timeout", "1000")
        with one.connect() as client, contextlib.suppress(OSError, EOFError):
            client("SHUTDOWN", "NOW", "NOSAVE")
        self.assertEqual(one.process.wait(PATIENCE), 0)

    def test_abort(self):
        one, two = self.lagging("--shutdown-timeout", "1000")
        one.process.terminate()
        until(lambda: "waits for replicas" in one.text())
        with one.connect() as writer:
            writer.send("SET", "k", "later")
            self.assertEqual(one("SHUTDOWN", "ABORT"), "OK")
            self.assertEqual(writer.read(), "OK")
        two.process.send_signal(signal.SIGCONT)
        same(one, two)

    def test_a_signal_after_an_abort(self):
        """It is the first again, which lets the server save."""
        for number in (signal.SIGTERM, signal.SIGINT):
            one, two = self.lagging("--shutdown-timeout", "1000", "--save", "3600 1")
            one.process.send_signal(number)
            until(lambda: "waits for replicas" in one.text())
            self.assertEqual(one("SHUTDOWN", "ABORT"), "OK")
            self.assertEqual(one("SET", "k", "later"), "OK")
            two.process.send_signal(signal.SIGCONT)
            same(one, two)
            one.process.send_signal(number)
            self.assertEqual(one.process.wait(PATIENCE), 0)
            one.restart()
            self.assertEqual(one("GET", "k"), b"later")

    def test_signals_while_it_waits(self):
        one, two = self.lagging("--shutdown-timeout", "1000")
        one.process.terminate()
        until(lambda: "waits for replicas" in one.text())
        left = int(one.info("server")["shutdown_in_milliseconds"])
        self.assertTrue(0 < left <= 1_000_000, left)
        for _ in range(3):
            one.process.terminate()
            self.assertEqual(one("PING"), "PONG")
        two.process.send_signal(signal.SIGCONT)
        self.assertEqual(one.process.wait(PATIENCE), 0)

    def test_what_cannot_be_saved(self):
        one, two = self.lagging("--shutdown-timeout", "1000", "--dbfilename", "folder")
        folder = Path(one.folder.name, "folder")
        folder.mkdir()
        (folder / "something").touch()
        with one.connect() as client:
            client.send("SHUTDOWN", "SAVE")
            two.process.send_signal(signal.SIGCONT)
            self.assertTrue(str(client.read()).startswith("ERR Errors trying to SHUTDOWN"))
        self.assertEqual(one("SET", "k", "later"), "OK")
        same(one, two)
        # Nothing else ends it.
        one.kill()

    def test_a_target_of_a_failover_that_refuses(self):
        def case(kind):
            one, two = self.pair(kind, "redis")
            same(one, two)
            two("ACL", "SETUSER", "default", "-psync")
            seen = [one("FAILOVER", "TO", "127.0.0.1", two.port)]
            until(lambda: (info := one.info())["role"] == "master" and info["master_failover_state"] == "no-failover")
            two("ACL", "SETUSER", "default", "+psync")
            until(lambda: two.is_linked_to(one))
            same(one, two)
            return seen + [one("SET", "k", "v")]

        self.assertEqual(case("ae"), case("redis"))


class TheList(unittest.TestCase):
    def test_what_it_names_is_there(self):
        with open(Path(__file__).with_name("redis_integration.csv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertGreater(len(rows), 40)
        for row in rows:
            self.assertTrue(row["tests"] or row["remark"], row)
            for test in row["tests"].split():
                path, name = test.split("::")
                found = re.search(rf"(fn|def) {re.escape(name)}\b", (ROOT / path).read_text(encoding="utf-8"))
                self.assertTrue(found, test)


if __name__ == "__main__":
    main("replication-cases")
