"""When the anomalies came: by time where the rows have one, else by their order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import SchemaError
from anomaly_detection.features._reading import read_times
from anomaly_detection.reports import charts as c
from anomaly_detection.reports.words import DAY, moment, number, plain
from anomaly_detection.results import SEVERITIES, SEVERITY_LINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.reports.document import Row

MOST_BUCKETS = 120
MOST_DOTS = 1_000
"""The most anomalies that are drawn one by one, the most anomalous ones."""

_STEPS = (1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows in buckets.

    Parameters
    ----------
    place : (n,) seconds since 1970, or row numbers.
    start, step : where the first bucket begins, and how long each is.
    buckets : how many there are.
    timed : whether places are times.
    unit : what the rows are, where places are their numbers.
    """

    place: NDArray[np.float64]
    start: float
    step: float
    buckets: int
    timed: bool
    unit: str = "row"

    @classmethod
    def of(cls, place: NDArray[np.float64], *, timed: bool) -> Timeline:
        """Buckets of a round length over places, NaN where a row has none."""
        low, high = float(np.nanmin(place)), float(np.nanmax(place))
        step = _step((high - low) / MOST_BUCKETS, timed=timed)
        start = math.floor(low / step) * step
        return cls(place, start, step, max(1, math.floor((high - start) / step) + 1), timed)

    def bucket(self) -> NDArray[np.int64]:
        """(n,) the bucket of each row; -1 for rows without a place."""
        found = np.floor((self.place - self.start) / self.step)
        return np.where(np.isnan(found), -1, np.minimum(found, self.buckets - 1)).astype(np.int64)

    def edges(self) -> tuple[int, ...]:
        """Where the buckets begin and end in a chart."""
        return tuple(round(c.SIDE * i / self.buckets) for i in range(self.buckets + 1))

    def words(self, i: int) -> str:
        """When the i-th bucket begins."""
        at = self.start + i * self.step
        return moment(at, self.step) if self.timed else number(round(at))

    def x(self, place: float) -> float:
        """Where a place is in a chart."""
        return c.SIDE * (place - self.start) / (self.step * self.buckets)


def timeline_of(rows: Sequence[Row]) -> tuple[Timeline, str | None]:
    """Where the rows are in time, or in order, and a note where their times could not be read."""
    times = [row.time for row in rows]
    order = np.array([float(row.row) for row in rows])
    if all(time is None for time in times):
        return Timeline.of(order, timed=False), None
    try:
        words = pl.Series("time", [None if time is None else str(time) for time in times], dtype=pl.String)
        read = read_times(words)
    except SchemaError:
        return Timeline.of(order, timed=False), _unread(times)
    if read.dtype == pl.Time or not read.count():
        return Timeline.of(order, timed=False), _unread(times)
    seconds = read.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64) / 1e6
    return Timeline.of(seconds.fill_null(math.nan).to_numpy(), timed=True), None


def time_charts(rows: Sequence[Row], line: Timeline) -> tuple[c.Chart, ...]:
    """How many anomalies there were when, and how high the scores were."""
    bucket = line.bucket()
    scores = np.array([row.anomaly_score for row in rows])
    code = np.array([SEVERITIES.index(row.severity) if row.is_anomaly else 0 for row in rows])
    kept = bucket >= 0
    counts = np.zeros((line.buckets, len(SEVERITIES)), dtype=np.int64)
    np.add.at(counts, (bucket[kept], code[kept]), 1)
    return alarm_chart(line, counts), _score_chart(rows, line, bucket, scores, counts)


def alarm_chart(line: Timeline, counts: NDArray[np.int64], unit: str = "row") -> c.Chart:
    """How many anomalies there were when, by severity.

    Parameters
    ----------
    line : where the buckets are.
    counts : (buckets, severities) how many of what was judged have each severity.
    unit : what was judged.
    """
    alarms = counts[:, 1:].sum(axis=1)
    top, levels = c.even_levels(float(max(1, alarms.max())), whole=True)
    below = np.zeros(line.buckets)
    shapes = []
    for code, name in enumerate(SEVERITIES[1:], 1):
        above = below + counts[:, code] / top
        shapes.append(c.Shape(name, c.bars(line.edges(), above.tolist(), below.tolist())))
        below = above
    cells = [
        (span(line, i), number(int(counts[i].sum())), number(int(alarms[i])), *map(number, counts[i, 1:].tolist()))
        for i in range(line.buckets)
    ]
    return c.Chart(
        name="alarms",
        title="Anomalies over time" if line.timed else f"Anomalies by {line.unit}",
        about=f"How many {unit}s are anomalies in each {step_words(line)}.",
        shapes=tuple(shape for shape in shapes if shape.path),
        ticks=ticks(line),
        levels=levels,
        edges=line.edges(),
        header=(_place_word(line), f"{unit}s", "anomalies", *SEVERITIES[1:]),
        cells=tuple(cells),
        legend=tuple((shape.style, shape.style) for shape in shapes if shape.path),
    )


