#!/usr/bin/env python3
"""Sends the same random commands to ae-server and to redis-server and compares the replies byte by byte.

The seed is fixed; SEED and STEPS in the environment choose another run.
"""

import os
import random
import shutil
import socket
import unittest

from support import main
from testkit.resp import Error, Map
from testkit.server import AeServer, RedisServer

KEYS = [b"a", b"b", b"c", b"key:1", b"\x00\xff\r\n", b"", b"\x80", b"Z", b"k\xfe"]
NUMBERS = ["0", "1", "-1", "10", "100", "5000", "9223372036854775807", "-9223372036854775808",
           "9223372036854775808", "99999999999999999999", "9223372036854775", "9223372036854776",
           "4294967296", "2147483648", "-2147483649"]
FLOATS = ["0.1", "-0.1", "10.5", "3.0e3", "1e-5", "1e17", "1.25", "123456789.123456789", "-1e5", ".5", "5.", "+3",
          "1e400", "1e-400", "0.0000001", "-0", "1e20", "17179869184.5", "0x10", "0x1p3", "-0X.8P-1", "0xA.8",
          "0x1p-60",
          "0x8000000000000001p-60", "0x", "0x.p1", "0x1p", "1e", "1e+", "0x1p16384", "0x1p-16445", "0x1p-16446",
          "inf", "-INFINITY",
          "nan", "NaN(1)", "infin", "1e5000", "+-1", "1_0", "1,5", "1.5\x00"]
STRINGS = [b"", b"x", b"hello", b"two words", b"\x00\x01\xfe", b"9" * 19, b"1" * 20, b"1" * 21, b"v" * 44, b"v" * 45,
           b"long" * 100, b"007", b" 1", b"1 ", b"-0", b"inf", b"nan", b"abc", b"12abc"]
PATTERNS = [b"*", b"?", b"a*", b"[ab]", b"[^a]", b"key:?", b"*1", b"", b"\\a", b"[a-c]", b"[c-a]", b"*\xff*", b"[", b"k[",
            b"[a", b"**", b"a?", b"[^", b"\\",
            b"[\x80-z]", b"[z-\x80]", b"[\x80-\xff]", b"[A-\xff]*", b"?[\xf0-\xff]", b"[^\x81-\xff]",
            b"[\\a-c]", b"[a-]", b"[]-z]", b"***a", b"A", b"[Z-a]"]
CURSORS = ["", "0", "-1", "+0", "00", " 0", "0 ", "-", "0x0", "1.0", "18446744073709551615", "18446744073709551616",
           "-18446744073709551616", b"0\x00x", b"\xff"]
# Of parameters that both have, with the same limits; the last value of each is its default.
SETTINGS = {
    "hz": ["0", "1", "501", "10"],
    "timeout": ["1000000", "2147483647", "2147483648", "0"],
    "tcp-keepalive": ["0", "2147483647", "300"],
    "proto-max-bulk-len": ["1", "1mb", "1MB", "9223372036854775808", "1.5gb", "mb", "512mb"],
    "client-query-buffer-limit": ["0", "5gb", "2147483649", "9223372036854775807b", "99999999999999999999", "-1mb",
                                  "1gb"],
    "protected-mode": ["no", "NO", "maybe", "yes"],
    "tls-auth-clients": ["no", "Optional", "maybe", "yes"],
    "tls-session-cache-size": ["0", "-1", "2147483648", "20480"],
    "maxmemory": ["0"],
    "maxmemory-policy": ["NOEVICTION"],
    "save": [""],
    "appendonly": ["no"],
    "databases": ["1"],
    "tcp-backlog": ["1"],
    "unixsocketperm": ["700"],
    "nosuch": ["1"],
}
NOT_NUMBERS = ["", "x", " 1", "01", "+1", "0x1", "1 ", "-0", "-1", "99999999999999999999", "1\x002"]
# The largest offsets make strings of half a gigabyte.
OFFSETS = ["0", "1", "3", "100", "-1", "536870912", "9223372036854775807", "x"]


