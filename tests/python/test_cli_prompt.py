#!/usr/bin/env python3
"""Types at ae-cli's prompt, in a terminal of its own."""

import os
import re
import signal
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

from support import main
from terminal import ScriptedServer, Terminal
from testkit.resp import PATIENCE
from testkit.server import AE_CLI, AeServer

GREY = b"\x1b[90m"
CTRL_A, CTRL_C, CTRL_D, CTRL_R, CTRL_U = b"\x01", b"\x03", b"\x04", b"\x12", b"\x15"
TAB, UP = b"\t", b"\x1b[A"
PASTE = b"\x1b[200~%s\x1b[201~"


class Prompt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = AeServer().__enter__()
        cls.addClassCleanup(cls.server.stop)

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ae-cli-")
        self.addCleanup(folder.cleanup)
        self.history, self.rcfile = Path(folder.name, "history"), Path(folder.name, "rc")
        self.prompt = b"127.0.0.1:%d" % self.server.port
        with self.server.connect() as client:
            client.call("FLUSHALL")

    def start(self, *options, prompt=None, **environment):
        files = {"REDISCLI_HISTFILE": str(self.history), "REDISCLI_RCFILE": str(self.rcfile)}
        terminal = Terminal(AE_CLI, "-p", str(self.server.port), *options, **{**files, **environment})
        terminal.expect(prompt or self.prompt + b"> ")
        return terminal

    def leave(self, terminal, keys=b"quit\r"):
        terminal.type(keys)
        self.assertEqual(terminal.end(), 0)

    def run_line(self, terminal, line, answer, prompt=b"> "):
        """Types a line, and waits for its answer and the next prompt."""
        terminal.type(line + b"\r")
        terminal.expect(b"\x1b[?2004l\r\n" + answer)
        terminal.expect(self.prompt + prompt)

    def test_commands(self):
        terminal = self.start()
        for line, answer in ((b"set k v", b"OK\r\n"), (b"get k", b'"v"\r\n'),
                             (b"3 incr n", b"(integer) 1\r\n(integer) 2\r\n"),
                             (b"get 'x", b"Invalid argument(s)\r\n"), (b"nosuch", b"(error) ERR unknown command"),
                             ("echo 中文".encode(), rb'"\xe4\xb8\xad\xe6\x96\x87"'),
                             (b"0 get k", b"Invalid redis-cli repeat")):
            self.run_line(terminal, line, answer)
        self.leave(terminal)

    def test_the_prompt_tells_the_state(self):
        terminal = self.start("-n", "2", prompt=self.prompt + b"[2]> ")
        self.run_line(terminal, b"multi", b"OK", b"[2](TX)> ")
        self.run_line(terminal, b"select 3", b"QUEUED", b"[3](TX)> ")
        self.run_line(terminal, b"discard", b"OK", b"[2]> ")
        self.run_line(terminal, b"select 0", b"OK")
        terminal.type(b"connect 127.0.0.1 1\r")
        terminal.expect(b"Connection refused\r\n")
        terminal.expect(b"not connected> ")
        terminal.type(b"ping\r")
        terminal.expect(b"Connection refused\r\n")
        self.run_line(terminal, b"connect 127.0.0.1 %d" % self.server.port, b"")
        self.run_line(terminal, b"ping", b"PONG")
        self.leave(terminal)

    def test_completion(self):
        terminal = self.start()
        for typed, completed in ((b"getra" + TAB, b"GETRANGE"), (b"config rese" + TAB, b"CONFIG RESETSTAT"),
                                 (b"set k v ke" + TAB, b"set k v KEEPTTL"), (b"help @conn" + TAB, b"help @connection")):
            terminal.type(typed)
            terminal.expect(completed)
            terminal.type(CTRL_U)
        self.leave(terminal)

    def test_hints(self):
        terminal = self.start()
        terminal.type(b"lpush k")
        terminal.expect(b"lpush k" + GREY + b" element [element ...]")
        terminal.type(CTRL_U + b":set nohints\r")
        terminal.expect(self.prompt + b"> ")
        terminal.type(b"lpush k e\r")
        self.assertNotIn(GREY, terminal.expect(b"(integer) 1"))
        self.leave(terminal)
        self.rcfile.write_text(":set nohints\n:set nothing\n")
        terminal = self.start(prompt=b".redisclirc: unknown redis-cli preference 'nothing'")
        terminal.type(b"lpush k e\r")
        self.assertNotIn(GREY, terminal.expect(b"(integer) 2"))
        self.leave(terminal)
        # A variable without a value names no file.
        Path(self.rcfile.parent, ".redisclirc").write_text(":set nohints\n")
        terminal = self.start(REDISCLI_RCFILE="", HOME=str(self.rcfile.parent))
        terminal.type(b"lpush k e\r")
        self.assertNotIn(GREY, terminal.expect(b"(integer) 3"))
        self.leave(terminal)

    def test_no_colours(self):
        terminal = self.start(NO_COLOR="1")
        terminal.type(b"help get\r")
        self.assertIsNone(re.search(rb"\x1b\[\d+m", terminal.expect(b"group:")))
        terminal.type(b"lpush k e\r")
        self.assertNotIn(b"element", terminal.expect(b"(integer) 1"))
        self.leave(terminal)

    def test_history_without_secrets(self):
        self.history.write_text("")
        self.history.chmod(0o644)
        terminal = self.start()
        self.run_line(terminal, b"set k first", b"OK")
        for line in (b"auth secret", b"config set requirepass ''", b"acl setuser u >secret",
                     b"hello 3 auth default secret", b"sentinel set m auth-pass secret", b'auth "secret'):
            self.run_line(terminal, line, b"")
        self.run_line(terminal, b"get 'open", b"Invalid argument(s)\r\n")
        terminal.type(UP)
        terminal.expect(b"get 'open")
        terminal.type(UP)
        terminal.expect(b"set k first")
        terminal.type(CTRL_U)
        self.leave(terminal)
        self.assertEqual(self.history.read_text(), "set k first\nget 'open\nquit\n")
        self.assertEqual(self.history.stat().st_mode & 0o777, 0o600)
        terminal = self.start()
        terminal.type(CTRL_R + b"first")
        terminal.expect(b"set k first")
        terminal.type(b"\r")
        terminal.expect(b"OK\r\n")
        self.leave(terminal)

    def test_interrupted(self):
        terminal = self.start()
        for line, shown in ((b"blpop nothing 0", None), (b"subscribe news", b"(integer) 1\r\n"),
                            (b"monitor", b"OK\r\n")):
            with self.subTest(line):
                terminal.type(line + b"\r")
                terminal.expect(b"\x1b[?2004l\r\n")
                if shown:
                    terminal.expect(shown)
                else:
                    self.server_has_blocked_client()
                terminal.type(CTRL_C)
                self.assertIn(b"\r\n", terminal.expect(self.prompt + b"> "))
                self.run_line(terminal, b"ping", b"PONG")
        terminal.type(b"some text")
        terminal.expect(b"text")
        terminal.type(CTRL_C)
        terminal.expect(self.prompt + b"> ")
        self.leave(terminal, CTRL_C)

    def server_has_blocked_client(self):
        with self.server.connect() as client:
            deadline = time.monotonic() + PATIENCE
            while b"blocked_clients:1" not in client.call("INFO", "clients"):
                self.assertLess(time.monotonic(), deadline)

    def test_the_end(self):
        self.leave(self.start(), CTRL_D)
        self.leave(self.start(), b"EXIT\r")

    def test_messages_arrive(self):
        terminal = self.start()
        terminal.type(b"subscribe news\r")
        terminal.expect(b"Reading messages... (press Ctrl-C to quit)\r\n")
        terminal.expect(b"(integer) 1\r\n")
        with self.server.connect() as client:
            client.call("PUBLISH", "news", "hello")
        terminal.expect(b'1) "message"\r\n2) "news"\r\n3) "hello"\r\n')
        terminal.type(CTRL_C)
        terminal.expect(self.prompt + b"> ")
        self.leave(terminal)

    def test_a_server_that_comes_back(self):
        server = AeServer().__enter__()
        terminal = Terminal(AE_CLI, "-p", str(server.port), REDISCLI_HISTFILE="/dev/null")
        prompt = b"127.0.0.1:%d> " % server.port
        terminal.expect(prompt)
        server.stop()
        terminal.type(b"ping\r")
        terminal.expect(b"Error: Server closed the connection\r\n")
        terminal.expect(b"not connected> ")
        with AeServer(port=server.port):
            terminal.type(b"ping\r")
            terminal.expect(b"PONG\r\n")
            terminal.expect(prompt)
            self.leave(terminal)

    def test_resize(self):
        terminal = self.start()
        terminal.type(b"echo 0123456789")
        terminal.expect(b"9")
        terminal.resize(24, 30)
        os.kill(terminal.pid, signal.SIGWINCH)
        terminal.type(b"abcdefghijklmnop" + CTRL_A + b"\r")
        terminal.expect(b'"0123456789abcdefghijklmnop"\r\n')
        self.leave(terminal)

    def test_pasted_text(self):
        terminal = self.start()
        terminal.type(b"\x1b[200~echo \"a\tb\"\x1b[201~\r")
        terminal.expect(rb'"a\tb"')
        self.leave(terminal)

    def test_each_pasted_line_is_a_command(self):
        with self.server.connect() as client:
            client.call("MSET", "u1", "a", "u2", "b")
        terminal = self.start()
        terminal.type(PASTE % b"DEL u1\nGET u2" + b"\r")
        terminal.expect(b'(integer) 1\r\n"b"\r\n')
        terminal.expect(self.prompt + b"> ")
        terminal.type(PASTE % b"set a 1\r\nauth hunter2\r\nget a" + b"\r")
        terminal.expect(b"OK\r\n")
        terminal.expect(b'"1"\r\n')
        terminal.expect(self.prompt + b"> ")
        terminal.type(UP + UP)
        terminal.expect(b"set a 1")
        terminal.type(CTRL_U)
        self.leave(terminal)
        self.assertEqual(self.history.read_text(), "DEL u1\nGET u2\nset a 1\nget a\nquit\n")

    def test_an_interrupt_ends_what_was_pasted(self):
        terminal = self.start()
        terminal.type(PASTE % b"blpop nothing 0\nset k v\nset k w" + b"\r")
        terminal.expect(b"\x1b[?2004l\r\n")
        self.server_has_blocked_client()
        terminal.type(CTRL_C)
        terminal.expect(b"2 more pasted line(s) not sent.")
        terminal.expect(self.prompt + b"> ")
        self.run_line(terminal, b"exists k", b"(integer) 0\r\n")
        self.leave(terminal)

    def test_bytes_that_are_no_text(self):
        terminal = self.start()
        terminal.type(b"set k \xff")
        terminal.expect(b"Invalid UTF-8: the line is not sent.\r\n")
        terminal.expect(self.prompt + b"> ")
        self.run_line(terminal, b"exists k", b"(integer) 0\r\n")
        self.leave(terminal)
        self.assertEqual(self.history.read_text(), "exists k\nquit\n")

    def test_help_in_a_transaction_is_no_part_of_it(self):
        terminal = self.start()
        self.run_line(terminal, b"multi", b"OK", b"(TX)> ")
        terminal.type(b"help get\r")
        terminal.expect(b"since:")
        terminal.expect(b"(TX)> ")
        self.run_line(terminal, b"exec", b"(empty array)\r\n")
        self.leave(terminal)
        given = b"multi\nhelp get\nping\nexec\nhelp get\nhelp get\nping\n"
        words = [AE_CLI, "-p", str(self.server.port)]
        out = subprocess.run(words, input=given, stdout=subprocess.PIPE, timeout=PATIENCE, check=True).stdout
        self.assertTrue(out.startswith(b"OK\n\r\n  GET key"), out)
        self.assertIn(b"\r\nQUEUED\nPONG\n\r\n", out)
        self.assertTrue(out.endswith(b"\r\nPONG\n"), out)

    def test_the_opening_is_interrupted(self):
        with ScriptedServer() as server:
            terminal = Terminal(AE_CLI, "-p", str(server.port), REDISCLI_HISTFILE="/dev/null")
            with server.accept() as first:
                self.assertIn(b"DOCS", first.recv(4096))
                terminal.type(CTRL_C)
                terminal.expect(b"127.0.0.1:%d> " % server.port)
                self.assertEqual(first.recv(1), b"")
            with server.accept() as second:
                terminal.type(b"ping\r")
                self.assertIn(b"ping", second.recv(4096))
                second.sendall(b"+this is the answer\r\n")
                terminal.expect(b"this is the answer\r\n")
                # It is asked once, whatever came of it.
                terminal.type(b"help get\r")
                terminal.expect(b"since:")
                self.leave(terminal)
                self.assertEqual(second.recv(1), b"")

    def script(self, server, text):
        """The program, which has the text as standard input."""
        pipes = {name: subprocess.PIPE for name in ("stdin", "stdout", "stderr")}
        program = subprocess.Popen([AE_CLI, "-p", str(server.port)], **pipes)
        program.stdin.write(text)
        program.stdin.close()
        return program

    def test_a_refused_shutdown_says_nothing_of_a_lost_connection(self):
        with ScriptedServer() as server:
            with self.script(server, b"shutdown abort\nmonitor\n") as program:
                with server.accept() as link:
                    link.recv(4096)
                    link.sendall(b"-ERR No shutdown in progress.\r\n")
                    self.assertIn(b"monitor", link.recv(4096))
                    link.sendall(b"+OK\r\n")
                # That it ends at all is what counts.
                self.assertEqual(program.stdout.read(), b"ERR No shutdown in progress.\n\nOK\n")
                self.assertEqual(program.stderr.read(), b"Error: Server closed the connection\n")
                self.assertEqual(program.wait(PATIENCE), 1)

    def test_a_script_ends_with_the_replication_it_follows(self):
        with ScriptedServer() as server:
            with self.script(server, b"sync\nping\n") as program:
                with server.accept() as link:
                    self.assertEqual(link.recv(4096), b"SYNC\r\n")
                    link.sendall(b"-ERR no replicas here\r\n")
                    # The ping is not sent: there is no other connection, and nothing more on this one.
                    self.assertEqual(link.recv(4096), b"")
                try:
                    self.assertEqual(program.wait(PATIENCE), 1)
                finally:
                    program.kill()
                server.socket.setblocking(False)
                self.assertRaises(BlockingIOError, server.socket.accept)

    def test_a_lost_stream_leads_back_to_the_prompt(self):
        terminal = self.start()
        for line, kind in ((b"monitor", "normal"), (b"subscribe news", "pubsub")):
            with self.subTest(line):
                terminal.type(line + b"\r")
                terminal.expect(b"OK\r\n" if kind == "normal" else b"(integer) 1\r\n")
                with self.server.connect() as client:
                    client.call("CLIENT", "KILL", "TYPE", kind)
                terminal.expect(b"Error: Server closed the connection\r\n")
                terminal.expect(b"not connected> ")
                self.run_line(terminal, b"ping", b"PONG")
        self.leave(terminal)

    def test_a_server_does_not_command_the_terminal(self):
        with ScriptedServer() as server:
            terminal = Terminal(AE_CLI, "-p", str(server.port), REDISCLI_HISTFILE="/dev/null")
            with server.accept() as link:
                link.recv(4096)
                evil = b"a\x1b]0;evil\x07\x9b5n\xc2\x9bz"
                bulk = b"$%d\r\n%s\r\n" % (len(evil), evil)
                link.sendall(b"*2\r\n+foo\r\n*6\r\n+summary\r\n%s+group\r\n%s+since\r\n%s" % (bulk, bulk, bulk))
                terminal.expect(b"> ")
                terminal.type(b"help foo\r")
                shown = terminal.expect(b"group:") + terminal.expect(b"\r\n")
                self.assertIn(b"a ]0;evil ", shown)
                for bad in (b"\x1b]", b"\x07", b"\xc2\x9b"):
                    self.assertNotIn(bad, shown)
                self.leave(terminal)

    def test_a_wait_between_repetitions_is_interrupted(self):
        terminal = self.start("-i", "3600")
        terminal.type(b"3 incr n\r")
        terminal.expect(b"(integer) 1\r\n")
        terminal.type(CTRL_C)
        self.assertIn(b"\r\n", terminal.expect(self.prompt + b"> "))
        self.run_line(terminal, b"get n", b'"1"\r\n')
        self.leave(terminal)

    def test_what_a_renewed_connection_has_lost_is_said(self):
        terminal = self.start()
        self.run_line(terminal, b"client setname me", b"OK")
        self.run_line(terminal, b"watch k", b"OK")
        for forgotten in (b"Connected anew: the server has forgotten CLIENT, WATCH.\r\n", None):
            terminal.type(b"blpop nothing 0\r")
            terminal.expect(b"\x1b[?2004l\r\n")
            self.server_has_blocked_client()
            terminal.type(CTRL_C)
            before = terminal.expect(forgotten or self.prompt + b"> ")
            self.assertNotIn(b"anew", before)
            if forgotten:
                terminal.expect(self.prompt + b"> ")
        self.leave(terminal)

    def test_a_protocol_that_was_asked_for_is_not_lost(self):
        for options, lost in (([], True), (["-3"], False)):
            with self.subTest(options):
                terminal = self.start(*options)
                self.run_line(terminal, b"hello 3", b"1# ")
                terminal.type(b"blpop nothing 0\r")
                terminal.expect(b"\x1b[?2004l\r\n")
                self.server_has_blocked_client()
                terminal.type(CTRL_C)
                before = terminal.expect(self.prompt + b"> ")
                self.assertEqual(b"Connected anew: the server has forgotten HELLO.\r\n" in before, lost)
                self.leave(terminal)

    def test_a_lost_connection_forgets_the_database(self):
        terminal = self.start()
        self.run_line(terminal, b"select 3", b"OK", b"[3]> ")
        with self.server.connect() as client:
            client.call("CLIENT", "KILL", "TYPE", "normal")
        terminal.type(b"set k v\r")
        terminal.expect(b"Error: Server closed the connection\r\n")
        terminal.expect(b"not connected> ")
        self.run_line(terminal, b"set k v", b"OK", b"[3]> ")
        with self.server.connect() as client:
            self.assertEqual(client.call("EXISTS", "k"), 0)
        self.leave(terminal)

    def test_what_was_reset_is_not_selected_again(self):
        terminal = self.start()
        self.run_line(terminal, b"select 3", b"OK", b"[3]> ")
        self.run_line(terminal, b"reset", b"RESET")
        with self.server.connect() as client:
            client.call("CLIENT", "KILL", "TYPE", "normal")
        terminal.type(b"set k v\r")
        terminal.expect(b"not connected> ")
        self.run_line(terminal, b"set k v", b"OK")
        with self.server.connect() as client:
            self.assertEqual(client.call("EXISTS", "k"), 1)
        self.leave(terminal)

    def test_replication_is_followed(self):
        for command in (b"sync", b"psync ? -1"):
            with self.subTest(command):
                terminal = self.start()
                terminal.type(command + b"\r")
                terminal.expect(b"Logging commands from master.\r\n")
                with self.server.connect() as client:
                    client.call("SET", "k", "followed")
                terminal.expect(b'"followed"\r\n')
                terminal.type(CTRL_C)
                terminal.expect(self.prompt + b"> ")
                self.run_line(terminal, b"get k", b'"followed"\r\n')
                self.leave(terminal)

    def test_a_failed_replication_does_not_end_the_prompt(self):
        with ScriptedServer() as server:
            terminal = Terminal(AE_CLI, "-p", str(server.port), REDISCLI_HISTFILE="/dev/null")
            with server.accept() as link:
                link.recv(4096)
                link.sendall(b"-ERR unknown\r\n")
                terminal.expect(b"> ")
                terminal.type(b"sync\r")
                self.assertEqual(link.recv(4096), b"SYNC\r\n")
                link.sendall(b"-ERR no replicas here\r\n")
                terminal.expect(b"SYNC with master failed: -ERR no replicas here\r\n")
                terminal.expect(b"not connected> ")
            self.leave(terminal)

    def test_an_interrupt_at_a_dumb_terminal_is_for_no_command(self):
        terminal = self.start(TERM="dumb")
        os.kill(terminal.pid, signal.SIGINT)
        terminal.type(b"echo answered\r")
        terminal.expect(b'"answered"\r\n')
        self.leave(terminal)

    def test_a_password_is_asked_for_and_not_shown(self):
        with AeServer("--requirepass", "secret") as server:
            terminal = Terminal(AE_CLI, "-p", str(server.port), "--askpass", "ping")
            terminal.expect(b"Please input password: ")
            terminal.type(b"secret\r")
            self.assertNotIn(b"secret", terminal.expect(b"PONG\r\n"))
            self.assertEqual(terminal.wait(), 0)
            self.assertTrue(termios.tcgetattr(terminal.fd)[3] & termios.ECHO)
            os.close(terminal.fd)

    def test_without_a_password_there_is_no_auth(self):
        terminal = self.start("--askpass", prompt=b"Please input password: ")
        terminal.type(CTRL_D)
        self.assertNotIn(b"AUTH", terminal.expect(self.prompt + b"> "))
        self.leave(terminal)
        words = [AE_CLI, "-p", str(self.server.port), "--askpass", "ping"]
        for given, said in ((b"", b""), (b"\n", b"AUTH failed: ")):
            with self.subTest(given):
                done = subprocess.run(words, input=given, capture_output=True, timeout=PATIENCE, check=True)
                self.assertEqual(done.stdout, b"PONG\n")
                self.assertTrue(done.stderr.startswith(b"Please input password: \n" + said), done.stderr)
                self.assertEqual(b"AUTH" in done.stderr, bool(said))

    def test_a_password_with_spaces(self):
        with AeServer() as server, server.connect() as client:
            client.call("CONFIG", "SET", "requirepass", " a b ")
            terminal = Terminal(AE_CLI, "-p", str(server.port), "--askpass", "ping")
            terminal.expect(b"Please input password: ")
            # What was typed wrongly is erased.
            terminal.type("xyz\x15 a bä\x7f \r".encode())
            terminal.expect(b"PONG\r\n")
            self.assertEqual(terminal.end(), 0)

    def test_a_stop_leaves_no_terminal_silent(self):
        """It is one for a moment only here, where no shell could let the program go on."""
        with AeServer("--requirepass", "secret") as server:
            terminal = Terminal(AE_CLI, "-p", str(server.port), "--askpass", "ping")
            terminal.expect(b"Please input password: ")
            terminal.type(b"sec\x1a")
            terminal.expect(b"\r\n")
            # What is typed before it is silent again is lost.
            deadline = time.monotonic() + PATIENCE
            while termios.tcgetattr(terminal.fd)[3] & termios.ECHO:
                self.assertLess(time.monotonic(), deadline)
            terminal.type(b"ret\r")
            self.assertNotIn(b"ret", terminal.expect(b"PONG\r\n"))
            self.assertEqual(terminal.wait(), 0)
            self.assertTrue(termios.tcgetattr(terminal.fd)[3] & termios.ECHO)
            os.close(terminal.fd)

    def test_nothing_leaves_a_terminal_silent(self):
        for keys, sent in ((CTRL_C, signal.SIGINT), (b"\x1c", signal.SIGQUIT), (b"", signal.SIGTERM),
                           (b"", signal.SIGHUP)):
            with self.subTest(sent=sent):
                terminal = Terminal(AE_CLI, "--askpass", "ping")
                terminal.expect(b"Please input password: ")
                self.assertFalse(termios.tcgetattr(terminal.fd)[3] & termios.ECHO)
                terminal.type(b"secr" + keys)
                if not keys:
                    os.kill(terminal.pid, sent)
                self.assertEqual(terminal.wait(), -sent)
                modes = termios.tcgetattr(terminal.fd)[3]
                os.close(terminal.fd)
                self.assertEqual(modes & termios.ECHO, termios.ECHO)
                self.assertEqual(modes & termios.ISIG, termios.ISIG)


if __name__ == "__main__":
    main("cli-prompt")
