#!/usr/bin/env python3
"""Runs Redis 7.0's own tests of redis-cli (integration/redis-cli) with ae-cli in its place, against redis-server.

Status 0: all of them pass."""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

from outcome import parse  # noqa: E402
from suite_runner import FOLDER, PATIENCE, Runner, absolute, sources  # noqa: E402
from testkit.commands import Unavailable, error, say  # noqa: E402
from testkit.packages import find_program, require  # noqa: E402
from testkit.paths import BUILD  # noqa: E402
from testkit.tcl import Ports, end_servers, make_view  # noqa: E402

UNIT = "integration/redis-cli"
NEEDED = {"tclsh": "tcl", "tar": "tar", "redis-server": "redis-server", "redis-cli": "redis-tools"}
SKIPPED = 77


class CliRunner(Runner):
    """The suite starts redis-server itself; what it takes for redis-cli is another program."""

    def __init__(self, cli, root, first_port):
        super().__init__(absolute(["redis-server"]), "own", "ae-cli", root, first_port)
        self.cli = cli

    def outcome(self):
        log = self.logs / "redis-cli.log"
        with tempfile.TemporaryDirectory(prefix="conformance-", dir="/tmp") as name:
            folder = Path(name)
            view = folder / "suite"
            make_view(self.root, view)
            (view / "src").unlink()
            (view / "src").mkdir()
            for program, place in (("redis-cli", self.cli), ("redis-server", find_program("redis-server")),
                                   ("redis-benchmark", find_program("redis-benchmark"))):
                (view / "src" / program).symlink_to(place)
            try:
                self._suite(view, UNIT, 0, PATIENCE, [], log, ["--clients", "1"])
            finally:
                end_servers(folder)
        return parse(log.read_text(errors="replace")), log


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", default=BUILD / "ae-cli", type=Path, help="ae-cli (%(default)s)")
    options = parser.parse_args()
    try:
        require(NEEDED)
        root = sources()
    except Unavailable as reason:
        error(f"cli-suite: skipped: {reason}")
        return SKIPPED
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Ports() as first:
        outcome, log = CliRunner(options.cli.resolve(), root, first).outcome()
    for name, reason in outcome.failed.items():
        say(f"failed: {name}: {reason}")
    for name in outcome.aborted + outcome.stopped:
        say(f"stopped: {name}")
    bad = len(outcome.failed) + len(outcome.aborted) + len(outcome.stopped) + (not outcome.finished)
    say(f"cli-suite: {outcome.passed.total()} passed, {bad} failed, {outcome.skipped.total()} skipped ({log})")
    return 1 if bad or not outcome.passed else 0


if __name__ == "__main__":
    sys.exit(main())
