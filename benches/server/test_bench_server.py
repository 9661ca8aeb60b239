#!/usr/bin/env python3
"""Tests of what bench_server.py computes and writes."""

import re
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

HERE = Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parents[1] / place) for place in ("tools", "benches", "tools/forks")]

import bench_server  # noqa: E402
import document  # noqa: E402
import latency  # noqa: E402
import memory  # noqa: E402
import peers  # noqa: E402
import persistence  # noqa: E402
import speed  # noqa: E402


class Results(unittest.TestCase):
    def test_the_ratio_is_to_the_better_of_the_others_in_all_rounds(self):
        found = {"ae": [1.0, 3.0, 2.0], "redis": [2.0, 6.0, 2.0], "valkey": [4.0, 3.0, 2.5]}
        self.assertEqual(document.ratio(found), 0.8)
        self.assertIsNone(document.ratio({"ae": [1.0]}))
        self.assertIsNone(document.ratio({"redis": [1.0], "valkey": [1.0]}))

    def test_a_version_is_taken_out_of_what_a_server_says(self):
        for said in ("ae-server 1.0.0, compatible with Redis server v=7.0.15 bits=64", "Redis server v=1.0.0 sha=00000000:0"):
            with patch.object(peers, "completed", return_value=SimpleNamespace(stdout=said)):
                self.assertEqual(peers.Peer("ae", "ae-server").version(), "1.0.0")

    def test_tables_have_what_was_measured(self):
        results = {
            "machine": "machine", "rounds": {"speed": 2, "latency": 2, "memory": 1}, "versions": {"ae": "1", "redis": "7"},
            "speed": {"SET -P 16 -d 3": {"ae": [1.0], "redis": [2.0]}},
            "memory": {"string": {"ae": [52.4], "redis": [100.0]}},
            "latency": {"10000 p99": {"ae": [30.0], "redis": [60.0]}},
        }
        text = document.written(results)
        for row in ("| SET | 1.00 | 2.00 | 0.50 |", "| string of 16 bytes | 52 | 100 | 0.52 |",
                    "| 10000 requests a second, p99 | 30 | 60 | 0.50 |"):
            self.assertIn(row, text)
        self.assertNotIn("64 requests at a time", text)

    def test_what_is_on_disk_has_a_table_of_its_own(self):
        results = {
            "machine": "machine", "versions": {"ae": "1", "redis": "7"}, "speed": {}, "memory": {}, "latency": {},
            "rounds": {"persistence": 3}, "keys": {"persistence": 10_000_000},
            "persistence": {"save": {"ae": [0.5, 0.25, 1.0], "redis": [0.5, 0.5, 0.5]}, "growth": {"ae": [0.0], "redis": [7.25]}},
        }
        text = document.written(results)
        for row in ("### Data on disk, with 10 000 000 keys, in 3 rounds", "| SAVE, in µs a key | 0.500 | 0.500 | 1.00 |",
                    "in MiB | 0.0 | 7.2 | - |"):
            self.assertIn(row, text)
        # Results of before there was this part.
        self.assertNotIn("on disk", document.written({**results, "persistence": {}}))

    def test_the_page_shows_the_plots_that_there_are(self):
        shown = re.findall(r"\(server-performance/([a-z]+\.png)\)", bench_server.DOCUMENT.read_text())
        self.assertEqual(sorted(shown), sorted(path.name for path in bench_server.PLOTS.iterdir()))


class Loads(unittest.TestCase):
    def test_a_list_is_read_and_not_filled_by_what_is_counted(self):
        self.assertEqual(speed.Point("LRANGE_100", 1, 3).words(), ["LRANGE", "mylist", "0", "99"])
        self.assertEqual(speed.Point("SET", 1, 3).words(), ["-t", "set"])

    def test_every_client_sends_something(self):
        for point in speed.points():
            self.assertGreaterEqual(point.requests(0), speed.CLIENTS * point.pipeline)

    def test_keys_are_as_long_as_the_table_says(self):
        for kind, content in memory.CONTENTS.items():
            for number in (0, 12345):
                request = content.request(number)
                self.assertEqual(len(request[1]), 16, kind)
        self.assertEqual(memory.encoded([("SET", "k", "vv")]), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nvv\r\n")

    def test_whole_parts_are_recorded(self):
        for whole in ([], ["--parts", "memory"], ["--rounds", "9"]):
            self.assertTrue(bench_server.is_recorded(bench_server.options(whole)), whole)
        for part in (["--quick"], ["--rounds", "1"], ["--servers", "ae"], ["--tests", "set"], ["--pipelines", "16"]):
            self.assertFalse(bench_server.is_recorded(bench_server.options(part)), part)

    def test_what_fails_takes_nothing_else_with_it(self):
        def measured(part, peer, *_):
            if part == "latency" and peer.name == "redis":
                raise bench_server.Failure("no rate")
            yield "a", 1.0

        chosen = bench_server.options(["--parts", "latency,persistence", "--servers", "ae,redis", "--rounds", "2"])
        named = [SimpleNamespace(name=name, version=lambda: "1") for name in chosen.servers]
        with patch.multiple(bench_server, values=measured, peers=lambda _: named, error=lambda _: None, say=lambda _: None):
            results, failed = bench_server.measured(chosen)
        self.assertEqual(failed, {"latency"})
        self.assertEqual((results["latency"], results["persistence"]), ({}, {"a": {"ae": [1.0] * 2, "redis": [1.0] * 2}}))

    def test_how_many_keys_there_are_stays_with_its_part(self):
        before = {"rounds": {"persistence": 5}, "keys": {"persistence": 7}, "persistence": {"save": 1}}
        now = {"rounds": {"memory": 1}, "keys": {}, "memory": {"a": 1}, "persistence": {}}
        joined = bench_server.joined(before, now, ["memory"])
        self.assertEqual((joined["keys"], joined["persistence"]), ({"persistence": 7}, {"save": 1}))

    def test_what_is_measured_on_disk_can_be_shown(self):
        for when in "calm", "saving":
            for quantile in persistence.PAUSES:
                self.assertIn(f"{when} {quantile}", persistence.ROWS)
        self.assertLessEqual(set(persistence.PAUSES), set(latency.QUANTILES))
        # As long as it is told.
        self.assertEqual(len(persistence.KEY.format(12345)), 16)

    def test_parts_that_are_not_measured_again_stay(self):
        before = {"rounds": {"speed": 5, "memory": 1}, "speed": {"a": 1}, "memory": {"b": 2}, "latency": {}}
        now = {"rounds": {"memory": 1}, "speed": {}, "memory": {"b": 3}, "latency": {}}
        self.assertEqual(bench_server.joined(before, now, ["memory"]),
                         {"rounds": {"speed": 5, "memory": 1}, "speed": {"a": 1}, "memory": {"b": 3}, "latency": {}})


if __name__ == "__main__":
    unittest.main()
