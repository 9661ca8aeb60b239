#!/usr/bin/env python3
"""What ae-server's TLS port bears: large amounts, and clients that break off, stop, or do not keep to the protocol."""

import itertools
import os
import re
import socket
import ssl
import struct
import tempfile
import threading
import time

from records import Writer
from support import main
from testkit.resp import PATIENCE, request
from tls import TLS12, TLS13, ByHand, TlsTest, context, descriptors, resident


# --- amounts ----------------------------------------------------------------------------------------------------


class Amounts(TlsTest):
    def test_tiny_records(self):
        server = self.server()
        count = 1700
        for version in (TLS12, TLS13):
            with server.connect(context(version=version)) as client:
                for byte in b"PING\r\n" * count:
                    client.socket.send(bytes([byte]))
                self.assertEqual([client.read() for _ in range(count)], ["PONG"] * count)

    def test_tiny_records_at_once(self):
        # In one piece they reach the server faster than it takes them from its buffer.
        server = self.server()
        count = 1700
        for version in (TLS12, TLS13):
            with ByHand(server, context(version=version)) as client:
                client.handshake()
                for byte in b"PING\r\n" * count:
                    client.write(bytes([byte]))
                client.socket.sendall(client.outgoing.read())
                self.assertEqual(client.read(7 * count), b"+PONG\r\n" * count)
        self.rests(server)

    def test_large_value(self):
        server = self.server()
        value = os.urandom(1_000_000) * 100
        with server.connect() as client:
            self.assertEqual(client("SET", "k", value), "OK")
            self.assertTrue(client("GET", "k") == value)
            self.assertTrue(client("GET", "k") == value)
        with server.connect(context(version=TLS12)) as client:
            self.assertTrue(client("GET", "k") == value)
        self.rests(server)

    def test_slow_reader(self):
        server = self.server()
        value, count = b"v" * 15_000, 30_000
        with server.connect() as client, server.connect() as other:
            self.assertEqual(client("SET", "k", value), "OK")
            sender = threading.Thread(target=client.socket.sendall, args=(request("GET", "k") * count,))
            sender.start()
            # It reads nothing while replies of 450 MB pile up, if they can.
            self.soon(lambda: resident(server) > 100_000_000, "no replies pile up")
            self.assertEqual(other("PING"), "PONG")
            self.rests(server)
            self.assertLess(resident(server), 450_000_000)
            reply = b"$%d\r\n%s\r\n" % (len(value), value)
            for _ in range(count):
                self.assertEqual(client.file.read(len(reply)), reply)
            sender.join()
            self.assertEqual(client("PING"), "PONG")

    def test_many_clients(self):
        server = self.server()
        files = descriptors(server)
        clients = [server.connect() for _ in range(200)]
        for client in clients:
            client.send("INCR", "n")
        self.assertEqual(sorted(client.read() for client in clients), list(range(1, 201)))
        self.rests(server)
        for client in clients:
            client.close()
        self.soon(lambda: descriptors(server) == files, "descriptors stay open")


# --- bad clients ------------------------------------------------------------------------------------------------


class Cut(Exception):
    pass


class Abuse(TlsTest):
    # A limit that no test gets to: what is refused is refused at once.
    options = ("--tls-handshake-timeout", "600000")
    versions = (TLS12, TLS13)

    def setUp(self):
        self.tls = self.server(*self.options, auth="optional")
        self.files = descriptors(self.tls)

    def serves(self):
        """The server serves as before, has closed everything and rests."""
        for version in self.versions:
            with self.tls.connect(context(version=version)) as client:
                self.assertEqual(client("PING"), "PONG")
        self.soon(lambda: descriptors(self.tls) == self.files, "descriptors stay open")
        self.rests(self.tls)


