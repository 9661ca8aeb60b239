#!/usr/bin/env python3
"""Tests of how the tool reads pytest's reports and what it makes of them."""

import contextlib
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import client_suites
import hiredis_suite
import unit

REPORT = """<testsuites><testsuite>
<testcase file="tests/test_a/test_b.py" classname="tests.test_a.test_b.TestIt" name="test_good[1]"/>
<testcase file="tests/test_a/test_b.py" classname="tests.test_a.test_b.TestIt" name="test_bad">
    <failure message="1 is not 2">trace</failure></testcase>
<testcase file="tests/test_a/test_b.py" classname="tests.test_a.test_b" name="test_teardown"/>
<testcase file="tests/test_a/test_b.py" classname="tests.test_a.test_b" name="test_teardown">
    <error message="gone">trace</error></testcase>
<testcase file="tests/test_a/test_b.py" classname="tests.test_a.test_b" name="test_later">
    <skipped message="old server"/></testcase>
</testsuite></testsuites>
"""
PROGRAM = """#01 Format command: \x1b[0;32mPASSED\x1b[0;0m

Testing against TCP connection (127.0.0.1:7000):
#02 Is able to deliver commands: \x1b[0;31mFAILED\x1b[0;0m
#03 Honors: a colon: \x1b[01;33mSKIPPED\x1b[0;0m

Testing asynchronous API using polling_adapter UNIX (/tmp/socket):
#04 Async connect: \x1b[0;32mPASSED\x1b[0;0m
#05 Async freehiredis-test: test.c:1: Assertion failed.
"""
UNIT = ("file with RESP2", [("a::good", "passed", ""), ("a::bad", "failed", "why"), ("a::old", "skipped", "")])


class Reports(unittest.TestCase):
    def test_outcomes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.xml"
            path.write_text(REPORT)
            self.assertEqual(unit.read_report(path), [
                ("tests/test_a/test_b.py::TestIt::test_good[1]", "passed", ""),
                ("tests/test_a/test_b.py::TestIt::test_bad", "failed", "1 is not 2"),
                ("tests/test_a/test_b.py::test_teardown", "failed", "gone"),
                ("tests/test_a/test_b.py::test_later", "skipped", ""),
            ])


    def test_hiredis(self):
        self.assertEqual(hiredis_suite.parse(PROGRAM), [
            ("hiredis::no connection::Format command", "passed", ""),
            ("hiredis::TCP connection::Is able to deliver commands", "failed", ""),
            ("hiredis::TCP connection::Honors: a colon", "skipped", ""),
            ("hiredis::asynchronous API using polling_adapter UNIX::Async connect", "passed", ""),
        ])

    def test_a_unit_that_does_not_get_to_its_end(self):
        good = [("a::good", "passed", "")]
        self.assertEqual(unit.checked("a", good, 0, "", (0, 1)), good)
        for tests, status in (good, None), (good, -6), ([], 0):
            *rest, (name, outcome, _) = unit.checked("a", tests, status, "what it said", (0, 1))
            self.assertEqual((rest, name, outcome), (tests, "a", "failed"))


class Repetition(unittest.TestCase):
    """What fails is run once more."""

    def outcome(self, first, second):
        runs, asked = [first, second], []

        def run(server, folder, only):
            asked.append(only)
            return runs.pop(0)

        server = contextlib.nullcontext(mock.Mock(**{"process.poll.return_value": None}))
        _, tests = client_suites.run_unit(lambda *options: server, unit.Unit("a", run))
        return tests, asked

    def test_what_fails_once(self):
        good, bad = ("a::x", "passed", ""), ("a::y", "failed", "why")
        self.assertEqual(self.outcome([good, bad], [("a::y", "passed", "")]),
                         ([good, ("a::y", "passed", "")], [None, ["a::y"]]))
        self.assertEqual(self.outcome([good, bad], [bad]), ([good, bad], [None, ["a::y"]]))

    def test_what_does_not_end(self):
        good, bad, end = ("a::x", "passed", ""), ("a::y", "failed", ""), ("a", "failed", "does not end")
        self.assertEqual(self.outcome([good, end], None), ([good, end], [None]))
        self.assertEqual(self.outcome([good, bad], [good, end]), ([good, bad, end], [None, ["a::y"]]))


class Judgement(unittest.TestCase):
    def judge(self, *patterns):
        return client_suites.judge([UNIT], [(pattern, "reason") for pattern in patterns])

    def test_failures(self):
        counts, lines = self.judge()
        self.assertEqual(counts, {"passed": 1, "failed": 1, "skipped": 1})
        self.assertEqual(lines, ["FAILED a::bad (file with RESP2): why"])

    def test_exceptions(self):
        self.assertEqual(self.judge("a::b*"), ({"passed": 1, "excepted": 1, "skipped": 1}, []))

    def test_exceptions_that_nothing_needs(self):
        counts, lines = self.judge("a::bad", "a::good")
        self.assertEqual(counts, {"passed": 1, "failed": 1, "excepted": 1, "skipped": 1})
        self.assertEqual(lines, ["FAILED exceptions.csv: a::good passes (reason)"])

    def test_exceptions_of_files_that_did_not_run(self):
        self.assertEqual(self.judge("a::bad", "b::bad")[1], [])

    def test_the_list(self):
        exceptions = client_suites.read_exceptions(client_suites.HERE / "exceptions.csv")
        self.assertTrue(exceptions)
        for test, reason in exceptions:
            self.assertRegex(test, r"^(tests/.*\.py|hiredis|ioredis)::")
            self.assertTrue(reason)


if __name__ == "__main__":
    unittest.main()
