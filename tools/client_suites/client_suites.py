#!/usr/bin/env python3
"""Runs others' clients' own tests, and tests of well-known libraries, against ae-server; each unit gets a fresh server.

The clients are redis-py, hiredis and ioredis; the libraries, most of which work by scripts, are in libraries/. What may
fail is in exceptions.csv, with the reason. A test that fails and is not there is a failure, and so is a line there that
no failing test needs. `--redis` runs them against the machine's redis-server instead and takes no line into account:
what fails there as well is the client's matter. Words on the command line select units: those with one in the name."""

import argparse
import csv
import fnmatch
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import hiredis_suite  # noqa: E402
import node_suites  # noqa: E402
import python_suites  # noqa: E402
from testkit.commands import Failure, Unavailable  # noqa: E402
from testkit.packages import require  # noqa: E402
from testkit.server import AeServer, RedisServer  # noqa: E402
from unit import FAILED, HERE  # noqa: E402

# Each has units(), NEEDED and HEADERS of the machine, and prepare(), which gets what else they need. The long ones first.
SUITES = (python_suites, hiredis_suite, node_suites)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--redis", action="store_true", help="against the machine's redis-server")
    parser.add_argument("words", nargs="*", help="such as hiredis, tests/test_commands.py")
    options = parser.parse_args()
    wanted = [(suite, [unit for unit in suite.units() if is_wanted(unit, options.words)]) for suite in SUITES]
    wanted = [(suite, units) for suite, units in wanted if units]
    if not wanted:
        parser.error("no such unit among " + ", ".join(unit.name for suite in SUITES for unit in suite.units()))
    try:
        for suite, _ in wanted:
            require(suite.NEEDED, suite.HEADERS)
        with ThreadPoolExecutor(len(wanted)) as pool:
            list(pool.map(lambda suite: suite.prepare(), [suite for suite, _ in wanted]))
    except (Failure, Unavailable, subprocess.TimeoutExpired) as reason:
        sys.exit(f"client-suites: 0 passed, 1 failed: {reason}")
    start = RedisServer if options.redis else AeServer
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda unit: run_unit(start, unit), [unit for _, units in wanted for unit in units]))
    exceptions = [] if options.redis else read_exceptions(HERE / "exceptions.csv")
    counts, lines = judge(results, exceptions)
    for line in lines:
        print(line)
    for name, tests in results:
        print(f"  {name}: " + told(Counter(outcome for _, outcome, _ in tests)))
    print("client-suites: " + told(counts))
    sys.exit(counts["failed"] > 0)


def is_wanted(unit, words):
    return not words or any(word in unit.name for word in words)


def told(counts):
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "excepted", "skipped"))


def run_unit(start, unit):
    """(unit's name, [(test, outcome, message)]). Some clients' tests give the server a tenth of a second, so what fails
    is run once more, by itself if that can be, and on a fresh server; a unit that is not run to its end has failed for
    good."""
    tests = run_tests(start, unit, None)
    failed = [test for test, outcome, _ in tests if outcome == FAILED]
    if not failed or unit.name in failed:
        return unit.name, tests
    again = {test: (test, outcome, message) for test, outcome, message in run_tests(start, unit, failed)}
    better = [again.get(test[0], test) if test[1] == FAILED else test for test in tests]
    return unit.name, better + [again[unit.name]] if unit.name in again else better


def run_tests(start, unit, only):
    """[(test, outcome, message)], an outcome being passed, failed or skipped"""
    with tempfile.TemporaryDirectory(prefix="client-suites-") as folder:
        folder = Path(folder)
        with start("--enable-debug-command", "yes", *unit.options(folder)) as server:
            tests = unit.run(server, folder, only)
            if server.process.poll() is not None:
                return [*tests, (unit.name, FAILED, "the server has ended: " + server.text()[-1000:])]
    return tests


def read_exceptions(path):
    """[(pattern of tests, reason)]"""
    with open(path, newline="") as rows:
        return [(row["test"], row["reason"]) for row in csv.DictReader(rows)]


def judge(results, exceptions):
    """(how many tests have which outcome, what to say of the failed ones)"""
    counts, lines, needed, ran = Counter(), [], set(), set()
    for unit, tests in results:
        for test, outcome, message in tests:
            matching = {pattern for pattern, _ in exceptions if fnmatch.fnmatchcase(test, pattern)}
            ran |= matching
            if outcome == FAILED and matching:
                needed |= matching
                outcome = "excepted"
            counts[outcome] += 1
            if outcome == FAILED:
                lines.append(f"FAILED {test} ({unit}): {message}")
    for pattern, reason in exceptions:
        if pattern in ran - needed:
            counts[FAILED] += 1
            lines.append(f"FAILED exceptions.csv: {pattern} passes ({reason})")
    return counts, lines


if __name__ == "__main__":
    main()
