#!/usr/bin/env python3
"""Prints a configuration for cargo (`cargo --config FILE`) by which aws-lc is not compiled but taken from the release build,
where it is built unless `make` has done that. It stands in place of the build script of aws-lc-sys, with what that printed."""

import json
import os
import pathlib
import subprocess
import sys

RELEASE = ["cargo", "build", "--quiet", "--locked", "--release", "--features", "server", "--bin", "ae-server"]


def output_of_build_script():
    """The lines that the build script of aws-lc-sys printed, as (links, lines): `links` is cargo's name for the library."""
    environment = {name: value for name, value in os.environ.items() if name != "LIBAE_ABI"}
    done = subprocess.run([*RELEASE, "--message-format=json"], stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(done.returncode)
    for line in done.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "build-script-executed" and "aws-lc-sys" in message["package_id"]:
            out = message["out_dir"]
            library = next(name for name in message["linked_libs"] if name.startswith("static=")).removeprefix("static=")
            build = pathlib.Path(out).parent
            # The target folder may have been moved since.
            text = (build / "output").read_text().replace((build / "root-output").read_text(), out)
            return library.removesuffix("_crypto"), text.splitlines()
    sys.exit("aws-lc.py: the release build has no aws-lc-sys")


def configuration(host, links, lines):
    """Keys that the script gave more than once, and cargo's own, are lists; the others are for dependents' scripts."""
    lists, values = {"rustc-link-lib": [], "rustc-link-search": [], "rustc-cfg": []}, {}
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
    print(configuration(host, *output_of_build_script()), end="")


if __name__ == "__main__":
    main()
