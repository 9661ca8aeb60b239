#!/usr/bin/env python3
"""What a person sees of ae-cli in a terminal when the server does not do what it should."""

import os
import signal
import subprocess
import tempfile
import termios
import time
from pathlib import Path

from support import main
from terminal import ScriptedServer, Terminal
from testkit.ports import free_port
from testkit.resp import PATIENCE
from testkit.server import AE_CLI
from told import ToldCase

CTRL_C = b"\x03"
PASTE = b"\x1b[200~%s\x1b[201~\r"
MARK = b"m" * 40


class Case(ToldCase):
    def terminal(self, port, *options, **environment):
        terminal = Terminal(AE_CLI, "-p", str(port), *map(str, options),
                            **{"REDISCLI_HISTFILE": "/dev/null", "REDISCLI_RCFILE": "/dev/null", **environment})
        self.addCleanup(self.ended, terminal)
        return terminal

    @staticmethod
    def ended(terminal):
        try:
            os.kill(terminal.pid, signal.SIGKILL)
            os.waitpid(terminal.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass

    def told(self, **replies):
        return super().told(**{"COMMAND": b"-ERR unknown\r\n", **replies})

    def prompt(self, server, *options, **environment):
        """A terminal at the prompt."""
        terminal = self.terminal(server.port, *options, **environment)
        terminal.expect(b"127.0.0.1:%d> " % server.port)
        return terminal

    def leave(self, terminal):
        terminal.type(b"quit\r")
        self.assertEqual(terminal.end(), 0)


class Opening(Case):
    def test_nobody_is_there(self):
        port = free_port()
        refused = b"Could not connect to Redis at 127.0.0.1:%d: Connection refused\r\n" % port
        terminal = self.terminal(port)
        self.assertEqual(terminal.expect(b"not connected> ").count(refused), 1)
        terminal.type(b"ping\r")
        terminal.expect(b"\x1b[?2004l\r\n" + refused)
        terminal.expect(b"not connected> ")
        self.leave(terminal)

    def test_an_interrupt_ends_a_handshake_that_nobody_answers(self):
        with ScriptedServer() as server:
            terminal = self.terminal(server.port, "--tls", "--insecure")
            with server.accept() as link:
                self.assertTrue(link.recv(1))
                terminal.type(CTRL_C)
                terminal.expect(b"Could not connect to Redis at 127.0.0.1:%d: Interrupted\r\n" % server.port)
                while link.recv(4096):
                    pass
            # It is tried once more for what the server says of its commands.
            with server.accept() as link:
                self.assertTrue(link.recv(1))
                terminal.type(CTRL_C)
                terminal.expect(b"not connected> ")
            self.leave(terminal)

    def test_commands_of_the_server_are_in_order(self):
        def docs(*names):
            entries = b"".join(b"+%s\r\n*4\r\n+group\r\n+own\r\n+summary\r\n+x\r\n" % name for name in names)
            return b"*%d\r\n%s" % (2 * len(names), entries)

        terminal = self.prompt(self.told(COMMAND=docs(b"two", b"one", b"three")))
        terminal.type(b"help @own\r")
        for name in b"ONE", b"THREE", b"TWO":
            terminal.expect(b"\r\n  \x1b[1m%s\x1b[0m " % name)
        self.leave(terminal)

    def test_a_mouthful_of_a_preferences_file(self):
        with tempfile.TemporaryDirectory() as folder:
            rcfile = Path(folder, "rc")
            rcfile.write_text(":set nothing\n\n  \n'open\n:unknown\nget k\n")
            terminal = self.terminal(self.told().port, REDISCLI_RCFILE=str(rcfile))
            said = terminal.expect(b"> ")
            said = [line.split(b": ", 1)[1].decode() for line in said.splitlines() if b"redisclirc" in line]
            self.assertEqual(said, ["unknown redis-cli preference 'nothing'",
                                    "unknown redis-cli internal command ':unknown'",
                                    "unknown redis-cli internal command 'get'"])
            self.leave(terminal)


class Lines(Case):
    def test_lines_that_were_pasted_and_are_not_sent_are_counted(self):
        for lines, said in (
            (b"drop", None), (b"drop\nping", b"1 more pasted"), (b"drop\nping\n\nping", b"2 more pasted"),
        ):
            with self.subTest(lines):
                server = self.told(DROP=None)
                terminal = self.prompt(server)
                terminal.type(PASTE % lines)
                terminal.expect(b"Error: Server closed the connection\r\n")
                before = terminal.expect(b"not connected> ")
                self.assertEqual(b"pasted" in before, said is not None)
                self.assertIn(said or b"", before)
                self.assertNotIn([b"ping"], server.seen)
                self.leave(terminal)

    def test_who_goes_elsewhere_leaves(self):
        with ScriptedServer() as server:
            terminal = self.terminal(server.port)
            with server.accept() as link:
                link.recv(4096)
                link.sendall(b"-ERR unknown\r\n")
                terminal.expect(b"> ")
                other = self.told()
                terminal.type(b"connect 127.0.0.1 %d\r" % other.port)
                terminal.expect(b"127.0.0.1:%d> " % other.port)
                self.assertEqual(link.recv(1), b"")
            self.leave(terminal)

    def test_a_pause_ends_by_itself(self):
        server = self.told(INCR=b":1\r\n")
        terminal = self.prompt(server, "-i", 0.01)
        terminal.type(b"3 incr k\r")
        terminal.expect(b"(integer) 1\r\n" * 3)
        terminal.expect(b"> ")
        # Of each reply, and of the request behind it.
        replied, asked = server.times[-5:-1:2], server.times[-4::2]
        self.assertGreaterEqual(min(after - before for before, after in zip(replied, asked)), 0.01)
        self.leave(terminal)

    def test_the_screen_is_cleared(self):
        terminal = self.prompt(self.told())
        terminal.type(b"clear\r")
        terminal.expect(b"\x1b[H\x1b[J")
        terminal.expect(b"> ")
        self.leave(terminal)

    def test_what_takes_long_is_told(self):
        def ping(_):
            time.sleep(0.6)
            return b"+PONG\r\n"

        terminal = self.prompt(self.told(PING=ping))
        terminal.type(b"ping\r")
        terminal.expect(b"PONG\r\n")
        self.assertRegex(terminal.expect(b"127"), rb"^\(\d+\.\d\ds\)\r\n")
        self.leave(terminal)

    def test_errors_are_in_no_colour_of_their_own(self):
        terminal = self.prompt(self.told(GET=b"-ERR \x1b[31mred\r\n"))
        terminal.type(b"get k\r")
        terminal.expect(b"\x1b[?2004l\r\n(error) ERR ")
        self.leave(terminal)


class Replication(Case):
    def following(self, server, *parts):
        """A terminal in which SYNC has been answered, and the connection."""
        terminal = self.terminal(server.port)
        link = server.accept()
        self.addCleanup(link.close)
        link.recv(4096)
        link.sendall(b"-ERR unknown\r\n")
        terminal.expect(b"> ")
        terminal.type(b"sync\r")
        self.assertEqual(link.recv(4096), b"SYNC\r\n")
        for part in parts:
            link.sendall(part)
        return terminal, link

    def test_an_interrupt_ends_it_wherever_it_is(self):
        for parts, shown in (
            ([], b"Entering replica output mode...  (press Ctrl-C to quit)\r\n"),
            ([b"\n\n$5\r\nab"], b"SYNC with master, discarding 5 bytes of bulk transfer...\r\n"),
            ([b"$2\r\nab"], b"SYNC done. Logging commands from master.\r\n"),
            ([b"$EOF:" + MARK + b"\r\nab"],
             b"SYNC with master, discarding bytes of bulk transfer until EOF marker...\r\n"),
            ([b"$EOF:" + MARK + b"\r\nab" + MARK],
             b"SYNC done after 2 bytes. Logging commands from master.\r\nsending REPLCONF ACK 0\r\n"),
            ([b"$2\r\nab*1\r\n$4\r\nPING\r\n"], b'"PING"\r\n'),
        ):
            with self.subTest(parts), ScriptedServer() as server:
                terminal, link = self.following(server, *parts)
                terminal.expect(shown)
                terminal.type(CTRL_C)
                if parts:
                    self.assertIn(b"\r\n", terminal.expect(b"127.0.0.1:%d> " % server.port))
                    with server.accept():
                        self.leave(terminal)
                else:
                    terminal.expect(b"not connected> ")
                    self.leave(terminal)

    def test_what_comes_right_behind_the_mark(self):
        with ScriptedServer() as server:
            terminal, _ = self.following(server, b"$EOF:" + MARK + b"\r\nab" + MARK + b"*1\r\n$4\r\nPING\r\n")
            terminal.expect(b'sending REPLCONF ACK 0\r\n"PING"\r\n')

    def test_signs_of_life_are_sent_until_something_comes(self):
        acknowledged = b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n"
        with ScriptedServer() as server:
            terminal, link = self.following(server, b"$EOF:" + MARK + b"\r\nab" + MARK)
            received = b""
            while len(received) < 2 * len(acknowledged):
                received += link.recv(4096) or self.fail(received)
            self.assertEqual(received, 2 * acknowledged)
            link.sendall(b"*1\r\n$4\r\nPING\r\n")
            terminal.expect(b'"PING"\r\n')

    def test_an_interrupt_when_the_server_is_gone(self):
        for line, answer, shown in ((b"blpop k 0", b"", b""), (b"sync", b"$5\r\nab", b"bulk transfer...\r\n")):
            with self.subTest(line), ScriptedServer() as server:
                terminal = self.terminal(server.port)
                with server.accept() as link:
                    link.recv(4096)
                    link.sendall(b"-ERR unknown\r\n")
                    terminal.expect(b"> ")
                    terminal.type(line + b"\r")
                    self.assertIn(line.split()[0], link.recv(4096).lower())
                    link.sendall(answer)
                    if shown:
                        terminal.expect(shown)
                    server.socket.close()
                    terminal.type(CTRL_C)
                    # The terminal shows ^C before the line's end or behind it.
                    before = terminal.expect(b"Could not connect to Redis at 127.0.0.1:%d: " % server.port)
                    self.assertIn(b"\r\n", before)
                    terminal.expect(b"Connection refused\r\n")
                    terminal.expect(b"not connected> ")
                self.leave(terminal)

    def test_a_stream_that_ends(self):
        for parts, shown in (
            ([b"$5\r\nab"], b"Error reading RDB payload while SYNCing\r\n"),
            ([b"$2\r\nab"], b"Error: Server closed the connection\r\n"),
            # Its sign of life may be what finds the end.
            ([b"$EOF:" + MARK + b"\r\nab" + MARK], b"Error: "),
            ([b"x" * 5000], b"Error reading bulk length while SYNCing\r\n"),
            ([b""], b"Error reading bulk length while SYNCing\r\n"),
            ([b"$-1\r\n"], b"SYNC with master failed: $-1\r\n"),
            ([b"$EOF:short\r\n"], b"SYNC with master failed: $EOF:short\r\n"),
        ):
            with self.subTest(parts), ScriptedServer() as server:
                terminal, link = self.following(server, *parts)
                if len(parts[0]) < 5000:
                    link.shutdown(2)
                terminal.expect(shown)
                terminal.expect(b"not connected> ")
                self.leave(terminal)


class Passwords(Case):
    def test_a_terminal_that_does_not_wait_for_keys(self):
        """Whatever program has left it so."""
        reader, writer = os.openpty()
        self.addCleanup(os.close, reader)
        modes = termios.tcgetattr(writer)
        modes[6][termios.VMIN] = 0
        termios.tcsetattr(writer, termios.TCSANOW, modes)
        server = self.told()
        words = [AE_CLI, "-p", str(server.port), "--askpass", "ping"]
        with subprocess.Popen(words, stdin=writer, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            self.assertEqual(program.stderr.read(len("Please input password: ")), b"Please input password: ")
            os.write(reader, b"x\r")
            self.assertEqual(program.communicate(timeout=PATIENCE), (b"OK\n", b"\n"))
        os.close(writer)
        self.assertEqual(server.seen, [[b"AUTH", b"x"], [b"ping"]])

    def test_input_that_cannot_be_read(self):
        folder = os.open("/", os.O_RDONLY)
        done = subprocess.run([AE_CLI, "--askpass", "ping"], stdin=folder, capture_output=True, timeout=PATIENCE)
        os.close(folder)
        self.assertEqual((done.stdout, done.returncode), (b"", 1))
        self.assertIn(b"Could not read the password: Is a directory", done.stderr)


if __name__ == "__main__":
    main("cli-terminal")
