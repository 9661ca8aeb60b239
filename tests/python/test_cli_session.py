#!/usr/bin/env python3
"""What ae-cli knows of its connection, and does when it connects anew: a server of the test's own has been told what to
answer, and when to end the connection."""

import subprocess

from support import main
from testkit.resp import PATIENCE
from testkit.server import AE_CLI
from told import ToldCase

ERROR, NIL, ARRAY = b"-ERR no\r\n", b"*-1\r\n", b"*0\r\n"


def run(*words, given=b""):
    done = subprocess.run([AE_CLI, *map(str, words)], input=given, capture_output=True, timeout=PATIENCE)
    return done.stdout, done.stderr, done.returncode


class Case(ToldCase):
    def lines(self, server, *lines, options=()):
        """What is printed for lines of standard input, and what is said of errors."""
        out, err, status = run("-p", server.port, *options, given="".join(f"{line}\n" for line in lines).encode())
        self.assertEqual(status, 0)
        return out.decode(), err.decode()


class ConnectedAnew(Case):
    """The server ends the connection at DROP: the next command goes over another one."""

    def anew(self, *lines, options=(), **replies):
        """What the second connection is asked, and the errors that are said."""
        server = self.told(DROP=None, **replies)
        _, err = self.lines(server, *lines, "drop", "ping", options=options)
        self.assertEqual(len(server.connections), 2)
        return [request.decode() for request in server.connections[1]], err.splitlines()

    def test_what_connecting_sends(self):
        for options, sent in (
            ([], []), (["-2"], []), (["-3"], ["HELLO 3"]), (["--json"], ["HELLO 3"]), (["--json", "-2"], []),
            (["-n", 3], ["SELECT 3"]), (["-a", "x"], ["AUTH x"]), (["--user", "u", "--pass", "x"], ["AUTH u x"]),
            (["-a", "x", "-n", 3, "-3"], ["AUTH x", "SELECT 3", "HELLO 3"]),
        ):
            with self.subTest(options):
                server = self.told(DROP=None)
                self.lines(server, "drop", "ping", options=["--no-auth-warning", *options])
                sent = [request.encode() for request in sent]
                self.assertEqual(server.connections, [[*sent, b"drop"], [*sent, b"ping"]])

    def test_the_database_is_selected_again(self):
        for lines, replies, db in (
            (["select 3"], {}, 3), (["SELECT 3"], {}, 3), (["select 3"], {"select": ERROR}, 0),
            (["select 3", "select 0"], {}, 0), (["select 3 4"], {}, 0), (["select 3", "reset"], {}, 0),
            (["select 3", "reset"], {"reset": ERROR}, 3), (["select 3", "reset now"], {}, 3),
            (["multi", "select 3"], {}, 3), (["multi", "select 3", "exec"], {"exec": ARRAY}, 3),
            (["select 2", "multi", "select 3", "exec"], {"exec": NIL}, 2),
            (["select 2", "multi", "select 3", "exec"], {"exec": ERROR}, 2),
            (["select 2", "multi", "select 3", "exec now"], {"exec": ERROR}, 3),
            (["select 2", "multi", "select 3", "discard"], {}, 2),
            (["select 2", "multi", "select 3", "discard"], {"discard": ERROR}, 3),
            (["multi", "select 3", "exec"], {"multi": ERROR, "exec": ERROR}, 3),
            (["multi now", "select 3", "exec"], {"exec": ERROR}, 3),
        ):
            with self.subTest(lines, replies=replies):
                sent = [f"SELECT {db}", "ping"] if db else ["ping"]
                self.assertEqual(self.anew(*lines, **replies)[0], sent)

    def test_the_database_that_was_refused_is_selected_after_auth(self):
        for line, again in (("auth x", True), ("AUTH u x", True), ("auth u x y", False), ("ping", False)):
            with self.subTest(line):
                selected = iter([b"-NOAUTH who?\r\n", b"+OK\r\n"])
                server = self.told(SELECT=lambda _, selected=selected: next(selected))
                _, err = self.lines(server, line, options=["-n", 2])
                self.assertEqual(err, "SELECT 2 failed: NOAUTH who?\n")
                line = line.encode()
                self.assertEqual(server.connections, [[b"SELECT 2", line, *([b"SELECT 2"] if again else [])]])

    def test_the_protocol_is_asked_for_again_until_a_reset(self):
        self.assertEqual(self.anew(options=["-3"])[0], ["HELLO 3", "ping"])
        self.assertEqual(self.anew("reset", options=["-3"])[0], ["ping"])
        self.assertEqual(self.anew("reset", options=["-3"], reset=ERROR)[0], ["HELLO 3", "ping"])

    def test_what_the_server_has_forgotten_is_said(self):
        for lines, forgotten in (
            ([], None), (["watch k"], "WATCH"), (["watch k", "unwatch"], None), (["watch k", "multi", "exec"], None),
            (["watch k", "discard"], None), (["multi"], "MULTI"), (["multi", "watch k"], "MULTI, WATCH"),
            (["auth x"], "AUTH"), (["hello"], None), (["hello 2"], "HELLO"), (["readonly"], "READONLY"),
            (["readonly", "readwrite"], None), (["client setname x"], "CLIENT"), (["client tracking on"], "CLIENT"),
            (["client reply on"], "CLIENT"), (["client no-evict on"], "CLIENT"), (["client list"], None),
            (["get watch"], None), (["watch k", "auth x", "client setname y", "hello 2", "multi", "readonly"],
                                    "AUTH, CLIENT, HELLO, MULTI, READONLY, WATCH"),
            (["watch k", "auth x", "client setname y", "hello 2", "multi", "readonly", "reset"], None),
        ):
            with self.subTest(lines):
                _, err = self.anew(*lines)
                said = [f"Connected anew: the server has forgotten {forgotten}."] if forgotten else []
                self.assertEqual(err, ["Error: Server closed the connection", *said])

    def test_what_was_refused_is_not_forgotten(self):
        self.assertEqual(self.anew("watch k", watch=ERROR)[1], ["Error: Server closed the connection"])

    def test_what_connecting_sends_is_not_forgotten(self):
        for options in ["-3"], ["--json"]:
            self.assertEqual(self.anew("hello 3", options=options)[1], ["Error: Server closed the connection"])
        for line, options in (("hello 3", []), ("hello 2", ["-3"]), ("hello 3 setname x", ["-3"])):
            with self.subTest(line, options=options):
                self.assertEqual(self.anew(line, options=options)[1][1:],
                                 ["Connected anew: the server has forgotten HELLO."])

    def test_it_is_said_once(self):
        server = self.told(DROP=None)
        _, err = self.lines(server, "watch k", "drop", "ping", "drop", "ping")
        self.assertEqual(len(server.connections), 3)
        self.assertEqual(err.count("forgotten"), 1)

    def test_another_server_has_forgotten_nothing(self):
        server, other = self.told(), self.told()
        _, err = self.lines(server, "watch k", f"connect 127.0.0.1 {other.port}", "ping")
        self.assertEqual((err, other.connections), ("", [[b"ping"]]))

    def test_who_connects_for_one_command_is_told_nothing(self):
        server = self.told()
        other = self.told()
        moved = b"-MOVED 1 127.0.0.1:%d\r\n" % other.port
        replies = iter([b"+OK\r\n", moved])
        server.replies[b"WATCH"] = lambda _: next(replies)
        self.assertEqual(run("-p", server.port, "-c", "-r", 2, "watch", "k"), (b"OK\nOK\n", b"", 0))


