"""Every mistake in the library that the tool can think of: `make mutants ARGS=--every`, or with words behind it only
those in a file or with a text, as in ARGS="--every listen.rs EINTR".

The mistakes are: another operator (`<` for `<=`, `-` for `+`, `||` for `&&`), a condition negated, a number one larger,
`true` for `false`, a statement missing, a function that returns at once. A program (schemata/) writes the library's
sources anew with all of them in it at once, each behind a switch, so that one build does. Each case of the quick tests
runs once to tell which switches it comes to. Then each mistake is switched on for those cases, until one fails:

    noticed     a case failed, and did not without the mistake
    missed      none did
    time over   none did, in as much time as a mistake gets
    unreached   there is no case that comes to the place

Not all that is missed wants a test: some mistakes make no difference. Nor is what TLS and kqueue have here.

What was found stays in target/mutants/every, so that a run that was interrupted goes on where it was, and `--sample
200` after `--sample 100` tries a hundred more. It begins anew when the library or a test has changed."""

import collections
import hashlib
import itertools
import json
import os
import random
import re
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from copied import LIBRARY, PLAIN, RUST_TESTS, SKIPPED, Copy, CTests, listed, proptest
from testkit.commands import Failure, completed, environment, limited, run, say
from testkit.paths import ROOT

PLACE = ROOT / "target" / "mutants" / "every"
SCHEMATA = Path(__file__).resolve().with_name("schemata")
SCHEMATA_TARGET = ROOT / "target" / "mutants" / "schemata"
# What a result depends on.
SOURCES = ("src/", "include/", "c-tests/", "tests/", "crates/testkit/", "tools/mutants/schemata/", "build.rs", "Cargo.")

# What answers for TLS where there is none is built, but its tests do not run here; nor does lib.rs do anything.
NOT_HERE = re.compile(r"/(tls_|without_tls|lib\.rs$)")

# In seconds: for all cases of one mistake, for one case in which nothing is switched on, and for one with a mistake,
# besides as many times as long as it takes without.
MISTAKE_LIMIT, CASE_LIMIT, HANGS_AFTER, HANGS_TIMES = 45, 60, 6, 4
BUILD_LIMIT = 1800
# Each finds the mistakes that do not compile in another phase of the compiler, or behind others.
ROUNDS = 40
SWITCH = re.compile(r"mutants::on\((\d+)\)")
# From where the compiler complains, in lines.
LOOK_BACK = 12
# The cases that notice most of a file's mistakes come first.
LEADING = 25

NOTICED, MISSED, OVER, UNREACHED = OUTCOMES = ("noticed", "missed", "time over", "unreached")


class Mistake(collections.namedtuple("Mistake", "number file line column original changed")):
    @classmethod
    def parsed(cls, text):
        number, file, line, column, original, changed = text.split("\t")
        return cls(int(number), file, int(line), int(column), original, changed)

    def __str__(self):
        return f"{self.file}:{self.line}:{self.column}: {self.original} -> {self.changed or '(nothing)'}"

    def has(self, words):
        whole = f"{self.file} {self.original} {self.changed}"
        return not words or any(word in whole for word in words)


class Case:
    """A case of the quick tests: of a C program on a backend, or a test of a Rust program (without one)."""

    def __init__(self, name, command, backend=None, seconds=0, reached=()):
        self.name, self.command, self.backend, self.seconds, self.reached = name, command, backend, seconds, reached

    @property
    def program(self):
        return self.name.split()[0]


