#!/usr/bin/env python3
"""Tests of what the others rest on."""

import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from testkit import certificates, documents, profiles, resp  # noqa: E402
from testkit.commands import Failure, limited, run  # noqa: E402
from testkit.paths import ROOT  # noqa: E402
from testkit.ports import WITH_BUS, free_port, free_ports  # noqa: E402
from testkit.server import Server  # noqa: E402


class Ports(unittest.TestCase):
    def test_none_is_given_twice(self):
        others = subprocess.Popen(
            [sys.executable, "-c", "import testkit.ports as p; print(*p.free_ports(200), flush=True); input()"],
            env=dict(os.environ, PYTHONPATH=ROOT / "tools"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        theirs = [int(port) for port in others.stdout.readline().split()]
        ours = [*free_ports(200), *(free_port() for _ in range(200))]
        buses = free_ports(6, above=10000)
        others.communicate("\n")
        everything = [*theirs, *ours, *buses, *(port + 10000 for port in buses)]
        self.assertEqual(len(everything), 200 + 400 + 6 + 6)
        self.assertEqual(len(set(everything)), len(everything))
        self.assertLessEqual(set(buses), set(WITH_BUS))

    def test_more_than_there_are(self):
        with self.assertRaises(OSError):
            free_ports(len(WITH_BUS) + 1, above=10000)


class Commands(unittest.TestCase):
    def test_outcomes(self):
        self.assertEqual(limited(["sh", "-c", "echo out; echo err >&2; exit 3"], 60), (3, "out\nerr\n", ""))
        self.assertEqual(limited(["sh", "-c", "echo out; echo err >&2"], 60, apart=True), (0, "out\n", "err\n"))
        self.assertEqual(limited(["sh", "-c", "kill -TERM $$"], 60)[0], -15)
        with self.assertRaisesRegex(Failure, "status 3\nwhy"):
            run(["sh", "-c", "echo why; exit 3"])

    def test_nothing_is_left_of_what_hangs(self):
        status, output, limit = None, "", 0.2
        while not output:  # until it had the time to say something
            status, output, _ = limited(["sh", "-c", "sleep 1000 & echo $!; wait"], limit)
            self.assertIsNone(status)
            limit *= 2
        process = Path("/proc", output.strip(), "stat")
        deadline = time.monotonic() + 60
        while process.exists() and process.read_text().rsplit(")", 1)[1].split()[0] != "Z":
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)


class Certificates(unittest.TestCase):
    def setUp(self):
        self.made = certificates.Certificates()

    def test_only_what_is_asked_for_is_made_and_once(self):
        path = Path(self.made["chain.crt"])
        made = {file.name for file in path.parent.glob("*.crt")}
        self.assertEqual(made, {"ca.crt", "intermediate.crt", "lone.crt", "chain.crt"})
        content = path.read_text()
        self.assertEqual(Path(self.made["chain.crt"]).read_text(), content)
        self.assertEqual(content, self.made.text("lone.crt") + self.made.text("intermediate.crt"))

    def test_versions(self):
        for name, version in (("server", 3), ("v1", 1), ("expired-v1", 1), ("other-v1", 1)):
            shown = run(["openssl", "x509", "-noout", "-text", "-in", self.made[f"{name}.crt"]])
            self.assertIn(f"Version: {version} (", shown, name)

    def test_unknown_names(self):
        with self.assertRaises(KeyError):
            self.made["nobody.crt"]
        self.assertFalse(Path(self.made.missing).exists())

    def test_the_catalogue_has_all(self):
        for name in certificates.RECIPES:
            self.assertRegex(certificates.__doc__, rf"(?m)(^|[ (]){name}(\.|/)", name)


class Servers(unittest.TestCase):
    def test_one_that_ends_says_why(self):
        with self.assertRaisesRegex(Failure, "out of order"), Server(["sh", "-c", "echo out of order"], free_port()):
            pass

    def test_the_end_of_a_connection_is_both_errors(self):
        self.assertTrue(issubclass(resp.Ended, EOFError) and issubclass(resp.Ended, OSError))


class Documents(unittest.TestCase):
    def test_only_what_is_between_the_marks_changes(self):
        text = f"# A\n\n{documents.BEGIN}\nold\n{documents.END}\nrest\n"
        self.assertEqual(documents.between(text), "old\n")
        self.assertEqual(documents.replaced(text, "new\n"), f"# A\n\n{documents.BEGIN}\nnew\n{documents.END}\nrest\n")
        with self.assertRaises(ValueError):
            documents.replaced("# A\n", "new\n")


class Profiles(unittest.TestCase):
    def test_the_list(self):
        self.assertIn(profiles.DEFAULT, profiles.NAMES)
        self.assertIn("redis-7.0", profiles.having("abi_v1"))
        self.assertNotIn(profiles.DEFAULT, profiles.having("abi_v1"))


if __name__ == "__main__":
    unittest.main()