class Refused(Case):
    def test_what_is_refused_is_said_and_the_command_is_sent(self):
        for options, name, said in (
            (["-n", 3], "SELECT", "SELECT 3 failed: ERR no"), (["-a", "x"], "AUTH", "AUTH failed: ERR no"),
            (["-3"], "HELLO", "HELLO 3 failed: ERR no"), (["--json"], "HELLO", "HELLO 3 failed: ERR no"),
        ):
            with self.subTest(options):
                server = self.told(**{name: ERROR}, ping=b"$1\r\nx\r\n")
                out, err, status = run("-p", server.port, "--no-auth-warning", *options, "ping")
                self.assertEqual((out, err, status), (b'"x"\n' if name == "HELLO" and "--json" in options else b"x\n",
                                                      said.encode() + b"\n", 0))

    def test_what_is_refused_first_is_the_last_that_is_asked(self):
        server = self.told(AUTH=ERROR)
        self.lines(server, "ping", options=["-a", "x", "-n", 3, "-3", "--no-auth-warning"])
        self.assertEqual(server.connections, [[b"AUTH x", b"ping"]])

    def test_lines_are_read_without_a_server(self):
        server = self.told()
        server.shutdown()
        server.server_close()
        said = b"Could not connect to Redis at 127.0.0.1:%d: Connection refused\n" % server.port
        # It is looked for at the beginning, and for each command.
        for lines, times in (b"", 1), (b"ping\nping\n", 3):
            self.assertEqual(run("-p", server.port, given=lines), (b"", said * times, 0))

    def test_a_server_that_was_told_to_end(self):
        closed = "Error: Server closed the connection\n"
        for line, said in (("shutdown", ""), ("SHUTDOWN nosave", ""), ("get shutdown", closed)):
            with self.subTest(line):
                server = self.told(SHUTDOWN=None, GET=None)
                self.assertEqual(self.lines(server, line), ("", said))
                self.assertEqual(server.connections, [[line.encode()]])

    def test_messages_that_are_pushed(self):
        for name, pushed in (
            ("subscribe", b">3\r\n+subscribe\r\n+a\r\n:1\r\n>3\r\n+message\r\n+a\r\n+hello\r\n"),
            ("monitor", b"+OK\r\n>2\r\n+message\r\n+hello\r\n"),
        ):
            with self.subTest(name):
                server = self.told(**{name: pushed})
                with subprocess.Popen([AE_CLI, "-p", str(server.port), name, "a"], stdout=subprocess.PIPE) as client:
                    seen = b""
                    while b"hello\n" not in seen:
                        seen += client.stdout.read1() or self.fail(seen)
                    client.kill()

    def test_what_is_no_reply_ends_it(self):
        server = self.told(GET=b"nonsense\r\n")
        out, err, status = run("-p", server.port, given=b"get k\nping\n")
        self.assertEqual((out, status), (b"", 1))
        self.assertIn(b"Error: Protocol error", err)
        self.assertEqual(server.connections, [[b"get k"]])

    def test_a_mode_needs_a_server(self):
        server = self.told()
        server.shutdown()
        server.server_close()
        for mode in (["--scan"], ["--latency"], ["--stat"], ["--bigkeys"], ["--pipe"], ["--rdb", "-"], ["--replica"],
                     ["ping"], ["--eval", "/dev/null"], ["--latency-dist"]):
            with self.subTest(mode):
                said = b"Could not connect to Redis at 127.0.0.1:%d: Connection refused\n" % server.port
                self.assertEqual(run("-p", server.port, *mode), (b"", said, 1))

    def test_a_mode_needs_what_it_asks_for(self):
        for mode in (["--scan"], ["--latency"], ["--stat"], ["--bigkeys"], ["--pipe"], ["--rdb", "-"], ["--replica"],
                     ["--latency-dist"], ["--lru-test", 1], ["--hotkeys"], ["--memkeys"], ["--latency-history"],
                     ["--eval", "/dev/null"]):
            with self.subTest(mode):
                server = self.told(AUTH=ERROR)
                out, err, status = run("-p", server.port, "-a", "x", "--no-auth-warning", *mode)
                self.assertEqual((out, err, status), (b"", b"AUTH failed: ERR no\n", 1))
                self.assertEqual(server.connections, [[b"AUTH x"]])


