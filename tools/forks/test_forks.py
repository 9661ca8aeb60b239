#!/usr/bin/env python3
"""Tests of what the tool reads and decides: the suite's output, linker maps, lost writes, ratios, the document."""

import re
import tempfile
import types
import unittest
from pathlib import Path
from unittest import mock

import build
import cluster
import pairs
import report
import sentinel
import suite
import symbols
import targets
import wrk
from testkit import documents, fetch, profiles
from testkit.commands import Failure, run
from testkit.paths import ROOT

SUITE = """\
Starting test server at port 11008
[ready]: 4711
Testing unit/protocol
[\x1b[0;32;49mok\x1b[0m]: Handle an empty query (3 ms)
[ok]: Big (1) number (2 ms) (12 ms)
[err]: Out of range in tests/unit/protocol.tcl
Expected 'a' to be equal to 'b' (context: type eval line 2)
    while executing
[ignore]: large memory flag not provided
[skip]: Not this one
[ok]: Handle an empty query (0 ms)
[1/1 \x1b[0;33;49mdone\x1b[0m]: unit/protocol (2 seconds)

                   The End

!!! WARNING The following tests failed:

*** [err]: Out of range in tests/unit/protocol.tcl
Expected 'a' to be equal to 'b'
"""

MAP = """\
Discarded input sections

 .text          0x0000000000000000       0x10 ae.o

LOAD server.o
LOAD /x/libae.a

Linker script and memory map

 .text          0x0000000000001000      0x100 server.o
                0x0000000000001000                main
 .text.unlikely
                0x0000000000001100       0x20 /x/libae.a(libae.o)
 .text          0x0000000000001120       0xe0 /x/libae.a(libae.o)
                0x0000000000001130                aeMain
 .text          0x0000000000001200       0x40 libae-glue.o
 .data          0x0000000000005000       0x40 server.o
"""


class SuiteOutput(unittest.TestCase):
    def test_counts(self):
        outcome = suite.parse(SUITE)
        self.assertEqual(outcome.passed, ["Handle an empty query", "Big (1) number (2 ms)", "Handle an empty query"])
        self.assertEqual(list(outcome.failed), ["Out of range"])
        self.assertIn("Expected 'a'", outcome.failed["Out of range"][0])
        self.assertEqual(outcome.skipped, 2)
        self.assertTrue(outcome.finished)

    def test_a_unit_that_aborts_has_failed(self):
        for end in ("[exception]: Executing test client: I/O error.", "[TIMEOUT]: clients state report follows.", ""):
            outcome = suite.parse("[ok]: one (1 ms)\n" + end + "\n")
            self.assertFalse(outcome.finished)
            self.assertIn(suite.UNFINISHED, outcome.failed)

    def test_only_what_fails_twice_has_failed(self):
        first = suite.Outcome(["a"], {"b": [], "c": []}, 1, True)
        again = suite.Outcome(["a", "b"], {"c": ["why"]}, 1, True)
        both = suite.merged(first, again)
        self.assertEqual((both.failed, both.flaky, sorted(both.passed)), ({"c": ["why"]}, ["b"], ["a", "b"]))

    def test_a_second_run_counts_when_the_first_did_not_finish(self):
        first = suite.parse("[ok]: a (1 ms)\n[exception]: crash\n")
        again = suite.Outcome(["a", "b"], {}, 0, True)
        both = suite.merged(first, again)
        self.assertEqual((both.failed, both.finished, both.passed, both.flaky), ({}, True, ["a", "b"], [suite.UNFINISHED]))

    def compare(self, libae_again, stock_again, stock=()):
        outcomes = {"u": suite.Outcome([], {"t": ["why"]}, 0, True)}
        stock_outcomes = {"u": suite.Outcome([], dict.fromkeys(stock, []), 0, True)}
        return suite.compare(outcomes, stock_outcomes, lambda unit: suite.Outcome(failed=dict.fromkeys(libae_again, [])),
                             lambda unit: suite.Outcome(failed=dict.fromkeys(stock_again, [])))

    def test_a_failure_counts_when_it_stays_and_stock_passes(self):
        self.assertEqual(self.compare(["t"], []), [("u", "t", "why")])

    def test_what_cannot_pass_is_no_problem_unless_it_passes(self):
        outcomes = {"u": suite.Outcome(["a"])}
        failures = [("u", "b", "why"), ("u", "c", "why not")]
        self.assertEqual(suite.problems(failures, {"u: b"}, outcomes), ["u: c: why not"])
        self.assertEqual(suite.problems([], {"u: a", "u: d"}, outcomes), ["u: a: passes, and is listed as impossible"])

    def test_servers_that_were_killed_have_not_crashed(self):
        report = b"=== REDIS BUG REPORT START\n# Redis crashed by signal: 11, si_code: %d\n%s"
        self.assertEqual(suite.crash_reports(report % (1, b"# Accessing address: 0x1\n")), 1)
        self.assertEqual(suite.crash_reports(report % (0, b"# Killed by PID: 24234, UID: 0\n")), 0)

    def test_a_crash_counts_at_once_where_stock_has_none(self):
        for stock, expected in ((0, [suite.CRASHES]), (1, [])):
            failures = suite.compare({"u": suite.Outcome(crashes=2)}, {"u": suite.Outcome(crashes=stock)}, None, None)
            self.assertEqual([test for _, test, _ in failures], expected)

    def test_it_does_not_when_it_goes_or_stock_fails_too(self):
        self.assertEqual(self.compare([], []), [])
        self.assertEqual(self.compare(["t"], ["t"]), [])
        self.assertEqual(self.compare(["t"], [], stock=["t"]), [])


