#!/usr/bin/env python3
"""The benchmark's own tests: they measure nothing and need neither the engines nor valgrind nor matplotlib."""

import contextlib
import io
import json
import re
import tempfile
import time
import unittest
from pathlib import Path

import bench
import callgrind
import counting
import engines
import figures
import goals
import instructions
import points
import run
import tables


def outcome(status="measured", failures=(), reason="", **found):
    """found: the figures, their names with _ for a space and _per_ for a stroke"""
    named = {name.replace("_per_", "/").replace("_", " "): values for name, values in found.items()}
    return {"status": status, "reason": reason, "failures": list(failures), "figures": named}


def results(places=None, **more):
    return {
        "machine": {"kind": "2-core x86-64 machine", "kernel": "6.1.0", "rustc": "rustc 1.88.0", "cc": "cc 12.2.0"},
        "versions": {"libae": "1.0.0", "libev": "4.33"}, "engines": ["libae", "epoll", "stock", "libev"], "missing": {},
        "rounds": 7, "points": places or {}, "instructions": {}, **more,
    }


class Statistics(unittest.TestCase):
    def test_a_ratio_is_taken_round_by_round(self):
        # The machine gets twice as slow in the third round, for both: the ratio does not change.
        found = figures.ratio([1.0, 2.0, 4.0], [2.0, 4.0, 8.0])
        self.assertEqual(found, figures.Ratio(0.5, 0.5, 0.5, 3))

    def test_the_median_of_ratios_is_not_the_ratio_of_medians(self):
        self.assertEqual(figures.ratio([1, 10, 100], [10, 1, 100]).median, 1)
        self.assertEqual(figures.ratio([1, 2, 9], [2, 2, 3]).median, 1)

    def test_quartiles_lie_within_what_was_measured(self):
        found = figures.ratio([1, 2, 3, 4, 5], [1] * 5)
        self.assertEqual((found.low, found.median, found.high), (2, 3, 4))
        self.assertEqual(figures.quartiles([7]), (7, 7))
        low, high = figures.quartiles([1, 2])
        self.assertGreaterEqual(low, 1)
        self.assertLessEqual(high, 2)

    def test_a_round_that_either_lacks_does_not_count(self):
        self.assertEqual(figures.ratio([1, None, 3], [1, 2, None]), figures.Ratio(1, 1, 1, 1))
        self.assertIsNone(figures.ratio([1, None], [None, 1]))
        self.assertIsNone(figures.ratio([], [1]))
        self.assertIsNone(figures.ratio([1], [0]))

    def test_the_median_skips_what_is_missing(self):
        self.assertEqual(figures.median([3, None, 1, 2]), 2)
        self.assertIsNone(figures.median([None]))

    def test_results_come_back_as_they_were_stored(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "deeper" / "results.json"
            figures.store(results(), path)
            self.assertEqual(json.loads(path.read_text()), results())


class Processes(unittest.TestCase):
    """Fake engines: shell scripts."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.scenario = points.Scenario("fake", "Fake", (), (), timeout=10)

    def engine(self, name, script):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def measured(self, names, rounds=3):
        return run.measure(self.scenario, (1, 2), names, rounds, place=lambda name: self.folder / name)

    def test_the_figures_of_each_round_are_kept(self):
        self.engine("good", "printf 'ns/event\\t%s\\nconnections/s\\t2e3\\n' $2$3")
        found = self.measured(["good"])["good"]
        self.assertEqual(found, {"status": "measured", "failures": [],
                                 "figures": {"ns/event": [12, 12, 12], "connections/s": [2000] * 3}})

    def test_what_is_not_offered_or_not_allowed_is_asked_for_once(self):
        for status, name in ((3, "not offered"), (4, "not allowed")):
            self.engine("less", f"echo x >> {self.folder}/calls; echo first >&2; echo 'no timers' >&2; exit {status}")
            found = self.measured(["less"])["less"]
            self.assertEqual((found["status"], found["reason"], found["failures"]), (name, "no timers", []))
            self.assertEqual((self.folder / "calls").read_text(), "x\n")
            (self.folder / "calls").unlink()

    def test_a_failure_is_named_and_the_other_rounds_count(self):
        self.engine("once", f"echo x >> {self.folder}/calls\n"
                            f"[ $(wc -l < {self.folder}/calls) = 2 ] && {{ echo broken >&2; exit 1; }}\nprintf 'ns\\t5\\n'")
        found = self.measured(["once"])["once"]
        self.assertEqual(found["status"], "measured")
        self.assertEqual(found["failures"], ["round 2: status 1: broken"])
        self.assertEqual(found["figures"], {"ns": [5, None, 5]})

    def test_an_engine_that_fails_again_is_left_alone(self):
        self.engine("bad", f"echo x >> {self.folder}/calls; kill -SEGV $$")
        found = self.measured(["bad"], rounds=5)["bad"]
        self.assertEqual(found["status"], "failed")
        self.assertEqual(len(found["failures"]), run.FAILURES)
        self.assertEqual(found["reason"], "status -11")
        self.assertEqual((self.folder / "calls").read_text(), "x\n" * run.FAILURES)

    def test_no_figures_or_other_output_is_a_failure(self):
        self.assertEqual(run.process([self.engine("mute", "true")], 10)[:2], ("failed", "no figures"))
        self.assertEqual(run.process([self.engine("chatty", "echo hello")], 10)[:2], ("failed", "not a figure: 'hello'"))
        self.assertEqual(run.process([self.engine("words", "printf 'ns\\tmany\\n'")], 10)[0], "failed")

    def test_a_process_that_hangs_is_ended_with_its_children(self):
        path = self.engine("hangs", f"sleep 600 & echo $! > {self.folder}/child; wait")
        self.scenario = points.Scenario("fake", "Fake", (), (), timeout=1)
        found = self.measured(["hangs"])["hangs"]
        self.assertEqual((found["status"], found["failures"]), ("failed", ["round 1: no end after 1 s"]))
        child = int((self.folder / "child").read_text())
        for _ in range(100):
            if not _alive(child):
                break
            time.sleep(0.05)
        self.assertFalse(_alive(child), path)

    def test_engines_run_in_turn_and_the_first_changes(self):
        for name in "abc":
            self.engine(name, f"echo {name} >> {self.folder}/order; printf 'ns\\t1\\n'")
        self.measured(["a", "b", "c"])
        self.assertEqual((self.folder / "order").read_text().split(), list("abcbcacab"))

    def test_each_point_says_how_long_it_took(self):
        said = []
        with _replaced(run, "measure", lambda *_: {}):
            run.everything([(self.scenario, (1, 2))], ["good"], 1, said.append)
        self.assertRegex(said[0], r"^\[1/1\] fake 1 2: \d+\.\d s$")

    def test_what_cannot_be_run_is_an_error(self):
        with self.assertRaises(OSError):
            self.measured(["absent"])


def _alive(pid):
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Goals(unittest.TestCase):
    def verdict(self, numbers, **goal):
        side = goals.Side("libae", "dispatch 100 1", "ns/event")
        other = goals.Side("stock", "dispatch 100 1", "ns/event")
        ours, stock = outcome(ns_per_event=numbers), outcome(ns_per_event=[100] * len(numbers))
        found = results({"dispatch 100 1": {"libae": ours, "stock": stock}})
        with _replaced(goals, "GOALS", (goals.Goal("fast", side, other, **goal),)):
            return goals.checked(found)[0].verdict()

    def test_the_median_decides(self):
        self.assertEqual(self.verdict([90, 103, 200], limit=1.03), "met")
        self.assertEqual(self.verdict([90, 104, 104], limit=1.03), "not met")

    def test_a_quartile_decides_where_noise_must_not(self):
        self.assertEqual(self.verdict([99, 100, 105, 105, 105], limit=1.0, what="low"), "met")
        self.assertEqual(self.verdict([99, 101, 105, 105, 105], limit=1.0, what="low"), "not met")
        self.assertEqual(self.verdict([90, 90, 90, 100, 101], limit=1.0, what="high", at_least=True), "met")
        self.assertEqual(self.verdict([90, 90, 90, 99, 101], limit=1.0, what="high", at_least=True), "not met")

    def test_what_was_not_measured_is_not_met(self):
        outcomes = goals.checked(results())
        self.assertEqual({found.verdict() for found in outcomes}, {"not measured"})
        self.assertFalse(goals.reached(outcomes))

    def test_instructions_are_compared_like_times(self):
        counts = {counting.DISPATCHED: {"libae": 99.0, "stock": 100.0}}
        found = [item for item in goals.checked(results(instructions=counts)) if item.goal.above.place == "instructions"]
        self.assertEqual([(item.verdict(), item.ratio.median) for item in found], [("met", 0.99)])

    def test_every_goal_is_about_something_that_is_measured(self):
        work = points.chosen(list(points.SCENARIOS), quick=False)
        known = {points.key(scenario.name, numbers) for scenario, numbers in work}
        for goal in goals.GOALS:
            for side in (goal.above, goal.below):
                self.assertIn(side.engine, engines.ENGINES)
                self.assertIn(side.place, known | {"instructions"})

    def test_every_figure_of_a_goal_is_one_that_the_harness_prints(self):
        sources = "".join(path.read_text() for path in engines.harness())
        for goal in goals.GOALS:
            if goal.above.place != "instructions":
                self.assertIn(f'"{goal.above.figure}"', sources)
                self.assertIn(f'"{goal.below.figure}"', sources)


class Tables(unittest.TestCase):
    PLACES = {
        "dispatch 1000 100": {
            "libae": outcome(ns_per_event=[100.0, 110.0, 120.0]), "epoll": outcome(ns_per_event=[100.0, 100.0, None],
                                                                                   failures=["round 3: status 1: broken"]),
        },
        "timers 1": {
            "libae": outcome(create_ns=[12.345]), "epoll": outcome("not offered", reason="epoll has no engine_timer_add"),
        },
    }

    def written(self, **more):
        return tables.written(results(self.PLACES, **more))

    def summary(self, places=None, **more):
        found = results(places or self.PLACES, **more)
        return tables.summary(found, goals.checked(found))

    def test_numbers_have_as_many_digits_as_mean_something(self):
        shown = [tables.number(value) for value in (None, 0, 1.234, 12.34, 123.4, 1234.5, 12345.6, -2876.4, 1e7)]
        self.assertEqual(shown, ["-", "0.00", "1.23", "12.3", "123", "1234", "12 346", "-2876", "10 000 000"])

    def test_medians_and_ratios_have_a_row_for_each_point(self):
        text = self.written()
        self.assertIn("| 1000 descriptors, 100 active, ns/event | 110 | 100 | - | - |", text)
        self.assertIn("| 1000 descriptors, 100 active, ns/event | 1.050 (1.025 to 1.075) | - | - |", text)
        self.assertIn("| 1 timer, create ns | 12.3 | - | - | - |", text)

    def test_all_rows_of_a_table_are_equally_long(self):
        for block in re.findall(r"(?:^\|.*\n)+", self.written() + self.summary(), re.MULTILINE):
            self.assertEqual(len({line.count("|") for line in block.splitlines()}), 1, block)

    def test_the_summary_has_all_goals_and_a_choice_of_rows(self):
        timers = {place: {"libae": outcome(create_ns=[12.345], **{"create_first_ns": [99.0]})}
                  for place in ("timers 1", "timers 1000")}
        text = self.summary({**self.PLACES, **timers})
        self.assertIn("| Dispatch: 1000 descriptors, 100 active, ns/event | 110 | 100 | - | - |", text)
        self.assertEqual(re.findall(r"^\| (Timers: .*?) \|", text, re.MULTILINE), ["Timers: 1000 timers, create ns"])
        for goal in goals.GOALS:
            self.assertIn(f"| {goal.text} | {goal.wanted()} |", text)

    def test_the_choice_is_of_what_is_measured(self):
        known = {points.key(name, numbers) for name, scenario in points.SCENARIOS.items() for numbers in scenario.points}
        self.assertLessEqual({place for places in tables.POINTS.values() for place in places}, known)
        self.assertLessEqual({*tables.POINTS, *tables.FIGURES}, set(points.SCENARIOS))
        committed = bench.TABLES.read_text()
        for figures_of in tables.FIGURES.values():
            for figure in figures_of:
                self.assertIn(f", {figure} |", committed)

    def test_what_is_missing_is_named_with_its_reason(self):
        text = self.written(missing={"libuv": "missing: libuv1-dev"})
        self.assertIn("- libuv: not measured: missing: libuv1-dev\n", text)
        self.assertIn("- raw epoll: not offered: epoll has no engine_timer_add (timers 1)\n", text)
        self.assertIn("- raw epoll: round 3: status 1: broken (dispatch 1000 100)\n", text)

    def test_instructions_have_a_table_when_there_are_any(self):
        self.assertNotIn("User-space", self.written())
        self.assertIn("| per interest pair | 274 | 32.0 | - | - |",
                      self.written(instructions={"interest pair": {"libae": 274.0, "epoll": 32.0}}))

    def test_the_document_keeps_its_own_text(self):
        text = "# Speed\n\nbefore\n\n<!-- results: begin -->\nold\n<!-- results: end -->\n\nafter\n"
        found = tables.document(text, results(self.PLACES), goals.checked(results(self.PLACES)))
        self.assertTrue(found.startswith("# Speed\n\nbefore\n\n<!-- results: begin -->\n"))
        self.assertTrue(found.endswith("<!-- results: end -->\n\nafter\n"))
        self.assertNotIn("old", found)
        self.assertEqual(tables.document(found, results(self.PLACES), goals.checked(results(self.PLACES))), found)
        complete = tables.complete(text, results(self.PLACES))
        self.assertIn("| 1 timer, create ns | 12.3 | - | - | - |", complete)
        self.assertEqual(tables.complete(complete, results(self.PLACES)), complete)

    def test_a_document_without_a_place_is_not_overwritten(self):
        with self.assertRaises(ValueError):
            tables.document("# Speed\n", results(), [])

    def test_the_committed_documents_have_their_places_and_plots(self):
        for document in (bench.DOCUMENT, bench.TABLES):
            text = document.read_text()
            self.assertEqual(text.count("<!-- results: begin -->"), 1)
            self.assertEqual(text.count("<!-- results: end -->"), 1)
        text = bench.DOCUMENT.read_text()
        # The names are in plots.py, which cannot be imported without matplotlib.
        source = (engines.ROOT / "benches/plots.py").read_text()
        drawn = set(re.findall(r'self\._?(?:save|echo)\((?:figure, )?"([a-z-]+)"', source))
        self.assertEqual(set(re.findall(r"\(performance/([a-z-]+)\.png\)", text)), drawn)
        # No other files lie there.
        self.assertEqual({path.name for path in bench.PLOTS.iterdir()}, {f"{name}.png" for name in drawn} | {"tables.md"})


class Options(unittest.TestCase):
    def test_only_a_run_of_everything_is_recorded(self):
        recorded = {text: bench.complete(bench.options(text.split())) for text in
                    ("", "--check", "--rounds 9", "--rounds 3", "--quick", "--engines libae,stock", "--scenarios echo")}
        self.assertEqual([text for text, complete in recorded.items() if complete], ["", "--check", "--rounds 9"])

    def test_unknown_names_are_refused(self):
        for text in ("--scenarios dispatch,juggle", "--engines asyncio", "--rounds 0"):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                bench.options(text.split())

    def test_goals_that_are_not_met_fail_only_when_they_are_checked(self):
        side = goals.Side("libae", "interest", "ns/pair")
        found = results({"interest": {"libae": outcome(ns_per_pair=[5.0])}})
        for limit, status in ((1.0, 0), (0.9, 1)):
            with _replaced(goals, "GOALS", (goals.Goal("itself", side, side, limit),)), \
                    _replaced(bench, "measured", lambda _: found), _replaced(figures, "store", lambda *_: None), \
                    contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(bench.main(["--quick"]), 0)
                self.assertEqual(bench.main(["--quick", "--check"]), status)

    def test_a_process_that_failed_fails_the_run(self):
        with _replaced(bench, "measured", lambda _: results(Tables.PLACES)), _replaced(figures, "store", lambda *_: None), \
                contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(bench.main(["--quick"]), 1)
        self.assertIn("bench: failed: epoll: dispatch 1000 100: round 3: status 1: broken", said.getvalue())

    def test_a_compiler_or_git_that_is_missing_does_not_end_the_run(self):
        def absent(command, **_):
            raise FileNotFoundError(command[0])
        with _replaced(bench, "command", absent), _replaced(bench.shutil, "which", lambda _: None):
            self.assertEqual((bench.setting()["rustc"], bench.commit()), ("no rustc", ""))

    def test_failed_processes_are_listed(self):
        self.assertEqual(bench.failures(results(Tables.PLACES)), ["epoll: dispatch 1000 100: round 3: status 1: broken"])


class Engines(unittest.TestCase):
    def test_each_source_is_the_harness_or_an_adapter(self):
        self.assertIn("main.c", [path.name for path in engines.harness()])
        rust = {"mio", "libae-rust"}
        for name in set(engines.ENGINES) - rust:
            self.assertTrue((engines.LOOP / f"{name}.c").exists(), name)
            self.assertNotIn(f"{name}.c", [path.name for path in engines.harness()])

    def test_a_version_comes_from_macros_that_may_stand_for_others(self):
        text = '#define EV_MAJOR 4\n#define EV_MINOR 33\n#define LIB_VERSION LIB__VERSION\n#define LIB__VERSION "2.1"\n'
        self.assertEqual(engines._macros("EV_MAJOR EV_MINOR", text), "4.33")
        self.assertEqual(engines._macros("LIB_VERSION", text), "2.1")

    def test_an_engine_that_does_not_build_is_named_with_the_reason(self):
        def broken(engine):
            raise engines.Failure(f"{engine.name}: no such header\nmore")
        with _replaced(engines, "_build", broken), contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(engines.build(["libev"]), {"libev": "libev: no such header"})
        self.assertIn("libev is not measured", said.getvalue())


CALLGRIND = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
cmd:  ./program dispatch 100 1
positions: line
events: Ir
summary: 1000

ob=(1) /build/program
fl=(1) /src/main.c
fn=(1) main
10 5
+2 7
cob=(2) /build/libae.so.1.0.0
cfi=(2) /src/ae.rs
cfn=(2) aeProcessEvents
calls=3 40
* 900
13 2

ob=(2)
fl=(2)
fn=(2)
40 100
fi=(3) /src/epoll.rs
-3 50
fe=(2)
cob=(3) /lib/libc.so.6
cfi=(4)
cfn=(3) epoll_wait
calls=3 0
41 600
cfn=(4) wait
calls=1 50
42 30

fn=(4)
50 30

ob=(3)
fn=(3)
0 600

ob=(1)
fl=(1)
fn=(1)
20 4
cob=(2)
cfn=(2)
calls=2 40
21 100

totals: 1000
"""


class Callgrind(unittest.TestCase):
    def setUp(self):
        self.profile = callgrind.parsed(CALLGRIND)

    def test_costs_belong_to_the_object_that_has_them_itself(self):
        self.assertEqual(self.profile.objects, {"/build/program": 18, "/build/libae.so.1.0.0": 180, "/lib/libc.so.6": 600})
        self.assertEqual(self.profile.inside("libae.so"), 180)
        self.assertEqual(self.profile.total, 798)

    def test_calls_are_summed_up_over_all_places(self):
        self.assertEqual(self.profile.calls["main", "aeProcessEvents"], 5)
        self.assertEqual(self.profile.inclusive["main", "aeProcessEvents"], 1000)
        self.assertEqual(self.profile.inclusive["aeProcessEvents", "wait"], 30)

    def test_a_call_leaves_the_caller_where_it_was(self):
        # `13 2` and `50 30` stand behind calls into other objects.
        self.assertEqual(self.profile.inside("program"), 5 + 7 + 2 + 4)

    def test_files_and_functions_may_have_the_same_numbers(self):
        text = "ob=(1) a\nfl=(1) b\nfn=(1) c\n1 2\nob=(1)\nfn=(1)\n1 3\n"
        self.assertEqual(callgrind.parsed(text).objects, {"a": 5})

    def test_a_cost_of_nothing_may_be_left_out(self):
        self.assertEqual(callgrind.parsed("ob=(1) a\nfn=(1) f\n7\n8 4\n").total, 4)


class Instructions(unittest.TestCase):
    def outcomes(self, recorded, counts):
        return instructions.compared(recorded, counts)

    def test_a_rise_above_the_limit_fails(self):
        self.assertTrue(self.outcomes({"work": 100}, {"work": 103})[0][0])
        passed, line = self.outcomes({"work": 100}, {"work": 103.1})[0]
        self.assertFalse(passed)
        self.assertIn("work: 103.10, recorded 100.00, +3.1%", line)

    def test_a_fall_passes_with_a_hint(self):
        passed, line = self.outcomes({"work": 100}, {"work": 96})[0]
        self.assertTrue(passed)
        self.assertIn("ARGS=--record", line)
        self.assertNotIn("ARGS=--record", self.outcomes({"work": 100}, {"work": 98})[0][1])

    def test_work_that_only_one_side_knows_fails(self):
        self.assertEqual([passed for passed, _ in self.outcomes({"old": 1}, {"new": 1})], [False, False])

    def test_what_was_written_is_read_again(self):
        counts = {"dispatch, 100 descriptors, 1 active": 293.0, "register": 351.25}
        compiler = "# x86_64, rustc 1.88.0"
        self.assertEqual(instructions.read(instructions.written(counts, compiler)), (compiler, counts))
        with self.assertRaises(ValueError):
            instructions.read("# x86_64\nother\n")

    def test_the_committed_counts_are_of_the_work_that_is_counted(self):
        _, recorded = instructions.read(instructions.RECORD.read_text())
        self.assertEqual(list(recorded), [work for work, *_ in (*instructions.DIFFERENCES, *instructions.CALLS)])

    def test_without_valgrind_it_is_skipped(self):
        with _replaced(callgrind, "available", lambda: False), contextlib.redirect_stdout(io.StringIO()) as said:
            self.assertEqual(instructions.main([]), instructions.SKIPPED)
        self.assertIn("valgrind is not installed", said.getvalue())


@contextlib.contextmanager
def _replaced(module, name, value):
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


if __name__ == "__main__":
    unittest.main()
