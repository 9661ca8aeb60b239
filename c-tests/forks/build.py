"""A fork's programs, stock and on libae, from the same sources with the same flags and the same allocator (its own
default). No file of the fork is changed: the objects that libae replaces leave its makefile's lists by variables on the
command line, and a makefile beside it adds libae.a, the glue and the linker's maps."""

import os
import shutil

import fetch
from common import FORKS, ROOT, run, say

STOCK = "stock"
LIBAE = "libae"
GLUE = "libae-glue.o"
JOBS = f"-j{min(os.cpu_count() or 1, 8)}"

OVERLAY = """\
include Makefile

print-%:
	@printf '%s\\n' '$($*)'
"""
MAP_RULE = "{program}: FINAL_LIBS += -Wl,-Map={program}.map\n"
LIBAE_RULE = "{program}: {library}\n"
GLUE_RULE = """\
{glue}: {source} .make-prerequisites
	$({compiler}) -I. -I{headers} -MMD -o $@ -c $<
"""


class Tree:
    """A copy of the fork's sources and what is built in it. `quick` is for what need not be fast: less optimization."""

    def __init__(self, fork, variant, quick=False):
        self.fork = fork
        self.variant = variant
        self.quick = quick
        self.root = FORKS / fork.name / (f"quick-{variant}" if quick else variant)
        self.source = self.root / "src"

    def program(self, name):
        return self.source / name

    def map(self, name):
        return self.source / f"{name}.map"

    def printed(self, variable):
        """the value of a variable of the fork's makefile"""
        output = run(["make", "-s", "-f", self.overlay(), f"print-{variable}", *self._options()], cwd=self.source)
        return output.splitlines()[-1].strip()

    def overlay(self):
        return self.root / f"{self.variant}.mk"

    def build(self):
        fetch.unpack(fetch.tarball(self.fork.package, self.fork.version, self.fork.release), self.root)
        self._write_overlay()
        say(f"building {self.fork.name}, {self.root.name}")
        lists = []
        if self.variant == LIBAE:
            lists = [f"{program.variable}={self._objects(program)}" for program in self.fork.programs]
            # What an object of the past was linked from may be gone.
            for name in {name for program in self.fork.programs for name in program.replaced}:
                (self.source / name).unlink(missing_ok=True)
        run(["make", JOBS, "-f", self.overlay(), *self._options(), *lists, "all"], cwd=self.source,
            log=FORKS / self.fork.name / f"build-{self.root.name}.log")

    def _options(self):
        return ["USE_SYSTEMD=no", "BUILD_TLS=no"] + (["OPTIMIZATION=-O1"] if self.quick else [])

    def _objects(self, program):
        kept = [name for name in self.printed(program.variable).split() if name not in program.replaced]
        if program is self.fork.programs[0]:
            kept.append(GLUE)
        return " ".join(kept)

    def _write_overlay(self):
        text = OVERLAY
        for program in self.fork.programs:
            text += "\n" + MAP_RULE.format(program=program.name)
            if self.variant == LIBAE:
                text += LIBAE_RULE.format(program=program.name, library=library(self.fork.profile))
        if self.variant == LIBAE:
            text += "\n" + GLUE_RULE.format(glue=GLUE, source=ROOT / "examples/forks" / self.fork.glue,
                                            compiler=self.fork.compiler, headers=headers(self.fork.profile))
        if not self.overlay().exists() or self.overlay().read_text() != text:
            self.overlay().write_text(text)


def library(profile):
    return ROOT / "build" / profile / "libae.a"


def headers(profile):
    return ROOT / "target/include" / profile


def build_library(profile):
    say(f"building libae, {profile}")
    log = FORKS / f"libae-{profile}.log"
    run(["make", f"ABI={profile}", "lib"], cwd=ROOT, log=log)
    run(["make", f"ABI={profile}", "headers"], cwd=ROOT, log=log)


def upstream_objects(tree):
    """The replaced files compiled by themselves, outside of the tree: what they define is what libae has to provide.
    Without link-time optimization, so that their symbols are plain to see."""
    folder = FORKS / tree.fork.name / "upstream"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    flags = [word for word in tree.printed(tree.fork.flags).split() if "lto" not in word]
    objects = {}
    for name in tree.fork.programs[0].replaced:
        objects[name] = folder / name
        run(["cc", *flags, "-c", "-o", objects[name], name.replace(".o", ".c")], cwd=tree.source)
    return objects
