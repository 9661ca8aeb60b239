#!/usr/bin/env python3
"""Builds the C test programs and runs every case of theirs as a process of its own, with a time limit.

The library is that of an ABI profile, redis-7.2 unless --abi names another: build/PROFILE/ then has the library and
target/include/PROFILE/ the headers. PROGRAMS_OF says which programs do not exist for every profile.

A program is one C or C++ file of this folder. `prog --list` names its cases, one a line; `prog NAME` runs one: exit
status 0 passed, 77 skipped, else failed, with the reason on stderr; `prog` runs all and closes with "N cases, N failed,
N skipped". A program whose name starts with `hiredis_` is linked with libhiredis and finds a running ae-server at
AE_SERVER_PORT. One with a header of TLS tests (`tls_*.h`) finds certificates in the folder LIBAE_TEST_CERTS
(tools/testkit/certificates.py), which is not set where there is no `openssl` command.

The variants differ in the library they are linked with (libae.so, libae.a, libae.a with AddressSanitizer, with
ThreadSanitizer, or with kqueue in place of epoll), in the backend that LIBAE_BACKEND names, and in what runs them.
Before a variant runs, a canary program tells whether the variant is what its name says: the library, the backend, and
whether the tool notices an error.

`make c-tests` (`make ABI=PROFILE c-tests`) builds what this needs and calls it; ARGS="--variant so-poll ae_file"
narrows it down. `make c-tests-tools` runs the variants with valgrind and AddressSanitizer; `make c-tests-kqueue` the one
with kqueue, for which LIBAE_KQUEUE has the linker's arguments that give programs kqueue(2); `make c-tests-tsan` the
programs that have threads with ThreadSanitizer, of which LIBAE_TSAN_RUNTIME is the runtime.
"""

import argparse
import collections
import functools
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(1, str(ROOT / "tools"))

from cases import Jobs, Outcome
from testkit import certificates
from testkit.commands import Failure, completed, limited
from testkit.profiles import DEFAULT as DEFAULT_PROFILE
from testkit.profiles import NAMES as PROFILES
from testkit.profiles import having
from testkit.server import AeServer

VALGRIND_ERROR = 99

# Programs that only some profiles can have, and which.
V1, REDIS_8, VALKEY, VALKEY_9 = (having(flag) for flag in ("abi_v1", "abi_redis_8", "abi_valkey", "abi_valkey_9"))
REGISTRY = tuple(profile for profile in PROFILES if profile not in V1)  # types that are registered, listeners
PROGRAMS_OF = {
    "ae_events_grow": REDIS_8,
    "ae_poll": VALKEY,
    "ae_poll_threads": VALKEY,
    "conn_about": REGISTRY,
    "conn_address": VALKEY_9,
    "conn_accept_fails": REGISTRY,
    "conn_home": tuple(profile for profile in PROFILES if profile not in REDIS_8),  # where connections do not tell
    "conn_listener": REGISTRY,
    "conn_loop": REDIS_8,
    "conn_mptcp": VALKEY_9,
    "conn_numbers": VALKEY_9,
    "conn_registry": tuple(profile for profile in REGISTRY if profile not in VALKEY_9),  # types by name
    "conn_rest": REGISTRY,
    "conn_unix": REGISTRY,
    "conn_unix_listener": REGISTRY,
    "conn_v1": V1,
    "conn_v1_base": V1,
    "conn_valkey": VALKEY,
    "tls_config_6_2_0": having("abi_redis_6_2"),
    "tls_moves": REDIS_8,
    "tls_postpone": VALKEY,
    "tls_reload": having("abi_valkey_9_1"),
    "tls_users": having("abi_auth_user"),
}
# Programs that have no meaning with kqueue, and why.
NOT_WITH_KQUEUE = {
    "ae_old_kernel": "it takes epoll's calls away",
}
# Programs with threads that ThreadSanitizer cannot run, and why.
NOT_WITH_TSAN = {
    "conn_fork": "a thread goes on while a fork has the tool's own locks",
    "ae_profile": "its thread changes a loop that sleeps by then, an order that only the clock knows of",
    "tls_contexts": "the last owner of an Arc goes by a fence, which the tool does not follow",
    "tls_threads": "as tls_contexts",
}
# Programs that are of no use with every kind of library, and with which they are.
LINKAGES_OF = {
    # AddressSanitizer's locals are not on the stack, by which calls that are gone are found,
    "ae_left": ("so", "a", "kqueue"),
    # and its library is built so that exceptions end in it.
    "ae_thrown": ("so", "a", "kqueue"),
    "weak_symbols": ("a",),  # the linker's choice between a weak symbol of libae.a and the program's own
}

