#!/usr/bin/env python3
"""Prints a configuration for cargo (`cargo --config FILE`) by which the C libraries, aws-lc and jemalloc, are not
compiled but taken from the release build, where they are built unless `make` has done that. It stands in place of the
build scripts of their packages, with what those printed. The arguments say what cargo is to build, as `make` does."""

import json
import os
import pathlib
import subprocess
import sys

RELEASE = ["cargo", "build", "--quiet", "--locked", "--release", *sys.argv[1:]]
PACKAGES = ("aws-lc-sys", "tikv-jemalloc-sys")
# What cargo calls a library that is not called after its package's version.
LINKS = {"tikv-jemalloc-sys": "jemalloc"}


def outputs_of_build_scripts():
    """What the packages' build scripts printed, as pairs of cargo's name for the library and lines."""
    environment = {name: value for name, value in os.environ.items() if name != "LIBAE_ABI"}
    done = subprocess.run([*RELEASE, "--message-format=json"], stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(done.returncode)
    found = {}
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "build-script-executed":
            for package in PACKAGES:
                if package in message["package_id"]:
                    found[package] = output_of(package, message)
    missing = [package for package in PACKAGES if package not in found]
    if missing:
        sys.exit(f"c-libraries.py: the release build has no {', '.join(missing)}")
    return found.values()


def output_of(package, message):
    out = message["out_dir"]
    static = next(name for name in message["linked_libs"] if name.startswith("static="))
    links = LINKS.get(package, static.removeprefix("static=").removesuffix("_crypto"))
    build = pathlib.Path(out).parent
    # The target folder may have been moved since.
    text = (build / "output").read_text().replace((build / "root-output").read_text(), out)
    return links, text.splitlines()


def configuration(host, links, lines):
    """Keys that the script gave more than once, and cargo's own, are lists; the others are for dependents' scripts."""
    lists, values = {f"rustc-{key}": [] for key in ("link-lib", "link-search", "link-arg", "cfg")}, {}
    for line in lines:
        if line.startswith("cargo:"):
            key, _, value = line.removeprefix("cargo:").removeprefix(":").partition("=")
            if key in lists:
                lists[key].append(value)
            elif not key.startswith(("rerun-if", "warning", "rustc-check-cfg")):
                values[key] = value
    # A JSON string or list of strings is one in TOML, too.
    rows = [f"{key} = {json.dumps(value)}" for key, value in {**lists, **values}.items()]
    return "\n".join([f"[target.{host}.{links}]", *rows]) + "\n"


def main():
    version = subprocess.run(["rustc", "-vV"], stdout=subprocess.PIPE, text=True, check=True).stdout
    host = next(line.removeprefix("host: ") for line in version.splitlines() if line.startswith("host: "))
    for links, lines in outputs_of_build_scripts():
        print(configuration(host, links, lines))


if __name__ == "__main__":
    main()
