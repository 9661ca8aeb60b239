"""The results: build/forks/results/FORK.json, and a table of them in docs/forks.md. A run that does only some steps leaves
the rest as it was."""

import json

from common import RESULTS
from testkit.documents import BEGIN, END, replaced
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
    """the tables of all results that there are, in the order of the names"""
    results = {name: load(name) for name in names}
    text = DOCUMENT.read_text() if DOCUMENT.exists() else EMPTY
    DOCUMENT.write_text(replaced(text, tables({name: result for name, result in results.items() if result})))


def tables(results):
    parts = [*_suites(results), *_symbols(results), *_tls_symbols(results), *_clusters(results), *_sentinels(results),
             *_speed(results, "speed", "CPU time per request"),
             *_speed(results, "tls-speed", "with TLS, CPU time per request or connection"), *_problems(results)]
    kinds = sorted({result["machine"] for result in results.values()})
    if kinds:
        parts.insert(0, f"Measured by `make forks` on a {' and a '.join(kinds)}.\n")
    return "".join(f"\n{part}" for part in parts) + ("\n" if parts else "")


def _table(head, rows):
    if not rows:
        return []
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return ["\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]) + "\n"]


def _name(result):
    return f"{result['package']} {result['version']}"


def _suites(results):
    rows = []
    for result in results.values():
        for step, label in (("suite", "its suite"), ("io-threads", "a part, with io-threads"), ("tls", "its suite, with TLS")):
            found = result["steps"].get(step)
            for variant in ("libae", "stock") if found else ():
                count = found[variant]
                rows.append((_name(result), label, variant, *(count[column] for column in COUNTS)))
    return _table(("fork", "tests", "build", *COUNTS[:-1], "passed in unit/cluster"), rows)


def _symbols(results):
    rows = []
    for result in results.values():
        for program, count in result["steps"].get("symbols", {}).items():
            if program != "problems":
                rows.append((_name(result), f"`{program}`", count["libae"], 0))
    head = ("fork", "program", "`ae*`, `anet*`, `conn*` functions from libae", "from upstream's replaced objects")
    return _table(head, rows)


def _tls_symbols(results):
    rows = []
    for result in results.values():
        for program, count in result["steps"].get("tls-symbols", {}).items():
            if program != "problems" and "openssl" in count:
                calls = ", ".join(f"`{name}`" for name in count["openssl"])
                rows.append((_name(result), f"`{program}`", count["libae"], 0, calls or "none"))
    head = ("fork, with TLS", "program", "functions from libae", "from `tls.o` and the others",
            "what it calls of OpenSSL")
    return _table(head, rows)


def _clusters(results):
    rows = []
    for result in results.values():
        run = result["steps"].get("cluster")
        if run and "writes" in run:
            columns = ("writes", "lost", "confirmed", "lost_confirmed", "failover_s")
            rows.append((_name(result), *(run[column] for column in columns)))
    head = ("six-node cluster, one primary killed", "acknowledged writes", "lost", "of these confirmed by WAIT", "lost",
            "failover (s)")
    return _table(head, rows)


def _sentinels(results):
    rows = []
    for result in results.values():
        run = result["steps"].get("sentinel")
        if run and "keys" in run:
            rows.append((_name(result), run["sentinels"], run["failover_s"], run["keys"]))
    return _table(("the primary killed, all with TLS alone", "Sentinels", "failover (s)", "keys on the new primary"), rows)


def _speed(results, step, title):
    rows = []
    for result in results.values():
        for name, row in result["steps"].get(step, {}).items():
            if name != "problems":
                spread = f"{row['low']:.3f} to {row['high']:.3f}"
                rows.append((_name(result), name, f"{row['ratio']:.3f}", spread, row["pairs"], f"{row['stock_us']:.2f}",
                             f"{row['libae_us']:.2f}"))
    head = ("fork", title, "libae / stock, median", "quartiles", "pairs", "stock (µs)", "libae (µs)")
    return _table(head, rows)


def _problems(results):
    lines = []
    for result in results.values():
        for step, found in result["steps"].items():
            lines += [f"- {_name(result)}, {step}: {problem.splitlines()[0]}" for problem in found.get("problems", [])]
    return ["Failures:\n\n" + "\n".join(lines) + "\n"] if lines else []
