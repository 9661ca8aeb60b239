"""What the machine must have: programs, headers and Tcl packages, by the Debian packages that they come in."""

import os
import shutil
import subprocess

from testkit.commands import Unavailable, environment, say


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
