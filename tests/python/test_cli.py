#!/usr/bin/env python3
"""Runs ae-cli beside redis-cli on the same servers: what they print, and the status they end with, is the same.

With AE_RANDOM set, the random replies are others each time."""

import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from support import main
from testkit.ports import free_port
from testkit.resp import PATIENCE
from testkit.server import AE_CLI, AE_SERVER, RedisServer, Server

CLIENTS = {"redis-cli": "redis-cli", "ae-cli": AE_CLI}

# One invocation a line, on a server that begins empty; <<< gives standard input, with escapes. Those that change
# something are undone by the next: each client runs the whole list on data of its own.
INVOCATIONS = r'''
set k v
get k
--raw get k
--no-raw get k
--csv get k
--json get k
--quoted-json get k
set é "
--no-raw get é
--json get é
--quoted-json get é
--csv get é
get nothing
--no-raw get nothing
--csv get nothing
--json get nothing
rpush l a b c 1 2 3 4 5 6 7 8 9
lrange l 0 -1
--no-raw lrange l 0 -1
--csv lrange l 0 -1
--json lrange l 0 -1
-d , lrange l 0 2
-d \n lrange l 0 2
-D ; lrange l 0 2
-D ;; -r 2 get k
-d | -D # lrange l 0 1
lrange nothing 0 -1
--no-raw lrange nothing 0 -1
--csv lrange nothing 0 -1
--json lrange nothing 0 -1
hset h f 1 g 2
hgetall h
--no-raw hgetall h
-3 hgetall h
-3 --no-raw hgetall h
-3 --csv hgetall h
--json hgetall h
-2 --json hgetall h
--json -3 hgetall h
--quoted-json hgetall h
hset empty "" ""
--json hgetall empty
sadd s one
--no-raw smembers s
-3 --no-raw smembers s
-3 --json smembers s
-3 smembers s
-3 --no-raw smembers nothing
-3 --no-raw hgetall nothing
zadd z 1 a 2.5 b inf c -inf d
zrange z 0 -1 withscores
--no-raw zrange z 0 -1 withscores
-3 zrange z 0 -1 withscores
-3 --no-raw zrange z 0 -1 withscores
-3 --csv zrange z 0 -1 withscores
-3 --json zrange z 0 -1 withscores
-3 --no-raw zscore z b
-3 --raw zscore z c
-3 --json zscore z d
-3 --no-raw zpopmin nothing
xadd st 1-1 f v g w
xadd st 1-2 f v
--no-raw xrange st - +
-3 --no-raw xrange st - +
--json xrange st - +
--csv xrange st - +
xrange st - +
-3 --no-raw xread streams st 0
--json xread streams st 0
--no-raw xinfo stream st
-3 --no-raw xinfo stream st
-3 --no-raw xinfo stream st full
--json xinfo stream st full
-3 --json command info get
-3 --no-raw command info get
--no-raw command info get set
--no-raw command count nothing
--no-raw command docs get
-3 --no-raw command docs set
--json command docs set
--csv command docs set
-3 --csv config get maxmemory-policy
-3 --no-raw config get maxmemory-policy
--json config get maxmemory-policy
--no-raw config get nothing
--no-raw config get maxmemory
--no-raw debug object nothing
--no-raw object encoding k
--no-raw type k
--no-raw nosuch
nosuch
-e nosuch
-e get k
-e get l
--csv get l
--json get l
--no-raw get l
--json nosuch
--csv nosuch
--quoted-json get l
-r 3 incr n
-r 0 incr n
-r 3 -i 0.01 incr n
-r 2 --no-raw incr n
-r 2 --csv incr n
-r 2 --json incr n
-n 3 set other 1
-n 3 get other
-n 0 get other
-n 3 --no-raw dbsize
-n 99 get k
-n x get k
-n -1 get k
-p 1 get k
-h 127.0.0.1 get k
-h localhost get k
-a wrong get k
-a wrong --no-auth-warning get k
--user nobody -a wrong --no-auth-warning get k
--user nobody get k
--pass wrong --no-auth-warning get k
-u redis://127.0.0.1:PORT get k
-u redis://127.0.0.1:PORT/3 get other
-u redis://127.0.0.1:PORT/ get k
-u REDIS://127.0.0.1:PORT get k
-u redis://nobody:w%72ong@127.0.0.1:PORT get k
-u redis://%zz@127.0.0.1:PORT get k
-u redis://%@127.0.0.1 get k
-u http://127.0.0.1 get k
-u nonsense get k
-x set x <<< from input\n
get x
--no-raw get x
-x set x <<<
--no-raw get x
-X tag set tag2 tag <<< tagged
get tag2
-X tag set nothing <<< tagged
-X tag get tag <<< k
-x -X tag get k
-X tag -x get k
-X
-x
-r
--nothing get k
-
-- ping
-x - get k
--raw=x get k
--pattern
-2 -3 get k
-3 -2 get k
-c -s /nowhere get k
-s /nowhere get k
--rdb a --functions-rdb b
--quoted-pattern "a --scan
--quoted-input set "\x41\x00" "v\n"
--quoted-input get "\x41\x00"
--quoted-input --no-raw get "\x41\x00"
--quoted-input get "A
--quoted-input get "a" "b
--quoted-input get 'A'
--show-pushes y get k
--show-pushes no get k
--no-raw ping
--no-raw ping a b
--no-raw echo \t
--no-raw time x
--no-raw hello 3
--no-raw hello 9
--no-raw auth
--no-raw object freq
--no-raw subscribe
--no-raw multi
--no-raw exec
--csv exec
--json exec
--no-raw reset
--no-raw select 1
--no-raw eval x
--no-raw memory usage nothing
--no-raw script exists a b
--json script exists a b
--no-raw function list x
--no-raw geoadd g 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
--no-raw geopos g Palermo nothing
-3 --no-raw geopos g Palermo nothing
--json geopos g Palermo nothing
--csv geopos g Palermo nothing
--no-raw geosearch g fromlonlat 15 37 byradius 200 km asc withcoord withdist
-3 --no-raw geosearch g fromlonlat 15 37 byradius 200 km asc withcoord withdist
--json geosearch g fromlonlat 15 37 byradius 200 km asc withcoord withdist
geosearch g fromlonlat 15 37 byradius 200 km asc withcoord withdist
--no-raw lpos l 9 rank 1 count 0
--no-raw lmpop 1 nothing left
--no-raw lmpop 1 l left count 2
-3 --no-raw lmpop 1 l left count 2
--no-raw acl whoami
--no-raw acl cat nothing
--no-raw acl getuser default
-3 --no-raw acl getuser default
--json acl getuser default
-3 acl getuser default
--csv acl getuser default
--no-raw client getname
--no-raw client no-evict x
--no-raw latency latest
-3 --no-raw latency histogram nothing
config set slowlog-log-slower-than -1
slowlog reset
--no-raw slowlog len
-3 --no-raw memory doctor
memory doctor
--no-raw cluster info
cluster info
--no-raw lcs k x idx
-3 --no-raw lcs k x idx
--json lcs k x idx
--no-raw debug jmap
-3 --no-raw debug protocol attrib
-3 --no-raw debug protocol bigint x
-3 --no-raw debug protocol map
-3 debug protocol map
-3 --csv debug protocol map
--json debug protocol map
-3 --no-raw debug protocol set
-3 --json debug protocol set
-3 --no-raw debug protocol double
-3 --json debug protocol double
-3 --no-raw debug protocol true
-3 --csv debug protocol false
-3 --json debug protocol true
-3 --raw debug protocol false
-3 --no-raw debug protocol null
-3 --no-raw debug protocol verbatim
-3 --raw debug protocol verbatim
-3 --csv debug protocol verbatim
--json debug protocol verbatim
--quoted-json debug protocol verbatim
-3 --no-raw debug protocol array
-2 --no-raw debug protocol map
<<< get k\nget nothing\nlrange l 0 -1\n
--no-raw <<< get k\nget nothing\nlrange l 0 -1\n
--csv <<< get k\nget nothing\nlrange l 0 -1\n
--json <<< get k\nget nothing\n
<<< \n\n   \nget k
<<< get "k\nget k'\nget 'k'x\nset "k""" w\nget k\n
<<< 3 incr z\n0 incr z\n-1 incr z\n3\n3x get k\n
<<< select 3\nget other\nselect 0\nselect 99\nget k\n
<<< multi\nget k\nincr k\nexec\nexec\n
--no-raw <<< multi\nget k\nselect 3\nget other\ndiscard\nget k\n
--no-raw <<< multi\nnosuch\nexec\nget k\n
--no-raw <<< watch k\nset k 1\nmulti\nget k\nexec\n
--no-raw <<< hello 3\nhgetall h\nreset\nhgetall h\n
<<< get k\nquit\nget k\n
<<< get k\nEXIT now\nget k\n
<<< :set hints\n:set nothing\n:nothing\nget k\n
<<< restart\nget k\n
<<< auth wrong\nget k\n
-e <<< nosuch\nget k\n
-r 2 <<< get k\n
-n 3 <<< get other\nreset\nget other\n
-3 --no-raw <<< client tracking on\nget k\nset k 5\nget k\n
-3 --no-raw --show-pushes n <<< client tracking on\nget k\nset k 5\nget k\n
-3 --raw --show-pushes y <<< client tracking on\nget k\nset k 6\nget k\n
-3 --csv --show-pushes y <<< client tracking on\nget k\nset k 7\nget k\n
-3 --json --show-pushes y <<< client tracking on\nget k\nset k 8\nget k\n
--eval /nowhere k
--pipe <<< *2\r\n$3\r\nGET\r\n$1\r\nk\r\nSET pk pv\r\n
--pipe <<< NOSUCH\r\nGET l\r\nGET k\r\n
--pipe <<<
--scan --pattern k*
--scan --pattern nothing*
--no-raw --scan --pattern k
--scan --quoted-pattern "\x6b"
'''


