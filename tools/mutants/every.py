"""Every mistake in the library that the tool can think of: `make mutants ARGS=--every`, or with words behind it only
those in a file or with a text, as in ARGS="--every listen.rs EINTR". With --server, those in ae-server and its crates,
one package after another; only in that in whose folder a word is, as in ARGS="--every --server crates/store/src/types".

The mistakes are: another operator (`<` for `<=`, `-` for `+`, `||` for `&&`), a condition negated, a number one larger,
`true` for `false`, a statement missing, a function that returns at once. A program (schemata/) writes the sources anew
with all of them in it at once, each behind a switch, so that one build does. Each case of the library's quick tests, or
of the package's own and of the Python tests that ask its program, runs once to tell which switches it comes to. Then
each mistake is switched on for those cases, until one fails:

    noticed     a case failed, and did not without the mistake
    missed      none did
    time over   none did, in as much time as a mistake gets
    unreached   there is no case that comes to the place

Not all that is missed wants a test: some mistakes make no difference. What kqueue has is not here.

What was found stays in target/mutants/every (every-store for a package), so that a run that was interrupted goes on
where it was, and `--sample 200` after `--sample 100` tries a hundred more. It begins anew when the library or a test
has changed, for a package when the package has."""

import collections
import hashlib
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

from copied import LIBRARY, PROGRAMS, RUST_TESTS, SCRIPTS, SKIPPED, Copy, CTests, Program, listed, proptest
from testkit.commands import Failure, completed, environment, limited, run, say
from testkit.paths import ROOT

PLACES = ROOT / "target" / "mutants"
SCHEMATA = Path(__file__).resolve().with_name("schemata")
SCHEMATA_TARGET = PLACES / "schemata"

