#!/usr/bin/env python3
"""Puts mistakes into the library, or with --server into ae-server and its crates, one at a time, and says which the tests
notice.

mutants.csv and server.csv list them: the file, the text there (words with any space between them, once in the file),
what is in its place in the mutant, and the tests that have to notice. A test is

    conn_sync             a program of c-tests/, on epoll
    ae_backend@so-poll    the same in another variant of c-tests/run.py without a tool
    lib:timers::pool      the library's unit tests with this in their names
    test:interest_model   a file of tests/
    store:zset::tree      the unit tests with this in their names, of a package in crates/
    rdb/codec:old_forms   the tests with this in their names, of a file (or folder) in the package's tests/

With no test named, all that is quick runs until one fails, as with --all for every mutant; for a mutant in crates/ that
is its own package's tests. A line that no longer fits the source is a failure, as is a mutant that nothing notices.

It works on a copy of the working tree in target/mutants, with the library of a build for tests, without TLS. Words on
the command line select mutants: those with one in their file or text."""

import argparse
import collections
import csv
import fcntl
import importlib
import itertools
import os
import re
import resource
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from testkit.commands import Failure, completed, error, limited, run, say  # noqa: E402
from testkit.paths import ROOT  # noqa: E402

LIST = Path(__file__).resolve().with_name("mutants.csv")
SERVER_LIST = LIST.with_name("server.csv")
LIBRARY = "libae"
# By which the C libraries in the server are not compiled again (`make target/c-libraries.toml`).
C_LIBRARIES = ROOT / "target" / "c-libraries.toml"
PLACE = ROOT / "target" / "mutants"
TREE, CARGO_TARGET = PLACE / "tree", PLACE / "cargo"

SKIPPED = 77
PLAIN = ("so-epoll", "so-poll", "so-select")
# They need the library as `make lib` builds it (exceptions pass it, it is linked statically), TLS, or a server.
NOT_HERE = ("ae_thrown", "weak_symbols", "hiredis_", "tls_")
RUST_TESTS = ("interest_model", "listener_failure", "rust_api")

# In seconds: what takes longer hangs.
CASE_LIMIT, RUST_LIMIT = 60, 300
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


def copy_tree():
    """Brings the copy up to date; what is the same stays as it is, so that little is built again."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).split("\0")
    files = {name for name in listed if (ROOT / name).is_file()}
    for name in files:
        source, copy = ROOT / name, TREE / name
        if copy.is_file() and copy.read_bytes() == source.read_bytes():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    for folder in ("src", "crates", "c-tests", "tests"):
        for copy in (TREE / folder).rglob("*"):
            if copy.is_file() and str(copy.relative_to(TREE)) not in files and "__pycache__" not in copy.parts:
                copy.unlink()


def cargo(package, *arguments):
    env = dict(os.environ, CARGO_TARGET_DIR=str(CARGO_TARGET), CARGO_INCREMENTAL="1", PROPTEST_CASES="50")
    env.pop("LIBAE_ABI", None)
    command = ["cargo", arguments[0], "--locked", "--quiet", "--package", package]
    if package == LIBRARY:
        command.append("--no-default-features")
    elif C_LIBRARIES.is_file():
        command += ["--config", C_LIBRARIES]
    return limited([*command, *arguments[1:]], RUST_LIMIT, env, cwd=TREE)


def build():
    """Puts the library where c-tests/run.py looks for it."""
    status, _, errors = cargo(LIBRARY, "rustc", "--lib", "--crate-type", "cdylib", "--", "-Clink-arg=-Wl,-soname,libae.so.1")
    if status != 0:
        raise Failure(f"it does not compile:\n{errors[-2000:]}")
    folder = TREE / "build"
    folder.mkdir(exist_ok=True)
    for name in ("libae.so", "libae.so.1"):
        # Programs that still run keep the file that they have mapped.
        (folder / name).unlink(missing_ok=True)
    shutil.copy(CARGO_TARGET / "debug" / "libae.so", folder / "libae.so.1")
    (folder / "libae.so").symlink_to("libae.so.1")
    (folder / "libae.a").touch()
    names = run(["nm", "-D", "--defined-only", folder / "libae.so"]).split()[2::3]
    exports = "".join(f"{name}\n" for name in sorted(names) if name.isalnum())
    if not (folder / "exports").exists() or (folder / "exports").read_text() != exports:
        (folder / "exports").write_text(exports)


def runner():
    """The copy's c-tests/run.py."""
    sys.path.insert(1, str(TREE / "c-tests"))
    return importlib.import_module("run")


