"""A fork's own Tcl suite. Every unit is a `runtest` of its own, some at a time, each in a folder and a range of ports
of its own: so a unit that aborts or hangs takes nothing else with it, and the machine's speed does not change what is
run."""

import json
import queue
import re
import subprocess
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field

from common import FORKS
from testkit.commands import Failure, environment, say
from testkit.tcl import ANSI, DONE, LINE, PORTS_PER_WORKER, Ports, end_servers, kill_group, make_view, remove, scratch

# Most tests wait for something most of the time, so more run at once than there are processors.
WORKERS = 8
# runtest gives up after this many seconds without progress, and is ended after the second.
PATIENCE = 400
LIMIT = 1800

# Of each server's log, when something is wrong: its last bytes.
KEPT_OF_LOG = 200_000

UNFINISHED = "(the unit does not finish)"
CRASHES = "(a server crashes)"
# What a server that crashes, or fails an assertion of its own, writes into its log.
CRASH_REPORT = re.compile(rb"BUG REPORT START")
# Such a report names the sender of a signal: runtest ends a server with one that does not stop when its test has
# failed.
KILLED = re.compile(rb"Killed by PID: [0-9]+")


@dataclass
class Outcome:
    """What one run of a unit printed. Names may repeat in `passed`."""

    passed: list = field(default_factory=list)
    failed: dict = field(default_factory=dict)  # name: the first lines of the reason
    skipped: int = 0
    finished: bool = False
    seconds: float = 0
    flaky: list = field(default_factory=list)  # failed at first, not when run again
    crashes: int = 0  # crash reports in the logs of its servers; some tests crash theirs on purpose


def parse(text):
    outcome = Outcome()
    reason = None
    for line in ANSI.sub("", text).splitlines():
        match = LINE.match(line)
        if not match:
            if DONE.match(line):
                outcome.finished = True
                reason = None
            elif reason is not None and len(reason) < 4 and line.strip() and not line.startswith("["):
                reason.append(line.strip())
            continue
        kind, rest = match.groups()
        reason = None
        if kind == "ok":
            outcome.passed.append(re.sub(r" \(\d+ ms\)$", "", rest))
        elif kind in ("skip", "ignore"):
            outcome.skipped += 1
        else:
            name = re.sub(r" in tests/\S+\.tcl$", "", rest) if kind == "err" else UNFINISHED
            reason = outcome.failed.setdefault(name[:200], [])
            if kind != "err":
                reason.append(rest)
    if not outcome.finished:
        outcome.failed.setdefault(UNFINISHED, [])
    return outcome


def units_of(tree, only=None):
    """The units that runtest lists and those under unit/cluster that it does not, except the module API's; of these
    `only` some, in its order."""
    listed = subprocess.run(["./runtest", "--list-tests"], cwd=tree.root, env=environment(), capture_output=True, text=True)
    units = listed.stdout.split()
    tests = tree.root / "tests"
    for path in sorted((tests / "unit/cluster").glob("*.tcl")):
        units.append(f"unit/cluster/{path.stem}")
    if not any(unit.startswith("unit/") for unit in units):
        raise Failure("runtest lists no units: " + listed.stdout[-500:] + listed.stderr[-500:])
    trees = tuple(f"{name}/" for name in tree.fork.trees)
    units = [unit for unit in dict.fromkeys(units) if unit.startswith(trees) and not unit.startswith("unit/moduleapi")]
    return units if only is None else [unit for unit in only if unit in units]


