#!/usr/bin/env python3
"""Sends the same to ae-server and to redis-server and compares the replies byte by byte: random programs (their rows
are in tools/conformance/requests), settings, malformed requests.

The seed is fixed; SEED and REQUESTS in the environment choose another run."""

import contextlib
import io
import itertools
import os
import re
import shutil
import socket
import sys
import unittest
from pathlib import Path
from unittest import mock

from support import main
from testkit.resp import request
from testkit.server import AE_SERVER, AeServer, RedisServer

sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "tools/conformance"))

import differential  # noqa: E402
from values import SETTINGS  # noqa: E402

# Too much for random programs: strings of gigabytes would be let in, and waiting clients seldom looked after.
MORE_SETTINGS = {"proto-max-bulk-len": ["3gb", "9223372036854775807"], "hz": ["0", "1", "501", "10"]}


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class LikeRedis(unittest.TestCase):
    def test_random_programs(self):
        arguments = ["differential.py", "--server", AE_SERVER, "--whole", "--requests", os.environ.get("REQUESTS", "6000")]
        with contextlib.redirect_stdout(io.StringIO()) as said, mock.patch.object(sys, "argv", arguments):
            self.assertEqual(differential.main(), 0, said.getvalue())

    def test_settings(self):
        """Each value by itself."""
        with AeServer() as ours, RedisServer() as theirs, ours.connect() as our, theirs.connect() as their:
            for name in [*SETTINGS, "hz"]:
                for value in MORE_SETTINGS.get(name, []) + SETTINGS.get(name, []):
                    for command in ["CONFIG", "SET", name.upper(), value], ["CONFIG", "GET", name, name.upper()]:
                        self.assertEqual(our(*command), their(*command), command)


def anonymous(replies):
    """without the number of the client, which HELLO tells"""
    return re.sub(rb"\$2\r\nid\r\n:\d+", b"id", replies)


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class LargeArguments(unittest.TestCase):
    """What is as large as this is read into a place of its own; the buffer may have its beginning by then."""

    LARGE = 32 * 1024

    def test_parts_of_them(self):
        with AeServer() as ours, RedisServer() as theirs, ours.connect() as our, theirs.connect() as their:
            for size in self.LARGE - 1, self.LARGE, self.LARGE + 1, 4 * self.LARGE:
                value = bytes(at % 251 for at in range(size))
                whole = request("SET", "k", value)
                start = whole.index(value)
                for at in start - 1, start, start + 1, start + size // 2, start + size, start + size + 1:
                    # A request before fills the buffer up to the argument, and others come with its end.
                    after = request("GETRANGE", "k", -3, -1) + request("GET", "k")
                    parts = [request("GET", "k") + whole[:at], whole[at:] + after]
                    replies = []
                    for client in our, their:
                        client("DEL", "k")
                        client.socket.sendall(parts[0])
                        replies.append([str(client.read())])
                        client.socket.sendall(parts[1])
                        replies[-1] += [client.read() for _ in range(3)]
                    self.assertEqual(replies[0], replies[1])
                    self.assertEqual(replies[0], ["null bulk", "OK", value[-3:], value])


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class RawRequests(unittest.TestCase):
    def test_every_byte_in_place_of_a_dollar(self):
        # Behind a zero byte Redis finds no line end and goes on waiting.
        self.compare_raw(b"*1\r\n%c3\r\n" % byte for byte in range(1, 256) if byte != ord("$"))

    def test_malformed_requests(self):
        lines = [b"*%s\r\n", b"*1\r\n$%s\r\n", b"set k \"%s\r\n", b"'%s\r\n", b"\"%s\"x\r\n"]
        words = [b"\xff", b"-1", b"", b"1\xfe", b"2147483648", b"536870913", b"\xc3\xa9", b"\r", b"+1", b"0x1"]
        # An argument that is awaited, and a request of none, are answered by nobody.
        self.compare_raw(line % word + b"\r\n$x\r\n" for line in lines for word in words)
        # Who wants no replies is not told of its mistake either.
        self.compare_raw(b"CLIENT REPLY %s\r\n*1\r\n$x\r\n" % mode for mode in (b"OFF", b"SKIP", b"ON"))

    def test_silent_subscribers(self):
        """What is pushed, and what is not said, to a client without replies."""
        subscriptions = [
            b"SSUBSCRIBE a", b"SSUBSCRIBE a a", b"SUNSUBSCRIBE a", b"SUBSCRIBE c", b"PSUBSCRIBE p*", b"UNSUBSCRIBE",
            b"SUNSUBSCRIBE", b"PUBSUB SHARDCHANNELS", b"PUBSUB SHARDCHANNELS a*", b"PUBSUB SHARDNUMSUB a b", b"SPUBLISH b m",
        ]
        requests = []
        for hello in b"", b"HELLO 3\r\n":
            for mode in b"OFF", b"SKIP":
                for first in subscriptions:
                    for second in subscriptions:
                        lines = [first, second, b"SPUBLISH a m", b"CLIENT REPLY ON", b"PUBSUB SHARDCHANNELS"]
                        requests.append(hello + b"\r\n".join([b"CLIENT REPLY " + mode, *lines]) + b"\r\n")
        self.compare_raw(requests, anonymous)

    def test_replies_in_transactions(self):
        parts = [
            b"PING", b"CLIENT REPLY OFF", b"CLIENT REPLY SKIP", b"CLIENT REPLY ON", b"SUBSCRIBE c", b"CLIENT KILL 127.0.0.1:1",
        ]
        self.compare_raw(
            b"\r\n".join([before, b"MULTI", *program, b"EXEC", b"ECHO a", b"ECHO b", b"CLIENT REPLY ON"]) + b"\r\n"
            for before in (b"ECHO x", b"CLIENT REPLY OFF")
            for program in itertools.product(parts, repeat=3)
        )

    def compare_raw(self, requests, shown=lambda replies: replies):
        with AeServer() as ours, RedisServer() as theirs:
            for request in requests:
                replies = []
                for server in ours, theirs:
                    with server.connect() as client:
                        client.socket.sendall(request)
                        client.socket.shutdown(socket.SHUT_WR)
                        replies.append(shown(client.file.read()))
                self.assertEqual(*replies, request)


if __name__ == "__main__":
    main("test_like_redis")
