"""What is measured: each scenario's points, which are the numbers on the harness's command line."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    points: tuple  # of the numbers of each point
    quick: tuple  # the same for --quick
    labels: str = ""  # for a point's numbers in the tables
    timeout: int = 60  # of one process, in seconds


def _each(*numbers):
    return tuple((number,) for number in numbers)


DISPATCH = ((100, 1), (1000, 100), (9000, 1000), (9000, 9000))
TIMERS = _each(1, 10, 100, 1000, 10000, 100000, 1000000)
ECHO = tuple((connections, size) for size in (16, 16384) for connections in (1, 50, 1000, 9000))

SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("dispatch", "Dispatch", DISPATCH, DISPATCH[:2], "{} descriptors, {} active"),
    Scenario("interest", "Interest in writable, on and off", ((),), ((),)),
    Scenario("register", "Registration", _each(9000), _each(1000), "{} descriptors"),
    Scenario("timers", "Timers", TIMERS, _each(1, 1000), "{} timers", timeout=120),
    Scenario("lateness", "Lateness of timers", _each(500), _each(100), "{} timers"),
    Scenario("accept", "Accepting", _each(5000), _each(1000), "{} connections"),
    Scenario("echo", "Echo", ECHO, ((1, 16, 5000), (50, 16, 10000)), "{} connections, {} bytes"),
    Scenario("memory", "Memory", ((),), ((),)),
    Scenario("wakeup", "Waking the loop up", ((),), ((),)),
    Scenario("startup", "Start-up", _each(10000, 1000000), _each(10000, 1000000), "a set size of {}"),
)}


def key(scenario, numbers):
    """a point's name in the results"""
    return " ".join([scenario, *map(str, numbers)])


def chosen(names, quick):
    """the scenario and the numbers of each point of the scenarios"""
    return [(scenario, numbers) for scenario in (SCENARIOS[name] for name in names)
            for numbers in (scenario.quick if quick else scenario.points)]


def label(place):
    """a key in words"""
    name, *numbers = place.split(" ")
    text = SCENARIOS[name].labels.format(*(grouped(int(number)) for number in numbers))
    return re.sub(r"\b1 (timer|connection)s", r"1 \1", text)


def grouped(number):
    """an integer with spaces between thousands, from five digits on"""
    return f"{number:,}".replace(",", " ") if abs(number) >= 10000 else str(number)
