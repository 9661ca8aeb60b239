#!/usr/bin/env python3
"""Builds the C test programs and runs every case of theirs as a process of its own, with a time limit.

The library is that of an ABI profile, redis-7.2 unless --abi names another: build/PROFILE/ then has the library and
target/include/PROFILE/ the headers. PROGRAMS_OF says which programs do not exist for every profile.

A program is one C or C++ file of this folder. `prog --list` names its cases, one a line; `prog NAME` runs one: exit status 0
passed, 77 skipped, else failed, with the reason on stderr. A program whose name starts with `hiredis_` is linked with
libhiredis and finds a running ae-server at AE_SERVER_PORT. One whose name starts with `tls_` finds certificates in the folder
LIBAE_TEST_CERTS (certs.py), which is not set where there is no `openssl` command.

The variants differ in the library they are linked with (libae.so, libae.a, libae.a with AddressSanitizer), in the
backend that LIBAE_BACKEND names, and in what runs them. Before a variant runs, a canary program tells whether the
variant is what its name says: the library, the backend, and whether the tool notices an error.

`make c-tests` (`make ABI=PROFILE c-tests`) builds what this needs and calls it; ARGS="--variant so-poll ae_file"
narrows it down.
"""

import argparse
import concurrent.futures
import os
import pathlib
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(1, str(ROOT / "tests" / "python"))

import certs
import support

SKIPPED = 77
VALGRIND_ERROR = 99

DEFAULT_PROFILE = "redis-7.2"
V1 = ("redis-6.2", "redis-7.0")
VALKEY = ("valkey-8.0", "valkey-8.1")
PROFILES = (*V1, DEFAULT_PROFILE, "redis-8.0", *VALKEY)

# Programs that only some profiles can have, and which.
REGISTRY = tuple(profile for profile in PROFILES if profile not in V1)  # types that are registered, listeners
PROGRAMS_OF = {
    "ae_events_grow": ("redis-8.0",),
    "ae_poll": VALKEY,
    "ae_poll_threads": VALKEY,
    "conn_about": REGISTRY,
    "conn_listener": REGISTRY,
    "conn_loop": ("redis-8.0",),
    "conn_registry": REGISTRY,
    "conn_rest": REGISTRY,
    "conn_unix": REGISTRY,
    "conn_unix_listener": REGISTRY,
    "conn_v1": V1,
    "conn_v1_base": V1,
    "conn_valkey": VALKEY,
    "tls_moves": ("redis-8.0",),
    "tls_postpone": VALKEY,
}
# Programs that are of no use with every kind of library, and with which they are.
LINKAGES_OF = {
    "ae_left": ("so", "a"),  # AddressSanitizer's locals are not on the stack, by which calls that are gone are found
    "ae_thrown": ("so", "a"),  # and its library is built so that exceptions end in it
    "weak_symbols": ("a",),  # the linker's choice between a weak symbol of libae.a and the program's own
}

CFLAGS = ["-Wall", "-Wextra", "-Werror", "-g", "-O1"]
# By a source's suffix: the compiler, which CC and CXX may name, and the language.
LANGUAGES = {
    ".c": [os.environ.get("CC", "cc"), "-std=gnu11"],
    ".cpp": [os.environ.get("CXX", "c++"), "-std=gnu++17"],
}
SYSTEM_LIBS = ["-lpthread", "-ldl", "-lm"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
VALGRIND = [
    "valgrind", "--quiet", f"--error-exitcode={VALGRIND_ERROR}", "--leak-check=full",
    "--show-leak-kinds=definite,indirect,possible", "--errors-for-leak-kinds=definite,indirect,possible",
]
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}

