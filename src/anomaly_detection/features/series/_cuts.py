"""A series made ready to be cut, and where the best cuts are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.series._change_kernels import best_cut, running_sums, stretch_cost
from anomaly_detection.features.series._undisturbed import (
    long_run_variance,
    season_length,
    without_gaps,
    without_season,
    without_spikes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWS = 0.1
"""Noise counts as this share of a channel's variance at least."""

DIGITS = 12
"""What is left of values of about 1 beyond so many digits once a season is taken out is rounding, not noise."""

MOST_STARTS = 10_000
"""Longer series are cut at every so many rows only, and each cut is then put where it is best."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A series ready to be cut.

    Parameters
    ----------
    values : (n, d) without gaps, seasons and spikes, about 0, at most about 1.
    seasonal : (n, d) the same with seasons and spikes.
    known : (n, d) which were there.
    centre, unit : (d,) a user's value is ``centre + unit`` times the prepared one.
    """

    values: NDArray[np.float64]
    seasonal: NDArray[np.float64]
    known: NDArray[np.bool_]
    centre: NDArray[np.float64]
    unit: NDArray[np.float64]

    @classmethod
    def of(cls, matrix: NDArray[np.float64]) -> Prepared:
        """Prepare (n, d) values, NaN where missing."""
        whole = np.column_stack([without_gaps(channel) for channel in matrix.T])
        centre = np.median(whole, axis=0)
        unit = np.abs(whole - centre).max(axis=0, initial=0.0)
        unit[unit == 0.0] = 1.0
        whole = (whole - centre) / unit
        calm = np.column_stack([without_spikes(without_season(x, season_length(x))) for x in whole.T])
        return cls(np.ascontiguousarray(calm.round(DIGITS)), whole, np.isfinite(matrix), centre, unit)

    @property
    def window(self) -> int:
        """How many rows noise may go on for: the cube root of the rows."""
        return max(1, round(math.cbrt(len(self.values))))

    def weights(self, bounds: NDArray[np.int64]) -> NDArray[np.float64]:
        """One over the noise between bounds; 0 where a value is missing, or a channel constant."""
        return np.where(self.known, noise_weights(self.values, bounds, self.window), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Where a series is cut.

    Parameters
    ----------
    rows : (k,) the first rows of all stretches but the first.
    sure : (k,) how probable each cut is next to none there, from 0.5 to 1.
    """

    rows: NDArray[np.int64]
    sure: NDArray[np.float64]

    @classmethod
    def of(
        cls, values: NDArray[np.float64], weights: NDArray[np.float64], *, slopes: bool = False, fewest: int = 2
    ) -> Cuts:
        """The best cut of (n, d) values by the information criterion, into levels or also lines (``slopes``)."""
        n, d = values.shape
        sums = running_sums(np.ascontiguousarray(values), weights)
        penalty, slope = (d + 2.0) * math.log(n), 2.0 * math.log(n) if slopes else math.inf
        stride = -(-n // MOST_STARTS)
        rows = best_cut(sums, penalty, slope, fewest, stride)
        rows = rows if stride == 1 else _settled(sums, rows, slope, fewest, stride)
        return cls(rows, np.array([_sure(gain - penalty) for gain in _gains(sums, rows, slope)]))


def noise_weights(values: NDArray[np.float64], bounds: NDArray[np.int64], window: int) -> NDArray[np.float64]:
    """(n, d) one over the variance of the noise between bounds, at least a tenth of the channel's; 0 if constant."""
    weights = np.zeros(values.shape)
    edges = [0, *bounds, len(values)]
    for channel, column in enumerate(values.T):
        least = SHOWS * float(column.var())
        for start, end in pairwise(edges):
            noise = max(long_run_variance(column[start:end], window), least)
            weights[start:end, channel] = 1.0 / noise if noise > 0.0 else 0.0
    return weights


def _gains(sums: NDArray[np.float64], rows: NDArray[np.int64], slope: float) -> list[float]:
    """What each cut saves next to its two stretches in one."""
    edges = [0, *rows.tolist(), len(sums) - 1]
    return [
        stretch_cost(sums, a, c, slope) - stretch_cost(sums, a, b, slope) - stretch_cost(sums, b, c, slope)
        for a, b, c in zip(edges, edges[1:], edges[2:], strict=False)
    ]


def _sure(beyond: float) -> float:
    """The posterior probability of a cut whose information criterion is better by so much than that of none."""
    return 1.0 / (1.0 + math.exp(-0.5 * max(beyond, 0.0)))


def _settled(
    sums: NDArray[np.float64], rows: NDArray[np.int64], slope: float, fewest: int, stride: int
) -> NDArray[np.int64]:
    """Cuts found at every so many rows, each put at the best row nearby."""
    edges = [0, *rows.tolist(), len(sums) - 1]
    for i in range(1, len(edges) - 1):
        before, here, after = edges[i - 1 : i + 2]
        places = range(max(before + fewest, here - stride), min(after - fewest, here + stride) + 1)
        costs = [stretch_cost(sums, before, at, slope) + stretch_cost(sums, at, after, slope) for at in places]
        edges[i] = places[int(np.argmin(costs))]
    return np.array(edges[1:-1], dtype=np.int64)