class Cases:
    """Runs cases, in a folder of their own: some leave sockets there."""

    def __init__(self, environment_on, folder):
        self.environment_on, self.folder = environment_on, folder
        folder.mkdir(parents=True, exist_ok=True)

    def status(self, case, limit, **more):
        env = dict(self.environment_on(case.backend), **proptest(30), **more)
        return limited(case.command, limit, env, cwd=self.folder)[0]

    def fails(self, case, limit, **more):
        return self.status(case, limit, **more) not in (0, SKIPPED)

    def notices(self, case, number):
        limit = HANGS_AFTER + HANGS_TIMES * case.seconds
        return self.fails(case, limit, LIBAE_MUTANT=str(number)) and not self.fails(case, limit)

    def reach(self, case, count):
        """Whether the case passes; with the time that it takes and the switches that it comes to noted in it."""
        with tempfile.NamedTemporaryFile(dir=self.folder) as reached:
            reached.truncate(count + 1)
            start = time.monotonic()
            status = self.status(case, CASE_LIMIT, LIBAE_REACHED=reached.name)
            case.seconds = round(time.monotonic() - start, 3)
            case.reached = [number for number, byte in enumerate(reached.read()) if byte]
        return status


class Results:
    """What was found, a line each in a file."""

    def __init__(self, path):
        self.path, self.lock, self.found = path, threading.Lock(), {}
        # The last line of a run that was interrupted may not be whole.
        whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
        for line in whole.splitlines():
            number, outcome, by = line.split("\t")
            self.found[int(number)] = (outcome, by)
        path.write_text("".join(self.line(number) for number in self.found))

    def line(self, number):
        outcome, by = self.found[number]
        return f"{number}\t{outcome}\t{by}\n"

    def add(self, number, outcome, by):
        with self.lock:
            self.found[number] = (outcome, by)
            with open(self.path, "a") as file:
                file.write(self.line(number))


class Search:
    """Tries mistakes against the cases that come to them."""

    def __init__(self, cases, runs, results):
        self.runs, self.results = runs, results
        self.noticed_by = collections.defaultdict(collections.Counter)
        self.stopped = threading.Event()
        self.reaching = collections.defaultdict(list)
        for case in sorted(cases, key=lambda case: case.seconds):
            for number in case.reached:
                self.reaching[number].append(case)

    def order(self, mistake):
        """The cases that come to the mistake: first those that noticed others in its file, then the quickest of each
        program, then the rest."""
        cases = self.reaching[mistake.number]
        often = [name for name, _ in self.noticed_by[mistake.file].most_common(LEADING)]
        programs, ranks = set(), {}
        for case in cases:
            ranks[case.name] = LEADING + (case.program in programs)
            programs.add(case.program)
        ranks.update((name, rank) for rank, name in enumerate(often))
        return sorted(cases, key=lambda case: ranks[case.name])

    def outcome(self, mistake):
        """(outcome, the name of the case that noticed it); nothing when the search is stopped."""
        cases = self.order(mistake)
        over = time.monotonic() + MISTAKE_LIMIT
        for case in cases:
            if self.stopped.is_set():
                return None
            if time.monotonic() > over:
                return OVER, ""
            if self.runs.notices(case, mistake.number):
                self.noticed_by[mistake.file][case.name] += 1
                return NOTICED, case.name
        return (MISSED if cases else UNREACHED), ""

    def one(self, mistake):
        outcome = self.outcome(mistake)
        if outcome:
            self.results.add(mistake.number, *outcome)
            say(told(mistake, *outcome))

    def all(self, mistakes):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                for _ in pool.map(self.one, mistakes):
                    pass
            finally:
                self.stopped.set()
                pool.shutdown(cancel_futures=True)


def told(mistake, outcome, by):
    return f"{outcome if outcome == NOTICED else outcome.upper()} {mistake}" + (f": {by}" if by else "")


def summary(mistakes, found):
    """The lines at the end: one for each folder, and one for all."""
    counts = collections.defaultdict(collections.Counter)
    for mistake in mistakes:
        counts[str(Path(mistake.file).parent)][found[mistake.number][0]] += 1
    total = sum(counts.values(), collections.Counter())
    return [f"{folder}: {figures(counts[folder])}" for folder in sorted(counts)] + [f"mutants: {figures(total)}"]


def figures(count):
    others = "".join(f", {count[outcome]} {outcome}" for outcome in OUTCOMES[1:] if count[outcome])
    return f"{count[NOTICED]} of {count.total()} noticed{others}"


