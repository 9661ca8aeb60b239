#!/usr/bin/env python3
"""Messages beside replies: in which order they come, in which protocol, and that who waits for them is not idle."""

import socket
import unittest

import support
from testkit.resp import Client, request
from testkit.server import AeServer


class Messages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = AeServer("--notify-keyspace-events", "KEA").__enter__()
        cls.addClassCleanup(cls.server.stop)

    def connect(self, *greeting):
        client = self.enterContext(Client(self.server.port))
        if greeting:
            client.call(*greeting)
        return client

    def test_a_script_publishes_to_its_caller(self):
        publish = "return redis.call('publish', 'x', '1')"
        client = self.connect("HELLO", "3")
        client.send("SUBSCRIBE", "x")
        client.send("PSUBSCRIBE", "x*")
        # They come before the reply, and are pushed as any others.
        messages = [[b"message", b"x", b"1"], [b"pmessage", b"x*", b"x", b"1"]]
        for words, reply in (
            (("EVAL", publish, 0), 2),
            (("EVAL", "redis.call('publish', 'x', '1') return 5", 0), 5),
            (("EVAL", "redis.setresp(3) return redis.call('publish', 'x', '1')", 0), 2),
            (("PUBLISH", "x", "1"), 2),
        ):
            with self.subTest(words=words):
                self.assertEqual(client(*words), reply)
                self.assertEqual(client.pushes[-2:], messages)
                client.pushes.clear()
        client("MULTI")
        client("EVAL", publish, 0)
        client("PUBLISH", "x", "1")
        self.assertEqual(client("EXEC"), [2, 2])
        self.assertEqual(client.pushes, messages * 2)
        client.pushes.clear()
        client.send("CLIENT", "REPLY", "OFF")
        client.send("EVAL", publish, 0)
        client.send("CLIENT", "REPLY", "ON")
        self.assertEqual(client.read(), "OK")
        self.assertEqual(client.pushes, messages)

    def test_what_has_changed_is_told_before_what_is_published(self):
        client, watcher = self.connect(), self.connect("HELLO", "3")
        script = "redis.call('set', 'a', 1) redis.call('publish', 'ch', 'x') redis.call('set', 'b', 1)"
        watcher.send("PSUBSCRIBE", "__keyspace*", "c*")
        watcher("PING")
        watcher.pushes.clear()
        for _ in range(2):
            client("MULTI")
            client("SET", "a", 1)
            client("PUBLISH", "ch", "x")
            client("SET", "b", 1)
            client("EXEC")
        client("EVAL", script, 0)
        watcher("PING")
        channels = [push[2] for push in watcher.pushes]
        self.assertEqual(channels, [b"__keyspace@0__:a", b"ch", b"__keyspace@0__:b"] * 3)

    def test_a_copy_is_stale_before_the_message_that_says_so(self):
        client, reader = self.connect(), self.connect("HELLO", "3")
        reader.call("CLIENT", "TRACKING", "on")
        reader.send("SUBSCRIBE", "ch")
        client("MSET", "a", 1, "b", 1)
        reader("MGET", "a", "b")
        reader.pushes.clear()
        client("EVAL", "redis.call('set', 'a', 2) redis.call('publish', 'ch', 'x') redis.call('set', 'b', 2)", 0)
        reader("PING")
        self.assertEqual(reader.pushes, [[b"invalidate", [b"a"]], [b"message", b"ch", b"x"], [b"invalidate", [b"b"]]])

    def test_who_reads_no_more_requests_gets_all_replies(self):
        size = 5_000_000
        self.connect().call("SETRANGE", "large", size - 1, "x")
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", self.server.port)) as client:
                client.sendall(request("GET", "large"))
                client.shutdown(socket.SHUT_WR)
                received = 0
                while more := client.recv(1 << 20):
                    received += len(more)
            # As much as the sockets hold is there in any case.
            self.assertGreater(received, 1 << 20)


class Idle(unittest.TestCase):
    def test_who_waits_is_not_idle(self):
        with AeServer("--timeout", "1") as server:
            def connect():
                return self.enterContext(Client(server.port))

            waiting = []
            for words in (
                ("SUBSCRIBE", "ch"), ("PSUBSCRIBE", "c*"), ("SSUBSCRIBE", "ch"), ("MONITOR",), ("BLPOP", "list", 0),
                ("XREAD", "BLOCK", 0, "STREAMS", "stream", "$"), ("WAIT", 1, 0),
            ):
                client = connect()
                client.send(*words)
                if words[0] not in ("BLPOP", "XREAD", "WAIT"):
                    client.read()
                waiting.append(client)
            idle = connect()
            idle("PING")
            paused = connect()
            connect()("CLIENT", "PAUSE", 100_000, "WRITE")
            paused.send("SET", "a", 1)
            # It is closed; those that wait were connected before.
            self.assertEqual(idle.socket.recv(1), b"")
            other = connect()
            other("CLIENT", "UNPAUSE")
            self.assertEqual(paused.read(), "OK")
            other("RPUSH", "list", "x")
            self.assertEqual(waiting[4].read(), [b"list", b"x"])
            other("XADD", "stream", "1-1", "a", "b")
            self.assertEqual(waiting[5].read(), [[b"stream", [[b"1-1", [b"a", b"b"]]]]])
            self.assertEqual(other("PUBLISH", "ch", "x"), 2)
            self.assertEqual(other("SPUBLISH", "ch", "x"), 1)
            self.assertEqual(len([line for line in other("CLIENT", "LIST").splitlines() if b"cmd=wait" in line]), 1)


if __name__ == "__main__":
    support.main("messages")
