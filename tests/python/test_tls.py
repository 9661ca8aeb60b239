#!/usr/bin/env python3
"""Uses ae-server over TLS as its clients and operators do, with redis-cli, redis-benchmark, redis-py, openssl s_client
and Python's ssl."""

import functools
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from contextlib import ExitStack
from pathlib import Path

import redis

import test_like_redis
from support import main
from test_server import Basics
from testkit.certificates import PASSPHRASE
from testkit.ports import free_port
from testkit.resp import PATIENCE, Client
from testkit.server import AE_SERVER, AeServer, RedisServer, TlsServer
from tls import CERTIFICATES, TLS12, TLS13, TlsTest, common_name, context


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
                              capture_output=True, text=True, timeout=PATIENCE)
        return done.stdout + done.stderr

    def s_client(self, server, *args, stdin="PING\r\nQUIT\r\n"):
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.tls_port}", "-CAfile", CERTIFICATES["ca.crt"],
             "-verify_return_error", "-ign_eof", *args],
            input=stdin, capture_output=True, text=True, timeout=PATIENCE,
        )
        return done.stdout + done.stderr

    def test_redis_cli(self):
        for cert in ("server", "rsa-server", "chain"):
            for protocol in ("TLSv1.2", "TLSv1.3"):
                with self.subTest(cert=cert, protocol=protocol):
                    server = self.server("--tls-protocols", protocol, cert=cert)
                    self.assertEqual(self.cli(server, "set", "key", "a value"), "OK\n")
                    self.assertEqual(self.cli(server, "get", "key"), "a value\n")
                    lines = "".join(f"SET k{i} {i}\n" for i in range(1000))
                    self.assertIn("errors: 0, replies: 1000", self.cli(server, "--pipe", stdin=lines))

    def test_redis_cli_shows_its_certificate(self):
        server = self.server(auth="yes")
        for cert in ("client", "chain-client", "v1"):
            self.assertEqual(self.cli(server, "ping", cert=cert), "PONG\n", cert)
        self.assertNotIn("PONG", self.cli(server, "ping"))
        self.assertNotIn("PONG", self.cli(server, "ping", cert="other"))

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
            plain = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
            with using.wrap_socket(plain, server_hostname="localhost", session=session) as client:
                client.sendall(b"PING\r\n")
                self.assertEqual(client.recv(100), b"+PONG\r\n")
                return client.session, client.session_reused

        session, _ = connect()
        time.sleep(pause)
        return connect(session)[1]

    def test_sessions_are_taken_up_more_than_once(self):
        server = self.server()
        for version in (TLS12, TLS13):
            using = context(version=version)
            kept = None
            for time in range(4):
                plain = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
                with using.wrap_socket(plain, server_hostname="localhost", session=kept) as client:
                    client.sendall(b"PING\r\n")
                    self.assertEqual(client.recv(100), b"+PONG\r\n")
                    self.assertEqual(client.session_reused, time > 0)
                    # The first one each time, not what came with the last connection.
                    kept = kept or client.session

    def test_sessions_end(self):
        lasting, server = self.server(), self.server("--tls-session-cache-timeout", "1")
        for version in (TLS12, TLS13):
            self.assertTrue(self.reuses(lasting, version))
            self.assertFalse(self.reuses(server, version, 1.1))

    def test_a_session_does_not_get_round_a_new_demand_for_certificates(self):
        server = self.server()
        for version in (TLS12, TLS13):
            using = context(version=version)
            plain = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
            with using.wrap_socket(plain, server_hostname="localhost") as client:
                client.sendall(b"CONFIG SET tls-auth-clients yes\r\n")
                self.assertEqual(client.recv(100), b"+OK\r\n")
                session = client.session
            plain = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
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
                 "-t", "set,get", *options], capture_output=True, text=True, timeout=PATIENCE,
            )
            output = done.stdout + done.stderr
            self.assertEqual(done.returncode, 0, output)
            self.assertRegex(output, '"SET","[0-9.]+"')
            self.assertRegex(output, '"GET","[0-9.]+"')
            self.assertNotRegex(output, "(?i)error|fail|could not")


# --- certificates -----------------------------------------------------------------------------------------------


