"""The tables in Markdown: a summary in docs/performance.md, all of it in docs/performance/tables.md."""

import points
from engines import ENGINES, PAIRS
from figures import median, ratio, values
from testkit.documents import replaced

EMPTY = "-"
# Of these scenarios the summary has some points and figures only.
POINTS = {
    "timers": ("timers 1000", "timers 100000"),
    "echo": ("echo 50 16", "echo 1000 16", "echo 50 16384"),
}
FIGURES = {
    "timers": ("create ns", "rearm ns", "delete ns", "expire ns", "idle ns"),
    "lateness": ("earliest us", "p50 us", "p99 us"),
    "echo": ("cpu us/message", "messages/s", "p99 us"),
}


def document(text, results, outcomes):
    """the text of docs/performance.md with the summary of these results in its place"""
    return replaced(text, summary(results, outcomes))


def complete(text, results):
    """the text of docs/performance/tables.md with the tables of these results in their place"""
    return replaced(text, written(results))


def summary(results, outcomes):
    rows = [(scenario, place, figure) for scenario in points.SCENARIOS.values() for place in _places(results, scenario)
            for figure in _figures(results, place)
            if place in POINTS.get(scenario.name, (place,)) and figure in FIGURES.get(scenario.name, (figure,))]
    lines = [(_row_name(place, figure, scenario.title), place, figure) for scenario, place, figure in rows]
    medians = ["### Medians\n", _medians(results, lines)] if lines else []
    return _joined([_setting(results), *goals(outcomes), *medians, *_instructions(results), *_remarks(results)])


def written(results):
    parts = [_setting(results)]
    for scenario in points.SCENARIOS.values():
        parts += _scenario(results, scenario)
    return _joined([*parts, *_instructions(results), *_remarks(results)])


def _joined(parts):
    return "".join(f"\n{part}" for part in parts) + "\n"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def number(value):
    """four digits at most before the rest would be noise"""
    if value is None:
        return EMPTY
    if abs(value) >= 1000:
        return points.grouped(round(value))
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


def spread(found):
    """a ratio's median and quartiles"""
    return EMPTY if found is None else f"{found.median:.3f} ({found.low:.3f} to {found.high:.3f})"


def goals(outcomes):
    rows = [(outcome.goal.text, outcome.goal.wanted(), spread(outcome.ratio), outcome.verdict()) for outcome in outcomes]
    return ["### Goals\n", table(("goal", "wanted", "measured: median (quartiles)", ""), rows)] if rows else []


def _setting(results):
    machine = results["machine"]
    engines = ", ".join(f"{ENGINES[name].title} {version}" for name, version in results["versions"].items())
    return (f"Measured by `make bench` in {results['rounds']} rounds on a {machine['kind']}, Linux {machine['kernel']}, "
            f"{machine['rustc']}, {machine['cc']}. {engines}.\n")


def _places(results, scenario):
    return [place for place in results["points"] if place.split(" ")[0] == scenario.name]


def _scenario(results, scenario):
    places = _places(results, scenario)
    if not places:
        return []
    rows = [(_row_name(place, figure), place, figure) for place in places for figure in _figures(results, place)]
    return [f"### {scenario.title}\n", _medians(results, rows), *_ratios(results, rows)]


def _figures(results, place):
    """in the order of the engine that has most"""
    return max(([*outcome["figures"]] for outcome in results["points"][place].values()), key=len, default=[])


def _row_name(place, figure, title=""):
    name = ", ".join(part for part in (points.label(place), figure) if part)
    return f"{title}: {name}" if title else name


def _medians(results, rows):
    names = [name for name in ENGINES if name in results["engines"]]
    lines = [[row, *(_median(results, name, place, figure) for name in names)] for row, place, figure in rows]
    return table(["median", *(ENGINES[name].title for name in names)], lines)


def _median(results, name, place, figure):
    return number(median(values(results, name, place, figure)))


def _ratios(results, rows):
    pairs = [pair for pair in PAIRS if set(pair) <= set(results["engines"])]
    lines = []
    for row, place, figure in rows:
        # How early a timer is has no ratio: it may be zero or negative.
        if not figure.startswith("earliest"):
            found = [ratio(values(results, ours, place, figure), values(results, peer, place, figure))
                     for ours, peer in pairs]
            lines.append([row, *map(spread, found)])
    head = [f"{ENGINES[ours].title} / {ENGINES[peer].title}" for ours, peer in pairs]
    if not pairs or not lines:
        return []
    summary = "<details><summary>Ratios round by round: median (lower to upper quartile)</summary>"
    return [f"{summary}\n\n{table(['', *head], lines)}\n</details>\n"]


def _instructions(results):
    if not results["instructions"]:
        return []
    names = [name for name in ENGINES if name in results["engines"]]
    lines = [[f"per {work}", *(number(counts.get(name)) for name in names)]
             for work, counts in results["instructions"].items()]
    return ["### User-space instructions\n", table(["instructions", *(ENGINES[name].title for name in names)], lines)]


def _remarks(results):
    """what is missing from the tables, and why"""
    lines = [f"- {ENGINES[name].title}: not measured: {reason}" for name, reason in results["missing"].items()]
    without = {}
    for place, outcomes in results["points"].items():
        for name, outcome in outcomes.items():
            if outcome["status"] != "measured":
                says = f"{ENGINES[name].title}: {outcome['status']}: {outcome['reason']}"
                without.setdefault(says, []).append(place)
            elif outcome["failures"]:
                without.setdefault(f"{ENGINES[name].title}: {'; '.join(outcome['failures'])}", []).append(place)
    lines += [f"- {says} ({', '.join(places)})" for says, places in without.items()]
    return ["### What is missing\n", "\n".join(lines) + "\n"] if lines else []
