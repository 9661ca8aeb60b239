"""Builds a tester's program: its C files, once with stock's and once with libae's, in one executable. Stock is redis
7.0.15's, out of Debian's source package; its names are made local, so that both libraries can be in there."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "c-tests"))

import run as c_tests  # noqa: E402
from testkit import fetch  # noqa: E402
from testkit.commands import Failure, Unavailable, run  # noqa: E402
from testkit.paths import BUILD, ROOT  # noqa: E402
from testkit.profiles import DEFAULT  # noqa: E402

HERE = Path(__file__).resolve().parent
FOLDER = BUILD / "differ"
UPSTREAM = FOLDER / "redis-7.0.15"
PACKAGE = ("redis", "7.0.15", "bookworm")
BACKENDS = ("epoll", "poll", "select")

# What is put into the copy of ae.c: where docs/api.md's differences are taken in (loop/hooks.h, loop/declared.c). Each
# of the texts is there so many times.
CHANGES = (
    # From 7.2 on the hook comes before the loop looks how long to wait.
    ("int64_t usUntilTimer = -1;\n", "int64_t usUntilTimer = -1; flags = differ_before_sleep(eventLoop, flags);\n", 1),
    ("processed += processTimeEvents(eventLoop);", "processed += differ_time_events(eventLoop, processTimeEvents);", 1),
    # What was found of a descriptor may have become stale between its two handlers.
    ("/* Refresh in case of resize. */", "mask = eventLoop->fired[j].mask;", 2),
)

CFLAGS = ["-std=gnu11", "-g", "-O1"]
STRICT = ["-Wall", "-Wextra", "-Werror"]
COMMON = ("main", "program", "trace")


@dataclass(frozen=True)
class Tester:
    """What it consists of, beside what all have: C files of its folder, and stock's."""

    common: tuple
    stock: tuple
    upstream: tuple
    backends: tuple = BACKENDS
    is_simulated: bool = True  # Otherwise another process may get into the way.


TESTERS = {
    "loop": Tester(("moves", "world"), ("declared",), ("ae", "anet", "monotonic")),
    "anet": Tester(("moves", "names"), (), ("anet",), ("epoll",), False),
    "conn": Tester(("moves", "../loop/world"), ("../loop/declared",), ("ae", "anet", "monotonic", "connection"),
                   is_simulated=False),
}


def changed(text):
    """the text of ae.c with calls of the hooks"""
    for old, new, times in CHANGES:
        if text.count(old) != times:
            raise Failure(f"ae.c is not the one that the hooks are for: {text.count(old)} times {old.strip()}")
        text = text.replace(old, new)
    return text


def upstream():
    """the folder with stock's sources"""
    fetch.unpack(fetch.tarball(*PACKAGE), UPSTREAM)
    return UPSTREAM / "src"


def program(name, profile=DEFAULT, backend="epoll", asan=False, faults=None):
    """the path of a tester's program, built. `faults` is a C file whose functions `__wrap_NAME` come between the
    program and libae, to see whether that is noticed."""
    return Builder(name, profile, asan).program("select" if backend == "select" else "epoll", faults)


class Builder:
    def __init__(self, name, profile, asan):
        self.name, self.tester, self.asan = name, TESTERS[name], asan
        self.library = c_tests.Library("" if profile == DEFAULT else profile)
        self.archive = self.library.build / ("libae-asan.a" if asan else "libae.a")
        if not self.archive.exists():
            raise Unavailable(f"{self.archive.relative_to(ROOT)} is missing: run make {self.archive.relative_to(ROOT)}")
        self.folder = FOLDER / (profile + ("-asan" if asan else "")) / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.flags = [*CFLAGS, *(c_tests.SANITIZE if asan else []), f"-I{HERE}", f"-I{HERE / name}"]

    def program(self, stock_backend, faults):
        source, here = upstream(), HERE / self.name
        ours, theirs = [f"-I{self.library.include}", f"-I{ROOT / 'c-tests'}"], ["-DSTOCK", f"-I{source}"]
        common = [self._compiled(HERE / f"{name}.c", name, STRICT) for name in COMMON]
        common += [self._compiled(here / f"{name}.c", name, STRICT) for name in self.tester.common]
        common.append(self._compiled(here / "play.c", "play-libae", [*STRICT, *ours]))
        stock = [self._compiled(here / f"{name}.c", f"{name}-stock", [*STRICT, *theirs])
                 for name in ("play", *self.tester.stock)]
        stock.append(self._compiled(HERE / "upstream.c", "upstream", STRICT))
        for name in self.tester.upstream:
            if name == "ae":
                stock.append(self._ae(source, stock_backend, theirs))
            elif name == "connection":
                # A copy, so that its server.h is ours.
                copy = self._copy("connection.c", (source / "connection.c").read_text())
                stock.append(self._compiled(copy, name, ["-w", *theirs]))
            else:
                stock.append(self._compiled(source / f"{name}.c", name, ["-w", *theirs]))
        name, wrapped = f"{self.name}-{stock_backend}", []
        if faults:
            name += f"-{faults.stem}"
            common.append(self._compiled(faults, faults.stem, [*STRICT, *ours]))
            wrapped = [f"-Wl,--wrap={function}" for function in re.findall(r"__wrap_(\w+)\(", faults.read_text())]
        return self._linked(name, common, self._hidden(f"stock-{stock_backend}.o", stock), wrapped)

    def _ae(self, source, backend, flags):
        copy = self._copy("ae.c", changed((source / "ae.c").read_text()))
        without = ["-include", HERE / "loop/no-epoll.h"] if backend == "select" else []
        return self._compiled(copy, f"ae-{backend}", ["-w", *flags, "-include", HERE / "loop/hooks.h", *without])

    def _copy(self, name, text):
        copy = self.folder / name
        if not copy.exists() or copy.read_text() != text:
            copy.write_text(text)
        return copy

    def _compiled(self, source, name, flags):
        product = self.folder / f"{name.replace('../loop/', '')}.o"
        parts = [source, HERE / "build.py", *HERE.glob("*.h"), *HERE.glob("*/*.h"), *self.library.include.glob("*.h")]
        if not c_tests.up_to_date(product, *parts):
            run(["cc", *self.flags, *flags, "-c", "-o", product, source])
        return product

    def _hidden(self, name, objects):
        """one object of these, of which nothing is seen but how it plays"""
        product = self.folder / name
        if not c_tests.up_to_date(product, *objects):
            run(["ld", "-r", "-o", product, *objects])
            run(["objcopy", "--keep-global-symbol=play_stock", product])
        return product

    def _linked(self, name, objects, stock, options):
        product = self.folder / name
        if not c_tests.up_to_date(product, *objects, stock, self.archive):
            sanitizer = c_tests.sanitizer_arguments() if self.asan else []
            run(["cc", *options, "-o", product, *objects, stock, self.archive, *sanitizer, *c_tests.SYSTEM_LIBS])
        return product
