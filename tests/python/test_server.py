#!/usr/bin/env python3
"""Uses ae-server through redis-py, as an application does."""

import tempfile
import threading
import time
import unittest
from pathlib import Path

import redis

from support import main
from testkit.resp import PATIENCE
from testkit.server import AeServer


class Basics:
    """Run once per protocol version."""

    protocol = None

    @classmethod
    def setUpClass(cls):
        cls.server = cls.start().__enter__()
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def start(cls):
        return AeServer()

    def client(self, **options):
        return redis.Redis(port=self.server.port, **options)

    def setUp(self):
        options = {"protocol": self.protocol} if self.protocol else {}
        self.redis = self.client(**options)
        self.addCleanup(self.redis.close)
        self.redis.flushall()

    def test_strings(self):
        r = self.redis
        self.assertTrue(r.set("k", "v"))
        self.assertEqual(r.get("k"), b"v")
        self.assertIsNone(r.get("none"))
        self.assertIsNone(r.set("k", "w", nx=True))
        self.assertEqual(r.set("k", "w", xx=True, get=True), b"v")
        self.assertEqual(r.append("k", "x"), 2)
        self.assertEqual(r.strlen("k"), 2)
        self.assertEqual(r.getrange("k", 0, 0), b"w")
        self.assertEqual(r.setrange("k", 1, "yz"), 3)
        self.assertEqual(r.getset("k", "new"), b"wyz")
        self.assertEqual(r.getdel("k"), b"new")
        self.assertTrue(r.mset({"a": 1, b"\x00\xff": b"\r\n"}))
        self.assertEqual(r.mget("a", b"\x00\xff", "none"), [b"1", b"\r\n", None])
        self.assertFalse(r.msetnx({"a": 1, "c": 2}))

    def test_numbers(self):
        r = self.redis
        self.assertEqual(r.incr("n"), 1)
        self.assertEqual(r.incrby("n", 41), 42)
        self.assertEqual(r.decr("n", 2), 40)
        self.assertEqual(r.incrbyfloat("n", 0.5), 40.5)
        with self.assertRaisesRegex(redis.ResponseError, "not an integer"):
            r.incr("n")

    def test_expiry(self):
        r = self.redis
        r.set("k", "v", ex=100)
        self.assertIn(r.ttl("k"), range(1, 101))
        self.assertTrue(r.persist("k"))
        self.assertEqual(r.ttl("k"), -1)
        self.assertTrue(r.pexpire("k", 30))
        time.sleep(0.05)
        self.assertIsNone(r.get("k"))
        self.assertEqual(r.ttl("k"), -2)
        at = int(time.time()) + 1000
        r.set("k", "v")
        self.assertTrue(r.expireat("k", at))
        self.assertFalse(r.expireat("k", at - 10, gt=True))
        self.assertEqual(r.expiretime("k"), at)

    def test_keys(self):
        r = self.redis
        names = {f"key:{i}".encode() for i in range(2000)}
        r.mset({name: 1 for name in names})
        self.assertEqual(r.dbsize(), 2000)
        self.assertEqual(set(r.scan_iter(count=100)), names)
        self.assertEqual(set(r.scan_iter(match="key:1*", _type="string")), {n for n in names if n.startswith(b"key:1")})
        self.assertEqual(r.keys("key:77"), [b"key:77"])
        self.assertEqual(r.exists("key:1", "key:2", "none"), 2)
        self.assertEqual(r.type("key:1"), b"string")
        self.assertTrue(r.rename("key:1", "other"))
        self.assertIn(r.randomkey(), r.keys())
        self.assertEqual(r.delete(*names), 1999)
        self.assertEqual(r.unlink("other"), 1)

    def test_pipeline(self):
        pipe = self.redis.pipeline(transaction=False)
        for i in range(5000):
            pipe.set(f"k{i}", i).get(f"k{i}")
        replies = pipe.execute()
        self.assertEqual(replies[1::2], [str(i).encode() for i in range(5000)])
        with self.assertRaises(redis.ResponseError):
            self.redis.pipeline(transaction=False).set("a", 1).incrby("a", 2**63 - 1).execute()

    def test_large_value(self):
        value = bytes(range(256)) * 100_000
        self.redis.set("k", value)
        self.assertEqual(self.redis.get("k"), value)

    def test_databases(self):
        with self.client(db=9, protocol=self.protocol or 2) as other:
            other.set("k", 9)
            self.assertIsNone(self.redis.get("k"))
            self.assertEqual(self.redis.info("keyspace")["db9"]["keys"], 1)
        with self.assertRaisesRegex(redis.ResponseError, "DB index is out of range"):
            self.client(db=99).ping()

    def test_the_server_describes_itself(self):
        r = self.redis
        info = r.info()
        self.assertTrue(info["redis_version"].startswith("7.0."))
        self.assertGreater(info["used_memory"], 100_000)
        self.assertGreaterEqual(info["connected_clients"], 1)
        self.assertEqual(info["tcp_port"], self.server.port)
        self.assertEqual(r.config_get("save", "appendonly"), {"save": "", "appendonly": "no"})
        self.assertTrue(r.config_set("timeout", 1000))
        self.assertEqual(r.config_get("timeout"), {"timeout": "1000"})
        self.assertEqual(len(r.command()), r.command_count())
        before = int(time.time())
        self.assertIn(r.time()[0], range(before, int(time.time()) + 1))

    def test_clients_describe_themselves(self):
        r = self.redis
        self.assertTrue(r.client_setname("me"))
        self.assertEqual(r.client_getname(), "me" if isinstance(r.client_getname(), str) else b"me")
        mine = [client for client in r.client_list() if client["id"] == str(r.client_id())]
        self.assertEqual([(client["name"], client["cmd"]) for client in mine], [("me", "client|list")])
        self.assertIn("redis-py", mine[0]["lib-name"])
        self.assertEqual(r.client_info()["name"], "me")


