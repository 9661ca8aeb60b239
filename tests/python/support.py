"""How the test scripts beside this file begin and end."""

import sys
import unittest
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "tools"))


def main(name):
    """Runs the tests of the calling script, or those named, and prints the line that scripts/suites.sh counts by. With
    --list it prints the names instead."""
    module = sys.modules["__main__"]
    if sys.argv[1:] == ["--list"]:
        print("\n".join(names(unittest.defaultTestLoader.loadTestsFromModule(module))))
        return
    selected = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:] or ["__main__"])
    selected = selected if sys.argv[1:] else unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(selected)
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{name}: {result.testsRun - bad - len(result.skipped)} passed, {bad} failed, {len(result.skipped)} skipped")
    sys.exit(bad > 0)


def names(tests):
    """Of all in a suite, as the script takes them."""
    for test in tests:
        if isinstance(test, unittest.TestCase):
            yield test.id()
        else:
            yield from names(test)
