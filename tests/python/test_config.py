#!/usr/bin/env python3
"""Compares ae-server's directives with redis-server's: their names, defaults and errors, in CONFIG and in files."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import main
from testkit.resp import Error
from testkit.server import AE_SERVER, AeServer, RedisServer

OWN = {
    "backend", "bind-device", "busy-poll", "mptcp", "proxy-protocol-networks", "reuse-port", "script-memory-limit",
    "tcp-fastopen", "tcp-quickack", "tcp-user-timeout", "tls-handshake-timeout", "tls-max-handshakes", "unixsocketgroup",
}
# Different in every run.
OF_THE_RUN = {"port", "dir"}
VALUES = ["yes", "NO", "0", "1", "-1", "99", "100", "1000", "2147483647", "2147483648", "9223372036854775807",
          "9223372036854775808", "01", "+1", "x", "", "10mb", "1Gb", "2kb", "5%", "101%", "a b", "local", "a/b", "x\0y",
          "no\0", "777", "1000", "default now", "nosave save", "1 2 3", "50 99.9", "101", "normal 1 2 3", "AKE", "q",
          "everysec", "{title}", "{", "allkeys-lru", "resetchannels", "ip", "swapdb", "panic", "clients", "debug"]
# What the two do differently on purpose, by directive: the values are left out, or all of them if there are none.
DIFFERENT = {
    "activedefrag": ["yes"],  # redis-server says whether its allocator can
    "appendonly": ["yes"],
    "aclfile": [],
    "bind": [],
    "databases": [],
    "loglevel": VALUES,  # "nothing" is a level here
    "maxclients": ["100", "99", "1000", "1", "2147483647", "2147483648"],  # depend on the limits of the process
    "maxmemory-clients": ["1", "0", "2kb", "99", "100", "1000", "777", "101"],  # the first to be evicted is this client
    "min-replicas-to-write": ["1", "99", "100", "1000", "777", "101", "2147483647"],
    "min-slaves-to-write": ["1", "99", "100", "1000", "777", "101", "2147483647"],
    "oom-score-adj": ["yes"],
    "port": [],
    "repl-backlog-size": ["1", "01", "99", "100", "101", "777", "1000", "2kb"],  # becomes 16 KiB in Redis
    "save": ["1 2 3", "a b"],
    "tls-cluster": ["yes"],
    "tls-dh-params-file": VALUES,
    "tls-key-file-pass": ["x\0y", "no\0"],
    "tls-client-key-file-pass": ["x\0y", "no\0"],
    "tls-port": [],
    "tls-replication": ["yes"],
}


def named(reply):
    return dict(zip(reply[::2], reply[1::2]))


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class LikeRedis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.ours = cls.enterClassContext(AeServer("--dir", folder))
        cls.theirs = cls.enterClassContext(RedisServer("--dir", folder))

    def setUp(self):
        self.our, self.their = self.enterContext(self.ours.connect()), self.enterContext(self.theirs.connect())

    def test_names_and_defaults(self):
        ours, theirs = named(self.our("CONFIG", "GET", "*")), named(self.their("CONFIG", "GET", "*"))
        own = {name.encode() for name in OWN}
        self.assertEqual(set(ours) - own, set(theirs))
        for name in set(theirs) - {name.encode() for name in OF_THE_RUN}:
            self.assertEqual(ours[name], theirs[name], name)

    def test_values(self):
        """Every value for every directive, with the errors."""
        names = sorted(name.decode() for name in named(self.their("CONFIG", "GET", "*")))
        hidden = ["key-load-delay", "loading-process-events-interval-bytes", "rdb-key-save-delay", "use-exit-on-panic"]
        for name in names + hidden:
            different = DIFFERENT.get(name)
            values = [value for value in VALUES if different is None or different and value not in different]
            default = self.their("CONFIG", "GET", name)[1]
            for value in values:
                with self.subTest(name=name, value=value):
                    replies = [client("CONFIG", "SET", name, value) for client in (self.our, self.their)]
                    self.assertEqual(*replies)
                    self.assertEqual(self.our("CONFIG", "GET", name), self.their("CONFIG", "GET", name))
            for client in self.our, self.their:
                client("CONFIG", "SET", name, default)

    def test_several_at_once(self):
        for words in [
            ["timeout", "5", "hz", "20"],
            ["timeout", "6", "hz", "x"],
            ["timeout", "6", "nosuch", "1"],
            ["nosuch", "1", "databases", "1"],
            ["databases", "1", "nosuch", "1"],
            ["timeout", "6", "TIMEOUT", "7"],
            ["slave-priority", "6", "replica-priority", "7"],
            ["Slave-Priority", "x"],
            ["dir", "/tmp"],
            ["dbfilename", "x", "databases", "2"],
            ["hz", "1", "timeout"],
            ["hz"],
        ]:
            command = ["CONFIG", "SET", *words]
            self.assertEqual(self.our(*command), self.their(*command), command)
            for name in "timeout", "hz", "replica-priority", "dbfilename":
                self.assertEqual(self.our("CONFIG", "GET", name), self.their("CONFIG", "GET", name), command)

    def test_patterns(self):
        for patterns in [["*-priority"], ["slave-priority", "*a-priority"], ["TIMEOUT", "timeout"], ["[m]axmemory"],
                         ["key-*"], ["KEY-load-delay"], ["t?meout", "TIMEOUT"], ["nosuch"], ["[", "hz"]]:
            replies = [named(client("CONFIG", "GET", *patterns)) for client in (self.our, self.their)]
            self.assertEqual(*replies, patterns)

    def test_own_directives_that_a_pattern_shows_can_be_set(self):
        """as programs do that restore a server's configuration"""
        shown = named(self.our("CONFIG", "GET", "*"))
        own = {name: value for name, value in shown.items() if name.decode() in OWN}
        self.assertIn(b"tcp-quickack", own)
        for name, value in own.items():
            self.assertNotIsInstance(self.our("CONFIG", "SET", name, value), Error, name)

    def test_rewriting_without_a_file(self):
        replies = [client("CONFIG", "REWRITE") for client in (self.our, self.their)]
        self.assertIsInstance(replies[0], Error)
        self.assertEqual(*replies)


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Files(unittest.TestCase):
    """What keeps both from starting, and why."""

    LINES = ["port x", "port", "port 1 2", "nosuch 1", "timeout \"1", "hz '1'x", "notify-keyspace-events K E",
             "notify-keyspace-events q", "client-output-buffer-limit normal 1 2", "client-output-buffer-limit x 1 2 3",
             "client-output-buffer-limit normal 1x 2 3", "client-output-buffer-limit 'pubsub 1 2 3x'",
             "oom-score-adj-values 1 2", "oom-score-adj-values 1 2 3000", "save 60", "save x 1", "save 0 1",
             "replicaof x", "replicaof h x", "slaveof h 70000", "rename-command a", "include", "user", "sentinel x y",
             "latency-tracking-info-percentiles x", "latency-tracking-info-percentiles 101", "dir /nosuch", "dir",
             "bind " + "a " * 17, "maxmemory -1", "maxmemory-policy x", "unixsocketperm 9", "unixsocketperm 1000",
             "dbfilename a/b", "appendfilename ''", "appenddirname a/b", "proc-title-template {x}",
             "cluster-announce-hostname a_b", "shutdown-on-sigint save nosave", "loadmodule", "supervised x"]

    def reason(self, program, line, directory):
        path = Path(directory) / "file.conf"
        path.write_text(f"# a line\n{line}\n")
        result = subprocess.run([program, path], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 1, (program, line))
        return result.stderr.strip().splitlines()[-1], path

    def test_reasons(self):
        differs = {"supervised x", "loadmodule"}
        with tempfile.TemporaryDirectory() as directory:
            for line in self.LINES:
                with self.subTest(line=line):
                    ours, path = self.reason(AE_SERVER, line, directory)
                    theirs, _ = self.reason("redis-server", line, directory)
                    place = f"ae-server: {path}, line 2: '{line.strip()}': "
                    self.assertTrue(ours.startswith(place), ours)
                    if line not in differs:
                        self.assertEqual(ours.removeprefix(place), theirs)


if __name__ == "__main__":
    main("test_config")
