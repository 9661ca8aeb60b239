"""The results as Markdown."""

import statistics

import latency
import memory
import persistence
import speed
from peers import TITLES


def written(results):
    """the tables of all parts that there are"""
    servers = ", ".join(f"{TITLES[name]} {version}" for name, version in results["versions"].items())
    rounds = results["rounds"]
    parts = [f"Measured by `make bench-server` on a {results['machine']}: {servers}.\n"]
    if results["speed"]:
        parts += [f"### CPU time of a request, in {rounds['speed']} rounds\n", plot("speed", "CPU time of a request"), *cost_tables(results)]
    if results["memory"]:
        parts += ["### Resident memory of a key, in bytes\n", plot("memory", "memory of a key"), memory_table(results)]
    if results["latency"]:
        parts += [f"### Latency at a fixed rate, in microseconds, in {rounds['latency']} rounds\n",
                  plot("latency", "latency at a fixed rate"), latency_table(results)]
    if results.get("persistence"):
        keys = f"{results['keys']['persistence']:,}".replace(",", " ")
        parts += [f"### Data on disk, with {keys} keys, in {rounds['persistence']} rounds\n",
                  plot("persistence", "what it costs to keep data on disk"), persistence_table(results)]
    return "".join(f"\n{part}" for part in parts) + "\n"


def plot(name, title):
    return f"![{title}](server-performance/{name}.png)\n"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def medians(found):
    """{server: median}"""
    return {name: statistics.median(values) for name, values in found.items()}


def ratio(found):
    """ae-server to another, round by round: the median, and of the others that with the larger one; None without one to
    compare with. (To the better of a round would be to whom chance has helped in it.)"""
    others = [values for name, values in found.items() if name != "ae"]
    if "ae" not in found or not others:
        return None
    return max(statistics.median(ours / other for ours, other in zip(found["ae"], values)) for values in others)


def shown(value):
    return "-" if value is None else f"{value:.2f}"


def cost_tables(results):
    names = list(results["versions"])
    for size in speed.SIZES:
        for pipeline in speed.PIPELINES:
            rows = []
            for point in speed.points((pipeline,), (size,)):
                found = results["speed"].get(point.name)
                if found:
                    middles = medians(found)
                    rows.append([point.test, *(shown(middles.get(name)) for name in names), shown(ratio(found))])
            if rows:
                yield f"Values of {size} bytes, {pipeline} request{'s' if pipeline > 1 else ''} at a time: microseconds, and ae-server's " \
                      "share of the faster of the others.\n"
                yield table(["test", *(TITLES[name] for name in names), "ratio"], rows)


def memory_table(results):
    names = list(results["versions"])
    rows = [[memory.CONTENTS[kind].title, *(f"{medians(found).get(name, 0):.0f}" for name in names), shown(ratio(found))]
            for kind, found in results["memory"].items()]
    return table(["a key of 16 bytes with", *(TITLES[name] for name in names), "ratio"], rows)


def latency_table(results):
    names = list(results["versions"])
    rows = []
    for rate in latency.RATES:
        for quantile in latency.QUANTILES:
            found = results["latency"].get(f"{rate} {quantile}")
            if found:
                middles = medians(found)
                rows.append([f"{rate} requests a second, {quantile}", *(f"{middles.get(name, 0):.0f}" for name in names),
                             shown(ratio(found))])
    return table(["", *(TITLES[name] for name in names), "ratio"], rows)


def persistence_table(results):
    names = list(results["versions"])
    rows = []
    for name, row in persistence.ROWS.items():
        found = results["persistence"].get(name)
        if found:
            middles = medians(found)
            # Nothing is a share of no memory at all.
            share = ratio(found) if all(value > 0 for values in found.values() for value in values) else None
            values = [f"{middles[server]:.{row.digits}f}" if server in middles else "-" for server in names]
            rows.append([row.title, *values, shown(share)])
    return table(["", *(TITLES[name] for name in names), "ratio"], rows)
