"""The results: build/forks/results/FORK.json, and a table of them in docs/forks.md. A run that does only some steps
leaves the rest as it was."""

import json
import re

from common import RESULTS
from testkit.documents import BEGIN, END, between, replaced
from testkit.paths import ROOT

DOCUMENT = ROOT / "docs/forks.md"
COUNTS = ("units", "passed", "failed", "skipped", "flaky", "cluster")
EMPTY = f"# libae in a fork\n\n{BEGIN}\n{END}\n"


def load(name):
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def store(name, facts, steps):
    """new outcomes of some steps; those of another version do not stay beside them"""
    result = load(name)
    if any(result.get(fact) != value for fact, value in facts.items()):
        result = {"steps": {}}
    result.update(facts)
    result["steps"].update(steps)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


def write_document(names):
    """the tables of all results that there are, in the order of the names; what this checkout has not measured stays"""
    results = {name: load(name) for name in names}
    text = DOCUMENT.read_text() if DOCUMENT.exists() else EMPTY
    there = {name: result for name, result in results.items() if result}
    DOCUMENT.write_text(replaced(text, tables(there, between(text), names)))


def tables(results, old="", names=()):
    """with the rows of the old tables whose steps these results do not have"""
    names = names or tuple(results)
    old_rows = _rows(old)
    found, kept = {head: [] for _, head, *_ in STEPS}, False
    for number, (step, head, rows_of, label) in enumerate(STEPS):
        for row in old_rows.get(head, ()):
            if label in (None, row[1]) and _stays(row[0], step, results, names):
                found[head].append((_place(row[0], names), number, row))
                kept = True
        for result in results.values():
            rows = [(_name(result), *([label] if label else []), *cells) for cells in rows_of(result["steps"].get(step, {}))]
            found[head] += [(_place(row[0], names), number, row) for row in rows]
    problems = [line for line in re.findall(r"^- .*", old, re.M) if _stays(*_of_problem(line), results, names)]
    for result in results.values():
        for step, outcome in result["steps"].items():
            problems += [f"- {_name(result)}, {step}: {text.splitlines()[0]}" for text in outcome.get("problems", [])]
    machines = {result["machine"] for result in results.values()}
    if kept:
        machines |= {machine for text in MEASURED.findall(old) for machine in text.split(" and a ")}
    parts = [f"Measured by `make forks` on a {' and a '.join(sorted(machines))}.\n"] if machines else []
    parts += [_table(head, sorted(rows, key=lambda row: row[:2])) for head, rows in found.items() if rows]
    parts += ["Failures:\n\n" + "\n".join(problems) + "\n"] if problems else []
    return "".join(f"\n{part}" for part in parts) + ("\n" if parts else "")


def _stays(name, step, results, names):
    """whether the old outcome of a step is still the last one; those of another version do not stay beside new ones"""
    fork = _fork(name, names)
    result = results.get(fork)
    return result is None or (name == _name(result) and step not in result["steps"])


def _fork(name, names):
    """whose version it is: redis-7.0 of redis 7.0.15"""
    package = name.partition(" ")[0]
    found = [fork for fork in names if fork == package or f"{name}.".startswith(fork.replace("-", " ") + ".")]
    return found[0] if found else None


def _place(name, names):
    fork = _fork(name, names)
    return names.index(fork) if fork else len(names)


def _of_problem(line):
    name, _, rest = line.removeprefix("- ").partition(", ")
    return name, rest.partition(":")[0]


def _rows(text):
    """{head: rows} of the tables"""
    found = {}
    rows = None
    for line in text.splitlines():
        cells = tuple(line.strip("| ").split(" | ")) if line.startswith("|") else None
        if cells is None:
            rows = None
        elif rows is None:
            rows = found.setdefault(cells, [])
        elif set(line) - set("| -"):
            rows.append(cells)
    return found


def _table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for *_, row in rows]) + "\n"


def _name(result):
    return f"{result['package']} {result['version']}"


# What a step has to show: the cells behind the fork's name.


def _suite(found):
    return [(variant, *(found[variant][column] for column in COUNTS)) for variant in ("libae", "stock") if variant in found]


def _symbols(found):
    return [(f"`{program}`", count["libae"], 0) for program, count in found.items() if program != "problems"]


def _tls_symbols(found):
    counts = [(program, count) for program, count in found.items() if program != "problems" and "openssl" in count]
    return [(f"`{program}`", count["libae"], 0, ", ".join(f"`{name}`" for name in count["openssl"]) or "none")
            for program, count in counts]


def _columns(*columns):
    """of a step with one row; one that failed has none"""
    return lambda found: [tuple(found[column] for column in columns)] if columns[0] in found else []


def _speed(found):
    return [(name, f"{row['ratio']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}", row["pairs"], f"{row['stock_us']:.2f}",
             f"{row['libae_us']:.2f}") for name, row in found.items() if name != "problems"]


MEASURED = re.compile(r"^Measured by `make forks` on a (.*)\.$", re.M)
SUITE_HEAD = ("fork", "tests", "build", *COUNTS[:-1], "passed in unit/cluster")
SPEED = ("libae / stock, median", "quartiles", "pairs", "stock (µs)", "libae (µs)")
# Each step: the head of its table, what makes its rows, and how its rows are told from those of other steps there.
STEPS = (
    ("suite", SUITE_HEAD, _suite, "its suite"),
    ("io-threads", SUITE_HEAD, _suite, "a part, with io-threads"),
    ("tls", SUITE_HEAD, _suite, "its suite, with TLS"),
    ("symbols", ("fork", "program", "`ae*`, `anet*`, `conn*` functions from libae", "from upstream's replaced objects"),
     _symbols, None),
    ("tls-symbols", ("fork, with TLS", "program", "functions from libae", "from `tls.o` and the others",
                     "what it calls of OpenSSL"), _tls_symbols, None),
    ("cluster", ("six-node cluster, one primary killed", "acknowledged writes", "lost", "of these confirmed by WAIT", "lost",
                 "failover (s)"), _columns("writes", "lost", "confirmed", "lost_confirmed", "failover_s"), None),
    ("sentinel", ("the primary killed, all with TLS alone", "Sentinels", "failover (s)", "keys on the new primary"),
     _columns("sentinels", "failover_s", "keys"), None),
    ("speed", ("fork", "CPU time per request", *SPEED), _speed, None),
    ("tls-speed", ("fork", "with TLS, CPU time per request or connection", *SPEED), _speed, None),
)
