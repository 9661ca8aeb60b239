#!/usr/bin/env python3
"""Tests of the tester: that it notices faults of many kinds, and makes programs shorter."""

import contextlib
import io
import stat
import tempfile
import unittest
from pathlib import Path

import build
import differ
from shrink import shrunk
from testkit.commands import Failure, Unavailable

# Functions that stand between the program and libae, each with a fault.
FAULTS = {
    "aeCreateFileEvent": """
int __real_aeCreateFileEvent(aeEventLoop *, int, int, aeFileProc *, void *);
int __wrap_aeCreateFileEvent(aeEventLoop *el, int fd, int mask, aeFileProc *proc, void *data) {
    int result = __real_aeCreateFileEvent(el, fd, mask, proc, data);
    if (result == AE_ERR && errno == ERANGE) errno = EINVAL;
    return result;
}""",
    "aeDeleteFileEvent": """
void __real_aeDeleteFileEvent(aeEventLoop *, int, int);
void __wrap_aeDeleteFileEvent(aeEventLoop *el, int fd, int mask) {
    if (mask & AE_READABLE || fd % 2) __real_aeDeleteFileEvent(el, fd, mask);
}""",
    "aeCreateTimeEvent": """
long long __real_aeCreateTimeEvent(aeEventLoop *, long long, aeTimeProc *, void *, aeEventFinalizerProc *);
long long __wrap_aeCreateTimeEvent(aeEventLoop *el, long long ms, aeTimeProc *proc, void *data,
                                   aeEventFinalizerProc *f) {
    return __real_aeCreateTimeEvent(el, ms == 2 ? 3 : ms, proc, data, f);
}""",
    "aeDeleteTimeEvent": """
int __real_aeDeleteTimeEvent(aeEventLoop *, long long);
int __wrap_aeDeleteTimeEvent(aeEventLoop *el, long long id) {
    return id % 3 == 1 ? AE_OK : __real_aeDeleteTimeEvent(el, id);
}""",
    "aeProcessEvents": """
int __real_aeProcessEvents(aeEventLoop *, int);
int __wrap_aeProcessEvents(aeEventLoop *el, int flags) {
    return __real_aeProcessEvents(el, flags & ~AE_CALL_AFTER_SLEEP);
}""",
    "aeResizeSetSize": """
int __real_aeResizeSetSize(aeEventLoop *, int);
int __wrap_aeResizeSetSize(aeEventLoop *el, int size) { return __real_aeResizeSetSize(el, size == 20 ? 21 : size); }""",
    "anetKeepAlive": """
int __real_anetKeepAlive(char *, int, int);
int __wrap_anetKeepAlive(char *err, int fd, int interval) { return __real_anetKeepAlive(err, fd, interval + 1); }""",
    "aeWait": """
int __real_aeWait(int, int, long long);
int __wrap_aeWait(int fd, int mask, long long ms) {
    int result = __real_aeWait(fd, mask, ms);
    if (result == 0) errno = EAGAIN;
    return result;
}""",
}


class Noticing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        try:
            cls.testers = {name: differ.Tester(build.program(name), "epoll") for name in build.TESTERS}
        except Unavailable as reason:
            raise unittest.SkipTest(str(reason)) from reason
        cls.tester = cls.testers["loop"]

    def faulty(self, name, folder):
        """the tester with the fault, and the one without"""
        tester, source = "anet" if name.startswith("anet") else "loop", Path(folder, f"{name}.c")
        source.write_text(f"#include <ae.h>\n#include <anet.h>\n#include <errno.h>\n{FAULTS[name]}\n")
        return differ.Tester(build.program(tester, faults=source), "epoll"), self.testers[tester]

    def test_faults_are_found_and_shown_by_short_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in FAULTS:
                with self.subTest(name):
                    tester, faultless = self.faulty(name, folder)
                    seed, _ = tester.first_difference(1, 5000)
                    lines = differ.shortest(tester, tester.text(seed).splitlines())
                    self.assertLessEqual(len(lines), 8, lines)
                    self.assertNotEqual(tester.play(lines)[0], differ.SAME)
                    self.assertEqual(faultless.play(lines)[0], differ.SAME)
                    self.assertIn(lines[-1], differ.report(tester, lines))

    def test_a_program_is_what_its_text_says(self):
        for seed in range(1, 30):
            lines = self.tester.text(seed).splitlines()
            self.assertEqual(self.tester.play(lines)[0], differ.SAME)
            self.assertEqual(self.tester.play(["# a word", "", *lines]), self.tester.play(lines))

    def test_what_is_no_program(self):
        for line in ("jump", "set speed=1", "create loop=0", "create slot=0 loop=0 mask=1 handler=0"):
            with self.subTest(line), self.assertRaises(Failure):
                self.tester.play([line])