def invocations():
    for line in INVOCATIONS.strip().splitlines():
        words, _, given = line.partition("<<<")
        # A backslash stands for itself in arguments, which have no spaces.
        yield line, words.split(), given.removeprefix(" ").encode().decode("unicode_escape").encode("latin-1")


def run(client, port, words, given=b"", env=None):
    """What it prints on both outputs, and its status"""
    place = [] if {"-p", "-u", "-s"} & set(words) else ["-p", str(port)]
    words = [word.replace("PORT", str(port)) for word in words]
    environment = {**os.environ, "REDISCLI_HISTFILE": "/dev/null", "REDISCLI_RCFILE": "/dev/null", **(env or {})}
    done = subprocess.run([CLIENTS[client], *place, *words], input=given, capture_output=True, timeout=PATIENCE,
                          env=environment)
    return done.stdout, done.stderr, done.returncode


def reference():
    """Whether redis-cli is the version that ae-cli follows"""
    if not shutil.which("redis-cli"):
        return False
    said = subprocess.run(["redis-cli", "--version"], capture_output=True, text=True, check=True).stdout
    return said.startswith("redis-cli 7.0.")


@unittest.skipUnless(reference(), "redis-cli 7.0 is not installed")
class Comparison(unittest.TestCase):
    maxDiff = None