# Programs with cases that take seconds: they come first.
LONG = ("stress", "tls_handshake", "tls_s_client", "tls_verify", "tls_threads", "tls_sync")

CFLAGS = ["-Wall", "-Wextra", "-Werror", "-g"]
# The optimizer finds more to warn of, and takes twice as long: once is enough, for what most variants run.
OPTIMIZED = ["-O1"]
# By a source's suffix: the compiler, which CC and CXX may name, and the language.
LANGUAGES = {
    ".c": [os.environ.get("CC", "cc"), "-std=gnu11"],
    ".cpp": [os.environ.get("CXX", "c++"), "-std=gnu++17"],
}
SYSTEM_LIBS = ["-lpthread", "-ldl", "-lm"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
SANITIZE_THREADS = ["-fsanitize=thread", "-fno-omit-frame-pointer"]
VALGRIND = [
    "valgrind", "--quiet", f"--error-exitcode={VALGRIND_ERROR}", "--leak-check=full",
    "--show-leak-kinds=definite,indirect,possible", "--errors-for-leak-kinds=definite,indirect,possible",
]
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}

# Name: linkage, backend, what runs it, time limit in seconds for a case, or where something runs it for all cases of a
# program. Only what hangs comes to it, on a busy machine, too.
VARIANTS = {
    "so-epoll": ("so", "epoll", [], 120),
    "so-poll": ("so", "poll", [], 120),
    "so-select": ("so", "select", [], 120),
    "a-epoll": ("a", "epoll", [], 120),
    "valgrind": ("so", "epoll", VALGRIND, 1200),
    "asan-epoll": ("asan", "epoll", [], 300),
    "asan-poll": ("asan", "poll", [], 300),
    "kqueue": ("kqueue", "kqueue", [], 120),
    "tsan-epoll": ("tsan", "epoll", [], 600),
    "tsan-poll": ("tsan", "poll", [], 600),
}
# Those with a tool, which take most of the time; `make test` does without.
WITH_TOOLS = ("valgrind", "asan-epoll", "asan-poll")
# That with a library which only tests have: on Linux, with kqueue in place of epoll.
WITH_KQUEUE = ("kqueue",)
# Those with ThreadSanitizer, for programs that have threads.
WITH_TSAN = ("tsan-epoll", "tsan-poll")
# What other profiles than the default run: the backends and the tools do not know the profiles.
VARIANTS_OF_OTHERS = ("so-epoll", "a-epoll", "asan-epoll", "valgrind", "tsan-epoll")
# Programs that know the profiles, and do not take long.
PROFILED = {"ae_profile", "anet_resolve", "anet_unix", "conn_unix_listener", "host_allocator"} | {
    name for name, profiles in PROGRAMS_OF.items() if set(profiles) != set(REGISTRY)
}
# Of their programs these run with valgrind, and with the archive, which is made of the same object as the shared
# library.
NARROWED_OF_OTHERS = {"valgrind": PROFILED, "a-epoll": PROFILED | set(LINKAGES_OF)}
# TLS programs take long, and hardly know the backends: what runs of them in these variants unless they are asked for.
# With valgrind, whose start takes a second and a handshake another, AddressSanitizer has to do for the rest.
TLS_LOOP = {"tls_connect", "tls_handshake", "tls_pending"}
TLS_NARROWED = {
    "so-poll": TLS_LOOP,
    "so-select": TLS_LOOP,
    "asan-poll": TLS_LOOP,
    "kqueue": TLS_LOOP,
    "valgrind": {"tls_cut", "tls_moves", "tls_pending", "tls_postpone", "tls_threads"},
}
# And in other profiles than the default: those that know the profiles.
TLS_PROFILES = TLS_LOOP | {
    "tls_config_6_2_0", "tls_config_upstream", "tls_end", "tls_moves", "tls_postpone", "tls_reload", "tls_threads",
    "tls_users",
}
TLS_NARROWED_OF_OTHERS = {
    "a-epoll": TLS_PROFILES,
    "asan-epoll": TLS_PROFILES,
    "valgrind": {"tls_moves", "tls_postpone"},
}

