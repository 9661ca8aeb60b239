#!/usr/bin/env python3
"""Plays random programs on libae and on stock's ae.c, anet.c and connection.c, redis 7.0.15's, and compares what they
do.

  differ.py --programs 100000 --seed 7 loop --backend epoll,poll
  differ.py loop --play program.txt

The tester `loop`: programs create and delete events and loops, open, fill and close descriptors, and run loops, in
callbacks as well. Time is simulated, and what is ready the program itself has made so. `anet`: programs call its
functions in any order, with good and bad arguments. `conn`: programs accept, connect, read, write and close, in
handlers as well, in the loop's simulated time. moves.c of each has all moves. What docs/api.md declares different is
taken into stock's side (declared.c, declared.h), and there alone. A difference is printed as the shortest program that
was found to show it, with what each side did; --play plays it again.

poll is compared with stock's epoll, the others with the same of stock. With --alone libae plays without stock: then
nothing is compared, but each callback is still one that has to be made."""

import argparse
import concurrent.futures
import difflib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import build  # noqa: E402
from shrink import shrunk  # noqa: E402
from testkit import profiles  # noqa: E402
from testkit.commands import Failure, Unavailable, error, say  # noqa: E402

# How programs end: main.c.
SAME, DIFFERENT, BROKEN, NO_PROGRAM, STOCK_BROKEN = range(5)
MEANINGS = {
    DIFFERENT: "the sides differ",
    BROKEN: "libae is against the rules",
    STOCK_BROKEN: "stock is against the rules",
}
# So many seeds are one process's at a time.
CHUNK = 20000
# Lines of the traces that are shown around a difference.
AROUND = 12
# A program with real sockets has to show something so often again: another process may have got into its way.
AGAIN = 3
SKIPPED = 77


@dataclass(frozen=True)
class Tester:
    """A program that plays on both sides, with a back end."""

    program: Path
    backend: str
    alone: bool = False

    def _run(self, *words, text=None):
        env = dict(os.environ, **build.c_tests.SANITIZER_ENV)
        env.pop("DIFFER_ALONE", None)
        if self.alone:
            env["DIFFER_ALONE"] = "1"
        command = [self.program, self.backend, *map(str, words)]
        done = subprocess.run(command, input=text, capture_output=True, text=True, errors="replace", env=env)
        return done.returncode if done.returncode >= 0 else 128 - done.returncode, done.stdout, done.stderr

    def first_difference(self, first, count):
        """The first of these seeds whose program does not end well, and what it wrote; or None."""
        status, output, errors = self._run(first, count)
        if status == SAME:
            return None
        if status == NO_PROGRAM or not output.strip():
            raise Failure(f"{self.program.name} {self.backend}: status {status}\n{errors}")
        seed, _, traces = output.partition("\n")
        return int(seed), compared(self.backend, status, traces, errors)

    def text(self, seed):
        return self._run("text", seed)[1]

    def play(self, lines):
        """how it ends, and what there is to say of that"""
        status, output, errors = self._run("play", text="".join(line + "\n" for line in lines))
        if status == NO_PROGRAM:
            raise Failure(errors)
        return status, compared(self.backend, status, output, errors)


def meaning(status):
    if status > 128:
        try:
            return f"the program is killed by {signal.Signals(status - 128).name}"
        except ValueError:
            pass
    return MEANINGS.get(status, f"the program ends with status {status}")


def compared(backend, status, output, errors):
    """what is to be said of how a program ended, with both sides' traces in its output"""
    ours, _, theirs = output.removeprefix("--- libae\n").partition("--- stock\n")
    ours, theirs = ours.splitlines(), theirs.splitlines()
    difference = list(difflib.unified_diff(ours, theirs, "libae", "stock", lineterm="", n=AROUND)) if theirs else []
    shown = difference or ours[-2 * AROUND:]
    return "\n".join([f"{backend}: {meaning(status)}", *shown, *errors.splitlines()[-40:]])


def report(tester, lines):
    """a program and what it shows"""
    return "\n".join([*(f"    {line}" for line in lines), tester.play(lines)[1]])


def shortest(tester, lines):
    wanted = tester.play(lines)[0]
    return shrunk(lines, lambda fewer: tester.play(fewer)[0] == wanted) if wanted != SAME else lines


def search(tester, first, count, jobs):
    """The lowest of these seeds that shows something, and what; or None."""
    chunks = [(begin, min(CHUNK, first + count - begin)) for begin in range(first, first + count, CHUNK)]
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        found = [pool.submit(tester.first_difference, *chunk) for chunk in chunks]
        try:
            for future in found:
                if (shown := future.result()) is not None:
                    return shown
        finally:
            pool.shutdown(cancel_futures=True)
    return None


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("testers", nargs="*", metavar="TESTER", help=f"{', '.join(build.TESTERS)}; all by default")
    parser.add_argument("--abi", default=profiles.DEFAULT, choices=profiles.NAMES, metavar="PROFILE",
                        help="whose library (%(default)s)")
    parser.add_argument("--backend", default=",".join(build.BACKENDS), help="with commas between them (%(default)s)")
    parser.add_argument("--asan", action="store_true", help="with AddressSanitizer")
    parser.add_argument("--alone", action="store_true", help="libae without stock")
    parser.add_argument("--programs", type=int, default=20000, help="of each tester with each back end (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first program (%(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (%(default)s)")
    parser.add_argument("--play", type=Path, metavar="FILE", help="this program alone")
    options = parser.parse_args(words)
    options.testers = options.testers or list(build.TESTERS)
    options.backend = options.backend.split(",")
    for names, known in (options.testers, build.TESTERS), (options.backend, build.BACKENDS):
        for name in names:
            if name not in known:
                parser.error(f"{name} is not one of {', '.join(known)}")
    if options.play and len(options.testers) > 1:
        parser.error("whose program is it?")
    return options


def run_tester(options, name, backend):
    """whether nothing was found"""
    tester = Tester(build.program(name, options.abi, backend, options.asan), backend, options.alone)
    if options.play:
        lines = options.play.read_text().splitlines()
        said = report(tester, lines) if tester.play(lines)[0] != SAME else None
    else:
        said = searched(tester, options, build.TESTERS[name].is_simulated)
        say(f"{name}, {options.abi}, {backend}: seeds {options.seed} to {options.seed + options.programs - 1}: "
            + ("a difference" if said else "no difference"))
    if said:
        say(said)
    return not said


def searched(tester, options, is_simulated):
    """What is to be said of the first program that shows something; None when none does."""
    first, last = options.seed, options.seed + options.programs
    while shown := search(tester, first, last - first, options.jobs):
        seed, what = shown
        lines = tester.text(seed).splitlines()
        if all(tester.play(lines)[0] != SAME for _ in range(1 if is_simulated else AGAIN)):
            return f"seed {seed}\n{report(tester, shortest(tester, lines))}"
        said = f"seed {seed}: this is not seen when it is played again\n{what}"
        if is_simulated:
            return said
        say(said)
        first = seed + 1
    return None


def main():
    options = arguments()
    runs = [(name, backend) for name in options.testers for backend in options.backend
            if backend in build.TESTERS[name].backends]
    passed = sum(run_tester(options, *run) for run in runs)
    say(f"differ: {passed} passed, {len(runs) - passed} failed")
    return 0 if passed == len(runs) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Unavailable as reason:
        error(str(reason))
        sys.exit(SKIPPED)
    except Failure as reason:
        error(str(reason))
        sys.exit(2)
