#!/usr/bin/env python3
"""What ae-cli sends, beside redis-cli, and what it makes of what servers send in its modes: a server of the test's own
has been told what to answer."""

import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from support import main
from testkit.resp import PATIENCE
from testkit.server import AE_CLI
from told import Requests, ToldCase


class Case(ToldCase):
    def run_on(self, server, *words, cli=AE_CLI, given=b""):
        place = [] if server is None else ["-p", str(server.port)]
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

    def test_what_is_said_of_a_snapshot(self):
        for options in (["--rdb"], ["--functions-rdb"]):
            for replies in ({"SYNC": b"$3\r\nabc"}, {"SYNC": b"$EOF:" + b"m" * 40 + b"\r\nabc" + b"m" * 40},
                            {"SYNC": b"-ERR no\r\n"}, {"SYNC": b"$3\r\nabc", "REPLCONF": b"-ERR unknown\r\n"},
                            {"SYNC": None}, {"REPLCONF": None}):
                with self.subTest(options, replies=replies), tempfile.NamedTemporaryFile() as file:
                    found = []
                    for cli in (AE_CLI, "redis-cli"):
                        server = self.told(**replies)
                        out, err, status = self.run_on(server, *options, file.name, cli=cli)
                        # An error's line has both its end and the server's with redis-cli.
                        found.append((out, err.replace(b"\r", b""), status, server.seen, Path(file.name).read_bytes()))
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
        port = server.port
        replies = itertools.cycle([b":1\r\n", b"-ASK 1 127.0.0.1:%d\r\n" % port, b":2\r\n", b"-MOVED 1 :%d\r\n" % port])
        server.replies[b"X"] = lambda _: next(replies)
        self.assertEqual(self.run_on(server, "-c", "-r", 5, "x"), (b"1\n2\n1\n2\n1\n", b"", 0))
        self.assertEqual([words[0] for words in server.seen].count(b"ASKING"), 2)

    def test_a_pipe_is_sent_and_answered_as_it_comes(self):
        server = self.told(GET=b"-ERR no\r\n", ECHO=lambda words: b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))
        words = [AE_CLI, "-p", str(server.port), "--pipe"]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
            os.set_blocking(client.stderr.fileno(), False)
            said, sent = None, 0
            while not said:
                client.stdin.write(b"GET k\r\n")
                client.stdin.flush()
                sent += 1
                while server.seen.count([b"GET", b"k"]) < sent:
                    self.assertIsNone(client.poll())
                said = client.stderr.read()
            self.assertIn(b"ERR no\n", said)
            os.set_blocking(client.stderr.fileno(), True)
            out, _ = client.communicate(timeout=PATIENCE)
        self.assertEqual(out.splitlines()[-1], b"errors: %d, replies: %d" % (sent, sent))
        self.assertEqual(client.returncode, 1)

    def test_much_waits_until_the_server_reads(self):
        much = 30_000_000
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(PATIENCE)
            words = [AE_CLI, "-p", str(listening.getsockname()[1]), "-x", "set", "k"]
            with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
                client.stdin.write(b"x" * much)
                client.stdin.close()
                with listening.accept()[0] as link, link.makefile("rb") as requests:
                    head = b"*3\r\n$3\r\nset\r\n$1\r\nk\r\n$%d\r\n" % much
                    self.assertEqual(requests.read(len(head)), head)
                    self.assertEqual(requests.read(much + 2), b"x" * much + b"\r\n")
                    link.sendall(b"+stored\r\n")
                    self.assertEqual(client.stdout.read(), b"stored\n")

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
            words = [AE_CLI, "-p", str(server.port), "--rdb", "-"]
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
                # What might be a part of the mark is held back.
                begun = client.stdout.read(len(snapshot) + split - 39)
                written.set()
                self.assertEqual(begun + client.stdout.read(), snapshot)
                self.assertEqual(client.wait(PATIENCE), 0)

    def test_writes_come_behind_the_snapshot(self):
        server = self.told(SYNC=b"$3\r\nabc*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n*1\r\n$1\r\n")
        words = [AE_CLI, "-p", str(server.port), "--replica"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            self.assertEqual([client.stdout.readline() for _ in range(2)], [b'"PING"\n', b'"DEL","k"\n'])
            client.terminate()
        self.assertEqual(server.seen, [[b"REPLCONF", b"capa", b"eof"], [b"REPLCONF", b"rdb-filter-only", b""], [b"SYNC"]])

    def test_a_snapshot_in_pieces(self):
        """Its second one has writes behind it, and follows when the first one has been written."""
        written = threading.Event()

        def sync(_):
            yield b"$6\r\nabc"
            written.wait(PATIENCE)
            yield b"def*1\r\n$4\r\nPING\r\n"

        for mode, wanted in (["--rdb", "-"], b"abcdef"), (["--replica"], b'"PING"\n'):
            written.clear()
            server = self.told()
            server.pieces, server.RequestHandlerClass = sync, InPieces
            words = [AE_CLI, "-p", str(server.port), *mode]
            with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
                while b"SYNC" not in client.stderr.readline():
                    pass
                written.set()
                self.assertEqual(client.stdout.read(len(wanted)), wanted)
                client.kill()

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

        words = [AE_CLI, "-p", str(self.told(INFO=info).port), "--stat", "-i", "0.001"]
        with subprocess.Popen(words, stdout=subprocess.PIPE) as client:
            lines = [client.stdout.readline().decode() for _ in range(46)]
            client.terminate()
        self.assertEqual([at for at, line in enumerate(lines) if line.startswith("keys ")], [1, 23, 45])
        figures = [line.split()[4:6] for line in lines if line[0].isdigit()]
        self.assertEqual(figures[:3], [["10", "(+0)"], ["15", "(+5)"], ["20", "(+5)"]])
        self.assertEqual(figures[-1], ["205", "(+5)"])


def page(cursor, *keys):
    """A reply to SCAN"""
    bulk = [b"$%d\r\n%s\r\n" % (len(key), key) for key in (cursor, *keys)]
    return b"*2\r\n%s*%d\r\n%s" % (bulk[0], len(keys), b"".join(bulk[1:]))


def in_turn(*replies):
    """One after the other, the last one again and again"""
    left = itertools.chain(replies, itertools.repeat(replies[-1]))
    return lambda _: next(left)


@unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
class Walked(Case):
    """Walks over a server's keys, beside redis-cli"""

    def both(self, *words, said=None, **replies):
        """What ae-cli prints. With `said` it says that of errors, and redis-cli something else."""
        found = []
        for cli in (AE_CLI, "redis-cli"):
            server = self.told(**{name: reply() if callable(reply) else reply for name, reply in replies.items()})
            out, err, status = self.run_on(server, *words, cli=cli)
            if said is not None and cli == AE_CLI:
                self.assertEqual(err, said)
            # Its types come in any order; and whoever fails may be gone before all that was asked is read.
            found.append((sorted(out.splitlines()), err if said is None else said, status, status or server.seen))
        self.assertEqual(*found)
        return out

    @staticmethod
    def pages():
        return in_turn(page(b"17", b"a", b"bb"), page(b"5"), page(b"0", b'c"c'))

    def test_types_and_sizes(self):
        types = lambda: in_turn(b"+string\r\n", b"+list\r\n", b"+string\r\n")
        for mode in (["--bigkeys"], ["--memkeys"], ["--memkeys-samples", "3"], ["--memkeys-samples", "0"],
                     ["--bigkeys", "--pattern", "p*"], ["--bigkeys", "-i", "0.001"]):
            with self.subTest(mode):
                out = self.both(*mode, DBSIZE=b":3\r\n", SCAN=self.pages, TYPE=types, STRLEN=b":7\r\n",
                                LLEN=b":9\r\n", MEMORY=b":70\r\n")
                self.assertIn(b"Sampled 3 keys in the keyspace!", out)

    def test_keys_that_change_meanwhile(self):
        types = lambda: in_turn(b"+none\r\n", b"+string\r\n", b"+other\r\n")
        for size in (b"-WRONGTYPE no\r\n", b"$-1\r\n"):
            for mode, command, keys in (
                ("--bigkeys", "STRLEN", ["bb"]), ("--memkeys", "MEMORY USAGE", ["bb", r'c\"c']),
            ):
                with self.subTest(mode, size=size):
                    said = "".join(f'Warning:  {command} on "{key}" failed (may have changed type)\n' for key in keys)
                    self.both(mode, said=said.encode(), DBSIZE=b":2\r\n", SCAN=self.pages, TYPE=types, STRLEN=size,
                              MEMORY=size)

    # What is there for a mode that goes well.
    WELL = {"DBSIZE": b":3\r\n", "SCAN": pages, "TYPE": b"+string\r\n", "STRLEN": b":7\r\n", "OBJECT": b":7\r\n"}

    def test_what_is_no_answer(self):
        for mode, name, reply in (
            ("--bigkeys", "DBSIZE", b"-ERR no\r\n"), ("--bigkeys", "DBSIZE", b"+OK\r\n"), ("--bigkeys", "DBSIZE", None),
            ("--bigkeys", "SCAN", b"-ERR no\r\n"), ("--bigkeys", "SCAN", None), ("--bigkeys", "TYPE", b"-ERR no\r\n"),
            ("--hotkeys", "OBJECT", b"-ERR no\r\n"), ("--hotkeys", "OBJECT", b"$-1\r\n"),
            ("--scan", "SCAN", b"-ERR no\r\n"), ("--scan", "SCAN", b"+OK\r\n"), ("--scan", "SCAN", b"*0\r\n"),
            ("--scan", "SCAN", None),
        ):
            with self.subTest(mode, name=name, reply=reply):
                self.both(mode, **{**self.WELL, name: reply})

    def test_no_answer(self):
        """redis-cli names the key at which it was, which is not the one that the server ended at."""
        for mode, name, said in (
            ("--bigkeys", "TYPE", b"Error getting types of keys"),
            ("--bigkeys", "STRLEN", b"Error getting sizes of keys"),
            ("--hotkeys", "OBJECT", b"Error getting frequencies"),
        ):
            with self.subTest(mode, name=name):
                replies = {**self.WELL, "SCAN": page(b"0", b"a"), name: None}
                out, err, status = self.run_on(self.told(**replies), mode)
                self.assertEqual((err, status), (said + b": Server closed the connection\n", 1))
                self.assertNotIn(b"summary", out)
        self.both("--bigkeys", said=b"Invalid reply type for TYPE\n", **{**self.WELL, "TYPE": b":1\r\n"})
        err = self.run_on(self.told(SCAN=b"*2\r\n:1\r\n*0\r\n"), "--scan")[1]
        self.assertEqual(err, b"Non ARRAY response from SCAN!\n")

    def test_an_interrupt_before_the_first_key(self):
        asked = threading.Event()
        server = self.told(DBSIZE=lambda _: asked.set() or b"")
        words = [AE_CLI, "-p", str(server.port), "--bigkeys"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
            self.assertTrue(asked.wait(PATIENCE))
            client.send_signal(signal.SIGINT)
            out, err = client.communicate(timeout=PATIENCE)
        self.assertIn(b"\n[00.00%] Sampled 0 keys in the keyspace!\n", out)
        self.assertEqual((err, client.returncode), (b"", 0))

    def test_the_hottest(self):
        heat = lambda: in_turn(b":0\r\n", b":5\r\n", b":3\r\n")
        self.both("--hotkeys", DBSIZE=b":3\r\n", SCAN=self.pages, OBJECT=heat)


class Watched(Case):
    """Modes that ask again and again"""

    def started(self, server, *words):
        words = [AE_CLI, "-p", str(server.port), *map(str, words)]
        client = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(client.communicate)
        self.addCleanup(client.kill)
        return client

    @staticmethod
    def info(commands, **more):
        text = "".join(f"{name}:{value}\r\n" for name, value in {"total_commands_processed": commands, **more}.items())
        return b"$%d\r\n%s\r\n" % (len(text), text.encode())

    def until(self, client, pattern):
        """What is printed until the pattern is there."""
        seen = b""
        while not re.search(pattern, seen):
            seen += client.stdout.read1() or self.fail(seen)
        return seen

    def test_a_server_that_comes_back(self):
        again = b"\r\x1b[0KReconnecting... 1\r\r\x1b[0K"
        server = self.told(INFO=in_turn(self.info(10), None, self.info(20), None, self.info(30), self.info(40)))
        client = self.started(server, "--stat", "-i", 0.001)
        lines = [client.stdout.readline() for _ in range(6)]
        self.assertEqual([line[:len(again)] == again for line in lines], [False] * 3 + [True, True, False])
        self.assertEqual(len(server.connections), 3)

    def test_a_server_that_is_gone_is_looked_for_without_a_word(self):
        server = self.told()

        def ends(_):
            server.shutdown()
            server.server_close()

        server.replies[b"INFO"] = ends
        client = self.started(server, "--stat")
        self.until(client, rb"Reconnecting\.\.\. 1\r\r\x1b\[0KReconnecting\.\.\. 2\r")
        client.kill()
        self.assertEqual(client.stderr.read(), b"")

    def test_a_server_that_comes_back_and_refuses_is_asked_nothing(self):
        server = self.told(AUTH=in_turn(b"+OK\r\n", b"-LOADING\r\n", b"+OK\r\n"),
                           INFO=in_turn(self.info(1), None, self.info(2)))
        client = self.started(server, "--stat", "-i", 0.001, "-a", "x", "--no-auth-warning")
        self.until(client, rb" 2 \(\+1\)")
        self.assertEqual(server.connections[:2], [[b"AUTH x", b"INFO", b"INFO"], [b"AUTH x"]])
        self.assertEqual(server.connections[2][:2], [b"AUTH x", b"INFO"])

    def test_an_error_ends_it(self):
        self.assertEqual(self.run_on(self.told(INFO=b"-NOPERM no\r\n"), "--stat"), (b"", b"ERROR: NOPERM no\n", 1))

    def test_round_trips(self):
        """So many that each figure is seen: one line that is written anew."""
        client = self.started(self.told(PING=b"+PONG\r\n"), "--no-raw", "--latency", "-i", 0.001)
        seen = self.until(client, rb"\(3 samples\)")
        line = rb"\x1b\[0G\x1b\[2Kmin: \d+, max: \d+, avg: \d+\.\d\d \(%d samples\)"
        self.assertRegex(seen, rb"^" + b"".join(line % count for count in (1, 2, 3)))

    def test_round_trips_are_counted_for_as_long_as_asked(self):
        begun = time.monotonic()
        out, _, status = self.run_on(self.told(), "--raw", "--latency", "-i", 0.3)
        self.assertGreater(time.monotonic() - begun, 0.3)
        self.assertRegex(out, rb"^\d+ \d+ \d+\.\d\d \d+\n$")
        self.assertEqual(status, 0)

    def test_a_history_of_round_trips(self):
        client = self.started(self.told(PING=b"+PONG\r\n"), "--raw", "--latency-history", "-i", 0.03)
        begun = self.until(client, rb"range\n(.*\n)+.* range\n")
        counts = [0 if line.startswith(b" -- ") else int(line.split()[-1]) for line in begun.splitlines()]
        # Each range begins with the first.
        self.assertEqual(counts[0], 1)
        for before, count in zip(counts, counts[1:]):
            self.assertIn(count, (0, before + 1))
        ranges = [float(found) for found in re.findall(rb" -- (\d\.\d\d) seconds range\n", begun)]
        self.assertGreater(min(ranges), 0.02)

    def test_a_spectrum_of_round_trips(self):
        server = self.told(PING=b"+PONG\r\n")
        client = self.started(server, "--latency-dist", "-i", 0.009)
        seen = self.until(client, rb"(?s)From 0.*From 0").decode()
        lines = re.findall(r"\x1b\[38;5;0m.*\n", seen.split("From 0")[1])
        self.assertEqual(len(lines), 20)
        for line in lines:
            colours = re.findall(r"\[48;5;(\d+)m", line)
            # One round trip and the pause behind it take as long, so that it is all.
            self.assertEqual(sorted(colours), ["0"] * 30 + ["196"])
        self.assertTrue(seen.startswith("-" * 45 + "\n"))
        self.assertGreaterEqual(server.seen.count([b"PING"]), 20)

    def test_what_the_system_keeps_waiting(self):
        for seconds in 0, 1:
            out, err, status = self.run_on(None, "--intrinsic-latency", seconds)
            self.assertEqual((err, status), (b"", 0))
            worst = [int(found) for found in re.findall(rb"Max latency so far: (\d+) microseconds\.\n", out)]
            self.assertEqual(worst, sorted(set(worst)))
            summary = re.search(rb"\n\n(\d+) total runs \(avg latency: (\S+) microseconds / (\S+) nanoseconds per "
                                rb"run\)\.\nWorst run took (\d+)x longer than the average latency\.\n$", out)
            runs, average, nanoseconds, times = map(float, summary.groups())
            self.assertAlmostEqual(nanoseconds, average * 1000, delta=0.1)
            self.assertAlmostEqual(times, worst[-1] / average, delta=1 + times / 1000)
            self.assertEqual(runs == 1, not seconds)
            self.assertGreaterEqual(runs * average, 999_000 * seconds)
            # Nothing is so slow.
            self.assertLess(runs * average, 1e9)

    def test_an_interrupt_ends_the_measuring_of_the_system(self):
        client = self.started(self.told(), "--intrinsic-latency", 3600)
        client.stdout.readline()
        client.send_signal(signal.SIGINT)
        self.assertIn(b" total runs ", client.communicate(timeout=PATIENCE)[0])
        self.assertEqual(client.returncode, 0)

    def test_a_cache_under_test(self):
        server = self.told(GET=in_turn(b"$1\r\nv\r\n", b"$-1\r\n", b"$-1\r\n", b"-ERR no\r\n", b"$1\r\nv\r\n"))
        client = self.started(server, "--lru-test", 1000)
        line = client.stdout.readline().decode()
        found = re.fullmatch(r"(\d+) Gets/sec \| Hits: (\d+) \((.*)%\) \| Misses: (\d+) \((.*)%\)\n", line)
        gets, hits, hit_share, misses, miss_share = map(float, found.groups())
        self.assertEqual((gets % 250, hits + misses, misses), (249, gets, 2))
        self.assertEqual([hit_share, miss_share], [round(100 * part / gets, 2) for part in (hits, misses)])
        self.assertGreater(gets, 0)
        client.kill()
        self.assertEqual(client.stderr.read(), b"ERR no\n")
        self.assertEqual([words[0] for words in server.seen[:500]], [b"SET"] * 250 + [b"GET"] * 250)
        keys = {words[1].decode() for words in server.seen[:500]}
        self.assertTrue(all(re.fullmatch(r"lru:([1-9]\d{0,2}|1000)", key) for key in keys))
        self.assertGreater(len(keys), 50)
        values = [words[2].decode() for words in server.seen[:250]]
        self.assertEqual([value for value in values if not re.fullmatch(r"[A-y]{5}", value)], [])

    def test_a_cache_that_fails(self):
        for name in "SET", "GET":
            _, err, status = self.run_on(self.told(**{name: None}), "--lru-test", 10)
            self.assertEqual((err, status), (b"I/O error during LRU test\n", 1))

    def test_pauses(self):
        """Between what was answered and what is asked next there is at least the interval."""
        info, scan = self.info(1), page(b"1", b"k")
        for words, given, interval in (
            (["-i", 0.05, "--stat"], b"", 0.05), (["-i", 0.05, "--scan"], b"", 0.05),
            (["-i", 0.05, "-r", 3, "get", "k"], b"", 0.05), (["-i", 0.05], b"3 get k\n", 0.05),
            (["--raw", "--latency-history"], b"", 0.01), (["-i", 0.1, "--latency-dist"], b"", 0.01),
        ):
            with self.subTest(words):
                server = self.told(INFO=info, SCAN=scan)
                if given:
                    self.run_on(server, *words, given=given)
                else:
                    client = self.started(server, *words)
                    while len(server.times) < 6:
                        client.stdout.readline()
                replied, asked = server.times[1:5:2], server.times[2:6:2]
                self.assertGreaterEqual(min(after - before for before, after in zip(replied, asked)), interval)


class Help(Case):
    def shown(self, *words):
        out, err, status = self.run_on(None, "-p", "1", *words)
        self.assertEqual((err, status), (b"", 0))
        lines = out.decode().splitlines()
        names = [line.split("  ")[1] for line in lines if line[2:3].isupper()]
        self.assertEqual([sum(line.startswith(f"  {title}: ") for line in lines) for title in ("summary", "since")],
                         [len(names)] * 2)
        return names

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