CANARY = r"""
#include <ae.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *write_member(void *el) {
    aeSetDontWait(el, 1);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc == 1) {
        puts(aeGetApiName());
    } else if (argv[1][0] == 'r') {        /* two threads write the same member of a loop */
        aeEventLoop *el = aeCreateEventLoop(8);
        pthread_t thread;
        pthread_create(&thread, NULL, write_member, el);
        aeSetDontWait(el, 1);
        pthread_join(thread, NULL);
        aeDeleteEventLoop(el);
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


class Library:
    """The library of a profile, and where its programs go."""

    def __init__(self, profile):
        self.profile = profile or DEFAULT_PROFILE
        self.is_default = self.profile == DEFAULT_PROFILE
        self.build = ROOT / "build" / profile if profile else ROOT / "build"
        self.include = ROOT / "target" / "include" / profile if profile else ROOT / "include"
        for path in self.include / "ae.h", self.build / "libae.so", self.build / "libae.a", self.build / "exports":
            if not path.exists():
                sys.exit(f"c-tests: {path.relative_to(ROOT)} is missing: run make {profile and f'ABI={profile} '}c-tests")

    def program(self, name, linkage):
        return self.build / "c-tests" / linkage / name

    def compiled(self, name, tool):
        return self.build / "c-tests" / (f"compiled-{tool}" if tool else "compiled") / f"{name}.o"


@functools.cache
def sanitizer_arguments():
    """The one AddressSanitizer runtime of the program: rustc's, for the C side too."""
    folder = pathlib.Path(completed(["rustc", "--print", "target-libdir"]).stdout.strip())
    found = sorted(folder.glob("librustc-*_rt.asan.a"))
    if not found:
        sys.exit(f"c-tests: {folder} has no AddressSanitizer runtime (rustup's toolchains for Linux on x86-64 have)")
    return with_runtime(found[0])


def thread_sanitizer_arguments():
    """The same of ThreadSanitizer."""
    runtime = os.environ.get("LIBAE_TSAN_RUNTIME", "")
    if not os.path.isfile(runtime):
        sys.exit("c-tests: LIBAE_TSAN_RUNTIME names no file: run make c-tests-tsan")
    return with_runtime(pathlib.Path(runtime))


def with_runtime(runtime):
    """The runtime, and the linker of its toolchain, where that has one: with all of the library's debug information the
    system's takes five times as long."""
    linker = runtime.parent.parent / "bin" / "gcc-ld"
    fast = [f"-B{linker}", "-fuse-ld=lld"] if (linker / "ld.lld").exists() else []
    return [*fast, "-Wl,--whole-archive", str(runtime), "-Wl,--no-whole-archive", "-rdynamic", "-lrt"]


def tool_of(linkage):
    """The sanitizer that a program is compiled with, if any."""
    return linkage if linkage in ("asan", "tsan") else None


def kqueue_arguments():
    """What gives a program kqueue(2)."""
    return os.environ.get("LIBAE_KQUEUE", "").split()


