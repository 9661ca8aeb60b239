"""A unit of some suite: tests that share a fresh server."""

import os
import xml.etree.ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from testkit.commands import limited
from testkit.paths import ROOT

HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "client-suites"
# Seconds: what a hanging test, and a hanging unit, may take on a slow machine.
TEST_LIMIT = 180
UNIT_LIMIT = 600
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass
class Unit:
    name: str
    # (server, folder of its own, names of tests or None for all) -> [(test, outcome, message)]. What cannot run some
    # tests alone runs all.
    run: Callable
    # (folder) -> what the server is started with.
    options: Callable = lambda folder: ()


def run_program(command, cwd, **env):
    """(status or None if it does not end in time, output) of a program that runs a unit's tests"""
    status, said, _ = limited(command, UNIT_LIMIT, cwd=cwd, env={**os.environ, **env})
    return status, said


def checked(unit, tests, status, said, good):
    """The tests, and one more that has failed if they were not run to the end."""
    if status is None:
        return [*tests, (unit, FAILED, f"does not end within {UNIT_LIMIT} seconds: {said[-1000:]}")]
    if status not in good or not tests:
        return [*tests, (unit, FAILED, f"ends with status {status}: {said[-1000:]}")]
    return tests


def read_report(path):
    """the tests of a report in JUnit's format"""
    outcomes = {}
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        test = "::".join(filter(None, [case.get("file"), class_of(case), case.get("name")]))
        bad = [element for element in case if element.tag in ("failure", "error")]
        if bad:
            outcomes[test] = (FAILED, bad[0].get("message", ""))
        elif case.find("skipped") is not None:
            outcomes.setdefault(test, (SKIPPED, ""))
        else:
            outcomes.setdefault(test, (PASSED, ""))
    return [(test, *outcome) for test, outcome in outcomes.items()]


def class_of(case):
    """the class's name: pytest writes the module's before it"""
    module = Path(case.get("file", "")).with_suffix("").as_posix().replace("/", ".")
    return case.get("classname", "").removeprefix(module).removeprefix(".")
