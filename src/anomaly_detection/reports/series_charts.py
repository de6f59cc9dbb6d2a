"""Time series drawn: values, what was expected, the band, the anomalies; and the anomalies of many keys."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.reports import charts as c
from anomaly_detection.reports.timeline import Timeline, span, ticks
from anomaly_detection.reports.words import number, plain
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anomaly_detection.reports.series_document import Lane, Lanes, Numbers, Plot, SeriesFound

MOST_PLOTS = 24
MOST_LANES = 100
"""More than so many are not drawn, whatever the results hold."""

BEYOND = 1.0
"""A band is drawn up to so many heights of the values above and below them."""

LARGEST = 1e300
"""Values beyond are drawn at the edge."""


@dataclass(frozen=True, slots=True)
class LaneView:
    """One key of many: a strip for each severity, and when the anomalies were, with how many."""

    key: str
    rows: int
    anomalies: int
    worst: str
    strips: tuple[c.Shape, ...]
    cells: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class SeriesView:
    """What a page shows of series.

    Parameters
    ----------
    charts : one for each channel that is drawn.
    lanes : the keys side by side; none where there is no key.
    left_out : how many keys are not among them.
    about : from when to when the lanes go, in words.
    """

    charts: tuple[c.Chart, ...]
    lanes: tuple[LaneView, ...]
    left_out: int
    about: str


def series_view(found: SeriesFound) -> SeriesView:
    """Everything that is drawn of series."""
    drawn = found.plots[:MOST_PLOTS]
    charts = tuple(series_chart(plot, i, timed=found.timed) for i, plot in enumerate(drawn))
    if found.lanes is None:
        return SeriesView(charts, (), 0, "")
    keys = found.lanes.keys[:MOST_LANES]
    line = _line(found.lanes.start, found.lanes.end, timed=found.timed)
    about = f"{line.words(0)} to {line.words(line.buckets)}"
    lanes = tuple(_lane_view(lane, found.lanes, timed=found.timed) for lane in keys)
    return SeriesView(charts, lanes, max(0, found.keys_in_all - len(lanes)), about)


def series_chart(plot: Plot, i: int, *, timed: bool) -> c.Chart:
    """The i-th channel: its values from lowest to highest in each part of the time, the band, the anomalies."""
    line = _line(plot.start, plot.end, timed=timed)
    scale, levels = _scale(plot)
    xs = _places(plot, line)
    shapes = [
        c.Shape("band", _area(xs, plot.lower, plot.upper, scale)),
        c.Shape("actual-line", _range(xs, plot.low, plot.high, scale)),
        c.Shape("expected-line", _path(xs, plot.expected, scale)),
    ]
    for name in SEVERITIES[1:]:
        dots = ((line.x(dot.place), scale(dot.value)) for dot in plot.dots if dot.severity == name)
        shapes.append(c.Shape(f"dot {name}", c.dots(dots)))
    shapes = [shape for shape in shapes if shape.path]
    words = {"band": "no alarm in here", "expected-line": "expected", "actual-line": "actual"}
    about = f"{number(plot.rows)} rows, {number(plot.anomalies)} of them anomalies."
    if plot.anomalies > len(plot.dots):
        about += f" The {number(len(plot.dots))} most anomalous with a value are dots."
    return c.Chart(
        name=f"series-{i}",
        title=f"{plain(plot.key, 60)}: {plain(plot.channel, 60)}" if plot.key is not None else plain(plot.channel, 60),
        about=about,
        shapes=tuple(shapes),
        ticks=ticks(line),
        levels=levels,
        edges=line.edges(),
        header=("time" if timed else "rows", "actual", "expected", "band", "anomalies"),
        cells=tuple(_cells(plot, line)),
        legend=tuple((shape.style, words.get(shape.style, shape.style[4:])) for shape in shapes),
    )


def _line(start: float, end: float, *, timed: bool) -> Timeline:
    return Timeline.of(np.array([start, end]), timed=timed)


def _places(plot: Plot, line: Timeline) -> list[float]:
    """Where the middle of each part is in a chart."""
    length = (plot.end - plot.start) / len(plot.low)
    return [line.x(plot.start + (k + 0.5) * length) for k in range(len(plot.low))]


def _scale(plot: Plot) -> tuple[Callable[[float], float], tuple[c.Level, ...]]:
    """Values to heights in [0, 1], and a few levels with their values."""
    values = [*plot.low, *plot.high, *plot.expected]
    drawn = [min(max(value, -LARGEST), LARGEST) for value in values if value is not None] or [0.0]
    low, high = min(drawn), max(drawn)
    room = BEYOND * (high - low)
    ends = [value for value in (*plot.lower, *plot.upper) if value is not None and low - room <= value <= high + room]
    low, high = min([low, *ends]), max([high, *ends])
    if high <= low:
        low, high = low - max(1.0, abs(low) / 10), high + max(1.0, abs(high) / 10)
    step = _round_step(high / 4 - low / 4)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)

    def height(value: float) -> float:
        return min(1.0, max(0.0, (value / step - first) / (last - first)))

    every = range(first, last + 1) if last - first <= 12 else (first, last)
    return height, tuple(
        c.Level(round(c.SIDE * (1 - (k - first) / (last - first))), number(float(f"{k * step:.6g}"))) for k in every
    )


def _round_step(least: float) -> float:
    """The least of 1, 2, 2.5 and 5 times a power of ten that is as large."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 1e-290 else 1e-290
    return next(each * power for each in (1.0, 2.0, 2.5, 5.0, 10.0) if each * power >= least or each == 10.0)


