#!/usr/bin/env python3
"""Sends the same random programs to ae-server and to redis-server and compares replies byte by byte, in RESP2 and
RESP3, and what is stored at the end of each program.

  differential.py --server target/debug/ae-server --only hash --requests 20000 --seed 1

The commands are the rows of requests/FAMILY.txt; a new command is a line there. Each difference is printed with the
shortest program that was found to show it. Commands that ae-server does not know are named once and left out."""

import argparse
import os
import re
import shlex
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import replies  # noqa: E402
from hand import Hand  # noqa: E402
from pair import Pair, Silence  # noqa: E402
from programs import FAMILIES, SETTINGS, Program, Table  # noqa: E402
from testkit.commands import Failure, error, say  # noqa: E402
from testkit.server import AE_SERVER  # noqa: E402

DEBUG = ["--enable-debug-command", "local"]
REDIS = ["redis-server", "--save", "", "--appendonly", "no", *DEBUG]
LENGTH = 400
# A program is made shorter in at most so many runs.
RUNS = 150
# A command that differs so often is left out from then on, so that others get their turn.
TOO_OFTEN = 3
# Commands that are not tried out: one ends the server, the others are none.
UNASKED = ("SHUTDOWN", "NOSUCH", "NOSUCHCOMMAND")
UNKNOWN = (b"ERR unknown command", b"ERR unknown subcommand", b"ERR Unknown subcommand")
# What RESTORE gets: values of all kinds, packed and not, as Redis dumps them.
DUMPED = [
    ["SET", "k", "12"],
    ["SET", "k", "hello"],
    ["SET", "k", "a" * 200],
    ["RPUSH", "k", "a", "b", "1"],
    ["SADD", "k", "1", "2", "70000"],
    ["SADD", "k", "a"],
    ["HSET", "k", "f", "v", "g", "1"],
    ["HSET", "k", "f", "v" * 100],
    ["ZADD", "k", "1", "a", "2.5", "b"],
    ["ZADD", "k", "1", "m" * 100],
    ["XADD", "k", "1-1", "f", "v"],
    ["PFADD", "k", "a", "b", "c"],
]


def main():
    options = arguments()
    comparison = Comparison(options)
    with Pair([*command(options.server), "--save", "", *DEBUG], command(options.reference) if options.reference else REDIS) as pair:
        comparison.run(pair)
    return comparison.summary()


def command(text):
    """of a server, which works in another folder"""
    program, *words = shlex.split(text)
    return [shutil.which(program) and os.path.abspath(shutil.which(program)) or program, *words]


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--server", default=AE_SERVER, help="ae-server, with options if it is to have some (%(default)s)"
    )
    parser.add_argument("--reference", help="another redis-server, with options")
    parser.add_argument("--only", help=f"some of the families, with commas between them: {', '.join(FAMILIES)}")
    parser.add_argument("--without", default="", help="commands that are left out, with commas: SORT,OBJECT ENCODING")
    parser.add_argument("--requests", type=int, default=20000, help="how many at least (%(default)s)")
    parser.add_argument("--seed", default=os.environ.get("SEED", "1"), help="(%(default)s)")
    parser.add_argument("--resp", type=int, choices=(2, 3), help="only this protocol; both in turn otherwise")
    parser.add_argument("--most", type=int, default=20, help="end after so many differences (%(default)s)")
    parser.add_argument("--whole", action="store_true", help="a command that ae-server does not know is a failure, too")
    options = parser.parse_args(words)
    options.only = tuple(options.only.split(",")) if options.only else FAMILIES
    for name in options.only:
        if name not in FAMILIES:
            parser.error(f"{name} is not one of {', '.join(FAMILIES)}")
    return options


