"""docs/conformance.md, as the tool writes it."""

from tally import percentage
from testkit.paths import ROOT

DOCUMENT = ROOT / "docs/conformance.md"
HEAD = """# Conformance with Redis

Written by `make conformance`; not to be edited by hand. Redis {version}'s own Tcl suite runs against ae-server and,
for the comparison, against redis-server {version}, {how}. A test counts if it passes
on redis-server, as often as it passes there; it counts for ae-server if it passes on it, too. Each unit has a fresh
server.

**{reached} of {expected} tests: {percentage:.1f} %.**

| unit | ae-server: passed | failed | redis-server: passed | failed | skipped by the suite |
| --- | --- | --- | --- | --- | --- |
"""
HOW = {
    "external": "in the mode for external servers",
    "own": "which the suite starts itself",
}
NO_REASON = "**no reason is known**"


def text(rows, missing, reasons, version, mode):
    lines = [
        HEAD.format(
            version=version,
            how=HOW[mode],
            reached=sum(row.reached for row in rows),
            expected=sum(row.expected for row in rows),
            percentage=percentage(rows),
        )
    ]
    for row in rows:
        cells = (f"`{row.unit}`", row.here[0], row.here[1], row.there[0], row.there[1], row.there[2])
        lines.append("| " + " | ".join(map(str, cells)) + " |\n")
    if missing:
        lines.append("\n## Tests that pass on redis-server and not on ae-server\n\n| test | reason |\n| --- | --- |\n")
        for one in sorted(missing, key=lambda one: one.key):
            times = f" ({one.count} times)" if one.count > 1 else ""
            lines.append(f"| {_cell(one.key)}{times} | {_cell(reasons.of(one.key) or NO_REASON)} |\n")
    return "".join(lines)


def _cell(found):
    return found.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*") if found != NO_REASON else found
