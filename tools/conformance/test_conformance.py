#!/usr/bin/env python3
"""Tests of the tool itself. Those that need redis-server are left out where there is none."""

import csv
import io
import shutil
import sys
import tempfile
import unittest
from collections import Counter
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import comparison  # noqa: E402
import conformance  # noqa: E402
import differential  # noqa: E402
import document  # noqa: E402
import grammar  # noqa: E402
import outcome  # noqa: E402
import replies  # noqa: E402
import tally  # noqa: E402
import units  # noqa: E402
from hand import Hand, is_far  # noqa: E402
from pair import Pair  # noqa: E402
from programs import FAMILIES, SETTINGS, Program, Step, Table  # noqa: E402

needs_redis = unittest.skipUnless(shutil.which("redis-server"), "no redis-server")

PRINTED = """\
[ready]: 4711
Testing unit/x
\x1b[0;32;49m[\x1b[0mok]: Plain (0 ms)
[ok]: Twice (1 ms)
[ok]: Twice (2500 ms)
[err]: Wrong in tests/unit/x.tcl
Expected 'a' to be equal to 'b' (context: somewhere)
[err]: Raised in tests/unit/x.tcl
n command 'x'
ERR unknown command 'x'
    while executing
"r x"
[err]: Asks for a process in tests/unit/x.tcl
not known in dictionary
key "pid" not known in dictionary
[skip]: Left out
[ignore]: Tag: slow denied
[ignore]: Big: large memory flag not provided
[1/1 done]: unit/x (3 seconds)
"""


class SuiteOutput(unittest.TestCase):
    def test_counts(self):
        found = outcome.parse(PRINTED)
        self.assertEqual(found.passed, Counter({"Plain": 1, "Twice": 2}))
        self.assertEqual(found.failed["Wrong"], ["Expected 'a' to be equal to 'b' (context: somewhere)"])
        self.assertEqual(found.failed["Raised"], ["ERR unknown command 'x'"])
        self.assertEqual(found.impossible, ["Asks for a process"])
        self.assertEqual(sum(found.skipped.values()), 3)
        self.assertEqual((found.finished, found.longest, found.stopped, found.aborted), (True, 2.5, [], []))

    def test_a_test_that_hangs_is_named(self):
        found = outcome.parse(
            "[ok]: A (1 ms)\n[TIMEOUT]: clients state report follows.\nsock5 => (IN PROGRESS) B (of two)\n"
        )
        self.assertEqual((found.stopped, found.finished), (["B (of two)"], False))

    def test_the_test_in_which_the_server_ends_is_named(self):
        text = (
            "[err]: A in tests/unit/x.tcl\nExpected 1\n[err]: B in tests/unit/x.tcl\nI/O error reading reply\n"
            "[err]: C in tests/unit/x.tcl\ncouldn't open socket: connection refused\n"
        )
        self.assertEqual(outcome.parse(text, server_ended=True).stopped, ["B"])
        self.assertEqual(outcome.parse(text).stopped, [])

    def test_what_goes_wrong_outside_of_a_test(self):
        found = outcome.parse(
            "[ok]: A (1 ms)\n[err]: wn option x\nERR unknown option x\n[1/1 done]: unit/x (1 seconds)\n"
        )
        self.assertEqual(found.aborted, [["wn option x", "ERR unknown option x"]])

    def test_what_passes_once_passes(self):
        first = outcome.Outcome(Counter(a=1, b=2), {"c": ["no"], "d": ["no"]}, stopped=["d"])
        again = outcome.Outcome(Counter(a=1, b=1, c=1), {"d": ["still no"]}, finished=True)
        both = outcome.merged(first, again)
        self.assertEqual((both.passed, both.failed, both.finished), (Counter(a=1, b=2, c=1), {"d": ["still no"]}, True))
        self.assertEqual(both.stopped, ["d"])

    def test_outcomes_are_kept(self):
        found = outcome.parse(PRINTED)
        self.assertEqual(outcome.Outcome.from_json(found.as_json()), found)


