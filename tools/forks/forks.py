#!/usr/bin/env python3
"""Real forks on libae: builds each from Debian's source package twice, as it is and on libae, and compares the two.

  symbols     from the linked programs: the loop, sockets and connections are libae's
  suite       the fork's own Tcl suite passes what the stock build passes
  io-threads  so does a part of it with io-threads on
  cluster     a six-node cluster survives the loss of a primary
  speed       the server's (wrk's) CPU time per request, in pairs
  tls-symbols, tls, tls-speed
              the same for builds with TLS: neither tls.o nor OpenSSL is in the server, the suite passes
              with --tls, and CPU time per request and per handshake beside stock's with OpenSSL
  sentinel    three Sentinels that speak TLS alone replace a primary that is killed

Results go to build/forks/results and into docs/forks.md. `make forks FORK=redis-7.0 ARGS="--steps symbols,speed"`."""

import argparse
import signal
import sys
import time

import bench
import build
import cluster
import report
import sentinel
import suite
import symbols
import wrk
import tls
from common import COMMANDS, SUITE_COMMANDS, TLS_COMMANDS, TLS_HEADERS, TLS_TCL_PACKAGES
from pairs import PAIRS, judged
from targets import CI_UNITS, FORKS, IO_THREADS_UNITS, NAMES, TLS_IMPOSSIBLE, WRK, WRK_VERSION
from testkit.commands import Failure, Unavailable, error, say
from testkit.documents import machine
from testkit.packages import require

TLS_STEPS = ("tls-symbols", "tls", "tls-speed", "sentinel")
STEPS = ("symbols", "suite", "io-threads", "cluster", "speed", *TLS_STEPS)
SKIPPED = 77
TLS_ARGUMENTS = ("--tls",)


def main():
    options = arguments()
    if options.ci:
        return continuous_integration(FORKS[options.ci], options.workers)
    failed, unavailable = [], []
    for name in options.forks:
        try:
            problems = wrk_steps(options) if name == WRK else fork_steps(FORKS[name], options)
            failed += [f"{name}: {problem}" for problem in problems]
        except Unavailable as reason:
            say(f"{name}: skipped: {reason}")
            unavailable.append(name)
        except Failure as reason:
            failed.append(f"{name}: {reason}")
    for problem in failed:
        say(f"FAILED: {problem}")
    if failed:
        return 1
    return SKIPPED if unavailable else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("forks", nargs="*", metavar="FORK", help=f"which of {', '.join(NAMES)}; all when none is named")
    parser.add_argument("--steps", default=",".join(STEPS), help="some of the steps, with commas between them")
    parser.add_argument("--units", help="only these units of the suite, with commas between them; not recorded")
    parser.add_argument("--stock", action="store_true",
                        help="only build stock and run its suites as far as their outcome is not known; no step is recorded")
    parser.add_argument("--suspects", action="store_true",
                        help="run stock only in the units in which libae fails; stock has no row then")
    parser.add_argument("--fresh", action="store_true", help="run stock's suite again although its outcome is known")
    parser.add_argument("--workers", type=int, default=suite.WORKERS, help="units of the suite at a time")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="pairs of runs for each row of the speed step")
    parser.add_argument("--ci", choices=FORKS, help="only build on libae, look at the symbols and run a part of the suite")
    options = parser.parse_args()
    options.forks = options.forks or list(NAMES)
    options.steps = options.steps.split(",")
    options.units = options.units.split(",") if options.units else None
    for name, known in [(name, NAMES) for name in options.forks] + [(name, STEPS) for name in options.steps]:
        if name not in known:
            parser.error(f"{name} is not one of {', '.join(known)}")
    if options.pairs < 9:
        parser.error("fewer than 9 pairs do not tell much")
    return options


def fork_steps(fork, options):
    """The steps that were asked for, each recorded when it is done. Problems of one do not keep the others from
    running."""
    with_tls = [step for step in options.steps if step in TLS_STEPS]
    require({**COMMANDS, **SUITE_COMMANDS})
    if with_tls:
        require(TLS_COMMANDS, TLS_HEADERS, TLS_TCL_PACKAGES)
    variants = (build.STOCK,) if options.stock else (build.STOCK, build.LIBAE)
    if not options.stock:
        build.build_library(fork.profile)
    trees = {variant: build.Tree(fork, variant) for variant in variants}
    tls_trees = {variant: build.Tree(fork, variant, tls=True) for variant in variants}
    for tree in [*(trees.values() if len(with_tls) < len(options.steps) else ()), *(tls_trees.values() if with_tls else ())]:
        tree.build()
    runs = {
        "suite": (trees, "full", (), options.units),
        "io-threads": (trees, "io-threads", fork.io_threads, options.units or IO_THREADS_UNITS),
        "tls": (tls_trees, "tls", TLS_ARGUMENTS, options.units, TLS_IMPOSSIBLE),
    }
    if options.stock:
        for step in [step for step in options.steps if step in runs]:
            say(f"{fork.name}: {step}, stock only")
            stock_suite(*runs[step][:4], options)
        return []
    steps = {
        **{step: lambda run=run: suites(options, *run) for step, run in runs.items()},
        "symbols": lambda: symbols.check(trees[build.LIBAE]),
        "cluster": lambda: cluster.check(trees[build.LIBAE]),
        "speed": lambda: judged(bench.check(trees, options.pairs)),
        "tls-symbols": lambda: symbols.check(tls_trees[build.LIBAE]),
        "tls-speed": lambda: judged(tls.check(tls_trees, options.pairs), tls.LIMIT),
        "sentinel": lambda: sentinel.check(tls_trees[build.LIBAE]),
    }
    facts = {"package": fork.package, "version": fork.version, "profile": fork.profile, "machine": machine()}
    return run_steps(fork.name, facts, steps, options)


