"""Counts user-space instructions under callgrind, the C library's among them: what an engine spends besides the
kernel."""

import callgrind
from engines import Failure, program
from run import NOT_OFFERED

# The work, the scenario with some work and with more of it, and how many units of work that is more.
DIFFERENCES = (
    ("dispatched event (1000 descriptors, 100 active)", ("dispatch", 1000, 100, 20000), ("dispatch", 1000, 100, 40000),
     20000),
    ("interest pair", ("interest", 10000), ("interest", 20000), 10000),
)
DISPATCHED = DIFFERENCES[0][0]
TIMERS = ("timers", 1000)
# The work, and the harness's function that has it done by the engine's. What an engine puts off is not in it.
CALLS = (
    ("timer created, 1000 pending", "add", "engine_timer_add"),
    ("timer re-armed, 1000 pending", "again", "engine_timer_again"),
    ("timer deleted, 1000 pending", "delete", "engine_timer_delete"),
)


def everything(names, say):
    """{work: {engine: instructions}}; an engine that does not offer the work has none"""
    counts = {}
    for name in names:
        say(f"[instructions] {name}")
        for work, number in _of(program(name), say):
            counts.setdefault(work, {})[name] = round(number, 2)
    return counts


def _of(command, say):
    for work, less, more, units in DIFFERENCES:
        try:
            totals = [callgrind.profile([command, *scenario]).total for scenario in (less, more)]
            yield work, (totals[1] - totals[0]) / units
        except Failure as reason:
            say(f"  {work}: {reason}")
    try:
        profile = callgrind.profile([command, *TIMERS])
    except callgrind.Ended as reason:
        if reason.status != NOT_OFFERED:
            say(f"  timers: {reason}")
        return
    for work, *pair in CALLS:
        calls = profile.calls[tuple(pair)]
        if calls:
            yield work, profile.inclusive[tuple(pair)] / calls