# Name: linkage, backend, what runs it, time limit in seconds.
VARIANTS = {
    "so-epoll": ("so", "epoll", [], 30),
    "so-poll": ("so", "poll", [], 30),
    "so-select": ("so", "select", [], 30),
    "a-epoll": ("a", "epoll", [], 30),
    "valgrind": ("so", "epoll", VALGRIND, 120),
    "asan-epoll": ("asan", "epoll", [], 60),
    "asan-poll": ("asan", "poll", [], 60),
}
# What other profiles than the default run: the backends and the tools do not know the profiles.
VARIANTS_OF_OTHERS = ("so-epoll", "a-epoll", "asan-epoll", "valgrind")
# And these of their programs with valgrind: those that know the profiles, and do not take long.
VALGRIND_OF_OTHERS = {"ae_profile", "anet_resolve", "anet_unix", "conn_unix_listener", "host_allocator"} | {
    name for name, profiles in PROGRAMS_OF.items() if set(profiles) != set(REGISTRY)
}
# TLS programs take long, and hardly know the backends: what runs of them in these variants unless they are asked for.
# With valgrind, whose start takes a second and a handshake another, AddressSanitizer has to do for the rest.
TLS_LOOP = {"tls_connect", "tls_handshake", "tls_pending"}
TLS_NARROWED = {
    "so-poll": TLS_LOOP,
    "so-select": TLS_LOOP,
    "asan-poll": TLS_LOOP,
    "valgrind": {"tls_cut", "tls_moves", "tls_pending", "tls_postpone", "tls_threads"},
}
# And in other profiles than the default: those that know the profiles.
TLS_PROFILES = TLS_LOOP | {"tls_config_upstream", "tls_end", "tls_moves", "tls_postpone", "tls_threads"}
TLS_NARROWED_OF_OTHERS = {
    "a-epoll": TLS_PROFILES,
    "asan-epoll": TLS_PROFILES,
    "valgrind": {"tls_moves", "tls_postpone"},
}

CANARY = r"""
#include <ae.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    if (argc == 1) {
        puts(aeGetApiName());
    } else if (argv[1][0] == 'w') {        /* the library writes behind an allocation */
        aeEventLoop *el = malloc(8);
        aeStop(el);
        free(el);
    } else {                               /* the program leaks */
        char *volatile leak = malloc(100);
        leak = NULL;
        return leak != NULL;
    }
    return 0;
}
"""


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


class Library:
    """The library of a profile, and where its programs go."""

    def __init__(self, profile):
        self.profile = profile or DEFAULT_PROFILE
        self.build = ROOT / "build" / profile if profile else ROOT / "build"
        self.include = ROOT / "target" / "include" / profile if profile else ROOT / "include"
        for path in self.include / "ae.h", self.build / "libae.so", self.build / "libae.a", self.build / "exports":
            if not path.exists():
                sys.exit(f"c-tests: {path.relative_to(ROOT)} is missing: run make {profile and f'ABI={profile} '}c-tests")

    def program(self, name, linkage):
        return self.build / "c-tests" / linkage / name


def sanitizer_runtime():
    """The one AddressSanitizer runtime of the program: rustc's, for the C side too."""
    folder = run(["rustc", "--print", "target-libdir"]).stdout.strip()
    found = sorted(pathlib.Path(folder).glob("librustc-*_rt.asan.a"))
    if not found:
        sys.exit(f"c-tests: {folder} has no AddressSanitizer runtime (rustup's toolchains for Linux on x86-64 have)")
    return found[0]


def link_arguments(library, linkage):
    """What a program needs to be linked with the library."""
    if linkage == "so":
        return [f"-L{library.build}", "-lae", f"-Wl,-rpath,{library.build}"]
    if linkage == "a":
        return [str(library.build / "libae.a"), *SYSTEM_LIBS]
    runtime = ["-Wl,--whole-archive", str(sanitizer_runtime()), "-Wl,--no-whole-archive", "-rdynamic", "-lrt"]
    return [str(library.build / "libae-asan.a"), *runtime, *SYSTEM_LIBS]


