"""Paths, what the machine must have, and what else the steps share. Everything the tool makes lies in build/forks."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from testkit.paths import BUILD  # noqa: E402

FORKS = BUILD / "forks"
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
