#!/usr/bin/env python3
"""Runs what README.md prints: the first C program, built with each command that the README gives for it, the
first of which links it with libae.so and the others without, and the first Python program. Both against an installation
in a temporary folder, whose libraries are where a system's would be. And follows the links of all documents.
"""

import os
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(1, str(ROOT / "tools"))

from testkit.commands import Failure, limited  # noqa: E402

SHELLS = ("sh", "bash", "console", "shell")
LIMIT = 20


def fences(text):
    """Every fenced block: its language and its text."""
    blocks = re.findall(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", text, re.MULTILINE | re.DOTALL)
    return [(language, body) for language, body in blocks]


def first(blocks, languages, contains=""):
    return next((body for language, body in blocks if language in languages and contains in body), None)


def build_commands(block):
    """The lines of a shell block that call pkg-config, without prompts, with continued lines joined."""
    lines = block.replace("\\\n", " ").splitlines()
    return [re.sub(r"^\s*\$ ", "", line) for line in lines if "pkg-config" in line]


def run(command, folder, env):
    words = ["sh", "-c", command] if isinstance(command, str) else command
    status, output, errors = limited(words, LIMIT, env, apart=True, cwd=folder)
    if status is None:
        raise Failure(f"{command}: has not ended after {LIMIT} s")
    if status != 0:
        raise Failure(f"{command}: status {status}\n{output}{errors}")
    return output


def c_program(blocks, folder, env):
    program = first(blocks, ("c",))
    if program is None:
        raise Failure("README.md has no ```c program")
    commands = [command for language, body in blocks if language in SHELLS for command in build_commands(body)]
    if not commands:
        raise Failure("README.md has no shell block that builds it with pkg-config")
    name = re.search(r"[\w.-]+\.c\b", commands[0])
    if name is None:
        raise Failure(f"no file name ending in .c: {commands[0]}")
    (folder / name.group()).write_text(program)
    for command in commands:
        run(command, folder, env)
        built = re.search(r"-o\s*(\S+)", command)
        executable = built.group(1) if built else "a.out"
        if not (folder / executable).exists():
            raise Failure(f"{command}: has not made {executable}")
        needs_library = "libae.so" in run(["readelf", "-dW", executable], folder, env)
        if needs_library != (command == commands[0]):
            raise Failure(f"{command}: the program {'needs' if needs_library else 'does not need'} libae.so")
        if f"./{executable}" not in command:
            run([f"./{executable}"], folder, env)
        (folder / executable).unlink()


def python_program(blocks, folder, env):
    program = first(blocks, ("python", "py", "python3"))
    if program is None:
        raise Failure("README.md has no ```python program")
    (folder / "example.py").write_text(program)
    run([sys.executable, "example.py"], folder, env)


def anchors(text):
    """What a link can name behind a #: the headings, as GitHub writes them."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links():
    """Every link from one of the project's documents to a file or a heading leads somewhere."""
    documents = [path for pattern in ("*.md", "docs/**/*.md", "src/abi/facts/*.md") for path in ROOT.glob(pattern)]
    broken = []
    for document in documents:
        for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
            if "://" in link:
                continue
            name, _, anchor = link.partition("#")
            target = document.parent / name if name else document
            if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
                broken.append(f"{document.relative_to(ROOT)}: {link}")
    if broken or len(documents) < 5:
        raise Failure("\n".join([f"{len(documents)} documents", *broken]))


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        prefix = folder / "prefix"
        clean = {name: value for name, value in os.environ.items() if name not in ("DESTDIR", "MAKEFLAGS", "MFLAGS")}
        env = dict(clean, PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig"), LD_LIBRARY_PATH=str(prefix / "lib"))
        # A program may also name the libraries and headers of the source tree.
        for name in ("build", "include"):
            (folder / name).symlink_to(ROOT / name)
        try:
            run(["make", "-C", str(ROOT), "install", f"PREFIX={prefix}", f"LIBDIR={prefix}/lib"], folder, clean)
            readme = ROOT / "README.md"
            blocks = fences(readme.read_text()) if readme.exists() else []
        except Failure as failure:
            sys.exit(f"readme: {failure}")
        checks = {
            "the C program of README.md": lambda: c_program(blocks, folder, env),
            "the Python program of README.md": lambda: python_program(blocks, folder, env),
            "the links of the documents": links,
        }
        for name, check in checks.items():
            try:
                check()
                passed += 1
            except Failure as failure:
                failed += 1
                print(f"FAILED {name}: {failure}")
    print(f"readme: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