class BadClients(Abuse):
    def answer(self, data):
        """All that the server says to somebody who does not speak TLS."""
        with socket.create_connection(("127.0.0.1", self.tls.tls_port), PATIENCE) as client:
            client.sendall(data)
            answer = b""
            try:
                while more := client.recv(1000):
                    answer += more
            except ConnectionResetError:
                pass
            return answer

    def test_not_tls(self):
        for data in (b"PING\r\n", request("PING"), b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", os.urandom(2000), bytes(2000),
                     b"\xff" * 2000, b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\xff\xff" + bytes(3000), b"\x80\x2e\x01\x03\x01" + bytes(50),
                     b"\x17\x03\x03\x00\x10" + bytes(16), b"\x15\x03\x03\x00\x02\x02\x28", b"\x14\x03\x03\x00\x01\x01" * 50):
            with self.subTest(data=data[:20]):
                answer = self.answer(data)
                # An alert, or nothing; not a word of RESP.
                self.assertTrue(answer == b"" or (answer[0] == 21 and len(answer) == 7), answer)
        self.serves()

    def test_plain_text_gets_no_binary_answer(self):
        self.assertEqual(self.answer(request("PING")), b"")

    def cut_after(self, client, limit):
        """A handshake that has only so many bytes; whether that was enough."""
        left = limit

        def send(data):
            nonlocal left
            client.socket.sendall(data[:left])
            left -= len(data)
            if left <= 0:
                raise Cut

        try:
            client.handshake(send)
        except Cut:
            return False
        return True

    def length(self, version, cert):
        """How many bytes it takes, after fewer have been tried, each number of them."""
        for limit in itertools.count(1):
            with ByHand(self.tls, context(cert, version)) as client:
                if self.cut_after(client, limit):
                    return limit

    def test_closed_at_every_point_of_the_handshake(self):
        for version in (TLS12, TLS13):
            for cert in (None, "client"):
                self.assertGreater(self.length(version, cert), 200)
            self.serves()

    def test_reset_at_points_of_the_handshake(self):
        at_once = struct.pack("ii", 1, 0)
        for version in (TLS12, TLS13):
            for limit in range(1, 700, 7):
                with ByHand(self.tls, context(version=version)) as client:
                    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                    self.cut_after(client, limit)
        self.serves()

    def test_bytes_one_by_one(self):
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context("client", version)) as client:

                def send(data):
                    for byte in data:
                        client.socket.send(bytes([byte]))

                client.handshake(send)
                client.write(b"PING\r\n")
                send(client.outgoing.read())
                self.assertEqual(client.read(7), b"+PONG\r\n")
        self.serves()

    def test_records_of_one_byte(self):
        # The messages of the handshake are the same however records divide them; the first is not encrypted.
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context(version=version)) as client:
                first = True

                def send(data):
                    nonlocal first
                    if first:
                        kind, body = data[:3], data[5:]
                        self.assertEqual(int.from_bytes(data[3:5], "big"), len(body))
                        data = b"".join(kind + b"\0\1" + bytes([byte]) for byte in body)
                        first = False
                    client.socket.sendall(data)

                client.handshake(send)
                client.write(b"PING\r\n")
                client.socket.sendall(client.outgoing.read())
                self.assertEqual(client.read(7), b"+PONG\r\n")
        self.serves()

    def test_closed_without_close_notify(self):
        with self.tls.plain() as plain:
            for version in (TLS12, TLS13):
                for rest in (b"", b"\x17", b"\x17\x03\x03\x00\x50half a record"):
                    with ByHand(self.tls, context(version=version)) as client:
                        client.handshake()
                        client.write(b"PING\r\n")
                        client.socket.sendall(client.outgoing.read())
                        client.read(7)
                        self.assertEqual(plain("CLIENT", "LIST").count(b"\n"), 2)
                        client.socket.sendall(rest)
                    self.soon(lambda: plain("CLIENT", "LIST").count(b"\n") == 1, "the client stays")
        self.serves()

    def test_requests_before_the_end_are_served(self):
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context(version=version)) as client:
                client.handshake()
                client.write(b"SET last %d\r\n" % version)
                with self.assertRaises(ssl.SSLWantReadError):
                    client.tls.unwrap()
                client.socket.sendall(client.outgoing.read())
                client.socket.shutdown(socket.SHUT_WR)
                while client.socket.recv(1000):
                    pass
            with self.tls.plain() as plain:
                self.assertEqual(plain("GET", "last"), str(int(version)).encode())

    def test_last_request_is_answered(self):
        """What ends the connection comes in one packet with it."""
        garbage = {"close_notify": b"", "bad record": b"\x17\x03\x03\x00\x30" + b"A" * 48, "no record": b"A" * 20}
        for version in (TLS12, TLS13):
            for (name, behind), count in itertools.product(garbage.items(), (1, 5)):
                with self.subTest(version=version, behind=name), ByHand(self.tls, context(version=version)) as client:
                    client.handshake()
                    for _ in range(count):
                        client.write(b"PING\r\n")
                    if not behind:
                        with self.assertRaises(ssl.SSLWantReadError):
                            client.tls.unwrap()
                    client.socket.sendall(client.outgoing.read() + behind)
                    records = b""
                    while more := client.socket.recv(1000):
                        records += more
                    if behind:
                        client.incoming.write(records)
                        self.assertEqual(client.read(7 * count), b"+PONG\r\n" * count)
                    else:
                        # Python reads no more behind an unwrap: so much of replies and one alert, behind tickets.
                        contents, overhead = [], 1 + 16 if version == TLS13 else 8 + 16
                        while records:
                            size = int.from_bytes(records[3:5], "big")
                            contents.append(size - overhead)
                            records = records[5 + size :]
                        self.assertEqual(contents.pop(), 2)
                        replies = 0
                        while replies < 7 * count:
                            replies += contents.pop()
                        self.assertEqual(replies, 7 * count)
        self.serves()

    def test_damaged_record_ends_the_client(self):
        for version in (TLS12, TLS13):
            with ByHand(self.tls, context(version=version)) as client:
                client.handshake()
                client.write(b"SET damaged 1\r\n")
                record = bytearray(client.outgoing.read())
                record[-1] ^= 1
                client.socket.sendall(record)
                with self.assertRaisesRegex((ssl.SSLError, EOFError), "BAD_RECORD_MAC|^$"):
                    client.read(1)
            with self.tls.plain() as plain:
                self.assertEqual(plain("EXISTS", "damaged"), 0)
        self.serves()

    def test_garbage_in_the_middle(self):
        for data in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 30, b"\x17\x03\x03\xff\xff" + bytes(100), b"\x16\x03\x03\x00\x00"):
            with ByHand(self.tls, context()) as client:
                client.handshake()
                client.socket.sendall(data)
                with self.subTest(data=data[:10]), self.assertRaises((ssl.SSLError, EOFError, ConnectionResetError)):
                    client.read(1)
        self.serves()


