"""What a replayed history looked like, and when its alarms would have come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.reports import charts as c
from anomaly_detection.reports.timeline import Timeline, span, step_words, ticks
from anomaly_detection.reports.words import number, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

STYLES = ("dot critical", "dot medium")
"""The dots of the first and the second configuration."""

ROOM = 0.8
"""Values are drawn in the upper part of the chart; alarms stand below."""


def line_of(found: Mapping[str, Any]) -> Timeline:
    """Where the buckets are: from the first judged row to the last."""
    places = [each[0] for each in found["history"]["series"]["values"]]
    places += [alarm["at"] for one in found["configurations"] for alarm in one["list"]]
    return Timeline.of(np.array(places or [0.0]), timed=found["history"]["timed"])


def value_chart(found: Mapping[str, Any], line: Timeline) -> c.Chart | None:
    """The values of the longest series, incidents behind them, and dots for alarms below; None without values."""
    series = found["history"]["series"]
    drawn = np.array(series["values"], dtype=float)
    if not len(drawn):
        return None
    low, high = float(drawn[:, 2].min()), float(drawn[:, 3].max())
    room = (high - low) or 1.0

    def height(value: float) -> float:
        return 1.0 - ROOM + ROOM * (value - low) / room

    upper = [(line.x(at), height(most)) for at, _, _, most in drawn.tolist()]
    lower = [(line.x(at), height(least)) for at, _, least, _ in drawn.tolist()]
    shapes = [c.Shape("others", _incident_bars(found, line)), c.Shape("usual-line", c.polyline(upper))]
    shapes.append(c.Shape("usual-line", c.polyline(lower)))
    of_key = [[each for each in one["list"] if _of(each, series["key"])] for one in found["configurations"]]
    for k, alarms in enumerate(of_key):
        shapes.append(c.Shape(STYLES[k], c.dots((line.x(each["at"]), 0.05 + 0.08 * k) for each in alarms)))
    names = ("alarms",) if len(of_key) == 1 else ("alarms of the first", "alarms of the second")
    legend = [("usual-line", "lowest and highest value"), ("others", "known incident")]
    legend += [(STYLES[k], name) for k, name in enumerate(names)]
    present = {shape.style for shape in shapes if shape.path}
    counts = [_counted(line, [each["at"] for each in alarms]) for alarms in of_key]
    return c.Chart(
        name="values",
        title=plain(f"{series['channel']} of {series['key']}" if series["key"] else series["channel"], 80),
        about=f"The values of the {'longest series' if series['key'] else 'judged rows'}; alarms are dots below.",
        shapes=tuple(shape for shape in shapes if shape.path),
        ticks=ticks(line),
        levels=tuple(c.Level(round(1000 * (1 - height(value))), number(value)) for value in (low, high)),
        edges=line.edges(),
        header=("time" if line.timed else "rows", "lowest", "highest", *names),
        cells=tuple(_value_cells(line, drawn, counts)),
        legend=tuple((style, words) for style, words in legend if style in present),
    )


def alarm_charts(found: Mapping[str, Any], line: Timeline) -> tuple[c.Chart, ...]:
    """How many alarms each configuration would have raised when, on one scale."""
    configurations = found["configurations"]
    counts = [_counted(line, [each["at"] for each in one["list"]]) for one in configurations]
    top, levels = c.even_levels(float(max(1, *(int(each.max()) for each in counts))), whole=True)
    charts = []
    for k, each in enumerate(counts):
        title = "Alarms over time" if len(counts) == 1 else f"Alarms of the {('first', 'second')[k]} configuration"
        charts.append(
            c.Chart(
                name=f"alarms-{k + 1}",
                title=title,
                about=f"How many alarms begin in each {step_words(line)}.",
                shapes=(c.Shape("odd", c.bars(line.edges(), (each / top).tolist())),),
                ticks=ticks(line),
                levels=levels,
                edges=line.edges(),
                header=("time" if line.timed else "rows", "alarms"),
                cells=tuple((span(line, i), number(int(count))) for i, count in enumerate(each)),
            )
        )
    return tuple(charts)


def _value_cells(line: Timeline, drawn: NDArray[Any], counts: Sequence[NDArray[Any]]) -> list[tuple[str, ...]]:
    bucket = np.minimum(((drawn[:, 0] - line.start) / line.step).astype(int), line.buckets - 1)
    cells = []
    for i in range(line.buckets):
        there = drawn[bucket == i]
        ends = (number(float(there[:, 2].min())), number(float(there[:, 3].max()))) if len(there) else ("", "")
        cells.append((span(line, i), *ends, *(number(int(each[i])) for each in counts)))
    return cells


def _counted(line: Timeline, places: Sequence[float]) -> NDArray[np.int64]:
    bucket = np.floor((np.array(places, dtype=float) - line.start) / line.step).astype(int)
    return np.bincount(np.clip(bucket, 0, line.buckets - 1), minlength=line.buckets)


def _incident_bars(found: Mapping[str, Any], line: Timeline) -> str:
    key = found["history"]["series"]["key"]
    known = [one for one in found["incidents"] or [] if one["key"] is None or _of(one, key)]
    first, last = line.start, line.start + line.step * line.buckets
    parts = []
    for one in known:
        left, right = (line.x(min(max(one[name], first), last)) for name in ("at", "until"))
        parts.append(f"M{left:.4g} 1000V0H{max(right, left + 2):.4g}V1000Z")
    return "".join(parts)


def _of(one: Mapping[str, Any], key: str) -> bool:
    return (one["key"] or "") == key
