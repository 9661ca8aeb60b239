#!/usr/bin/env python3
"""Tests of what every.py reads and decides. What it has to do with sources is tested in schemata/."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import mutants  # noqa: F401  (for the path to testkit)
from copied import Program
from every import MISSED, NOTICED, OVER, SCHEMATA, UNREACHED, Case, Cases, Library, Mistake, Package, Results, Search
from every import chosen, culprit, messages, packages, summary, told
from testkit.commands import Failure, completed, environment, run
from testkit.paths import BUILD, ROOT

MISTAKES = [Mistake.parsed(line) for line in (
    "1\tsrc/anet/listen.rs\t10\t5\ta < b\ta <= b",
    "2\tsrc/anet/listen.rs\t11\t9\tclose(fd);\t",
    "3\tsrc/host/log.rs\t3\t1\tEINTR\tEAGAIN",
)]


def shell(name, script, **more):
    return Case(name, ["sh", "-c", script], **more)


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.runs = Cases(lambda backend: {"LIBAE_BACKEND": backend or "none"}, self.folder / "scratch")
        self.results = Results(self.folder / "results.tsv")


class Selection(unittest.TestCase):
    def numbers(self, words=(), sample=None, seed=1):
        return [mistake.number for mistake in chosen(MISTAKES, words, sample, seed)]

    def test_words_are_in_the_file_or_either_text(self):
        self.assertEqual(sorted(self.numbers(["listen.rs"])), [1, 2])
        self.assertEqual(self.numbers(["EAGAIN"]), [3])
        self.assertEqual(sorted(self.numbers(["<=", "EINTR"])), [1, 3])
        self.assertEqual(self.numbers(["nowhere"]), [])

    def test_a_larger_sample_goes_on_from_a_smaller_one(self):
        self.assertEqual(self.numbers(sample=2), self.numbers()[:2])
        self.assertEqual(sorted(self.numbers(sample=99)), [1, 2, 3])

    def test_another_seed_is_another_order(self):
        self.assertGreater(len({tuple(self.numbers(seed=seed)) for seed in range(20)}), 1)


class Packages(unittest.TestCase):
    def test_a_folder_names_its_package(self):
        self.assertEqual(packages(["crates/resp"]), ["resp"])
        self.assertEqual(packages(["crates/store/src/types", "EINTR"]), ["store"])
        self.assertEqual(packages(["crates/rdb/", "crates/lua/src"]), ["lua", "rdb"])

    def test_else_it_is_all_except_the_help_for_tests(self):
        for words in [], ["EINTR"], ["crates"]:
            self.assertLess({"ae-server", "command-table", "resp", "store"}, set(packages(words)))
            self.assertNotIn("testkit", packages(words))

    def test_a_folder_that_is_none_is_refused(self):
        for word in "crates/res", "crates/testkit":
            with self.assertRaisesRegex(Failure, "the packages are .*, resp, "):
                packages([word])

    def test_each_has_a_place_of_its_own(self):
        self.assertEqual(Library().copy.place.name, "every")
        self.assertEqual(Package("resp").copy.place.name, "every-resp")

    def test_only_what_is_in_a_package_lets_it_begin_anew(self):
        files = ["src/lib.rs", "crates/resp/src/lib.rs", "crates/rdb/src/lib.rs"]
        for changed, anew in zip(files, ([Library()], [Package("resp")], [Package("rdb")])):
            for part in Library(), Package("resp"), Package("rdb"):
                prints = []
                for listed in files, [name for name in files if name != changed]:
                    with mock.patch("every.listed", return_value=listed):
                        prints.append(part.fingerprint())
                self.assertEqual(prints[0] != prints[1], part.name == anew[0].name, (part.name, changed))

    def test_programs_have_the_names_of_the_lists(self):
        self.assertEqual([Library().program(file) for file in (None, "rust_api")], ["lib:", "test:rust_api"])
        self.assertEqual([Package("rdb").program(file) for file in (None, "codec")], ["rdb:", "rdb/codec:"])

    def test_cargo_has_two_ways_to_name_a_package(self):
        ids = ["path+file:///tree/crates/resp#1.0.0", "path+file:///tree#libae@1.0.0", "registry+https://x#resp2@1.0.0"]
        messages = [{"package_id": one} for one in ids]
        self.assertEqual(Package("resp").own(messages), messages[:1])
        self.assertEqual(Library().own(messages), messages[1:2])


class Programs(unittest.TestCase):
    """With the working tree in place of a copy."""

    def setUp(self):
        self.copy = mock.Mock(tree=ROOT, target=Path("cargo"))

    def test_a_script_asks_one_program(self):
        scripts = {"test_cli_prompt.py": "ae-cli", "test_cli.py": "ae-cli", "test_tls.py": "ae-server"}
        self.assertEqual({script: Program.asked_by(self.copy, script).package for script in scripts}, scripts)

    def test_it_finds_the_one_with_mistakes_and_another_without(self):
        env = Program(self.copy, "ae-cli").environment()
        self.assertEqual((env["AE_CLI"], env["AE_SERVER"]), ("cargo/debug/ae-cli", str(BUILD / "ae-server")))

    def test_each_test_is_a_case(self):
        cases = list(Program(self.copy, "ae-server").cases())
        self.assertIn(("test_cli.py", "Environment.test_unix_socket"), cases)
        scripts = {script for script, _ in cases}
        self.assertIn("test_tls.py", scripts)
        self.assertNotIn("test_languages.py", scripts)

    def test_a_case_runs_alone(self):
        command = Program(self.copy, "ae-cli").command("test_cli.py", "Environment.test_unix_socket")
        self.assertIn("cli: 1 passed, 0 failed", completed(command, env=environment()).stdout)

    def test_without_what_tests_need_it_says_so(self):
        with mock.patch("copied.PYTHON", ROOT / "nowhere"), self.assertRaisesRegex(Failure, "nowhere .*make test"):
            Program(self.copy, "ae-cli").build()


class Preparing(unittest.TestCase):
    """With a compiler that answers what it is told."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with mock.patch("every.PLACES", Path(folder.name)):
            self.part = Package("resp")
        self.tree = self.part.copy.tree
        (self.tree / "crates/resp/src").mkdir(parents=True)

    def answers(self, *messages, status=0):
        return status, "\n".join(map(json.dumps, messages)), ""

    def test_mistakes_are_made_in_what_the_build_has(self):
        own = "path+file:///tree/crates/resp#1.0.0"
        target = {"kind": ["lib"], "name": "resp"}
        self.part.compile = lambda: self.answers(
            {"reason": "build-script-executed", "package_id": own, "cfgs": ["own"]},
            {"reason": "build-script-executed", "package_id": "registry+https://x#y@1.0.0", "cfgs": ["others"]},
            {"reason": "compiler-artifact", "package_id": own, "target": target, "features": ["fast"]})
        built = self.part.copy.target / "debug"
        built.mkdir(parents=True)
        inside = ("lib.rs", "parser.rs")
        (built / "libresp.d").write_text(" ".join(f"{self.tree}/crates/resp/src/{name}" for name in inside))
        names = [f"crates/resp/src/{name}" for name in ("lib.rs", "parser.rs", "parser_tests.rs")]
        with mock.patch("every.listed", return_value=[*names, "crates/rdb/src/frame.rs"]):
            self.assertEqual(self.part.compiled_files(), ["crates/resp/src/parser.rs"])
        conditions = self.part.conditions.read_text().split("\n")
        self.assertLess({"own", 'feature="fast"', "unix"}, set(conditions))
        self.assertNotIn("others", conditions)

    def test_mistakes_that_do_not_compile_are_taken_out_until_it_does(self):
        source, tried = "crates/resp/src/parser.rs", []
        (self.tree / source).write_text("\n".join(f"crate::mutants::on({number})" for number in (1, 2, 3)))

        def rewrite(files, excluded):
            tried.append(set(excluded))
            return 3 - len(excluded)

        def span(name, line):
            return {"file_name": name, "line_start": line, "line_end": line, "column_start": 30, "is_primary": True}

        def complaint(place, code=None, notes=()):
            message = {"level": "error", "code": code, "spans": [place], "children": [{"spans": []}, {"spans": notes}]}
            return self.answers({"reason": "compiler-message", "message": message}, status=101)

        moved = complaint(span("elsewhere.rs", 1), code={"code": "E0382"}, notes=[span(source, 3)])
        answers = [complaint(span(source, 1), notes=[span(source, 2)]), moved, self.answers()]
        self.part.rewrite, self.part.compile = rewrite, lambda: answers.pop(0)
        self.assertEqual(self.part.instrument([source]), 1)
        self.assertEqual(tried, [set(), {1}, {1, 3}])

    def test_switches_work_where_unsafe_code_is_forbidden(self):
        shutil.copy(SCHEMATA / "switches.rs", self.tree / "mutants.rs")
        main = self.tree / "main.rs"
        main.write_text("#![forbid(unsafe_code)]\npub mod mutants;\n"
                        "fn main() { print!(\"{} {}\", mutants::on(2), mutants::on(4)) }\n")
        run(["rustc", "--edition=2024", "--cap-lints=allow", "-o", self.tree / "main", main])
        reached = self.tree / "reached"
        reached.write_bytes(bytes(6))
        env = {"LIBAE_MUTANT": "4", "LIBAE_REACHED": str(reached)}
        self.assertEqual(run([self.tree / "main"], env=env), "false true")
        self.assertEqual(list(reached.read_bytes()), [0, 0, 1, 0, 1, 0])
        self.assertEqual(run([self.tree / "main"]), "false false")