class Tally(unittest.TestCase):
    def setUp(self):
        theirs = outcome.Outcome(Counter({"a": 2, "b": 1, "c | d": 1, "e": 1}))
        ours = outcome.Outcome(Counter({"a": 1, "b": 1, "new": 5}), {"c | d": ["why  not"]}, aborted=[["ERR x"]])
        self.rows, self.missing = tally.compared(["unit/u"], {"unit/u": ours}, {"unit/u": theirs})

    def test_each_pass_there_counts_once(self):
        row = self.rows[0]
        self.assertEqual((row.expected, row.reached), (5, 2))
        self.assertEqual(tally.percentage(self.rows), 40)
        self.assertEqual(
            {one.key: (one.count, one.what) for one in self.missing},
            {"u: a": (1, "not reached: ERR x"), "u: c | d": (1, "why not"), "u: e": (1, "not reached: ERR x")},
        )

    def reasons(self, *rows):
        with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
            csv.writer(file).writerows([("test", "reason", "mode"), *rows])
            file.flush()
            return tally.Reasons(Path(file.name))

    def test_reasons(self):
        found = self.reasons(("u: c | d", "no such thing, here"), ("u: a*", "stars"), ("v: e", "elsewhere"))
        self.assertEqual([found.of(one.key) for one in self.missing], ["stars", "no such thing, here", None])
        self.assertEqual(found.unused(self.missing), ["v: e"])
        with self.assertRaises(ValueError):
            self.reasons(("u: a", " "))

    def test_a_reason_for_one_mode(self):
        found = self.reasons(("u: a", "only there", "own"), ("u: a*", "anywhere", ""))
        self.assertEqual(found.of("u: a"), "anywhere")
        self.assertEqual(found.unused([]), ["u: a*"])

    def test_the_document_names_what_is_missing(self):
        text = document.text(self.rows, self.missing, self.reasons(("u: a", "a reason")), "7.0.15", "external")
        self.assertIn("**2 of 5 tests: 40.0 %.**", text)
        self.assertIn("| u: a | a reason |", text)
        self.assertIn(f"| u: c \\| d | {document.NO_REASON} |", text)

    def status(self, least, reasons, only=("unit/u",)):
        options = mock.Mock(units=only, least=least)
        with redirect_stdout(io.StringIO()) as said:
            return conformance.report(options, self.rows, self.missing, reasons), said.getvalue()

    def test_the_status(self):
        every = self.reasons(("u: *", "all"))
        self.assertEqual(self.status(40, every)[0], 0)
        self.assertEqual(self.status(41, every)[0], 1)
        status, said = self.status(40, self.reasons(("u: a", "some")))
        self.assertEqual(status, 1)
        self.assertIn("u: c | d: why not", said)
        self.assertIn("conformance: 2 passed, 2 failed", said)

    def test_a_reason_that_nothing_needs_is_a_failure_of_the_whole(self):
        every = self.reasons(("u: *", "all"), ("u: b", "passes"))
        self.assertEqual(self.status(40, every)[0], 0)
        self.assertEqual(self.status(40, every, units.UNITS)[0], 1)

    def test_the_committed_reasons_can_be_read(self):
        tally.Reasons()
        self.assertLessEqual(set(units.QUARTER), set(units.UNITS))