def _score_chart(
    rows: Sequence[Row],
    line: Timeline,
    bucket: NDArray[np.int64],
    scores: NDArray[np.float64],
    counts: NDArray[np.int64],
) -> c.Chart:
    filled = np.flatnonzero(counts.sum(axis=1))
    order = np.lexsort((scores, bucket))
    groups = np.split(order, np.searchsorted(bucket[order], np.arange(line.buckets)))[1:]
    highest = {int(i): int(groups[i][-1]) for i in filled}
    middle = {int(i): float(np.median(scores[groups[i]])) for i in filled}
    usual = [((i + 0.5) * c.SIDE / line.buckets, middle[i]) if i in middle else None for i in range(line.buckets)]
    flagged = sorted((i for i, row in enumerate(rows) if row.is_anomaly and bucket[i] >= 0), key=lambda i: -scores[i])
    shapes = [c.Shape("usual-line", c.polyline(usual))]
    for name in SEVERITIES[1:]:
        chosen = [i for i in flagged[:MOST_DOTS] if rows[i].severity == name]
        shapes.append(c.Shape(f"dot {name}", c.dots((line.x(line.place[i]), scores[i]) for i in chosen)))
    worst = {i: rows[place] for i, place in highest.items()}
    cells = [_score_cell(line, i, worst.get(i), middle.get(i)) for i in range(line.buckets)]
    most = f"; the {MOST_DOTS:,} highest are drawn" if len(flagged) > MOST_DOTS else ""
    return c.Chart(
        name="score-line",
        title="Anomaly score over time" if line.timed else "Anomaly score by row",
        about=f"Each anomaly is a dot{most}; the line is the median of all rows in each {step_words(line)}.",
        shapes=tuple(shape for shape in shapes if shape.path),
        ticks=ticks(line),
        levels=(
            c.Level(round(c.SIDE * (1 - SEVERITY_LINES[0])), "alarm line 0.6", "alarm"),
            c.Level(round(c.SIDE * 0.2), "0.8"),
            c.Level(0, "1"),
        ),
        edges=line.edges(),
        header=(_place_word(line), "median", "highest", "the highest is"),
        cells=tuple(cells),
        legend=(("usual-line", "median of all rows"), *((s.style, s.style[4:]) for s in shapes[1:] if s.path)),
    )


def _score_cell(line: Timeline, i: int, highest: Row | None, middle: float | None) -> tuple[str, ...]:
    if highest is None or middle is None:
        return (span(line, i), "no rows", "", "")
    name = f"row {highest.row:,}" if highest.key is None else f"row {highest.row:,}, {plain(highest.key, 40)}"
    return (span(line, i), f"{middle:.2f}", f"{highest.anomaly_score:.2f}", name)


def span(line: Timeline, i: int) -> str:
    """From when to when the i-th bucket is."""
    if line.timed:
        return line.words(i) if line.step == DAY else f"{line.words(i)} to {line.words(i + 1)}"
    last = line.start + (i + 1) * line.step - 1
    return line.words(i) if line.step == 1 else f"{line.words(i)} to {number(round(last))}"


def ticks(line: Timeline) -> tuple[c.Tick, ...]:
    """Words below the edges of the buckets."""
    edges = line.edges()
    words = [line.words(i).removesuffix(" 00:00") for i in range(line.buckets + 1)]
    return c.spread(list(zip(edges, words, strict=True)), 4 if line.timed else 5)


def _place_word(line: Timeline) -> str:
    return "time" if line.timed else f"{line.unit}s"


def step_words(line: Timeline) -> str:
    """How long a bucket is, after "each"."""
    if not line.timed:
        return line.unit if line.step == 1 else f"{number(round(line.step))} {line.unit}s"
    for size, unit in ((7 * DAY, "week"), (DAY, "day"), (3_600.0, "hour"), (60.0, "minute")):
        if line.step >= size and not line.step % size:
            count = round(line.step / size)
            return unit if count == 1 else f"{count} {unit}s"
    return "second" if line.step == 1 else f"{number(round(line.step))} seconds"


def _step(least: float, *, timed: bool) -> float:
    if timed:
        found = next((float(each) for each in _STEPS if each >= least), None)
        return found if found is not None else 28 * DAY * math.ceil(least / (28 * DAY))
    power = 10 ** max(0, math.floor(math.log10(max(least, 1))))
    return float(next(each * power for each in (1, 2, 5, 10) if each * power >= least))


def _unread(times: list[object]) -> str:
    example = next(time for time in times if time is not None)
    return f"The times of the rows could not be read as dates, such as {plain(example, 40)!r}; the rows are in order."