def chosen(mistakes, words, sample, seed):
    """Those with one of the words, in an order by chance: a sample is the beginning of it."""
    mistakes = [mistake for mistake in mistakes if mistake.has(words)]
    random.Random(seed).shuffle(mistakes)
    return mistakes[:sample]


def culprit(lines, span):
    """The number of the mistake that the compiler may mean: the last switch before the place, else the first in it,
    else the last in the lines above. (If it was another, the next round finds that.)"""
    first, last = span["line_start"] - 1, span["line_end"]
    before = SWITCH.findall(lines[first][:span["column_start"]])
    inside = SWITCH.findall("\n".join(lines[first:last]))
    above = SWITCH.findall("\n".join(lines[max(0, first - LOOK_BACK):first]))
    number = before[-1:] or inside[:1] or above[-1:]
    return int(number[0]) if number else None


class Preparation:
    """Makes the library with all mistakes in it, and the lists of what is in it and what it is tried with."""

    def __init__(self, copy):
        self.copy, place = copy, copy.place
        self.stamp, self.conditions, self.excluded = place / "stamp", place / "conditions", place / "excluded"
        self.mistakes, self.cases, self.results = place / "mistakes.tsv", place / "cases.json", place / "results.tsv"

    def is_current(self):
        return self.stamp.exists() and self.stamp.read_text() == fingerprint()

    def make(self):
        for path in (self.stamp, self.results):
            path.unlink(missing_ok=True)
        before = fingerprint()
        say("building the library with all mistakes in it")
        self.copy.refresh()
        files = self.compiled_files()
        say(f"{self.instrument(files)} mistakes")
        self.copy.install()
        cases = self.passing(self.all_cases())
        self.cases.write_text(json.dumps([vars(case) for case in cases]))
        self.stamp.write_text(before)

    def compiled_files(self):
        """The sources that a build without TLS has here. What else it is built with is noted for schemata."""
        status, output, _ = self.copy.compile("--message-format=json", limit=BUILD_LIMIT)
        if status != 0:
            raise Failure(f"it does not compile:\n{output[-2000:]}")
        scripts = messages(output, "build-script-executed")
        cfgs = [cfg for script in scripts if f"#{LIBRARY}@" in script["package_id"] for cfg in script["cfgs"]]
        self.conditions.write_text(run(["rustc", "--print", "cfg"], cwd=self.copy.tree) + "\n".join(cfgs) + "\n")
        dependencies = self.copy.library.with_suffix(".d").read_text().split()
        inside = {os.path.relpath(name, self.copy.tree) for name in dependencies}
        sources = [name for name in listed() if name.startswith("src/") and name.endswith(".rs")]
        return [name for name in sources if name in inside and not NOT_HERE.search(name)]

    def instrument(self, files):
        """How many mistakes are in the library, without those that do not compile."""
        excluded = set()
        for _ in range(ROUNDS):
            count = self.rewrite(files, excluded)
            status, output, _ = self.copy.compile("--message-format=json", limit=BUILD_LIMIT)
            if status == 0:
                return count
            new = self.culprits(output) - excluded
            if not new:
                break
            excluded |= new
        raise Failure(f"with the mistakes it does not compile:\n{output[-2000:]}")

    def rewrite(self, files, excluded):
        self.copy.refresh()
        library = self.copy.tree / "src" / "lib.rs"
        library.write_text(re.sub(r"^(?=(pub )?mod )", "pub mod mutants;\n", library.read_text(), count=1, flags=re.M))
        shutil.copy(SCHEMATA / "switches.rs", library.with_name("mutants.rs"))
        self.excluded.write_text(" ".join(map(str, sorted(excluded))))
        lines = run([schemata(), self.copy.tree, self.conditions, self.excluded, *files])
        self.mistakes.write_text(lines)
        return len(lines.splitlines())

    def culprits(self, output):
        found = set()
        for message in messages(output, "compiler-message"):
            message = message["message"]
            if message["level"] != "error":
                continue
            for span in sorted(message["spans"], key=lambda span: not span["is_primary"]):
                path = self.copy.tree / span["file_name"]
                number = culprit(path.read_text().split("\n"), span) if path.is_file() else None
                if number is not None:
                    found.add(number)
                    break
        return found

    def all_cases(self):
        c_tests = CTests(self.copy)
        c_tests.compile(list(c_tests.sources))
        for name, variant in itertools.product(c_tests.sources, PLAIN):
            command = str(c_tests.library.program(name, "so"))
            for case in c_tests.cases[name]:
                yield Case(f"{name}@{variant} {case}", [command, case], c_tests.run.VARIANTS[variant][1])
        for name, program in self.rust_programs():
            for line in completed([program, "--list"], cwd=self.copy.tree).stdout.splitlines():
                test, _, kind = line.rpartition(": ")
                if kind == "test":
                    yield Case(f"{name} {test}", [program, "--exact", test])

    def rust_programs(self):
        """(name as in mutants.csv, path) of the programs with the library's Rust tests."""
        what = ["--lib", *(f"--test={name}" for name in RUST_TESTS), "--no-run", "--message-format=json"]
        status, output, _ = self.copy.cargo(LIBRARY, "test", *what, limit=BUILD_LIMIT)
        if status != 0:
            raise Failure(f"its tests do not compile:\n{output[-2000:]}")
        for message in messages(output, "compiler-artifact"):
            if message["executable"] and message["profile"]["test"]:
                target = message["target"]
                yield f"test:{target['name']}" if "test" in target["kind"] else "lib:", message["executable"]

    def passing(self, cases):
        """The cases that pass without any mistake, with what they come to."""
        cases, count, runs = list(cases), self.last_number(), cases_in(self.copy)
        say(f"{len(cases)} cases of tests")
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            statuses = list(pool.map(lambda case: runs.reach(case, count), cases))
        for case, status in zip(cases, statuses):
            if status not in (0, SKIPPED):
                say(f"LEFT OUT {case.name}: without any mistake it " + ("hangs" if status is None else "fails"))
        return [case for case, status in zip(cases, statuses) if status == 0]

    def last_number(self):
        return max((mistake.number for mistake in self.read_mistakes()), default=0)

    def read_mistakes(self):
        return [Mistake.parsed(line) for line in self.mistakes.read_text().splitlines()]

    def read_cases(self):
        return [Case(**fields) for fields in json.loads(self.cases.read_text())]