class Maps(unittest.TestCase):
    def setUp(self):
        self.map = symbols.Map(MAP)

    def prove(self, present, wanted=(), replaced=("ae.o",)):
        return symbols.prove(self.map, present, set(wanted), replaced, "/x/libae.a")

    def test_origin(self):
        for address, file in ((0x1000, "server.o"), (0x10ff, "server.o"), (0x1110, "/x/libae.a(libae.o)"), (0x1130, "/x/libae.a(libae.o)"),
                              (0x1200, "libae-glue.o"), (0x1240, None), (0x10, None), (0x5000, None)):
            self.assertEqual(self.map.origin(address), file, hex(address))

    def test_nm(self):
        self.assertEqual(symbols.functions("0000000000001130 T aeMain\n                 U read\n0000000000001000 t hidden\n"
                                           "0000000000001140 W aeWeak\n0000000000005000 D aeData\n"), {"aeMain": 0x1130, "aeWeak": 0x1140})

    def test_all_from_libae(self):
        counts, problems = self.prove({"aeMain": 0x1130, "listens": 0x1200, "connectWithMaster": 0x1010}, ["aeMain", "listens"])
        self.assertEqual((counts, problems), ({"libae": 1, "glue": 1, "own": 0}, []))

    def test_functions_of_the_servers_own(self):
        counts, problems = self.prove({"aeMain": 0x1130, "connTypeOfCluster": 0x1010}, ["aeMain"])
        self.assertEqual((counts["own"], problems), (1, []))

    def test_a_function_from_elsewhere(self):
        self.assertTrue(self.prove({"aeMain": 0x1130, "aeWait": 0x1010}, ["aeMain", "aeWait"])[1])

    def test_a_function_that_is_gone(self):
        self.assertTrue(self.prove({"aeMain": 0x1130}, ["aeMain", "aeWait"])[1])

    def test_upstreams_object_in_the_link(self):
        self.assertTrue(self.prove({"aeMain": 0x1130}, ["aeMain"], ("ae.o", "server.o"))[1])

    def test_no_libae(self):
        self.assertTrue(self.prove({"main": 0x1000})[1])


SOURCES = """\
Package: valkey
Version: 5:8.1.1+dfsg1-3+deb13u2
Checksums-Sha256:
 {0} 4100 valkey_8.1.1+dfsg1-3+deb13u2.dsc
 {1} 2400000 valkey_8.1.1+dfsg1.orig.tar.xz
 {0} 20000 valkey_8.1.1+dfsg1-3+deb13u2.debian.tar.xz
Directory: pool/main/v/valkey

Package: valkey
Version: 9.1.10-1
Checksums-Sha256:
 {1} 2400000 valkey_9.1.10.orig.tar.gz
Directory: pool/main/v/valkey
""".format("0" * 64, "1" * 64)


