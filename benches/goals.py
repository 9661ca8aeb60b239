"""What the library is to reach, as ratios within one run."""

from dataclasses import dataclass

import counting
import points
from figures import Ratio, ratio, values

LARGE, SMALL = "startup 1000000", "startup 10000"
MANY_TIMERS = "timers 100000"


@dataclass(frozen=True)
class Side:
    engine: str
    place: str
    figure: str


@dataclass(frozen=True)
class Goal:
    """A ratio's median, or the quartile on the goal's side where noise alone must not fail it, is within the limit."""

    text: str
    above: Side
    below: Side
    limit: float
    what: str = "median"  # or low, high
    at_least: bool = False

    def wanted(self):
        names = {"median": "median", "low": "lower quartile", "high": "upper quartile"}
        return f"{names[self.what]} {'≥' if self.at_least else '≤'} {self.limit:g}"

    def met(self, found):
        reached = getattr(found, self.what)
        return reached >= self.limit if self.at_least else reached <= self.limit


@dataclass(frozen=True)
class Outcome:
    goal: Goal
    ratio: Ratio  # None: not measured

    def verdict(self):
        if self.ratio is None:
            return "not measured"
        return "met" if self.goal.met(self.ratio) else "not met"


def _beside(text, place, figure, peer, limit, **more):
    return Goal(text, Side("libae", place, figure), Side(peer, place, figure), limit, **more)


def _dispatch():
    for numbers in points.DISPATCH:
        place = points.key("dispatch", numbers)
        name = f"dispatch, {points.label(place)}"
        yield _beside(f"{name}: libae / raw epoll", place, "ns/event", "epoll", 1.03)
        yield _beside(f"{name}: libae / stock ae", place, "ns/event", "stock", 1.0, what="low")


GOALS = (
    *_dispatch(),
    _beside("interest pair: libae / stock ae", "interest", "ns/pair", "stock", 0.05),
    _beside("create a timer, 100 000 pending: libae / libev", MANY_TIMERS, "create ns", "libev", 1.0),
    _beside("delete a timer, 100 000 pending: libae / libev", MANY_TIMERS, "delete ns", "libev", 1.5),
    Goal("idle iteration of libae: 100 000 timers pending / none", Side("libae", MANY_TIMERS, "idle ns"),
         Side("libae", MANY_TIMERS, "idle without timers ns"), 1.1),
    _beside("instructions per dispatched event: libae / stock ae", "instructions", counting.DISPATCHED, "stock", 1.0),
    Goal("start-up of libae: set size 1 000 000 / 10 000", Side("libae", LARGE, "us"), Side("libae", SMALL, "us"), 1.1),
    _beside("connections accepted per second: libae / stock ae", "accept 5000", "connections/s", "stock", 1.0, what="high",
            at_least=True),
    _beside("CPU time per accepted connection: libae / stock ae", "accept 5000", "cpu us/connection", "stock", 1.0,
            what="low"),
)


def checked(results):
    return [Outcome(goal, ratio(_values(results, goal.above), _values(results, goal.below))) for goal in GOALS]


def _values(results, side):
    if side.place == "instructions":
        number = results["instructions"].get(side.figure, {}).get(side.engine)
        return [] if number is None else [number]
    return values(results, side.engine, side.place, side.figure)


def reached(outcomes):
    """whether all are met: what was not measured is not met either"""
    return all(outcome.verdict() == "met" for outcome in outcomes)
