#!/usr/bin/env python3
"""Runs redis-py's own tests, from its source distribution, against ae-server; each file gets a fresh server.

What may fail is in exceptions.csv, with the reason. A test that fails and is not there is a failure, and so is a line
there that no failing test needs. `--redis` runs them against the machine's redis-server instead and takes no line into
account: what fails there as well is redis-py's matter. Names of files on the command line select some."""

import argparse
import csv
import fnmatch
import hashlib
import subprocess
import sys
import venv
import xml.etree.ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from testkit import fetch  # noqa: E402
from testkit.commands import Failure, run  # noqa: E402
from testkit.paths import ROOT  # noqa: E402
from testkit.server import AeServer, RedisServer  # noqa: E402

HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "client-suites"
# The last series whose tests are about Redis 7.0.
RELEASE = "redis==5.0.8"
ARCHIVE = "redis-5.0.8.tar.gz"
SHA256 = "0c5b10d387568dfe0698c6fad6615750c24170e548ca2deac10c649d463e9870"
# (file, version of the protocol), the long ones first.
UNITS = [
    ("tests/test_commands.py", 2),
    ("tests/test_commands.py", 3),
    ("tests/test_asyncio/test_commands.py", 3),
    ("tests/test_pubsub.py", 3),
    ("tests/test_asyncio/test_pubsub.py", 2),
    ("tests/test_connection_pool.py", 2),
    ("tests/test_pipeline.py", 3),
    ("tests/test_asyncio/test_pipeline.py", 2),
    ("tests/test_monitor.py", 2),
    ("tests/test_asyncio/test_monitor.py", 3),
    ("tests/test_encoding.py", 3),
]
# Seconds: what a hanging test, and a hanging file, may take on a slow machine.
TEST_LIMIT = 60
FILE_LIMIT = 600


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--redis", action="store_true", help="against the machine's redis-server")
    parser.add_argument("files", nargs="*", help="such as tests/test_commands.py")
    options = parser.parse_args()
    units = [unit for unit in UNITS if not options.files or unit[0] in options.files]
    if not units:
        parser.error("no such file among " + ", ".join(sorted({file for file, _ in UNITS})))
    try:
        python, suite = prepare()
    except (Failure, subprocess.TimeoutExpired) as reason:
        sys.exit(f"client-suites: 0 passed, 1 failed: {reason}")
    server = RedisServer if options.redis else lambda: AeServer("--enable-debug-command", "yes")
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda unit: run_unit(server, python, suite, *unit), units))
    exceptions = [] if options.redis else read_exceptions(HERE / "exceptions.csv")
    counts, lines = judge(results, exceptions)
    for line in lines:
        print(line)
    outcomes = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "excepted", "skipped"))
    print(f"client-suites: {outcomes}")
    sys.exit(counts["failed"] > 0)


def prepare():
    """(a Python with what the tests need, the unpacked source distribution)"""
    requirements = (HERE / "requirements.txt").read_text()
    environment, installed = BUILD / "venv", BUILD / "venv" / "installed.txt"
    python = environment / "bin" / "python"
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if not installed.exists() or installed.read_text() != requirements:
        venv.create(environment, clear=True, with_pip=True)
        run([*pip, "install", "-r", HERE / "requirements.txt"], timeout=300)
        installed.write_text(requirements)
    archive = BUILD / ARCHIVE
    if not archive.exists():
        run([*pip, "download", "--no-deps", "--no-binary", ":all:", "--dest", BUILD, RELEASE], timeout=300)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        archive.unlink()
        raise Failure(f"{ARCHIVE} is not what was released")
    suite = BUILD / "redis-py"
    fetch.unpack(archive, suite)
    return python, suite


def run_unit(start, python, suite, file, protocol):
    """(unit's name, [(test, outcome, message)]). Some of redis-py's tests give the server a tenth of a second, so what
    fails is run once more, by itself and on a fresh server; a server that ends has failed for good."""
    name, tests = run_tests(start, python, suite, file, protocol, [file])
    failed = [test for test, outcome, _ in tests if outcome == "failed"]
    if not failed or file in failed:
        return name, tests
    _, again = run_tests(start, python, suite, file, protocol, failed)
    return name, [test for test in tests if test[1] != "failed"] + again


def run_tests(start, python, suite, file, protocol, selected):
    """(unit's name, [(test, outcome, message)]), an outcome being passed, failed or skipped"""
    name = f"{file} with RESP{protocol}"
    report = BUILD / f"{Path(file).parent.name}-{Path(file).stem}-{protocol}.xml"
    report.unlink(missing_ok=True)
    with start() as server:
        command = [
            python, "-m", "pytest", "-c", HERE / "pytest.ini", "--rootdir", suite, "-q", "--tb=short",
            "-m", "not redismod and not onlycluster and not ssl", f"--timeout={TEST_LIMIT}",
            "--redis-url", f"redis://localhost:{server.port}/0", "--protocol", protocol,
            "-o", "junit_family=xunit1", f"--junitxml={report}", *selected,
        ]
        try:
            said = subprocess.run([str(word) for word in command], cwd=suite, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=FILE_LIMIT).stdout
        except subprocess.TimeoutExpired:
            return name, [(file, "failed", f"does not end within {FILE_LIMIT} seconds")]
        if server.process.poll() is not None:
            return name, [(file, "failed", "the server has ended: " + server.text()[-1000:])]
    tests = read_report(report) if report.exists() else []
    return name, tests or [(file, "failed", "no test has run: " + said[-1000:])]


def read_report(path):
    outcomes = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        test = "::".join(filter(None, [case.get("file"), class_of(case), case.get("name")]))
        bad = [element for element in case if element.tag in ("failure", "error")]
        if bad:
            outcomes[test] = ("failed", bad[0].get("message", ""))
        elif case.find("skipped") is not None:
            outcomes.setdefault(test, ("skipped", ""))
        else:
            outcomes.setdefault(test, ("passed", ""))
    return [(test, *outcome) for test, outcome in outcomes.items()]


def class_of(case):
    """the class's name: pytest writes the module's before it"""
    module = Path(case.get("file", "")).with_suffix("").as_posix().replace("/", ".")
    return case.get("classname", "").removeprefix(module).removeprefix(".")


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
            if outcome == "failed" and matching:
                needed |= matching
                outcome = "excepted"
            counts[outcome] += 1
            if outcome == "failed":
                lines.append(f"FAILED {test} ({unit}): {message}")
    for pattern, reason in exceptions:
        if pattern in ran - needed:
            counts["failed"] += 1
            lines.append(f"FAILED exceptions.csv: {pattern} passes ({reason})")
    return counts, lines


if __name__ == "__main__":
    main()