# In seconds: for all cases of one mistake, for one case in which nothing is switched on, and for one with a mistake,
# besides as many times as long as it takes without.
MISTAKE_LIMIT, CASE_LIMIT, HANGS_AFTER, HANGS_TIMES = 45, 60, 6, 4
BUILD_LIMIT = 1800
# Each finds the mistakes that do not compile in another phase of the compiler, or behind others.
ROUNDS = 40
SWITCH = re.compile(r"mutants::on\((\d+)\)")
# From where the compiler complains, in lines.
LOOK_BACK = 12
# A value that is used where it has been moved away.
USED_TWICE = "E0382"
USUAL_BACKEND = "epoll"
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
        program, then the rest. What comes to it on another back end than the usual one does so there, too, except in
        the code of back ends."""
        cases = self.reaching[mistake.number]
        if "/backend/" not in mistake.file:
            own = (None, USUAL_BACKEND, Path(mistake.file).stem)
            cases = [case for case in cases if case.backend in own] or cases
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
    """Makes a package with all mistakes in it, and the lists of what is in it and what it is tried with."""

    package = name = folder = None
    # What a result depends on, besides the tool.
    sources = ()
    # Sources in which no mistakes are made; lib.rs does nothing.
    left_out = re.compile(r"/lib\.rs$")
    # For cargo test.
    tests = ()

    def __init__(self, place):
        self.copy = Copy(place, RUSTFLAGS="--cap-lints=allow")
        self.stamp, self.conditions, self.excluded = place / "stamp", place / "conditions", place / "excluded"
        self.mistakes, self.cases, self.results = place / "mistakes.tsv", place / "cases.json", place / "results.tsv"

    def compile(self):
        """What limited() gives for the build of the package's library, with cargo's messages."""
        raise NotImplementedError

    def all_cases(self):
        raise NotImplementedError

    def runs(self):
        return Cases(lambda _: environment(), self.copy.place / "scratch")

    def fingerprint(self):
        digest, sources = hashlib.sha256(), (*self.sources, "crates/testkit/", "tools/mutants/schemata/", "Cargo.")
        for name in sorted(name for name in listed() if name.startswith(sources)):
            digest.update(f"{name}\0".encode() + hashlib.sha256((ROOT / name).read_bytes()).digest())
        return digest.hexdigest()

    def is_current(self):
        return self.stamp.exists() and self.stamp.read_text() == self.fingerprint()

    def make(self):
        for path in (self.stamp, self.results):
            path.unlink(missing_ok=True)
        before = self.fingerprint()
        say(f"building {self.name} with all mistakes in it")
        self.copy.refresh()
        files = self.compiled_files()
        say(f"{self.instrument(files)} mistakes")
        cases = self.passing(self.all_cases())
        self.cases.write_text(json.dumps([vars(case) for case in cases]))
        self.stamp.write_text(before)

    def compiled_files(self):
        """The sources that the build has here. What else it is built with is noted for schemata."""
        status, output, _ = self.compile()
        if status != 0:
            raise Failure(f"it does not compile:\n{output[-2000:]}")
        conditions = [run(["rustc", "--print", "cfg"], cwd=self.copy.tree)]
        for script in self.own(messages(output, "build-script-executed")):
            conditions += script["cfgs"]
        for artifact in self.own(messages(output, "compiler-artifact")):
            if artifact["target"]["kind"] != ["custom-build"]:
                conditions += [f'feature="{feature}"' for feature in artifact["features"]]
                library = artifact["target"]["name"]
        self.conditions.write_text("\n".join(conditions))
        dependencies = (self.copy.target / "debug" / f"lib{library.replace('-', '_')}.d").read_text().split()
        inside = {os.path.relpath(name, self.copy.tree) for name in dependencies}
        sources = [name for name in listed() if name.startswith(f"{self.folder}src/") and name.endswith(".rs")]
        return [name for name in sources if name in inside and not self.left_out.search(name)]

    def own(self, messages):
        """Those about the package, as cargo names it: by its folder alone when that is its name."""
        is_own = re.compile(rf"[/#]{self.package}[@#]").search
        return [message for message in messages if is_own(message["package_id"])]

    def instrument(self, files):
        """How many mistakes are in the package, without those that do not compile."""
        excluded = set()
        for _ in range(ROUNDS):
            count = self.rewrite(files, excluded)
            status, output, _ = self.compile()
            if status == 0:
                return count
            new = self.culprits(output) - excluded
            if not new:
                break
            excluded |= new
        raise Failure(f"with the mistakes it does not compile:\n{output[-2000:]}")

    def rewrite(self, files, excluded):
        self.copy.refresh()
        library = self.copy.tree / f"{self.folder}src" / "lib.rs"
        library.write_text(library.read_text() + "pub mod mutants;\n")
        shutil.copy(SCHEMATA / "switches.rs", library.with_name("mutants.rs"))
        self.excluded.write_text(" ".join(map(str, sorted(excluded))))
        lines = run([schemata(), self.copy.tree, self.conditions, self.excluded, *files])
        self.mistakes.write_text(lines)
        return len(lines.splitlines())

    def numbers(self, spans):
        """Of the mistakes that the compiler may mean by these places."""
        paths = [(self.copy.tree / span["file_name"], span) for span in spans]
        numbers = [culprit(path.read_text().split("\n"), span) for path, span in paths if path.is_file()]
        return [number for number in numbers if number is not None]

    def culprits(self, output):
        found = set()
        for message in messages(output, "compiler-message"):
            message = message["message"]
            if message["level"] != "error":
                continue
            own = sorted(message["spans"], key=lambda span: not span["is_primary"])
            found |= set(self.numbers(own)[:1])
            if (message["code"] or {}).get("code") == USED_TWICE:
                # Its notes tell the cause: the assignment or the end of a loop that is not there.
                found.update(self.numbers(span for note in message["children"] for span in note["spans"]))
        return found

    def rust_cases(self):
        for name, program in self.rust_programs():
            for line in completed([program, "--list"], cwd=self.copy.tree).stdout.splitlines():
                test, _, kind = line.rpartition(": ")
                if kind == "test":
                    yield Case(f"{name} {test}", [program, "--exact", test])

    def rust_programs(self):
        """(name, path) of the programs with the package's Rust tests."""
        what = [*self.tests, "--no-run", "--message-format=json"]
        status, output, _ = self.copy.cargo(self.package, "test", *what, limit=BUILD_LIMIT)
        if status != 0:
            raise Failure(f"its tests do not compile:\n{output[-2000:]}")
        for message in messages(output, "compiler-artifact"):
            if message["executable"] and message["profile"]["test"]:
                target = message["target"]
                yield self.program(target["name"] if "test" in target["kind"] else None), message["executable"]

    def program(self, file):
        """A program's name as in the lists of mutants: that of a file in tests/, or that of the unit tests."""
        raise NotImplementedError

    def passing(self, cases):
        """The cases that pass without any mistake, with what they come to."""
        cases, count, runs = list(cases), self.last_number(), self.runs()
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


