#!/usr/bin/env python3
"""Scripts that take long beside other clients, clients that want no replies, and pauses: what is seen, kept and told."""

import tempfile
import unittest

import support
from testkit.resp import Client, Error
from testkit.server import AeServer

# Longer than others are made to wait.
SLOW = "local turns = tonumber(ARGV[1]) for turn = 1, turns do for step = 1, 100000 do end end "
TURNS = 400


def is_busy(reply):
    return isinstance(reply, Error) and str(reply).startswith("BUSY")


class Slow(unittest.TestCase):
    def start(self, *options):
        return self.enterContext(AeServer("--busy-reply-threshold", "20", *options))

    def connect(self, server):
        return self.enterContext(Client(server.port))

    def busy(self, server):
        """A client that others are served beside a script."""
        other = self.connect(server)
        while not is_busy(other("PING")):
            pass
        return other

    def test_half_a_script_is_not_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            options = ("--appendonly", "yes", "--appendfsync", "always", "--dir", folder)
            with AeServer("--busy-reply-threshold", "20", *options) as server, Client(server.port) as client:
                client("SET", "x", 0)
                client.send("EVAL", "redis.call('decrby', 'x', 10) while true do end redis.call('incrby', 'x', 10)", 0)
                other = self.busy(server)
                for words in ("SHUTDOWN",), ("SHUTDOWN", "SAVE"), ("SHUTDOWN", "NOW"), ("SHUTDOWN", "FORCE"):
                    self.assertTrue(is_busy(other(*words)), words)
                other.send("SHUTDOWN", "NOSAVE")
                self.assertEqual(server.process.wait(), 0)
            with AeServer(*options) as server, Client(server.port) as client:
                self.assertEqual(client("GET", "x"), b"0")

    def test_for_a_script_it_stays_the_same_time(self):
        server = self.start()
        client, other = self.connect(server), self.connect(server)
        client.send("EVAL", "redis.call('set', KEYS[1], 5, 'px', 50) " + SLOW +
                    "return {redis.call('incr', KEYS[1]), redis.call('pttl', KEYS[1])}", 1, "key", TURNS)
        while not is_busy(other("PING")):
            pass
        # As long as it is busy; the key's time runs out.
        while is_busy(other("PING")):
            pass
        self.assertEqual(client.read(), [6, 50])

    def test_nothing_is_evicted_in_the_midst_of_a_script(self):
        server = self.start("--maxmemory-policy", "allkeys-random")
        client, other = self.connect(server), self.connect(server)
        for number in range(100):
            client("SET", number, "x" * 10_000)
        used = int(next(line for line in client("INFO", "memory").split(b"\r\n") if line.startswith(b"used_memory:"))[12:])
        client("CONFIG", "SET", "maxmemory", used + 100_000)
        client.send("EVAL", "for i = 1, 100 do redis.call('set', 'n' .. i, string.rep('y', 10000)) end "
                    "local before = redis.call('dbsize') " + SLOW + "return {before, redis.call('dbsize')}", 0, TURNS)
        while not is_busy(other("PING")):
            pass
        while is_busy(other("PING")):
            other("HELLO")
        before, after = client.read()
        self.assertEqual(before, after)


class NoReplies(unittest.TestCase):
    def setUp(self):
        server = self.enterContext(AeServer())
        self.client, self.other = (self.enterContext(Client(server.port)) for _ in range(2))
        self.id = self.client("CLIENT", "ID")

    def next_is(self, expected):
        """What the client hears next is the reply to this."""
        self.client.send("ECHO", expected)
        self.assertEqual(self.client.read(), expected.encode())

    def until_blocked(self):
        while b"blocked_clients:1" not in self.other("INFO", "clients"):
            pass

    def test_off_holds_for_requests_that_wait(self):
        self.client.send("CLIENT", "REPLY", "OFF")
        self.client.send("BLPOP", "list", 0)
        self.until_blocked()
        self.other("RPUSH", "list", 1)
        for reason in "TIMEOUT", "ERROR":
            self.client.send("BLPOP", "list", 0)
            self.until_blocked()
            self.assertEqual(self.other("CLIENT", "UNBLOCK", self.id, reason), 1)
        self.client.send("BLPOP", "list", "0.01")
        self.client.send("WAIT", 1, 10)
        self.assertEqual(self.client("CLIENT", "REPLY", "ON"), "OK")
        self.next_is("on")

    def test_skip_is_for_the_one_that_waits(self):
        for words in ("BLPOP", "list", "0.01"), ("XREAD", "BLOCK", 10, "STREAMS", "stream", "$"), ("RESET",):
            self.client.send("CLIENT", "REPLY", "SKIP")
            self.client.send(*words)
            self.next_is("after")
        self.other("CLIENT", "PAUSE", 100, "WRITE")
        self.client.send("CLIENT", "REPLY", "SKIP")
        self.client.send("SET", "key", 1)
        self.next_is("after the pause")


