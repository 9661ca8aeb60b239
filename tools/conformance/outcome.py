"""What runs of a unit printed, test by test."""

import re
from collections import Counter
from dataclasses import dataclass, field

from testkit.tcl import ANSI, DONE, LINE

# What a test says whose server is gone.
GONE = re.compile(
    r"I/O error|couldn't open socket|connection refused|broken pipe|connection reset|error writing \"sock", re.I
)
RUNNING = re.compile(r"^\S+ => \(IN PROGRESS\) (.*)$")
# What a test says that asks for something that only a server has which the suite itself has started.
IMPOSSIBLE = re.compile(r"not known in dictionary")
REASON_LINES = 4


@dataclass
class Outcome:
    """Names may repeat: they are counted."""

    passed: Counter = field(default_factory=Counter)
    failed: dict = field(default_factory=dict)  # name: the first lines of the reason
    skipped: Counter = field(default_factory=Counter)  # by the suite itself
    # what went wrong outside of any test, and took the tests behind it along
    aborted: list = field(default_factory=list)
    finished: bool = False
    # The tests that hung, or in which the server ended.
    stopped: list = field(default_factory=list)
    # Those that cannot run in this mode, and leave a server behind in which others fail.
    impossible: list = field(default_factory=list)
    longest: float = 0  # seconds that a test took
    seconds: float = 0

    def as_json(self):
        return {**vars(self), "passed": dict(self.passed), "skipped": dict(self.skipped)}

    @staticmethod
    def from_json(found):
        return Outcome(**{**found, "passed": Counter(found["passed"]), "skipped": Counter(found["skipped"])})


def parse(text, server_ended=False):
    """`server_ended`: by itself, before the suite was through."""
    outcome, reason = Outcome(), None
    for line in ANSI.sub("", text).splitlines():
        match = LINE.match(line)
        if match:
            reason = _note(outcome, *match.groups())
        elif DONE.match(line):
            outcome.finished, reason = True, None
        elif running := RUNNING.match(line):
            outcome.stopped.append(running[1])
        elif reason is not None and len(reason) < REASON_LINES and line.strip() and not line.startswith("["):
            reason.append(line.strip())
    outcome.failed = {name: _trimmed(reason) for name, reason in outcome.failed.items()}
    outcome.impossible = [name for name, reason in outcome.failed.items() if IMPOSSIBLE.search(" ".join(reason))]
    if server_ended:
        outcome.stopped += [name for name, reason in outcome.failed.items() if GONE.search(" ".join(reason))][:1]
    return outcome


def _note(outcome, kind, rest):
    """the list for the lines that come next"""
    if kind == "ok":
        name = re.sub(r" \((\d+) ms\)$", "", rest)
        outcome.passed[name] += 1
        outcome.longest = max(outcome.longest, int(re.search(r"(\d+) ms\)$", rest)[1]) / 1000 if name != rest else 0)
    elif kind in ("skip", "ignore"):
        outcome.skipped[re.sub(r": (Tag: .*|Not supported .*|large memory .*)$", "", rest)] += 1
    elif kind == "err" and (name := re.sub(r" in tests/\S+\.tcl$", "", rest)) != rest:
        return outcome.failed.setdefault(name, [])
    else:
        reason = [rest]
        outcome.aborted.append(reason)
        return reason
    return None


def _trimmed(reason):
    """Of an exception the suite prints the message twice, at first without its beginning, and then where it was."""
    if len(reason) > 1 and reason[1].endswith(reason[0]):
        reason = reason[1:]
    if "while executing" in reason:
        reason = reason[: reason.index("while executing")]
    return reason


def merged(first, again):
    """Of two runs of one unit: a test that passed in either passes; why it failed, the second tells better."""
    passed = first.passed | again.passed
    failed = {name: reason for name, reason in {**first.failed, **again.failed}.items() if name not in passed}
    aborted = first.aborted + [reason for reason in again.aborted if reason not in first.aborted]
    return Outcome(
        passed,
        failed,
        first.skipped | again.skipped,
        aborted,
        first.finished or again.finished,
        list(dict.fromkeys(first.stopped + again.stopped)),
        list(dict.fromkeys(first.impossible + again.impossible)),
        max(first.longest, again.longest),
        first.seconds + again.seconds,
    )
