"""Counts what passes on redis-server and what of it passes on ae-server, and why the rest does not."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

REASONS = Path(__file__).resolve().parent / "reasons.csv"
NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Missing:
    """A test that passes there and not here, so many times."""

    unit: str
    name: str
    count: int
    what: str

    @property
    def key(self):
        return f"{self.unit.removeprefix('unit/')}: {self.name}"


@dataclass(frozen=True)
class Row:
    unit: str
    here: tuple  # passed, failed, skipped
    there: tuple
    expected: int
    reached: int
    seconds: float


def compared(units, ours, theirs):
    """(a row for each unit, all that is missing)"""
    rows, missing = [], []
    for unit in units:
        our, their = ours[unit], theirs[unit]
        lost = {name: count - our.passed[name] for name, count in their.passed.items() if our.passed[name] < count}
        missing += [Missing(unit, name, count, _what(our, name)) for name, count in lost.items()]
        expected = sum(their.passed.values())
        rows.append(
            Row(unit, _counts(our, lost), _counts(their, {}), expected, expected - sum(lost.values()), our.seconds)
        )
    return rows, missing


def _counts(outcome, lost):
    failed = len(set(outcome.failed) | set(lost))
    return sum(outcome.passed.values()), failed, sum(outcome.skipped.values())


def _what(outcome, name):
    """in a line, why the test did not pass"""
    if name in outcome.stopped:
        return "hangs, or the server ends"
    if name in outcome.failed:
        return re.sub(r"\s+", " ", " ".join(outcome.failed[name]))[:300] or "fails"
    told = re.sub(r"\s+", " ", " ".join(outcome.aborted[0])) if outcome.aborted else "the unit does not get there"
    return f"{NOT_REACHED}: {told[:250]}"


def percentage(rows):
    expected = sum(row.expected for row in rows)
    return 100 * sum(row.reached for row in rows) / expected if expected else 0


class Reasons:
    """Of tests that need not pass: rows of `test,reason,mode`, the test as UNIT: NAME, with `*` for any characters. A
    row with a mode is for tests that run only there."""

    def __init__(self, path=REASONS, mode="external"):
        with open(path, newline="") as table:
            rows = [row for row in csv.DictReader(table) if (row.get("mode") or mode) == mode]
        self.rows = [(row["test"], row["reason"]) for row in rows]
        if any(not reason.strip() for _, reason in self.rows):
            raise ValueError(f"{path.name}: a test without a reason")

    def of(self, key):
        return next((reason for test, reason in self.rows if _matches(test, key)), None)

    def unused(self, missing):
        """the rows that no missing test needs"""
        return [test for test, _ in self.rows if not any(_matches(test, one.key) for one in missing)]


def _matches(pattern, key):
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), key) is not None
