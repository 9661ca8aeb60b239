#!/usr/bin/env python3
"""The PROXY protocol: behind proxies that the configuration names, clients are who the proxies say that they are."""

import socket
import unittest

import support
from testkit.resp import PATIENCE, Client, request
from testkit.server import AeServer

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version_2(source, destination, family=socket.AF_INET, more=b""):
    addresses = b"".join(socket.inet_pton(family, end[0]) for end in (source, destination))
    addresses += b"".join(end[1].to_bytes(2, "big") for end in (source, destination)) + more
    kind = b"\x11" if family == socket.AF_INET else b"\x21"
    return SIGNATURE + b"\x21" + kind + len(addresses).to_bytes(2, "big") + addresses


class Proxied(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(AeServer("--proxy-protocol-networks", "127.0.0.0/8 2001:db8::/32"))

    def raw(self):
        one = socket.create_connection(("127.0.0.1", self.server.port), PATIENCE)
        self.addCleanup(one.close)
        return one

    def ask(self, one, *words):
        one.sendall(request(*words))
        return self.reply(one)

    def reply(self, one):
        """One reply, all of it."""
        file = one.makefile("rb")
        line = file.readline()
        return file.read(int(line[1:]) + 2)[:-2].decode() if line.startswith(b"$") else line.decode().strip()

    def ended(self, one):
        """What comes until the server closes the connection."""
        said = b""
        try:
            while more := one.recv(4096):
                said += more
        except ConnectionResetError:
            pass
        return said

    def fields(self, one):
        return dict(word.split("=", 1) for word in self.ask(one, "CLIENT", "INFO").split())

    def test_the_client_is_who_the_proxy_says(self):
        for header, source, own in (
            (b"PROXY TCP4 127.1.2.3 192.0.2.9 4321 6379\r\n", "127.1.2.3:4321", "192.0.2.9:6379"),
            (b"PROXY TCP6 ::1 2001:db8::9 4321 6379\r\n", "[::1]:4321", "[2001:db8::9]:6379"),
            (version_2(("127.9.9.9", 1), ("198.51.100.7", 65535)), "127.9.9.9:1", "198.51.100.7:65535"),
            (version_2(("::1", 7), ("::2", 8), socket.AF_INET6, b"\4\0\1x"), "[::1]:7", "[::2]:8"),
        ):
            with self.subTest(header=header):
                one = self.raw()
                one.sendall(header)
                fields = self.fields(one)
                self.assertEqual((fields["addr"], fields["laddr"]), (source, own))

    def test_the_header_may_come_in_pieces_and_with_requests(self):
        header = b"PROXY TCP4 127.1.2.3 192.0.2.9 4321 6379\r\n"
        for data in header, version_2(("127.1.2.3", 1), ("127.0.0.1", 2)):
            one = self.raw()
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(len(data)):
                one.sendall(data[at:at + 1])
            self.assertEqual(self.ask(one, "PING"), "+PONG")
            whole = self.raw()
            whole.sendall(data + request("PING"))
            self.assertEqual(self.reply(whole), "+PONG")
            split = self.raw()
            split.sendall(data + request("SET", "key", "x" * 100_000) + request("GET", "key")[:9])
            self.assertEqual(self.reply(split), "+OK")
            split.sendall(request("GET", "key")[9:])
            self.assertEqual(len(self.reply(split)), 100_000)

    def test_the_proxy_may_speak_for_itself(self):
        for header in b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0", SIGNATURE + b"\x21\0\0\0":
            one = self.raw()
            one.sendall(header)
            self.assertTrue(self.fields(one)["addr"].startswith("127.0.0.1:"))

    def test_who_begins_otherwise_is_closed_without_a_word(self):
        for data in (request("PING"), b"PING\r\n", b"GET / HTTP/1.1\r\n\r\n", b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
                     b"PROXY " + b"x" * 200, SIGNATURE + b"\x31\x11\0\x0c" + bytes(12), SIGNATURE + b"\x21\x11\xff\xff",
                     SIGNATURE + b"\x21\x21\0\x0c" + bytes(12), b"\x16\x03\x01\x02"):
            with self.subTest(data=data):
                one = self.raw()
                one.sendall(data)
                self.assertEqual(self.ended(one), b"")
        # The server has more to do.
        one = self.raw()
        one.sendall(b"PROXY UNKNOWN\r\n")
        self.assertEqual(self.ask(one, "PING"), "+PONG")

    def test_protected_mode_asks_who_is_behind_the_proxy(self):
        one = self.raw()
        one.sendall(b"PROXY TCP4 203.0.113.5 192.0.2.9 4321 6379\r\n" + request("PING"))
        self.assertTrue(self.ended(one).startswith(b"-DENIED "))

    def test_the_directive(self):
        one = self.raw()
        one.sendall(b"PROXY UNKNOWN\r\n")
        self.assertTrue(self.ask(one, "CONFIG", "SET", "proxy-protocol-networks", "10.0.0.0/33").startswith("-ERR"))
        many = " ".join(["10.0.0.0/8"] * 65)
        self.assertIn("at most 64", self.ask(one, "CONFIG", "SET", "proxy-protocol-networks", many))
        self.assertEqual(self.ask(one, "CONFIG", "SET", "proxy-protocol-networks", "10.0.0.0/8 192.0.2.1"), "+OK")
        # From elsewhere it is a header that nobody has asked for.
        with Client(self.server.port) as client:
            self.assertEqual(client("PING"), "PONG")
            self.assertEqual(client("CONFIG", "GET", "proxy-protocol-networks")[1], b"10.0.0.0/8 192.0.2.1/32")
            client("CONFIG", "SET", "proxy-protocol-networks", "127.0.0.0/8")
        stranger = self.raw()
        stranger.sendall(b"PROXY UNKNOWN\r\n")
        self.assertEqual(self.ask(stranger, "PING"), "+PONG")


if __name__ == "__main__":
    support.main("proxy")
