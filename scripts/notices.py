#!/usr/bin/env python3
"""notices.py PACKAGE: prints which crates are linked into a package of this workspace, and under which licences, with the
texts that come with them, for whoever distributes what was built."""

import json
import os
import pathlib
import re
import subprocess
import sys

CARGO = os.environ.get("CARGO", "cargo")
# What is compiled from C. The source of Lua is a package that a build script asks for.
BY_BUILD_SCRIPT = {"mlua-sys": ["lua-src"]}
DEEPER = {
    "aws-lc-sys": ["aws-lc/third_party/fiat/LICENSE"],
    "tikv-jemalloc-sys": ["jemalloc/COPYING"],
}


def cargo(*arguments):
    return subprocess.run([CARGO, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def linked(package):
    """The packages, as cargo describes them."""
    tree = cargo("tree", "--locked", "--package", package, "--edges", "normal,no-proc-macro", "--prefix", "none",
                 "--format", "{p}")
    names = {tuple(line.split(" ")[:2]) for line in tree.splitlines()}
    # Packages for other systems need not be there.
    host = re.search("^host: (.*)", cargo("--version", "--verbose"), re.MULTILINE).group(1)
    system = os.environ.get("CARGO_BUILD_TARGET", host)
    known = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", system))["packages"]
    wanted = [one for one in known if (one["name"], "v" + one["version"]) in names]
    sources = {source for one in wanted for source in BY_BUILD_SCRIPT.get(one["name"], [])}
    wanted += [one for one in known if one["name"] in sources]
    return sorted((one for one in wanted if one["source"]), key=lambda one: (one["name"], one["version"]))


def texts(package):
    folder = pathlib.Path(package["manifest_path"]).parent
    found = [path for path in sorted(folder.iterdir())
             if path.is_file() and path.name.lower().startswith(("licen", "copying", "notice", "unlicense"))]
    found += [folder / name for name in DEEPER.get(package["name"], [])]
    return [path.read_text(errors="replace").strip() for path in found]


def main():
    [package] = sys.argv[1:]
    packages = linked(package)
    print(f"What is linked into {package} beside its own code and Rust's standard library (MIT or Apache-2.0):\n")
    for one in packages:
        print(f"{one['name']} {one['version']}: {one['license'] or 'see below'}")
    # Many have the same text.
    owners = {}
    for one in packages:
        for text in texts(one):
            owners.setdefault(text, []).append(one["name"])
    for text, names in owners.items():
        print(f"\n{'=' * 100}\n{', '.join(dict.fromkeys(names))}\n{'=' * 100}\n\n{text}")


main()
