"""Node's: ioredis' own tests, and tests of libraries. What they need is in package.json, the exact versions of it in
package-lock.json."""

import json
import shutil
from pathlib import Path

from hiredis_suite import HOLE, black_hole
from testkit.commands import run
from unit import BUILD, FAILED, HERE, TEST_LIMIT, Unit, checked, run_program

NEEDED, HEADERS = {"node": "nodejs", "npm": "npm"}, {}
FOLDER = BUILD / "node"
# The last release whose package has its tests in it.
IOREDIS = "node_modules/ioredis-2/test"
LIBRARIES = ("bullmq", "limiter", "redlock")


def units():
    return [Unit("ioredis", run_ioredis), *(Unit(f"libraries/{name}.js", library_runner(name)) for name in LIBRARIES)]


def prepare():
    FOLDER.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "node/package-lock.json").read_text()
    installed = FOLDER / "installed.json"
    if not installed.exists() or installed.read_text() != wanted:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, FOLDER)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, timeout=300)
        installed.write_text(wanted)


def run_ioredis(server, folder, only):
    files = sorted((FOLDER / IOREDIS / "functional").glob("*.js"))
    with black_hole(server.port):
        return mocha("ioredis", server, folder, [FOLDER / IOREDIS / "helpers/global.js", *files],
                     "--unhandled-rejections=warn", "--require", HERE / "node/old-suite.js", HOLE=HOLE)


def library_runner(name):
    def run_library(server, folder, only):
        file = f"libraries/{name}.js"
        return mocha(file, server, folder, [HERE / file], NODE_PATH=str(FOLDER / "node_modules"))
    return run_library


def mocha(name, server, folder, files, *options, **env):
    report = Path(folder) / "report"
    report.write_text("")
    command = [
        "node", *options, FOLDER / "node_modules/mocha/bin/_mocha", "--timeout", TEST_LIMIT * 1000,
        "--reporter", HERE / "node/reporter.js", *files,
    ]
    status, said = run_program(command, FOLDER, REDIS_PORT=str(server.port), REPORT=str(report), NODE_ENV="test", **env)
    tests = [(f"{name}::{title}", outcome, message) for title, outcome, message in map(json.loads, report.open())]
    # Its status is how many have failed.
    failed = sum(outcome == FAILED for _, outcome, _ in tests)
    return checked(name, tests, status, said, [failed])
