#!/usr/bin/env python3
"""Draws the results: `draw.py RESULTS FOLDER` writes speed.png, memory.png, latency.png and persistence.png
there.
bench_server.py runs it with a Python that has matplotlib."""

import json
import statistics
import sys
from pathlib import Path

sys.path[1:1] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "tools")]

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import io  # noqa: E402

import latency  # noqa: E402
import memory  # noqa: E402
import persistence  # noqa: E402
import speed  # noqa: E402
from peers import TITLES  # noqa: E402
from PIL import Image  # noqa: E402
from plots import STYLE, store  # noqa: E402

COLOURS = {"ae": "#d62728", "redis": "#1f77b4", "valkey": "#2ca02c"}


def grouped(axes, labels, found, servers):
    """a group of bars a label, a bar a server; `found(server)` has their lengths"""
    width = 0.8 / len(servers)
    for number, server in enumerate(servers):
        places = [at + (number - (len(servers) - 1) / 2) * width for at in range(len(labels))]
        axes.bar(places, found(server), width, label=TITLES[server], color=COLOURS[server])
    axes.set_xticks(range(len(labels)), labels, rotation=60, ha="right")
    axes.grid(axis="x", visible=False)
    axes.legend()


def middles(results, part, names):
    return lambda server: [statistics.median(results[part].get(name, {}).get(server, [0])) for name in names]


def save(figure, path):
    figure.tight_layout()
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    plt.close(figure)
    store(Image.open(drawn), path)


def draw_speed(results, servers, folder):
    figure, grid = plt.subplots(len(speed.PIPELINES), 1, figsize=(11, 11))
    for axes, pipeline in zip(grid, speed.PIPELINES):
        work = speed.points((pipeline,), speed.SIZES[:1])
        grouped(axes, [point.test for point in work], middles(results, "speed", [point.name for point in work]), servers)
        axes.set(yscale="log", ylabel="CPU time (µs)", title=f"A request, {pipeline} at a time, {speed.SIZES[0]} bytes")
    save(figure, folder / "speed.png")


def draw_memory(results, servers, folder):
    figure, axes = plt.subplots(figsize=(11, 5))
    kinds = [kind for kind in memory.CONTENTS if kind in results["memory"]]
    grouped(axes, [memory.CONTENTS[kind].title for kind in kinds], middles(results, "memory", kinds), servers)
    axes.set(yscale="log", ylabel="bytes", title="Resident memory of a key")
    save(figure, folder / "memory.png")


def draw_latency(results, servers, folder):
    figure, grid = plt.subplots(1, len(latency.RATES), figsize=(11, 4))
    for axes, rate in zip(grid, latency.RATES):
        names = [f"{rate} {quantile}" for quantile in latency.QUANTILES]
        grouped(axes, latency.QUANTILES, middles(results, "latency", names), servers)
        axes.set(yscale="log", ylabel="µs", title=f"Latency at {rate} requests a second")
    save(figure, folder / "latency.png")


def draw_persistence(results, servers, folder):
    figure, grid = plt.subplots(1, 2, figsize=(11, 5))
    costs = [name for name in persistence.ROWS if name.startswith("cpu ")]
    grouped(grid[0], [name.removeprefix("cpu ") + " at a time" for name in costs], middles(results, "persistence", costs), servers)
    grid[0].set(yscale="log", ylabel="CPU time (µs)", title="SET with an append-only file")
    waits = [f"{when} {quantile}" for when in ("calm", "saving") for quantile in persistence.PAUSES]
    grouped(grid[1], waits, middles(results, "persistence", waits), servers)
    grid[1].set(yscale="log", ylabel="µs", title=f"Latency at {persistence.RATE} requests a second")
    save(figure, folder / "persistence.png")


def main(results, folder):
    servers = list(results["versions"])
    with matplotlib.rc_context(STYLE):
        for part, draw in (("speed", draw_speed), ("memory", draw_memory), ("latency", draw_latency),
                           ("persistence", draw_persistence)):
            if results.get(part):
                draw(results, servers, folder)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]))