def compile_program(library, source, program, linkage):
    """Returns what the compiler said when it failed."""
    program.parent.mkdir(parents=True, exist_ok=True)
    compiler, standard = LANGUAGES[source.suffix]
    sanitize = SANITIZE if linkage == "asan" else []
    exports = library.build / "exports"
    profile = [f"-I{library.include}", f'-DLIBAE_EXPORTS="{exports}"']
    result = run([compiler, standard, *CFLAGS, *profile, *sanitize, "-c", "-o", f"{program}.o", str(source)])
    if result.returncode == 0:
        # Linked without -fsanitize, which would bring the C compiler's own runtime.
        hiredis = ["-lhiredis"] if source.name.startswith("hiredis_") else []
        result = run([compiler, "-o", str(program), f"{program}.o", *hiredis, *link_arguments(library, linkage)])
    return None if result.returncode == 0 else result.stderr


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_case(command, env, limit):
    """Runs a process in a session of its own; returns its status, or None when its time was over, and its output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, start_new_session=True,
            preexec_fn=limits,
        )
        with open(os.pidfd_open(process.pid), "rb") as ended:
            in_time = bool(select.select([ended], [], [], limit)[0])
        # Whatever it started ends with it; its number is not free before it is waited for.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        status = process.returncode if in_time else None
        output.seek(0)
        return status, output.read().decode(errors="replace")


class Server:
    """An ae-server for the programs that need one: of any profile, since they do not see it."""

    def __init__(self):
        self.port = support.free_port()
        self.process = subprocess.Popen(
            [ROOT / "build" / "ae-server", "--port", str(self.port), "--bind", "127.0.0.1"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    sys.exit("c-tests: ae-server does not start")
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def environment(backend, server, certificates=None):
    env = dict(os.environ, LIBAE_BACKEND=backend, **SANITIZER_ENV)
    env.pop("LIBAE_TEST_CERTS", None)
    if certificates:
        env["LIBAE_TEST_CERTS"] = str(certificates)
    if server:
        env["AE_SERVER_PORT"] = str(server.port)
    return env


def canary(library, variant, folder):
    """Returns what is wrong with a variant, or None."""
    linkage, backend, runner, limit = VARIANTS[variant]
    source, program = folder / "canary.c", folder / f"canary-{linkage}"
    source.write_text(CANARY)
    complaint = compile_program(library, source, program, linkage)
    if complaint:
        return complaint
    needed = run(["readelf", "-dW", str(program)]).stdout
    if ("[libae.so." in needed) != (linkage == "so"):
        return f"it is not linked with {linkage}"
    env = environment(backend, None)
    status, output = run_case([*runner, str(program)], env, limit)
    if status != 0 or output.strip() != backend:
        return f"the backend is not {backend}: status {status}, {output}"
    if linkage == "asan":
        symbols = run(["nm", str(program)]).stdout
        if symbols.count(" T __asan_init\n") != 1 or "libasan" in needed:
            return "the program has not exactly one AddressSanitizer runtime"
        if " U __asan_" not in run(["nm", "-u", str(library.build / "libae-asan.a")]).stdout:
            return "libae-asan.a is not instrumented"
    if linkage == "asan" or runner:
        for error, sign in ("write", "aeStop"), ("leak", "main"):
            status, output = run_case([*runner, str(program), error], env, limit)
            if status == 0 or sign not in output:
                return f"a deliberate {error} error went unnoticed: status {status}, {output}"
    return None


class Outcome:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def fail(self, what, output):
        self.failed += 1
        print(f"FAILED {what}")
        for line in output.splitlines():
            print(f"    {line}")

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def describe(status, limit):
    if status is None:
        return f"timed out after {limit} s"
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


def run_variant(library, variant, sources, pool, folder, env, only):
    linkage, backend, runner, limit = VARIANTS[variant]
    outcome = Outcome()
    complaint = canary(library, variant, folder)
    if complaint:
        outcome.fail(f"{variant}: canary", complaint)
        return outcome
    env = environment(backend, *env)
    cases = []
    for source in sources:
        program = library.program(source.stem, linkage)
        listed = run([str(program), "--list"], env=env)
        names = listed.stdout.split()
        if listed.returncode != 0 or not names:
            outcome.fail(f"{variant} {source.stem}", f"--list fails or names no case\n{listed.stderr}")
        cases += [(program, name) for name in names if only is None or name == only]
    jobs = {pool.submit(run_case, [*runner, str(program), name], env, limit): (program, name) for program, name in cases}
    for job in concurrent.futures.as_completed(jobs):
        program, name = jobs[job]
        status, output = job.result()
        if status == 0:
            outcome.passed += 1
        elif status == SKIPPED:
            outcome.skipped += 1
        else:
            outcome.fail(f"{variant} {program.name} {name}: {describe(status, limit)}", output)
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--abi", default="", metavar="PROFILE", choices=("", *PROFILES), help=", ".join(PROFILES))
    parser.add_argument("programs", nargs="*", help="names of programs, without suffix; all by default")
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="may be repeated; all by default, or the profile's")
    parser.add_argument("--case", help="one case's name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at once")
    arguments = parser.parse_args()

    library = Library(arguments.abi)
    is_default = library.profile == DEFAULT_PROFILE
    sources = sorted(source for source in HERE.iterdir() if source.suffix in LANGUAGES)
    names = {source.stem for source in sources}
    named = set(PROGRAMS_OF) | set(LINKAGES_OF) | VALGRIND_OF_OTHERS | TLS_PROFILES
    unknown = (set(arguments.programs).union(named, *TLS_NARROWED.values())) - names
    if unknown:
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    left_out = {name for name, profiles in PROGRAMS_OF.items() if library.profile not in profiles}
    if left_out & set(arguments.programs):
        parser.error(f"not for {library.profile}: {', '.join(sorted(left_out & set(arguments.programs)))}")
    if left_out:
        print(f"not for {library.profile}: {', '.join(sorted(left_out))}")
    wanted = set(arguments.programs) or names - left_out
    sources = [source for source in sources if source.stem in wanted]
    variants = arguments.variant or list(VARIANTS if is_default else VARIANTS_OF_OTHERS)

    def belongs(source, variant):
        """Whether a program runs in a variant."""
        linkage = VARIANTS[variant][0]
        if linkage not in LINKAGES_OF.get(source.stem, (linkage,)):
            return False
        if source.stem.startswith("tls_") and not arguments.programs:
            wide = (TLS_NARROWED if is_default else TLS_NARROWED_OF_OTHERS).get(variant)
            return wide is None or source.stem in wide
        narrowed = is_default or arguments.programs or variant != "valgrind"
        return bool(narrowed) or source.stem in VALGRIND_OF_OTHERS

    total = Outcome()
    server = Server() if any(source.name.startswith("hiredis_") for source in sources) else None
    wants_certificates = any(source.name.startswith("tls_") for source in sources)
    certificates = certs.make(library.build / "c-tests" / "certs") if wants_certificates else None
    try:
        with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            broken = set()
            builds = {
                (source, linkage): pool.submit(
                    compile_program, library, source, library.program(source.stem, linkage), linkage
                )
                for source, linkage in dict.fromkeys(
                    (source, VARIANTS[variant][0]) for variant in variants for source in sources
                    if belongs(source, variant)
                )
            }
            for (source, linkage), build in builds.items():
                if build.result() is not None:
                    broken.add((source, linkage))
                    total.fail(f"{source.name} does not build with {linkage}", build.result())
            for variant in variants:
                start = time.monotonic()
                built = [
                    source for source in sources
                    if belongs(source, variant) and (source, VARIANTS[variant][0]) not in broken
                ]
                outcome = run_variant(
                    library, variant, built, pool, pathlib.Path(folder), (server, certificates), arguments.case
                )
                print(f"{variant}: {outcome} ({time.monotonic() - start:.0f} s)", flush=True)
                total.passed += outcome.passed
                total.failed += outcome.failed
                total.skipped += outcome.skipped
    finally:
        if server:
            server.stop()
    print(f"{'c-tests' if is_default else library.profile}: {total}")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
