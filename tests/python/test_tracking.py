#!/usr/bin/env python3
"""Clients that keep copies of values (CLIENT TRACKING): random programs of two that track, in all ways, and a third
that is told in their place, run on ae-server and on redis-server. Replies have to be the same, and what each client is
told after each request.

The seed is fixed; SEED and PROGRAMS in the environment choose another run."""

import os
import random
import shutil
import unittest
from contextlib import ExitStack

from support import main
from testkit.resp import NULL_BULK
from testkit.server import AeServer, RedisServer

LENGTH = 40
KEYS = ["a", "ab", "b", "b1", "c"]
READ = "return redis.call('get', KEYS[1])"
WRITE = "redis.call('get', KEYS[1]) return redis.call('incr', KEYS[1])"
TOTALS = ("tracking_total_keys", "tracking_total_items", "tracking_total_prefixes", "tracking_clients")


class Clients:
    """Of one server: two that track, and "listener", which has subscribed to what is told in RESP2."""

    def __init__(self, server, stack):
        self.by_name = {name: stack.enter_context(server.connect()) for name in ("one", "two", "listener")}
        self.ids = {name: client("CLIENT", "ID") for name, client in self.by_name.items()}
        self.by_name["listener"]("SUBSCRIBE", "__redis__:invalidate")

    def run(self, name, request):
        """the reply, and what each client has been told since the last time, as text"""
        reply = self.by_name[name](*[self.ids.get(word, word) for word in request])
        return str(reply), {name: self.told(name) for name in self.by_name}

    def told(self, name):
        client, told = self.by_name[name], []
        if name == "listener":
            client.send("PING")
            while (message := client.read())[0] != b"pong":
                told.append(message[1:])
        else:
            # A request about clients does not end what CLIENT CACHING said.
            client("CLIENT", "GETNAME")
            told, client.pushes = client.pushes, []
        # Redis tells of everything with the null of who tracks, although who is told may speak the other protocol.
        return sorted(str([NULL_BULK if word is None else word for word in message]) for message in told)

    def totals(self):
        self.by_name["one"]("DISCARD")
        info = self.by_name["one"].info("INFO")
        return {name: info[name] for name in TOTALS}


def align(*servers):
    """Makes them give their next clients the same numbers."""
    def next_number(server):
        with server.connect() as client:
            return client("CLIENT", "ID")

    numbers = [next_number(server) for server in servers]
    while len(set(numbers)) > 1:
        behind = numbers.index(min(numbers))
        numbers[behind] = next_number(servers[behind])


def random_request(chance):
    key, other = chance.choice(KEYS), chance.choice(KEYS)
    if chance.random() < 0.4:
        return chance.choice([
            ["CLIENT", "TRACKING", "ON", *options(chance)],
            ["CLIENT", "TRACKING", "ON", *options(chance)],
            ["CLIENT", "TRACKING", "ON"],
            ["CLIENT", "TRACKING", "OFF"],
            ["CLIENT", "CACHING", chance.choice(["YES", "NO"])],
            ["CLIENT", "CACHING", chance.choice(["YES", "NO"])],
            ["CLIENT", "TRACKINGINFO"],
            ["CLIENT", "GETREDIR"],
            ["HELLO", "3"],
            ["HELLO", chance.choice(["2", "3"])],
            ["RESET"],
        ])
    return chance.choice([
        ["GET", key], ["GET", key], ["MGET", key, other], ["SET", key, "1"], ["SET", key, "1"], ["INCR", key],
        ["DEL", key, other], ["UNLINK", key], ["RENAME", key, other], ["PEXPIRE", key, "-1"], ["APPEND", key, ""],
        ["EXISTS", key, other], ["TTL", key], ["TYPE", key], ["STRLEN", key], ["GETSET", key, "2"], ["GETDEL", key],
        ["EVAL", READ, "1", key], ["EVAL", WRITE, "1", key], ["EVAL_RO", READ, "1", key], ["SORT_RO", key],
        ["MULTI"], ["MULTI"], ["EXEC"], ["EXEC"], ["EXEC"], ["DISCARD"], ["FLUSHALL"], ["FLUSHDB"],
        ["SWAPDB", "0", "1"], ["COPY", key, other, "REPLACE"], ["SELECT", chance.choice("01")], ["GET"], ["UNKNOWN"], ["PING"],
    ])


def options(chance):
    found = []
    if chance.random() < 0.4:
        found += ["REDIRECT", chance.choice(["one", "two", "listener", "listener", "listener", "987654"])]
    if chance.random() < 0.4:
        found.append("BCAST")
        for _ in range(chance.randrange(3)):
            found += ["PREFIX", chance.choice(["a", "b", "ab", "c", ""])]
    for word in ("OPTIN", "OPTOUT", "NOLOOP"):
        if chance.random() < 0.3:
            found.append(word)
    return found


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class LikeRedis(unittest.TestCase):
    def test_random_programs(self):
        chance = random.Random(os.environ.get("SEED", "1"))
        with AeServer() as ours, RedisServer() as theirs:
            align(ours, theirs)
            for number in range(int(os.environ.get("PROGRAMS", "20"))):
                self.compare(ours, theirs, random.Random(chance.random()), number)

    def compare(self, ours, theirs, chance, number):
        with ExitStack() as stack:
            both = [Clients(server, stack) for server in (ours, theirs)]
            for server in both:
                server.by_name["one"]("FLUSHALL")
            done = []
            for _ in range(LENGTH):
                name, request = chance.choice(["one", "two"]), random_request(chance)
                done.append((name, *request))
                our, their = (server.run(name, request) for server in both)
                self.assertEqual(our, their, f"program {number}: {done}")
            our, their = (server.totals() for server in both)
            self.assertEqual(our, their, f"program {number}: {done}")


if __name__ == "__main__":
    main("test_tracking")