class CTests:
    """The C programs, compiled once: they find the library of each mutant when they start."""

    def __init__(self):
        self.run = runner()
        self.library = self.run.Library("")
        sources = (source for source in self.run.HERE.iterdir() if source.suffix in self.run.LANGUAGES)
        self.sources = {source.stem: source for source in sorted(sources) if self.is_here(source.stem)}
        self.cases, self.output = {}, ""  # of the last failure

    def is_here(self, name):
        profiles = self.run.PROGRAMS_OF.get(name, (self.library.profile,))
        return self.library.profile in profiles and not name.startswith(NOT_HERE)

    def compile(self, names):
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for name, complaint in zip(names, pool.map(self.compile_one, names)):
                if complaint:
                    raise Failure(f"{name}: {complaint}")

    def compile_one(self, name):
        source = self.sources[name]
        compiled, program = self.library.compiled(name, False), self.library.program(name, "so")
        complaint = self.run.compile_source(self.library, source, compiled, None)
        complaint = complaint or self.run.link(self.library, source, compiled, program, "so")
        self.cases[name] = [] if complaint else completed([str(program), "--list"]).stdout.split()
        return complaint

    def first_failure(self, programs):
        """The first failed case of (program, variant)s, None when all pass."""
        cases = [(name, variant, case) for name, variant in programs for case in self.cases[name]]
        failed = threading.Event()

        def fails(name, variant, case):
            if failed.is_set():
                return None
            program, backend = self.library.program(name, "so"), self.run.VARIANTS[variant][1]
            status, output, errors = limited([str(program), case], CASE_LIMIT, self.run.environment(backend, None))
            if status in (0, SKIPPED):
                return None
            failed.set()
            self.output = f"status {status}\n{output}{errors}"
            return f"{name}@{variant} {case}" + (" (hangs)" if status is None else "")

        with ThreadPoolExecutor(2 * os.cpu_count()) as pool:
            return next(filter(None, pool.map(lambda case: fails(*case), cases)), None)


def first_rust_failure(words, files, package=LIBRARY):
    """The first failed test of the unit tests with these words in their names, and of those in these files."""
    what = [*(["--lib"] if words is not None else []), *(f"--test={name}" for name in files)]
    return first_failed_test(package, what, words or []) if what else None


def first_failed_test(package, what, words):
    status, output, errors = cargo(package, "test", *what, "--", *words)
    if status == 0:
        return None
    if "error: could not compile" in output + errors:
        raise Failure("its tests do not compile")
    failed = re.search(r"^---- (\S+) stdout ----$", output, re.M)
    return failed[1] if failed else f"cargo test {' '.join(what)}" + (" (hangs)" if status is None else "")


class CrateTests:
    """The tests of the packages in crates/."""

    output = ""

    def unknown(self, test):
        package, _, file = test.partition(":")[0].partition("/")
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
            failure = first_failed_test(package, [f"--test={file}" if file else "--lib"], words)
            if failure:
                return failure
        return None


class Tests:
    def __init__(self, c_tests):
        self.c_tests = c_tests
        self.quick = [(name, variant) for name, variant in itertools.product(c_tests.sources, PLAIN)]

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
            build()
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
    build()
    c_tests = CTests()
    c_tests.compile(list(c_tests.sources))
    return Tests(c_tests)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", action="store_true", help="the list for ae-server and its crates")
    parser.add_argument("--list", type=Path, metavar="FILE", help="another list of the same columns")
    parser.add_argument("--all", action="store_true", help="all quick tests, whatever the list says")
    parser.add_argument("--fits", action="store_true", help="only see whether the lines of both lists fit the source")
    parser.add_argument("words", nargs="*", help="such as listen.rs, EINTR")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    own = SERVER_LIST if options.server else LIST
    if options.fits:
        lists = [options.list] if options.list else [LIST, SERVER_LIST]
        return fits([mutant for path in lists for mutant in read_list(path, options.words)])
    mutants = read_list(options.list or own, options.words)
    PLACE.mkdir(parents=True, exist_ok=True)
    lock = open(PLACE / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure("another run is at work here") from None
    copy_tree()
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
