#!/usr/bin/env python3
"""Watches ae-server through redis-py, as an operator does: INFO, SLOWLOG, LATENCY, MONITOR, MEMORY, CLIENT LIST."""

import unittest

import redis

from support import main
from testkit.resp import ReplyError
from testkit.server import AeServer


class Observation:
    """Run once per protocol version."""

    protocol = None

    @classmethod
    def setUpClass(cls):
        cls.server = AeServer("--enable-debug-command", "local").__enter__()
        cls.addClassCleanup(cls.server.stop)

    def client(self):
        client = redis.Redis(port=self.server.port, protocol=self.protocol)
        self.addCleanup(client.close)
        return client

    def setUp(self):
        self.redis = self.client()
        self.redis.flushall()
        self.redis.config_resetstat()

    def test_info(self):
        r = self.redis
        r.set("k", "v", ex=1000)
        with self.assertRaisesRegex(redis.ResponseError, "not an integer"):
            r.incr("k")
        info = r.info("everything")
        self.assertEqual(info["redis_version"], "7.0.15")
        self.assertEqual(info["db0"]["keys"], 1)
        self.assertEqual(info["cmdstat_incrby"]["failed_calls"], 1)
        self.assertEqual(info["cmdstat_set"]["calls"], 1)
        self.assertEqual(info["errorstat_ERR"]["count"], 1)
        self.assertGreater(info["latency_percentiles_usec_set"]["p99.9"], 0)
        self.assertGreater(info["used_memory_dataset"], 0)
        self.assertGreater(info["total_system_memory"], info["used_memory_rss"])
        self.assertGreater(info["used_cpu_user"] + info["used_cpu_sys"], -1)
        self.assertEqual((info["role"], len(info["master_replid"])), ("master", 40))

    def test_slowlog(self):
        r = self.redis
        r.slowlog_reset()
        self.assertEqual(r.slowlog_len(), 0)
        r.execute_command("DEBUG SLEEP", "0.02")
        r.client_setname("me")
        (slow,) = r.slowlog_get()
        self.assertEqual(slow["command"], b"DEBUG SLEEP 0.02")
        self.assertGreaterEqual(slow["duration"], 20_000)
        self.assertTrue(slow["client_address"].startswith(b"127.0.0.1:"))
        self.assertTrue(r.slowlog_reset())

    def test_latency(self):
        r = self.redis
        r.config_set("latency-monitor-threshold", 10)
        r.execute_command("DEBUG SLEEP", "0.02")
        r.config_set("latency-monitor-threshold", 0)
        ((event, _, last, longest),) = r.latency_latest()
        self.assertEqual((event, last >= 20, longest >= last), (b"command", True, True))
        self.assertEqual(len(r.latency_history("command")), 1)
        self.assertIn("command", str(r.execute_command("LATENCY GRAPH", "command")))
        self.assertEqual(r.latency_reset(), 1)

    def test_monitor(self):
        with self.client().monitor() as monitor:
            self.redis.set("k", b'a "quoted"\n\xff value')
            with self.assertRaises(redis.RedisError):
                self.redis.execute_command("AUTH", "secret")
            seen = next(command for command in monitor.listen() if command["command"].startswith("SET"))
            self.assertEqual((seen["db"], seen["client_type"]), (0, "tcp"))
            seen = next(command for command in monitor.listen() if command["command"].startswith("AUTH"))
            self.assertEqual(seen["command"], "AUTH (redacted)")

    def test_memory(self):
        r = self.redis
        r.set("k", "x" * 10_000)
        self.assertIn(r.memory_usage("k"), range(10_000, 11_000))
        self.assertIsNone(r.memory_usage("none"))
        self.assertTrue(r.memory_purge())
        stats = r.memory_stats()
        self.assertEqual(stats.get("keys.count", stats.get(b"keys.count")), 1)

    def test_clients(self):
        r = self.redis
        pubsub = self.client().pubsub()
        pubsub.subscribe("a", "b")
        while pubsub.get_message(timeout=10)["data"] != 2:
            pass
        (subscriber,) = r.client_list(_type="pubsub")
        self.assertEqual((subscriber["flags"], subscriber["sub"], subscriber["cmd"]), ("P", "2", "subscribe"))
        self.assertEqual(r.info("stats")["pubsub_channels"], 2)
        self.assertNotIn(subscriber["id"], [client["id"] for client in r.client_list(_type="normal")])
        pubsub.close()

    def test_debug(self):
        r = self.redis
        r.set("k", "v")
        before = r.execute_command("DEBUG DIGEST")
        r.execute_command("DEBUG RELOAD")
        self.assertEqual(r.execute_command("DEBUG DIGEST"), before)


