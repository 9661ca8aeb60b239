"""Server processes."""

import os
import socket
import ssl
import subprocess
import tempfile
import time

from testkit.commands import Failure
from testkit.paths import BUILD
from testkit.ports import free_port
from testkit.resp import PATIENCE, Client, ReplyError

AE_SERVER = os.environ.get("AE_SERVER") or str(BUILD / "ae-server")
AE_CLI = os.environ.get("AE_CLI") or str(BUILD / "ae-cli")


class Server:
    """A process that listens on a port; a context manager that waits until it does, and ends it. `process` is for
    Popen."""

    def __init__(self, command, port, output=None, **process):
        self.port = port
        self.output = output or tempfile.TemporaryFile("w+b")
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=subprocess.STDOUT, **process)

    def __enter__(self):
        self.wait()
        return self

    def __exit__(self, *_):
        self.stop()

    def wait(self):
        """Until it can be used; a Failure with what it says when it ends instead."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                return self.reach()
            except (OSError, ReplyError):
                time.sleep(0.01)
        self.kill()
        raise Failure(f"{self.process.args[0]} does not start: {self.text()[-1000:]}")

    def reach(self):
        """Fails unless it listens."""
        socket.create_connection(("127.0.0.1", self.port)).close()

    def stop(self):
        """Ends the server; returns its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self):
        self.process.kill()
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        """What it has written. (Its place in the file is the server's, too.)"""
        file = self.output.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")

    def connect(self):
        return Client(self.port)


class OwnFolder(Server):
    """One of these programs in a folder of its own, where it saves only what it is told to."""

    def __init__(self, program, *options, port=None):
        port = port or free_port()
        self.folder = tempfile.TemporaryDirectory(prefix="ae-server-")
        super().__init__([program, "--bind", "127.0.0.1", "--dir", self.folder.name, "--save", "", "--port", port, *options],
                         port)

    def __exit__(self, *raised):
        super().__exit__(*raised)
        self.folder.cleanup()


class AeServer(OwnFolder):
    def __init__(self, *options, port=None):
        super().__init__(AE_SERVER, *options, port=port)


class RedisServer(OwnFolder):
    """Redis's own, as the machine has it."""

    def __init__(self, *options):
        super().__init__("redis-server", "--appendonly", "no", *options)


class TlsServer(AeServer):
    """One that has a TLS port, too; connect() goes there. Clients are asked for no certificate if not told
    otherwise."""

    def __init__(self, certificates, *options, cert="server", auth="no", plain=True):
        self.certificates = certificates
        self.tls_port = free_port()
        tls = ["--tls-port", self.tls_port, "--tls-cert-file", certificates[f"{cert}.crt"], "--tls-key-file",
               certificates[f"{cert}.key"], "--tls-ca-cert-file", certificates["ca.crt"], "--tls-auth-clients", auth]
        super().__init__(*tls, *options, *([] if plain else ["--port", "0"]))

    def connect(self, context=None):
        context = context or client_context(self.certificates)
        return Client(self.tls_port, lambda plain: context.wrap_socket(plain, server_hostname="localhost"))

    def plain(self):
        return super().connect()

    def reach(self):
        with socket.create_connection(("127.0.0.1", self.tls_port)) as probe:
            # It is not TLS, so that the server ends it; when that is seen here, nothing is left of it there.
            probe.sendall(b"anybody?")
            try:
                while probe.recv(100):
                    pass
            except ConnectionResetError:
                pass


def client_context(certificates, cert=None, version=None, ca="ca"):
    """How a client checks the server, and what it shows: one of the certificates, or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates[f"{ca}.crt"])
    if cert:
        context.load_cert_chain(certificates[f"{cert}.crt"], certificates[f"{cert}.key"])
    if version:
        context.minimum_version = context.maximum_version = version
    return context