class Shrinking(unittest.TestCase):
    def test_the_fewest_lines(self):
        lines = [f"line {number}" for number in range(40)]
        self.assertEqual(shrunk(lines, lambda some: "line 7" in some and "line 31" in some), ["line 7", "line 31"])

    def test_smaller_numbers(self):
        lines = shrunk(["a x=17 y=5", "b z=9"], lambda some: any("x=" in line and "y=5" in line for line in some))
        self.assertEqual(lines, ["a x=0 y=5"])
        self.assertEqual(shrunk(["a x=-2"], lambda some: bool(some) and "x=-" in some[0]), ["a x=-2"])

    def test_what_gets_fewer_with_smaller_numbers(self):
        lines = shrunk(["open n=3", "use n=3"], lambda some: some in (["open n=3", "use n=3"], ["open n=0", "use n=3"],
                                                                      ["open n=0", "use n=0"], ["use n=0"]))
        self.assertEqual(lines, ["use n=0"])


class Driver(unittest.TestCase):
    def made_of(self, script):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name, "program")
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return differ.Tester(path, "epoll")

    def test_the_lowest_seed_counts(self):
        tester = self.made_of("[ $2 -ge 20001 ] || exit 0\necho $2\nexit 1\n")
        self.assertEqual(differ.search(tester, 1, 100000, 4)[0], 20001)
        self.assertIsNone(differ.search(tester, 1, 20000, 4))

    def test_a_crash(self):
        tester = self.made_of("cat > /dev/null\necho '--- libae'\necho hello\necho why >&2\nkill -SEGV $$\n")
        said = differ.report(tester, ["open slot=0"])
        for part in ("SIGSEGV", "open slot=0", "hello", "why"):
            self.assertIn(part, said)

    def test_what_is_seen_once(self):
        tester = self.made_of("[ $2 = play ] || [ $2 = text ] && exit 0\n[ $2 -ge 8 ] && exit 0\n"
                              "echo 7\necho '--- libae'\necho odd\nexit 1\n")
        options = differ.arguments(["--programs", "20"])
        said = differ.searched(tester, options, is_simulated=True)
        self.assertIn("odd", said)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            self.assertIsNone(differ.searched(tester, options, is_simulated=False))
        self.assertIn("odd", output.getvalue())

    def test_a_program_that_does_not_run_is_no_difference(self):
        with self.assertRaises(Failure):
            self.made_of("echo bad >&2\nexit 3\n").first_difference(1, 5)
        with self.assertRaises(Failure):
            self.made_of("exit 127\n").first_difference(1, 5)

    def test_the_copy_of_stock_is_the_one_that_is_known(self):
        with self.assertRaises(Failure):
            build.changed("int main(void) {}")
        text = "".join(old * times for old, _, times in build.CHANGES)
        self.assertEqual(build.changed(text).count("differ_"), 2)

    def test_arguments(self):
        self.assertEqual(differ.arguments(["--backend", "poll,select"]).backend, ["poll", "select"])
        self.assertEqual(differ.arguments([]).testers, list(build.TESTERS))
        for words in (["--backend", "kqueue"], ["tls"], ["--play", "program"]):
            with self.subTest(words), contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                differ.arguments(words)


if __name__ == "__main__":
    unittest.main()