class Rows(unittest.TestCase):
    def test_a_row(self):
        (row,) = grammar.rows('2 SET <key> "a\\xff" [(NX|XX)] => kind\n# nothing\n', "string")
        self.assertEqual((row.command, row.weight, row.comparison), (("SET",), 2, "kind"))
        hand = Hand(1)
        drawn = {tuple(grammar.words(row.parts, hand)[2:]) for _ in range(200)}
        self.assertEqual(drawn, {(b"a\xff",), (b"a\xff", b"NX"), (b"a\xff", b"XX")})

    def test_a_row_of_several_commands_is_as_many_rows(self):
        self.assertEqual(
            [row.command for row in grammar.rows("(GET|CONFIG (GET|SET)) x", "x")],
            [("GET",), ("CONFIG", "GET"), ("CONFIG", "SET")],
        )
        self.assertEqual(
            [row.command for row in grammar.rows("CONFIG (GET|SET x) y", "x")], [("CONFIG", "GET"), ("CONFIG", "SET")]
        )
        self.assertEqual([row.weight for row in grammar.rows("(A|B) x", "x")], [0.5, 0.5])

    def test_what_is_no_row(self):
        for text in "SET (a|b", "SET a]", "SET [a)":
            with self.assertRaises(ValueError):
                grammar.rows(text, "x")

    def test_every_row_can_be_drawn_and_compared(self):
        hand = Hand(7)
        for rows in Table(FAMILIES).all.values():
            self.assertTrue(rows)
            for row in rows:
                self.assertIn(row.comparison, comparison.COMPARISONS, row.text)
                for _ in range(20):
                    request = grammar.words(row.parts, hand)
                    self.assertTrue(all(isinstance(word, bytes) for word in request), row.text)
                    self.assertTrue(all(isinstance(word, bytes) for word in hand.damage(request)), row.text)

    def test_nothing_that_is_drawn_is_far_away(self):
        hand = Hand(3)
        self.assertTrue(is_far(b"#4000000") and not is_far(b"100") and not is_far(b"536870912000"))
        for _ in range(2000):
            offset = hand.offset()
            self.assertTrue(not is_far(offset) or int(offset) >= 2**32, offset)

    def test_no_entry_depends_on_the_clock(self):
        hand = Hand(1)
        for _ in range(2000):
            self.assertNotIn(b"*", hand.damage([b"XADD", b"k", b"1-1", b"f", b"v"]))

    def test_the_same_seed_makes_the_same_program(self):
        programs = [
            Program(Table(("hash", "list")), seed, 2, list(SETTINGS)).steps(100) for seed in ("1/0", "1/0", "1/1")
        ]
        self.assertEqual(programs[0], programs[1])
        self.assertNotEqual(programs[0], programs[2])

    def test_commands_are_left_out(self):
        table = Table(("string", "connection"))
        table.leave_out(("CONFIG", "GET"))
        table.leave_out(("COMMAND",))
        left = {row.command for rows in table.rows.values() for row in rows}
        self.assertIn(("CONFIG", "SET"), left)
        self.assertFalse([names for names in left if names[0] == "COMMAND" or names == ("CONFIG", "GET")])


def reply(text):
    return replies.parsed(text.replace(" ", "\r\n").encode() + b"\r\n")[0]


class Replies(unittest.TestCase):
    def test_kinds(self):
        data = b"+OK\r\n$-1\r\n*2\r\n:1\r\n$1\r\n\r\r\n%1\r\n+a\r\n,1.5\r\n_\r\n=5\r\ntxt:a\r\n"
        self.assertEqual(
            replies.parsed(data),
            [
                (b"+", b"OK"),
                (b"$", None),
                (b"*", [(b":", b"1"), (b"$", b"\r")]),
                (b"%", [(b"+", b"a"), (b",", b"1.5")]),
                (b"_", b""),
                (b"=", b"txt:a"),
            ],
        )

    def test_a_push_stays_with_its_reply(self):
        data = b">1\r\n+p\r\n+OK\r\n+b\r\n"
        self.assertEqual(replies.parsed(data), [("pushes", [(b">", [(b"+", b"p")]), (b"+", b"OK")]), (b"+", b"b")])
        self.assertEqual(len(replies.parsed(data, apart=True)), 3)

    def test_what_is_no_reply(self):
        for data in b"?x\r\n", b"+OK", b"*1\r\n" * 100 + b":1\r\n":
            with self.assertRaises(ValueError):
                replies.parsed(data)

    def test_comparisons(self):
        for name, ours, theirs, expected in (
            ("exact", ":1", ":1", True),
            ("exact", ":1", ":2", False),
            ("kind", "$1 a", "$1 b", True),
            ("kind", "-a", "-b", False),
            ("kind", "$1 a", ":1", False),
            ("unordered", "*2 :1 :2", "*2 :2 :1", True),
            ("unordered", "*2 :1 :2", "*2 :2 :2", False),
            ("pairs", "*4 :1 :2 :3 :4", "*4 :3 :4 :1 :2", True),
            ("pairs", "*4 :1 :2 :3 :4", "*4 :3 :2 :1 :4", False),
            ("shape", "*1 :1", "*1 :2", True),
            ("shape", "*1 :1", "*2 :1 :2", False),
            ("shape", "$-1", "$1 a", False),
            ("commands", "*2 $14 client|setinfo $3 get", "*1 $3 get", True),
            ("commands", "*2 *2 $14 client|setinfo :1 $3 get", "*1 $3 get", True),
            ("commands", "*2 $3 set $3 get", "*1 $3 get", False),
            ("commands", "*1 *3 $5 notes $1 a $1 b", "*1 *1 $1 b", True),
            ("commands", "*1 *3 $5 notes $1 a $1 b", "*1 *1 $1 c", False),
            ("seconds", ":100", ":99", True),
            ("seconds", ":-1", ":-2", False),
            ("seconds", ":1000", ":100", False),
            ("ages", "*2 $4 idle :7", "*2 $4 idle :9", True),
            ("ages", "*2 $4 seen :7", "*2 $4 seen :9", False),
            ("pending", "*1 *3 :1 :2 :3", "*1 *3 :1 :2 :9", True),
            ("pending", "*1 *3 :1 :2 :3", "*1 *3 :1 :9 :3", False),
            ("rules", "$5 +a$+b", "$5 +a$+b", True),
        ):
            self.assertEqual(comparison.same(name, [b"X"], reply(ours), reply(theirs)), expected, (name, ours, theirs))

    def test_only_a_whole_scan_is_compared(self):
        first, second = reply("*2 $1 0 *1 $1 a"), reply("*2 $1 0 *1 $1 b")
        self.assertFalse(comparison.same("scan", [b"SCAN", b"0"], first, second))
        self.assertTrue(comparison.same("scan", [b"SCAN", b"7"], first, second))
        self.assertTrue(comparison.same("scan", [b"HSCAN", b"0", b"7"], first, second))


