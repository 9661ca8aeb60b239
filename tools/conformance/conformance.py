#!/usr/bin/env python3
"""Runs Redis 7.0's own Tcl suite against ae-server and redis-server and compares: `make conformance`.

  conformance.py                         the whole; writes docs/conformance.md
  conformance.py --quarter               the part that `make test` runs, about two minutes
  conformance.py --units type/list,scan --server target/debug/ae-server
                                         some units on some server

Status 0: at least as many per cent as --least of what passes on redis-server passes on ae-server, and each test that
does not has a reason in reasons.csv. What each run printed lies in build/conformance/logs."""

import argparse
import json
import queue
import shlex
import sys
import threading
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import document  # noqa: E402
import units  # noqa: E402
from outcome import Outcome  # noqa: E402
from suite_runner import FOLDER, MODES, SHORTEST_PATIENCE, Runner, absolute, sources  # noqa: E402
from tally import Reasons, compared, percentage  # noqa: E402
from testkit.commands import Failure, Unavailable, error, run, say  # noqa: E402
from testkit.packages import require  # noqa: E402
from testkit.server import AE_SERVER  # noqa: E402
from testkit.tcl import Ports  # noqa: E402

NEEDED = {"tclsh": "tcl", "tar": "tar", "redis-server": "redis-server", "redis-cli": "redis-tools"}
LEAST = 98
WORKERS = 2
SKIPPED = 77


def main():
    options = arguments()
    try:
        require(NEEDED)
        check_version(options.reference)
        root = sources()
    except Unavailable as reason:
        error(f"conformance: skipped: {reason}")
        return SKIPPED
    with Ports() as first:
        theirs = reference(options, root, first)
        ours = measured(options, root, first, theirs)
    rows, missing = compared(options.units, ours, theirs)
    reasons = Reasons(mode=options.mode)
    if options.units == units.UNITS:
        document.DOCUMENT.write_text(document.text(rows, missing, reasons, units.VERSION, options.mode))
    return report(options, rows, missing, reasons)


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--server", default=AE_SERVER, help="ae-server, with options if it is to have some (%(default)s)"
    )
    parser.add_argument("--reference", default="redis-server", help="Redis's own server (%(default)s)")
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="external",
        help="external: a server that this tool starts; own: the suite starts it, so that more tests run",
    )
    parser.add_argument("--units", help="some units, with commas between them, with or without unit/")
    parser.add_argument("--quarter", action="store_true", help="the units that tell most in two minutes")
    parser.add_argument("--least", type=float, default=LEAST, help="per cent (%(default)s)")
    parser.add_argument("--fresh", action="store_true", help="run redis-server although its outcome is known")
    parser.add_argument("--workers", type=int, default=WORKERS, help="units at a time (%(default)s)")
    options = parser.parse_args(words)
    options.server, options.reference = shlex.split(options.server), shlex.split(options.reference)
    wanted = units.UNITS
    if options.quarter:
        wanted = units.QUARTER
    elif options.units:
        wanted = tuple("unit/" + name.removeprefix("unit/") for name in options.units.split(","))
    for name in wanted:
        if name not in units.UNITS:
            parser.error(f"{name} is not one of {', '.join(units.UNITS)}")
    options.units = wanted
    return options


def check_version(command):
    found = run([*command, "--version"])
    if f"v={units.VERSION}" not in found:
        raise Unavailable(f"{command[0]} is not Redis {units.VERSION}: {found.strip()}")


def reference(options, root, first):
    """redis-server's outcomes, from the last time as far as they are known"""
    store = FOLDER / f"reference-{options.mode}-{units.VERSION}.json"
    known = {}
    if store.exists() and not options.fresh:
        known = {unit: Outcome.from_json(found) for unit, found in json.loads(store.read_text()).items()}
    runner = Runner(absolute(options.reference), options.mode, "redis-server", root, first)
    writing = threading.Lock()

    def one(unit, worker):
        # Twice, if something fails there: what passes once can pass.
        found = runner.run(unit, worker, again=lambda outcome: bool(outcome.failed or outcome.aborted))
        tell("redis-server", unit, found)
        with writing:
            known[unit] = found
            keep(store, known)

    in_parallel([unit for unit in options.units if unit not in known], options.workers, one)
    return known


def keep(store, known):
    new = store.with_suffix(".new")
    new.write_text(json.dumps({unit: outcome.as_json() for unit, outcome in sorted(known.items())}, indent=1))
    new.replace(store)


def measured(options, root, first, theirs):
    """ae-server's outcomes. A unit in which something fails that passes on redis-server is run twice."""
    runner = Runner(absolute(options.server), options.mode, "ae-server", root, first)
    found = {}

    def one(unit, worker):
        their = theirs[unit]
        patience = max(SHORTEST_PATIENCE, 3 * their.longest)
        found[unit] = runner.run(
            unit, worker, patience, their.impossible, lambda outcome: bool(set(outcome.failed) & set(their.passed))
        )
        tell("ae-server", unit, found[unit])

    in_parallel(options.units, options.workers, one)
    return found


def in_parallel(wanted, workers, one):
    waiting, problems = queue.Queue(), []
    for unit in wanted:
        waiting.put(unit)

    def work(worker):
        try:
            while not problems:
                one(waiting.get_nowait(), worker)
        except queue.Empty:
            pass
        except Exception as problem:  # a thread must not end in silence
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def tell(name, unit, outcome):
    say(
        f"  {name}: {unit}: {sum(outcome.passed.values())} passed, {len(outcome.failed)} failed, "
        f"{sum(outcome.skipped.values())} skipped ({outcome.seconds:.0f} s)"
    )


def report(options, rows, missing, reasons):
    say(f"\n{'unit':24} {'ae-server':>24} {'redis-server':>24}")
    say(f"{'':24} {'passed failed skipped':>24} {'passed failed skipped':>24}")
    for row in rows:
        say(f"{row.unit:24} {columns(row.here)} {columns(row.there)}")
    if missing:
        say("\nThese pass on redis-server and not on ae-server:")
    for one in missing:
        reason = reasons.of(one.key)
        say(
            f"  {one.key}: {f'reason: {reason}' if reason else one.what}"
            + (f" ({one.count} times)" if one.count > 1 else "")
        )
    unexplained = [one for one in missing if reasons.of(one.key) is None]
    unused = reasons.unused(missing) if options.units == units.UNITS else []
    for test in unused:
        say(f"  reasons.csv names a test that passes, or is none: {test}")
    reached, expected = sum(row.reached for row in rows), sum(row.expected for row in rows)
    say(f"\n{reached} of {expected}: {percentage(rows):.2f} %; {len(unexplained)} without a reason")
    good = percentage(rows) >= options.least and not unexplained and not unused
    say(f"conformance: {reached} passed, {0 if good else max(len(unexplained) + len(unused), 1)} failed")
    return 0 if good else 1


def columns(counts):
    return "{:>10} {:>6} {:>6}".format(*counts)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as reason:
        error(str(reason))
        sys.exit(1)