class Compiler(unittest.TestCase):
    LINES = [
        "fn f() {",
        "  (if crate::mutants::on(7) { a } else { b }) + (if crate::mutants::on(8) { c } else { d })",
        "  e",
        "}",
    ]

    def culprit(self, line, column, end=None):
        return culprit(self.LINES, {"line_start": line, "line_end": end or line, "column_start": column})

    def test_the_last_switch_before_the_place(self):
        self.assertEqual(self.culprit(2, 45), 7)
        self.assertEqual(self.culprit(2, 90), 8)

    def test_else_the_first_in_it_else_the_last_above(self):
        self.assertEqual(self.culprit(1, 8, end=4), 7)
        self.assertEqual(self.culprit(3, 3), 8)

    def test_none_far_and_wide(self):
        self.assertIsNone(self.culprit(1, 1))

    def test_messages_have_other_lines_between_them(self):
        output = 'warning: hm\n{"reason":"a","x":1}\n{"reason":"b"}\n'
        self.assertEqual(messages(output, "a"), [{"reason": "a", "x": 1}])


class Trying(Folder):
    def search(self, *cases):
        return Search(cases, self.runs, self.results)

    def test_the_case_that_fails_with_the_mistake_alone_notices_it(self):
        passes, fails = shell("a x", "true", reached=[1]), shell("b x", '[ "$LIBAE_MUTANT" != 1 ]', reached=[1, 2])
        search = self.search(passes, fails)
        self.assertEqual(search.outcome(MISTAKES[0]), (NOTICED, "b x"))
        self.assertEqual(search.outcome(MISTAKES[1]), (MISSED, ""))
        self.assertEqual(search.outcome(MISTAKES[2]), (UNREACHED, ""))

    def test_a_case_that_fails_without_it_tells_nothing(self):
        self.assertEqual(self.search(shell("a x", "false", reached=[1])).outcome(MISTAKES[0]), (MISSED, ""))

    def test_what_hangs_is_noticed(self):
        case = shell("a x", '[ "$LIBAE_MUTANT" != 1 ] || exec sleep 60', reached=[1])
        with mock.patch("every.HANGS_AFTER", 1):
            self.assertEqual(self.search(case).outcome(MISTAKES[0]), (NOTICED, "a x"))

    def test_a_mistake_has_so_much_time(self):
        with mock.patch("every.MISTAKE_LIMIT", -1):
            self.assertEqual(self.search(shell("a x", "true", reached=[1])).outcome(MISTAKES[0]), (OVER, ""))

    def test_the_quickest_of_each_program_comes_first_and_what_noticed_others_before(self):
        names = [("a 1", 1), ("a 2", 2), ("b 3", 3), ("b 4", 4)]
        search = self.search(*(Case(name, [], seconds=seconds, reached=[1, 2]) for name, seconds in names))
        self.assertEqual([case.name for case in search.order(MISTAKES[0])], ["a 1", "b 3", "a 2", "b 4"])
        search.noticed_by["src/anet/listen.rs"].update(["b 4", "c 1"])
        self.assertEqual([case.name for case in search.order(MISTAKES[1])], ["b 4", "a 1", "b 3", "a 2"])

    def test_other_back_ends_are_for_their_own_code_and_for_what_the_usual_one_does_not_come_to(self):
        for file, epoll_comes, names in [
            ("src/event_loop/run.rs", True, "e"), ("src/sys/poll.rs", True, "ep"), ("src/sys/poll.rs", False, "p"),
            ("src/event_loop/backend/mirror.rs", True, "eps"), ("src/event_loop/run.rs", False, "ps"),
        ]:
            reached = {"e": [1] if epoll_comes else [], "p": [1], "s": [1]}
            backends = {"e": "epoll", "p": "poll", "s": "select"}
            search = self.search(*(Case(name, [], backends[name], reached=reached[name]) for name in "eps"))
            found = search.order(MISTAKES[0]._replace(file=file))
            self.assertEqual("".join(sorted(case.name for case in found)), names, file)

    def test_a_case_tells_what_it_comes_to(self):
        script = r'printf "\001\000\001" | dd of="$LIBAE_REACHED" bs=1 seek=1 conv=notrunc'
        case = shell("a x", script, backend="poll")
        self.assertEqual(self.runs.reach(case, 5), 0)
        self.assertEqual(case.reached, [1, 3])
        self.assertEqual(self.runs.status(shell("a y", '[ "$LIBAE_BACKEND" = poll ]', backend="poll"), 60), 0)

    def test_a_search_writes_down_what_it_finds(self):
        with mock.patch("every.say"):
            self.search(shell("a x", '[ "$LIBAE_MUTANT" != 1 ]', reached=[1, 2])).all(MISTAKES)
        found = {1: (NOTICED, "a x"), 2: (MISSED, ""), 3: (UNREACHED, "")}
        self.assertEqual(Results(self.results.path).found, found)