@needs_redis
class Servers(unittest.TestCase):
    """Of two of Redis's own, one of which has been made different."""

    def differences(self, renamed, *steps, resp=2):
        with Pair([*differential.REDIS, *renamed], differential.REDIS) as pair:
            return pair.run([], [Step([[word.encode() for word in step.split()]], ["exact"]) for step in steps], resp)

    def test_a_different_reply_is_found(self):
        steps = ["SET a 1"] * 100 + ["GETRANGE a 0 0", "GET a"]
        found = self.differences(["--rename-command", "GETRANGE", "x"], *steps)
        self.assertEqual((found.at, found.command, found.theirs), (100, ("GETRANGE",), "$1"))
        self.assertIsNone(self.differences([], *steps))

    def test_different_contents_are_found(self):
        found = self.differences(["--list-max-listpack-size", "1"], "RPUSH a 1 2", resp=3)
        self.assertIsNone(found)
        found = self.differences(["--hash-max-listpack-entries", "1"], "HSET a f v g w", resp=3)
        self.assertEqual((found.command, found.ours, found.theirs), (("OBJECT", "ENCODING"), "$hashtable", "$listpack"))

    def test_a_server_that_ends_is_found(self):
        found = self.differences(
            ["--rename-command", "SHUTDOWN", "x", "--rename-command", "TIME", "SHUTDOWN"], "SET a 1", "DBSIZE"
        )
        self.assertIsNone(found)
        with Pair(
            [*differential.REDIS, "--rename-command", "DBSIZE", "x", "--rename-command", "SHUTDOWN", "DBSIZE"],
            differential.REDIS,
        ) as pair:
            steps = [Step([[word]], ["exact"]) for word in (b"PING", b"DBSIZE", b"PING")]
            found = pair.run([], steps, 2)
            self.assertTrue(found.silent)
            self.assertIn("ended with 0", found.ours)
            self.assertIsNone(pair.run([], steps[:1], 2))

    def run_tool(self, *words):
        with redirect_stdout(io.StringIO()) as said, mock.patch.object(sys, "argv", ["differential.py", *words]):
            return differential.main(), said.getvalue()

    def test_redis_server_is_like_itself(self):
        status, said = self.run_tool(
            "--server", " ".join(word or "''" for word in differential.REDIS), "--requests", "4000"
        )
        self.assertEqual(status, 0, said)

    def test_the_shortest_program_is_shown(self):
        server = (
            " ".join(word or "''" for word in differential.REDIS)
            + " --set-max-intset-entries 1 --rename-command STRLEN ''"
        )
        status, said = self.run_tool(
            "--server", server, "--only", "string", "--requests", "1000", "--without", "LCS", "--whole"
        )
        self.assertIn("ae-server does not know: STRLEN", said)
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
