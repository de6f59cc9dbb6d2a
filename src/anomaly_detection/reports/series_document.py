"""What results say about time series, as ``anomaly_detection.workflows.series_summary`` writes it."""

from __future__ import annotations

import math

from msgspec import Struct

from anomaly_detection.reports.bounds import Count, Severity  # noqa: TC001  read by msgspec

MOST_PARTS = 4_000
"""No plot has more parts than this."""

Numbers = list[float | None]


class Dot(Struct, frozen=True):
    """One anomaly in a plot."""

    place: float
    value: float
    severity: Severity


class Plot(Struct, frozen=True):
    """One channel of one key: of equal parts of the time the lowest and highest value, and what was expected.

    Places are seconds since 1970, or row numbers.
    """

    channel: str
    start: float
    end: float
    low: Numbers
    high: Numbers
    expected: Numbers
    lower: Numbers
    upper: Numbers
    odd: list[Count]
    key: str | None = None
    rows: Count = 0
    anomalies: Count = 0
    dots: list[Dot] = []

    def __post_init__(self) -> None:
        _check_span(self.start, self.end)
        lengths = {len(one) for one in (self.low, self.high, self.expected, self.lower, self.upper, self.odd)}
        if len(lengths) != 1 or not 1 <= len(self.low) <= MOST_PARTS:
            raise ValueError(f"a plot has as many lows as highs and expected values, from 1 to {MOST_PARTS:,}")


class Lane(Struct, frozen=True):
    """One key: in each part of the time the worst severity as a number from 0 to 4, and how many anomalies."""

    key: str
    severity: list[Count]
    anomalies: list[Count]
    rows: Count = 0

    def __post_init__(self) -> None:
        if len(self.severity) != len(self.anomalies) or not 1 <= len(self.severity) <= MOST_PARTS:
            raise ValueError(f"a lane has as many severities as counts, from 1 to {MOST_PARTS:,}")
        if max(self.severity) > 4:
            raise ValueError("a severity is a number from 0 to 4")


class Lanes(Struct, frozen=True):
    """The keys side by side, over the same time."""

    start: float
    end: float
    keys: list[Lane]

    def __post_init__(self) -> None:
        _check_span(self.start, self.end)


class SeriesFound(Struct, frozen=True):
    """All of it."""

    timed: bool = False
    keys_in_all: Count = 0
    channels_in_all: Count = 0
    plots: list[Plot] = []
    lanes: Lanes | None = None


def _check_span(start: float, end: float) -> None:
    if not (math.isfinite(start) and math.isfinite(end) and -1e17 < start <= end < 1e17):
        raise ValueError("a time ends where it begins or later")
