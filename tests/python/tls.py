"""What the tests over TLS have in common."""

import os
import re
import socket
import ssl
import time
import unittest
from pathlib import Path

import support  # noqa: F401: it knows where testkit is
from testkit.certificates import Certificates
from testkit.resp import PATIENCE
from testkit.server import TlsServer, client_context

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
CERTIFICATES = Certificates()


def context(cert=None, version=None, ca="ca"):
    return client_context(CERTIFICATES, cert, version, ca)


def common_name(client):
    return dict(part[0] for part in client.socket.getpeercert()["subject"])["commonName"]


def sleeps(server):
    """Whether the server waits for something, and is not even in the queue for a processor."""
    return Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "S"


def resident(server):
    """Bytes of memory."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) * 1024


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class ByHand:
    """A TLS client that leaves it to the test how its bytes get to the server."""

    def __init__(self, server, context):
        self.socket = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def do(self, call, send):
        """Calls something of the session until it is done; `send` gets what it has for the server."""
        while True:
            try:
                result = call()
            except ssl.SSLWantReadError:
                result = None
            send(self.outgoing.read())
            if result is not None:
                return result
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.incoming.write(data)

    def handshake(self, send=None):
        self.do(lambda: self.tls.do_handshake() or True, send or self.socket.sendall)

    def write(self, data):
        self.tls.write(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.do(lambda: self.tls.read(size - len(data)), self.socket.sendall)
            if not more:
                raise EOFError
            data += more
        return data


class TlsTest(unittest.TestCase):
    def server(self, *options, **settings):
        server = TlsServer(CERTIFICATES, *options, **settings).__enter__()
        self.addCleanup(self.stop, server)
        return server

    def stop(self, server):
        self.assertEqual(server.stop(), 0, server.text())

    def soon(self, condition, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def rests(self, server):
        """The server is found asleep twenty times in a row: one that spins, or wakes up all the time, never is."""
        self.soon(lambda: all(time.sleep(0.003) or sleeps(server) for _ in range(20)), "the server does not rest")

    def refused(self, server, pattern, **settings):
        """The client's error, from its handshake (TLS 1.2) or its first read (TLS 1.3)."""
        with self.assertRaisesRegex((ssl.SSLError, EOFError), pattern):
            with server.connect(context(**settings)) as client:
                client("PING")
