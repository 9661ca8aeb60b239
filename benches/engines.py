"""The engines: where each comes from and how the harness is built with it. Everything that is built lies in
build/bench."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tools"))

from testkit import fetch  # noqa: E402
from testkit.commands import Failure, Unavailable, error, run  # noqa: E402
from testkit.packages import require  # noqa: E402
from testkit.paths import BUILD, ROOT  # noqa: E402

LOOP = ROOT / "benches" / "loop"
RUST = ROOT / "benches" / "rust"
BENCH = BUILD / "bench"
REDIS = "7.0.15"
CFLAGS = ("-O2", "-Wall", "-Wextra")


@dataclass(frozen=True)
class Engine:
    name: str
    title: str
    header: str = ""  # of a package of the system
    package: str = ""
    link: tuple = ()
    version: str = ""  # the header's macros that make the version, or a crate's name


ENGINES = {engine.name: engine for engine in (
    Engine("libae", "libae", link=("-Iinclude", "build/libae.a", "-lm")),
    Engine("epoll", "raw epoll"),
    Engine("stock", "stock ae"),
    Engine("libev", "libev", "ev.h", "libev-dev", ("-l:libev.a", "-lm"), "EV_VERSION_MAJOR EV_VERSION_MINOR"),
    Engine("libuv", "libuv", "uv.h", "libuv1-dev", ("-l:libuv_a.a", "-lpthread", "-ldl"),
           "UV_VERSION_MAJOR UV_VERSION_MINOR UV_VERSION_PATCH"),
    Engine("libevent", "libevent", "event2/event.h", "libevent-dev", ("-l:libevent_core.a",), "LIBEVENT_VERSION"),
    Engine("mio", "mio", link=("engine_mio",), version="mio"),
    Engine("libae-rust", "libae (Rust)", link=("engine_libae",)),
)}
# Whose ratio is given to whom: libae's to each peer, and that of the Rust API to the Rust peer.
PAIRS = (*(("libae", peer) for peer in ENGINES if peer != "libae"), ("libae-rust", "mio"))


def harness():
    """the harness's own sources: all that are not an engine's adapter"""
    return sorted(path for path in LOOP.glob("*.c") if path.stem not in ENGINES)


def build(names):
    """builds the engines; the reasons why some could not be, by name"""
    missing = {}
    for name in names:
        try:
            _build(ENGINES[name])
        except (Failure, Unavailable, OSError, subprocess.TimeoutExpired) as reason:
            missing[name] = first_line(reason)
            error(f"bench: {name} is not measured: {reason}")
    return missing


def first_line(reason):
    return (str(reason).strip() or type(reason).__name__).splitlines()[0]


def _build(engine):
    if engine.package:
        require({"cc": "gcc"}, {engine.header: engine.package})
    BENCH.mkdir(parents=True, exist_ok=True)
    words = {"stock": _stock, "mio": _rust, "libae-rust": _rust}.get(engine.name, _plain)(engine)
    # An engine that no longer builds must not be measured as it was.
    program(engine.name).unlink(missing_ok=True)
    run(["cc", *CFLAGS, "-o", program(engine.name), *harness(), *words], cwd=ROOT)


def program(name):
    return BENCH / name


def _plain(engine):
    return [LOOP / f"{engine.name}.c", *engine.link]


def _stock(engine):
    folder = BENCH / f"redis-{REDIS}"
    fetch.unpack(fetch.tarball("redis", REDIS, "bookworm"), folder)
    source = folder / "src"
    files = [source / name for name in ("ae.c", "anet.c", "monotonic.c", "zmalloc.c")]
    # Upstream's warnings are not ours to see.
    return [LOOP / f"{engine.name}.c", "-w", f"-I{source}", *files, "-lpthread", "-lm"]


def _rust(engine):
    target = ROOT / "target" / "bench" / "rust"
    run(["cargo", "build", "--locked", "--release", "--quiet", "--examples", "--manifest-path", RUST / "Cargo.toml",
         "--target-dir", target])
    return [target / "release" / "examples" / f"lib{engine.link[0]}.a", "-lpthread", "-ldl", "-lm"]


def versions(names):
    """the engines' versions, as far as they have any"""
    return {name: found for name in names if (found := _version(ENGINES[name]))}


def _version(engine):
    if engine.name.startswith("libae"):
        return _first(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text())
    if engine.name == "stock":
        return f"of redis {REDIS}"
    if engine.name == "mio":
        return _first(r'^name = "mio"\nversion = "(.*)"', (RUST / "Cargo.lock").read_text())
    if engine.header:
        try:
            macros = subprocess.run(["cc", "-E", "-dM", "-"], input=f"#include <{engine.header}>\n", capture_output=True,
                                    text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return ""
        return _macros(engine.version, macros)
    return ""


def _macros(names, text):
    """LIBEVENT_VERSION stands for another macro, which has the text"""
    parts = []
    for name in names.split():
        value = _first(rf"^#define {name} (.*)$", text)
        parts.append(_first(rf"^#define {value} (.*)$", text) or value if value else "")
    return ".".join(part.strip('"') for part in parts)


def _first(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else ""