class InTheDefaultProtocol(Basics, unittest.TestCase):
    pass


class InResp2(Basics, unittest.TestCase):
    protocol = 2


class InResp3(Basics, unittest.TestCase):
    protocol = 3


class Deployment(unittest.TestCase):
    def test_password(self):
        with AeServer("--requirepass", "secret") as server:
            with self.assertRaises(redis.AuthenticationError):
                redis.Redis(port=server.port, retry=None).ping()
            with self.assertRaises(redis.AuthenticationError):
                redis.Redis(port=server.port, password="wrong", retry=None).ping()
            with redis.Redis(port=server.port, username="default", password="secret") as r:
                self.assertTrue(r.ping())

    def test_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "socket")
            with AeServer("--unixsocket", path), redis.Redis(unix_socket_path=path) as r:
                self.assertTrue(r.set("k", "v"))
                self.assertEqual(r.get("k"), b"v")
                self.assertIn("U", r.client_info()["flags"])

    def test_maxclients(self):
        with AeServer("--maxclients", "2") as server:
            clients = [redis.Redis(port=server.port, single_connection_client=True) for _ in range(2)]
            with self.assertRaisesRegex(redis.ConnectionError, "max number of clients"):
                redis.Redis(port=server.port, retry=None).ping()
            for client in clients:
                client.close()

    def test_reconnects_after_a_restart(self):
        with AeServer() as server:
            r = redis.Redis(port=server.port)
            r.set("k", "v")
            self.assertEqual(server.stop(), 0)
            with AeServer(port=server.port):
                self.assertIsNone(r.get("k"))
            r.close()

    def test_shutdown(self):
        with AeServer() as server:
            redis.Redis(port=server.port, retry=None).shutdown()
            self.assertEqual(server.process.wait(PATIENCE), 0)
            self.assertIn("stopped by SHUTDOWN", server.text())

    def test_many_threads(self):
        with AeServer() as server:
            r = redis.Redis(port=server.port)
            errors = []

            def work(number):
                try:
                    for i in range(200):
                        r.incr("total")
                        r.set(f"{number}", i)
                        if int(r.get(f"{number}")) != i:
                            errors.append((number, i))
                except redis.RedisError as error:
                    errors.append(error)

            threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(errors, [])
            self.assertEqual(r.get("total"), b"4000")
            r.close()


if __name__ == "__main__":
    main("test_server")
