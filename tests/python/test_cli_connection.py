#!/usr/bin/env python3
"""How ae-cli connects: how long it tries, and what it shows and asks for over TLS."""

import os
import socket
import ssl
import subprocess
import threading
import unittest

from support import main
from testkit.certificates import Certificates
from testkit.resp import PATIENCE
from testkit.server import AE_CLI, TlsServer


def run(*words, **environment):
    done = subprocess.run([AE_CLI, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE,
                          env={**os.environ, **environment})
    return done.stdout, done.stderr.decode(), done.returncode


class Waiting(unittest.TestCase):
    def test_a_server_that_says_nothing(self):
        """It takes connections and answers no handshake."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            found = run("-p", port, "--tls", "--insecure", "-t", "0.1", "ping")
        self.assertEqual(found, (b"", f"Could not connect to Redis at 127.0.0.1:{port}: Connection timed out\n", 1))

    def test_a_server_that_answers_in_time(self):
        certificates = Certificates()
        with TlsServer(certificates) as server:
            self.assertEqual(run("-p", server.tls_port, "--tls", "--insecure", "-t", "600", "ping"), (b"PONG\n", "", 0))


class TlsAnswer(threading.Thread):
    """A TLS server for one connection: it answers a request, and keeps what it learned of the client."""

    def __init__(self, certificates):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(PATIENCE)
        self.port = self.listening.getsockname()[1]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates["server.crt"], certificates["server.key"])
        self.context.sni_callback = self.named
        self.asked_for, self.cipher = None, None
        self.start()

    def named(self, _, name, __):
        self.asked_for = name

    def run(self):
        with self.listening, self.listening.accept()[0] as plain, \
                self.context.wrap_socket(plain, server_side=True) as link:
            self.cipher = link.cipher()[0]
            link.recv(4096)
            link.sendall(b"+PONG\r\n")
            link.recv(1)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()

    def learned(self, *words, **version):
        server = TlsAnswer(self.certificates)
        for name, value in version.items():
            setattr(server.context, name, value)
        self.assertEqual(run("-p", server.port, "--tls", "--cacert", self.certificates["ca.crt"], *words, "ping"),
                         (b"PONG\n", "", 0))
        server.join()
        return server

    def test_the_name_that_is_asked_for(self):
        for words, name in (([], None), (["-h", "localhost"], "localhost"), (["--sni", "example.org"], "example.org"),
                            (["-h", "localhost", "--sni", "example.org"], "example.org")):
            with self.subTest(words):
                self.assertEqual(self.learned(*words).asked_for, name)

    def test_the_suites_that_are_offered(self):
        for suite in "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256":
            self.assertEqual(self.learned("--tls-ciphersuites", suite).cipher, suite)
        for suite in "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305":
            self.assertEqual(self.learned("--tls-ciphers", suite, maximum_version=ssl.TLSVersion.TLSv1_2).cipher, suite)

    def test_whom_it_trusts(self):
        certificates = self.certificates
        trusted, other = certificates["ca.crt"], certificates["other-ca.crt"]
        with TlsServer(certificates) as server:
            place = ["-p", server.tls_port, "--tls"]
            for words, environment, well in (
                (["--cacert", trusted], {}, True), (["--cacertdir", certificates["ca-dir"]], {}, True),
                ([], {"SSL_CERT_FILE": str(trusted)}, True), (["--insecure"], {"SSL_CERT_FILE": str(other)}, True),
                (["--cacert", other], {"SSL_CERT_FILE": str(trusted)}, False),
                (["--cacertdir", certificates["empty-dir"]], {"SSL_CERT_FILE": str(trusted)}, False),
                ([], {"SSL_CERT_FILE": str(other)}, False), ([], {}, False),
            ):
                with self.subTest(words, environment=environment):
                    out, err, status = run(*place, *words, "ping", **environment)
                    self.assertEqual((out, status), (b"PONG\n", 0) if well else (b"", 1))
                    if not well:
                        self.assertRegex(err, r"^Could not connect to Redis at 127\.0\.0\.1:\d+: .*certificate")

    def test_a_certificate_for_another_host_will_do(self):
        """As it does for redis-cli."""
        with TlsServer(self.certificates, cert="wrong-host") as server:
            for words in [], ["-h", "localhost"], ["--sni", "localhost"]:
                place = ["-p", server.tls_port, "--tls", "--cacert", self.certificates["ca.crt"]]
                self.assertEqual(run(*place, *words, "ping"), (b"PONG\n", "", 0))

    def test_a_server_without_tls(self):
        with TlsServer(self.certificates) as server:
            out, err, status = run("-p", server.port, "--tls", "--insecure", "ping")
            self.assertEqual((out, status), (b"", 1))
            self.assertRegex(err, r"^Could not connect to Redis at 127\.0\.0\.1:\d+: \S")


if __name__ == "__main__":
    main("cli-connection")
