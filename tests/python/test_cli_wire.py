#!/usr/bin/env python3
"""What ae-cli sends, beside redis-cli, and what it makes of what servers send in its modes: a server of the test's own
has been told what to answer."""

import itertools
import os
import shutil
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from support import main
from testkit.paths import BUILD
from testkit.resp import PATIENCE
from told import Requests, Told

AE_CLI = os.environ.get("AE_CLI") or str(BUILD / "ae-cli")


class Case(unittest.TestCase):
    maxDiff = None

    def told(self, **replies):
        server = Told(**replies)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def run_on(self, server, *words, cli=AE_CLI, given=b""):
        place = [] if server is None else ["-p", str(server.server_address[1])]
        done = subprocess.run([cli, *place, *map(str, words)], input=given, capture_output=True, timeout=PATIENCE,
                              env={**os.environ, "REDISCLI_HISTFILE": "/dev/null"})
        return done.stdout, done.stderr, done.returncode


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class Sent(Case):
    def test_requests_of_modes(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        script = Path(folder.name, "script.lua")
        script.write_text("return 1")
        for words in (["--scan"], ["--scan", "--pattern", "p*"], ["--scan", "get", "k"], ["--scan", "--quoted-pattern", r'"\x61*"'],
                      ["--eval", script], ["--eval", script, "a", "b"], ["--eval", script, "a", ",", "x", "y"],
                      ["--eval", script, ",", "x"], ["-r", 2, "--eval", script, "a", ",", "x"],
                      ["-n", 3, "-r", 2, "get", "k"], ["-a", "secret", "--no-auth-warning", "ping"],
                      ["--user", "me", "--pass", "secret", "--no-auth-warning", "ping"], ["-3", "ping"],
                      ["--cluster", "help"], ["--cluster", "nosuch"], ["--cluster", "call"]):
            with self.subTest(words):
                found = []
                for cli in (AE_CLI, "redis-cli"):
                    server = self.told(SCAN=b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\nk\r\n$1\r\nl\r\n")
                    out, _, status = self.run_on(server, *words, cli=cli)
                    found.append((server.seen, b"" if words[0] == "--cluster" else out, status))
                self.assertEqual(*found)

    def test_a_pipe_that_gets_no_reply(self):
        for replies in ({"ECHO": b"", "SET": b"+OK\r\n"}, {"ECHO": b"", "SET": b"-ERR no\r\n"}):
            given = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
            ours, theirs = [self.run_on(self.told(**replies), "--pipe", "--pipe-timeout", 1, cli=cli, given=given)
                            for cli in (AE_CLI, "redis-cli")]
            self.assertEqual(ours, theirs)


class Received(Case):
    def test_how_many_keys_a_call_looks_at(self):
        server = self.told(SCAN=b"*2\r\n$1\r\n0\r\n*1\r\n$1\r\nk\r\n")
        self.assertEqual(self.run_on(server, "--scan", "--count", 7, "--pattern", "p*"), (b"k\n", b"", 0))
        self.assertEqual(server.seen, [[b"SCAN", b"0", b"MATCH", b"p*", b"COUNT", b"7"]])

    def test_a_redirected_command_is_repeated_as_often_as_asked(self):
        """Each time the slot is on its way: redis-cli counts anew, without end."""
        server = self.told()
        port = server.server_address[1]
        replies = itertools.cycle([b":1\r\n", b"-ASK 1 127.0.0.1:%d\r\n" % port, b":2\r\n", b"-MOVED 1 :%d\r\n" % port])
        server.replies[b"X"] = lambda _: next(replies)
        self.assertEqual(self.run_on(server, "-c", "-r", 5, "x"), (b"1\n2\n1\n2\n1\n", b"", 0))
        self.assertEqual([words[0] for words in server.seen].count(b"ASKING"), 2)

    def test_messages_are_no_replies_of_a_pipe(self):
        def echoed(words):
            return b">2\r\n+told\r\n+something\r\n$%d\r\n%s\r\n" % (len(words[1]), words[1])

        out, err, status = self.run_on(self.told(ECHO=echoed), "--pipe", given=b"PING\r\nPING")
        self.assertIn(b"errors: 0, replies: 2\n", out)
        self.assertEqual((err, status), (b"", 0))

    def test_a_snapshot_ends_where_its_size_says(self):
        for size, snapshot in ((0, b""), (3, b"abc")):
            server = self.told(SYNC=b"\n\n$%d\r\n%s" % (size, snapshot))
            out, err, status = self.run_on(server, "--rdb", "-")
            self.assertEqual((out, status), (snapshot, 0), err)
            self.assertEqual([words for words in server.seen if words[0] == b"REPLCONF"],
                             [[b"REPLCONF", b"capa", b"eof"], [b"REPLCONF", b"rdb-only", b"1"]])

    def test_a_snapshot_ends_at_its_mark(self):
        """The mark comes in two pieces, of which the second follows when the client has written what it could."""
        snapshot, mark = b"REDIS" + bytes(range(100)), b"m" * 39 + b"."
        for split in (1, 20, 39):
            written = threading.Event()

            def sync(_, split=split, written=written):
                yield b"$EOF:" + mark + b"\r\n" + snapshot + mark[:split]
                written.wait(PATIENCE)
                yield mark[split:]

            server = self.told()
            server.replies[b"SYNC"] = b""
            server.pieces = sync
            server.RequestHandlerClass = InPieces
            words = [AE_CLI, "-p", str(server.server_address[1]), "--rdb", "-"]
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
                # What might be a part of the mark is held back.
                begun = client.stdout.read(len(snapshot) + split - 39)
                written.set()
                self.assertEqual(begun + client.stdout.read(), snapshot)
                self.assertEqual(client.wait(PATIENCE), 0)

    def test_writes_come_behind_the_snapshot(self):
        server = self.told(SYNC=b"$3\r\nabc*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n*1\r\n$1\r\n")
        words = [AE_CLI, "-p", str(server.server_address[1]), "--replica"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            self.assertEqual([client.stdout.readline() for _ in range(2)], [b'"PING"\n', b'"DEL","k"\n'])
            client.terminate()

    def test_functions_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "functions.rdb")
            server = self.told(SYNC=b"$3\r\nabc")
            self.assertEqual(self.run_on(server, "--functions-rdb", path)[2], 0)
            self.assertEqual(path.read_bytes(), b"abc")
            self.assertIn([b"REPLCONF", b"rdb-filter-only", b"functions"], server.seen)
            server = self.told(SYNC=b"$3\r\nabc", REPLCONF=b"-ERR unknown option\r\n")
            _, err, status = self.run_on(server, "--functions-rdb", path)
            self.assertEqual(status, 1)
            self.assertIn(b"Failed requesting functions only RDB from server, aborting", err)
            self.assertNotIn([b"SYNC"], server.seen)

    def test_figures_have_a_head_now_and_then(self):
        asked = iter(range(10, 1000, 5))

        def info(_):
            text = b"total_commands_processed:%d\r\n" % next(asked)
            return b"$%d\r\n%s\r\n" % (len(text), text)

        words = [AE_CLI, "-p", str(self.told(INFO=info).server_address[1]), "--stat", "-i", "0.001"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as client:
            lines = [client.stdout.readline().decode() for _ in range(46)]
            client.terminate()
        self.assertEqual([at for at, line in enumerate(lines) if line.startswith("keys ")], [1, 23, 45])
        figures = [line.split()[4:6] for line in lines if line[0].isdigit()]
        self.assertEqual(figures[:3], [["10", "(+0)"], ["15", "(+5)"], ["20", "(+5)"]])
        self.assertEqual(figures[-1], ["205", "(+5)"])


class Help(Case):
    def shown(self, *words):
        out, err, status = self.run_on(None, "-p", "1", *words)
        self.assertEqual((err, status), (b"", 0))
        return [line.split("  ")[1] for line in out.decode().splitlines() if line[2:3].isupper()]

    def test_commands_and_groups(self):
        for words in (["help", "get"], ["HELP", "GET"], ["?", "get"]):
            self.assertEqual([line.split()[0] for line in self.shown(*words)], ["GET"])
        self.assertEqual([line.split()[:2] for line in self.shown("help", "config", "set")], [["CONFIG", "SET"]])
        config = {" ".join(line.split()[:2]) for line in self.shown("help", "config")}
        self.assertLessEqual({"CONFIG GET", "CONFIG REWRITE", "CONFIG SET"}, config)
        self.assertEqual(self.shown("help", "nosuch"), [])
        strings = self.shown("help", "@string")
        self.assertEqual(self.shown("help", "@STRING"), strings)
        self.assertIn("APPEND", [line.split()[0] for line in strings])


class InPieces(Requests):
    """Its reply to SYNC comes in pieces."""

    def handle(self):
        while line := self.rfile.readline():
            if line.startswith(b"SYNC"):
                for piece in self.server.pieces(line):
                    self.wfile.write(piece)
                return
            for _ in range(int(line[1:])):
                self.rfile.read(int(self.rfile.readline()[1:]) + 2)
            self.wfile.write(b"+OK\r\n")


if __name__ == "__main__":
    main("cli-wire")
