#!/usr/bin/env python3
"""Measures libae's event loop beside a raw epoll loop, the stock ae of Redis, libev, libuv, libevent and mio.

  benches/bench.py                      everything; writes target/bench/results.json, docs/performance.md, and the
                                        complete tables and the plots in docs/performance/
  benches/bench.py --quick              a look at everything in about a minute; writes only target/bench/partial.json
  benches/bench.py --scenarios dispatch,timers --engines libae,stock --rounds 3
                                        a part of it, likewise
  benches/bench.py --report             writes the documents and the plots from the last complete results

`make bench` builds the library first and passes these options on as ARGS="..."."""

import argparse
import platform
import shutil
import subprocess
import sys
import time

import callgrind
import counting
import figures
import goals
import points
import run
import tables
from engines import BENCH, ENGINES, ROOT, Failure, build, error, versions
from engines import run as command
from testkit.documents import machine

# Fewer rounds than LEAST are not recorded.
ROUNDS, LEAST, QUICK_ROUNDS = 11, 7, 3
DOCUMENT = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
TABLES = PLOTS / "tables.md"
PARTIAL = figures.RESULTS.with_name("partial.json")
REQUIREMENTS = ROOT / "benches" / "requirements.txt"
VENV = BENCH / "venv"


def say(text):
    print(text, flush=True)


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenarios", type=_names(points.SCENARIOS), help=f"of {','.join(points.SCENARIOS)}")
    parser.add_argument("--engines", type=_names(ENGINES), help=f"of {','.join(ENGINES)}")
    parser.add_argument("--rounds", type=_positive, help=f"{ROUNDS} unless given; fewer than {LEAST} are not recorded")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds of small points")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--check", action="store_true", help="fail when a goal is not met or not measured")
    return parser.parse_args(arguments)


def _names(known):
    def parse(text):
        names = text.split(",")
        unknown = [name for name in names if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)} in {','.join(known)}")
        return names
    return parse


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least one round")
    return number


def complete(chosen):
    """whether a run with these options is one to record: everything, in rounds enough"""
    return not (chosen.quick or chosen.scenarios or chosen.engines or (chosen.rounds or ROUNDS) < LEAST)


def measured(chosen):
    """the results of the chosen work"""
    run.allow_descriptors()
    wanted = chosen.engines or list(ENGINES)
    say(f"building: {' '.join(wanted)}")
    missing = build(wanted)
    names = [name for name in wanted if name not in missing]
    if not names:
        raise Failure("no engine could be built")
    rounds = chosen.rounds or (QUICK_ROUNDS if chosen.quick else ROUNDS)
    work = points.chosen(chosen.scenarios or list(points.SCENARIOS), chosen.quick)
    results = {
        "machine": setting(), "versions": versions(names), "commit": commit(), "engines": names, "missing": missing,
        "rounds": rounds, "points": run.everything(work, names, rounds, say), "instructions": {},
    }
    if chosen.scenarios is None or {"dispatch", "interest", "timers"} <= set(chosen.scenarios):
        if callgrind.available():
            results["instructions"] = counting.everything(names, say)
        else:
            error("bench: instructions are not counted: valgrind is not installed; as root: apt-get install valgrind")
    return results


def setting():
    return {
        "kind": machine(), "kernel": platform.release(), "rustc": _first_line("rustc"), "cc": _first_line("cc"),
    }


def commit():
    """the sources' version by git, empty where there is no git or no repository"""
    try:
        return command(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip()
    except (Failure, OSError):
        return ""


def _first_line(program):
    """the program's version; a compiler that is not there has built nothing that is measured"""
    if not shutil.which(program):
        return f"no {program}"
    return command([program, "--version"]).splitlines()[0].split(" (")[0] + _number(program)


def _number(program):
    """gcc's version stands behind what the distribution calls it"""
    return f" {command([program, '-dumpfullversion']).strip()}" if program == "cc" else ""


def record(results, outcomes):
    """the documents and the plots"""
    write(DOCUMENT, lambda text: tables.document(text, results, outcomes))
    write(TABLES, lambda text: tables.complete(text, results))
    if plot_environment():
        command([VENV / "bin" / "python", ROOT / "benches" / "plots.py", PLOTS])
        say(f"drawn: {PLOTS.relative_to(ROOT)}/*.png")


def write(document, changed):
    """puts a document's tables in their place"""
    try:
        document.write_text(changed(document.read_text()))
    except ValueError as reason:
        raise Failure(f"{document}: the marks between which the tables go are missing") from reason
    say(f"written: {document.relative_to(ROOT)}")


def plot_environment():
    """matplotlib in an environment of its own; False when it cannot be had"""
    mark = VENV / ".installed"
    if mark.exists() and mark.read_text() == REQUIREMENTS.read_text():
        return True
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        command([sys.executable, "-m", "venv", VENV])
        command([VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS])
    except (Failure, OSError, subprocess.TimeoutExpired) as reason:
        error(f"bench: no plots, since matplotlib cannot be installed: {reason}")
        return False
    mark.write_text(REQUIREMENTS.read_text())
    return True


def failures(results):
    """the processes that failed"""
    return [f"{name}: {place}: {failure}" for place, outcomes in results["points"].items()
            for name, outcome in outcomes.items() for failure in outcome["failures"]]


def main(arguments):
    chosen = options(arguments)
    start = time.monotonic()
    if chosen.report:
        if not figures.RESULTS.exists():
            raise Failure("no complete results yet: run `make bench`")
        results = figures.load()
    else:
        results = measured(chosen)
        figures.store(results, figures.RESULTS if complete(chosen) else PARTIAL)
    outcomes = goals.checked(results)
    recorded = chosen.report or complete(chosen)
    shown = outcomes if recorded else [outcome for outcome in outcomes if outcome.ratio]
    say("\n".join(tables.goals(shown)) + tables.written(results))
    if recorded:
        record(results, outcomes)
    failed = failures(results)
    for failure in failed:
        error(f"bench: failed: {failure}")
    say(f"bench: {len(results['points'])} points, {len(results['engines'])} engines, {time.monotonic() - start:.0f} s")
    if chosen.check and not goals.reached(outcomes):
        error("bench: not all goals are met")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Failure, OSError, subprocess.TimeoutExpired) as problem:
        error(f"bench: {problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
