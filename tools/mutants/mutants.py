#!/usr/bin/env python3
"""Puts mistakes into the library, or with --server into ae-server and its crates, one at a time, and says which the tests
notice.

mutants.csv and server.csv list them: the file, the text there (words with any space between them, once in the file),
what is in its place in the mutant, and the tests that have to notice. A test is

    conn_sync               a program of c-tests/, on epoll
    ae_backend@so-poll      the same in another variant of c-tests/run.py without a tool
    lib:timers::pool        the library's unit tests with this in their names
    test:interest_model     a file of tests/
    store:zset::tree        the unit tests with this in their names, of a package in crates/
    rdb/codec:old_forms     the tests with this in their names, of a file (or folder) in the package's tests/
    test_cli.py:Csv.test_a  a test of tests/python, with the program that it asks

With no test named, all that is quick runs until one fails, as with --all for every mutant; for a mutant in crates/ that
is its own package's Rust tests. A line that no longer fits the source is a failure, as is a mutant that nothing notices.

It works on a copy of the working tree in target/mutants, with the library of a build for tests. Words on the
command line select mutants: those with one in their file or text.

With --every, no list is read: every.py makes up all mistakes of a few kinds in the library by itself, or with --server
in ae-server and its crates."""

import argparse
import collections
import csv
import re
import resource
import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import every  # noqa: E402
from copied import LIBRARY, PLAIN, RUST_TESTS, SCRIPT_LIMIT, SCRIPTS, Copy, CTests, Program  # noqa: E402
from testkit.commands import Failure, error, limited, say  # noqa: E402
from testkit.paths import ROOT  # noqa: E402

LIST = Path(__file__).resolve().with_name("mutants.csv")
SERVER_LIST = LIST.with_name("server.csv")
COPY = Copy(ROOT / "target" / "mutants")
TREE = COPY.tree

# In bytes, for each process: a mutant may ask for memory without end.
MEMORY_LIMIT = 8 << 30


class Mutant:
    def __init__(self, row):
        self.file, self.original, self.changed = row["file"], row["original"], row["changed"]
        self.tests = row["tests"].split()
        parts = Path(self.file).parts
        self.package = parts[1] if parts[0] == "crates" else LIBRARY

    def __str__(self):
        return f"{self.file}: {shortened(self.original)} -> {shortened(self.changed) or '(nothing)'}"

    def whole(self):
        return f"{self.file} {self.original} {self.changed}"

    def text(self, tree):
        """The file with the mistake in it."""
        pattern = r"\s+".join(map(re.escape, self.original.split()))
        changed, count = re.subn(pattern, lambda _: self.changed, (tree / self.file).read_text())
        if count != 1:
            raise Failure(f"the text is there {count} times")
        return changed


def shortened(text):
    return text if len(text) <= 100 else f"{text[:70]} ... {text[-25:]}"


def first_rust_failure(words, files, package=LIBRARY):
    """The first failed test of the unit tests with these words in their names, and of those in these files."""
    what = [*(["--lib"] if words is not None else []), *(f"--test={name}" for name in files)]
    return first_failed_test(package, what, words or []) if what else None


def first_failed_test(package, what, words):
    status, output, errors = COPY.cargo(package, "test", *what, "--", *words)
    if status == 0:
        return None
    if "error: could not compile" in output + errors:
        raise Failure("its tests do not compile")
    failed = re.search(r"^---- (\S+) stdout ----$", output, re.M)
    return failed[1] if failed else f"cargo test {' '.join(what)}" + (" (hangs)" if status is None else "")


def first_script_failure(script, names):
    """The first failed test of these of a script in tests/python."""
    program = Program.asked_by(COPY, script)
    program.build()
    for name in names:
        status, _, _ = limited(program.command(script, name), SCRIPT_LIMIT, program.environment())
        if status != 0:
            return f"{script}: {name}" + (" (hangs)" if status is None else "")
    return None


class CrateTests:
    """The tests of the packages in crates/."""

    output = ""

    def unknown(self, test):
        package, _, file = test.partition(":")[0].partition("/")
        if package.endswith(".py"):
            return not (TREE / SCRIPTS / package).is_file()
        tests = TREE / "crates" / package / "tests"
        known = (TREE / "crates" / package / "Cargo.toml").is_file() and ":" in test
        return not known or file and not (tests / f"{file}.rs").is_file() and not (tests / file).is_dir()

    def first_failure(self, tests, package):
        """What fails first of the named tests, of the package's own when none is named."""
        if not tests:
            return first_failed_test(package, [], [])
        named = collections.defaultdict(list)
        for test in tests:
            place, _, words = test.partition(":")
            named[place].append(words)
        for place, words in named.items():
            package, _, file = place.partition("/")
            if package.endswith(".py"):
                failure = first_script_failure(package, words)
            else:
                failure = first_failed_test(package, [f"--test={file}" if file else "--lib"], words)
            if failure:
                return failure
        return None