class Elsewhere(Case):
    """Redirections of a cluster"""

    def redirecting(self, kind, times, **replies):
        """A server that sends GET away to itself so often, and then answers."""
        server, count = self.told(**replies), iter(range(times))
        server.replies[b"GET"] = lambda _: b"+here\r\n" if next(count, None) is None else server.away
        server.away = b"-%s 7 127.0.0.1:%d\r\n" % (kind, server.port)
        return server

    def test_it_is_said_where_a_slot_is(self):
        server = self.redirecting(b"MOVED", 1)
        self.assertEqual(self.lines(server, "get k", options=["-c"]),
                         (f"-> Redirected to slot [7] located at 127.0.0.1:{server.port}\nhere\n", ""))
        self.assertEqual(server.connections, [[b"get k"], [b"get k"]])

    def test_what_is_asked_for_is_said_to_be_asked_for(self):
        server = self.redirecting(b"ASK", 1)
        self.lines(server, "get k", "ping", options=["-c", "-n", 2])
        self.assertEqual(server.connections, [[b"SELECT 2", b"get k"], [b"SELECT 2", b"ASKING", b"get k", b"ping"]])

    def test_without_the_option_it_is_an_error(self):
        server = self.redirecting(b"MOVED", 1)
        self.assertEqual(self.lines(server, "get k"), (server.away.decode().strip()[1:] + "\n\n", ""))
        self.assertEqual(server.connections, [[b"get k"]])

    def test_what_is_no_redirection_is_an_error(self):
        for error in ("MOVED", "MOVED 7", "MOVED 7 nowhere", "MOVED 7 a:99999", "ASK 7", "ASKED 7 127.0.0.1:1",
                      "moved 7 127.0.0.1:1"):
            with self.subTest(error):
                server = self.told(get=f"-{error}\r\n".encode())
                self.assertEqual(self.lines(server, "get k", options=["-c"]), (f"{error}\n\n", ""))
                self.assertEqual(len(server.connections), 1)

    def test_sixteen_in_a_row_are_followed(self):
        for kind in (b"MOVED", b"ASK"):
            server = self.redirecting(kind, 16)
            self.assertEqual(run("-p", server.port, "-c", "get", "k"), (b"here\n", b"", 0))
            server = self.redirecting(kind, 17)
            self.assertEqual(run("-p", server.port, "-c", "get", "k"),
                             (b"", b"Error: The cluster redirects in circles: 16 times\n", 1))
            self.assertEqual(server.seen.count([b"get", b"k"]), 17)

    def test_after_a_circle_the_next_command_goes_on(self):
        server = self.redirecting(b"ASK", 17)
        _, err = self.lines(server, "get k", "ping", "get k", options=["-c"])
        self.assertEqual(err, "Error: The cluster redirects in circles: 16 times\n")
        self.assertEqual(server.connections[-1], [b"ping", b"get k"])

    def test_each_command_may_be_redirected_as_often(self):
        count, server = iter(range(100)), self.told()
        server.replies[b"GET"] = lambda _: b"+here\r\n" if next(count) % 17 == 16 else \
            b"-MOVED 7 127.0.0.1:%d\r\n" % server.port
        self.assertEqual(run("-p", server.port, "-c", "-r", 3, "get", "k"), (b"here\n" * 3, b"", 0))
        out, err = self.lines(server, "get k", "get k", options=["-c"])
        self.assertEqual((out.count("here"), err), (2, ""))

    def test_where_nobody_is(self):
        server, other = self.told(), self.told()
        server.replies[b"GET"] = b"-MOVED 7 127.0.0.1:%d\r\n" % other.port
        other.shutdown()
        other.server_close()
        refused = f"Could not connect to Redis at 127.0.0.1:{other.port}: Connection refused\n"
        _, err = self.lines(server, "get k", "ping", f"connect 127.0.0.1 {server.port}", "ping", options=["-c"])
        # The second is for the command behind it: the session has gone there.
        self.assertEqual(err, refused * 2)
        self.assertEqual(server.connections, [[b"get k"], [b"ping"]])


if __name__ == "__main__":
    main("cli-session")