ALERT, HANDSHAKE, DATA = 21, 22, 23
KEY_UPDATE = b"\x18\0\0\1"


class OddRecords(Abuse):
    """After a handshake by the book."""

    options = ("--tls-protocols", "TLSv1.3", "--tls-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")
    versions = (TLS13,)

    def connect(self):
        """A client and the writer of its records."""
        with tempfile.NamedTemporaryFile("r") as keys:
            using = context(version=TLS13)
            using.keylog_filename = keys.name
            client = ByHand(self.tls, using)
            client.handshake()
            secret = re.search(r"^CLIENT_TRAFFIC_SECRET_0 \w+ (\w+)$", keys.read(), re.M)[1]
        return client, Writer(bytes.fromhex(secret))

    def ping(self, client, writer):
        client.socket.sendall(writer.record(DATA, b"PING\r\n"))
        self.assertEqual(client.read(7), b"+PONG\r\n")

    def test_by_the_book(self):
        client, writer = self.connect()
        with client:
            self.ping(client, writer)
            for padding in (0, 1, 1000, 16384 - 6):
                client.socket.sendall(writer.record(DATA, b"PING\r\n", padding))
                self.assertEqual(client.read(7), b"+PONG\r\n")
            client.socket.sendall(writer.record(DATA, b"") + writer.record(DATA, b"PING\r\n"))
            self.assertEqual(client.read(7), b"+PONG\r\n")
        self.serves()

    def test_key_updates(self):
        client, writer = self.connect()
        with client:
            for answer in (0, 1, 1):
                client.socket.sendall(writer.record(HANDSHAKE, KEY_UPDATE + bytes([answer])))
                writer.update()
                self.ping(client, writer)
        self.serves()

    def test_message_in_pieces(self):
        message = KEY_UPDATE + b"\1"
        for cuts in ((3,), (1, 2, 3, 4)):
            client, writer = self.connect()
            with client:
                pieces = [message[start:end] for start, end in zip((0, *cuts), (*cuts, None))]
                for piece in pieces[:-1]:
                    client.socket.sendall(writer.record(HANDSHAKE, piece))
                    # It waits for the rest and does nothing else meanwhile for this client, but all for others.
                    self.rests(self.tls)
                    with self.tls.connect() as other:
                        self.assertEqual(other("PING"), "PONG")
                client.socket.sendall(writer.record(HANDSHAKE, pieces[-1]))
                writer.update()
                self.ping(client, writer)
                # Half of the next, and the end.
                client.socket.sendall(writer.record(HANDSHAKE, message[:2]))
        self.serves()

    def test_what_ends_the_connection(self):
        for name, records in (
            ("data within a message", [(HANDSHAKE, KEY_UPDATE[:2]), (DATA, b"PING\r\n")]),
            ("a second ClientHello", [(HANDSHAKE, b"\1\0\0\x29\3\3" + bytes(39))]),
            ("a message of 16 MB", [(HANDSHAKE, b"\x0b\xff\xff\xff" + bytes(100))]),
            ("a message that nobody knows", [(HANDSHAKE, b"\x63\0\0\1\1")]),
            ("a KeyUpdate that nobody knows", [(HANDSHAKE, KEY_UPDATE + b"\7")]),
            ("two messages in one record, the first changes keys", [(HANDSHAKE, (KEY_UPDATE + b"\0") * 2)]),
            ("an alert of one byte", [(ALERT, b"\1")]),
            ("no alert", [(ALERT, b"")]),
            ("a fatal alert", [(ALERT, b"\2\x50")]),
            ("close_notify", [(ALERT, b"\1\0")]),
            ("a record of a kind that nobody knows", [(99, b"abc")]),
            ("nothing but padding", [(0, bytes(20))]),
            ("too long a record", [(DATA, b"P" * 16385)]),
            ("change_cipher_spec", [(20, b"\1")]),
        ):
            with self.subTest(name=name):
                client, writer = self.connect()
                with client:
                    client.socket.sendall(b"".join(writer.record(*record) for record in records))
                    with self.assertRaises((ssl.SSLError, EOFError, ConnectionResetError)):
                        client.read(1)
        self.serves()

    def flood(self, make, most):
        """Sends records until the connection is ended, which must be before `most`."""
        client, writer = self.connect()
        with client:
            try:
                for _ in range(most):
                    client.socket.sendall(make(writer))
                    time.sleep(0)
                client.socket.sendall(writer.record(DATA, b"PING\r\n"))
                client.read(7)
            except (ssl.SSLError, EOFError, ConnectionResetError, BrokenPipeError):
                return True
        return False

    def test_floods_end(self):
        def key_update(writer):
            record = writer.record(HANDSHAKE, KEY_UPDATE + b"\1")
            writer.update()
            return record

        self.assertTrue(self.flood(lambda writer: writer.record(DATA, b""), 500), "empty records")
        self.assertTrue(self.flood(lambda writer: writer.record(ALERT, b"\1\x5a"), 500), "warnings")
        self.assertTrue(self.flood(key_update, 500), "KeyUpdate")
        self.assertTrue(self.flood(lambda writer: b"\x14\3\3\0\1\1", 500), "change_cipher_spec")
        self.serves()