class Archive(unittest.TestCase):
    def test_the_tarball_whatever_the_revision(self):
        found = fetch.tarballs(SOURCES)
        self.assertEqual(found[0], ("8.1.1", "pool/main/v/valkey/valkey_8.1.1+dfsg1.orig.tar.xz", "1" * 64))
        self.assertEqual(found[1][:2], ("9.1.10", "pool/main/v/valkey/valkey_9.1.10.orig.tar.gz"))

    def test_the_version_or_where_it_may_its_series(self):
        entries = [("place", version, "path", "sum") for version in ("9.1.2", "9.1.10", "9.0.1", "8.1.1")]
        versions = lambda *wanted: [entry[1] for entry in fetch.chosen(entries, *wanted)]
        self.assertEqual(versions("9.1.2", False), ["9.1.2"])
        self.assertEqual(versions("9.1.2", True), ["9.1.2"])
        self.assertEqual(versions("9.1.3", False), [])
        self.assertEqual(versions("9.1.3", True), ["9.1.10", "9.1.2"])
        self.assertEqual(versions("9.2.0", True), [])


REFERENCES = """\
 .text          0x0000000000001000      0x100 server.o

Cross Reference Table

Symbol                                            File
SSL_CTX_new                                       /usr/lib/libssl.so
                                                  ../deps/hiredis/libhiredis_ssl.a(ssl.o)
SSL_CTX_new@@OPENSSL_3.0.0                        /usr/lib/libssl.so
SSL_new                                           /usr/lib/libssl.so
                                                  ../deps/hiredis/libhiredis_ssl.a(ssl.o)
                                                  sentinel.o
a_name_that_is_longer_than_the_column_of_the_table_has_room_for
                                                  server.o
write                                             /lib/libc.so.6
                                                  server.o
                                                  /usr/lib/libcrypto.so
"""


class OpenSSL(unittest.TestCase):
    def test_files_of_a_symbol(self):
        found = symbols.references(REFERENCES)
        self.assertEqual(found["SSL_new"][1:], ["../deps/hiredis/libhiredis_ssl.a(ssl.o)", "sentinel.o"])
        self.assertEqual(found["a_name_that_is_longer_than_the_column_of_the_table_has_room_for"], ["server.o"])

    def test_nobody_may(self):
        self.assertEqual(symbols.openssl_users(REFERENCES), {
            "SSL_CTX_new": ["../deps/hiredis/libhiredis_ssl.a(ssl.o)"],
            "SSL_new": ["../deps/hiredis/libhiredis_ssl.a(ssl.o)", "sentinel.o"]})
        self.assertEqual(symbols.unexpected_openssl(REFERENCES)[1],
                         "../deps/hiredis/libhiredis_ssl.a(ssl.o) and sentinel.o call SSL_new of OpenSSL")

    def test_the_library_is_not_linked_either(self):
        for name, found in (("libssl.so", 1), ("libcrypto.a", 1), ("libsslx.so", 0)):
            text = f"LOAD /usr/lib/{name}\n\nCross Reference Table\n"
            self.assertEqual(len(symbols.unexpected_openssl(text)), found, name)

    def test_a_map_without_references_proves_nothing(self):
        self.assertTrue(symbols.unexpected_openssl(MAP))

    def test_a_function_of_tls_from_elsewhere(self):
        map_ = symbols.Map(MAP)
        for address, wrong in ((0x1130, False), (0x1010, True)):
            problems = symbols.prove(map_, {"aeMain": 0x1130, "tlsInit": address}, {"aeMain", "tlsInit"}, ("ae.o", "tls.o"),
                                     "/x/libae.a", {"tlsInit"})[1]
            self.assertEqual(bool(problems), wrong, problems)
        self.assertTrue(symbols.prove(map_, {"aeMain": 0x1130}, {"aeMain"}, ("tls.o",), "/x/libae.a", {"tlsInit"})[1])


