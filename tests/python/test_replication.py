#!/usr/bin/env python3
"""Replication between ae-server and redis-server in both directions, and redis-sentinel over them."""

import contextlib
import random
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import main
from testkit.certificates import PASSPHRASE
from testkit.ports import free_port
from testkit.replication import Node, Sentinel, same, until, write
from tls import CERTIFICATES


class Case(unittest.TestCase):
    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def node(self, kind, *options):
        return self.stack.enter_context(Node(kind, *options))

    def pair(self, primary, replica, *options):
        """A primary that has some data, and its replica."""
        primary = self.node(primary)
        write(primary, 300, 1)
        replica = self.node(replica, *options)
        replica.follow(primary)
        return primary, replica


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Replication(Case):
    def test_a_copy_and_the_stream(self):
        for primary, replica in ("ae", "redis"), ("redis", "ae"), ("ae", "ae"):
            with self.subTest(primary=primary, replica=replica):
                one, other = self.pair(primary, replica)
                same(one, other)
                write(one, 1000, 2)
                same(one, other)

    def test_every_way_to_take_and_to_give_a_copy(self):
        for load in "disabled", "on-empty-db", "swapdb":
            for diskless in "yes", "no":
                with self.subTest(load=load, diskless=diskless):
                    one, other = self.pair("ae", "ae", "--repl-diskless-load", load)
                    same(one, other)
                    # What it has is replaced by data of another history.
                    another = self.node("redis" if load == "disabled" else "ae", "--repl-diskless-sync", diskless)
                    write(another, 300, 9)
                    other.follow(another)
                    same(another, other)

    def test_chains(self):
        one, two = self.pair("ae", "ae")
        three, four = self.node("redis"), self.node("ae")
        three.follow(two)
        four.follow(three)
        write(one, 500, 3)
        same(one, two, three, four)
        ids = {node.info()["master_replid"] for node in (one, two, three, four)}
        self.assertEqual(len(ids), 1)

    def test_a_replica_that_was_away_goes_on(self):
        for primary, replica in ("ae", "redis"), ("redis", "ae"), ("ae", "ae"):
            with self.subTest(primary=primary, replica=replica):
                one, other = self.pair(primary, replica)
                for partial in 1, 2:
                    one("CLIENT", "KILL", "TYPE", "replica")
                    write(one, 100, partial)
                    until(lambda: one.info("stats")["sync_partial_ok"] == str(partial))
                    same(one, other)
                self.assertEqual(one.info("stats")["sync_full"], "1")

    def test_a_replica_that_was_away_for_too_long_gets_a_copy(self):
        one, other = self.pair("ae", "ae")
        one("CONFIG", "SET", "repl-backlog-size", "16kb")
        other.process.send_signal(signal.SIGSTOP)
        one("CLIENT", "KILL", "TYPE", "replica")
        one("SET", "large", b"v" * 100_000)
        other.process.send_signal(signal.SIGCONT)
        until(lambda: one.info("stats")["sync_full"] == "2")
        same(one, other)

    def test_a_replica_that_stood_still_catches_up(self):
        one, other = self.pair("ae", "redis")
        other.process.send_signal(signal.SIGSTOP)
        write(one, 500, 4)
        with one.connect() as client:
            client("SET", "k", "v")
            self.assertEqual(client("WAIT", 1, 100), 0)
            other.process.send_signal(signal.SIGCONT)
            self.assertEqual(client("WAIT", 1, 0), 1)
        same(one, other)

    def test_promotion_keeps_the_history(self):
        one, two = self.pair("ae", "ae")
        # Nothing is told to the others once they have everything.
        one("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        three = self.node("redis")
        three.follow(one)
        write(one, 100, 5)
        same(one, two, three)
        two("REPLICAOF", "NO", "ONE")
        write(two, 100, 6)
        one.follow(two)
        three.follow(two)
        same(two, one, three)
        stats = two.info("stats")
        self.assertEqual((stats["sync_full"], stats["sync_partial_ok"]), ("0", "2"))

    def test_failover(self):
        for target in "ae", "redis":
            with self.subTest(target=target):
                one, two = self.pair("ae", target)
                write(one, 100, 7)
                self.assertEqual(one("FAILOVER", "TO", "127.0.0.1", two.port, "TIMEOUT", 60_000), "OK")
                until(lambda: two.info()["role"] == "master" and one.is_linked_to(two))
                write(two, 100, 8)
                same(two, one)
                self.assertEqual(one.info()["master_failover_state"], "no-failover")
                self.assertEqual(two.info("stats")["sync_full"], "0")

    def test_a_replica_serves_and_refuses(self):
        one, two = self.pair("ae", "ae")
        self.assertTrue(two("SET", "k", "v").startswith("READONLY"))
        self.assertEqual(two("ROLE")[:4], [b"slave", b"127.0.0.1", one.port, b"connected"])
        with two.connect() as listener:
            listener("SUBSCRIBE", "channel")
            one("PUBLISH", "channel", "message")
            self.assertEqual(listener.read(), [b"message", b"channel", b"message"])
        one("CONFIG", "SET", "min-replicas-to-write", 1)
        self.assertEqual(one("SET", "k", "v"), "OK")
        one("CONFIG", "SET", "min-replicas-to-write", 2)
        self.assertTrue(one("SET", "k", "v").startswith("NOREPLICAS"))
        one.kill()
        until(lambda: two.info()["master_link_status"] == "down")
        self.assertEqual(two("GET", "k"), b"v")
        two("CONFIG", "SET", "replica-serve-stale-data", "no")
        self.assertTrue(two("GET", "k").startswith("MASTERDOWN"))

    def test_only_the_primary_removes_what_has_expired(self):
        one, two = self.pair("redis", "ae")
        one("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        one("SELECT", 0)
        one("FLUSHALL")
        one("SET", "k", "v", "PX", 1)
        until(lambda: two("DBSIZE") == 1 and two("GET", "k") != b"v")
        self.assertEqual((two("EXISTS", "k"), two("DBSIZE")), (0, 1))
        # The clocks of two processes are not quite the same.
        until(lambda: one("EXISTS", "k") == 0)
        until(lambda: two("DBSIZE") == 0)

    def test_what_clients_of_a_replica_wrote_expires_there(self):
        one, two = self.pair("redis", "ae", "--replica-read-only", "no", "--appendonly", "yes")
        one("DEBUG", "SET-ACTIVE-EXPIRE", 0)
        one("FLUSHALL")
        one("SET", "theirs", "v", "PX", 1)
        until(lambda: two("DBSIZE") == 1)
        for i in range(1500):
            two("SET", f"own{i}", "v", "PX", 1)
        two("SET", "later", "v")
        two("PEXPIRE", "later", 1)
        two("SET", "stays", "v", "PX", 1000000)
        two("RENAME", "stays", "renamed")
        until(lambda: two("DBSIZE") == 2)
        self.assertEqual((two("EXISTS", "renamed", "theirs"), one("EXISTS", "theirs")), (1, 0))
        two("PEXPIRE", "renamed", 1)
        until(lambda: two("DBSIZE") == 0)

    def test_an_end_waits_for_replicas(self):
        one, two = self.pair("ae", "redis")
        same(one, two)
        two.process.send_signal(signal.SIGSTOP)
        one("SET", "last", "words")
        one.process.terminate()
        until(lambda: "waits for replicas" in one.text())
        self.assertTrue(one("GET", "last") == b"words")
        two.process.send_signal(signal.SIGCONT)
        one.process.wait()
        self.assertEqual(two("GET", "last"), b"words")

    def test_large_values_and_slow_copies(self):
        """A copy that is larger than all that may wait, while everything changes."""
        for diskless in "yes", "no":
            with self.subTest(diskless=diskless):
                one = self.node("ae", "--repl-diskless-sync", diskless)
                one("DEBUG", "POPULATE", 3_000, "key", 1000)
                one("SET", "large", random.Random(1).randbytes(6_000_000))
                replicas = [self.node("ae", "--repl-diskless-load", "on-empty-db"), self.node("redis"), self.node("ae")]
                for replica in replicas:
                    replica("REPLICAOF", "127.0.0.1", one.port)
                write(one, 500, 10)
                one("APPEND", "large", "!")
                for number in range(0, 3_000, 50):
                    one("APPEND", f"key:{number}", "changed")
                until(lambda: all(replica.is_linked_to(one) for replica in replicas))
                same(one, *replicas)

    def test_redis_cli(self):
        one, _ = self.pair("ae", "ae")
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "copy.rdb")
            subprocess.run(["redis-cli", "-p", str(one.port), "--rdb", file], check=True, capture_output=True)
            checked = subprocess.run(["redis-check-rdb", file], check=True, capture_output=True, text=True)
            self.assertIn("RDB looks OK", checked.stdout)
        with one.connect() as reader:
            reader.send("SYNC")
            line = reader.file.readline()
            while line == b"\n":
                line = reader.file.readline()
            reader.file.read(int(line[1:]))
            one("SET", "k", "v")
            self.assertEqual(reader.read(), [b"SELECT", b"0"])
            self.assertEqual(reader.read(), [b"SET", b"k", b"v"])

    def test_over_tls_with_a_certificate_for_the_primary(self):
        """Primaries ask for a certificate; what a replica shows its own clients is none that they take."""
        def tls(kind, cert, *more):
            port = free_port()
            return port, self.node(kind, "--tls-port", port, "--tls-cert-file", CERTIFICATES[f"{cert}.crt"], "--tls-key-file",
                                   CERTIFICATES[f"{cert}.key"], "--tls-ca-cert-file", CERTIFICATES["ca.crt"],
                                   "--tls-auth-clients", "yes", "--tls-replication", "yes", *more)

        own = {"tls-client-cert-file": CERTIFICATES["server.crt"], "tls-client-key-file": CERTIFICATES["encrypted.key"],
               "tls-client-key-file-pass": PASSPHRASE}
        for primary, replica in ("ae", "redis"), ("redis", "ae"), ("ae", "ae"):
            with self.subTest(primary=primary, replica=replica):
                port, one = tls(primary, "server")
                write(one, 100, 1)
                _, other = tls(replica, "other", *[word for name in own for word in (f"--{name}", own[name])])
                other("REPLICAOF", "127.0.0.1", port)
                until(lambda: other.info()["master_link_status"] == "up")
                same(one, other)
        port, one = tls("ae", "server")
        _, other = tls("ae", "other")
        other("REPLICAOF", "127.0.0.1", port)
        # Either of them, with what TLS said.
        until(lambda: "the peer gave up with the alert" in other.text())
        self.assertEqual(other("CONFIG", "SET", *[word for name in own for word in (name, own[name])]), "OK")
        until(lambda: other.info()["master_link_status"] == "up")
        same(one, other)

    def test_over_tls(self):
        def tls():
            port = free_port()
            files = ["--tls-cert-file", CERTIFICATES["server.crt"], "--tls-key-file", CERTIFICATES["server.key"],
                     "--tls-ca-cert-file", CERTIFICATES["ca.crt"], "--tls-auth-clients", "no", "--tls-replication", "yes"]
            return port, self.node("ae", "--tls-port", port, *files)

        (port, one), (_, other) = tls(), tls()
        write(one, 300, 1)
        other("REPLICAOF", "127.0.0.1", port)
        until(lambda: other.info()["master_link_status"] == "up")
        same(one, other)
        write(one, 300, 2)
        same(one, other)


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Restarts(Case):
    """An RDB file tells the history of the data, which goes on after a restart."""

    def end(self, node):
        """Has it save, and end."""
        with node.connect() as client, contextlib.suppress(OSError, EOFError):
            client("SHUTDOWN", "SAVE")
        node.process.wait()

    def test_a_replica_goes_on(self):
        for primary, replica in ("ae", "ae"), ("redis", "ae"), ("ae", "redis"):
            with self.subTest(primary=primary, replica=replica):
                one, two = self.pair(primary, replica)
                with one.connect() as client:
                    client("SELECT", 3)
                    client("SET", "k", 1)
                    same(one, two)
                    self.end(two)
                    # The stream goes on in the database that was selected before.
                    client("INCR", "k")
                    write(one, 100, 2)
                two.restart("--replicaof", *([f"127.0.0.1 {one.port}"] if replica == "ae" else ["127.0.0.1", one.port]))
                same(one, two)
                stats = one.info("stats")
                self.assertEqual((stats["sync_full"], stats["sync_partial_ok"]), ("1", "1"))

    def test_the_replicas_of_a_primary_go_on(self):
        for primary, replica in ("ae", "ae"), ("ae", "redis"), ("redis", "ae"):
            with self.subTest(primary=primary, replica=replica):
                one, two = self.pair(primary, replica)
                one("DEBUG", "SET-ACTIVE-EXPIRE", 0)
                one("SET", "goes", "v", "PX", 1)
                same(one, two)
                self.assertEqual(two("DBSIZE"), one("DBSIZE"))
                old = one.info()["master_replid"]
                self.end(one)
                one.restart()
                until(lambda: two.is_linked_to(one))
                write(one, 100, 2)
                same(one, two)
                info, stats = one.info(), one.info("stats")
                self.assertEqual((stats["sync_full"], stats["sync_partial_ok"]), ("0", "1"))
                self.assertEqual((info["master_replid2"], info["master_replid"] == old), (old, False))
                # Whoever does not have what was left out because its time had come is told so.
                self.assertEqual(two("DBSIZE"), one("DBSIZE"))

    def test_a_primary_that_lost_something_gives_a_copy(self):
        one, two = self.pair("ae", "redis")
        one("SAVE")
        one("SET", "later", "v")
        same(one, two)
        one.kill()
        one.restart()
        until(lambda: two.is_linked_to(one))
        same(one, two)
        self.assertEqual((one.info("stats")["sync_full"], two("EXISTS", "later")), ("1", 0))

    def test_a_replica_goes_on_from_the_file_of_another_program(self):
        for primary, replica, other in ("redis", "redis", "ae"), ("redis", "ae", "redis"), ("ae", "redis", "ae"):
            with self.subTest(primary=primary, replica=replica, other=other):
                one, two = self.pair(primary, replica)
                same(one, two)
                two("SAVE")
                write(one, 100, 2)
                three = self.node(other, *(["--dbfilename", "none"] if other == "ae" else []))
                self.end(three)
                shutil.copy(Path(two.folder.name, "dump.rdb"), Path(three.folder.name, "dump.rdb"))
                three.restart("--replicaof", *([f"127.0.0.1 {one.port}"] if other == "ae" else ["127.0.0.1", one.port]))
                same(one, two, three)
                stats = one.info("stats")
                self.assertEqual((stats["sync_full"], stats["sync_partial_ok"]), ("1", "1"))


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Failovers(Case):
    """Each case with an ae-server and with a redis-server as the primary: they have to do the same."""

    def both(self, case):
        outcomes = [case(kind) for kind in ("redis", "ae")]
        self.assertEqual(outcomes[1], outcomes[0])

    def stalled(self, kind):
        """A primary, and a replica that does not have everything and is not heard of."""
        one, two = self.pair(kind, "redis")
        same(one, two)
        two.process.send_signal(signal.SIGSTOP)
        self.addCleanup(two.process.send_signal, signal.SIGCONT)
        one("SET", "k", "v")
        return one, two

    def state(self, node):
        info = node.info()
        return info["role"], info["master_failover_state"]

    def test_what_is_refused(self):
        def case(kind):
            one, two = self.pair(kind, "redis")
            same(one, two)
            words = ["ABORT", "TO 127.0.0.1 1", f"TO 127.0.0.1 {two.port} FORCE", "FORCE", "TIMEOUT 0", "TIMEOUT x", "TIMEOUT",
                     "FORCE TIMEOUT 100", f"TO 127.0.0.1 {two.port} TO 127.0.0.1 {two.port}", "ABORT ABORT", "ABORT TIMEOUT 1",
                     "TO 127.0.0.1", "TO 127.0.0.1 x", "NONSENSE"]
            return [one("FAILOVER", *line.split()) for line in words] + [two("FAILOVER")]

        self.both(case)

    def test_abort(self):
        def case(kind):
            one, two = self.stalled(kind)
            seen = [one("FAILOVER", "TO", "127.0.0.1", two.port), self.state(one), one("FAILOVER"),
                    one("REPLICAOF", "NO", "ONE")]
            with one.connect() as writer:
                writer.send("SET", "k", "later")
                seen += [one("GET", "k"), one("FAILOVER", "ABORT"), writer.read(), self.state(one), one("FAILOVER", "ABORT")]
            return seen

        self.both(case)

    def test_the_time_is_up(self):
        def case(kind):
            one, two = self.stalled(kind)
            seen = [one("FAILOVER", "TO", "127.0.0.1", two.port, "TIMEOUT", 100)]
            until(lambda: self.state(one) == ("master", "no-failover"))
            return seen + [one("SET", "k", "later")]

        self.both(case)

    def test_by_force(self):
        def case(kind):
            one, two = self.stalled(kind)
            seen = [one("FAILOVER", "TO", "127.0.0.1", two.port, "TIMEOUT", 100, "FORCE")]
            until(lambda: self.state(one) == ("slave", "failover-in-progress"))
            two.process.send_signal(signal.SIGCONT)
            until(lambda: two.info()["role"] == "master" and one.is_linked_to(two))
            same(two, one)
            # Whether a copy was needed depends on when the replica stopped.
            return seen + [self.state(one)]

        self.both(case)

    def test_abort_when_the_target_has_been_told(self):
        def case(kind):
            one, two = self.stalled(kind)
            one("FAILOVER", "TO", "127.0.0.1", two.port, "TIMEOUT", 100, "FORCE")
            until(lambda: self.state(one) == ("slave", "failover-in-progress"))
            seen = [one("FAILOVER", "ABORT"), self.state(one), one("SET", "k", "later")]
            two.process.send_signal(signal.SIGCONT)
            until(lambda: two.is_linked_to(one))
            same(one, two)
            return seen + [self.state(one), two("GET", "k")]

        self.both(case)

    def test_nothing_goes_meanwhile(self):
        def case(kind):
            one, two = self.pair(kind, "redis")
            one("DEBUG", "SET-ACTIVE-EXPIRE", 0)
            one("FLUSHALL")
            one("SET", "k", "v", "PX", 1)
            until(lambda: one.info("keyspace")["db0"].split(",")[0] == "keys=1")
            same(one, two)
            seen = [one("CLIENT", "PAUSE", 100_000, "WRITE")]
            until(lambda: one("GET", "k") != b"v")
            seen += [one("EXISTS", "k"), one("DBSIZE"), one("CLIENT", "UNPAUSE"), one("EXISTS", "k"), one("DBSIZE")]
            return seen

        self.both(case)


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Sentinels(Case):
    def test_they_fail_over_and_the_old_primary_comes_back(self):
        nodes = [self.node("ae")]
        nodes += [self.node(kind, "--replicaof", *address) for kind, address in (
            ("ae", [f"127.0.0.1 {nodes[0].port}"]), ("redis", ["127.0.0.1", nodes[0].port]))]
        write(nodes[0], 300, 1)
        until(lambda: all(node.is_linked_to(nodes[0]) for node in nodes[1:]))
        same(*nodes)
        sentinels = [self.stack.enter_context(Sentinel(nodes[0])) for _ in range(3)]
        until(lambda: all(sentinel.counts() == (2, 2) for sentinel in sentinels))
        old = nodes[0]
        old.process.send_signal(signal.SIGKILL)
        old.process.wait()
        until(lambda: all(sentinel.primary_port() != old.port for sentinel in sentinels))
        new = next(node for node in nodes if node.port == sentinels[0].primary_port())
        other = next(node for node in nodes if node not in (old, new))
        until(lambda: new.info()["role"] == "master" and other.is_linked_to(new))
        write(new, 200, 2)
        same(new, other)
        old.restart()
        until(lambda: old.is_linked_to(new))
        write(new, 200, 3)
        same(new, other, old)


if __name__ == "__main__":
    main("replication")