class HalfHandshakes(TlsTest):
    def halves(self, server, version):
        """Connections that stop: before the first byte, in the client's first message, and before its second."""
        hello = ByHand(server, context(version=version))
        try:
            hello.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        first = hello.outgoing.read()
        hello.socket.sendall(first)
        middle = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
        middle.sendall(first[: len(first) // 2])
        nothing = socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE)
        return [hello.socket, middle, nothing]

    def test_time_limit(self):
        server = self.server("--tls-handshake-timeout", "1000", auth="optional")
        files = descriptors(server)
        start = time.monotonic()
        halves = self.halves(server, TLS12) + self.halves(server, TLS13)
        for half in halves:
            while half.recv(65536):
                pass
            self.assertGreater(time.monotonic() - start, 0.9)
            half.close()
        self.soon(lambda: descriptors(server) == files, "descriptors stay open")

    def test_they_cost_nothing(self):
        server = self.server("--tls-handshake-timeout", "600000", auth="optional")
        files = descriptors(server)
        halves = self.halves(server, TLS12) + self.halves(server, TLS13)
        self.soon(lambda: descriptors(server) == files + len(halves), "they are not accepted")
        self.rests(server)
        with server.connect() as client:
            self.assertEqual(client("CLIENT", "LIST").count(b"\n"), 1)
        for half in halves:
            half.close()
        self.soon(lambda: descriptors(server) == files, "descriptors stay open")

    def test_limit_is_changed_while_it_runs(self):
        server = self.server("--tls-handshake-timeout", "600000")
        with server.plain() as plain:
            self.assertEqual(plain("CONFIG", "SET", "tls-handshake-timeout", "100"), "OK")
        with socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE) as half:
            self.assertEqual(half.recv(1), b"")

    def test_a_client_behind_a_thousand(self):
        """They give way, though their time is not over."""
        server = self.server("--tls-max-handshakes", "100", "--tls-handshake-timeout", "60000", "--tcp-backlog", "2000")
        files = descriptors(server)
        halves = [socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE) for _ in range(1000)]
        try:
            with server.plain() as plain, server.connect() as last:
                self.assertEqual(last("PING"), "PONG")
                self.assertEqual(plain("PING"), "PONG")
                self.assertLess(descriptors(server), files + 110)
            self.rests(server)
        finally:
            for half in halves:
                half.close()
        self.soon(lambda: descriptors(server) == files, "descriptors stay open")

    def test_halves_take_no_room_from_clients(self):
        server = self.server("--maxclients", "10", "--tcp-backlog", "2000")
        halves = [socket.create_connection(("127.0.0.1", server.tls_port), PATIENCE) for _ in range(300)]
        try:
            clients = [server.plain() for _ in range(5)] + [server.connect() for _ in range(5)]
            self.assertEqual([client("PING") for client in clients], ["PONG"] * 10)
            for client in clients:
                client.close()
        finally:
            for half in halves:
                half.close()

    def test_more_clients_than_handshakes(self):
        """A client that has had to give way to others comes again."""
        server = self.server("--tls-max-handshakes", "2", "--tcp-backlog", "1000")

        def work():
            for _ in range(3):
                while True:
                    try:
                        with server.connect() as client:
                            client("INCR", "n")
                        break
                    except (OSError, EOFError):
                        pass

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with server.connect() as client:
            self.assertEqual(client("GET", "n"), b"60")


if __name__ == "__main__":
    main("test_tls_abuse")
