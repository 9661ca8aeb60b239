"""CPU time of the server for each request of redis-benchmark: stock and libae in pairs, with stock's benchmark for
both."""

import re
import subprocess
import time

from build import STOCK
from pairs import PAIRS, measure, processors, summary
from servers import ForkServer
from testkit.commands import Failure, environment, say
from testkit.ports import free_port
from testkit.tcl import remove, scratch

ROWS = [(command, pipeline) for pipeline in (1, 16) for command in ("SET", "GET")]
CLIENTS = 50
SECONDS = 1.2
# What a new server's first requests cost besides: memory that it gets from the system.
WARM_UP = 0.2


class Bench:
    """Requests of `size` bytes, or of redis-benchmark's own size."""

    def __init__(self, trees, folder):
        self.trees = trees
        self.folder = folder
        self.client = trees[STOCK].program(trees[STOCK].fork.benchmark)
        self.on_one, self.on_others = processors()
        self.started = 0
        # All servers have it, one after the other.
        self.port = free_port()

    def cost(self, variant, command, pipeline, requests, size=None):
        """seconds of the server's CPU time per request, of a server of its own: memory lies elsewhere in each"""
        server = self.start(variant)
        try:
            self.load(server, command, pipeline, int(requests * WARM_UP), size)
            before = cpu_time(server.pid)
            self.load(server, command, pipeline, requests, size)
            return (cpu_time(server.pid) - before) / requests
        finally:
            server.kill()

    def requests(self, command, pipeline, size=None, step=10000):
        """as many as take some SECONDS, a multiple of `step`"""
        count = 2 * step * pipeline
        server = self.start(STOCK)
        try:
            start = time.monotonic()
            self.load(server, command, pipeline, count, size)
            rate = count / (time.monotonic() - start)
        finally:
            server.kill()
        return max(count, int(rate * SECONDS / step) * step)

    def start(self, variant, *options):
        self.started += 1
        tree = self.trees[variant]
        folder = self.folder / str(self.started)
        return ForkServer(tree.program(tree.fork.server), folder, self.port, *options, before=self.on_one)

    def load(self, server, command, pipeline, requests, size=None):
        self.run(server.port, command, pipeline, requests, *(() if size is None else ("-d", str(size))))

    def run(self, port, command, pipeline, requests, *more):
        done = subprocess.run([str(self.client), "-p", str(port), "-t", command.lower(), "-c", str(CLIENTS), "-P",
                               str(pipeline), "-n", str(requests), "-q", *more], capture_output=True, text=True,
                              env=environment(), timeout=120, preexec_fn=self.on_others)
        if done.returncode or not re.search(rf"{command}: [0-9.]+ requests per second", done.stdout):
            raise Failure(f"{self.client.name}: {done.stdout[-300:]} {done.stderr[-300:]}")


def cpu_time(pid):
    """seconds that all threads of the process have run, by the kernel's clock of that process"""
    return time.clock_gettime(~pid << 3 | 2)


def check(trees, pairs=PAIRS):
    """{row: summary}"""
    folder = scratch("forks-bench-")
    rows = {}
    try:
        bench = Bench(trees, folder)
        for command, pipeline in ROWS:
            requests = bench.requests(command, pipeline)
            costs = measure(lambda: bench.cost(STOCK, command, pipeline, requests),
                            lambda: bench.cost("libae", command, pipeline, requests), pairs)
            name = command if pipeline == 1 else f"{command} -P {pipeline}"
            rows[name] = summary(costs)
            say(f"  {name}: {rows[name]}")
    finally:
        remove(folder)
    return rows