MAKEFILE = """\
BUILD_TLS ?= no
-include .make-settings
X_SERVER_OBJ = ae.o anet.o connection.o tls.o server.o
X_CLI_OBJ = anet.o ae.o cli.o
X_BENCHMARK_OBJ = ae.o anet.o benchmark.o
X_SERVER_NAME = x-server
X_CLI_NAME = x-cli
FINAL_LIBS = ../deps/hiredis/libhiredis_ssl.a -L/opt -lssl -lcrypto -ldl
all: ;
x-server x-cli: ; @echo $(FINAL_LIBS)
"""


class Overlay(unittest.TestCase):
    def objects(self, *variables, settings=""):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "Makefile").write_text(MAKEFILE)
            Path(folder, ".make-settings").write_text(settings)
            Path(folder, "print.mk").write_text(f"include {build.OVERLAY}\nprint-%: ; @echo $($*)\n")
            return [run(["make", "-s", "-f", "print.mk", f"print-X_{name}_OBJ", "PROFILE=redis-7.0", *variables],
                               cwd=folder).split() for name in ("SERVER", "CLI")]

    def test_tls_leaves_a_server_with_tls(self):
        for variables, settings in ((["BUILD_TLS=yes"], ""), ([], "BUILD_TLS=yes\n")):
            server, cli = self.objects(*variables, settings=settings)
            self.assertEqual((server, cli), (["server.o", "libae-glue.o", "libae-hiredis-tls.o"], ["cli.o"]))

    def libraries(self, program, *variables):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "Makefile").write_text(MAKEFILE)
            return run(["make", "-s", "-f", build.OVERLAY, program, "PROFILE=redis-7.0", "LIBAE_LIB=Makefile",
                               "LIBAE_CORE=Makefile", *variables], cwd=folder).split()

    def test_openssl_leaves_the_server_alone(self):
        openssl = {"../deps/hiredis/libhiredis_ssl.a", "-lssl", "-lcrypto"}
        server = self.libraries("x-server", "BUILD_TLS=yes")
        self.assertEqual((openssl & set(server), {"-L/opt", "-ldl"} - set(server)), (set(), set()))
        for program, *variables in (("x-cli", "BUILD_TLS=yes"), ("x-server", "BUILD_TLS=yes", "LIBAE_TLS=no")):
            self.assertEqual(openssl - set(self.libraries(program, *variables)), set(), program)

    def test_it_stays_in_the_others(self):
        for variables in ([], ["BUILD_TLS=no"], ["BUILD_TLS=module"], ["BUILD_TLS=yes", "LIBAE_TLS=no"]):
            self.assertEqual(self.objects(*variables)[0], ["tls.o", "server.o", "libae-glue.o"], variables)


class Cluster(unittest.TestCase):
    def judge(self, *lost):
        kept = [cluster.Write("kept", 1, 9.0, True), cluster.Write("later", 2, 11.0, False)]
        return cluster.judge([*kept, *lost], {"kept", "later"}, victim=1, killed=10.0, failover=3.0)

    def test_slots(self):
        self.assertEqual(cluster.key_slot(b"123456789"), 0x31C3 % 16384)

    def test_the_last_moment_may_be_lost(self):
        result = self.judge(cluster.Write("gap", 1, 9.99, False))
        self.assertEqual((result["writes"], result["lost"], result["confirmed"], result["after"]), (3, 1, 1, 1))

    def test_what_must_not_be_lost(self):
        for write in (cluster.Write("confirmed", 1, 9.99, True), cluster.Write("elsewhere", 2, 9.99, False),
                      cluster.Write("old", 1, 8.0, False), cluster.Write("after", 1, 10.5, False)):
            with self.assertRaises(Failure, msg=write.key):
                self.judge(write)