def wrk_steps(options):
    require(COMMANDS)
    wrk.prepare()
    wrk.build()
    facts = {"package": "wrk", "version": WRK_VERSION, "profile": "default", "machine": machine()}
    steps = {"symbols": wrk.check_symbols, "speed": lambda: judged(wrk.check_speed(options.pairs))}
    return run_steps(WRK, facts, steps, options)


def run_steps(name, facts, steps, options):
    problems = []
    for step in [step for step in options.steps if step in steps]:
        say(f"{name}: {step}")
        start = time.monotonic()
        try:
            result = steps[step]()
        except Failure as reason:
            result = {"problems": [str(reason)]}
        found = result.get("problems", [])
        problems += [f"{step}: {problem}" for problem in found]
        say(f"{name}: {step}: {'FAILED' if found else 'passed'} ({time.monotonic() - start:.0f} s)")
        if not (options.units and step in ("suite", "io-threads", "tls")):
            report.store(name, facts, {step: result})
            report.write_document(NAMES)
    return problems


def suites(options, trees, label, arguments, only, impossible=frozenset()):
    """The suite on both builds. `impossible` are the tests, "unit: name", that libae is known not to pass."""
    libae = trees[build.LIBAE]
    units = suite.units_of(libae, only)
    libae_runner = suite.Runner(libae, label, arguments)
    if options.suspects:
        libae_outcomes = suite.settled(libae_runner, units, options.workers)
        only = [unit for unit, outcome in libae_outcomes.items() if outcome.failed or outcome.crashes]
        stock_outcomes, _, stock_runner = stock_suite(trees, label, arguments, only, options)
    else:
        stock_outcomes, seconds, stock_runner = stock_suite(trees, label, arguments, only, options)
        libae_outcomes = suite.settled(libae_runner, units, options.workers, seconds=seconds)
    runners = {build.STOCK: stock_runner, build.LIBAE: libae_runner}
    failures = suite.compare(libae_outcomes, stock_outcomes, *(
        lambda unit, runner=runners[variant]: runner.run([unit], 1)[unit] for variant in (build.LIBAE, build.STOCK)))
    result = {"libae": suite.totals(libae_outcomes), "stock": suite.totals(stock_outcomes),
              "flaky": suite.named(libae_outcomes, "flaky"), "fails": suite.named(libae_outcomes, "failed"),
              "stock_flaky": suite.named(stock_outcomes, "flaky"), "stock_fails": suite.named(stock_outcomes, "failed"),
              "problems": suite.problems(failures, impossible, libae_outcomes)}
    if options.suspects:
        del result["stock"]
    for variant in [variant for variant in (build.LIBAE, build.STOCK) if variant in result]:
        say("  {}: {units} units, {passed} passed, {failed} failed, {skipped} skipped, {flaky} flaky; "
            "in unit/cluster: {cluster} passed".format(variant, **result[variant]))
    return result


def stock_suite(trees, label, arguments, only, options):
    """Stock's outcomes, those that it has had before from the cache; how long each unit takes; and the runner."""
    tree = trees[build.STOCK]
    cache = suite.StockCache(tree.fork, arguments)
    known = cache.load()
    seconds = {unit: outcome.seconds for unit, outcome in known.items()}
    if options.fresh:
        known = {}
    runner = suite.Runner(tree, label, arguments)
    outcomes = suite.settled(runner, suite.units_of(tree, only), options.workers, known,
                             lambda outcomes: cache.save({**known, **outcomes}), seconds)
    return outcomes, seconds, runner


def continuous_integration(fork, workers):
    """A short check of one fork, closed by a line that scripts/suites.sh reads. Stock is built only when a test fails.
    What it needs and cannot get is a failure: whoever runs this wants to know about the fork."""
    try:
        require({**COMMANDS, **SUITE_COMMANDS})
        tree = build.Tree(fork, build.LIBAE, quick=True)
        build.build_library(fork.profile)
        tree.build()
    except (Failure, Unavailable) as reason:
        say(f"FAILED: {reason}")
        say(f"{fork.package}-on-libae: 0 passed, 1 failed")
        return 1
    passed = failed = skipped = 0
    try:
        for program, counts in symbols.check(tree).items():
            say(f"  {program}: {counts['libae']} functions from libae")
            passed += 1
    except Failure as reason:
        say(f"FAILED: {reason}")
        failed += 1
    runner = suite.Runner(tree, "ci")
    outcomes = suite.settled(runner, suite.units_of(tree, CI_UNITS), workers)
    failures = []
    suspects = {unit: outcome for unit, outcome in outcomes.items() if outcome.failed or outcome.crashes}
    if suspects:
        stock = build.Tree(fork, build.STOCK, quick=True)
        stock.build()
        stock_runner = suite.Runner(stock, "ci")
        failures = suite.compare(suspects, {unit: stock_runner.run([unit], 1)[unit] for unit in suspects},
                                 lambda unit: runner.run([unit], 1)[unit], lambda unit: stock_runner.run([unit], 1)[unit])
    for unit, test, reason in failures:
        say(f"FAILED: {unit}: {test}: {reason}")
    count = suite.totals(outcomes)
    passed, failed, skipped = passed + count["passed"], failed + len(failures), count["skipped"]
    say(f"{fork.package}-on-libae: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    # So that what was started is ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except (Failure, Unavailable) as reason:
        error(f"forks: {reason}")
        sys.exit(1)
