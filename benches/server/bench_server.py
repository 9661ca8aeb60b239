#!/usr/bin/env python3
"""Measures ae-server beside redis-server and Valkey: the CPU time of a request, the memory of a key, the latency at a
fixed rate, and what it costs to keep data on disk.

  benches/server/bench_server.py             everything; writes target/bench/server.json, docs/server-performance.md and
                                             the plots in docs/server-performance/
  benches/server/bench_server.py --quick     a look at everything in two minutes; writes only target/bench/server-partial.json
  benches/server/bench_server.py --parts memory
                                             a part; the others keep the results that they have
  benches/server/bench_server.py --parts persistence --keys 10000000
                                             with that many keys on disk
  benches/server/bench_server.py --servers ae,redis --tests set,get --rounds 1
                                             some servers, tests, pipelines or rounds: as --quick, written to no document
  benches/server/bench_server.py --report    writes the document and the plots from the last complete results

`make bench-server` builds the server first and passes these options on as ARGS="..."."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parents[1] / place) for place in ("tools", "benches", "tools/forks")]

import latency  # noqa: E402
import memory  # noqa: E402
import persistence  # noqa: E402
import speed  # noqa: E402
from document import written  # noqa: E402
from pairs import processors  # noqa: E402
from peers import TITLES, peers  # noqa: E402
from testkit.commands import Failure, error, run, say  # noqa: E402
from testkit.documents import machine, replaced  # noqa: E402
from testkit.packages import require  # noqa: E402
from testkit.paths import ROOT  # noqa: E402

# Fewer rounds than LEAST are not recorded.
ROUNDS, LEAST, QUICK_ROUNDS = 5, 2, 1
# The part of a whole load that --quick sends.
QUICK_SHARE = 0.05
PARTS = ("speed", "memory", "latency", "persistence")
RESULTS = ROOT / "target" / "bench" / "server.json"
PARTIAL = RESULTS.with_name("server-partial.json")
DOCUMENT = ROOT / "docs" / "server-performance.md"
PLOTS = ROOT / "docs" / "server-performance"
# What a measurement fails with.
MISTAKES = (Failure, OSError, subprocess.TimeoutExpired)


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=names(PARTS), default=PARTS, help=f"of {','.join(PARTS)}")
    parser.add_argument("--servers", type=names(TITLES), default=tuple(TITLES), help=f"of {','.join(TITLES)}")
    parser.add_argument("--pipelines", type=names([str(count) for count in speed.PIPELINES]), help="requests at a time")
    parser.add_argument("--tests", type=lambda text: text.upper().split(","), help="of redis-benchmark's, such as set,get")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS} unless given")
    parser.add_argument("--keys", type=int, default=persistence.KEYS, help=f"on disk: {persistence.KEYS} unless given")
    parser.add_argument("--quick", action="store_true", help="one round of small loads")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    return parser.parse_args(arguments)


def names(known):
    def parse(text):
        found = text.split(",")
        unknown = [name for name in found if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"no {', '.join(unknown)} in {','.join(known)}")
        return found
    return parse


def is_recorded(chosen):
    """whether a run with these options is one to record"""
    few_rounds = chosen.rounds is not None and chosen.rounds < LEAST
    return not (chosen.quick or chosen.pipelines or chosen.tests or few_rounds) and set(chosen.servers) == set(TITLES)


def joined(before, results, parts):
    """the results with those parts of earlier ones that were not measured again"""
    kept = {part: before[part] for part in PARTS if part not in parts and part in before}
    of_parts = {name: {**before.get(name, {}), **results[name]} for name in ("rounds", "keys") if name in results}
    return {**results, **kept, **of_parts}


def measured(chosen):
    """the results of the chosen work, and the parts that failed, whose results are none. In every round each server has
    its turn, in an order that changes."""
    require({"redis-server": "redis-server", "redis-cli": "redis-tools", "redis-benchmark": "redis-tools", "cc": "gcc"})
    found = peers(chosen.servers)
    rounds = chosen.rounds or (QUICK_ROUNDS if chosen.quick else ROUNDS)
    share = QUICK_SHARE if chosen.quick else 1
    results = {"machine": machine(), "versions": {peer.name: peer.version() for peer in found},
               "rounds": {part: 1 if part == "memory" else rounds for part in chosen.parts},
               "keys": {"persistence": max(int(chosen.keys * share), 10_000)} if "persistence" in chosen.parts else {},
               **{part: {} for part in PARTS}}
    work = speed.points(**({"pipelines": [int(count) for count in chosen.pipelines]} if chosen.pipelines else {}))
    work = [point for point in work if not chosen.tests or point.test in chosen.tests]
    failed = set()
    # How much memory a key has does not change from round to round.
    for number in range(rounds if set(chosen.parts) - {"memory"} else 1):
        for peer in found[number % len(found):] + found[:number % len(found)]:
            start = time.monotonic()
            for part in chosen.parts:
                if part not in failed and (part != "memory" or number == 0):
                    try:
                        for name, value in values(part, peer, chosen, work, share):
                            results[part].setdefault(name, {}).setdefault(peer.name, []).append(value)
                    except MISTAKES as problem:
                        error(f"bench-server: {part} of {TITLES[peer.name]}: {problem}")
                        failed.add(part)
            say(f"  round {number + 1} of {rounds}: {TITLES[peer.name]}, {time.monotonic() - start:.0f} s")
    return {**results, **{part: {} for part in failed}}, failed


def values(part, peer, chosen, work, share):
    """(name, value) of what a part measures, once"""
    on_one, on_others = processors()
    if part == "speed":
        yield from speed.measured(peer, work, share, on_one, on_others).items()
    elif part == "memory":
        for name, content in memory.CONTENTS.items():
            yield name, memory.measured(peer, content, share)
    elif part == "latency":
        for rate in latency.RATES:
            seconds = max(1, round(latency.SECONDS * share))
            for quantile, micros in latency.measured(peer, rate, seconds, latency.program(), on_one, on_others).items():
                yield f"{rate} {quantile}", micros
    else:
        yield from persistence.measured(peer, chosen.keys, share, latency.program(), on_one, on_others).items()


def record(results):
    """the document and the plots"""
    DOCUMENT.write_text(replaced(DOCUMENT.read_text(), written(results)))
    say(f"written: {DOCUMENT.relative_to(ROOT)}")
    import bench
    if bench.plot_environment():
        run([bench.VENV / "bin" / "python", HERE / "draw.py", RESULTS, PLOTS])


def main(arguments):
    """The parts that failed."""
    chosen, failed = options(arguments), set()
    if chosen.report:
        if not RESULTS.exists():
            raise Failure("no complete results yet: run `make bench-server`")
        results = json.loads(RESULTS.read_text())
    else:
        results, failed = measured(chosen)
        place = RESULTS if is_recorded(chosen) else PARTIAL
        if is_recorded(chosen) and RESULTS.exists():
            results = joined(json.loads(RESULTS.read_text()), results, set(chosen.parts) - failed)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(results, indent=1) + "\n")
    say(written(results))
    if chosen.report or is_recorded(chosen):
        record(results)
    return failed


if __name__ == "__main__":
    try:
        sys.exit(1 if main(sys.argv[1:]) else 0)
    except MISTAKES as problem:
        error(f"bench-server: {problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
