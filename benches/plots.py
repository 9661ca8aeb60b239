#!/usr/bin/env python3
"""Draws the results: `plots.py FOLDER` writes NAME.png for each plot there. It needs matplotlib; bench.py runs it with
one of its own. The same results give the same files, byte for byte."""

import io
import sys
from pathlib import Path

import matplotlib
from PIL import Image

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import points  # noqa: E402
from engines import ENGINES  # noqa: E402
from figures import load, median, ratio, values  # noqa: E402

# Each engine looks the same everywhere: its colour and its marker.
LOOKS = {
    "libae": ("#d62728", "o"), "epoll": ("#222222", "x"), "stock": ("#1f77b4", "s"), "libev": ("#2ca02c", "^"),
    "libuv": ("#9467bd", "v"), "libevent": ("#ff7f0e", "D"), "mio": ("#17a2b8", "P"), "libae-rust": ("#e8a0a0", "*"),
}
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.grid": True, "grid.color": "#dddddd",
    "grid.linewidth": 0.6, "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False, "figure.dpi": 110,
    "axes.titlesize": 10, "legend.frameon": False,
}
SIZES = {16: "16 B", 16384: "16 KiB"}
# The lines, and what lies between them and the ground: with more colours a file is three times as large.
COLOURS = 48


def store(drawn, path):
    """writes the picture, with nothing of when or with what it was made"""
    drawn.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


