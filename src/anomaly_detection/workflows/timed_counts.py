"""Counts of lines over time, in fixed memory however long the log is, and exact in the buckets of a timeline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.reports.timeline import Timeline
from anomaly_detection.reports.words import DAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRAINS = (1, 5, 10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, DAY, 7 * DAY, 14 * DAY, 28 * DAY)
"""Seconds that are counted together; each divides the steps of every timeline that is long enough for it."""

MOST_GRAINS = 2_048
"""When there are more, they are made coarser."""

KEYS = ("severity", "service", "template")
"""What is counted apart."""


class TimedCounts:
    """How many lines of each severity, service and template came when, and how many of them are anomalies.

    A line without a time counts with the line before, those before the first time with that; where no line has a time,
    the place of a line is its number.
    """

    def __init__(self) -> None:
        self.timed = False
        self._grain, self._low, self._high, self._latest = 0, math.inf, -math.inf, math.nan
        kinds = {"severity": pl.Int8(), "service": pl.String(), "template": pl.Int64()}
        numbers = dict.fromkeys(("grain", "lines", "odd"), pl.Int64())
        self._counts = {key: pl.DataFrame(schema={key: kinds[key], **numbers}) for key in KEYS}

    def add(self, seconds: NDArray[np.float64], numbers: NDArray[np.float64], lines: pl.DataFrame) -> None:
        """Count further lines.

        Parameters
        ----------
        seconds : (n,) since 1970, NaN without a time.
        numbers : (n,) of the lines.
        lines : ``severity`` (code), ``service``, ``template`` (id), ``odd`` (whether it is an anomaly).
        """
        there = seconds[np.isfinite(seconds)]
        if len(there) and not self.timed:
            self._begin(float(there[0]))
        known = there if self.timed else numbers
        if len(known):
            self._low, self._high = min(self._low, float(known.min())), max(self._high, float(known.max()))
        while self._high - self._low > self._size() * MOST_GRAINS and self._grain < len(GRAINS) - 1:
            self._grain += 1
            self._map(pl.col("grain") * self._size(self._grain - 1) // self._size())
        places = self._filled(seconds) if self.timed else numbers
        grains = pl.Series("grain", np.floor(places / self._size()).astype(np.int64))
        fresh = lines.with_columns(grains, lines=pl.lit(1, pl.Int64), odd=pl.col("odd").cast(pl.Int64))
        for key, counts in self._counts.items():
            self._counts[key] = _summed(pl.concat([counts, _summed(fresh, key)]), key)

    def timeline(self) -> Timeline:
        """The buckets that the lines so far are shown in."""
        return Timeline.of(np.array([self._low, self._high]), timed=self.timed)

    def by(self, key: str) -> pl.DataFrame:
        """``bucket`` of the timeline, what is counted apart, ``lines`` and ``odd`` ones, in order of appearance."""
        line = self.timeline()
        bucket = ((pl.col("grain") * self._size() - int(line.start)) // int(line.step)).clip(0, line.buckets - 1)
        summed = self._counts[key].with_columns(bucket=bucket).group_by(key, "bucket", maintain_order=True)
        return summed.agg(pl.col("lines", "odd").sum())

    def size(self, key: str) -> int:
        """How many are counted apart."""
        return self._counts[key][key].n_unique()

    def fold(self, key: str, names: pl.Series, together: str) -> None:
        """Count some of what is counted apart together, under another name."""
        is_folded = pl.col(key).is_in(names.implode()).fill_null(value=False)
        folded = pl.when(is_folded).then(pl.lit(together)).otherwise(key).alias(key)
        self._counts[key] = _summed(self._counts[key].with_columns(folded), key)

    def _begin(self, first: float) -> None:
        """The first line with a time came: all before it count with it."""
        self.timed, self._grain, self._low, self._high, self._latest = True, 0, first, first, first
        self._map(pl.lit(math.floor(first / self._size()), pl.Int64))

    def _map(self, grain: pl.Expr) -> None:
        self._counts = {key: _summed(one.with_columns(grain=grain), key) for key, one in self._counts.items()}

    def _filled(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        known = pl.Series(np.append(self._latest, seconds)).fill_nan(None)
        found = known.fill_null(strategy="forward").to_numpy()
        self._latest = float(found[-1])
        return found[1:]

    def _size(self, grain: int | None = None) -> int:
        at = self._grain if grain is None else grain
        return int(GRAINS[at]) if self.timed else 10**at


def _summed(counts: pl.DataFrame, key: str) -> pl.DataFrame:
    return counts.group_by(key, "grain", maintain_order=True).agg(pl.col("lines", "odd").sum())
