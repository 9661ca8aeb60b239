"""A fork's programs, stock and on libae, from the same sources with the same flags and the same allocator (its own
default). No file of the fork is changed: the build on libae goes through examples/forks/overlay.mk, as a maintainer's
does. A small makefile beside each copy adds the linker's maps."""

import os
import shutil
import subprocess

from common import FORKS
from testkit import fetch
from testkit.commands import Failure, run, say
from testkit.paths import ROOT

STOCK = "stock"
LIBAE = "libae"
JOBS = f"-j{min(os.cpu_count() or 1, 8)}"

OVERLAY = ROOT / "examples/forks/overlay.mk"
WRAPPER = """\
include {makefile}

print-%:
	@printf '%s\\n' '$($*)'
"""
MAP_RULE = "{program}: FINAL_LIBS += -Wl,-Map={program}.map\n"
# Who uses OpenSSL is in the table of cross references.
TLS_MAP_RULE = "{program}: FINAL_LIBS += -Wl,-Map={program}.map,--cref\n"


class Tree:
    """A copy of the fork's sources and what is built in it. `quick` is for what need not be fast: less optimization.
    With `tls`, built with TLS, in a folder of its own."""

    def __init__(self, fork, variant, quick=False, tls=False):
        self.fork = fork
        self.variant = variant
        self.quick = quick
        self.tls = tls
        self.root = FORKS / fork.name / (("quick-" if quick else "") + variant + ("-tls" if tls else ""))
        self.source = self.root / "src"
        self.certificates = self.root / "tests/tls"

    def program(self, name):
        return self.source / name

    def map(self, name):
        return self.source / f"{name}.map"

    def printed(self, variable):
        """the value of a variable of the fork's makefile"""
        output = run(["make", "-s", "-f", self._wrapper(), f"print-{variable}", *self._options()], cwd=self.source)
        return output.splitlines()[-1].strip()

    def build(self):
        fetch.unpack(fetch.tarball(self.fork.package, self.fork.version, self.fork.release, near=self.quick), self.root)
        say(f"building {self.fork.name}, {self.root.name}")
        if self.variant == LIBAE:
            self._unlink_outdated()
        run(["make", JOBS, "-f", self._wrapper(), *self._options(), "all"], cwd=self.source,
            log=FORKS / self.fork.name / f"build-{self.root.name}.log")
        if self.tls:
            self._make_certificates()

    def replaced(self, program):
        return self.fork.replaced(program, self.tls)

    def _make_certificates(self):
        """those of the test suite, by the fork's own script, unless they are there and good for another day"""
        made = self.certificates / "server.crt"
        if made.exists():
            valid = subprocess.run(["openssl", "x509", "-checkend", "86400", "-noout", "-in", made], capture_output=True)
            if valid.returncode == 0:
                return
        run(["utils/gen-test-certs.sh"], cwd=self.root, log=FORKS / self.fork.name / f"certificates-{self.root.name}.log")
        if not made.exists():
            raise Failure(f"utils/gen-test-certs.sh makes no {made.name}")

    def _options(self):
        options = ["USE_SYSTEMD=no", f"BUILD_TLS={'yes' if self.tls else 'no'}"]
        if self.quick:
            options.append("OPTIMIZATION=-O1")
        if self.variant == LIBAE:
            options.append(f"PROFILE={self.fork.profile}")
        return options

    def _unlink_outdated(self):
        """The fork's makefile knows nothing of libae.a: programs with an older one have to be linked anew."""
        for program in self.fork.programs:
            path = self.program(program.name)
            if path.exists() and path.stat().st_mtime < library(self.fork, program).stat().st_mtime:
                path.unlink()

    def _wrapper(self):
        """its path, written when it is not as it should be"""
        path = self.root / f"{self.variant}.mk"
        text = WRAPPER.format(makefile=OVERLAY if self.variant == LIBAE else "Makefile")
        rule = TLS_MAP_RULE if self.tls else MAP_RULE
        text += "".join(rule.format(program=program.name) for program in self.fork.programs)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        return path


def library(fork, program):
    """what the program is linked with: all of libae, or ae and anet alone"""
    return ROOT / "build" / fork.profile / ("libae.a" if program.name == fork.server else "libae-core.a")


def build_library(profile):
    say(f"building libae, {profile}")
    run(["make", f"ABI={profile}", "lib"], cwd=ROOT, log=FORKS / f"libae-{profile}.log")


def upstream_objects(tree):
    """The replaced files compiled by themselves, outside of the tree: what they define is what libae has to provide.
    Without link-time optimization, so that their symbols are plain to see."""
    folder = FORKS / tree.fork.name / ("upstream-tls" if tree.tls else "upstream")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    flags = [word for word in tree.printed("FINAL_CFLAGS").split() if "lto" not in word]
    objects = {}
    for name in tree.replaced(tree.fork.programs[0]):
        objects[name] = folder / name
        run(["cc", *flags, "-c", "-o", objects[name], name.replace(".o", ".c")], cwd=tree.source)
    return objects