def link_arguments(library, linkage):
    """What a program needs to be linked with the library."""
    if linkage == "so":
        return [f"-L{library.build}", "-lae", f"-Wl,-rpath,{library.build}"]
    # The library's debug information would be up to forty megabytes in each program.
    if linkage == "a":
        # As libae-static.pc has it.
        return ["-Wl,--gc-sections", "-Wl,--strip-debug", str(library.build / "libae.a"), *SYSTEM_LIBS]
    if linkage == "kqueue":
        archive = str(library.build / "libae-kqueue.a")
        return ["-Wl,--gc-sections", "-Wl,--strip-debug", archive, *kqueue_arguments(), *SYSTEM_LIBS]
    if linkage == "tsan":
        # With it, so that a report has lines.
        return [str(library.build / "libae-tsan.a"), *thread_sanitizer_arguments(), *SYSTEM_LIBS]
    return ["-Wl,--strip-debug", str(library.build / "libae-asan.a"), *sanitizer_arguments(), *SYSTEM_LIBS]


def has_threads(source):
    text = source.read_text()
    return any(sign in text for sign in ("pthread_create(", '"another_thread.h"', '"names_test.h"'))


def up_to_date(product, *parts):
    return product.exists() and all(part.stat().st_mtime < product.stat().st_mtime for part in parts)


def compile_source(library, source, product, tool):
    """Returns what the compiler said when it failed."""
    parts = [source, *HERE.glob("*.h"), HERE / "run.py", *library.include.glob("*.h"), library.build / "exports"]
    if up_to_date(product, *parts):
        return None
    product.parent.mkdir(parents=True, exist_ok=True)
    compiler, standard = LANGUAGES[source.suffix]
    profile = [f"-I{library.include}", f'-DLIBAE_EXPORTS="{library.build / "exports"}"']
    optimized = OPTIMIZED if tool is None and library.is_default else []
    flags = [standard, *CFLAGS, *optimized, *profile, *{None: [], "asan": SANITIZE, "tsan": SANITIZE_THREADS}[tool]]
    result = completed([compiler, *flags, "-c", "-o", str(product), str(source)])
    return None if result.returncode == 0 else result.stderr


def link(library, source, compiled, program, linkage):
    """The same of the linker. Without -fsanitize, which would bring the C compiler's own runtime."""
    # A program finds libae.so when it starts, and is not made of it.
    archives = {
        "so": [], "a": [library.build / "libae.a"], "asan": [library.build / "libae-asan.a"],
        "kqueue": [library.build / "libae-kqueue.a", *filter(os.path.isfile, kqueue_arguments())],
        "tsan": [library.build / "libae-tsan.a"],
    }[linkage]
    archives = [pathlib.Path(archive) for archive in archives]
    if up_to_date(program, compiled, *archives):
        return None
    program.parent.mkdir(parents=True, exist_ok=True)
    hiredis = ["-lhiredis"] if source.name.startswith("hiredis_") else []
    compiler = LANGUAGES[source.suffix][0]
    result = completed([compiler, "-o", str(program), str(compiled), *hiredis, *link_arguments(library, linkage)])
    return None if result.returncode == 0 else result.stderr


def environment(backend, server, certificates_folder=None):
    env = dict(os.environ, LIBAE_BACKEND=backend, **SANITIZER_ENV)
    env.pop("LIBAE_TEST_CERTS", None)
    if certificates_folder:
        env["LIBAE_TEST_CERTS"] = str(certificates_folder)
    if server:
        env["AE_SERVER_PORT"] = str(server.port)
    return env


def canary(library, variant, folder):
    """Returns what is wrong with a variant, or None."""
    linkage, backend, runner, limit = VARIANTS[variant]
    source, program = folder / f"canary-{variant}.c", folder / f"canary-{variant}"
    source.write_text(CANARY)
    compiled = folder / f"canary-{variant}.o"
    complaint = compile_source(library, source, compiled, tool_of(linkage)) or link(
        library, source, compiled, program, linkage)
    if complaint:
        return complaint
    needed = completed(["readelf", "-dW", str(program)]).stdout
    if ("[libae.so." in needed) != (linkage == "so"):
        return f"it is not linked with {linkage}"
    env = environment(backend, None)
    status, output, _ = limited([*runner, str(program)], limit, env)
    if status != 0 or output.strip() != backend:
        return f"the backend is not {backend}: status {status}, {output}"
    if linkage == "asan":
        symbols = completed(["nm", str(program)]).stdout
        if symbols.count(" T __asan_init\n") != 1 or "libasan" in needed:
            return "the program has not exactly one AddressSanitizer runtime"
        if " U __asan_" not in completed(["nm", "-u", str(library.build / "libae-asan.a")]).stdout:
            return "libae-asan.a is not instrumented"
    if linkage == "tsan" and " U __tsan_" not in completed(["nm", "-u", str(library.build / "libae-tsan.a")]).stdout:
        return "libae-tsan.a is not instrumented"
    if linkage in ("asan", "tsan") or runner:
        errors = [("race", "aeSetDontWait")] if linkage == "tsan" else [("write", "aeStop"), ("leak", "main")]
        for error, sign in errors:
            status, output, _ = limited([*runner, str(program), error], limit, env)
            if status == 0 or sign not in output:
                return f"a deliberate {error} error went unnoticed: status {status}, {output}"
    return None


