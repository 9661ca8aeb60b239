"""Stock and libae measured in turn. Each pair gives a ratio; its two halves run right after each other, in an order
that changes from pair to pair, so that a machine that gets slower or faster meets both alike."""

import os
import statistics

PAIRS = 15
LIMIT = 1.02


def measure(stock, libae, pairs=PAIRS):
    """[(stock's cost, libae's cost)]"""
    costs = []
    for number in range(pairs):
        if number % 2:
            second = libae()
            costs.append((stock(), second))
        else:
            first = stock()
            costs.append((first, libae()))
    return costs


def summary(costs):
    """The ratios libae to stock: median and quartiles, with the median costs."""
    ratios = sorted(libae / stock for stock, libae in costs)
    low, _, high = statistics.quantiles(ratios, n=4)
    return {
        "pairs": len(ratios), "ratio": round(statistics.median(ratios), 4), "low": round(low, 4), "high": round(high, 4),
        "stock_us": round(statistics.median(stock for stock, _ in costs) * 1e6, 4),
        "libae_us": round(statistics.median(libae for _, libae in costs) * 1e6, 4),
    }


def too_slow(row, limit=LIMIT):
    return row["ratio"] > limit


def judged(rows, limit=LIMIT):
    """the rows with the problems beside them"""
    slow = [f"{name}: {row['ratio']:.3f} of stock's CPU time, more than {limit}" for name, row in rows.items()
            if too_slow(row, limit)]
    return {**rows, "problems": slow}


def processors():
    """one for the program that is measured and the others for the one beside it, as functions to run in the child"""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        return (lambda: None), (lambda: None)
    return (lambda: os.sched_setaffinity(0, allowed[:1])), (lambda: os.sched_setaffinity(0, allowed[1:]))
