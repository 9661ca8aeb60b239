"""Starts servers and talks RESP to them, for the test scripts beside this file."""

import itertools
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
AE_SERVER = os.environ.get("AE_SERVER") or str(ROOT / "build" / "ae-server")


CALLS = itertools.count(os.getpid() * 7)
# Abstract unix sockets, one for each port that this process has taken: no other test takes it meanwhile.
TAKEN = []


def free_port():
    """A port on which nobody listens. The system gives none below 32768 to a socket that asks for any, the suites of forks
    use none from 30000 on, and the other tests' processes are told: so nobody is on it a moment later."""
    while True:
        port = 30000 + next(CALLS) % 2700
        taken = socket.socket(socket.AF_UNIX)
        try:
            taken.bind(f"\0libae-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
            TAKEN.append(taken)
            return port
        except OSError:
            taken.close()


class Server:
    """A server process on a port of its own; a context manager that ends it."""

    def __init__(self, *options, program=None, port=None):
        self.port = port or free_port()
        program = program or [AE_SERVER, "--bind", "127.0.0.1"]
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [*program, "--port", str(self.port), *options], stdout=self.output, stderr=subprocess.STDOUT
        )

    @classmethod
    def redis(cls):
        return cls(program=["redis-server", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])

    def __enter__(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self.reach()
                return self
            except ConnectionRefusedError:
                time.sleep(0.01)
        self.stop()
        raise RuntimeError(f"the server did not start: {self.text()}")

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the server; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def text(self):
        self.output.seek(0)
        return self.output.read()

    def connect(self):
        return Client(("127.0.0.1", self.port))

    def reach(self):
        """Fails unless it listens."""
        socket.create_connection(("127.0.0.1", self.port)).close()


class TlsServer(Server):
    """One that has a TLS port, too; connect() goes there. Clients are asked for no certificate if not told otherwise."""

    def __init__(self, certificates, *options, cert="server", auth="no", plain=True):
        self.certificates = certificates
        self.tls_port = free_port()
        tls = ["--tls-port", self.tls_port, "--tls-cert-file", certificates[f"{cert}.crt"], "--tls-key-file",
               certificates[f"{cert}.key"], "--tls-ca-cert-file", certificates["ca.crt"], "--tls-auth-clients", auth]
        super().__init__(*map(str, tls), *options, *([] if plain else ["--port", "0"]))

    def connect(self, context=None):
        context = context or client_context(self.certificates)
        return Client(("127.0.0.1", self.tls_port), lambda plain: context.wrap_socket(plain, server_hostname="localhost"))

    def plain(self):
        return super().connect()

    def reach(self):
        with socket.create_connection(("127.0.0.1", self.tls_port)) as probe:
            # It is not TLS, so that nothing is left of it when this returns.
            probe.sendall(b"anybody?")
            try:
                probe.recv(100)
            except ConnectionResetError:
                pass


def client_context(certificates, cert=None, version=None, ca="ca"):
    """How a client checks the server, and what it shows: one of the certificates, or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates[f"{ca}.crt"])
    if cert:
        context.load_cert_chain(certificates[f"{cert}.pem"])
    if version:
        context.minimum_version = context.maximum_version = version
    return context


class Error(str):
    """An error reply."""


class Null:
    """A null of RESP2, which has two; RESP3's is None."""

    def __init__(self, kind):
        self.kind = kind

    def __repr__(self):
        return f"null {self.kind}"


NULL_BULK, NULL_ARRAY = Null("bulk"), Null("array")


class Text(bytes):
    """A RESP3 verbatim string."""


class Map(list):
    """A RESP3 map, as a list of pairs."""


class Set(list):
    """A RESP3 set."""


class Client:
    """A client that shows replies as they are."""

    def __init__(self, address, wrap=lambda plain: plain):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(20)
        self.socket.connect(address)
        self.socket = wrap(self.socket)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def send(self, *args):
        self.socket.sendall(request(*args))

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError(f"the connection ended after {line!r}")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Error(rest.decode("latin-1"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return NULL_BULK if size < 0 else self.file.read(size + 2)[:-2]
        if kind == b"*":
            size = int(rest)
            return NULL_ARRAY if size < 0 else [self.read() for _ in range(size)]
        if kind == b"_":
            return None
        if kind == b"=":
            return Text(self.file.read(int(rest) + 2)[:-2])
        if kind == b"%":
            return Map((self.read(), self.read()) for _ in range(int(rest)))
        if kind == b"~":
            return Set(self.read() for _ in range(int(rest)))
        raise ValueError(f"not a reply: {line!r}")

    def __call__(self, *args):
        self.send(*args)
        return self.read()


def request(*args):
    parts = [arg if isinstance(arg, bytes) else str(arg).encode() for arg in args]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def main(name):
    """Runs the tests of the calling script and prints the line that scripts/suites.sh counts by."""
    module = sys.modules["__main__"]
    selected = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or ["__main__"])
    selected = selected if sys.argv[1:] else unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(selected)
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{name}: {result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(bad > 0)
