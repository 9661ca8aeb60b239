"""Medians and ratios of what was measured, and the results' file."""

import json
import statistics
from dataclasses import dataclass

from engines import ROOT

RESULTS = ROOT / "target" / "bench" / "results.json"


@dataclass(frozen=True)
class Ratio:
    median: float
    low: float  # quartile
    high: float
    rounds: int


def load():
    return json.loads(RESULTS.read_text())


def store(results, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def values(results, engine, place, figure):
    """each round's value, None for a round without one; [] when the engine has no such figure"""
    return results["points"].get(place, {}).get(engine, {}).get("figures", {}).get(figure, [])


def median(numbers):
    """of those that there are; None of none"""
    there = [number for number in numbers if number is not None]
    return statistics.median(there) if there else None


def ratio(above, below):
    """the quotients round by round, summed up; None when no round has both"""
    quotients = [a / b for a, b in zip(above, below) if a is not None and b is not None and b > 0]
    if not quotients:
        return None
    low, high = quartiles(quotients)
    return Ratio(statistics.median(quotients), low, high, len(quotients))


def quartiles(numbers):
    """of the numbers as they are, not of a population behind them: never beyond the least and the greatest"""
    if len(numbers) == 1:
        return numbers[0], numbers[0]
    low, _, high = statistics.quantiles(numbers, n=4, method="inclusive")
    return low, high
