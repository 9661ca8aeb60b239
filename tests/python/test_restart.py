#!/usr/bin/env python3
"""ae-server on sockets that whoever starts it holds (LISTEN_FDS, as systemd has it): a restart refuses nobody."""

import os
import signal
import socket
import tempfile
import threading
import unittest
from pathlib import Path

import support
from testkit.ports import free_port
from testkit.resp import PATIENCE, Client
from testkit.server import AE_SERVER, Server


class Activated(Server):
    """A server that is given listening sockets as systemd would."""

    def __init__(self, folder, sockets, *options, count=None, pid="$$", port=None):
        port = port or (sockets[0].getsockname()[1] if sockets[0].family != socket.AF_UNIX else 0)
        moves = " ".join(f"{3 + index}<&{one.fileno()}" for index, one in enumerate(sockets))
        shell = f'LISTEN_FDS={len(sockets) if count is None else count} LISTEN_PID={pid} exec "$@" {moves}'
        command = ["bash", "-c", shell, "bash", AE_SERVER, "--dir", folder, "--save", "", *options]
        super().__init__(command, port, pass_fds=[one.fileno() for one in sockets])

    def reach(self):
        if self.port:
            with Client(self.port) as client:
                client("PING")
        elif b"Ready to accept" not in self.text().encode():
            raise OSError


def listening(family=socket.AF_INET, address=("127.0.0.1", 0)):
    one = socket.socket(family)
    # Above those that the server gets.
    high = socket.socket(fileno=os.dup2(one.fileno(), 100 + one.fileno()))
    one.close()
    high.bind(address)
    high.listen(511)
    return high


class Restart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ae-restart-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def held(self, *arguments):
        one = listening(*arguments)
        self.addCleanup(one.close)
        return one

    def test_under_load_nobody_is_refused(self):
        held = self.held()
        port, append_only = held.getsockname()[1], ("--appendonly", "yes", "--appendfsync", "always", "--port", "0")
        written, ended, trouble = [], threading.Event(), []

        def client(number):
            sequence = 0
            while not ended.is_set():
                try:
                    connection = Client(port)
                except OSError as error:  # whatever it is, the client has been refused
                    trouble.append(error)
                    return
                try:
                    while not ended.is_set():
                        if connection("SET", f"{number}:{sequence}", sequence) == "OK":
                            written.append((number, sequence))
                            sequence += 1
                except Exception:  # the server that had the connection is gone
                    pass

        clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        with Activated(self.folder, [held], *append_only) as server:
            for thread in clients:
                thread.start()
            while len(written) < 50 and not trouble:
                ended.wait(0.001)
            self.assertEqual(server.stop(), 0)
        for end in (signal.SIGTERM, signal.SIGKILL):
            before = len(written)
            with Activated(self.folder, [held], *append_only) as server:
                while len(written) < before + 50 and not trouble:
                    ended.wait(0.001)
                server.process.send_signal(end)
                server.process.wait(PATIENCE)
        ended.set()
        with Activated(self.folder, [held], *append_only) as server:
            for thread in clients:
                thread.join(PATIENCE)
            self.assertEqual(trouble, [])
            with Client(port) as connection:
                lost = [pair for pair in written if connection("EXISTS", "%d:%d" % pair) != 1]
            self.assertEqual(lost, [], f"{len(lost)} of {len(written)} acknowledged writes are lost")

    def test_the_configured_place_is_the_held_one(self):
        held = self.held()
        port = held.getsockname()[1]
        with Activated(self.folder, [held], "--bind", "127.0.0.1", "--port", port) as server, Client(port) as client:
            self.assertEqual(client("PING"), "PONG")
            # It is the configuration's: with another port it is given up.
            other = free_port()
            client("CONFIG", "SET", "port", other)
            with Client(other) as elsewhere:
                self.assertEqual(elsewhere("PING"), "PONG")
            self.assertNotIn("Unable to listen", server.text())

    def test_a_socket_beside_the_configuration_stays(self):
        held, port = self.held(), free_port()
        with Activated(self.folder, [held], "--bind", "127.0.0.1", "--port", port) as server, Client(server.port) as client:
            with Client(port) as elsewhere:
                self.assertEqual(elsewhere("PING"), "PONG")
            client("CONFIG", "SET", "port", free_port())
            with Client(server.port) as again:
                self.assertEqual(again("PING"), "PONG")

    def test_a_unix_socket_is_left_to_who_made_it(self):
        path = str(Path(self.folder, "held.sock"))
        held = self.held(socket.AF_UNIX, path)
        with Activated(self.folder, [held], "--port", "0", "--unixsocket", path) as server:
            with Client(path) as client:
                self.assertEqual(client("PING"), "PONG")
            self.assertEqual(server.stop(), 0)
        self.assertTrue(os.path.exists(path))

    def test_sockets_of_another_process_are_left_alone(self):
        held, port = self.held(), free_port()
        held.settimeout(0.1)
        with Activated(self.folder, [held], "--bind", "127.0.0.1", "--port", port, pid="1", port=port) as server:
            with Client(port) as client:
                self.assertEqual(client("PING"), "PONG")
            waiting = socket.create_connection(held.getsockname())
            accepted, _ = held.accept()
            accepted.close()
            waiting.close()
            self.assertEqual(server.stop(), 0)

    def test_what_cannot_be_used_is_told(self):
        held, silent = self.held(), socket.socket()
        high = socket.socket(fileno=os.dup2(silent.fileno(), 150))
        self.addCleanup(high.close)
        silent.close()
        for sockets, count, why in (([held], "x", "LISTEN_FDS"), ([held], 9, "LISTEN_FDS"), ([high], None, "does not listen")):
            with self.subTest(count=count, why=why):
                server = Activated(self.folder, sockets, "--port", "0", "--bind", "127.0.0.1", count=count)
                self.assertEqual(server.process.wait(PATIENCE), 1)
                self.assertIn(why, server.text())


if __name__ == "__main__":
    # As a service manager has it: nothing of this run's own environment.
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    support.main("restart")