class Paused(unittest.TestCase):
    def test_scripts_that_only_read_run(self):
        server = self.enterContext(AeServer())
        client, other = (self.enterContext(Client(server.port)) for _ in range(2))
        client("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function{function_name='reads', callback=function() "
               "return 7 end, flags={'no-writes'}}")
        script = "#!lua flags=no-writes\nreturn 7"
        sha = client("SCRIPT", "LOAD", script)
        other("CLIENT", "PAUSE", 3_600_000, "WRITE")
        for words in ("EVAL", script, 0), ("EVALSHA", sha, 0), ("FCALL", "reads", 0), ("EVAL_RO", "return 7", 0):
            self.assertEqual(client(*words), 7, words)
        client("MULTI")
        client("EVAL", script, 0)
        self.assertEqual(client("EXEC"), [7])
        client.send("EVAL", "return 7", 0)
        while b"paused" not in other("CLIENT", "LIST") and b"cmd=eval " not in other("CLIENT", "LIST"):
            pass
        other("CLIENT", "UNPAUSE")
        self.assertEqual(client.read(), 7)

    def test_they_tell_nobody_anything(self):
        server = self.enterContext(AeServer())
        client = self.enterContext(Client(server.port))
        for words in (("EVAL_RO", "return redis.call('publish', 'a', 'b')", 0),
                      ("EVAL", "#!lua flags=no-writes\nreturn redis.call('pfcount', 'a')", 0)):
            self.assertIn("Write commands are not allowed from read-only scripts", str(client(*words)))


class Details(unittest.TestCase):
    def setUp(self):
        self.server = self.enterContext(AeServer())
        self.client = self.enterContext(Client(self.server.port))

    def test_a_full_server_queues_nothing(self):
        self.client("CONFIG", "SET", "maxmemory", 1)
        for words in ("GET", "a"), ("PING",), ("EVAL", "return 1", 0):
            self.assertEqual(self.client("MULTI"), "OK")
            self.assertIn("OOM", str(self.client(*words)))
            self.assertIn("EXECABORT", str(self.client("EXEC")))
        self.assertEqual(self.client("MULTI"), "OK")
        self.assertEqual(self.client("DISCARD"), "OK")

    def test_what_is_not_allowed_is_not_queued(self):
        self.client("MULTI")
        self.assertIn("DEBUG command not allowed", str(self.client("DEBUG", "SLEEP", 0)))
        self.assertIn("EXECABORT", str(self.client("EXEC")))

    def test_rights_can_be_asked_for_with_any_arguments(self):
        names = [name.decode() for name in self.client("COMMAND", "LIST")]
        self.assertIn("sort", names)
        for name in names:
            words = ", ".join(f"'{word}'" for word in name.split("|"))
            for more in "", ", ''", ", '1', '1'":
                self.client("EVAL", f"return redis.acl_check_cmd({words}{more})", 0)
                self.assertEqual(self.client("PING"), "PONG", name)

    def test_verbatim_kinds_have_three_bytes(self):
        self.client("HELLO", 3)
        for kind, told in ("a", b"a  "), ("toolong", b"too"), ("mkd", b"mkd"):
            self.client.send("EVAL", f"return {{verbatim_string={{format='{kind}',string='hi'}}}}", 0)
            self.assertEqual(self.client.file.read(11), b"=6\r\n" + told + b":hi\r"[:4])
            self.client.file.readline()

    def test_object_tells_nobody_of_a_miss(self):
        other = self.enterContext(Client(self.server.port))
        self.client("CONFIG", "SET", "notify-keyspace-events", "KEm")
        other("PSUBSCRIBE", "__key*__:*")
        for question in "ENCODING", "IDLETIME", "REFCOUNT":
            self.client("OBJECT", question, "nokey")
        self.client("GET", "seen")
        self.assertEqual(other.read()[-1], b"keymiss")
        self.assertEqual(other.read()[-1], b"seen")

    def test_small_things(self):
        self.client("CONFIG", "SET", "repl-backlog-size", 100)
        self.assertEqual(self.client("CONFIG", "GET", "repl-backlog-size"), [b"repl-backlog-size", b"16384"])
        other = self.enterContext(Client(self.server.port))
        ident = self.client("CLIENT", "ID")
        self.client("NOSUCH")
        self.assertIn(b" cmd=NULL ", other("CLIENT", "LIST", "ID", ident))
        self.assertIn("cluster support disabled", str(self.client("CLUSTER", "HELP")))


if __name__ == "__main__":
    support.main("slow-scripts")
