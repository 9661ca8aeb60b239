"""Runs the programs of examples/ffi, each by the commands at its top: to their ends, and as servers until Ctrl-C. What
is not installed is skipped by name; with LIBAE_ALL_LANGUAGES=1 it is a failure."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from support import main
from test_examples import LOCALHOST, Talk, run
from testkit.paths import BUILD, ROOT
from testkit.resp import PATIENCE

EXAMPLES = ROOT / "examples/ffi"
JNA = Path("/usr/share/java/jna.jar")
ALL = os.environ.get("LIBAE_ALL_LANGUAGES") == "1"
OUTPUT = r"listening on port \d+\ntick 1\ntick 2\ntick 3\necho: hello\n(asyncio slept\n)?stopped\n"


class Stage:
    """A copy of the examples, and the environment in which they find the library as if it was installed."""

    def __init__(self):
        self.kept = tempfile.TemporaryDirectory(prefix="libae-languages-")
        prefix, self.folder = Path(self.kept.name) / "prefix", Path(self.kept.name) / "ffi"
        shutil.copytree(EXAMPLES, self.folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        (prefix / "include").mkdir(parents=True)
        (prefix / "include/libae").symlink_to(ROOT / "include")
        (prefix / "lib").symlink_to(BUILD)
        text = (ROOT / "pkgconfig/libae.pc.in").read_text()
        for name, value in {"PREFIX": prefix, "LIBDIR": prefix / "lib", "INCLUDEDIR": prefix / "include",
                            "VERSION": "1"}.items():
            text = text.replace(f"@{name}@", str(value))
        (prefix / "libae.pc").write_text(text)
        pkg_config_path = os.pathsep.join(filter(None, [str(prefix), os.environ.get("PKG_CONFIG_PATH")]))
        self.env = dict(os.environ, LD_LIBRARY_PATH=str(prefix / "lib"), PKG_CONFIG_PATH=pkg_config_path, GOPROXY="off",
                        GOCACHE=str(BUILD / "languages/go"), PYTHONDONTWRITEBYTECODE="1")


def setUpModule():
    global stage
    stage = Stage()


def tearDownModule():
    stage.kept.cleanup()


def missing(commands=(), library=None, file=None, module=None):
    """what is not installed of that"""
    lacks = [command for command in commands if shutil.which(command) is None]
    if library and not lacks and subprocess.run(["pkg-config", "--exists", library]).returncode:
        lacks.append(library)
    if file and not file.exists():
        lacks.append(str(file))
    if module and subprocess.run([sys.executable, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode:
        lacks.append(module)
    return lacks


def commands_of(path):
    """the commands at the top of the file, without their comments"""
    text = path.read_text()
    lines = re.sub(r"^(#!.*|\"\"\"| ?\*|//!?|--|#|/\*)", "", text[:2000], flags=re.MULTILINE)
    lines = re.sub(r"\s*\\\n\s*", " ", lines)
    return [re.sub(r"\s+", " ", re.split(r" {3,}(?=[a-zA-Z])", line.strip())[0]) for line in lines.splitlines()]


class Running:
    """A program that serves; a context manager that ends it, by force if it has to."""

    def __init__(self, command, folder):
        self.process = subprocess.Popen(command, cwd=folder, env=stage.env, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.watchdog = threading.Timer(PATIENCE, self.process.kill)
        self.watchdog.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.watchdog.cancel()
        self.process.stdout.close()

    def port(self):
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on port (\d+)\n", line)
        if found is None:
            raise AssertionError(line + self.process.stdout.read())
        return int(found.group(1))

    def wake_ups(self):
        """how often its main thread has gone to sleep so far"""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.MULTILINE).group(1))


class Program:
    """What each program does. `file` has the commands `build` and `command`; `needs` is what has to be installed."""

    file, build, command, needs = None, (), None, {}
    # Whether another loop than libae's waits.
    inside = False

    @classmethod
    def setUpClass(cls):
        cls.lacks = missing(**cls.needs)
        if cls.lacks:
            return
        cls.path = stage.folder / cls.file
        cls.folder = cls.path.parent
        cls.prepare()
        for command in cls.build:
            run(command, shell=True, cwd=cls.folder, env=stage.env)

    @classmethod
    def prepare(cls):
        pass

    def setUp(self):
        if self.lacks and ALL:
            self.fail(f"not installed: {', '.join(self.lacks)}")
        if self.lacks:
            self.skipTest(f"not installed: {', '.join(self.lacks)}")

    def words(self, *arguments):
        words = shlex.split(self.command)
        if words[0] == "python3":
            words[0] = sys.executable
        return [*words, *arguments]

    def serve(self):
        server = Running(self.words("--serve", "0"), self.folder)
        self.addCleanup(server.__exit__)
        return server

    def python(self, program):
        return run([sys.executable, "-c", program], cwd=self.folder, env=stage.env)

    def test_the_file_says_how_to_run_it(self):
        said = commands_of(self.path)
        for command in (*self.build, self.command, f"{self.command} --serve 7000"):
            self.assertIn(command, said)

    def test_to_its_end(self):
        self.assertRegex(run(self.words(), cwd=self.folder, env=stage.env), f"^{OUTPUT}$")

    def test_it_serves_until_ctrl_c(self):
        server = self.serve()
        port = server.port()
        self.check_that_the_port_is_taken(port)
        address = (LOCALHOST, port)
        with Talk(address) as one, Talk(address) as other:
            for client, text in ((other, "second"), (one, "first"), (one, "again")):
                client.say(text + "\n")
                self.assertEqual(client.hear(), text)
        with Talk(address) as late:
            late.say("late\n")
            self.assertEqual(late.hear(), "late")
            if self.inside:
                self.check_that_nothing_polls(server)
            server.process.send_signal(signal.SIGINT)
            self.assertEqual((server.process.stdout.read(), server.process.wait(PATIENCE)), ("stopped\n", 0))

    def check_that_nothing_polls(self, server):
        before = server.wake_ups()
        time.sleep(0.5)
        self.assertLess(server.wake_ups() - before, 5)

    def check_that_the_port_is_taken(self, port):
        done = subprocess.run(self.words("--serve", str(port)), cwd=self.folder, env=stage.env, capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertGreater(done.returncode, 0)
        self.assertIn("Address already in use", done.stderr)


class PythonCtypes(Program, unittest.TestCase):
    file, command = "python_ctypes.py", "python3 python_ctypes.py"

    def test_an_exception_in_a_callback(self):
        self.assertEqual(self.python("""if True:
            from python_ctypes import *
            loop = aeCreateEventLoop(64)
            @callback(TimeProc, AE_NOMORE)
            def fail(loop, timer, data):
                raise ValueError("wrong")
            aeCreateTimeEvent(loop, 1, fail, None, None)
            try:
                run(loop)
            except ValueError as failure:
                print("caught", failure)
            """), "caught wrong\n")


class PythonCffi(Program, unittest.TestCase):
    file, command = "python_cffi.py", "python3 python_cffi.py"
    needs = {"module": "cffi"}

    def test_an_exception_in_a_callback(self):
        self.assertEqual(self.python("""if True:
            from python_cffi import *
            loop = Loop(64)
            def fail():
                raise ValueError("wrong")
            loop.after(1, fail)
            try:
                loop.run()
            except ValueError as failure:
                print("caught", failure)
            loop.close()
            print(loop.kept)
            """), "caught wrong\n{}\n")


class PythonAsyncio(Program, unittest.TestCase):
    file, command, inside = "python_asyncio.py", "python3 python_asyncio.py", True

    def test_an_exception_in_a_callback(self):
        self.assertEqual(self.python("""if True:
            from python_asyncio import *
            def fail():
                raise ValueError("wrong")
            async def main():
                told = asyncio.get_running_loop().create_future()
                asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.set_result(context))
                ae = AeLoop(64)
                ae.every(1, fail)
                print("told of", (await told)["exception"])
                ae.close()
            asyncio.run(main())
            """), "told of wrong\n")


class Node(Program, unittest.TestCase):
    file, command, inside = "node/echo.js", "node echo.js", True
    needs = {"commands": ("node", "npm")}

    @classmethod
    def prepare(cls):
        """koffi is kept in the build folder, as long as package.json is the same"""
        folder = BUILD / "languages/node"
        wanted, installed = cls.folder / "package.json", folder / "installed.json"
        if not installed.exists() or installed.read_bytes() != wanted.read_bytes():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(wanted, folder)
            try:
                run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"], cwd=folder)
            except RuntimeError as failure:
                cls.lacks = [f"koffi ({failure})"]
                return
            shutil.copy(wanted, installed)
        (cls.folder / "node_modules").symlink_to(folder / "node_modules")


class Cplusplus(Program, unittest.TestCase):
    file, command = "cplusplus.cpp", "./cplusplus"
    build = ("c++ -std=c++17 cplusplus.cpp -o cplusplus $(pkg-config --cflags --libs libae)",)
    needs = {"commands": ("c++", "pkg-config")}


class Glib(Program, unittest.TestCase):
    file, command, inside = "glib.c", "./glib", True
    build = ("cc glib.c -o glib $(pkg-config --cflags --libs libae glib-2.0)",)
    needs = {"commands": ("cc", "pkg-config"), "library": "glib-2.0"}


class Go(Program, unittest.TestCase):
    file, command = "go/main.go", "./echo"
    build = ("go build -o echo .",)
    needs = {"commands": ("go", "cc", "pkg-config")}


class Java(Program, unittest.TestCase):
    file, command = "Echo.java", f"java -cp {JNA} Echo.java"
    needs = {"commands": ("java", "javac"), "file": JNA}


class LuaJit(Program, unittest.TestCase):
    file, command = "luajit.lua", "luajit luajit.lua"
    needs = {"commands": ("luajit",)}


class Ruby(Program, unittest.TestCase):
    file, command = "ruby.rb", "ruby ruby.rb"
    needs = {"commands": ("ruby",)}


class RustBindgen(Program, unittest.TestCase):
    file, command = "rust/main.rs", "./main"
    build = ("bindgen --default-macro-constant-type signed --allowlist-function '(ae|anet).*' "
             "--allowlist-var '(AE|ANET)_.*' wrapper.h -o bindings.rs -- $(pkg-config --cflags libae)",
             "rustc --edition 2021 main.rs $(pkg-config --libs libae)")
    needs = {"commands": ("bindgen", "rustc", "pkg-config")}


class Whole(unittest.TestCase):
    def test_each_program_is_run(self):
        tested = {kind.file for kind in Program.__subclasses__()}
        there = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*")
                 if path.suffix in (".c", ".cpp", ".go", ".java", ".js", ".lua", ".py", ".rb", ".rs")
                 and "node_modules" not in path.parts}
        self.assertEqual(tested, there)


if __name__ == "__main__":
    main("languages")
