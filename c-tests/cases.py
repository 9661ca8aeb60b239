"""What becomes of cases, which run many side by side."""

import concurrent.futures
import re
import resource
import signal

SKIPPED = 77

# For the cases. (A function that Popen calls in the child would cost a copy of this process for each.)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def describe(status, limit):
    if status is None:
        return f"timed out after {limit} s"
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"exit status {status}"


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
