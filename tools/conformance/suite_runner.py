"""Runs units of Redis's Tcl suite against a server: one that this tool starts (external), or one that the suite starts
itself in place of redis-server (own). What hangs, ends the server or cannot run in this mode is left out in the next
run, so that the unit's other tests are counted."""

import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

import units
from outcome import merged, parse
from testkit import fetch
from testkit.commands import environment
from testkit.packages import find_program
from testkit.paths import BUILD
from testkit.ports import free_port
from testkit.server import Server
from testkit.tcl import PORTS_PER_WORKER, end_servers, kill_group, make_view

FOLDER = BUILD / "conformance"
MODES = ("external", "own")
# A unit is run at most so many times, each without the tests that stopped it before.
RUNS = 10
# Seconds: a run of a unit; and how long a test may take at least, whatever redis-server needs for it.
LIMIT = 900
SHORTEST_PATIENCE = 120
PATIENCE = 200
PROGRAMS = ("redis-cli", "redis-benchmark")
# What the suite runs in the own mode.
OWN = """#!/bin/sh
exec {command} "$@"
"""


def sources():
    """the folder with Redis's sources, unpacked"""
    folder = FOLDER / f"redis-{units.VERSION}"
    fetch.unpack(fetch.tarball("redis", units.VERSION, units.RELEASE), folder)
    for program in PROGRAMS:
        link = folder / "src" / program
        if not link.is_symlink():
            link.symlink_to(find_program(program))
    return folder


class Runner:
    """Of one server, `command`, in one mode; `label` names its logs."""

    def __init__(self, command, mode, label, root, first_port):
        self.command, self.mode, self.root, self.first_port = command, mode, root, first_port
        self.logs = FOLDER / "logs" / f"{label}-{mode}"
        self.logs.mkdir(parents=True, exist_ok=True)

    def run(self, unit, worker, patience=PATIENCE, skipped=(), again=lambda outcome: False):
        """the unit's outcome; `again` says whether to run it once more although nothing stopped it"""
        found, skipped, repeated = None, list(skipped), False
        for number in range(RUNS):
            one = self._run(unit, worker, patience, skipped, number)
            found = merged(found, one) if found else one
            stopped = [name for name in one.stopped + one.impossible if name not in skipped]
            if not stopped:
                if repeated or not again(found):
                    break
                repeated = True
            skipped += stopped
        return found

    def _run(self, unit, worker, patience, skipped, number):
        log = self.logs / f"{unit.replace('/', '-')}{f'-{number + 1}' if number else ''}.log"
        with tempfile.TemporaryDirectory(prefix="conformance-", dir="/tmp") as name:
            folder = Path(name)
            view = folder / "suite"
            make_view(self.root, view)
            start = time.monotonic()
            try:
                ended = (self._external if self.mode == "external" else self._own)(
                    folder, view, unit, worker, patience, skipped, log
                )
            finally:
                end_servers(folder)
        outcome = parse(log.read_text(errors="replace"), ended)
        outcome.seconds = round(time.monotonic() - start, 1)
        return outcome

    def _external(self, folder, view, unit, worker, patience, skipped, log):
        """whether the server may have ended by itself"""
        port = free_port()
        (folder / "server").mkdir()
        with open(log.with_suffix(".server.log"), "w+b") as output:
            server = Server(
                [*self.command, "--bind", "127.0.0.1", "--port", port, *units.EXTERNAL],
                port,
                output,
                cwd=folder / "server",
            )
            server.wait()
            try:
                self._suite(view, unit, worker, patience, skipped, log, ["--host", "127.0.0.1", "--port", str(port)])
                return server.process.poll() is not None
            finally:
                server.kill()

    def _own(self, folder, view, unit, worker, patience, skipped, log):
        (view / "src").unlink()
        (view / "src").mkdir()
        for program in PROGRAMS:
            (view / "src" / program).symlink_to(find_program(program))
        script = view / "src/redis-server"
        script.write_text(OWN.format(command=shlex.join(self.command)))
        script.chmod(0o755)
        first = self.first_port + worker * PORTS_PER_WORKER
        # The suite's own server listens on one of the 32 ports before the base port.
        self._suite(
            view,
            unit,
            worker,
            patience,
            skipped,
            log,
            ["--clients", "1", "--portcount", str(PORTS_PER_WORKER - 40)],
            first + 40,
        )
        return True  # for all that is known

    def _suite(self, view, unit, worker, patience, skipped, log, options, base=None):
        skipfile = view / "skipped"
        skipfile.write_text("\n".join(skipped))
        base = base or self.first_port + worker * PORTS_PER_WORKER + 40
        command = [
            "./runtest",
            "--single",
            unit,
            "--durable",
            "--dont-clean",
            "--timeout",
            str(int(patience)),
            "--baseport",
            str(base),
            "--skipfile",
            "skipped",
            *options,
        ]
        with open(log, "wb") as output:
            process = subprocess.Popen(
                command,
                cwd=view,
                env=environment(TERM="dumb"),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                output.write(f"\n[TIMEOUT]: ended after {LIMIT} s\n".encode())
            kill_group(process)


def absolute(command):
    """of a server, which works in another folder"""
    program, *words = command
    return [os.path.abspath(find_program(program) or program), *words]
