#!/usr/bin/env python3
"""Uses ae-server over TLS with redis-cli, redis-benchmark, redis-py, openssl s_client and Python's ssl, and abuses it."""

import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import redis

import test_like_redis
from certificates import PASSPHRASE, Certificates
from support import AE_SERVER, Client, TlsServer, client_context, free_port, main, request
from test_server import Basics

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = {"-tls1_2": TLS12, "-tls1_3": TLS13}
CERTIFICATES = None


def setUpModule():
    global CERTIFICATES
    CERTIFICATES = Certificates()
    unittest.addModuleCleanup(CERTIFICATES.remove)


def context(cert=None, version=None, ca="ca"):
    return client_context(CERTIFICATES, cert, version, ca)


def common_name(client):
    return dict(part[0] for part in client.socket.getpeercert()["subject"])["commonName"]


def cpu(server):
    """Seconds of processor time that the server has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(server):
    """Bytes of memory."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) * 1024


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


class ByHand:
    """A TLS client that leaves it to the test how its bytes get to the server."""

    def __init__(self, server, context):
        self.socket = socket.create_connection(("127.0.0.1", server.tls_port), 20)
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
            data += self.do(lambda: self.tls.read(size - len(data)), self.socket.sendall)
        return data


class TlsTest(unittest.TestCase):
    def server(self, *options, **settings):
        server = TlsServer(CERTIFICATES, *options, **settings).__enter__()
        self.addCleanup(self.stop, server)
        return server

    def stop(self, server):
        self.assertEqual(server.stop(), 0, server.text())

    def soon(self, condition, what, seconds=10):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def refused(self, server, pattern, **settings):
        """The client's error, from its handshake (TLS 1.2) or its first read (TLS 1.3)."""
        with self.assertRaisesRegex((ssl.SSLError, EOFError), pattern):
            with server.connect(context(**settings)) as client:
                client("PING")


# --- ordinary clients -------------------------------------------------------------------------------------------


class RedisPy(Basics):
    version = None

    @classmethod
    def start(cls):
        return TlsServer(CERTIFICATES)

    def client(self, **options):
        tls = {"ssl": True, "ssl_ca_certs": CERTIFICATES["ca.crt"], "ssl_check_hostname": True}
        return redis.Redis(port=self.server.tls_port, ssl_min_version=self.version, **tls, **options)


class RedisPyOver12(RedisPy, unittest.TestCase):
    version = TLS12
    protocol = 2

    @classmethod
    def start(cls):
        return TlsServer(CERTIFICATES, "--tls-protocols", "TLSv1.2")


class RedisPyOver13(RedisPy, unittest.TestCase):
    version = TLS13
    protocol = 3


class RandomCommands(test_like_redis.LikeRedis):
    @staticmethod
    def server():
        return TlsServer(CERTIFICATES)