class Invocations:
    """Each client has a server of its own, so that both see the same data."""

    def test_invocations(self):
        with self.server() as theirs, self.server() as ours:
            for line, words, given in invocations():
                with self.subTest(line):
                    their = run("redis-cli", theirs.port, words, given)
                    our = run("ae-cli", ours.port, words, given)
                    self.assertEqual(plain(our, ours.port), plain(their, theirs.port))


def plain(outcome, port):
    """Without what differs from server to server and from run to run"""
    out, err, status = outcome
    out = re.sub(rb'("id"(?: => \(integer\) |:))\d+', rb"\1N", out)
    return [text.replace(str(port).encode(), b"PORT") for text in (out, err)], status


class OnRedisServer(Invocations, Comparison):
    def server(self):
        return RedisServer()


class OnAeServer(Invocations, Comparison):
    def server(self):
        port = free_port()
        folder = tempfile.TemporaryDirectory(prefix="ae-cli-")
        self.addCleanup(folder.cleanup)
        return Server([AE_SERVER, "--bind", "127.0.0.1", "--dir", folder.name, "--save", "", "--port", port], port)


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


class Replies:
    """Random replies of every type that redis-cli knows, nested in each other"""

    TEXTS = [b"", b"a", b"text", "ünï".encode(), b"\x00\x01\xff", b'"quo\\ted"', b"line\r\nline\n",
             b"\t\x07\x08\x0c", b"0"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def line(self):
        return self.random.choice([b"OK", b"", b"some text", b'quo"te\\d', "é".encode(), b"\t"])

    def leaf(self):
        kind = self.random.randrange(9)
        if kind == 0:
            return b"+" + self.line() + b"\r\n"
        if kind == 1:
            return b"-ERR " + self.line() + b"\r\n"
        if kind == 2:
            return b":%d\r\n" % self.random.choice([0, 1, -1, 12345, 2**63 - 1, -(2**63)])
        if kind == 3:
            return self.random.choice([b"_\r\n", b"$-1\r\n", b"*-1\r\n"])
        if kind == 4:
            return b"#%s\r\n" % self.random.choice([b"t", b"f"])
        if kind == 5:
            return b",%s\r\n" % self.random.choice([b"1.5", b"-0", b"inf", b"-inf", b"1e300", b"3"])
        if kind == 6:
            text = self.random.choice(self.TEXTS)
            return b"=%d\r\ntxt:%s\r\n" % (len(text) + 4, text)
        return bulk(self.random.choice(self.TEXTS))

    def reply(self, depth=0):
        if depth > 4 or self.random.random() < 0.3 + 0.1 * depth:
            return self.leaf()
        count = self.random.choice([0, 1, 1, 2, 3, 5, 11])
        kind = self.random.choice(b"*~%")
        elements = b"".join(self.reply(depth + 1) for _ in range(count * (2 if kind == ord("%") else 1)))
        return b"%c%d\r\n" % (kind, count) + elements


class Script(threading.Thread):
    """A server that answers the requests x of each connection with these replies, one after the other"""

    # What follows never comes: the connection ends.
    STREAMS = {b"monitor": b"+OK\r\n", b"subscribe": b"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"}

    def __init__(self, replies):
        super().__init__(daemon=True)
        self.replies = replies
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as requests:
                self.serve(connection, requests)

    def serve(self, connection, requests):
        left = iter(self.replies)
        while head := requests.readline():
            words = []
            for _ in range(int(head[1:])):
                words.append(requests.read(int(requests.readline()[1:]) + 2)[:-2])
            if words[0] == b"x":
                reply = next(left, None)
                if reply is None:
                    return
                connection.sendall(reply)
            elif words[0] in self.STREAMS:
                connection.sendall(self.STREAMS[words[0]])
                return
            elif words[0] == b"ASKING":
                connection.sendall(b"+OK\r\n")
            elif words[0] == b"HELLO":
                connection.sendall(b"%0\r\n")
            else:
                connection.sendall(b"-ERR unknown command\r\n")

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class ScriptedReplies(Comparison):
    FORMATS = ["--raw", "--no-raw", "--csv", "--json", "--quoted-json"]

    def both(self, replies, words, given):
        script = Script(replies)
        self.addCleanup(script.close)
        return [plain(run(client, script.port, words, given), script.port) for client in ("ae-cli", "redis-cli")]

    def test_random_replies(self):
        made = Replies(random.randrange(2**32) if "AE_RANDOM" in os.environ else 7)
        replies = [made.reply() for _ in range(400)]
        for output in self.FORMATS:
            ours, theirs = self.both(replies, [output, "-D", "\n--\n"], b"x\n" * len(replies))
            if ours != theirs:
                for reply in replies:
                    with self.subTest(output, reply=reply):
                        self.assertEqual(*self.both([reply], [output], b"x\n"))
            self.assertEqual(ours, theirs)

    def test_pushes_among_replies(self):
        pushes = [b">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", b">2\r\n+a\r\n:1\r\n", b">0\r\n",
                  b">2\r\n$10\r\ninvalidate\r\n_\r\n"]
        for output in self.FORMATS:
            for shown in ("y", "n"):
                for push in pushes:
                    with self.subTest(output, shown=shown, push=push):
                        self.assertEqual(*self.both([push + b":7\r\n", b"+OK\r\n"],
                                                    [output, "--show-pushes", shown], b"x\nx\n"))

    def test_what_is_no_reply(self):
        for reply in (b"x", b"?1\r\n", b":a\r\n", b"$a\r\n", b"*a\r\n", b"#x\r\n", b"_x\r\n", b"=3\r\nabc\r\n",
                      b"$-5\r\n", b"+a\nb\r\n", b"+a\rb\r\n", b"-ERR a\nb\r\n", b"+a\r\r\n", b",nan\r\n", b",-nan\r\n",
                      b",infinity\r\n", b",+inf\r\n", b",1e999\r\n", b",1x\r\n",
                      b"*4294967296\r\n", b"~4294967296\r\n", b"%4294967296\r\n", b"*1\r\n*9223372036854775807\r\n"):
            with self.subTest(reply):
                self.assertEqual(*self.both([reply], ["x"], b""))

    def test_an_end_instead_of_a_reply(self):
        for words, given in ((["x"], b""), ([], b"x\nx\n"), (["-r", "3", "x"], b""), (["monitor"], b""),
                             ([], b"monitor\nx\n"), ([], b"subscribe a\nx\n")):
            with self.subTest(words, given=given):
                self.assertEqual(*self.both([], words, given))

    def test_redirections_in_a_circle_end(self):
        """redis-cli never stops following them."""
        for kind in (b"MOVED", b"ASK"):
            for words, given, ends, status in ((["x"], b"", 1, 1), ([], b"x\nx\n", 2, 0)):
                with self.subTest(kind, given=given):
                    script = Script([])
                    self.addCleanup(script.close)
                    # Without a limit the test would not end.
                    moved = [b"-%s 1 127.0.0.1:%d\r\n" % (kind, script.port)] * 100
                    script.replies = iter(moved)
                    _, err, ended = run("ae-cli", script.port, ["-c", *words], given)
                    said = b"Error: The cluster redirects in circles: 16 times\n"
                    self.assertEqual((err, ended), (said * ends, status))
                    self.assertEqual(len(list(script.replies)), 100 - 17 * ends)

    def test_integers_of_any_size(self):
        """redis-cli 7.0 does not know them."""
        script = Script([b"(12345678901234567890123\r\n"])
        self.addCleanup(script.close)
        for output in self.FORMATS[:4]:
            self.assertEqual(run("ae-cli", script.port, [output, "x"]), (b"12345678901234567890123\n", b"", 0))


class Environment(Comparison):
    def test_password(self):
        with RedisServer() as server:
            run("redis-cli", server.port, ["config", "set", "requirepass", "secret"])
            uri = "redis://secret@127.0.0.1:PORT/4"
            for words, env in (
                (["ping"], {}),
                (["ping"], {"REDISCLI_AUTH": "secret"}),
                (["ping"], {"REDISCLI_AUTH": "x"}),
                (["-a", "secret", "ping"], {"REDISCLI_AUTH": "x"}),
                (["-a", "secret", "-3", "ping"], {}),
                (["-3", "ping"], {}),
                (["-n", "2", "ping"], {}),
                (["-u", uri, "--no-raw", "acl", "whoami"], {}),
            ):
                with self.subTest(words, env=env):
                    both = [run(client, server.port, words, env=env) for client in ("ae-cli", "redis-cli")]
                    self.assertEqual(*both)

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path, port = f"{folder}/socket", free_port()
            with Server(["redis-server", "--port", port, "--save", "", "--unixsocket", path], port):
                for words in (["-s", path, "set", "k", "v"], ["-s", path, "-n", "2", "get", "k"]):
                    self.assertEqual(run("ae-cli", 0, words), run("redis-cli", 0, words))

    def test_names_that_are_no_text(self):
        with tempfile.TemporaryDirectory() as folder:
            # A byte that is no UTF-8.
            path, script, port = f"{folder}/a\udcff", f"{folder}/b\udcff", free_port()
            Path(script).write_text("return ARGV[1]")
            with Server(["redis-server", "--port", port, "--save", "", "--dir", folder, "--unixsocket", path,
                         "--repl-diskless-sync-delay", "0"], port):
                for words in (["-s", path, "set", "k", "v"], ["--eval", script, ",", "x"], ["-n", "1\udcff", "get", "k"],
                              ["-u", "redis://\udcfe:\udcff@127.0.0.1:PORT", "get", "k"],
                              ["-u", "redis://127.0.0.1:PORT/2\udcff", "dbsize"],
                              ["-s", path + "x", "ping"], ["--eval", script + "x"]):
                    with self.subTest(words):
                        out, err, status = run("redis-cli", port, words)
                        # Errors are text.
                        err = err.decode(errors="replace").encode()
                        self.assertEqual(run("ae-cli", port, words), (out, err, status))
                self.assertEqual(run("ae-cli", 0, ["-u", f"unix://{path}", "get", "k"]), (b"v\n", b"", 0))
                self.assertEqual(run("ae-cli", port, ["--rdb", f"{folder}/c\udcff"])[2], 0)
                self.assertEqual(Path(f"{folder}/c\udcff").read_bytes()[:5], b"REDIS")

    def test_terminal_output_into_a_pipe(self):
        with RedisServer() as server:
            for words, given in ((["ping"], b""), (["lrange", "l", "0", "-1"], b""), ([], b"get l\n")):
                both = [run(client, server.port, words, given, {"FAKETTY": "1"}) for client in ("redis-cli", "ae-cli")]
                self.assertEqual(both[0], both[1])


if __name__ == "__main__":
    main("cli")