class Library(Preparation):
    """The library, with the C programs and its own Rust tests."""

    package, name, folder = LIBRARY, "the library", ""
    sources = ("src/", "include/", "c-tests/", "tests/", "build.rs")
    tests = ("--lib", *(f"--test={name}" for name in RUST_TESTS))

    def __init__(self):
        super().__init__(PLACES / "every")

    def compile(self):
        return self.copy.compile("--message-format=json", limit=BUILD_LIMIT)

    def all_cases(self):
        self.copy.install()
        c_tests = CTests(self.copy)
        c_tests.compile(list(c_tests.sources))
        for name, variant in c_tests.quick():
            command = str(c_tests.library.program(name, "so"))
            for case in c_tests.cases[name]:
                yield Case(f"{name}@{variant} {case}", [command, case], c_tests.run.VARIANTS[variant][1])
        yield from self.rust_cases()

    def program(self, file):
        return f"test:{file}" if file else "lib:"

    def runs(self):
        of_c, certificates = self.copy.runner().environment, self.copy.certificates

        def environment_on(backend):
            return of_c(backend, None, certificates) if backend else environment()
        return Cases(environment_on, self.copy.place / "scratch")


class Package(Preparation):
    """A package in crates/, with its own tests, and if it is a program with the Python tests that ask it. Those of others
    that use it do not run."""

    tests = ("--tests",)

    def __init__(self, package):
        super().__init__(PLACES / f"every-{package}")
        self.package, self.name, self.folder = package, package, f"crates/{package}/"
        self.sources = (self.folder,)
        self.asked = Program(self.copy, package) if package in PROGRAMS else None
        if self.asked:
            self.sources += (f"{SCRIPTS}/", "tools/testkit/")

    def compile(self):
        return self.copy.cargo(self.package, "build", "--lib", "--message-format=json", limit=BUILD_LIMIT)

    def all_cases(self):
        yield from self.rust_cases()
        if self.asked:
            self.asked.build(BUILD_LIMIT)
            for script, name in self.asked.cases():
                yield Case(f"{script}: {name}", self.asked.command(script, name))

    def program(self, file):
        return f"{self.package}/{file}:" if file else f"{self.package}:"

    def runs(self):
        if not self.asked:
            return super().runs()
        return Cases(lambda _: self.asked.environment(), self.copy.place / "scratch")


def packages(words):
    """Those in whose folder a word is, else all in crates/ that are more than a help for tests."""
    names = sorted(path.parent.name for path in ROOT.glob("crates/*/Cargo.toml") if path.parent.name != "testkit")
    chosen = [name for name in names if any(f"{word}/".startswith(f"crates/{name}/") for word in words)]
    if not chosen and any(word.startswith("crates/") for word in words):
        raise Failure(f"the packages are {', '.join(names)}")
    return chosen or names


def messages(output, reason):
    """cargo's messages of a kind; there are other lines between them."""
    parsed = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    return [message for message in parsed if message.get("reason") == reason]


def schemata():
    """The program that writes sources anew."""
    run(["cargo", "build", "--locked", "--quiet", "--manifest-path", SCHEMATA / "Cargo.toml"],
        env=environment(CARGO_TARGET_DIR=str(SCHEMATA_TARGET)))
    return SCHEMATA_TARGET / "debug" / "schemata"


def run_every(words, server, sample, seed):
    of_all = collections.Counter()
    parts = [Package(name) for name in packages(words)] if server else [Library()]
    for part in parts:
        of_all += run_part(part, words, sample, seed)
    if len(parts) > 1:
        say(f"all packages: {figures(of_all)}")
    return 0


def run_part(part, words, sample, seed):
    """How many of the mistakes in a library or package had which outcome."""
    part.copy.lock()
    if not part.is_current():
        part.make()
    mistakes = chosen(part.read_mistakes(), words, sample, seed)
    results = Results(part.results)
    known = [mistake for mistake in mistakes if mistake.number in results.found]
    if known:
        say(f"{len(known)} of {len(mistakes)} are known from before")
        for mistake in known:
            say(told(mistake, *results.found[mistake.number]))
    search = Search(part.read_cases(), part.runs(), results)
    search.all([mistake for mistake in mistakes if mistake.number not in results.found])
    for line in summary(mistakes, results.found):
        say(line)
    return collections.Counter(results.found[mistake.number][0] for mistake in mistakes)