class ReportsOfOtherServers(unittest.TestCase):
    """What users of Redis and Valkey have met."""

    @classmethod
    def setUpClass(cls):
        cls.server = AeServer().__enter__()
        cls.addClassCleanup(cls.server.stop)

    def test_no_error_is_two_replies(self):
        # Line ends in what an error repeats would end its reply.
        with self.server.connect() as client:
            client.call("SET", "text", "a")
            for words in (
                ["no\r\n+such"], ["NO\r\nSUCH", "a\r\nb"], ["CONFIG", "no\r\n+such"], ["CLIENT", "KILL", "a\r\n+b", "1"],
                ["CONFIG", "SET", "maxmemory", "1\r\n+x"], ["CONFIG", "SET", "no\r\n+such", "1"], ["XGROUP", "CREATECONSUMER",
                "text", "a\r\nb", "c\r\nd"], ["XREADGROUP", "GROUP", "g\r\n+x", "c", "STREAMS", "no\r\nkey", ">"],
                ["ACL", "SETUSER", "u", "no\r\n+such"], ["ACL", "DRYRUN", "no\r\nuser", "get", "a"],
                ["ACL", "DRYRUN", "default", "no\r\n+such"], ["EVAL", "return redis.error_reply('A b\r\n+c')", "0"],
                ["EVAL", "error('a\r\n+b')", "0"], ["EVAL", "return redis.call('no\r\n+such')", "0"],
                ["EVAL", "return {err='a\r\n+b'}", "0"], ["EVAL", "a\r\n+b", "0"], ["EVAL", "#!lua a\r\n+b\nreturn 1", "0"],
                ["EVAL", "return _G['a\r\n+b']", "0"], ["FUNCTION", "LOAD", "#!lua name=a\r\n+b\nreturn 1"],
                ["FCALL", "no\r\n+such", "0"], ["AUTH", "a\r\n+b", "c"], ["HELLO", "3", "no\r\n+such"], ["COMMAND", "GETKEYS",
                "no\r\n+such", "a"], ["OBJECT", "no\r\n+such", "text"], ["SCRIPT", "a\r\n+b"], ["DEBUG", "a\r\n+b"],
            ):
                with self.subTest(words=words):
                    with self.assertRaises(ReplyError) as failed:
                        client.call(*words)
                    self.assertNotRegex(str(failed.exception), "[\r\n]")
                    self.assertEqual(client.call("ECHO", "next"), b"next")

    def test_memory_for_a_large_request_is_given_back(self):
        with self.server.connect() as client, self.server.connect() as other:
            client.call("CLIENT", "SETNAME", "large")

            def size():
                (line,) = [line for line in other.call("CLIENT", "LIST").decode().splitlines() if " name=large " in line]
                fields = dict(field.split("=", 1) for field in line.split())
                return int(fields["tot-mem"])

            before = size()
            client.call("ECHO", "x" * 20_000_000)
            # As long as a client asks for more, too, not only when it is idle.
            for _ in range(3):
                client.call("PING")
            self.assertLess(size(), before + 100_000)


class InResp2(Observation, unittest.TestCase):
    protocol = 2


class InResp3(Observation, unittest.TestCase):
    protocol = 3


if __name__ == "__main__":
    main("test_observation")
