"""Runs cases: each as a process of its own, with a time limit, many side by side."""

import concurrent.futures
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

import support

SKIPPED = 77


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


# For the cases. (A function that Popen calls in the child would cost a copy of this process for each.)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_case(command, env, limit):
    """Runs a process in a session of its own; returns its status, or None when its time was over, and its output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env, start_new_session=True
        )
        with open(os.pidfd_open(process.pid), "rb") as ended:
            in_time = bool(select.select([ended], [], [], limit)[0])
        # Whatever it started ends with it; its number is not free before it is waited for.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        status = process.returncode if in_time else None
        output.seek(0)
        return status, output.read().decode(errors="replace")


def describe(status, limit):
    if status is None:
        return f"timed out after {limit} s"
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


class Server:
    """An ae-server for the programs that need one: of any profile, since they do not see it."""

    def __init__(self, program):
        self.port = support.free_port()
        self.process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
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


class Outcome:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def fail(self, what, output):
        self.failed += 1
        print(f"FAILED {what}", flush=True)
        for line in output.splitlines():
            print(f"    {line}")

    def count(self, what, status, output, limit):
        """A case's end."""
        if status == 0:
            self.passed += 1
        elif status == SKIPPED:
            self.skipped += 1
        else:
            self.fail(f"{what}: {describe(status, limit)}", output)

    def count_all(self, what, status, output, limit):
        """The end of a program that has run all its cases; its last line counts them."""
        counts = re.search(r": (\d+) cases, (\d+) failed, (\d+) skipped$", output, re.M)
        if counts is None or status not in (0, 1, SKIPPED):
            self.fail(f"{what}: {describe(status, limit)}", output)
            return
        cases, failed, skipped = map(int, counts.groups())
        self.passed += cases - failed - skipped
        self.skipped += skipped
        if failed or status == 1:
            self.fail(f"{what}: {failed} of its cases", output)
            self.failed += max(failed - 1, 0)

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


class Jobs:
    """What is to be done, in any number of steps: a step may start more, and is told how it went one at a time, in the
    thread that waits for all. Most cases wait for something most of the time, so more of them run at once than there
    are processors; compilers do not."""

    def __init__(self, processors):
        self.compilers = concurrent.futures.ThreadPoolExecutor(processors)
        self.runners = concurrent.futures.ThreadPoolExecutor(2 * processors)
        self.open = {}

    def compile(self, then, function, *arguments):
        self.open[self.compilers.submit(function, *arguments)] = then

    def run(self, then, function, *arguments):
        self.open[self.runners.submit(function, *arguments)] = then

    def finish(self):
        try:
            while self.open:
                done, _ = concurrent.futures.wait(self.open, return_when=concurrent.futures.FIRST_COMPLETED)
                for job in done:
                    self.open.pop(job)(job.result())
        finally:
            # After an interruption no other begins.
            for pool in self.compilers, self.runners:
                pool.shutdown(cancel_futures=True)
