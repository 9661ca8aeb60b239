#!/usr/bin/env python3
"""Tests of how the tool reads pytest's reports and what it makes of them."""

import tempfile
import unittest
from pathlib import Path

import client_suites

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
UNIT = ("file with RESP2", [("a::good", "passed", ""), ("a::bad", "failed", "why"), ("a::old", "skipped", "")])


class Reports(unittest.TestCase):
    def test_outcomes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.xml"
            path.write_text(REPORT)
            self.assertEqual(client_suites.read_report(path), [
                ("tests/test_a/test_b.py::TestIt::test_good[1]", "passed", ""),
                ("tests/test_a/test_b.py::TestIt::test_bad", "failed", "1 is not 2"),
                ("tests/test_a/test_b.py::test_teardown", "failed", "gone"),
                ("tests/test_a/test_b.py::test_later", "skipped", ""),
            ])


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
            self.assertRegex(test, r"^tests/.*\.py::")
            self.assertTrue(reason)


if __name__ == "__main__":
    unittest.main()
