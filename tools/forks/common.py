"""Paths, running of commands, and what the machine must have. Everything the tool makes lies in build/forks."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORKS = ROOT / "build" / "forks"
RESULTS = FORKS / "results"

# What to look for, and the Debian package it comes in.
COMMANDS = {
    "cc": "gcc", "g++": "g++", "make": "make", "nm": "binutils", "tar": "tar", "xz": "xz-utils", "pkg-config": "pkg-config",
}
SUITE_COMMANDS = {"tclsh": "tcl", "ps": "procps"}
TLS_COMMANDS = {"openssl": "openssl", "bash": "bash"}
TLS_HEADERS = {"openssl/ssl.h": "libssl-dev"}
TLS_TCL_PACKAGES = {"tls": "tcl-tls"}
WRK_COMMANDS = {"nginx": "nginx-light", "luajit": "luajit"}
WRK_HEADERS = {"luajit-2.1/lua.h": "libluajit-5.1-dev", "openssl/ssl.h": "libssl-dev"}


MAKES_OWN = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "LIBAE_ABI")


class Failure(Exception):
    """The target fails, for the reason given."""


class Unavailable(Exception):
    """What the target needs cannot be had on this machine; nothing is said about libae."""


def say(text):
    print(text, flush=True)


def environment(**more):
    """The environment without what a make that runs this tool put there: it is not for the forks' makefiles."""
    kept = {name: value for name, value in os.environ.items() if name not in MAKES_OWN}
    kept.update(LC_ALL="C.UTF-8", **more)
    return kept


def run(command, log=None, cwd=None, env=None, timeout=1800):
    """The command's standard output. With `log`, its output goes there instead; the end of it is shown on failure."""
    command = [str(word) for word in command]
    if log is None:
        done = subprocess.run(command, cwd=cwd, env=env or environment(), timeout=timeout, capture_output=True, text=True)
        output, errors = done.stdout, done.stderr
    else:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "w") as file:
            done = subprocess.run(command, cwd=cwd, env=env or environment(), timeout=timeout, stdout=file,
                                  stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        output, errors = "", log.read_text(errors="replace")
    if done.returncode != 0:
        tail = "\n".join((errors or output).splitlines()[-20:])
        raise Failure(f"{' '.join(command[:6])}: status {done.returncode}\n{tail}")
    return output


def require(commands, headers=None, tcl_packages=None):
    """Install what is missing as root on a system with apt-get; else say what is missing."""
    packages = _missing(commands, headers or {}, tcl_packages or {})
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        say("installing: " + " ".join(packages))
        quiet = environment(DEBIAN_FRONTEND="noninteractive")
        install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
        for command in (["apt-get", "update", "-qq"], install):
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
        packages = _missing(commands, headers or {}, tcl_packages or {})
    if packages:
        raise Unavailable(f"missing: {' '.join(packages)}; as root: apt-get update && apt-get install {' '.join(packages)}")


def _missing(commands, headers, tcl_packages):
    packages = {package for command, package in commands.items() if not find_program(command)}
    for header, package in headers.items():
        test = subprocess.run(["cc", "-E", "-"], input=f"#include <{header}>\n", capture_output=True, text=True)
        if test.returncode != 0:
            packages.add(package)
    for name, package in tcl_packages.items():
        if not has_tcl_package(name):
            packages.add(package)
    return sorted(packages)


def has_tcl_package(name):
    if not find_program("tclsh"):
        return False
    done = subprocess.run(["tclsh"], input=f"exit [catch {{package require {name}}}]\n", capture_output=True, text=True)
    return done.returncode == 0


def find_program(name):
    """nginx is where only root's PATH looks."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


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


def error(text):
    print(text, file=sys.stderr, flush=True)