class Plots:
    def __init__(self, results, folder):
        self.results = results
        self.folder = folder
        self.engines = [name for name in ENGINES if name in results["engines"]]

    def places(self, scenario):
        return [place for place in self.results["points"] if place.split(" ")[0] == scenario]

    def summary(self, engine, place, figure, to):
        """the median and the quartiles, or those of the ratio to another engine; None when there is no such figure"""
        numbers = values(self.results, engine, place, figure)
        return ratio(numbers, values(self.results, to, place, figure) if to else [1] * len(numbers))

    def curve(self, axes, engine, places, xs, figure, to):
        """the medians with the quartiles as bars, where the engine has the figure"""
        found = [(x, self.summary(engine, place, figure, to)) for x, place in zip(xs, places)]
        found = [(x, summary) for x, summary in found if summary]
        if not found:
            return
        middles = [summary.median for _, summary in found]
        bars = [[summary.median - summary.low for _, summary in found],
                [summary.high - summary.median for _, summary in found]]
        colour, marker = LOOKS[engine]
        ours = engine == "libae"
        axes.errorbar([x for x, _ in found], middles, yerr=bars, label=ENGINES[engine].title, color=colour, marker=marker,
                      linewidth=2.4 if ours else 1.1, markersize=6 if ours else 5, elinewidth=0.8, capsize=2,
                      zorder=3 if ours else 2)

    def curves(self, axes, places, xs, figure, to=None):
        for engine in reversed(self.engines):
            self.curve(axes, engine, places, xs, figure, to)

    def bars(self, axes, place, figure, unit, log=False):
        """one bar for each engine that has the figure"""
        found = [(engine, median(values(self.results, engine, place, figure))) for engine in reversed(self.engines)]
        found = [(engine, value) for engine, value in found if value is not None]
        axes.barh([ENGINES[engine].title for engine, _ in found], [value for _, value in found],
                  color=[LOOKS[engine][0] for engine, _ in found])
        if log and any(value > 0 for _, value in found):
            axes.set_xscale("log")
        axes.set_xlabel(unit)
        axes.grid(axis="y", visible=False)
        for row, (_, value) in enumerate(found):
            axes.annotate(points.grouped(round(value)), (max(value, 0), row), xytext=(3, 0), textcoords="offset points",
                          va="center", fontsize=8)
        axes.margins(x=0.18)

    def legend(self, axes, of):
        handles, names = of.get_legend_handles_labels()
        axes.legend(handles[::-1], names[::-1], loc="center left")

    def save(self, figure, name):
        figure.tight_layout()
        drawn = io.BytesIO()
        figure.savefig(drawn, format="png")
        plt.close(figure)
        store(Image.open(drawn), self.folder / f"{name}.png")

    def dispatch(self):
        places = self.places("dispatch")
        figure, (left, right, last) = plt.subplots(1, 3, figsize=(11, 4.2), width_ratios=[4, 4, 1.3])
        panels = ((left, None, "CPU time per event (ns)", "Dispatch: read a byte, write it on"),
                  (right, "epoll", "CPU time per event / raw epoll's", "The same, relative to raw epoll"))
        for axes, to, label, title in panels:
            self.curves(axes, places, range(len(places)), "ns/event", to)
            axes.set_xticks(range(len(places)), [" / ".join(place.split(" ")[1:]) for place in places])
            axes.set(xlabel="descriptors watched / active", ylabel=label, title=title)
        left.set_ylim(bottom=0)
        last.axis("off")
        self.legend(last, left)
        self.save(figure, "dispatch")

    def timers(self):
        places = self.places("timers")
        counts = [int(place.split(" ")[1]) for place in places]
        figure, grid = plt.subplots(2, 3, figsize=(11, 6.4))
        panels = (("create ns", "Create"), ("rearm ns", "Re-arm, in random order"), ("delete ns", "Delete, in random order"),
                  ("idle ns", "An iteration with nothing due"), ("expire ns", "Expire, all at once"))
        for axes, (name, title) in zip(grid.flat, panels):
            self.curves(axes, places, counts, name)
            axes.set(xscale="log", yscale="log", title=title, xlabel="timers" if name == "expire ns" else "timers pending")
            axes.set_ylabel("time per iteration (ns)" if name == "idle ns" else "time per timer (ns)")
        grid.flat[-1].axis("off")
        self.legend(grid.flat[-1], grid.flat[0])
        self.save(figure, "timers")

    def _echo(self, name, rows):
        """a column of panels for each size of messages, and one for the legend"""
        sizes = sorted({int(place.split(" ")[2]) for place in self.places("echo")})
        size = (3.9 * len(sizes) + 1.6, 3.2 * len(rows))
        widths = [4] * len(sizes) + [1.4]
        figure, grid = plt.subplots(len(rows), len(widths), figsize=size, squeeze=False, width_ratios=widths)
        for line, (figure_name, label, scale) in zip(grid, rows):
            for axes, size in zip(line, sizes):
                places = [place for place in self.places("echo") if place.endswith(f" {size}")]
                places.sort(key=lambda place: int(place.split(" ")[1]))
                counts = [int(place.split(" ")[1]) for place in places]
                self.curves(axes, places, counts, figure_name)
                axes.set(xscale="log", yscale=scale, xlabel="connections", ylabel=label)
                axes.set_title(f"Echo of {SIZES.get(size, size)}")
                axes.set_xticks(counts, [points.grouped(count) for count in counts])
                axes.set_xticks([], minor=True)
                if scale == "linear":
                    axes.set_ylim(bottom=0)
            line[-1].axis("off")
        self.legend(grid[0][-1], grid[0][0])
        self.save(figure, name)

    def echo(self):
        self._echo("echo", [("messages/s", "messages per second", "linear")])

    def echo_cost(self):
        self._echo("echo-cost", [("cpu us/message", "server's CPU time per message (µs)", "linear"),
                                 ("p50 us", "median latency (µs)", "log"),
                                 ("p99 us", "99th percentile of latency (µs)", "log")])

    def memory(self):
        figure, grid = plt.subplots(2, 2, figsize=(10, 5.6))
        panels = (("bytes/loop", "A loop (set size 10 000)"), ("bytes/fd", "A watched descriptor"),
                  ("bytes/timer", "A timer"), ("bytes/connection", "A connection"))
        for axes, (name, title) in zip(grid.flat, panels):
            self.bars(axes, "memory", name, "bytes", log=name == "bytes/loop")
            axes.set_title(title)
        self.save(figure, "memory")

    def lateness(self):
        place = self.places("lateness")[-1]
        figure, axes = plt.subplots(figsize=(8, 3.6))
        engines = [engine for engine in reversed(self.engines) if values(self.results, engine, place, "p50 us")]
        for row, engine in enumerate(engines):
            first, middle, last, worst = (median(values(self.results, engine, place, name)) / 1000
                                          for name in ("earliest us", "p50 us", "p99 us", "max us"))
            colour = LOOKS[engine][0]
            axes.plot([first, worst], [row, row], color=colour, linewidth=1)
            width = 6 if engine == "libae" else 4
            axes.plot([first, last], [row, row], color=colour, linewidth=width, solid_capstyle="butt")
            axes.plot([middle], [row], color="#222222", marker="|", markersize=13, markeredgewidth=1.6, zorder=4)
        axes.set_yticks(range(len(engines)), [ENGINES[engine].title for engine in engines])
        axes.axvline(0, color="#222222", linewidth=0.8, linestyle=":")
        axes.margins(y=0.12)
        axes.set_xlabel("ms after the timer was due: earliest to 99th percentile (bar), median (stroke), latest (line)")
        axes.set_title(f"Lateness of {place.split(' ')[1]} timers within half a second")
        axes.grid(axis="y", visible=False)
        self.save(figure, "lateness")


DRAWN = (("dispatch", Plots.dispatch), ("timers", Plots.timers), ("echo", Plots.echo), ("echo", Plots.echo_cost),
         ("memory", Plots.memory), ("lateness", Plots.lateness))


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    plots = Plots(load(), folder)
    with matplotlib.rc_context(STYLE):
        for scenario, draw in DRAWN:
            if plots.places(scenario):
                draw(plots)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