def _path(xs: Sequence[float], values: Numbers, scale: Callable[[float], float]) -> str:
    return c.polyline(None if value is None else (x, scale(value)) for x, value in zip(xs, values, strict=True))


def _range(xs: Sequence[float], low: Numbers, high: Numbers, scale: Callable[[float], float]) -> str:
    """A line that goes through the lowest and the highest value of each part."""
    points: list[tuple[float, float] | None] = []
    for x, a, b in zip(xs, low, high, strict=True):
        points += [None] if a is None or b is None else [(x, scale(a)), *([(x, scale(b))] if b > a else [])]
    return c.polyline(points)


def _area(xs: Sequence[float], lower: Numbers, upper: Numbers, scale: Callable[[float], float]) -> str:
    """Closed shapes between two lines, one for each run of parts in which both are there."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    for x, a, b in zip(xs, lower, upper, strict=True):
        if a is not None and b is not None:
            runs[-1].append((x, scale(a), scale(b)))
        elif runs[-1]:
            runs.append([])
    shapes = []
    for run in runs:
        if len(run) > 1:
            there = c.polyline((x, top) for x, _, top in run)
            back = c.polyline((x, bottom) for x, bottom, _ in reversed(run))
            shapes.append(f"{there}L{back[1:].replace('L', ' ')}Z")
    return "".join(shapes)


def _cells(plot: Plot, line: Timeline) -> list[tuple[str, ...]]:
    """The numbers of each bucket: parts of the plot together."""
    length = (plot.end - plot.start) / len(plot.low)
    middles = np.array([plot.start + (k + 0.5) * length for k in range(len(plot.low))])
    bucket = Timeline(middles, line.start, line.step, line.buckets, line.timed).bucket()
    cells: list[tuple[str, ...]] = []
    for i in range(line.buckets):
        parts = np.flatnonzero(bucket == i).tolist()
        low, high = _known(plot.low, parts), _known(plot.high, parts)
        actual = _between(min(low), max(high)) if low and high else "no value"
        expected = _known(plot.expected, parts)
        lower, upper = _known(plot.lower, parts), _known(plot.upper, parts)
        band = f"{number(_mean(lower))} to {number(_mean(upper))}" if lower and upper else ""
        told = number(_mean(expected)) if expected else ""
        cells.append((span(line, i), actual, told, band, number(sum(plot.odd[k] for k in parts))))
    return cells


def _known(values: Numbers, parts: Sequence[int]) -> list[float]:
    return [value for k in parts if (value := values[k]) is not None]


def _mean(values: Sequence[float]) -> float:
    """Without a sum that can overflow."""
    return sum(value / len(values) for value in values)


def _between(low: float, high: float) -> str:
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _lane_view(lane: Lane, lanes: Lanes, *, timed: bool) -> LaneView:
    edges = [round(c.SIDE * k / len(lane.severity), 1) for k in range(len(lane.severity) + 1)]
    strips = [
        c.Shape(name, c.bars(edges, [1.0 if code == each else 0.0 for each in lane.severity]))
        for code, name in enumerate(SEVERITIES[1:], 1)
    ]
    length = (lanes.end - lanes.start) / len(lane.severity)
    line = Timeline(np.empty(0), lanes.start, length or 1.0, len(lane.severity), timed)
    cells = [
        (line.words(k), number(count), SEVERITIES[lane.severity[k]]) for k, count in enumerate(lane.anomalies) if count
    ]
    return LaneView(
        plain(lane.key, 60) or "(no key)",
        lane.rows,
        sum(lane.anomalies),
        SEVERITIES[max(lane.severity)],
        tuple(strip for strip in strips if strip.path),
        tuple(cells),
    )
