"""Builds the programs of examples/ as a reader would, runs them and talks to them: those in C with the command at the
top of each file, against an installation in a temporary folder, those in Rust with cargo."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from support import main
from testkit.certificates import Certificates
from testkit.paths import ROOT
from testkit.resp import PATIENCE
from testkit.server import client_context

EXAMPLES = ROOT / "examples"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
LOCALHOST = "127.0.0.1"
STRICT = [f"{compiler} -std={standard} -Wall -Wextra -Werror"
          for compiler in ("gcc", "clang") for standard in ("c99", "c11")]


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, stdin=subprocess.DEVNULL, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class C:
    """The programs in C, built in a folder of their own, and the environment to run them in."""

    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="libae-examples-")
        folder = Path(self.kept.name)
        prefix, self.folder = folder / "prefix", folder / "c"
        clean = {name: value for name, value in os.environ.items()
                 if name not in ("ABI", "DESTDIR", "LIBDIR", "INCLUDEDIR", "BINDIR", "MAKEFLAGS", "MFLAGS")}
        run(["make", "-C", ROOT, "install", f"PREFIX={prefix}"], env=clean)
        shutil.copytree(EXAMPLES / "c", self.folder)
        self.env = dict(clean, PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"), LD_LIBRARY_PATH=str(prefix / "lib"))
        self.commands = {path.stem: self.command(path) for path in sorted(self.folder.glob("*.c"))}
        for name in self.commands:
            self.build(name)

    @staticmethod
    def command(path):
        """the one at the top of the file"""
        return re.search(rf"^ \*   (cc {path.name} .*)$", path.read_text(), re.MULTILINE).group(1)

    def build(self, name, compiler="cc"):
        run(self.commands[name].replace("cc", compiler, 1), shell=True, cwd=self.folder, env=self.env)

    def program(self, name):
        return self.folder / name


class Rust:
    """The programs in Rust."""

    env = None

    def __init__(self):
        settings = TARGET / "c-libraries.toml"
        cargo = ["cargo", *(["--config", settings] if settings.exists() else [])]
        built = run([*cargo, "build", "--quiet", "--locked", "--package=libae", "--examples", "--message-format=json"], cwd=ROOT)
        artifacts = [json.loads(line) for line in built.splitlines()]
        self.programs = {artifact["target"]["name"]: artifact["executable"] for artifact in artifacts
                         if artifact["reason"] == "compiler-artifact" and artifact["target"]["kind"] == ["example"]}

    def program(self, name):
        return self.programs[name]


class Running:
    """A program that has been started; a context manager that ends it, by force if it has to."""

    def __init__(self, examples, name, *arguments):
        self.process = subprocess.Popen([examples.program(name), *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.STDOUT, env=examples.env)
        # A program that says nothing must not keep the test forever.
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.watchdog.cancel()
        self.process.stdout.close()

    def line(self):
        return self.process.stdout.readline().rstrip("\n")

    def lines_until(self, last):
        """what it says, up to that line"""
        said = []
        while not said or said[-1] not in (last, ""):
            said.append(self.line())
        return said

    def port(self):
        """the port that the system has given it"""
        return int(re.search(r"on port (\d+)", self.line()).group(1))

    def is_asleep(self):
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "S"

    def ended(self, number=signal.SIGTERM):
        """sends it the signal; what else it says, and its exit status"""
        self.process.send_signal(number)
        rest = self.process.stdout.read()
        return rest, self.process.wait(PATIENCE)


class Talk:
    """A connection, line by line."""

    def __init__(self, address, wrap=lambda plain: plain):
        plain = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        plain.settimeout(PATIENCE)
        plain.connect(address)
        self.socket = wrap(plain)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def say(self, text):
        self.socket.sendall(text.encode())

    def hear(self):
        """a line, or nothing at the end, also if that comes as a reset"""
        try:
            return self.file.readline().decode().rstrip("\n")
        except ConnectionResetError:
            return ""


    def say_all_that_fits(self, server):
        """sends without reading anything until the server waits for just that; what was sent"""
        sent, piece = bytearray(), os.urandom(1 << 16)
        self.socket.setblocking(False)
        while True:
            try:
                sent += piece[:self.socket.send(piece)]
            except BlockingIOError:
                # Asleep with something to read: it does not want to read.
                if server.is_asleep() and not select.select([], [self.socket], [], 0)[1]:
                    break
        self.socket.settimeout(PATIENCE)
        return bytes(sent)


def unused_port():
    """a port on which nobody listens, and the socket that keeps it so"""
    kept = socket.socket()
    kept.bind((LOCALHOST, 0))
    return kept, kept.getsockname()[1]


class Examples:
    """What the programs of both languages do."""

    def start(self, name, *arguments):
        running = Running(self.examples, name, *arguments)
        self.addCleanup(running.__exit__)
        return running

    def path(self, name):
        folder = tempfile.TemporaryDirectory(prefix="libae-examples-")
        self.addCleanup(folder.cleanup)
        return str(Path(folder.name) / name)

    def run_to_its_end(self, name, *arguments):
        command = [self.examples.program(name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=self.examples.env)
        return done.stdout, done.stderr, done.returncode

    def test_echo(self):
        server = self.start("echo", 0, 60000)
        port = server.port()
        with Talk((LOCALHOST, port)) as one, Talk((LOCALHOST, port)) as other:
            other.say("second\n")
            self.assertEqual(other.hear(), "second")
            one.say("first\n")
            self.assertEqual(one.hear(), "first")
        self.assertEqual(server.ended(), ("", 0))

    def test_echo_of_more_than_fits(self):
        server = self.start("echo", 0, 60000)
        with Talk((LOCALHOST, server.port())) as client:
            self.check_all_comes_back(client, server)
        self.assertEqual(server.ended(signal.SIGINT), ("", 0))

    def check_all_comes_back(self, client, server):
        sent = client.say_all_that_fits(server)
        self.assertTrue(client.file.read(len(sent)) == sent)

    def test_echo_closes_a_silent_client(self):
        server = self.start("echo", 0, 1)
        with Talk((LOCALHOST, server.port())) as client:
            self.assertEqual(client.hear(), "")
        self.assertEqual(server.ended(), ("", 0))

    def test_echo_says_what_is_wrong(self):
        _, said, status = self.run_to_its_end("echo")
        self.assertIn("usage: ", said)
        self.assertIn(status, (1, 2))
        with socket.create_server((LOCALHOST, 0)) as taken:
            _, said, status = self.run_to_its_end("echo", taken.getsockname()[1], 1000)
        self.assertRegex(said, "Address already in use|AddrInUse")
        self.assertEqual(status, 1)

    def test_periodic(self):
        task = self.start("periodic", 10)
        self.assertEqual([task.line(), task.line()], ["run 1", "run 2"])
        task.process.send_signal(signal.SIGHUP)
        self.assertEqual(task.lines_until("counting again")[-1], "counting again")
        self.assertEqual(task.line(), "run 1")
        said, status = task.ended()
        self.assertRegex(said, r"(?:^|\n)stopped after \d+ runs\n$")
        self.assertEqual(status, 0)

    def test_client(self):
        server = self.start("echo", 0, 60000)
        self.assertEqual(self.run_to_its_end("client", LOCALHOST, server.port(), "hello"), ("hello\n", "", 0))
        self.assertEqual(server.ended(), ("", 0))

    def test_client_without_a_server(self):
        kept, port = unused_port()
        with kept:
            said, reason, status = self.run_to_its_end("client", LOCALHOST, port, "hello")
        self.assertEqual((said, status), ("", 1))
        self.assertIn("Connection refused", reason)

    def test_chat(self):
        path = self.path("chat.sock")
        server = self.start("chat", 0, path)
        port = server.port()
        with Talk((LOCALHOST, port)) as ann, Talk((LOCALHOST, port)) as ben:
            self.assertEqual(ann.hear(), "2 joins")
            with Talk(path) as cleo:
                self.assertEqual([ann.hear(), ben.hear()], ["3 joins", "3 joins"])
                cleo.say("good morning\nall\n")
                for talk in (ann, ben):
                    self.assertEqual([talk.hear(), talk.hear()], ["3: good morning", "3: all"])
                ben.say("hello")
                ben.say(" Cleo\n")
                self.assertEqual([ann.hear(), cleo.hear()], ["2: hello Cleo", "2: hello Cleo"])
            self.assertEqual([ann.hear(), ben.hear()], ["3 leaves", "3 leaves"])
            ben.say("x" * 4096)
            self.assertEqual([ann.hear(), ben.hear()], ["2 leaves", ""])
        self.assertEqual(server.ended(), ("", 0))
        self.assertFalse(os.path.exists(path))

    def test_chat_leaves_who_does_not_read(self):
        path = self.path("chat.sock")
        server = self.start("chat", 0, path)
        server.port()  # it listens
        with Talk(path) as talker, Talk(path) as listener, Talk(path):
            self.assertEqual([talker.hear(), talker.hear(), listener.hear()], ["2 joins", "3 joins", "3 joins"])
            heard = ""
            while heard != "3 leaves":
                talker.say("x" * 1000 + "\n")
                heard = listener.hear()
                self.assertIn(heard, ("1: " + "x" * 1000, "3 leaves"))
        self.assertEqual(server.ended(), ("", 0))


class InC(Examples, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.examples = C()

    def test_each_program_is_run(self):
        self.assertEqual(set(self.examples.commands), {"chat", "client", "connections", "echo", "periodic"})

    def test_strict_compilers_have_nothing_to_say(self):
        for compiler in STRICT:
            for name in self.examples.commands:
                with self.subTest(compiler=compiler, program=name):
                    self.examples.build(name, compiler)

    def test_connections(self):
        path = self.path("echo.sock")
        certificates = Certificates()
        server = self.start("connections", 0, path, 0, certificates["server.crt"], certificates["server.key"])
        port, tls_port = server.port(), server.port()
        context = client_context(certificates)

        def tls(plain):
            return context.wrap_socket(plain, server_hostname="localhost")

        talks = {"tcp": ((LOCALHOST, port),), "unix": (path,), "tls": ((LOCALHOST, tls_port), tls)}
        for kind, how in talks.items():
            with self.subTest(kind=kind), Talk(*how) as client:
                self.assertEqual(client.hear(), f"hello over {kind}")
                client.say("well\n")
                self.assertEqual(client.hear(), "well")
                if kind != "tls":
                    self.check_all_comes_back(client, server)
                    continue
                # Over TLS a piece that was not taken would have to be sent once more.
                for _ in range(50):
                    sent = os.urandom(20000)
                    client.socket.sendall(sent)
                    self.assertTrue(client.file.read(len(sent)) == sent)
        with Talk((LOCALHOST, tls_port)) as client:
            client.say("this is no TLS\n")
            self.assertNotIn("hello", client.hear())
        self.assertRegex(server.line(), "^tls: ")
        self.assertEqual(server.ended(), ("", 0))
        self.assertFalse(os.path.exists(path))

    def test_connections_without_tls(self):
        server = self.start("connections", 0, self.path("echo.sock"))
        with Talk((LOCALHOST, server.port())) as client:
            self.assertEqual(client.hear(), "hello over tcp")
        self.assertEqual(server.ended(), ("", 0))


class InRust(Examples, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.examples = Rust()

    def test_each_program_is_run(self):
        self.assertEqual(set(self.examples.programs), {"chat", "client", "echo", "periodic"})


if __name__ == "__main__":
    main("examples")