class Found(Folder):
    def test_half_a_line_is_tried_again(self):
        self.results.path.write_text("1\tnoticed\ta x\n3\tmissed\t\n2\tnoti")
        found = {1: (NOTICED, "a x"), 3: (MISSED, "")}
        results = Results(self.results.path)
        self.assertEqual(results.found, found)
        results.add(2, MISSED, "")
        self.assertEqual(Results(self.results.path).found, {**found, 2: (MISSED, "")})

    def test_the_summary_counts_a_folder_at_a_time(self):
        found = {1: (NOTICED, "a x"), 2: (OVER, ""), 3: (UNREACHED, "")}
        self.assertEqual(summary(MISTAKES, found), [
            "src/anet: 1 of 2 noticed, 1 time over",
            "src/host: 0 of 1 noticed, 1 unreached",
            "mutants: 1 of 3 noticed, 1 time over, 1 unreached",
        ])

    def test_a_line_says_where(self):
        self.assertEqual(told(MISTAKES[0], NOTICED, "a x"), "noticed src/anet/listen.rs:10:5: a < b -> a <= b: a x")
        self.assertEqual(told(MISTAKES[1], MISSED, ""), "MISSED src/anet/listen.rs:11:9: close(fd); -> (nothing)")


if __name__ == "__main__":
    unittest.main()