class Ratios(unittest.TestCase):
    def test_median_and_limit(self):
        row = pairs.summary([(1e-6, ratio * 1e-6) for ratio in (1.01, 0.99, 1.00, 1.02, 1.50)])
        self.assertEqual((row["ratio"], row["pairs"], row["stock_us"]), (1.01, 5, 1.0))
        self.assertFalse(pairs.too_slow(row))
        self.assertTrue(pairs.too_slow(pairs.summary([(1.0, 1.03)] * 5)))
        self.assertEqual(len(pairs.judged({"SET": row}, 1.00)["problems"]), 1)
        self.assertEqual(pairs.judged({"SET": row})["problems"], [])

    def test_the_order_changes(self):
        order = []
        costs = pairs.measure(lambda: order.append("stock") or 1, lambda: order.append("libae") or 2, 3)
        self.assertEqual(order, ["stock", "libae", "libae", "stock", "stock", "libae"])
        self.assertEqual(costs, [(1, 2)] * 3)

    def test_requests_of_wrk(self):
        self.assertEqual(wrk.requests_of("  81234 requests in 2.00s, 12.3MB read\nRequests/sec: 1\n"), 81234)
        self.assertEqual(wrk.requests_of("  81234 requests in 2.00s, 1MB read\n  Socket errors: connect 0, read 3\n"), 0)


class Document(unittest.TestCase):
    RESULT = {"package": "redis", "version": "7.0.15", "machine": "2-core machine", "steps": {
        "suite": {variant: {"units": 3, "passed": 40 + len(variant), "failed": 0, "skipped": 2, "flaky": 1, "cluster": 5}
                  for variant in ("libae", "stock")},
        "speed": {"SET": pairs.summary([(1.0, 1.03)] * 9), "problems": ["SET: 1.030 of stock's"]}}}

    def test_only_what_is_between_the_marks_changes(self):
        text = documents.replaced(f"# A\n\n{documents.BEGIN}\nold\n{documents.END}\nrest\n", "new\n")
        self.assertEqual(text, f"# A\n\n{documents.BEGIN}\nnew\n{documents.END}\nrest\n")
        with self.assertRaises(ValueError):
            documents.replaced("# A\n", "new\n")

    def test_tables(self):
        text = report.tables({"redis-7.0": self.RESULT})
        self.assertIn("| redis 7.0.15 | its suite | libae | 3 | 45 | 0 | 2 | 1 | 5 |", text)
        self.assertIn("| redis 7.0.15 | SET | 1.030 |", text)
        self.assertIn("- redis 7.0.15, speed: SET: 1.030 of stock's", text)

    def test_tables_of_builds_with_tls(self):
        steps = {"tls": self.RESULT["steps"]["suite"], "tls-speed": self.RESULT["steps"]["speed"],
                 "tls-symbols": {"redis-server": {"libae": 97, "openssl": []}, "redis-cli": {"libae": 90}}}
        text = report.tables({"redis-7.0": {**self.RESULT, "steps": steps}})
        self.assertIn("| redis 7.0.15 | its suite, with TLS | stock | 3 | 45 | 0 | 2 | 1 | 5 |", text)
        self.assertIn("| redis 7.0.15 | `redis-server` | 97 | 0 | none |", text)
        self.assertNotIn("redis-cli", text)
        self.assertIn("| fork | with TLS, CPU time per request or connection |", text)

    OLD = """
Measured by `make forks` on a 8-core machine.

| fork | tests | build | units | passed | failed | skipped | flaky | passed in unit/cluster |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
| redis 7.0.15 | its suite | libae | 1 | 1 | 0 | 0 | 0 | 0 |
| redis 7.0.15 | its suite, with TLS | libae | 2 | 2 | 0 | 0 | 0 | 0 |
| valkey 9.1.2 | its suite | libae | 3 | 3 | 0 | 0 | 0 | 0 |

| fork | CPU time per request | libae / stock, median | quartiles | pairs | stock (µs) | libae (µs) |
| --- | --- | --- | --- | --- | --- | --- |
| redis 8.0.2 | SET | 0.900 | 0.800 to 1.000 | 9 | 1.00 | 0.90 |
| wrk 4.1.0 | wrk | 0.966 | 0.959 to 0.988 | 9 | 6.52 | 6.31 |

Failures:

- redis 7.0.15, speed: GET: 1.100 of stock's
- redis 8.0.2, speed: GET: 1.200 of stock's

"""

    def lines(self, results):
        return report.tables(results, self.OLD, targets.NAMES).splitlines()

    def test_rows_of_what_was_not_measured_here_stay(self):
        lines = self.lines({"redis-7.0": self.RESULT})
        rows = [line.split(" | ")[:3] for line in lines if line.startswith("| ") and "---" not in line]
        self.assertEqual([row for row in rows if row[0] != "| fork"], [
            ["| redis 7.0.15", "its suite", "libae"], ["| redis 7.0.15", "its suite", "stock"],
            ["| redis 7.0.15", "its suite, with TLS", "libae"], ["| valkey 9.1.2", "its suite", "libae"],
            ["| redis 7.0.15", "SET", "1.030"], ["| redis 8.0.2", "SET", "0.900"], ["| wrk 4.1.0", "wrk", "0.966"]])
        self.assertIn("| redis 7.0.15 | its suite | libae | 3 | 45 | 0 | 2 | 1 | 5 |", lines)
        self.assertIn("Measured by `make forks` on a 2-core machine and a 8-core machine.", lines)
        self.assertEqual([line for line in lines if line.startswith("- ")],
                         ["- redis 8.0.2, speed: GET: 1.200 of stock's", "- redis 7.0.15, speed: SET: 1.030 of stock's"])

    def test_rows_of_another_version_go(self):
        lines = self.lines({"redis-7.0": {**self.RESULT, "version": "7.0.16", "steps": {}}})
        self.assertFalse([line for line in lines if "7.0.15" in line])
        self.assertTrue([line for line in lines if line.startswith("| redis 8.0.2 | SET | 0.900 | 0.800")])

    def test_a_step_that_fails_now_does_not_keep_its_old_row(self):
        old = "\n".join(["| " + " | ".join(report.STEPS[5][1]) + " |", "| --- |", "| redis 7.0.15 | 9 | 0 | 9 | 0 | 4.0 |"])
        for steps, rows in (({}, 1), ({"cluster": {"problems": ["lost"]}}, 0)):
            text = report.tables({"redis-7.0": {**self.RESULT, "steps": steps}}, old, targets.NAMES)
            self.assertEqual(text.count("| redis 7.0.15 | 9 |"), rows)

    def test_the_committed_tables_are_read_as_they_were_written(self):
        committed = documents.between(report.DOCUMENT.read_text())
        self.assertEqual(report.tables({}, committed, targets.NAMES), committed)
        self.assertIn("| wrk 4.1.0 |", committed)


