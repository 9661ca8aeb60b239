"""Runs a program under valgrind's callgrind and reads what it has counted."""

import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field

from engines import BENCH, Failure

TIMEOUT = 300
NAME = re.compile(r"(ob|fn|cob|cfn)=\((\d+)\)(?: (.*))?$")
PLACE = re.compile(r"[\d+*-]")


class Ended(Failure):
    """The program under callgrind has ended with a status other than 0."""

    def __init__(self, status, says):
        super().__init__(f"status {status}: {says}")
        self.status = status


@dataclass
class Profile:
    """Instructions: all, those in each object file itself, and of each pair of caller and callee (calls, inclusive
    cost)."""

    total: int = 0
    objects: Counter = field(default_factory=Counter)
    calls: Counter = field(default_factory=Counter)
    inclusive: Counter = field(default_factory=Counter)

    def inside(self, prefix):
        """what the object files whose name starts like this have run themselves"""
        return sum(cost for path, cost in self.objects.items() if os.path.basename(path).startswith(prefix))


def available():
    return shutil.which("valgrind") is not None


def profile(command, *options, env=None):
    """the profile of the command's run"""
    out = BENCH / "callgrind.out"
    BENCH.mkdir(parents=True, exist_ok=True)
    out.unlink(missing_ok=True)
    words = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--dump-instr=no", *options,
             *(str(word) for word in command)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, env=env, check=False)
    except subprocess.TimeoutExpired as reason:
        raise Failure(f"callgrind: no end after {TIMEOUT} s") from reason
    if done.returncode != 0 or not out.exists():
        # Valgrind's own lines start like this.
        says = [line for line in done.stderr.splitlines() if line and not line.startswith("==")]
        raise Ended(done.returncode, says[-1] if says else "")
    return parsed(out.read_text())


def parsed(text):
    """the profile that the text of an output file has"""
    result, names, now, lines = Profile(), {}, {}, iter(text.splitlines())
    for line in lines:
        if line.startswith("calls="):
            caller, callee = now.get("fn", ""), now.get("cfn", "")
            result.calls[caller, callee] += int(line.removeprefix("calls=").split()[0])
            # The line after it has the callee's cost and the caller's line: not the caller's own cost.
            result.inclusive[caller, callee] += _cost(next(lines))
        elif "=" in line:
            _name(line, names, now)
        elif PLACE.match(line):
            cost = _cost(line)
            result.total += cost
            result.objects[now.get("ob", "")] += cost
    return result


def _cost(line):
    """of a line `POSITION COST`; a cost that is left out is none"""
    words = line.split()
    return int(words[1]) if len(words) > 1 else 0


def _name(line, names, now):
    """a name is written in full where its number comes first; objects and functions are numbered apart"""
    found = NAME.match(line)
    if found:
        kind, number, name = found.groups()
        numbered = (kind.removeprefix("c"), number)
        if name is not None:
            names[numbered] = name
        now[kind] = names[numbered]
