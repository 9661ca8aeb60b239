#!/usr/bin/env python3
"""Scripts, as clients meet them: those that take long, and those of well-known libraries."""

import socket
import ssl
import threading
import unittest

import redis
from support import main
from testkit.server import AeServer, TlsServer
from tls import CERTIFICATES

ENDLESS = "while true do end"
ENDLESS_AND_CAUGHT = "while true do pcall(function() while true do end end) end"
WRITES = "redis.call('set', KEYS[1], 'v') " + ENDLESS


class BusyServer(unittest.TestCase):
    def serve(self, server):
        self.server = server
        self.server.__enter__()
        self.addCleanup(self.server.stop)

    def client(self):
        client = redis.Redis(port=self.server.port, socket_timeout=60, retry=None, protocol=2)
        self.addCleanup(client.close)
        return client

    def run_aside(self, *request):
        """Runs a script in a thread; returns where its outcome will be, once others are told that the server is busy"""
        outcome = []

        def run():
            try:
                outcome.append(self.client().execute_command(*request))
            except redis.RedisError as error:
                outcome.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        while True:
            try:
                self.client().ping()
            except redis.ResponseError as error:
                self.assertEqual(str(error).split()[0], "BUSY")
                return thread, outcome


class Busy(BusyServer):
    def setUp(self):
        self.serve(AeServer("--busy-reply-threshold", "50"))

    def test_others_are_told_and_can_end_it(self):
        for script in (ENDLESS, ENDLESS_AND_CAUGHT):
            before = self.client()
            before.ping()
            thread, outcome = self.run_aside("EVAL", script, 0)
            for client in (before, self.client()):
                with self.assertRaisesRegex(redis.ResponseError, "^BUSY .* SCRIPT KILL or SHUTDOWN NOSAVE.$"):
                    client.get("k")
                with self.assertRaisesRegex(redis.ResponseError, "^BUSY"):
                    client.execute_command("FUNCTION", "KILL")
            self.assertEqual(before.execute_command("SCRIPT", "KILL"), b"OK")
            thread.join()
            self.assertIn("Script killed by user with SCRIPT KILL...", outcome[0])
            self.assertTrue(before.ping() and self.client().ping())

    def test_one_that_has_written_goes_on(self):
        thread, _ = self.run_aside("EVAL", WRITES, 1, "k")
        with self.assertRaisesRegex(redis.ResponseError, "^UNKILLABLE"):
            self.client().execute_command("SCRIPT", "KILL")
        with self.assertRaises(redis.ConnectionError):
            self.client().execute_command("SHUTDOWN", "NOSAVE")
        thread.join()
        self.assertEqual(self.server.process.wait(60), 0)

    def test_functions_are_ended_likewise(self):
        library = f"#!lua name=lib\nredis.register_function('f', function() {ENDLESS} end)"
        self.client().execute_command("FUNCTION", "LOAD", library)
        thread, outcome = self.run_aside("FCALL", "f", 0)
        with self.assertRaisesRegex(redis.ResponseError, "^BUSY .* FUNCTION KILL or SHUTDOWN NOSAVE.$"):
            self.client().execute_command("SCRIPT", "KILL")
        stats = self.client().execute_command("FUNCTION", "STATS")
        self.assertEqual(stats[1][:4], [b"name", b"f", b"command", [b"FCALL", b"f", b"0"]])
        self.assertEqual(self.client().execute_command("FUNCTION", "KILL"), b"OK")
        thread.join()
        # As redis-server 7.0.15 says it, for functions too.
        self.assertIn("Script killed by user with SCRIPT KILL... script: f, on @user_function:2.", outcome[0])

    def test_a_signal_waits_for_the_script(self):
        thread, outcome = self.run_aside("EVAL", ENDLESS, 0)
        self.server.process.terminate()
        self.assertEqual(self.client().execute_command("SCRIPT", "KILL"), b"OK")
        thread.join()
        self.assertEqual(self.server.process.wait(60), 0)


class DuringConnecting(BusyServer):
    """One whose connection is there while a script runs."""

    def setUp(self):
        # A time-out of the connection does not help in time.
        options = "--tls-replication", "yes", "--repl-timeout", "3600", "--busy-reply-threshold", "50"
        self.serve(TlsServer(CERTIFICATES, *options))

    def test_a_replica_goes_on_after_the_script(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATES["server.crt"], CERTIFICATES["server.key"])
        with socket.create_server(("127.0.0.1", 0)) as primary:
            self.client().execute_command("REPLICAOF", "127.0.0.1", primary.getsockname()[1])
            plain, _ = primary.accept()
            plain.settimeout(60)
            thread, _ = self.run_aside("EVAL", ENDLESS, 0)
            # Returns when the replica has ended its part, too.
            with context.wrap_socket(plain, server_side=True) as link:
                self.client().execute_command("SCRIPT", "KILL")
                thread.join()
                self.assertIn(b"PING", link.recv(100))


class Libraries(unittest.TestCase):
    """What redis-py runs by scripts."""

    def test_locks_and_scripts(self):
        with AeServer() as server, redis.Redis(port=server.port) as client:
            lock = client.lock("lock", timeout=60)
            self.assertTrue(lock.acquire(blocking=False))
            self.assertFalse(client.lock("lock").acquire(blocking=False))
            self.assertTrue(lock.extend(60) and lock.reacquire())
            lock.release()
            self.assertFalse(lock.locked())
            add = client.register_script("return redis.call('incrby', KEYS[1], ARGV[1])")
            self.assertEqual([add(keys=["n"], args=[5]), add(keys=["n"], args=[5])], [5, 10])
            client.script_flush()
            self.assertEqual(add(keys=["n"], args=[5]), 15)


if __name__ == "__main__":
    main("scripts")