class SentinelLink(unittest.TestCase):
    def test_the_program_is_linked_with_the_servers_library(self):
        fork, commands = targets.FORKS["valkey-8.1"], []
        tree = types.SimpleNamespace(fork=fork, root=Path("/x"), source=Path("/x/src"), certificates=Path("/x"), program=Path)
        with mock.patch.object(sentinel, "run", lambda words, **_: commands.append([str(word) for word in words])), \
             mock.patch.object(sentinel, "TlsServer"):
            sentinel.check_link(tree, Path("/x"), 1)
        self.assertIn(str(ROOT / "build/valkey-8.1/libae.a"), commands[0])
        self.assertEqual(commands[1], ["/x/hiredis_link", "1", "/x"])


class Profiles(unittest.TestCase):
    def test_the_documents_name_those_that_there_are(self):
        rows = report.DOCUMENT.read_text().partition("| profile | for forks of |")[2].partition("\n\n")[0]
        self.assertEqual(tuple(re.findall(r"^\| `([^`]+)` \|", rows, re.M)), profiles.NAMES)
        row = re.search(r"^\| ABI profiles \|.*", (ROOT / "README.md").read_text(), re.M)[0]
        self.assertEqual(tuple(re.findall(r"`([^`]+)`", row)), profiles.NAMES)

    def test_each_has_a_glue_file_and_each_fork_one_of_them(self):
        glue = {path.stem for path in (ROOT / "examples/forks").glob("[rv]*-*.c")}
        self.assertEqual(glue, set(profiles.NAMES))
        self.assertLessEqual({fork.profile for fork in targets.FORKS.values()}, set(profiles.NAMES))


if __name__ == "__main__":
    unittest.main()
