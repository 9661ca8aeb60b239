"""redis-py's own tests, from its source distribution, and tests of libraries for Python: all by pytest."""

import hashlib
import venv
from pathlib import Path

from testkit import fetch
from testkit.commands import Failure, run
from unit import BUILD, HERE, TEST_LIMIT, Unit, checked, read_report, run_program

# The last series whose tests are about Redis 7.0.
RELEASE = "redis==5.0.8"
ARCHIVE = "redis-5.0.8.tar.gz"
SHA256 = "0c5b10d387568dfe0698c6fad6615750c24170e548ca2deac10c649d463e9870"
# (file, version of the protocol), the long ones first.
FILES = [
    ("tests/test_commands.py", 2),
    ("tests/test_commands.py", 3),
    ("tests/test_asyncio/test_commands.py", 3),
    ("tests/test_pubsub.py", 3),
    ("tests/test_asyncio/test_pubsub.py", 2),
    ("tests/test_connection_pool.py", 2),
    ("tests/test_pipeline.py", 3),
    ("tests/test_asyncio/test_pipeline.py", 2),
    ("tests/test_monitor.py", 2),
    ("tests/test_asyncio/test_monitor.py", 3),
    ("tests/test_encoding.py", 3),
]
# pytest's: all have passed, or some have failed.
ENDS = (0, 1)
NEEDED, HEADERS = {"ruby": "ruby", "sidekiq": "ruby-sidekiq"}, {}
LIBRARIES = "libraries/test_libraries.py"


def units():
    suite = [Unit(f"{file} with RESP{protocol}", suite_runner(file, protocol)) for file, protocol in FILES]
    return [*suite, Unit(LIBRARIES, run_libraries)]


def prepare():
    """a Python with what the tests need"""
    requirements = (HERE / "requirements.txt").read_text()
    environment, installed = BUILD / "venv", BUILD / "venv" / "installed.txt"
    python = environment / "bin" / "python"
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    if not installed.exists() or installed.read_text() != requirements:
        venv.create(environment, clear=True, with_pip=True)
        run([*pip, "install", "-r", HERE / "requirements.txt"], timeout=300)
        installed.write_text(requirements)
    archive = BUILD / ARCHIVE
    if not archive.exists():
        run([*pip, "download", "--no-deps", "--no-binary", ":all:", "--dest", BUILD, RELEASE], timeout=300)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        archive.unlink()
        raise Failure(f"{ARCHIVE} is not what was released")
    fetch.unpack(archive, BUILD / "redis-py")


def suite_runner(file, protocol):
    def run_suite(server, folder, only):
        return pytest(
            file, folder, BUILD / "redis-py", only or [file], "-m", "not redismod and not onlycluster and not ssl",
            "--redis-url", f"redis://localhost:{server.port}/0", "--protocol", protocol,
        )
    return run_suite


def run_libraries(server, folder, only):
    return pytest(LIBRARIES, folder, HERE, only or [LIBRARIES], REDIS_PORT=str(server.port))


def pytest(name, folder, cwd, selected, *options, **env):
    report = Path(folder) / "report.xml"
    report.unlink(missing_ok=True)
    command = [
        BUILD / "venv/bin/python", "-m", "pytest", "-c", HERE / "pytest.ini", "--rootdir", cwd, "-q", "--tb=short",
        f"--timeout={TEST_LIMIT}", "-o", "junit_family=xunit1", f"--junitxml={report}", *options, *selected,
    ]
    status, said = run_program(command, cwd, **env)
    tests = read_report(report) if report.exists() else []
    return checked(name, tests, status, said, ENDS)