class Clients(TlsTest):
    def cli(self, server, *args, cert=None, stdin=None):
        tls = ["--tls", "--cacert", CERTIFICATES["ca.crt"]]
        if cert:
            tls += ["--cert", CERTIFICATES[f"{cert}.crt"], "--key", CERTIFICATES[f"{cert}.key"]]
        done = subprocess.run(["redis-cli", "-p", str(server.tls_port), *tls, *args], input=stdin,
                              capture_output=True, text=True, timeout=20)
        return done.stdout + done.stderr

    def s_client(self, server, *args, stdin="PING\r\nQUIT\r\n"):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-CAfile", CERTIFICATES["ca.crt"],
             "-verify_return_error", "-ign_eof", *args],
            input=stdin, capture_output=True, text=True, timeout=20,
        )
        return done.stdout + done.stderr

    def test_redis_cli(self):
        for cert in ("server", "rsa-server", "chain-server"):
            for protocol in ("TLSv1.2", "TLSv1.3"):
                with self.subTest(cert=cert, protocol=protocol):
                    server = self.server("--tls-protocols", protocol, cert=cert)
                    self.assertEqual(self.cli(server, "set", "key", "a value"), "OK\n")
                    self.assertEqual(self.cli(server, "get", "key"), "a value\n")
                    lines = "".join(f"SET k{i} {i}\n" for i in range(1000))
                    self.assertIn("errors: 0, replies: 1000", self.cli(server, "--pipe", stdin=lines))

    def test_redis_cli_shows_its_certificate(self):
        server = self.server(auth="yes")
        for cert in ("client", "chain-client", "version-1"):
            self.assertEqual(self.cli(server, "ping", cert=cert), "PONG\n", cert)
        self.assertNotIn("PONG", self.cli(server, "ping"))
        self.assertNotIn("PONG", self.cli(server, "ping", cert="of-other-ca"))

    def test_s_client(self):
        server = self.server()
        for flag, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            output = self.s_client(server, flag, "-verify_hostname", "localhost")
            self.assertRegex(output, f"New, {name}, Cipher is ")
            self.assertIn("Verify return code: 0 (ok)", output)
            self.assertIn("+PONG", output)
        self.assertNotIn("+PONG", self.s_client(server, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"))

    def test_s_client_takes_sessions_up_again(self):
        server = self.server()
        output = self.s_client(server, "-tls1_2", "-reconnect")
        self.assertEqual((output.count("\nNew, TLSv1.2"), output.count("\nReused, TLSv1.2")), (1, 5), output)
        with tempfile.TemporaryDirectory() as folder:
            kept = str(Path(folder) / "session")
            self.assertIn("New, TLSv1.3", self.s_client(server, "-tls1_3", "-sess_out", kept))
            self.assertIn("Reused, TLSv1.3", self.s_client(server, "-tls1_3", "-sess_in", kept))

    def test_sessions_can_be_turned_off(self):
        server = self.server("--tls-session-caching", "no")
        output = self.s_client(server, "-tls1_2", "-reconnect")
        self.assertEqual((output.count("\nNew, TLSv1.2"), output.count("\nReused")), (6, 0), output)

    def reuses(self, server, version, pause=0):
        using = context(version=version)

        def connect(session=None):
            plain = socket.create_connection(("127.0.0.1", server.tls_port), 20)
            with using.wrap_socket(plain, server_hostname="localhost", session=session) as client:
                client.sendall(b"PING\r\n")
                self.assertEqual(client.recv(100), b"+PONG\r\n")
                return client.session, client.session_reused

        session, _ = connect()
        time.sleep(pause)
        return connect(session)[1]

    def test_sessions_end(self):
        server = self.server("--tls-session-cache-timeout", "1")
        for version in (TLS12, TLS13):
            self.assertTrue(self.reuses(server, version))
            self.assertFalse(self.reuses(server, version, 1.1))

    def test_a_session_does_not_get_round_a_new_demand_for_certificates(self):
        server = self.server()
        for version in (TLS12, TLS13):
            using = context(version=version)
            plain = socket.create_connection(("127.0.0.1", server.tls_port), 20)
            with using.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"CONFIG SET tls-auth-clients yes\r\n")
                self.assertEqual(client.recv(100), b"+OK\r\n")
                session = client.session
            plain = socket.create_connection(("127.0.0.1", server.tls_port), 20)
            with self.assertRaises(ssl.SSLError):
                with using.wrap_socket(plain, server_hostname="localhost", session=session) as client:
                    client.sendall(b"PING\r\n")
                    client.recv(100)
            with server.plain() as client:
                self.assertEqual(client("CONFIG", "SET", "tls-auth-clients", "no"), "OK")

    def test_benchmark_with_pipelines(self):
        server = self.server()
        for options in (["-P", "16", "-n", "40000", "-r", "1000"], ["-P", "16", "-n", "8000", "-d", "10000"],
                        ["-n", "8000", "-c", "100", "--threads", "2"]):
            done = subprocess.run(
                ["redis-benchmark", "-p", str(server.tls_port), "--tls", "--cacert", CERTIFICATES["ca.crt"], "--csv",
                 "-t", "set,get", *options], capture_output=True, text=True, timeout=60,
            )
            output = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, output)
            self.assertRegex(output, '"SET","[0-9.]+"')
            self.assertRegex(output, '"GET","[0-9.]+"')
            self.assertNotRegex(output, "(?i)error|fail|could not")


# --- certificates -----------------------------------------------------------------------------------------------