def messages(output, reason):
    """cargo's messages of a kind; there are other lines between them."""
    parsed = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    return [message for message in parsed if message.get("reason") == reason]


def fingerprint():
    digest = hashlib.sha256()
    for name in sorted(name for name in listed() if name.startswith(SOURCES)):
        digest.update(f"{name}\0".encode() + hashlib.sha256((ROOT / name).read_bytes()).digest())
    return digest.hexdigest()


def schemata():
    """The program that writes sources anew."""
    run(["cargo", "build", "--locked", "--quiet", "--manifest-path", SCHEMATA / "Cargo.toml"],
        env=environment(CARGO_TARGET_DIR=str(SCHEMATA_TARGET)))
    return SCHEMATA_TARGET / "debug" / "schemata"


def cases_in(copy):
    of_c = copy.runner().environment
    return Cases(lambda backend: of_c(backend, None) if backend else environment(), copy.place / "scratch")


def run_every(words, sample, seed):
    copy = Copy(PLACE, RUSTFLAGS="--cap-lints=allow")
    copy.lock()
    preparation = Preparation(copy)
    if not preparation.is_current():
        preparation.make()
    mistakes = chosen(preparation.read_mistakes(), words, sample, seed)
    results = Results(preparation.results)
    known = [mistake for mistake in mistakes if mistake.number in results.found]
    if known:
        say(f"{len(known)} of {len(mistakes)} are known from before")
        for mistake in known:
            say(told(mistake, *results.found[mistake.number]))
    search = Search(preparation.read_cases(), cases_in(copy), results)
    search.all([mistake for mistake in mistakes if mistake.number not in results.found])
    for line in summary(mistakes, results.found):
        say(line)
    return 0