class WhoMayConnect(TlsTest):
    REFUSED = {
        "other": "UNKNOWN_CA", "expired": "EXPIRED", "future": "EXPIRED|BAD_CERTIFICATE", "server-only": "CERTIFICATE",
        "other-v1": "UNKNOWN_CA", "expired-v1": "EXPIRED",
    }

    def test_certificates_are_demanded(self):
        server = self.server(auth="yes")
        for version in (TLS12, TLS13):
            for cert in ("client", "chain-client", "v1"):
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
        for cert, why in ((None, "no certificate"), ("other", "not signed by a known CA"), ("expired", "expired")):
            self.refused(server, "", cert=cert)
            self.soon(lambda: why in server.text(), f"{why} is not in the log: {server.text()}")

    def test_folder_of_cas(self):
        server = self.server("--tls-ca-cert-file", "", "--tls-ca-cert-dir", CERTIFICATES["ca-dir"], auth="yes")
        with server.connect(context("client")) as client:
            self.assertEqual(client("PING"), "PONG")
        self.refused(server, "UNKNOWN_CA", cert="other")

    def test_encrypted_key(self):
        server = self.server("--tls-key-file", CERTIFICATES["encrypted.key"], "--tls-key-file-pass", PASSPHRASE)
        with server.connect() as client:
            self.assertEqual(client("PING"), "PONG")

    def test_clients_refuse_the_server(self):
        server = self.server(cert="wrong-host")
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "Hostname mismatch"):
            server.connect()
        with self.assertRaisesRegex(redis.ConnectionError, "Hostname mismatch"):
            redis.Redis(port=server.tls_port, ssl=True, ssl_ca_certs=CERTIFICATES["ca.crt"], ssl_check_hostname=True,
                        retry=None).ping()
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "unable to get local issuer"):
            server.connect(context(ca="other-ca"))
        for cert, why in (("expired", "has expired"), ("future", "not yet valid")):
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
        done = subprocess.run([AE_SERVER, "--bind", "127.0.0.1", *options], capture_output=True, text=True, timeout=PATIENCE)
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
            ({"--tls-key-file": files.missing}, ["tls-key-file", "missing", "No such file"]),
            ({"--tls-cert-file": files.missing}, ["tls-cert-file", "missing", "No such file"]),
            ({"--tls-cert-file": files["no-cert.pem"]}, ["tls-cert-file", "no-cert.pem"]),
            ({"--tls-cert-file": str(files.folder)}, ["tls-cert-file", "directory"]),
            ({"--tls-ca-cert-file": files.missing}, ["tls-ca-cert-file", "missing"]),
            ({"--tls-ca-cert-file": files["no-cert.pem"]}, ["tls-ca-cert-file"]),
            ({"--tls-ca-cert-dir": files.missing}, ["tls-ca-cert-dir", "missing"]),
            ({"--tls-ca-cert-dir": str(files.folder), "--tls-ca-cert-file": None}, ["tls-ca-cert-dir"]),
            ({"--tls-protocols": "TLSv1.1"}, ["tls-protocols", r"TLSv1\.1"]),
            ({"--tls-protocols": "TLSv1.1 TLSv1.2"}, ["tls-protocols", r"TLSv1\.1"]),
            ({"--tls-protocols": "SSLv3"}, ["tls-protocols", "SSLv3"]),
            ({"--tls-ciphers": "AES128-SHA"}, ["tls-ciphers", "AES128-SHA"]),
            ({"--tls-ciphers": "NONSENSE"}, ["tls-ciphers", "NONSENSE"]),
            ({"--tls-ciphersuites": "TLS_NULL"}, ["tls-ciphersuites", "TLS_NULL"]),
            ({"--tls-dh-params-file": files["dh.pem"]}, ["tls-dh-params-file"]),
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

    def test_a_proxy_sends_its_header_to_the_other_port_alone(self):
        server = self.server("--proxy-protocol-networks", "127.0.0.0/8")
        with server.connect() as client:
            self.assertEqual(client("PING"), "PONG")

    def test_the_port_changes_while_the_server_runs(self):
        files = {"cert-file": "server.crt", "key-file": "server.key", "ca-cert-file": "ca.crt"}
        files = [word for name, file in files.items() for word in (f"--tls-{name}", CERTIFICATES[file])]
        replies = [self.change_port(server, *files) for server in (AeServer, RedisServer)
                   if server is AeServer or shutil.which("redis-server")]
        self.assertEqual(replies[0], replies[-1])

    def change_port(self, kind, *options):
        """what the server says when its TLS port is set, changed, cannot be had, and is taken away"""
        first, second = free_port(), free_port()
        with kind(*options, "--tls-auth-clients", "no") as server, server.connect() as plain, ExitStack() as clients, \
                socket.create_server(("127.0.0.1", 0)) as taken:
            def connect(port):
                wrap = functools.partial(context().wrap_socket, server_hostname="localhost")
                return clients.enter_context(Client(port, wrap))

            def change(port):
                reply = plain("CONFIG", "SET", "tls-port", port)
                return reply, plain("CONFIG", "GET", "tls-port")[1] == str(port).encode()

            replies = [change(first)]
            one = connect(first)
            replies.append(change(second))
            with self.assertRaises(ConnectionRefusedError):
                connect(first)
            other = connect(second)
            replies.append(change(taken.getsockname()[1]))
            connect(second)
            replies.append(change(0))
            with self.assertRaises(ConnectionRefusedError):
                connect(second)
            replies += [one("PING"), other("PING"), plain("PING")]
            return replies

    def test_ports_and_socket_beside_each_other(self):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "socket")
            server = self.server("--unixsocket", path)
            with server.connect() as tls, server.plain() as plain, Client(path) as unix:
                for number, client in enumerate((tls, plain, unix)):
                    self.assertEqual(client("SET", f"k{number}", "v"), "OK")
                self.assertEqual([client("DBSIZE") for client in (tls, plain, unix)], [3, 3, 3])
                addresses = re.findall(rb"laddr=(\S+)", plain("CLIENT", "LIST"))
                expected = [f"127.0.0.1:{server.tls_port}", f"127.0.0.1:{server.port}", f"{path}:0"]
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
            change = ["CONFIG", "SET", "tls-cert-file", files["chain.crt"], "tls-key-file", files["chain.key"]]
            self.assertEqual(old(*change), "OK")
            self.assertEqual(old("SET", "k", b"v" * 100_000), "OK")
            with server.connect() as new:
                self.assertEqual((common_name(old), common_name(new)), ("server", "lone"))
                self.assertEqual(len(new("GET", "k")), 100_000)
                self.assertEqual(new("CONFIG", "GET", "tls-cert-file"), [b"tls-cert-file", files["chain.crt"].encode()])

    def test_what_cannot_be_used_changes_nothing(self):
        server = self.server()
        with server.connect() as client:
            before = client("CONFIG", "GET", "tls-*")
            for name, value in (
                ("tls-cert-file", CERTIFICATES.missing),
                ("tls-cert-file", CERTIFICATES["no-cert.pem"]),
                ("tls-key-file", CERTIFICATES["client.key"]),
                ("tls-key-file", CERTIFICATES["encrypted.key"]),
                ("tls-ca-cert-file", CERTIFICATES.missing),
                ("tls-ca-cert-dir", CERTIFICATES.missing),
                ("tls-protocols", "TLSv1.1"),
                ("tls-ciphers", "NONSENSE"),
                ("tls-ciphersuites", "NONSENSE"),
                ("tls-auth-clients", "perhaps"),
                ("tls-max-handshakes", "0"),
                ("tls-dh-params-file", CERTIFICATES["dh.pem"]),
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
            port = str(free_port())
            self.assertEqual(client("CONFIG", "SET", "tls-port", port), "OK")
            self.assertEqual(client("CONFIG", "GET", "tls-port"), [b"tls-port", port.encode()])
            self.assertEqual(client("PING"), "PONG")


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
        server = self.server()
        plain = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
        with context().wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as client:
            client.sendall(b"CONFIG SET timeout 1\r\n")
            self.assertEqual(client.recv(100), b"+OK\r\n")
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
            self.assertEqual(server.process.wait(PATIENCE), 0)
            self.assertEqual(other.socket.recv(1), b"")


if __name__ == "__main__":
    main("test_tls")
