"""Runs the engines' programs: every engine a process of its own in each round, in turn."""

import resource
import time

import points
from engines import program
from testkit.commands import limited

NOT_OFFERED, NOT_ALLOWED = 3, 4
STATUSES = {NOT_OFFERED: "not offered", NOT_ALLOWED: "not allowed"}
# A process that fails is a bug, and the others of its kind go on; after so many, it is left alone.
FAILURES = 2


def allow_descriptors():
    """as many open files as the system lets this process have"""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def process(command, timeout):
    """the command's status and figures: (status, what it says, {figure: value}); a scenario's children die with it"""
    status, output, errors = limited(command, timeout, apart=True)
    if status is None:
        return "timeout", f"no end after {timeout} s", {}
    says = errors.strip().splitlines()[-1] if errors.strip() else ""
    if status in STATUSES:
        return STATUSES[status], says, {}
    if status != 0:
        return "failed", f"status {status}{': ' if says else ''}{says}", {}
    try:
        return "measured", "", figures(output)
    except ValueError as reason:
        return "failed", str(reason), {}


def figures(output):
    """{figure: value} of lines `FIGURE<TAB>VALUE`"""
    found = {}
    for line in output.splitlines():
        name, tab, value = line.partition("\t")
        if not tab:
            raise ValueError(f"not a figure: {line!r}")
        found[name] = float(value)
    if not found:
        raise ValueError("no figures")
    return found


def rotated(names, number):
    """the order in which the engines start in this round"""
    start = number % len(names)
    return [*names[start:], *names[:start]]


def measure(scenario, numbers, names, rounds, place=program):
    """{engine: its outcome at this point}; an outcome has each round's value for each figure, None where there is
    none"""
    outcomes = {name: {"status": "measured", "failures": [], "figures": {}} for name in names}
    for number in range(rounds):
        for name in rotated(names, number):
            if outcomes[name]["status"] == "measured":
                command = [place(name), scenario.name, *numbers]
                _note(outcomes[name], number, *process(command, scenario.timeout))
    for outcome in outcomes.values():
        for values in outcome["figures"].values():
            values += [None] * (rounds - len(values))
    return outcomes


def _note(outcome, number, status, says, found):
    for figure, value in found.items():
        values = outcome["figures"].setdefault(figure, [])
        values += [None] * (number - len(values)) + [value]
    if status == "measured":
        return
    if status in STATUSES.values():
        outcome.update(status=status, reason=says)
        return
    outcome["failures"].append(f"round {number + 1}: {says}")
    if status == "timeout" or len(outcome["failures"]) >= FAILURES:
        outcome.update(status="failed", reason=says)


def everything(chosen, names, rounds, say):
    """{key of a point: {engine: outcome}}"""
    results = {}
    for number, (scenario, numbers) in enumerate(chosen):
        place = points.key(scenario.name, numbers)
        start = time.monotonic()
        results[place] = measure(scenario, numbers, names, rounds)
        say(f"[{number + 1}/{len(chosen)}] {place}: {time.monotonic() - start:.1f} s")
        for name, outcome in results[place].items():
            for failure in outcome["failures"]:
                say(f"  {name}, {failure}")
    return results
