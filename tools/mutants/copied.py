"""A copy of the working tree, in which mistakes can be made, and what is built of it and run."""

import fcntl
import functools
import importlib
import itertools
import os
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

from testkit import certificates
from testkit.commands import Failure, completed, environment, limited, run
from testkit.paths import BUILD, ROOT

LIBRARY = "libae"
# By which the C libraries in the server are not compiled again (`make target/c-libraries.toml`).
C_LIBRARIES = ROOT / "target" / "c-libraries.toml"

SKIPPED = 77
PLAIN = ("so-epoll", "so-poll", "so-select")
# They need the library as `make lib` builds it (exceptions pass it, it is linked statically), or a server.
NOT_HERE = ("ae_thrown", "weak_symbols", "hiredis_")
RUST_TESTS = ("interest_model", "listener_failure", "rust_api")

# The programs that Python tests ask: the package, the variable by which they find it, and which ask it.
PROGRAMS = {"ae-cli": ("AE_CLI", "test_cli*.py"), "ae-server": ("AE_SERVER", "test_*.py")}
PYTHON = BUILD / "venv" / "bin" / "python"
SCRIPTS = Path("tests/python")
# They start something else.
NO_SCRIPTS = ("test_examples.py", "test_languages.py")

# In seconds: what takes longer hangs.
CASE_LIMIT, SCRIPT_LIMIT, RUST_LIMIT = 60, 100, 300


def proptest(cases):
    """The environment of proptests. What fails because of a mistake is not kept in the working tree for later runs."""
    return {"PROPTEST_CASES": str(cases), "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "true"}


class Copy:
    """The copy in the folder `place`, with what cargo builds of it beside it, in an environment with more in it."""

    def __init__(self, place, **environment):
        self.place, self.tree, self.target = place, place / "tree", place / "cargo"
        self.environment = environment
        self.library = self.target / "debug" / "libae.so"
        self.held = None

    def lock(self):
        """Keeps other runs of the same copy out, until this process ends."""
        self.place.mkdir(parents=True, exist_ok=True)
        self.held = open(self.place / "lock", "w")
        try:
            fcntl.flock(self.held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure("another run is at work here") from None

    def refresh(self):
        """Brings the copy up to date; what is the same stays as it is, so that little is built again."""
        files = set(listed())
        for name in files:
            source, copy = ROOT / name, self.tree / name
            if copy.is_file() and copy.read_bytes() == source.read_bytes():
                continue
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, copy)
        for folder in ("src", "crates", "c-tests", "tests"):
            for copy in (self.tree / folder).rglob("*"):
                if copy.is_file() and str(copy.relative_to(self.tree)) not in files and "__pycache__" not in copy.parts:
                    copy.unlink()

    def cargo(self, package, *arguments, limit=RUST_LIMIT):
        """What limited() gives for a command of cargo's."""
        env = dict(os.environ, CARGO_TARGET_DIR=str(self.target), CARGO_INCREMENTAL="1", **proptest(50))
        env.pop("LIBAE_ABI", None)
        command = ["cargo", arguments[0], "--locked", "--quiet", "--package", package]
        if C_LIBRARIES.is_file():
            command += ["--config", C_LIBRARIES]
        return limited([*command, *arguments[1:]], limit, {**env, **self.environment}, cwd=self.tree)

    def compile(self, *options, limit=RUST_LIMIT):
        """What limited() gives for the build of the library."""
        shared = ("--lib", "--crate-type", "cdylib", "--", "-Clink-arg=-Wl,-soname,libae.so.1")
        return self.cargo(LIBRARY, "rustc", *options, *shared, limit=limit)

    def build(self):
        status, output, _ = self.compile()
        if status != 0:
            raise Failure(f"it does not compile:\n{output[-2000:]}")
        self.install()

    def install(self):
        """Puts the library where c-tests/run.py looks for it."""
        folder = self.tree / "build"
        folder.mkdir(exist_ok=True)
        for name in ("libae.so", "libae.so.1"):
            # Programs that still run keep the file that they have mapped.
            (folder / name).unlink(missing_ok=True)
        shutil.copy(self.library, folder / "libae.so.1")
        (folder / "libae.so").symlink_to("libae.so.1")
        (folder / "libae.a").touch()
        names = run(["nm", "-D", "--defined-only", folder / "libae.so"]).split()[2::3]
        exports = "".join(f"{name}\n" for name in sorted(names) if name.isalnum())
        if not (folder / "exports").exists() or (folder / "exports").read_text() != exports:
            (folder / "exports").write_text(exports)

    @functools.cached_property
    def certificates(self):
        """The folder of those for TLS programs, made anew; None without the `openssl` command."""
        return certificates.make(self.tree / "build" / "c-tests" / "certs")

    def runner(self):
        """The copy's c-tests/run.py."""
        sys.path.insert(1, str(self.tree / "c-tests"))
        return importlib.import_module("run")


class Program:
    """The program of a package in a copy, with the Python tests that ask it. What else they start is that of the working
    tree."""

    def __init__(self, copy, package):
        self.copy, self.package = copy, package
        self.scripts = copy.tree / SCRIPTS

    @classmethod
    def asked_by(cls, copy, script):
        return cls(copy, next(name for name, (_, pattern) in PROGRAMS.items() if fnmatch(script, pattern)))

    def build(self, limit=RUST_LIMIT):
        for path in PYTHON, *(BUILD / name for name in PROGRAMS):
            if not path.exists():
                raise Failure(f"{path} is not there: run make test first")
        status, output, _ = self.copy.cargo(self.package, "build", "--bins", limit=limit)
        if status != 0:
            raise Failure(f"the program does not compile:\n{output[-2000:]}")

    def environment(self):
        paths = {variable: str(BUILD / name) for name, (variable, _) in PROGRAMS.items()}
        paths[PROGRAMS[self.package][0]] = str(self.copy.target / "debug" / self.package)
        return environment(**paths)

    def cases(self):
        """(script, name) of each test."""
        for script in sorted(self.scripts.glob(PROGRAMS[self.package][1])):
            if script.name not in NO_SCRIPTS:
                for name in run([PYTHON, script, "--list"]).split():
                    yield script.name, name.removeprefix("__main__.")

    def command(self, script, name):
        return [str(word) for word in (PYTHON, self.scripts / script, f"__main__.{name}")]


def listed():
    """The files of the working tree that are in the repository, or could be."""
    names = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT).split("\0")
    return [name for name in names if (ROOT / name).is_file()]


