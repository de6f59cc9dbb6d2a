"""What a series is like: how often, with which seasons and trend, how complete, a counter or a gauge."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.series.axis import gaps_of, on_grid
from anomaly_detection.features.series.calendar import SEASONS, civil
from anomaly_detection.features.series.change_points import find_change_points
from anomaly_detection.features.series.clock import DAY, SECOND, Clock
from anomaly_detection.features.series.counters import is_counter
from anomaly_detection.features.series.periods import season_lengths
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series

REGULAR = 0.1
"""A distance within so much of the step is one step."""

INTERMITTENT = 0.5
"""A channel that is 0 at least so often, with other values in between, is intermittent."""

SEASONED = 4
"""Seasons and changes are looked for in at most so many channels, evenly chosen."""

STEADY, PARTS = 0.9, 10
"""A trend is steady if the means of so many parts of the rows lie on a line: it explains so much of their variance."""

CHANGED = 2_000
"""Changes are looked for among so many rows; of longer series, among the medians of as many rows as that takes."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What one channel is like.

    Parameters
    ----------
    name : the user's column.
    kind : ``"gauge"``, ``"counter"`` (it only grows, and starts again from 0 at times), ``"constant"`` or ``"empty"``.
    missing : the share of values that are missing.
    zeros : the share of values that are 0.
    middle, spread : median, and half the distance of the quartiles.
    trend : how much of the variance a straight line explains, in [0, 1].
    roughness : the spread of steps from row to row, in spreads of the values; about 1.4 for noise, near 0 if smooth.
    steadiness : how much of the variance of the means of ten parts of the rows a straight line explains, in [0, 1].
    """

    name: str
    kind: str
    missing: float
    zeros: float
    middle: float
    spread: float
    trend: float
    roughness: float
    steadiness: float = 0.0

    @property
    def has_steady_trend(self) -> bool:
        """Whether its level moves along a line all the time."""
        return self.kind == "gauge" and self.steadiness >= STEADY

    @property
    def is_intermittent(self) -> bool:
        """Whether it is mostly 0."""
        return self.kind == "gauge" and self.zeros >= INTERMITTENT


@dataclass(frozen=True, slots=True)
class SeriesProfile:
    """What a series is like.

    Parameters
    ----------
    rows : how many there are.
    step : their usual distance in microseconds, or in row numbers.
    frequency : the same in words.
    regular : the share of distances that are one step.
    at_once : whether all rows have the same time.
    gaps : how often more than one and a half steps are between two rows.
    seasons : after how many rows it looks like itself again, the strongest first.
    strengths : how much each season explains of what is left, in (0, 1].
    channels : each of them.
    changes : how often level, trend, variance or season changed; in long series those that means of rows show.
    last_change : what changed last, and when or in which row, in words; empty for nothing.
    """

    rows: int
    step: int
    frequency: str
    regular: float
    at_once: bool
    gaps: int
    seasons: tuple[int, ...]
    strengths: tuple[float, ...]
    channels: tuple[Channel, ...]
    changes: int = 0
    last_change: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def notes(self) -> list[str]:
        """The same in a few words for people."""
        if self.rows > 1 and self.at_once:
            return [f"series: {counted(self.rows, 'row')}, all at the same time; they count as one after the other"]
        regular = "regular" if self.regular > 1 - REGULAR else "irregular"
        gaps = f", {counted(self.gaps, 'gap')}" if self.gaps else ""
        notes = [f"series: {counted(self.rows, 'row')}, {self.frequency}, {regular}{gaps}"]
        if self.seasons:
            pairs = zip(self.seasons, self.strengths, strict=True)
            notes.append("seasons: " + ", ".join(f"{rows} rows (strength {strength:.2f})" for rows, strength in pairs))
        else:
            notes.append("seasons: none found")
        if self.changes:
            notes.append(f"changes: {self.changes}, the last one of {self.last_change}: rows before it say little")
        kinds = {"counter": "counters, judged by their differences", "constant": "constant", "empty": "empty"}
        for kind, words in kinds.items():
            names = [channel.name for channel in self.channels if channel.kind == kind]
            notes += [f"{words}: {', '.join(names[:12])}"] if names else []
        return notes


def profile_of(series: Series, clock: Clock, *, changes: bool = True) -> SeriesProfile:
    """Look at a series; for its changes, too, which takes most of the time.

    >>> from anomaly_detection.features.series import Series
    >>> hours = Series.of(np.sin(np.arange(240) * np.pi / 12), 3_600_000_000)
    >>> profile_of(hours, Clock("dates")).notes()
    ['series: 240 rows, hourly, regular', 'seasons: 24 rows (strength 0.99)']
    """
    distances = np.diff(series.time)
    near = np.abs(distances - series.step) <= REGULAR * series.step
    seasons = _seasons(series, clock)
    found = _changes(series, clock) if changes else []
    return SeriesProfile(
        rows=len(series),
        step=series.step,
        frequency=frequency_of(series.step, clock),
        regular=float(near.mean()) if len(near) else 1.0,
        at_once=len(series) > 0 and bool(series.time[0] == series.time[-1]),
        gaps=len(gaps_of(series)),
        seasons=tuple(length for length, _ in seasons),
        strengths=tuple(round(strength, 3) for _, strength in seasons),
        channels=tuple(_channel(name, series.values[:, k]) for k, name in enumerate(series.names)),
        changes=len(found),
        last_change=found[-1] if found else "",
    )


def frequency_of(step: int, clock: Clock) -> str:
    """The distance of rows in words.

    >>> [frequency_of(step, Clock("dates")) for step in (3_600_000_000, 31 * DAY, 1_000, 90_000_000)]
    ['hourly', 'monthly', 'every 0.001 seconds', 'every 1.5 minutes']
    """
    if not clock.is_clock:
        return "row by row" if step == 1 else f"every {step:,}"
    if 28 * DAY <= step <= 31 * DAY:
        return "monthly"
    if 365 * DAY <= step <= 366 * DAY:
        return "yearly"
    words = {"minute": "every minute", "hour": "hourly", "day": "daily", "week": "weekly"}
    for name, length in SEASONS.items():
        if step == length and name in words:
            return words[name]
    for name, length in (("days", DAY), ("hours", DAY // 24), ("minutes", DAY // 1440)):
        if step > length:
            return f"every {step / length:g} {name}"
    return "every second" if step == SECOND else f"every {step / SECOND:g} seconds"


def _seasons(series: Series, clock: Clock) -> list[tuple[int, float]]:
    """The seasons of the channel in which the strongest one is strongest, among a few."""
    grid, _ = on_grid(series)
    step = series.step if clock.is_clock else 0
    found = [season_lengths(np.ascontiguousarray(grid[:, k]), step) for k in _few(series)]
    return max(found, key=lambda each: each[0][1] if each else 0.0, default=[])


def _changes(series: Series, clock: Clock) -> list[str]:
    """The changes of a few channels in words, in order; of a long series, those of medians of its rows."""
    size = -(-len(series) // CHANGED)
    whole = len(series) // size * size if size else 0
    chosen = series.values[len(series) - whole :, _few(series)]
    blocks = chosen.reshape(-1, max(size, 1), chosen.shape[1])
    known = ~np.isnan(blocks).all(axis=1)
    medians = np.full(known.shape, np.nan)
    medians[known] = np.nanmedian(np.moveaxis(blocks, 1, 2)[known], axis=1)
    first = len(series) - whole
    return [
        f"the {change.kind} {_moment(series, first + change.row * size, clock)}"
        for change in find_change_points(medians)
    ]


def _moment(series: Series, row: int, clock: Clock) -> str:
    if not clock.is_clock:
        return f"in row {row:,}"
    local = civil(series.time[row : row + 1], clock.zone)
    return f"at {np.datetime_as_string(local.astype('datetime64[us]'), unit='s')[0].replace('T', ' ')}"


def _few(series: Series) -> NDArray[np.int64]:
    """At most four channels, evenly chosen."""
    few: NDArray[np.int64] = np.unique(np.linspace(0, series.width - 1, SEASONED).round().astype(np.int64))
    return few


def _channel(name: str, values: NDArray[np.float64]) -> Channel:
    present = values[~np.isnan(values)]
    missing = 1.0 - len(present) / max(1, len(values))
    if not len(present):
        return Channel(name, "empty", missing, 0.0, np.nan, np.nan, 0.0, 0.0)
    low, middle, high = np.quantile(present, (0.25, 0.5, 0.75))
    kind = "constant" if present.min() == present.max() else "counter" if is_counter(present) else "gauge"
    zeros = float(np.mean(present == 0.0))
    unit = present / max(
        float(np.abs(present).max()), np.finfo(np.float64).tiny
    )  # of huge values the square is infinite
    spread = float(unit.std())
    rough = float(np.diff(unit).std()) / spread if spread > 0 and len(present) > 2 else 0.0
    return Channel(
        name, kind, missing, zeros, float(middle), float(high / 2 - low / 2), _trend(unit), rough, _steadiness(unit)
    )


def _steadiness(present: NDArray[np.float64]) -> float:
    size = len(present) // PARTS
    return _trend(present[len(present) - size * PARTS :].reshape(PARTS, size).mean(axis=1)) if size else 0.0


def _trend(present: NDArray[np.float64]) -> float:
    n = len(present)
    if n < 3 or not present.std() > 0.0:
        return 0.0
    return float(np.corrcoef(np.arange(n), present)[0, 1] ** 2)