class Suite:
    """Builds programs and, as soon as one is there, runs its cases in all variants that it belongs to."""

    def __init__(self, library, outcomes, belongs, surroundings, arguments):
        self.library = library
        self.outcomes = outcomes
        self.belongs = belongs
        self.surroundings = surroundings
        self.case = arguments.case
        self.jobs = Jobs(arguments.jobs)

    def run(self, builds, folder):
        for variant in self.outcomes:
            self.jobs.compile(functools.partial(self.sang, variant), canary, self.library, variant, folder)
        for (source, tool), linkages in builds.items():
            then = functools.partial(self.compiled, source, tool, linkages)
            product = self.library.compiled(source.stem, tool)
            self.jobs.compile(then, compile_source, self.library, source, product, tool)
        self.jobs.finish()

    def sang(self, variant, complaint):
        if complaint is not None:
            self.outcomes[variant].fail(f"{variant}: canary", complaint)

    def compiled(self, source, tool, linkages, complaint):
        if complaint is not None:
            self.outcomes[self.variants(source, linkages[0])[0]].fail(f"{source.name} does not compile", complaint)
            return
        for linkage in linkages:
            then = functools.partial(self.built, source, linkage)
            product, program = self.library.compiled(source.stem, tool), self.library.program(source.stem, linkage)
            self.jobs.compile(then, link, self.library, source, product, program, linkage)

    def variants(self, source, linkage):
        """Those with this linkage that a program belongs to; what takes longest comes first."""
        variants = [name for name in self.outcomes if VARIANTS[name][0] == linkage and self.belongs(source, name)]
        return sorted(variants, key=lambda name: -VARIANTS[name][3])

    def built(self, source, linkage, complaint):
        variants = self.variants(source, linkage)
        if complaint is not None:
            self.outcomes[variants[0]].fail(f"{source.name} is not linked with {linkage}", complaint)
            return
        program = str(self.library.program(source.stem, linkage))
        listed = completed([program, "--list"], env=environment(VARIANTS[variants[0]][1], *self.surroundings))
        names = listed.stdout.split()
        if listed.returncode != 0 or not names:
            what = f"{source.stem} with {linkage}: --list fails or names no case"
            self.outcomes[variants[0]].fail(what, listed.stderr)
        for variant in variants:
            _, backend, runner, limit = VARIANTS[variant]
            env = environment(backend, *self.surroundings)
            if runner and self.case is None:
                # A tool takes its time to start: once for a program, which runs each case in a process that it forks.
                ended = functools.partial(self.ended_all, variant, f"{variant} {source.stem}", limit)
                self.jobs.run(ended, limited, [*runner, program], limit, env)
                continue
            for name in names:
                if self.case in (None, name):
                    ended = functools.partial(self.ended, variant, f"{variant} {source.stem} {name}", limit)
                    self.jobs.run(ended, limited, [*runner, program, name], limit, env)

    def ended(self, variant, what, limit, result):
        self.outcomes[variant].count(what, *result[:2], limit)

    def ended_all(self, variant, what, limit, result):
        self.outcomes[variant].count_all(what, *result[:2], limit)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--abi", default="", metavar="PROFILE", choices=("", *PROFILES), help=", ".join(PROFILES))
    parser.add_argument("programs", nargs="*", help="names of programs, without suffix; all by default")
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="may be repeated; the kind's by default")
    parser.add_argument("--kind", choices=("plain", "tools", "all", "kqueue", "tsan"), default="plain",
                        help="variants without tools (the default), with valgrind or AddressSanitizer, or both (all); "
                             "with kqueue (make c-tests-kqueue); or with ThreadSanitizer (make c-tests-tsan)")
    parser.add_argument("--case", help="one case's name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(),
                        help="as many compilers and twice as many cases run at once")
    arguments = parser.parse_args()

    library = Library(arguments.abi)
    sources = sorted(source for source in HERE.iterdir() if source.suffix in LANGUAGES)
    names = {source.stem for source in sources}
    named = set(PROGRAMS_OF) | set(NOT_WITH_KQUEUE) | set(NOT_WITH_TSAN) | set(LINKAGES_OF) | PROFILED | TLS_PROFILES
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
    usual = set(VARIANTS) - set(WITH_KQUEUE) - set(WITH_TSAN)
    kinds = {"plain": usual - set(WITH_TOOLS), "tools": set(WITH_TOOLS), "all": usual, "kqueue": set(WITH_KQUEUE),
             "tsan": set(WITH_TSAN)}
    all_variants = VARIANTS if library.is_default else VARIANTS_OF_OTHERS
    variants = arguments.variant or [variant for variant in all_variants if variant in kinds[arguments.kind]]

    if set(variants) & set(WITH_KQUEUE):
        for name in sorted(wanted.intersection(NOT_WITH_KQUEUE)):
            print(f"not with kqueue: {name}: {NOT_WITH_KQUEUE[name]}")
    if set(variants) & set(WITH_TSAN):
        for name in sorted(wanted.intersection(NOT_WITH_TSAN)):
            print(f"not with ThreadSanitizer: {name}: {NOT_WITH_TSAN[name]}")

    def belongs(source, variant):
        """Whether a program runs in a variant."""
        linkage = VARIANTS[variant][0]
        if linkage not in LINKAGES_OF.get(source.stem, (linkage,)):
            return False
        if variant in WITH_KQUEUE and source.stem in NOT_WITH_KQUEUE:
            return False
        if variant in WITH_TSAN:
            return has_threads(source) and source.stem not in NOT_WITH_TSAN
        if arguments.programs:
            return True
        if not library.is_default and variant == "so-epoll" and "asan-epoll" in variants:
            # What AddressSanitizer runs need not run without, too.
            return source.stem in PROFILED or not belongs(source, "asan-epoll")
        if source.stem.startswith("tls_"):
            narrow = (TLS_NARROWED if library.is_default else TLS_NARROWED_OF_OTHERS).get(variant)
        else:
            narrow = None if library.is_default else NARROWED_OF_OTHERS.get(variant)
        return narrow is None or source.stem in narrow

    builds = collections.defaultdict(list)
    for source in sorted(sources, key=lambda source: source.stem not in LONG):
        for linkage in dict.fromkeys(VARIANTS[variant][0] for variant in variants if belongs(source, variant)):
            builds[source, tool_of(linkage)].append(linkage)
    wants_server = any(source.name.startswith("hiredis_") for source in sources)
    server = AeServer() if wants_server else None
    wants_certificates = any('#include "tls_' in source.read_text() for source in sources)
    folder_of_certificates = certificates.make(library.build / "c-tests" / "certs") if wants_certificates else None
    outcomes = {variant: Outcome() for variant in variants}
    total = Outcome()
    try:
        if server:
            server.wait()
        with tempfile.TemporaryDirectory() as folder:
            suite = Suite(library, outcomes, belongs, (server, folder_of_certificates), arguments)
            suite.run(builds, pathlib.Path(folder))
    except Failure as reason:
        sys.exit(f"c-tests: {reason}")
    finally:
        if server:
            server.stop()
    for variant, outcome in outcomes.items():
        print(f"{variant}: {outcome}")
        total += outcome
    print(f"{'c-tests' if library.is_default else library.profile}: {total}")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
