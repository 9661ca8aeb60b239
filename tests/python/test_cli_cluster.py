#!/usr/bin/env python3
"""What ae-cli --cluster makes of nodes that do not answer as they should."""

import subprocess

from support import main
from testkit.resp import PATIENCE
from testkit.server import AE_CLI
from told import ToldCase, bulk

ERROR, GONE, FIVE = b"-ERR no\r\n", None, b":5\r\n"
REFUSED = "Node A replied with error:\nERR no\n"
CLOSED = "Error: Server closed the connection\n"


class Nodes(ToldCase):
    def setUp(self):
        self.first, self.second = [self.told(INFO=bulk("cluster_enabled:1\r\n"), DBSIZE=FIVE) for _ in range(2)]
        self.first.replies[b"CLUSTER"] = bulk(self.line("a", self.first, "myself,master", "0-16383"))

    @staticmethod
    def line(name, server, flags, slots=""):
        return f"{name * 40} 127.0.0.1:{server.port}@1 {flags} - 0 0 1 connected {slots}\n"

    def said(self, *words, options=(), **replies):
        """(standard output, errors, status), with A and B for the nodes; the replies are the first node's."""
        place = f"127.0.0.1:{self.first.port}"
        self.first.replies.update({name.encode(): reply for name, reply in replies.items()})
        done = subprocess.run([AE_CLI, "--no-auth-warning", *options, "--cluster", words[0], place, *words[1:]],
                              capture_output=True, text=True, timeout=PATIENCE)
        texts = [text.replace(place, "A").replace(f"127.0.0.1:{self.second.port}", "B")
                 for text in (done.stdout, done.stderr)]
        return *texts, done.returncode

    def test_the_first_has_to_be_one(self):
        for replies, said in (
            ({"INFO": ERROR}, (REFUSED, "", 1)),
            ({"INFO": bulk("cluster_enabled:0\r\n")}, ("[ERR] Node A is not configured as a cluster node.\n", "", 1)),
            ({"INFO": GONE}, ("", CLOSED, 1)),
            ({"CLUSTER": ERROR}, (REFUSED, "", 1)),
            ({"CLUSTER": GONE}, ("", CLOSED, 1)),
        ):
            with self.subTest(replies):
                self.first.replies[b"INFO"] = bulk("cluster_enabled:1\r\n")
                self.assertEqual(self.said("check", **replies), said)

    def test_who_asks_is_known(self):
        summary = "A (aaaaaaaa...) -> 5 keys | 16384 slots | 0 slaves.\n[OK] 5 keys in 1 masters.\n" \
                  "0.00 keys per slot on average.\n"
        for options, auth in (
            ([], []), (["-a", "x"], [[b"AUTH", b"x"]]), (["--user", "u", "-a", "x"], [[b"AUTH", b"u", b"x"]]),
        ):
            with self.subTest(options):
                self.first.seen.clear()
                self.assertEqual(self.said("info", options=options), (summary, "", 0))
                self.assertEqual(self.first.seen, [*auth, [b"INFO", b"cluster"], [b"CLUSTER", b"NODES"], [b"DBSIZE"]])
        self.assertEqual(self.said("info", options=["-a", "x"], AUTH=ERROR), ("", "AUTH failed: ERR no\n", 1))
        self.assertEqual(self.said("info", options=["-a", "x"], AUTH=GONE), ("", CLOSED, 1))

    def test_another_that_does_not_know_itself(self):
        both = self.line("a", self.first, "myself,master", "0-16383") + self.line("b", self.second, "master")
        for nodes in ERROR, bulk(both.replace("myself,", "")), GONE:
            with self.subTest(nodes):
                self.second.replies[b"CLUSTER"] = nodes
                out, err, status = self.said("info", CLUSTER=bulk(both))
                self.assertEqual((err, status), ("", 0))
                self.assertEqual(out.splitlines()[:2], ["[ERR] Unable to load info for node B",
                                                        "A (aaaaaaaa...) -> 5 keys | 16384 slots | 0 slaves."])

    def test_one_that_leaves(self):
        """It is asked no more."""
        self.assertEqual(self.said("info", DBSIZE=ERROR), (REFUSED, "", 0))
        self.assertEqual(self.said("info", DBSIZE=GONE), ("Node A: Server closed the connection\n", "", 0))
        out, err, status = self.said("check", "--cluster-search-multiple-owners")
        self.assertEqual((out.splitlines()[0], err, status), ("Node A: Server closed the connection", "", 1))
        self.assertIn("[ERR] Nodes don't agree about configuration!\n", out)
        self.assertTrue(out.endswith("[OK] No multiple owners found.\n"), out)

    def test_a_command_to_each(self):
        for reply, said in (b":1\r\n", "A: 1\n"), (ERROR, "A: ERR no\n\n"), (GONE, "A: Failed!\n"):
            with self.subTest(reply):
                self.assertEqual(self.said("call", "GET", "k", GET=reply), (f">>> Calling GET k\n{said}", "", 0))


if __name__ == "__main__":
    main("cli-cluster")
