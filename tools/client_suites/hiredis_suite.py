"""hiredis' own test program, from Debian's source package: over TCP, a unix socket and TLS, and its asynchronous
interface."""

import re
import shutil
import socket
from contextlib import contextmanager
from pathlib import Path

from testkit import fetch
from testkit.certificates import Certificates
from testkit.commands import run
from testkit.ports import free_port
from unit import BUILD, FAILED, PASSED, SKIPPED, Unit, checked, run_program

NAME = "hiredis"
VERSION, RELEASE = "1.2.0", "trixie"
FOLDER = BUILD / "hiredis"
NEEDED = {"cc": "gcc", "make": "make", "openssl": "openssl"}
HEADERS = {"openssl/ssl.h": "libssl-dev", "event2/event.h": "libevent-dev"}
# Nothing answers there in the tests of what takes too long: in hiredis', a host elsewhere; here, `black_hole`.
THEIR_HOLE, HOLE = "192.168.254.254", "127.0.0.2"
# The program's: all have passed, or some have failed.
ENDS = (0, 1)


def units():
    return [Unit(NAME, run_program_on, options)]


def prepare():
    fetch.unpack(fetch.tarball(NAME, VERSION, RELEASE), FOLDER)
    source = FOLDER / "test.c"
    text = source.read_text()
    if THEIR_HOLE in text:
        source.write_text(text.replace(THEIR_HOLE, HOLE))
    run(["make", "-C", FOLDER, "USE_SSL=1", "TEST_ASYNC=1", "OPTIMIZATION=-O1", "hiredis-test"], timeout=300)


def options(folder):
    certificates = Certificates()
    for name in ("ca.crt", "server.crt", "server.key", "client.crt", "client.key"):
        shutil.copy(certificates[name], folder)
    (folder / "tls-port").write_text(str(free_port()))
    return [
        "--unixsocket", folder / "socket", "--tls-port", tls_port(folder), "--tls-cert-file", folder / "server.crt",
        "--tls-key-file", folder / "server.key", "--tls-ca-cert-file", folder / "ca.crt",
    ]


def tls_port(folder):
    return (folder / "tls-port").read_text()


def run_program_on(server, folder, only):
    command = [
        FOLDER / "hiredis-test", "-h", "127.0.0.1", "-p", server.port, "-s", folder / "socket",
        "--ssl-host", "127.0.0.1", "--ssl-port", tls_port(folder), "--ssl-ca-cert", folder / "ca.crt", "--ssl-cert", folder / "client.crt",
        "--ssl-key", folder / "client.key", "--skip-throughput",
    ]
    with black_hole(server.port):
        status, said = run_program(command, folder)
    return checked(NAME, parse(said), status, said, ENDS)


@contextmanager
def black_hole(port):
    """Something at the port of HOLE that accepts no connection: its queue is full."""
    with socket.socket() as hole:
        hole.bind((HOLE, port))
        hole.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex((HOLE, port))
        try:
            yield
        finally:
            for one in waiting:
                one.close()


def parse(said):
    """The tests in what the program writes: after a line about the connection, "#12 WHAT: PASSED" each, in colours."""
    found, section = [], "no connection"
    for line in re.sub(r"\x1b\[[0-9;]*m", "", said).splitlines():
        heading = re.match(r"Testing (?:against )?(.+?) ?\(", line)
        if heading:
            section = heading[1]
        test = re.match(r"#\d+ (.*?):? *(PASSED|FAILED|SKIPPED)$", line)
        if test:
            outcome = {"PASSED": PASSED, "FAILED": FAILED, "SKIPPED": SKIPPED}[test[2]]
            found.append((f"{NAME}::{section}::{test[1].strip()}", outcome, ""))
    return found