class WhoMayConnect(TlsTest):
    REFUSED = {
        "of-other-ca": "UNKNOWN_CA", "expired": "EXPIRED", "too-new": "EXPIRED|BAD_CERTIFICATE", "server": "CERTIFICATE",
        "version-1-of-other-ca": "UNKNOWN_CA", "version-1-expired": "EXPIRED",
    }

    def test_certificates_are_demanded(self):
        server = self.server(auth="yes")
        for version in (TLS12, TLS13):
            for cert in ("client", "chain-client", "version-1"):
                with self.subTest(version=version, cert=cert), server.connect(context(cert, version)) as client:
                    self.assertEqual(client("PING"), "PONG")
            self.refused(server, "CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE", version=version)
            for cert, why in self.REFUSED.items():
                with self.subTest(version=version, cert=cert):
                    self.refused(server, why, version=version, cert=cert)

    def test_certificates_are_optional(self):
        server = self.server(auth="optional")
        for version in (TLS12, TLS13):
            for cert in (None, "client"):
                with server.connect(context(cert, version)) as client:
                    self.assertEqual(client("PING"), "PONG")
            for cert, why in self.REFUSED.items():
                self.refused(server, why, version=version, cert=cert)

    def test_certificates_are_not_asked_for(self):
        server = self.server(auth="no")
        for version in (TLS12, TLS13):
            for cert in (None, "client", "expired"):
                with server.connect(context(cert, version)) as client:
                    self.assertEqual(client("PING"), "PONG")

    def test_the_log_says_why(self):
        server = self.server("--loglevel", "verbose", auth="yes")
        for cert, why in ((None, "no certificate"), ("of-other-ca", "not signed by a known CA"), ("expired", "expired")):
            self.refused(server, "", cert=cert)
            self.soon(lambda: why in server.text(), f"{why} is not in the log: {server.text()}", 2)

    def test_folder_of_cas(self):
        server = self.server("--tls-ca-cert-file", "", "--tls-ca-cert-dir", CERTIFICATES["hashed"], auth="yes")
        with server.connect(context("client")) as client:
            self.assertEqual(client("PING"), "PONG")
        self.refused(server, "UNKNOWN_CA", cert="of-other-ca")

    def test_encrypted_key(self):
        server = self.server("--tls-key-file", CERTIFICATES["encrypted.key"], "--tls-key-file-pass", PASSPHRASE)
        with server.connect() as client:
            self.assertEqual(client("PING"), "PONG")

    def test_clients_refuse_the_server(self):
        server = self.server(cert="elsewhere")
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "Hostname mismatch"):
            server.connect()
        with self.assertRaisesRegex(redis.ConnectionError, "Hostname mismatch"):
            redis.Redis(port=server.tls_port, ssl=True, ssl_ca_certs=CERTIFICATES["ca.crt"], ssl_check_hostname=True,
                        retry=None).ping()
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "unable to get local issuer"):
            server.connect(context(ca="other-ca"))
        for cert, why in (("expired", "has expired"), ("too-new", "not yet valid")):
            with self.assertRaisesRegex(ssl.SSLCertVerificationError, why):
                self.server(cert=cert).connect()
        # It lives, and serves whoever does not ask for the name.
        lenient = context()
        lenient.check_hostname = False
        with server.connect(lenient) as client:
            self.assertEqual(client("PING"), "PONG")


# --- configuration ----------------------------------------------------------------------------------------------


