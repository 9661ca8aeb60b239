"""CPU time of the server with TLS, stock with OpenSSL and libae in pairs: for each request of redis-benchmark --tls,
and for each connection of a client that shakes hands, sends PING, and goes. The client is the same for both, stock's
benchmark or this process, and so are the certificates, those of stock's test suite: RSA of 2048 bits."""

import contextlib
import os
import socket
import ssl

from bench import Bench, cpu_time
from build import LIBAE, STOCK
from pairs import PAIRS, measure, summary
from testkit.commands import Failure, say
from testkit.ports import free_port
from testkit.tcl import remove, scratch

# libae's CPU time is at most this part of stock's.
LIMIT = 1.00

SIZES = (3, 64 * 1024)
ROWS = [(command, pipeline, size) for size in SIZES for pipeline in (1, 16) for command in ("SET", "GET")]
# The numbers of requests are multiples of these.
STEPS = {3: 10000, 64 * 1024: 250}

# Each connection is a full handshake: the client keeps no session.
HANDSHAKES = {
    "handshake, TLS 1.3": (ssl.TLSVersion.TLSv1_3, True),
    "handshake, TLS 1.3, no client certificate": (ssl.TLSVersion.TLSv1_3, False),
    "handshake, TLS 1.2": (ssl.TLSVersion.TLSv1_2, True),
}
CONNECTIONS = 250
WARM_UP = 25


class TlsBench(Bench):
    def __init__(self, trees, folder):
        super().__init__(trees, folder)
        self.certificates = trees[STOCK].certificates
        self.tls_port = free_port()

    def start(self, variant, *options):
        """a server with both kinds of ports; `port` of what it returns is the plain one, `tls_port` the other"""
        files = {"cert-file": "server.crt", "key-file": "server.key", "ca-cert-file": "ca.crt"}
        settings = [word for name, file in files.items() for word in (f"--tls-{name}", str(self.certificates / file))]
        server = super().start(variant, "--tls-port", str(self.tls_port), *settings, *options)
        server.tls_port = self.tls_port
        return server

    def load(self, server, command, pipeline, requests, size=None):
        # The value that GET gets is there before.
        if command == "GET":
            self._run_tls(server, "SET", 1, 1, size)
        self._run_tls(server, command, pipeline, requests, size)

    def _run_tls(self, server, command, pipeline, requests, size):
        files = ("--tls", "--cert", self.certificates / "client.crt", "--key", self.certificates / "client.key",
                 "--cacert", self.certificates / "ca.crt", "-d", size)
        self.run(server.tls_port, command, pipeline, requests, *map(str, files))

    def handshake_cost(self, variant, version, certificate):
        """seconds of the server's CPU time for each connection"""
        server = self.start(variant, "--tls-auth-clients", "yes" if certificate else "no")
        context = self.context(version, certificate)
        affinity = os.sched_getaffinity(0)
        try:
            self.on_others()
            connect(context, server.tls_port, version, WARM_UP)
            before = cpu_time(server.pid)
            connect(context, server.tls_port, version, CONNECTIONS)
            return (cpu_time(server.pid) - before) / CONNECTIONS
        finally:
            os.sched_setaffinity(0, affinity)
            server.kill()

    def context(self, version, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.minimum_version = context.maximum_version = version
        context.load_verify_locations(self.certificates / "ca.crt")
        if certificate:
            context.load_cert_chain(self.certificates / "client.crt", self.certificates / "client.key")
        return context


def same_ciphers(bench):
    """{version: cipher suite} of both servers; they must not differ, or the work would"""
    found = {}
    for variant in (STOCK, LIBAE):
        server = bench.start(variant)
        try:
            for version in {version for version, _ in HANDSHAKES.values()}:
                with socket.create_connection(("127.0.0.1", server.tls_port), 5) as plain:
                    with bench.context(version, True).wrap_socket(plain) as connection:
                        found.setdefault(version.name, set()).add(connection.cipher()[0])
        finally:
            server.kill()
    for version, names in found.items():
        if len(names) > 1:
            raise Failure(f"with {version} the servers choose different cipher suites: {' and '.join(sorted(names))}")
    return {version: min(names) for version, names in found.items()}


def connect(context, port, version, times):
    """connections one after the other, each with a handshake, a PING and an end that both have seen"""
    name = version.name.replace("_", ".")
    for _ in range(times):
        with socket.create_connection(("127.0.0.1", port), 30) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain) as connection:
                connection.sendall(b"*1\r\n$4\r\nPING\r\n")
                if connection.recv(64) != b"+PONG\r\n" or connection.version() != name or connection.session_reused:
                    raise Failure(f"a connection with {connection.version()} has no answer, or not a handshake of its own")
                # Stock does not answer the end of the session, but closes.
                with contextlib.suppress(ssl.SSLEOFError):
                    connection.unwrap()


def check(trees, pairs=PAIRS):
    """{row: summary}"""
    folder = scratch("forks-tls-")
    rows = {}
    try:
        bench = TlsBench(trees, folder)
        say(f"  {same_ciphers(bench)}")
        for name, (version, certificate) in HANDSHAKES.items():
            rows[name] = in_pairs(name, lambda variant: bench.handshake_cost(variant, version, certificate), pairs)
        for command, pipeline, size in ROWS:
            requests = bench.requests(command, pipeline, size, STEPS[size])
            rows[title(command, pipeline, size)] = in_pairs(
                title(command, pipeline, size), lambda variant: bench.cost(variant, command, pipeline, requests, size), pairs)
    finally:
        remove(folder)
    return rows


def in_pairs(name, cost, pairs):
    row = summary(measure(lambda: cost(STOCK), lambda: cost(LIBAE), pairs))
    say(f"  {name}: {row}")
    return row


def title(command, pipeline, size):
    return command + (f" -P {pipeline}" if pipeline > 1 else "") + (", 64 KiB" if size > 3 else "")
