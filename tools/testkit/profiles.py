"""The ABI profiles, from the one list of them."""

import csv
import re

from testkit.paths import ROOT

DEFAULT = re.search(r'^const DEFAULT_PROFILE: .* = "(.*)";', (ROOT / "build.rs").read_text(), re.M)[1]
with open(ROOT / "src/abi/facts/profiles.csv", newline="") as table:
    # Each one's flags, which build.rs explains.
    FLAGS = {row["profile"]: set(row["flags"].split()) for row in csv.DictReader(table)}
NAMES = tuple(FLAGS)


def having(flag):
    """The profiles that have a flag."""
    return tuple(profile for profile, flags in FLAGS.items() if flag in flags)
