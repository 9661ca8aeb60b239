"""Redis's and its forks' own Tcl suites: what they print, a folder of its own for each that runs, ports for its
servers, and the end of whatever it started."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from testkit.commands import Failure, run

# Ports of the servers; the cluster bus is 10000 above. Both stay below what the system gives to outgoing connections.
# A run takes the first free of these ranges, so that two can go on beside each other.
RANGES = (11000, 16000)
PORTS_PER_WORKER = 480

ANSI = re.compile(r"\x1b\[[0-9;]*m")
LINE = re.compile(r"^\[(ok|err|skip|ignore|exception|TIMEOUT)\]: ?(.*)$")
DONE = re.compile(r"^\[\d+/\d+ done\]: ")


def scratch(prefix):
    """A folder with a short path: the paths of unix sockets below it must fit into 107 bytes."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))


def kill_group(process):
    """End a process that was started in a session of its own, with its children."""
    try:
        os.killpg(process.pid, 9)
    except ProcessLookupError:
        pass
    process.wait()


def processes_in(folder):
    """The processes whose working directory is in the folder: servers that made themselves daemons."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if Path(os.readlink(entry / "cwd").removesuffix(" (deleted)")).is_relative_to(folder):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


class Ports:
    """The first port of a range that no other run of this tool uses: its holder listens on the port itself."""

    def __enter__(self):
        for first in RANGES:
            self.holder = socket.socket()
            try:
                self.holder.bind(("127.0.0.1", first - 1))
                self.holder.listen(1)
                return first
            except OSError:
                self.holder.close()
        raise Failure("every range of ports is in use by another run")

    def __exit__(self, *_):
        self.holder.close()


def make_view(root, view):
    """A folder that looks like the fork's but has a tests/tmp of its own, where runtest clears up. The folders in tests
    are real ones, since Valkey 9.1's runtest asks where they really are."""
    (view / "tests/tmp").mkdir(parents=True)
    for entry in root.iterdir():
        if entry.name != "tests":
            (view / entry.name).symlink_to(entry)
    for entry in (root / "tests").iterdir():
        if entry.name != "tmp":
            run(["cp", "-rs", entry, view / "tests"])


def end_servers(folder):
    """ends what works in the folder; whoever starts processes there goes before they do"""
    while found := processes_in(folder):
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)


def remove(folder):
    end_servers(folder)
    subprocess.run(["rm", "-rf", folder])