class Runner:
    """Runs units of one tree with the same arguments; the logs stay in build/forks/FORK/logs."""

    def __init__(self, tree, label, arguments=()):
        self.tree = tree
        self.arguments = list(arguments)
        self.logs = FORKS / tree.fork.name / "logs" / f"{tree.variant}-{label}"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.runs = Counter()

    def run(self, units, workers=WORKERS, finished=lambda unit, outcome: None):
        """the units' outcomes; those that want a quiet machine come last, one at a time"""
        tests = self.tree.root / "tests"
        alone = [unit for unit in units if "run_solo" in (tests / f"{unit}.tcl").read_text(errors="replace")]
        outcomes = {}
        folder = scratch("forks-")
        try:
            with Ports() as first:
                self._in_parallel([unit for unit in units if unit not in alone], folder, first, workers, outcomes, finished)
                self._in_parallel(alone, folder, first, 1, outcomes, finished)
        finally:
            remove(folder)
        return outcomes

    def _in_parallel(self, units, folder, first, workers, outcomes, finished):
        waiting = queue.Queue()
        for unit in units:
            waiting.put(unit)
        lock = threading.Lock()
        errors = []

        def work(index):
            view = folder / str(index)
            try:
                if not view.exists():
                    make_view(self.tree.root, view)
                while not errors:
                    unit = waiting.get_nowait()
                    outcome = self._run_unit(unit, view, first + index * PORTS_PER_WORKER)
                    with lock:
                        outcomes[unit] = outcome
                        finished(unit, outcome)
            except queue.Empty:
                pass
            except Exception as error:  # a thread must not end in silence
                errors.append(error)

        threads = [threading.Thread(target=work, args=(index,)) for index in range(min(workers, len(units)))]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException as interruption:
            # No thread takes another unit; those that run end with their processes.
            errors.append(interruption)
            end_servers(folder)
            raise
        if errors:
            raise errors[0]

    def _run_unit(self, unit, view, port):
        self.runs[unit] += 1
        log = self.logs / (unit.replace("/", "-") + (f"-{self.runs[unit]}" if self.runs[unit] > 1 else "") + ".log")
        # The test server listens on one of the 32 ports before the base port.
        command = ["./runtest", "--single", unit, "--clients", "1", "--durable", "--dont-clean", "--timeout", str(PATIENCE),
                   "--baseport", str(port + 40), "--portcount", str(PORTS_PER_WORKER - 40), *self.arguments]
        start = time.monotonic()
        with open(log, "wb") as output:
            process = subprocess.Popen(command, cwd=view, env=environment(TERM="dumb"), stdin=subprocess.DEVNULL,
                                       stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                output.write(f"\n[TIMEOUT]: ended after {LIMIT} s\n".encode())
            kill_group(process)
        end_servers(view)
        outcome = parse(log.read_text(errors="replace"))
        outcome.seconds = round(time.monotonic() - start, 1)
        self._look_at_logs(outcome, view / "tests/tmp", log)
        return outcome

    def _look_at_logs(self, outcome, folder, log):
        """counts crash reports, and keeps the servers' logs beside the unit's when something is wrong"""
        with open(log, "ab") as kept:
            for path in sorted(folder.glob("server*/stdout")):
                content = path.read_bytes()
                reports = crash_reports(content)
                outcome.crashes += reports
                if outcome.failed or reports:
                    kept.write(b"\n===== log of a server =====\n" + content[-KEPT_OF_LOG:])
        subprocess.run(["rm", "-rf", folder])
        folder.mkdir()


def crash_reports(log):
    """how often a server crashed by itself"""
    return len(CRASH_REPORT.findall(log)) - len(KILLED.findall(log))


def settled(runner, units, workers=WORKERS, known=None, keep=lambda outcomes: None, seconds=None):
    """The units' outcomes after what failed was run once more, alone: what passes then is flaky. `known` has the
    outcomes that need no run; `keep` is called whenever there is another one; `seconds` tells how long units take, so
    that the longest come first."""
    outcomes = dict(known or {})
    missing = [unit for unit in units if unit not in outcomes]
    missing.sort(key=lambda unit: -(seconds or {}).get(unit, 0))

    def finished(unit, outcome):
        say(f"  {runner.tree.variant}: {unit}: {len(outcome.passed)} passed, {len(outcome.failed)} failed, "
            f"{outcome.skipped} skipped ({outcome.seconds} s)")
        outcomes[unit] = outcome
        if not outcome.failed:
            keep(outcomes)

    first = runner.run(missing, workers, finished)
    for unit in [unit for unit in missing if first[unit].failed]:
        say(f"  {runner.tree.variant}: again: {unit}: " + "; ".join(list(first[unit].failed)[:5]))
        outcomes[unit] = merged(first[unit], runner.run([unit], 1)[unit])
        keep(outcomes)
    return {unit: outcomes[unit] for unit in units}


def merged(first, again):
    """What failed twice has failed. The rest of the counts are the first run's, unless it did not finish."""
    base = again if UNFINISHED in first.failed and again.finished else first
    failed = {name: reason for name, reason in again.failed.items() if name in first.failed}
    flaky = sorted({*first.failed, *again.failed} - {*failed})
    passed = list(base.passed) + [name for name in flaky if name in base.failed and name != UNFINISHED]
    crashes = max(first.crashes, again.crashes)
    return Outcome(passed, failed, base.skipped, base.finished or again.finished, base.seconds, flaky, crashes)


def compare(libae, stock, libae_again, stock_again):
    """The failures that count, as (unit, test, reason): not those that stock has too, nor what a further run of both
    does not confirm. But a crash where stock has none needs no confirming. `libae_again` and `stock_again` run a
    unit."""
    failures = []
    for unit, outcome in libae.items():
        if outcome.crashes and not stock[unit].crashes:
            failures.append((unit, CRASHES, f"{outcome.crashes} crash reports in the logs of the servers"))
        suspects = [name for name in outcome.failed if name not in stock[unit].failed]
        if not suspects:
            continue
        say(f"  on both: {unit}: " + "; ".join(suspects[:5]))
        stock_outcome, libae_outcome = stock_again(unit), libae_again(unit)
        for name in suspects:
            if name in libae_outcome.failed and name not in stock_outcome.failed:
                failures.append((unit, name, " ".join(outcome.failed[name])[:300]))
            else:
                outcome.flaky.append(name)
    return failures


def problems(failures, impossible, outcomes):
    """A line for each failure but the impossible ones; and for each of these that is possible after all."""
    lines = {f"{unit}: {name}": reason for unit, name, reason in failures}
    found = [f"{test}: {reason}" for test, reason in lines.items() if test not in impossible]
    passed = {f"{unit}: {name}" for unit, outcome in outcomes.items() for name in outcome.passed}
    return found + [f"{test}: passes, and is listed as impossible" for test in sorted(impossible & passed)]


def totals(outcomes):
    count = Counter()
    for outcome in outcomes.values():
        count.update(passed=len(outcome.passed), failed=len(outcome.failed), skipped=outcome.skipped,
                     flaky=len(set(outcome.flaky)))
    cluster = sum(len(outcome.passed) for unit, outcome in outcomes.items() if unit.startswith("unit/cluster"))
    return {"units": len(outcomes), "passed": count["passed"], "failed": count["failed"], "skipped": count["skipped"],
            "flaky": count["flaky"], "cluster": cluster}


def named(outcomes, field_name):
    """unit: name, for every test in that field of the outcomes"""
    return [f"{unit}: {name}" for unit, outcome in outcomes.items() for name in sorted(set(getattr(outcome, field_name)))]


class StockCache:
    """Stock's outcomes, kept by fork, version and arguments: stock does not change."""

    def __init__(self, fork, arguments):
        options = re.sub(r"[^a-z0-9]+", "-", " ".join(arguments)).strip("-") or "plain"
        self.path = FORKS / "cache" / f"stock-{fork.name}-{fork.version}-{options}.json"

    def load(self):
        if not self.path.exists():
            return {}
        return {unit: Outcome(**value) for unit, value in json.loads(self.path.read_text()).items()}

    def save(self, outcomes):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({unit: asdict(outcome) for unit, outcome in sorted(outcomes.items())}, indent=1))
        new.replace(self.path)
