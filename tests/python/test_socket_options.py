#!/usr/bin/env python3
"""The directives for the server's sockets: what they set is looked at on the server's own sockets."""

import contextlib
import ctypes
import os
import socket
import subprocess
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import support
from testkit.ports import free_port
from testkit.resp import PATIENCE, request
from testkit.server import AE_SERVER, AeServer, Server

PIDFD_OPEN, PIDFD_GETFD = 434, 438
SO_PROTOCOL, IPPROTO_MPTCP = 38, 262
TCP_FASTOPEN = 23
LIBC = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    result = LIBC.syscall(ctypes.c_long(number), *(ctypes.c_long(argument) for argument in arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def sockets_of(stack, server):
    """Copies of the TCP sockets that the server has."""
    with contextlib.closing(os.fdopen(call(PIDFD_OPEN, server.process.pid, 0))) as process:
        for entry in Path(f"/proc/{server.process.pid}/fd").iterdir():
            try:
                if not os.readlink(entry).startswith("socket:"):
                    continue
            except FileNotFoundError:  # it has been closed meanwhile
                continue
            one = socket.socket(fileno=call(PIDFD_GETFD, process.fileno(), int(entry.name), 0))
            stack.callback(one.close)
            if one.family == socket.AF_INET:
                yield one


def listens(one):
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1


# A setsockopt that leaves a byte in a file for each time that acknowledgements are to be quick.
TOLD = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int setsockopt(int fd, int level, int name, const void *value, socklen_t len) {
    int (*real)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");
    if (level == IPPROTO_TCP && name == TCP_QUICKACK) {
        int told = open(getenv("TOLD"), O_WRONLY | O_APPEND | O_CREAT, 0600);
        if (write(told, "1", 1) != 1) abort();
        close(told);
    }
    return real(fd, level, name, value, len);
}
"""


class SocketOptions(unittest.TestCase):
    def start(self, *options):
        return self.enterContext(AeServer(*options))

    def refused(self, *options, **kind):
        """What a server says that does not start."""
        server = AeServer(*options, **kind)
        self.addCleanup(server.folder.cleanup)
        self.addCleanup(server.kill)
        self.assertEqual(server.process.wait(PATIENCE), 1)
        return server.text()

    def sockets(self, server):
        stack = self.enterContext(contextlib.ExitStack())
        try:
            return list(sockets_of(stack, server))
        except PermissionError as error:
            self.skipTest(f"cannot look at another process's sockets: {error}")

    def copies(self, server):
        """The listening socket, and the one of the client that is connected, if one is."""
        found = [one for one in self.sockets(server) if one.getsockname()[1] == server.port]
        accepted = [one for one in found if not listens(one)]
        return next(one for one in found if listens(one)), accepted[0] if accepted else None

    def test_limits_and_queues(self):
        server = self.start("--tcp-user-timeout", "7777", "--tcp-fastopen", "5")
        with server.connect() as client:
            client("PING")
            listening, accepted = self.copies(server)
            self.assertEqual(listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 7777)
            self.assertEqual(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 7777)
            self.assertEqual(listening.getsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN), 5)
            self.assertEqual(listening.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL), socket.IPPROTO_TCP)
            self.assertEqual(client("CONFIG", "GET", "tcp-user-timeout")[1], b"7777")
            self.assertEqual(client("CONFIG", "GET", "tcp-fastopen")[1], b"5")

    def test_without_them_nothing_is_set(self):
        server = self.start()
        with server.connect() as client:
            client("PING")
            listening, accepted = self.copies(server)
            self.assertEqual(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT), 0)
            self.assertEqual(listening.getsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN), 0)
            self.assertEqual(listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT), 0)

    def test_small_packets(self):
        """Replies are sent at once, and so is the stream of replicas, unless packets are to be saved."""
        for setting in ("no", "yes"):
            server = self.start("--repl-disable-tcp-nodelay", setting)
            with server.connect() as client, server.connect() as replica:
                replica.send("PSYNC", "?", "-1")
                while client.info("INFO", "replication")["connected_slaves"] != "1":
                    pass
                accepted = [one for one in self.sockets(server) if not listens(one)]
                at_once = {one.getpeername(): one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in accepted}
                self.assertEqual(at_once[client.socket.getsockname()], 1)
                self.assertEqual(at_once[replica.socket.getsockname()], 0 if setting == "yes" else 1)

    def test_connections_with_other_servers(self):
        """What a replica acknowledges and what MIGRATE asks goes out at once, and a dead primary's host is noticed."""
        primary = self.start()
        replica = self.start("--replicaof", f"127.0.0.1 {primary.port}", "--repl-timeout", "77")

        def option(server, other, level, name):
            found = [one for one in self.sockets(server) if not listens(one) and one.getpeername()[1] == other.port]
            return [one.getsockopt(level, name) for one in found]

        with primary.connect() as client, replica.connect() as other:
            while other.info("INFO", "replication")["master_link_status"] != "up":
                pass
            self.assertEqual(option(replica, primary, socket.IPPROTO_TCP, socket.TCP_NODELAY), [1])
            self.assertEqual(option(replica, primary, socket.SOL_SOCKET, socket.SO_KEEPALIVE), [1])
            self.assertEqual(option(replica, primary, socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), [77])
            client("SET", "key", "value")
            # Refused, and the connection is kept.
            self.assertIn("READONLY", str(client("MIGRATE", "127.0.0.1", replica.port, "key", "0", "10000")))
            self.assertEqual(option(primary, replica, socket.IPPROTO_TCP, socket.TCP_NODELAY), [1])

    def test_servers_share_a_port(self):
        first = self.start("--reuse-port", "yes")
        with AeServer("--reuse-port", "yes", port=first.port) as second:
            # Each gets some of the clients.
            found = None
            while found != str(second.pid):
                with second.connect() as client:
                    found = client.info("INFO", "server")["process_id"]
                self.assertIsNone(second.process.poll(), second.text())
        self.assertIn("cannot listen on", self.refused(port=first.port))

    def test_multipath_or_a_clear_error(self):
        try:
            socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
        except OSError:
            self.assertIn("creating socket", self.refused("--mptcp", "yes"))
            return
        server = self.start("--mptcp", "yes")
        listening, _ = self.copies(server)
        self.assertEqual(listening.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL), IPPROTO_MPTCP)
        with server.connect() as client:
            self.assertEqual(client("PING"), "PONG")

    def test_marks_and_devices(self):
        if os.geteuid() != 0:
            self.assertIn("SO_MARK", self.refused("--socket-mark-id", "42"))
            return
        server = self.start("--socket-mark-id", "42", "--bind-device", "lo")
        with server.connect() as client:
            client("PING")
            for one in self.copies(server):
                self.assertEqual(one.getsockopt(socket.SOL_SOCKET, socket.SO_MARK), 42)
                self.assertEqual(one.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0"), b"lo")
            self.assertEqual(client("CONFIG", "GET", "socket-mark-id")[1], b"42")

    def test_a_device_that_is_not_there(self):
        self.assertIn("SO_BINDTODEVICE", self.refused("--bind-device", "no-such-device"))

    def test_a_part_of_a_request_is_acknowledged_at_once(self):
        # How long the kernel would wait otherwise is its own affair: what counts is that it is asked not to.
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "told.c").write_text(TOLD)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", f"{folder}/told.so", f"{folder}/told.c", "-ldl"], check=True)
            with unittest.mock.patch.dict(os.environ, LD_PRELOAD=f"{folder}/told.so", TOLD=f"{folder}/told"):
                server = self.start()
            with server.connect() as control, socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
                def told_after(*parts):
                    for part in parts:
                        client.sendall(part)
                        # Another's reply comes after what has arrived has been read.
                        control("PING")
                    self.assertEqual(client.recv(100), b"+PONG\r\n")
                    return Path(folder, "told").stat().st_size

                Path(folder, "told").touch()
                self.assertEqual(told_after(b"PI", b"NG\r\n"), 0)
                control("CONFIG", "SET", "tcp-quickack", "yes")
                self.assertEqual(told_after(b"PING\r\n"), 0)
                self.assertEqual(told_after(b"P", b"I", b"NG\r\n"), 2)

    def test_a_unix_socket_without_a_file(self):
        name = f"ae-server-test-{os.getpid()}"
        server = self.start("--unixsocket", f"@{name}")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"\0{name}")
            client.sendall(request("CLIENT", "INFO"))
            self.assertIn(b"flags=U", client.recv(4096))
        self.assertFalse(os.path.exists(f"@{name}"))
        self.assertIn("Address already in use", self.refused("--unixsocket", f"@{name}"))
        self.assertEqual(server.stop(), 0)
        with socket.socket(socket.AF_UNIX) as client, self.assertRaises(ConnectionRefusedError):
            client.connect(f"\0{name}")

    def test_the_unix_sockets_group(self):
        group = os.getegid() + 1 if os.geteuid() == 0 else os.getegid()
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/socket"
            server = self.start("--unixsocket", path, "--unixsocketgroup", str(group), "--unixsocketperm", "770")
            found = os.stat(path)
            self.assertEqual((found.st_gid, found.st_mode & 0o777), (group, 0o770))
            self.assertEqual(server.stop(), 0)
            self.assertFalse(os.path.exists(path))
            self.assertIn("chown", self.refused("--unixsocket", path, "--unixsocketgroup", "no-such-group"))

    def test_a_rewritten_file_has_them(self):
        with tempfile.NamedTemporaryFile("w+", suffix=".conf") as file:
            file.write("tcp-user-timeout 1000\nreuse-port yes\n")
            file.flush()
            port = free_port()
            server = self.enterContext(Server([AE_SERVER, file.name, "--bind", "127.0.0.1", "--save", "", "--port", port], port))
            with server.connect() as client:
                self.assertEqual(client("CONFIG", "GET", "reuse-port")[1], b"yes")
                client("CONFIG", "SET", "tcp-quickack", "yes")
                self.assertEqual(client("CONFIG", "REWRITE"), "OK")
            lines = Path(file.name).read_text().splitlines()
            self.assertEqual(lines[:2], ["tcp-user-timeout 1000", "reuse-port yes"])
            self.assertIn("tcp-quickack yes", lines)


if __name__ == "__main__":
    support.main("socket options")