class Script:
    """Random commands."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def key(self):
        return self.random.choice(KEYS)

    def value(self):
        choice = self.random.random()
        if choice < 0.3:
            return str(self.random.randint(-1000, 1000))
        if choice < 0.5:
            return self.random.choice(NUMBERS + FLOATS)
        return self.random.choice(STRINGS)

    def number(self):
        choice = self.random.random()
        if choice < 0.5:
            return str(self.random.randint(-20, 200))
        return self.random.choice(NUMBERS) if choice < 0.9 else self.random.choice(STRINGS)

    def time(self):
        """Either so long that nothing expires during the test or no good at all: replies must not depend on speed."""
        if self.random.random() < 0.7:
            return str(self.random.randint(1_000_000, 2_000_000))
        return self.random.choice(["0", "-1", "-100", *STRINGS, *NUMBERS[6:]])

    def words(self, choices, most):
        found = []
        for _ in range(self.random.randint(0, most)):
            word = self.random.choice(choices)
            found.append(word.lower() if self.random.random() < 0.2 else word)
            if word in ("EX", "PX") and self.random.random() < 0.95:
                found.append(self.time())
            if word in ("EXAT", "PXAT"):
                at = self.random.choice(["9999999999999", "9999999999998", "0", "-1", "x"])
                found.append(at)
        return found

    def case(self, word):
        return self.random.choice([word, word, word.upper(), word.lower(), word.capitalize()])

    def setting(self):
        """Name and value."""
        name = self.random.choice(list(SETTINGS))
        values = SETTINGS[name]
        numeric = values[0][-1:].isdigit() and len(values) > 1
        return [self.case(name), self.random.choice(values + (NOT_NUMBERS if numeric else []))]

    def names(self):
        """Of parameters, and patterns that only those match which both servers have."""
        patterns = ["TIMEOU[T]", "hz", "?Z", "proto-max-bulk-le*", "[s]AVE", "[\\S]AVE",
                    "[T-m]imeout", "[t-M]imeout", "nosuch*", "\xff", ""]
        return [self.random.choice([self.case(self.random.choice(list(SETTINGS))), *patterns])
                for _ in range(self.random.randint(1, 3))]

    def filters(self):
        """Of CLIENT KILL and CLIENT LIST; what they are for is not there, or they are wrong."""
        pick = self.random.choice
        return [word for _ in range(self.random.randint(1, 2)) for word in pick([
            ["ID", pick(["99999", "0", "-1", "x", "", "9223372036854775808"])], ["USER", pick(["nosuch", "", b"\xff\x00x"])],
            ["ADDR", "1.2.3.4:5"], ["LADDR", ""], ["TYPE", pick(["master", "REPLICA", "slave", "pubsub", "x", ""])],
            ["SKIPME", pick(["yes", "YES", "maybe", ""])], ["JUNK", "x"], ["ID"], ["type"], ["99999"]])]

    def command(self):
        pick, key, value, number = self.random.choice, self.key(), self.value(), self.number()
        command = pick([
            lambda: ["GET", key],
            lambda: ["SET", key, value, *self.words(["EX", "PX", "EXAT", "PXAT", "NX", "XX", "GET", "KEEPTTL", "JUNK"], 3)],
            lambda: ["SET", key, value],
            lambda: ["SETEX", key, self.time(), value],
            lambda: ["PSETEX", key, self.time(), value],
            lambda: ["SETNX", key, value],
            lambda: ["GETSET", key, value],
            lambda: ["GETDEL", key],
            lambda: ["GETEX", key, *self.words(["EX", "PX", "EXAT", "PXAT", "PERSIST", "KEEPTTL"], 2)],
            lambda: ["MGET", *(self.key() for _ in range(self.random.randint(0, 4)))],
            lambda: [pick(["MSET", "MSETNX"]), *(self.value() for _ in range(self.random.randint(0, 6)))],
            lambda: [pick(["MSET", "MSETNX"]), key, value, self.key(), self.value()],
            lambda: ["APPEND", key, value],
            lambda: ["STRLEN", key],
            lambda: [pick(["GETRANGE", "SUBSTR"]), key, number, self.number()],
            lambda: ["SETRANGE", key, pick(OFFSETS), value],
            lambda: [pick(["INCR", "DECR"]), key],
            lambda: [pick(["INCRBY", "DECRBY"]), key, number],
            lambda: ["INCRBYFLOAT", key, pick([value, pick(FLOATS)])],
            lambda: [pick(["DEL", "UNLINK", "EXISTS", "TOUCH"]), *(self.key() for _ in range(self.random.randint(0, 3)))],
            lambda: ["TYPE", key],
            lambda: ["DBSIZE"],
            lambda: [pick(["EXPIRE", "PEXPIRE"]), key, self.time(), *self.words(["NX", "XX", "GT", "LT", "JUNK"], 2)],
            lambda: [pick(["EXPIREAT", "PEXPIREAT"]), key, pick(["99999999999", "9999999999999", "1", self.time()])],
            lambda: [pick(["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"]), key],
            lambda: ["PERSIST", key],
            lambda: [pick(["RENAME", "RENAMENX"]), key, self.key()],
            lambda: ["KEYS", pick(PATTERNS)],
            lambda: ["SCAN", pick(CURSORS), *pick([[], ["COUNT", number], ["MATCH", pick(PATTERNS)], ["TYPE", ""], ["count"]])],
            lambda: ["SCAN", "0", *pick([["COUNT", "1000"], ["MATCH", pick(PATTERNS), "COUNT", "1000"], ["COUNT", number],
                                         ["TYPE", "string", "COUNT", "999"], ["MATCH"], ["JUNK", "1"], ["TYPE", "hash", "COUNT", "99"]])],
            lambda: ["SELECT", pick(["0", "0", "1", "15", "16", "-1", number])],
            lambda: ["OBJECT", "ENCODING", key],
            lambda: ["ECHO", value],
            lambda: ["PING", *([value] if self.random.random() < 0.5 else [])],
            lambda: [pick(["FLUSHDB", "FLUSHALL"]), *pick([["ASYNC"], ["SYNC"], ["JUNK"], []])] if self.random.random() < 0.1 else ["DBSIZE"],
            lambda: [pick(["NOSUCH", b"no\x00such", b"x\r\ny", b"n" * 200]), *(self.value() for _ in range(self.random.randint(0, 3)))],
            lambda: ["CLIENT", pick(["GETNAME", "ID", "NOSUCH", "SETNAME"]), *([value] if self.random.random() < 0.3 else [])],
            lambda: ["CONFIG", pick(["GET", "SET", "NOSUCH"]), *pick([[], ["save"], ["appendonly"], ["nosuch", "x"], ["timeout", value]])],
            lambda: ["CONFIG", "SET", *self.setting(), *(self.setting() if self.random.random() < 0.3 else [])],
            lambda: ["CONFIG", "GET", *self.names()],
            lambda: ["CLIENT", "LIST", *self.filters()] if self.random.random() < 0.5 else ["CLIENT", "LIST", "ID", *(pick(NOT_NUMBERS) for _ in range(2))],
            lambda: ["CLIENT", "KILL", *self.filters()],
            lambda: ["CLIENT", pick(["NO-EVICT", "no-evict"]), pick(["ON", "off", "", "x"])],
            lambda: ["SHUTDOWN", *pick([["ABORT"], ["abort", "ABORT"], ["ABORT", "NOW"], ["SAVE", "NOSAVE"], ["nosave", "x"], [""]])],
            lambda: ["HELLO", *pick([["x"], ["4"], [""], ["2x"], ["2", "AUTH", value], ["2", "SETNAME"], ["2", "SETNAME", b"a b"], ["2", value]])],
            lambda: ["COMMAND", "GETKEYS", *pick([["GET", key], ["MSET", key, "1", self.key(), "2"], ["PING", key], ["NOSUCH", key], ["DEL", key, value]])],
            lambda: ["AUTH", *pick([[value], ["default", value], ["user", value], []])],
        ])()
        if command[0] in ("COMMAND", "CONFIG", "SHUTDOWN", "HELLO", "CLIENT"):
            return command
        if self.random.random() < 0.02:
            command = command[: self.random.randint(1, len(command))]
        if self.random.random() < 0.02:
            command.append(value)
        return command


ABOUT_TIME = {"TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"}


def pairs(reply):
    return sorted(reply if isinstance(reply, Map) else zip(reply[::2], reply[1::2]))


def same(command, ours, theirs):
    if type(ours) is not type(theirs):
        return False
    name = command[0]
    if name in ABOUT_TIME and isinstance(ours, int) and ours > 0:
        return abs(ours - theirs) < 1000
    if name == "CLIENT" and command[1:2] == ["ID"] and isinstance(ours, int):
        return True
    if name == "OBJECT" and {ours, theirs} == {b"int", b"embstr"}:
        # Redis does not encode what INCRBYFLOAT leaves; here the content decides.
        return True
    if name == "CONFIG" and command[1:2] == ["GET"] and isinstance(ours, list) and not isinstance(ours, Error):
        return pairs(ours) == pairs(theirs)
    if name == "SCAN" and isinstance(ours, list):
        # Where a scan goes on is each server's own affair.
        if command[1] not in ("0", "", "+0", "00", b"0\x00x") or ours[0] != b"0" or theirs[0] != b"0":
            return True
        return set(ours[1]) == set(theirs[1])
    if name == "KEYS" and isinstance(ours, list):
        return sorted(ours) == sorted(theirs)
    return ours == theirs


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class LikeRedis(unittest.TestCase):
    server = AeServer

    def test_random_commands_get_the_same_replies(self):
        self.compare()

    def test_random_commands_get_the_same_replies_in_resp3(self):
        self.compare(["HELLO", "3"])

    def test_settings(self):
        """Each value by itself, those too that would let other tests use gigabytes."""
        values = {**SETTINGS, "proto-max-bulk-len": ["3gb", "9223372036854775807", *SETTINGS["proto-max-bulk-len"]]}
        with self.server() as ours, RedisServer() as theirs, ours.connect() as our, theirs.connect() as their:
            for name, choices in values.items():
                for value in choices:
                    for command in ["CONFIG", "SET", name.upper(), value], ["CONFIG", "GET", name, name.upper()]:
                        self.assertEqual(our(*command), their(*command), command)

    def compare(self, *first):
        seed, steps = int(os.environ.get("SEED", "1")), int(os.environ.get("STEPS", "20000"))
        script = Script(seed)
        with self.server() as ours, RedisServer() as theirs:
            with ours.connect() as our, theirs.connect() as their:
                history = []
                for command in first:
                    our(*command), their(*command)
                for step in range(steps):
                    command = script.command()
                    history.append(command)
                    replies = our(*command), their(*command)
                    if not same(command, *replies):
                        recent = "\n".join(map(str, history[-8:]))
                        self.fail(f"step {step}: ae-server {replies[0]!r:.300}, redis {replies[1]!r:.300}\n{recent}")


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class MalformedRequests(unittest.TestCase):
    def test_every_byte_in_place_of_a_dollar(self):
        # Behind a zero byte Redis finds no line end and goes on waiting.
        self.compare_raw(b"*1\r\n%c3\r\n" % byte for byte in range(1, 256) if byte != ord("$"))

    def test_malformed_requests(self):
        lines = [b"*%s\r\n", b"*1\r\n$%s\r\n", b"set k \"%s\r\n", b"'%s\r\n", b"\"%s\"x\r\n"]
        words = [b"\xff", b"-1", b"", b"1\xfe", b"2147483648", b"536870913", b"\xc3\xa9", b"\r", b"+1", b"0x1"]
        # An argument that is awaited, and a request of none, are answered by nobody.
        self.compare_raw(line % word + b"\r\n$x\r\n" for line in lines for word in words)

    def compare_raw(self, requests):
        with AeServer() as ours, RedisServer() as theirs:
            for request in requests:
                replies = []
                for server in ours, theirs:
                    with server.connect() as client:
                        client.socket.sendall(request)
                        client.socket.shutdown(socket.SHUT_WR)
                        replies.append(client.file.read())
                self.assertEqual(*replies, request)


if __name__ == "__main__":
    main("test_like_redis")
