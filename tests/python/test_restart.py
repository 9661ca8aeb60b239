#!/usr/bin/env python3
"""ae-server on sockets that whoever starts it holds (LISTEN_FDS, as systemd has it), or that it hands on itself: a restart
refuses nobody."""

import os
import signal
import socket
import tempfile
import threading
import unittest
from pathlib import Path

import support
from testkit.ports import free_port
from testkit.replication import until
from testkit.resp import PATIENCE, Client
from testkit.server import AE_SERVER, AeServer, Server


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


class Writers:
    """Clients that write one key after the other, each at an address, and connect again whenever their connection
    ends."""

    def __init__(self, addresses):
        self.written, self.trouble = [], []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=place) for place in enumerate(addresses)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def write(self, number, address):
        sequence = 0
        while not self.ended.is_set():
            try:
                client = Client(address)
            except OSError as error:  # whatever it is, the client has been refused
                self.trouble.append(error)
                return
            try:
                with client:
                    while not self.ended.is_set():
                        key = f"{number}:{sequence}"
                        if client("SET", key, sequence) == "OK":
                            self.written.append(key)
                            sequence += 1
            except (OSError, EOFError):  # the server that had the connection is gone
                pass

    def wait(self, more):
        """Until so many more keys are written, or a client is refused."""
        before = len(self.written)
        while len(self.written) < before + more and not self.trouble:
            self.ended.wait(0.001)

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(PATIENCE)


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
        append_only = ("--appendonly", "yes", "--appendfsync", "always", "--port", "0")
        with Writers([held.getsockname()[1]] * 4) as writers:
            for end in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
                with Activated(self.folder, [held], *append_only) as server:
                    writers.wait(50)
                    server.process.send_signal(end)
                    server.process.wait(PATIENCE)
            with Activated(self.folder, [held], *append_only) as server:
                writers.end()
                self.look(writers, server.port)

    def test_a_server_that_starts_again_by_itself_refuses_nobody(self):
        with AeServer("--unixsocket", "own.sock", "--appendonly", "yes", "--enable-debug-command", "yes") as server:
            path, runs = str(Path(server.folder.name, "own.sock")), set()
            with Writers([server.port, path] * 2) as writers:
                for restart in range(4):
                    writers.wait(50)
                    with Client(server.port) as client, self.assertRaises((OSError, EOFError)):
                        runs.add(client("INFO", "server").decode().split("run_id:")[1].split()[0])
                        if restart % 2:
                            client("DEBUG", "RESTART")
                        else:
                            server.process.send_signal(signal.SIGUSR2)
                        while True:
                            client("PING")
                writers.wait(50)
                writers.end()
                self.look(writers, server.port)
            self.assertEqual((len(runs), server.text().count("ae-server starts again after")), (4, 4))
            self.assertEqual(server.stop(), 0)

    def look(self, writers, port):
        """That nobody was refused, and nothing that was acknowledged is lost."""
        self.assertEqual(writers.trouble, [])
        with Client(port) as client:
            lost = [key for key in writers.written if client("EXISTS", key) != 1]
        self.assertEqual(lost, [], f"{len(lost)} of {len(writers.written)} acknowledged writes are lost")

    def test_what_cannot_be_started_again_goes_on(self):
        text = Path(self.folder, "conf")
        text.write_text("enable-debug-command yes\n")
        port = free_port()
        command = ["bash", "-c", 'exec "$@" < conf', "bash", AE_SERVER, "-", "--bind", "127.0.0.1", "--port", port]
        with Server(command, port, cwd=self.folder) as server, Client(port) as client:
            self.assertEqual(client("DEBUG", "RESTART"), "ERR failed to restart the server. Check server logs.")
            server.process.send_signal(signal.SIGUSR2)
            self.assertEqual(client("PING"), "PONG")
            until(lambda: "the configuration came from standard input" in server.text())

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

    def test_the_configured_place_is_the_held_one_however_it_is_written(self):
        for bind, family, address in (("-127.0.0.1", socket.AF_INET, "127.0.0.1"), ("*", socket.AF_INET, "0.0.0.0"),
                                      ("::*", socket.AF_INET6, "::")):
            with self.subTest(bind), self.held(family, (address, 0)) as held:
                port = held.getsockname()[1]
                with Activated(self.folder, [held], "--bind", bind, "--port", port), Client(port) as client:
                    self.assertEqual(client("PING"), "PONG")

    def test_a_proxy_is_known_by_its_ipv4_address_where_a_socket_is_for_both(self):
        held = self.held(socket.AF_INET6, ("::", 0))
        port = held.getsockname()[1]
        with Activated(self.folder, [held], "--port", "0"), Client(port) as client:
            client("CONFIG", "SET", "proxy-protocol-networks", "127.0.0.0/8")
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as proxy:
                proxy.sendall(b"PROXY UNKNOWN\r\nPING\r\n")
                self.assertEqual(proxy.recv(100), b"+PONG\r\n")

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