class Configuration(TlsTest):
    def start(self, *options):
        """What a server that cannot start says."""
        done = subprocess.run([AE_SERVER, "--bind", "127.0.0.1", *options], capture_output=True, text=True, timeout=5)
        self.assertEqual((done.returncode, done.stdout, done.stderr.count("\n")), (1, "", 1), done)
        return done.stderr

    def test_what_is_wrong_is_one_line(self):
        files = CERTIFICATES
        port = ["--port", "0", "--tls-port", str(free_port())]
        good = {"--tls-cert-file": files["server.crt"], "--tls-key-file": files["server.key"],
                "--tls-ca-cert-file": files["ca.crt"]}
        for changes, patterns in (
            ({"--tls-key-file": None}, ["tls-key-file"]),
            ({"--tls-cert-file": None}, ["tls-cert-file"]),
            ({"--tls-cert-file": None, "--tls-key-file": None}, ["tls-cert-file|certificate"]),
            ({"--tls-ca-cert-file": None}, ["tls-ca-cert-file", "tls-auth-clients"]),
            ({"--tls-key-file": files["client.key"]}, ["tls-key-file", "client.key", "server.crt"]),
            ({"--tls-key-file": files["encrypted.key"]}, ["tls-key-file", "encrypted", "tls-key-file-pass"]),
            ({"--tls-key-file": files["encrypted.key"], "--tls-key-file-pass": "no"}, ["tls-key-file-pass"]),
            ({"--tls-key-file": files["server.crt"]}, ["tls-key-file", "server.crt"]),
            ({"--tls-key-file": files["missing"]}, ["tls-key-file", "missing", "No such file"]),
            ({"--tls-cert-file": files["missing"]}, ["tls-cert-file", "missing", "No such file"]),
            ({"--tls-cert-file": files["no-certificate"]}, ["tls-cert-file", "no-certificate"]),
            ({"--tls-cert-file": str(files.folder)}, ["tls-cert-file", "directory"]),
            ({"--tls-ca-cert-file": files["missing"]}, ["tls-ca-cert-file", "missing"]),
            ({"--tls-ca-cert-file": files["no-certificate"]}, ["tls-ca-cert-file"]),
            ({"--tls-ca-cert-dir": files["missing"]}, ["tls-ca-cert-dir", "missing"]),
            ({"--tls-ca-cert-dir": str(files.folder), "--tls-ca-cert-file": None}, ["tls-ca-cert-dir"]),
            ({"--tls-protocols": "TLSv1.1"}, ["tls-protocols", r"TLSv1\.1"]),
            ({"--tls-protocols": "TLSv1.1 TLSv1.2"}, ["tls-protocols", r"TLSv1\.1"]),
            ({"--tls-protocols": "SSLv3"}, ["tls-protocols", "SSLv3"]),
            ({"--tls-ciphers": "AES128-SHA"}, ["tls-ciphers", "AES128-SHA"]),
            ({"--tls-ciphers": "NONSENSE"}, ["tls-ciphers", "NONSENSE"]),
            ({"--tls-ciphersuites": "TLS_NULL"}, ["tls-ciphersuites", "TLS_NULL"]),
            ({"--tls-dh-params-file": files["dh"]}, ["tls-dh-params-file"]),
            ({"--tls-auth-clients": "perhaps"}, ["tls-auth-clients", "yes"]),
            ({"--tls-session-caching": "perhaps"}, ["tls-session-caching"]),
            ({"--tls-session-cache-size": "-1"}, ["tls-session-cache-size"]),
            ({"--tls-session-cache-timeout": "soon"}, ["tls-session-cache-timeout"]),
            ({"--tls-max-handshakes": "0"}, ["tls-max-handshakes"]),
            ({"--tls-handshake-timeout": "-1"}, ["tls-handshake-timeout"]),
            ({"--tls-port": "65536"}, ["tls-port"]),
        ):
            options = [word for name, value in {**good, **changes}.items() if value is not None for word in (name, value)]
            with self.subTest(changes=changes):
                line = self.start(*port, *options)
                for pattern in patterns:
                    self.assertRegex(line, pattern)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            options = [word for pair in good.items() for word in pair]
            line = self.start("--port", "0", "--tls-port", str(taken.getsockname()[1]), *options)
            self.assertIn("in use", line)

    def test_ports_and_socket_beside_each_other(self):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "socket")
            server = self.server("--unixsocket", path)
            with server.connect() as tls, server.plain() as plain, Client(path) as unix:
                for number, client in enumerate((tls, plain, unix)):
                    self.assertEqual(client("SET", f"k{number}", "v"), "OK")
                self.assertEqual([client("DBSIZE") for client in (tls, plain, unix)], [3, 3, 3])
                addresses = re.findall(rb"laddr=(\S+)", plain("CLIENT", "LIST"))
                expected = [f"127.0.0.1:{server.tls_port}", f"127.0.0.1:{server.port}", "/unixsocket:0"]
                self.assertEqual(sorted(addresses), sorted(name.encode() for name in expected))
            self.assertIn(f"127.0.0.1:{server.tls_port} (TLS)", server.text())

    def test_tls_alone(self):
        server = self.server(plain=False)
        with server.connect() as client:
            self.assertEqual(client("PING"), "PONG")
        with self.assertRaises(ConnectionRefusedError):
            server.plain()

    def test_one_protocol(self):
        for name, version, other in (("TLSv1.2", TLS12, TLS13), ("TLSv1.3", TLS13, TLS12)):
            server = self.server("--tls-protocols", name)
            with server.connect(context(version=version)) as client:
                self.assertEqual(client.socket.version(), name)
            self.refused(server, "VERSION", version=other)

    def test_cipher_suites(self):
        server = self.server("--tls-ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256",
                             "--tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "--tls-prefer-server-ciphers", "yes")
        with server.connect() as client:
            self.assertEqual(client.socket.cipher()[0], "TLS_CHACHA20_POLY1305_SHA256")
        using = context(version=TLS12)
        for offered, expected in (
            ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"),
            ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ):
            using.set_ciphers(offered)
            with server.connect(using) as client:
                self.assertEqual(client.socket.cipher()[0], expected)
        using.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        with self.assertRaisesRegex(ssl.SSLError, "HANDSHAKE_FAILURE"):
            server.connect(using)

    def test_certificate_is_changed_while_clients_are_connected(self):
        server = self.server()
        files = CERTIFICATES
        with server.connect() as old:
            change = ["CONFIG", "SET", "tls-cert-file", files["chain-server.crt"], "tls-key-file", files["chain-server.key"]]
            self.assertEqual(old(*change), "OK")
            self.assertEqual(old("SET", "k", b"v" * 100_000), "OK")
            with server.connect() as new:
                self.assertEqual((common_name(old), common_name(new)), ("server", "chain-server"))
                self.assertEqual(len(new("GET", "k")), 100_000)
                self.assertEqual(new("CONFIG", "GET", "tls-cert-file"), [b"tls-cert-file", files["chain-server.crt"].encode()])

    def test_what_cannot_be_used_changes_nothing(self):
        server = self.server()
        with server.connect() as client:
            before = client("CONFIG", "GET", "tls-*")
            for name, value in (
                ("tls-cert-file", CERTIFICATES["missing"]),
                ("tls-cert-file", CERTIFICATES["no-certificate"]),
                ("tls-key-file", CERTIFICATES["client.key"]),
                ("tls-key-file", CERTIFICATES["encrypted.key"]),
                ("tls-ca-cert-file", CERTIFICATES["missing"]),
                ("tls-ca-cert-dir", CERTIFICATES["missing"]),
                ("tls-protocols", "TLSv1.1"),
                ("tls-ciphers", "NONSENSE"),
                ("tls-ciphersuites", "NONSENSE"),
                ("tls-auth-clients", "perhaps"),
                ("tls-max-handshakes", "0"),
                ("tls-dh-params-file", CERTIFICATES["dh"]),
            ):
                with self.subTest(name=name, value=value):
                    error = client("CONFIG", "SET", name, value)
                    self.assertRegex(error, "^ERR ")
                    self.assertIn(name, error)
                    self.assertEqual(client("CONFIG", "GET", "tls-*"), before)
                    with server.connect() as other:
                        self.assertEqual((common_name(other), other("PING")), ("server", "PONG"))
            self.assertEqual(len(before) // 2, len({name for name in before[::2]}))

    def test_same_path_is_read_again(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / "crt", Path(folder) / "key"]

            def put(name):
                for path, ending in zip(paths, ("crt", "key")):
                    path.write_bytes(CERTIFICATES.read(f"{name}.{ending}"))

            put("server")
            server = self.server("--tls-cert-file", str(paths[0]), "--tls-key-file", str(paths[1]))
            put("rsa-server")
            with server.connect() as client:
                self.assertEqual(common_name(client), "server")
                self.assertEqual(client("CONFIG", "SET", "tls-cert-file", str(paths[0])), "OK")
            with server.connect() as client:
                self.assertEqual(common_name(client), "rsa-server")

    def test_parameters_are_shown_and_set(self):
        server = self.server()
        with server.connect() as client:
            for name, default, other in (
                ("tls-auth-clients", "no", "optional"), ("tls-protocols", "", "TLSv1.3"), ("tls-ciphers", "", "DEFAULT"),
                ("tls-ciphersuites", "", "TLS_AES_128_GCM_SHA256"), ("tls-prefer-server-ciphers", "no", "yes"),
                ("tls-session-caching", "yes", "no"), ("tls-session-cache-size", "20480", "1"),
                ("tls-session-cache-timeout", "300", "5"), ("tls-max-handshakes", "1000", "2"),
                ("tls-handshake-timeout", "10000", "3000"), ("tls-key-file-pass", "", "unused"),
            ):
                self.assertEqual(client("CONFIG", "GET", name), [name.encode(), default.encode()])
                self.assertEqual(client("CONFIG", "SET", name, other), "OK")
                self.assertEqual(client("CONFIG", "GET", name), [name.encode(), other.encode()])
            self.assertEqual(client("CONFIG", "GET", "tls-port"), [b"tls-port", str(server.tls_port).encode()])
            self.assertIn("tls-port", client("CONFIG", "SET", "tls-port", "1"))


# --- the same as without TLS ------------------------------------------------------------------------------------


class LikeWithoutTls(TlsTest):
    def test_clients_describe_themselves(self):
        server = self.server()
        with server.connect() as one, server.connect(context(version=TLS12)) as other:
            self.assertEqual(one("CLIENT", "SETNAME", "me"), "OK")
            info = dict(part.split("=", 1) for part in one("CLIENT", "INFO").decode().split())
            port = one.socket.getsockname()[1]
            self.assertEqual((info["name"], info["addr"], info["laddr"], info["flags"], info["cmd"]),
                             ("me", f"127.0.0.1:{port}", f"127.0.0.1:{server.tls_port}", "N", "client|info"))
            self.assertEqual(other("CLIENT", "LIST").count(b"\n"), 2)
            self.assertEqual(other("CLIENT", "KILL", "ID", info["id"]), 1)
            with self.assertRaises(EOFError):
                one("PING")
            self.assertEqual(other("CLIENT", "LIST").count(b"\n"), 1)

    def test_maxclients(self):
        server = self.server("--maxclients", "2")
        for version in (TLS12, TLS13):
            with server.connect() as one, server.connect() as two:
                self.assertEqual((one("PING"), two("PING")), ("PONG", "PONG"))
                with server.connect(context(version=version)) as third:
                    self.assertRegex(third.read(), "max number of clients reached")
                    self.assertEqual(third.socket.recv(1), b"")
            with server.plain() as client:
                self.soon(lambda: client("CLIENT", "LIST").count(b"\n") == 1, "the clients stay")

    def test_idle_clients_are_closed_properly(self):
        server = self.server("--timeout", "1")
        plain = socket.create_connection(("127.0.0.1", server.tls_port), 20)
        with context().wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as client:
            client.sendall(b"PING\r\n")
            self.assertEqual(client.recv(100), b"+PONG\r\n")
            # Without close_notify this raises.
            self.assertEqual(client.recv(100), b"")

    def test_password(self):
        server = self.server("--requirepass", "secret")
        with server.connect() as client:
            self.assertRegex(client("GET", "k"), "^NOAUTH")
            self.assertEqual(client("AUTH", "secret"), "OK")
            self.assertEqual(client("GET", "k").kind, "bulk")

    def test_protected_mode(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
                address = probe.getsockname()[0]
            except OSError:
                address = "127.0.0.1"
        if address.startswith("127."):
            self.skipTest("this machine has no other address")
        server = self.server("--bind", "127.0.0.1", address)
        using = context()
        using.check_hostname = False

        def connect():
            return Client((address, server.tls_port), using.wrap_socket)

        with connect() as client:
            self.assertRegex(client.read(), "^DENIED .*protected mode")
            with self.assertRaises(EOFError):
                client.read()
        with server.connect() as local:
            self.assertEqual(local("CONFIG", "SET", "protected-mode", "no"), "OK")
        with connect() as client:
            self.assertEqual(client("PING"), "PONG")

    def test_protocol_errors_are_answered(self):
        server = self.server()
        with server.connect() as client:
            client.socket.sendall(b"*1\r\n$x\r\n")
            self.assertRegex(client.read(), "Protocol error")
            with self.assertRaises(EOFError):
                client.read()

    def test_shutdown(self):
        server = TlsServer(CERTIFICATES)
        with server, server.connect() as client, server.connect() as other:
            client.send("SHUTDOWN")
            self.assertEqual(server.process.wait(10), 0)
            self.assertEqual(other.socket.recv(1), b"")


# --- amounts ----------------------------------------------------------------------------------------------------


class Amounts(TlsTest):
    def test_tiny_records(self):
        server = self.server()
        count = 1700
        for version in (TLS12, TLS13):
            with server.connect(context(version=version)) as client:
                for byte in b"PING\r\n" * count:
                    client.socket.send(bytes([byte]))
                self.assertEqual([client.read() for _ in range(count)], ["PONG"] * count)

    def test_tiny_records_at_once(self):
        # In one piece they reach the server faster than it takes them from its buffer.
        server = self.server()
        count = 1700
        for version in (TLS12, TLS13):
            with ByHand(server, context(version=version)) as client:
                client.handshake()
                for byte in b"PING\r\n" * count:
                    client.write(bytes([byte]))
                client.socket.sendall(client.outgoing.read())
                self.assertEqual(client.read(7 * count), b"+PONG\r\n" * count)
        self.rests(server)

    def test_large_value(self):
        server = self.server()
        value = os.urandom(1_000_000) * 100
        with server.connect() as client:
            self.assertEqual(client("SET", "k", value), "OK")
            self.assertTrue(client("GET", "k") == value)
            self.assertTrue(client("GET", "k") == value)
        with server.connect(context(version=TLS12)) as client:
            self.assertTrue(client("GET", "k") == value)
        self.rests(server)

    def test_slow_reader(self):
        server = self.server()
        value, count = b"v" * 15_000, 30_000
        with server.connect() as client, server.connect() as other:
            self.assertEqual(client("SET", "k", value), "OK")
            sender = threading.Thread(target=client.socket.sendall, args=(request("GET", "k") * count,))
            sender.start()
            # It reads nothing while replies of 450 MB pile up, if they can.
            time.sleep(1)
            self.assertEqual(other("PING"), "PONG")
            pile = resident(server)
            self.assertLess(pile, 450_000_000)
            self.assertGreater(pile, 100_000_000)
            self.rests(server)
            reply = b"$%d\r\n%s\r\n" % (len(value), value)
            for _ in range(count):
                self.assertEqual(client.file.read(len(reply)), reply)
            sender.join()
            self.assertEqual(client("PING"), "PONG")

    def test_many_clients(self):
        server = self.server()
        files = descriptors(server)
        clients = [server.connect() for _ in range(200)]
        for client in clients:
            client.send("INCR", "n")
        self.assertEqual(sorted(client.read() for client in clients), list(range(1, 201)))
        self.rests(server)
        for client in clients:
            client.close()
        self.soon(lambda: descriptors(server) == files, "descriptors stay open")

    def rests(self, server):
        before = cpu(server)
        time.sleep(0.3)
        self.assertLess(cpu(server) - before, 0.1, "the server has nothing to do and does not rest")


# --- bad clients ------------------------------------------------------------------------------------------------


class Cut(Exception):
    pass


class BadClients(TlsTest):
    def setUp(self):
        self.tls = self.server("--tls-handshake-timeout", "5000", auth="optional")
        self.files = descriptors(self.tls)

    def serves(self):
        """The server serves as before, has closed everything and rests."""
        for version in (TLS12, TLS13):
            with self.tls.connect(context(version=version)) as client:
                self.assertEqual(client("PING"), "PONG")
        self.soon(lambda: descriptors(self.tls) == self.files, "descriptors stay open")
        before = cpu(self.tls)
        time.sleep(0.3)
        self.assertLess(cpu(self.tls) - before, 0.1, "the server does not rest")

    def answer(self, data):
        """All that the server says to somebody who does not speak TLS."""
        with socket.create_connection(("127.0.0.1", self.tls.tls_port), 3) as client:
            client.sendall(data)
            answer = b""
            try:
                while more := client.recv(1000):
                    answer += more
            except ConnectionResetError:
                pass
            return answer

    def test_not_tls(self):
        for data in (b"PING\r\n", request("PING"), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", os.urandom(2000), bytes(2000),
                     b"\xff" * 2000, b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + bytes(3000), b"\x80\x2e\x01\x03\x01" + bytes(50),
                     b"\x17\x03\x03\x00\x10" + bytes(16), b"\x15\x03\x03\x00\x02\x02\x28", b"\x14\x03\x03\x00\x01\x01" * 50):
            with self.subTest(data=data[:20]):
                start = time.monotonic()
                answer = self.answer(data)
                # An alert, or nothing; not a word of RESP, and at once.
                self.assertTrue(answer == b"" or (answer[0] == 21 and len(answer) == 7), answer)
                self.assertLess(time.monotonic() - start, 2)
        self.serves()

    def test_plain_text_gets_no_binary_answer(self):
        self.assertEqual(self.answer(request("PING")), b"")

    def cuts(self, version, cert):
        """How far a handshake gets that is cut after each number of bytes."""
        done, limit = False, 0
        while not done:
            limit += 1
            with ByHand(self.tls, context(cert, version)) as client:
                left = limit

                def send(data):
                    nonlocal left
                    client.socket.sendall(data[:left])
                    left -= len(data)
                    if left <= 0:
                        raise Cut

                try:
                    client.handshake(send)
                    done = True
                except Cut:
                    pass
        return limit

    def test_closed_at_every_point_of_the_handshake(self):
        for version in (TLS12, TLS13):
            for cert in (None, "client"):
                self.assertGreater(self.cuts(version, cert), 200)
            self.serves()

    def test_reset_at_every_step_of_the_handshake(self):
        linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
        for version in (TLS12, TLS13):
            for limit in range(0, 700, 7):
                client = ByHand(self.tls, context(version=version))
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                with client, self.assertRaises(Cut) if limit < 200 else self.subTest():
                    left = limit

                    def send(data):
                        nonlocal left
                        client.socket.sendall(data[:left])
                        left -= len(data)
                        if left < 0:
                            raise Cut

                    try:
                        client.handshake(send)
                    except Cut:
                        if limit < 200:
                            raise
        self.serves()

    def test_bytes_one_by_one(self):
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context("client", version)) as client:

                def send(data):
                    for byte in data:
                        client.socket.send(bytes([byte]))

                client.handshake(send)
                client.write(b"PING\r\n")
                send(client.outgoing.read())
                self.assertEqual(client.read(7), b"+PONG\r\n")
        self.serves()

    def test_records_of_one_byte(self):
        # The messages of the handshake are the same however records divide them; the first is not encrypted.
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context(version=version)) as client:
                first = True

                def send(data):
                    nonlocal first
                    if first:
                        kind, body = data[:3], data[5:]
                        self.assertEqual(int.from_bytes(data[3:5], "big"), len(body))
                        data = b"".join(kind + b"\0\1" + bytes([byte]) for byte in body)
                        first = False
                    client.socket.sendall(data)

                client.handshake(send)
                client.write(b"PING\r\n")
                client.socket.sendall(client.outgoing.read())
                self.assertEqual(client.read(7), b"+PONG\r\n")
        self.serves()

    def test_closed_without_close_notify(self):
        with self.tls.plain() as plain:
            for version in (TLS12, TLS13):
                for rest in (b"", b"\x17", b"\x17\x03\x03\x00\x50half a record"):
                    with ByHand(self.tls, context(version=version)) as client:
                        client.handshake()
                        client.write(b"PING\r\n")
                        client.socket.sendall(client.outgoing.read())
                        client.read(7)
                        self.assertEqual(plain("CLIENT", "LIST").count(b"\n"), 2)
                        client.socket.sendall(rest)
                    self.soon(lambda: plain("CLIENT", "LIST").count(b"\n") == 1, "the client stays", 3)
        self.serves()

    def test_requests_before_the_end_are_served(self):
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context(version=version)) as client:
                client.handshake()
                client.write(b"SET last %d\r\n" % version)
                with self.assertRaises(ssl.SSLWantReadError):
                    client.tls.unwrap()
                client.socket.sendall(client.outgoing.read())
                client.socket.shutdown(socket.SHUT_WR)
                while client.socket.recv(1000):
                    pass
            with self.tls.plain() as plain:
                self.assertEqual(plain("GET", "last"), str(int(version)).encode())

    def test_damaged_record_ends_the_client(self):
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context(version=version)) as client:
                client.handshake()
                client.write(b"SET damaged 1\r\n")
                record = bytearray(client.outgoing.read())
                record[-1] ^= 1
                client.socket.sendall(record)
                with self.assertRaisesRegex((ssl.SSLError, EOFError), "BAD_RECORD_MAC|^$"):
                    client.read(1)
            with self.tls.plain() as plain:
                self.assertEqual(plain("EXISTS", "damaged"), 0)
        self.serves()

    def test_garbage_in_the_middle(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 30, b"\x17\x03\x03\xff\xff" + bytes(100), b"\x16\x03\x03\x00\x00"):
            with ByHand(self.tls, context()) as client:
                client.handshake()
                client.socket.sendall(data)
                client.socket.settimeout(3)
                with self.subTest(data=data[:10]), self.assertRaises((ssl.SSLError, EOFError, ConnectionResetError)):
                    client.read(1)
        self.serves()


