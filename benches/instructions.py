#!/usr/bin/env python3
"""Counts libae's instructions for fixed pieces of work and compares them with the committed counts, instructions.csv.
Only what runs inside libae.so counts, not the C library, the harness or the kernel, so the machine and its load do not
matter.

  benches/instructions.py            compares; a count that has risen by more than 3 % fails
  benches/instructions.py --record   writes the counts to instructions.csv
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

import callgrind
from engines import BENCH, CFLAGS, LOOP, ROOT, Failure, Unavailable, error, harness, run

RECORD = Path(__file__).with_name("instructions.csv")
HEAD = "work,instructions"
LIMIT = 1.03
SKIPPED = 77
PROGRAM = BENCH / "libae-shared"
LIBRARY = "libae.so"

# What is counted: the work, the scenario with some work and with more of it, and how many units of work that is more.
# The difference leaves out what comes before and after. `register` adds and removes all descriptors six times.
DIFFERENCES = (
    ("dispatch, 100 descriptors, 1 active", ("dispatch", 100, 1, 10000), ("dispatch", 100, 1, 20000), 10000),
    ("dispatch, 1000 descriptors, 100 active", ("dispatch", 1000, 100, 10000), ("dispatch", 1000, 100, 20000), 10000),
    ("interest in writable on and off", ("interest", 10000), ("interest", 20000), 10000),
    ("register and remove", ("register", 1000), ("register", 2000), 6000),
)
# And of the scenario of timers: the work, the harness's function that has it done, and the engine's that it calls. How
# often depends on the clock, so the count is per call. What comes due depends on it too and is left out.
TIMERS = ("timers", 1000)
CALLS = (
    ("create a timer, 1000 pending", "add", "engine_timer_add"),
    ("re-arm a timer, 1000 pending", "again", "engine_timer_again"),
    ("delete a timer, 1000 pending", "delete", "engine_timer_delete"),
    ("an iteration without events", "idle_iteration", "engine_iterate"),
)


def build():
    """the harness with libae.so; without inlining, so that the functions of CALLS are there to be found"""
    BENCH.mkdir(parents=True, exist_ok=True)
    run(["cc", *CFLAGS, "-fno-inline", "-fno-ipa-cp", "-Iinclude", "-o", PROGRAM, *harness(), LOOP / "libae.c",
         ROOT / "build" / LIBRARY, f"-Wl,-rpath,{ROOT / 'build'}"], cwd=ROOT)


def count():
    """{work: instructions per unit}"""
    counts = {}
    for work, less, more, units in DIFFERENCES:
        counts[work] = (_profile(more).inside(LIBRARY) - _profile(less).inside(LIBRARY)) / units
    for work, caller, callee in CALLS:
        profile = _profile(TIMERS, f"--toggle-collect={caller}")
        calls = profile.calls[caller, callee]
        if not calls:
            raise Failure(f"{work}: {caller} does not call {callee}")
        counts[work] = profile.inside(LIBRARY) / calls
    for work, instructions in counts.items():
        if instructions <= 0:
            raise Failure(f"{work}: none of {LIBRARY}'s instructions seen")
    return counts


def _profile(scenario, *options):
    return callgrind.profile([PROGRAM, *scenario], *options, env={**os.environ, "LIBAE_BACKEND": "epoll"})


def made_with():
    """what the counts depend on besides the sources"""
    return f"# {platform.machine()}, {run(['rustc', '--version']).split(' (')[0].strip()}"


def written(counts, compiler):
    rows = [f'"{work}",{instructions:.2f}' for work, instructions in counts.items()]
    return "\n".join([compiler, HEAD, *rows]) + "\n"


def read(text):
    """what the recorded counts were made with, and the counts"""
    compiler, head, *rows = text.splitlines()
    if head != HEAD:
        raise ValueError(f"{RECORD.name}: {head!r} is not {HEAD!r}")
    counts = {}
    for row in rows:
        work, _, instructions = row.rpartition(",")
        counts[work.strip('"')] = float(instructions)
    return compiler, counts


def compared(recorded, counts):
    """(passed, line) for each piece of work that is recorded or counted"""
    outcomes = []
    for work in {**recorded, **counts}:
        if work not in recorded or work not in counts:
            outcomes.append((False, f"{work}: {'not recorded' if work in counts else 'no longer counted'}"))
            continue
        ratio = counts[work] / recorded[work]
        line = f"{work}: {counts[work]:.2f}, recorded {recorded[work]:.2f}, {ratio - 1:+.1%}"
        if ratio < 2 - LIMIT:
            line += " (better: record it with `make instructions ARGS=--record`)"
        outcomes.append((ratio <= LIMIT, line))
    return outcomes


def skip(reason):
    print(f"instructions: skipped: {reason}")
    return SKIPPED


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help=f"write the counts to {RECORD.name}")
    options = parser.parse_args(arguments)
    if not callgrind.available():
        return skip("valgrind is not installed; as root: apt-get install valgrind")
    compiler = made_with()
    if not options.record:
        recorded_with, recorded = read(RECORD.read_text())
        if recorded_with.split(",")[0] != compiler.split(",")[0]:
            return skip(f"recorded on {recorded_with.strip('# ')}, this is {compiler.strip('# ')}")
    build()
    counts = count()
    if options.record:
        RECORD.write_text(written(counts, compiler))
        print(RECORD.read_text(), end="")
        return 0
    outcomes = compared(recorded, counts)
    for passed, line in outcomes:
        print(f"{'ok' if passed else 'FAILED'}: {line}")
    failed = sum(not passed for passed, _ in outcomes)
    if failed and recorded_with != compiler:
        print(f"recorded with {recorded_with.strip('# ')}, counted with {compiler.strip('# ')}: record anew if that is why")
    print(f"instructions: {len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Failure, Unavailable, OSError, ValueError, subprocess.TimeoutExpired) as problem:
        error(f"instructions: {problem}")
        sys.exit(1)