class Comparison:
    def __init__(self, options):
        self.options = options
        self.table = Table(options.only)
        self.requests = self.programs = 0
        self.differences = []
        self.unknown = []
        self.often = Counter()

    def run(self, pair):
        say(f"differential: seed {self.options.seed}, {', '.join(self.options.only)}")
        start = time.monotonic()
        self._prepare(pair)
        if not self.table.choosable:
            say("ae-server knows none of these commands")
            return
        while (
            self.requests < self.options.requests and len(self.differences) < self.options.most and self.table.choosable
        ):
            resp = self.options.resp or 2 + self.programs % 2
            self._program(pair, Program(self.table, f"{self.options.seed}/{self.programs}", resp, self.settings))
            self.programs += 1
        self.seconds = time.monotonic() - start

    def _prepare(self, pair):
        """finds out which commands and settings ae-server has, and makes dumps"""
        for text in filter(None, self.options.without.split(",")):
            self.table.leave_out(tuple(text.upper().split()))
        for names in self.table.commands():
            if names[0] in UNASKED or not re.fullmatch("[A-Z_]+", names[0]):
                continue
            ours, theirs = (asked(server, names) for server in (pair.ours, pair.theirs))
            if "NOSUCH" not in names and refused(theirs):
                raise Failure(f"redis-server does not know {' '.join(names)}")
            if refused(ours) and ("NOSUCH" not in names or not refused(theirs) or ours[1][:19] != theirs[1][:19]):
                self._is_unknown(names[:1] if ours[1].startswith(UNKNOWN[0]) else names)
        pair.ours.begin(2)
        pair.theirs.begin(2)
        known = [pair.ours.ask(["CONFIG", "SET", name, SETTINGS[name][0]])[0][0] == b"+" for name in SETTINGS]
        self.settings = [name for name, there in zip(SETTINGS, known) if there]
        if not all(known):
            say("ae-server cannot set: " + ", ".join(name for name, there in zip(SETTINGS, known) if not there))
        if self.unknown:
            say("ae-server does not know: " + ", ".join(self.unknown))
        dumps = []
        for words in DUMPED:
            dumps.append(pair.theirs.ask(["FLUSHALL"], words, ["DUMP", "k"])[2][1])
        Hand.payloads = dumps

    def _is_unknown(self, names):
        if " ".join(names) not in self.unknown:
            self.unknown.append(" ".join(names))
            self.table.leave_out(names)

    def _program(self, pair, program):
        prelude, steps = program.prelude(), program.steps(LENGTH)
        found = pair.run(prelude, steps, program.resp)
        done = steps[: found.at + 1] if found else steps
        self.requests += sum(len(step.requests) for step in done if not step.freed)
        if not found:
            return
        shortest, found = shortened(pair, prelude, steps, program.resp, found)
        self.differences.append(found)
        self._report(prelude, shortest, program, found)
        self.often[found.command] += 1
        if self.often[found.command] == TOO_OFTEN and found.step:
            say(f"{' '.join(found.command)} is left out from here on")
            self.table.leave_out(found.command)

    def _report(self, prelude, steps, program, found):
        say(
            f"\n--- difference {len(self.differences)}: {' '.join(found.command)}, RESP{program.resp}, "
            f"program {self.programs}" + (f", {found.step.note}" if found.step and found.step.note else "")
        )
        for name, value in program.settings.items():
            if value != SETTINGS[name][0]:
                say(f"    CONFIG SET {name} {value}")
        shown = [(step.connection, words) for step in steps if not step.freed for words in step.requests]
        if found.step and found.step.note and not found.step.freed:
            shown.append((0, found.step.requests[0]))
        for connection, words in shown[-60:]:
            say(
                "    "
                + (f"({connection}) " if connection else "")
                + " ".join(replies.printable(word) for word in words)[:400]
            )
        say(f"  ae-server:    {found.ours}\n  redis-server: {found.theirs}")

    def summary(self):
        say(f"\n{self.requests} requests in {self.programs} programs, seed {self.options.seed}")
        bad = len(self.differences) + (len(self.unknown) if self.options.whole else 0)
        say(f"differential: {max(self.programs - len(self.differences), 0)} passed, {bad} failed")
        return 1 if bad else 0


def asked(server, names):
    """the reply to the command without arguments, on a connection of its own"""
    server.begin(2)
    try:
        return (server.ask([*names]) or [(b"+", b"")])[0]
    except Silence:
        return (b"+", b"")


def refused(reply):
    return reply[0] == b"-" and reply[1].startswith(UNKNOWN)


def shortened(pair, prelude, steps, resp, found):
    """(fewer steps that show a difference, the difference)"""
    steps = steps[: found.at + 1]
    # Each run of a server that does not answer takes long.
    runs, size = RUNS - 8 if found.silent else 0, max(len(steps) // 2, 1)
    while size:
        end = len(steps)
        while end > 0 and runs < RUNS:
            fewer = steps[: max(end - size, 0)] + steps[end:]
            runs += 1
            try:
                other = pair.run(prelude, fewer, resp) if fewer else None
            except Failure:
                # What is left of it is no good: a client waits forever.
                other = None
            if other and other.command == found.command:
                steps, found = fewer[: other.at + 1], other
            end = min(end - size, len(steps))
        size //= 2
    return steps, found


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as reason:
        error(str(reason))
        sys.exit(2)