class HalfHandshakes(TlsTest):
    def halves(self, server, version):
        """Connections that stop: before the first byte, in the client's first message, and before its second."""
        hello = ByHand(server, context(version=version))
        try:
            hello.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        first = hello.outgoing.read()
        hello.socket.sendall(first)
        middle = socket.create_connection(("127.0.0.1", server.tls_port), 20)
        middle.sendall(first[: len(first) // 2])
        nothing = socket.create_connection(("127.0.0.1", server.tls_port), 20)
        return [hello.socket, middle, nothing]

    def test_time_limit(self):
        server = self.server("--tls-handshake-timeout", "1000", auth="optional")
        files = descriptors(server)
        start = time.monotonic()
        halves = self.halves(server, TLS12) + self.halves(server, TLS13)
        before = cpu(server)
        time.sleep(0.7)
        self.assertLess(cpu(server) - before, 0.05, "half a handshake keeps the server busy")
        self.assertEqual(descriptors(server), files + len(halves))
        with server.connect() as client:
            self.assertEqual(client("CLIENT", "LIST").count(b"\n"), 1)
        for half in halves:
            while half.recv(65536):
                pass
            self.assertLess(time.monotonic() - start, 3)
            self.assertGreater(time.monotonic() - start, 0.9)
            half.close()
        self.soon(lambda: descriptors(server) == files, "descriptors stay open")

    def test_limit_is_changed_while_it_runs(self):
        server = self.server()
        with server.plain() as plain:
            self.assertEqual(plain("CONFIG", "SET", "tls-handshake-timeout", "100"), "OK")
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", server.tls_port), 20) as half:
            self.assertEqual(half.recv(1), b"")
        self.assertLess(time.monotonic() - start, 2)

    def test_a_thousand_at_once(self):
        options = ("--tls-max-handshakes", "100", "--tls-handshake-timeout", "200", "--tcp-backlog", "2000")
        server = self.server(*options)
        files = descriptors(server)
        halves = [socket.create_connection(("127.0.0.1", server.tls_port), 20) for _ in range(1000)]
        before = cpu(server)
        try:
            with server.plain() as plain, server.connect() as last:
                # Those in front have had their time, a hundred after the other.
                self.assertEqual(last("PING"), "PONG")
                self.assertEqual(plain("PING"), "PONG")
                self.assertLess(descriptors(server), files + 110)
            self.assertLess(cpu(server) - before, 0.5)
        finally:
            for half in halves:
                half.close()
        self.soon(lambda: descriptors(server) == files, "descriptors stay open")

    def test_halves_take_no_room_from_clients(self):
        server = self.server("--maxclients", "10", "--tcp-backlog", "2000")
        halves = [socket.create_connection(("127.0.0.1", server.tls_port), 20) for _ in range(300)]
        try:
            clients = [server.plain() for _ in range(5)] + [server.connect() for _ in range(5)]
            self.assertEqual([client("PING") for client in clients], ["PONG"] * 10)
            for client in clients:
                client.close()
        finally:
            for half in halves:
                half.close()

    def test_more_clients_than_handshakes(self):
        server = self.server("--tls-max-handshakes", "2", "--tcp-backlog", "1000")
        errors = []

        def work():
            try:
                for _ in range(3):
                    with server.connect() as client:
                        client("INCR", "n")
            except (OSError, EOFError) as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        with server.connect() as client:
            self.assertEqual(client("GET", "n"), b"60")


if __name__ == "__main__":
    main("test_tls")