class Tests:
    def __init__(self, c_tests):
        self.c_tests = c_tests
        self.quick = list(c_tests.quick())

    @property
    def output(self):
        return self.c_tests.output

    def unknown(self, test):
        name, _, variant = test.partition("@")
        kind, _, file = test.partition(":")
        known = kind == "lib" or file in RUST_TESTS or name in self.c_tests.sources and (variant or PLAIN[0]) in PLAIN
        return not known

    def first_failure(self, tests, _=LIBRARY):
        """What fails first of the named tests, of all when none is named."""
        if not tests:
            return self.c_tests.first_failure(self.quick) or first_rust_failure([], RUST_TESTS)
        split = [test.partition(":") for test in tests]
        filters = [words for kind, _, words in split if kind == "lib"]
        files = [file for kind, _, file in split if kind == "test"]
        programs = [test.partition("@") for test in tests if ":" not in test]
        programs = [(name, variant or PLAIN[0]) for name, _, variant in programs]
        return self.c_tests.first_failure(programs) or first_rust_failure(filters or None, files)


def try_one(mutant, tests, everything):
    """What notices a mutant, None when nothing does."""
    path = TREE / mutant.file
    before = path.read_bytes()
    path.write_text(mutant.text(TREE))
    try:
        if mutant.package == LIBRARY:
            COPY.build()
        return tests.first_failure([] if everything else mutant.tests, mutant.package)
    finally:
        path.write_bytes(before)


def read_list(path, words):
    with open(path, newline="") as table:
        mutants = [Mutant(row) for row in csv.DictReader(table)]
    return [mutant for mutant in mutants if not words or any(word in mutant.whole() for word in words)]


def fits(mutants):
    """Whether all lines fit the sources as they are now."""
    bad = 0
    for mutant in mutants:
        try:
            mutant.text(ROOT)
        except (Failure, OSError) as reason:
            say(f"USELESS {mutant}: {reason}")
            bad += 1
    say(f"mutants-fit: {len(mutants) - bad} passed, {bad} failed")
    return 1 if bad else 0


def tests_of_library():
    COPY.build()
    c_tests = CTests(COPY)
    c_tests.compile(list(c_tests.sources))
    return Tests(c_tests)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", action="store_true", help="in ae-server and its crates")
    parser.add_argument("--list", type=Path, metavar="FILE", help="another list of the same columns")
    parser.add_argument("--all", action="store_true", help="all quick tests, whatever the list says")
    parser.add_argument("--fits", action="store_true", help="only see whether the lines of both lists fit the source")
    parser.add_argument("--every", action="store_true", help="no list: every mistake that the tool can think of")
    parser.add_argument("--sample", type=int, metavar="N", help="with --every: only N, in each package, by chance")
    parser.add_argument("--seed", type=int, default=1, help="with --sample: another seed, another sample")
    parser.add_argument("words", nargs="*", help="such as listen.rs, EINTR")
    options = parser.parse_args()
    if options.every and options.list or options.sample is not None and not options.every:
        parser.error("--every is without a list, and --sample for --every")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    if options.every:
        return every.run_every(options.words, options.server, options.sample, options.seed)
    own = SERVER_LIST if options.server else LIST
    if options.fits:
        lists = [options.list] if options.list else [LIST, SERVER_LIST]
        return fits([mutant for path in lists for mutant in read_list(path, options.words)])
    mutants = read_list(options.list or own, options.words)
    COPY.lock()
    COPY.refresh()
    tests = CrateTests() if options.server else tests_of_library()
    for mutant in mutants:
        for test in filter(tests.unknown, mutant.tests):
            raise Failure(f"{mutant}: no such test: {test}")
    named = [] if options.all or not all(mutant.tests for mutant in mutants) else \
        list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    for package in [None] if named else dict.fromkeys(mutant.package for mutant in mutants):
        failure = tests.first_failure(named, package)
        if failure:
            raise Failure(f"without any mistake this fails: {failure}\n{tests.output}")
    noticed, tried, bad = collections.Counter(), collections.Counter(), 0
    for mutant in mutants:
        folder = str(Path(mutant.file).parent)
        try:
            by = try_one(mutant, tests, options.all)
        except Failure as reason:
            say(f"USELESS {mutant}: {reason}")
            bad += 1
            continue
        tried[folder] += 1
        noticed[folder] += by is not None
        say(f"noticed {mutant}: {by}" if by else f"MISSED  {mutant}")
    for folder in sorted(tried):
        say(f"{folder}: {noticed[folder]} of {tried[folder]}")
    say(f"mutants: {noticed.total()} of {tried.total()} noticed" + (f", {bad} useless lines" if bad else ""))
    return 1 if bad or noticed != tried else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as reason:
        error(f"mutants: {reason}")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