class CTests:
    """The C programs, compiled once: they find the library of each mutant when they start."""

    def __init__(self, copy):
        self.run = copy.runner()
        self.library, self.certificates = self.run.Library(""), copy.certificates
        sources = (source for source in self.run.HERE.iterdir() if source.suffix in self.run.LANGUAGES)
        self.sources = {source.stem: source for source in sorted(sources) if self.is_here(source.stem)}
        self.cases, self.output = {}, ""  # of the last failure

    def is_here(self, name):
        profiles = self.run.PROGRAMS_OF.get(name, (self.library.profile,))
        return self.library.profile in profiles and not name.startswith(NOT_HERE)

    def quick(self):
        """(program, variant) of all that runs here."""
        for name, variant in itertools.product(self.sources, PLAIN):
            if not name.startswith("tls_") or name in self.run.TLS_NARROWED.get(variant, self.sources):
                yield name, variant

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

    def environment(self, backend):
        return self.run.environment(backend, None, self.certificates)

    def first_failure(self, programs):
        """The first failed case of (program, variant)s, None when all pass."""
        cases = [(name, variant, case) for name, variant in programs for case in self.cases[name]]
        failed = threading.Event()

        def fails(name, variant, case):
            if failed.is_set():
                return None
            program, backend = self.library.program(name, "so"), self.run.VARIANTS[variant][1]
            status, output, errors = limited([str(program), case], CASE_LIMIT, self.environment(backend))
            if status in (0, SKIPPED):
                return None
            failed.set()
            self.output = f"status {status}\n{output}{errors}"
            return f"{name}@{variant} {case}" + (" (hangs)" if status is None else "")

        with ThreadPoolExecutor(2 * os.cpu_count()) as pool:
            return next(filter(None, pool.map(lambda case: fails(*case), cases)), None)
