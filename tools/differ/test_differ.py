#!/usr/bin/env python3
"""Tests of the tester: that it notices faults of many kinds, and makes programs shorter."""

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
long long __wrap_aeCreateTimeEvent(aeEventLoop *el, long long ms, aeTimeProc *proc, void *data, aeEventFinalizerProc *f) {
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
            cls.tester = differ.Tester(build.program(), "epoll")
        except Unavailable as reason:
            raise unittest.SkipTest(str(reason)) from reason

    def faulty(self, name, folder):
        source = Path(folder, f"{name}.c")
        source.write_text(f"#include <ae.h>\n#include <errno.h>\n{FAULTS[name]}\n")
        return differ.Tester(build.program(faults=source), "epoll")

    def test_faults_are_found_and_shown_by_short_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in FAULTS:
                with self.subTest(name):
                    tester = self.faulty(name, folder)
                    seed = tester.first_difference(1, 5000)
                    self.assertIsNotNone(seed)
                    lines = differ.shortest(tester, tester.text(seed).splitlines())
                    self.assertLessEqual(len(lines), 8, lines)
                    self.assertNotEqual(tester.play(lines)[0], differ.SAME)
                    self.assertEqual(self.tester.play(lines)[0], differ.SAME)
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
        self.assertEqual(shrunk(["a x=17 y=5", "b z=9"], lambda some: any("x=" in line and "y=5" in line for line in some)),
                         ["a x=0 y=5"])
        self.assertEqual(shrunk(["a x=-2"], lambda some: bool(some) and "x=-" in some[0]), ["a x=-2"])

    def test_what_gets_fewer_with_smaller_numbers(self):
        self.assertEqual(shrunk(["open n=3", "use n=3"], lambda some: "use n=0" in some or some == ["open n=3", "use n=3"]
                                or some == ["open n=3", "use n=0"]), ["use n=0"])


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
        self.assertEqual(differ.search(tester, 1, 100000, 4), 20001)
        self.assertIsNone(differ.search(tester, 1, 20000, 4))

    def test_a_crash(self):
        tester = self.made_of("cat > /dev/null\necho '--- libae'\necho hello\necho why >&2\nkill -SEGV $$\n")
        said = differ.report(tester, ["open slot=0"])
        for part in ("SIGSEGV", "open slot=0", "hello", "why"):
            self.assertIn(part, said)

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
        with self.assertRaises(SystemExit):
            differ.arguments(["--backend", "kqueue"])


if __name__ == "__main__":
    unittest.main()
