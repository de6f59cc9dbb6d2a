"""Prediction bands from the errors that forecasts made on rows they had not seen: split conformal, by horizon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

LEVELS = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995])
"""The shares of absolute errors whose quantiles are kept."""

BLOCKS = 8
"""Errors are pooled over at most so many stretches of the horizon, each twice as long as the one before."""

ENOUGH = 12
"""A stretch has at least so many errors, where there are as many."""

JUDGED, JUDGED_AT = 84, 0.95
"""Bands made of the other windows are held against at most so many steps of each, at this level."""

WIDER = np.concatenate([np.linspace(0.8, 2.0, 25), np.linspace(2.1, 4.0, 20)])
"""Bands become so many times wider, at most, where windows are unlike one another."""

PLACES = (np.arange(16) + 0.5) / 16
"""Places in a distribution over which is averaged."""

CHANCE = 0.9
"""By chance, logarithms of such quantiles of normal values vary by this over their number."""

MOST_UNLIKE = 20.0
"""No window counts as more times worse than the others."""


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """How wrong forecasts were: how errors grow with the horizon, and how they are distributed.

    Parameters
    ----------
    scale : (H, d) the mean absolute error at each step ahead, smooth and not decreasing.
    quantiles : (len(LEVELS), d) quantiles of absolute errors in units of the scale.
    """

    scale: NDArray[np.float64]
    quantiles: NDArray[np.float64]

    @classmethod
    def of(cls, errors: NDArray[np.float64]) -> Self:
        """Bands from (K, H, d) errors of forecasts from K moments, NaN where nothing came; H is at least 1.

        The windows are few and the errors in one are alike, so what was seen stands for fewer errors than there are:
        their number is estimated from how far the means of windows are from 0, and the quantiles are those of
        Student's distribution with so many degrees of freedom in place of the normal one.
        """
        size = np.abs(errors)
        scale = _growing(size)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(scale > 0.0, size / scale, np.where(np.isnan(size), np.nan, 0.0))
        found = _quantiles(ratio.reshape(-1, errors.shape[2]))
        wider = 1.0 + (ndtri((1.0 + LEVELS[:, None]) / 2.0) ** 2 + 1.0) / (4.0 * _independent(errors, scale))
        return cls(scale, found * wider * _uneven(ratio))

    @classmethod
    def of_walk(cls, values: NDArray[np.float64], horizon: int) -> Self:
        """Bands for (n, d) values that are too few to hold some back: those of a random walk with their steps."""
        present = [one[~np.isnan(one)] for one in values.T]
        moves = [np.abs(np.diff(one)) if len(one) > 1 else np.full(1, np.nan) for one in present]
        step = np.array([one.mean() for one in moves])
        known = np.maximum(1.0, np.array([len(one) for one in moves], dtype=np.float64))
        scale = step * np.sqrt(np.arange(1.0, horizon + 1.0))[:, None]
        normal = ndtri((1.0 + LEVELS[:, None]) / 2.0)
        return cls(scale, normal * np.sqrt(np.pi / 2.0) * (1.0 + (normal**2 + 1.0) / (4.0 * known)))

    def scales(self, horizon: int) -> NDArray[np.float64]:
        """(horizon, d) the scale at each step; beyond the longest one seen it grows with the square root."""
        known = len(self.scale)
        ahead = np.sqrt(np.arange(known + 1, horizon + 1) / known)[:, None] * self.scale[-1:]
        return np.concatenate([self.scale, ahead])[:horizon]

    def half(self, horizon: int, level: float) -> NDArray[np.float64]:
        """(horizon, d) half the width of the band that holds a share ``level`` of the values."""
        return self.scales(horizon) * _between(level, LEVELS, self.quantiles)

    def above(self, distance: NDArray[np.float64]) -> NDArray[np.float64]:
        """(h, d) the probability of a value more than a distance above the forecast, at each step ahead."""
        scale = self.scales(len(distance))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(scale > 0.0, np.abs(distance) / scale, np.where(distance == 0.0, 0.0, np.inf))
        inside = np.empty(distance.shape)
        for k in range(distance.shape[1]):
            inside[:, k] = _share_within(ratio[:, k], self.quantiles[:, k])
        outside = (1.0 - inside) / 2.0
        return np.where(np.isnan(distance), np.nan, np.where(distance >= 0.0, outside, 1.0 - outside))

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """What is saved."""
        return {"band_scale": self.scale, "band_quantiles": self.quantiles}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Self:
        """The inverse of :meth:`arrays`."""
        return cls(arrays["band_scale"], arrays["band_quantiles"])


def _growing(size: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H, d) mean absolute errors: means of stretches, made not to decrease, joined by straight lines."""
    windows, steps, d = size.shape
    edges = _edges(windows, steps)
    counts = np.add.reduceat((~np.isnan(size)).sum(axis=0), edges[:-1], axis=0).astype(np.float64)
    sums = np.add.reduceat(np.nansum(size, axis=0), edges[:-1], axis=0)
    means = _not_decreasing(sums, counts)
    middles = (edges[:-1] + edges[1:] - 1) / 2.0
    if len(middles) == 1:
        return np.repeat(means, steps, axis=0)
    ahead = np.arange(steps, dtype=np.float64)
    right = np.clip(np.searchsorted(middles, ahead), 1, len(middles) - 1)
    share = np.clip((ahead - middles[right - 1]) / (middles[right] - middles[right - 1]), 0.0, 1.0)[:, None]
    scale: NDArray[np.float64] = means[right - 1] * (1.0 - share) + means[right] * share
    return scale.reshape(steps, d)


def _edges(windows: int, steps: int) -> NDArray[np.int64]:
    length = max(1, -(-ENOUGH // windows))
    edges = [0]
    while edges[-1] + 2 * length <= steps and len(edges) < BLOCKS:
        edges.append(edges[-1] + length)
        length *= 2
    return np.array([*edges, steps], dtype=np.int64)


def _not_decreasing(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(blocks, d) the nearest means that do not decrease: the highest of the lowest means that a block is part of."""
    blocks, d = sums.shape
    best = np.full((blocks, d), -np.inf)
    for first in range(blocks):
        total, number = sums[first:].cumsum(axis=0), counts[first:].cumsum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            means = np.where(number > 0.0, total / number, np.inf)
        lowest = np.minimum.accumulate(means[::-1], axis=0)[::-1]
        best[first:] = np.maximum(best[first:], lowest)
    return np.where(np.isfinite(best), best, np.nan)


def _quantiles(ratio: NDArray[np.float64], levels: NDArray[np.float64] = LEVELS) -> NDArray[np.float64]:
    """(levels, d) quantiles of (N, d) numbers, the missing ones left out."""
    columns = np.sort(np.ascontiguousarray(ratio.T), axis=1)
    counts = (~np.isnan(columns)).sum(axis=1)
    ranks = np.minimum(levels[:, None] * (counts + 1.0), counts) - 1.0  # the least that holds the share, and one more
    low = np.clip(np.floor(ranks), 0, None).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(counts - 1, 0))
    rows = np.arange(len(columns))
    share = np.clip(ranks - low, 0.0, 1.0)
    found: NDArray[np.float64] = columns[rows, low] * (1.0 - share) + columns[rows, high] * share
    return found


def _independent(errors: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) for how many independent errors those of the windows stand."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(scale > 0.0, errors / scale, 0.0)
    present = ~np.isnan(errors)
    filled = np.where(present, ratio, 0.0)
    number = present.sum(axis=1).astype(np.float64)
    windows = np.maximum((number > 0).sum(axis=0), 1)
    squares = (filled**2).sum(axis=(0, 1)) / np.maximum(number.sum(axis=0), 1.0)
    middles = filled.sum(axis=1) / np.maximum(number, 1.0)
    together = (middles**2).sum(axis=0) / windows
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.where(squares > 0.0, together / squares, 0.0)
    each = number.sum(axis=0) / windows
    independent: NDArray[np.float64] = windows * np.clip(1.0 / np.maximum(alike, 1e-9), 1.0, np.maximum(each, 1.0))
    return independent


def _uneven(ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) how much wider bands have to be for the next window, given how unlike the windows seen are.

    Bands made of the other windows would have had to be so many times wider to hold what they should of each. The
    logarithms of these numbers, less what they vary by chance, are taken for a normal sample; the answer holds its
    share on average over a further one (Student).
    """
    windows, steps, d = ratio.shape
    if windows < 2:
        return np.ones(d)
    some = np.ascontiguousarray(ratio[:, :: -(-steps // JUDGED)].transpose(2, 0, 1))
    needed = np.stack([_needed(some, k) for k in range(windows)])
    middle, chance = needed.mean(axis=0), CHANCE / some.shape[2]
    spread = np.sqrt(np.maximum(needed.var(axis=0, ddof=1) - chance, 0.0) * (1.0 + 1.0 / windows))
    next_one = middle + spread * stdtrit(windows - 1, PLACES)[:, None]
    reach = float(ndtri((1.0 + JUDGED_AT) / 2.0))
    held = np.stack([(2.0 * ndtr(reach * wider / np.exp(next_one)) - 1.0).mean(axis=0) for wider in WIDER])
    return np.array([np.interp(JUDGED_AT, held[:, k], WIDER) for k in range(d)])


def _needed(some: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """(d,) the logarithm of how much wider the bands of the others of (d, K, S) would have had to be for window k."""
    others = _high(np.delete(some, k, axis=1).reshape(len(some), -1))
    own = _high(some[:, k])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((others > 0.0) & (own > 0.0), own / others, 1.0)
    wider: NDArray[np.float64] = np.log(np.clip(share, 1.0 / MOST_UNLIKE, MOST_UNLIKE))
    return wider


def _high(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) the quantile of each row of (d, N) at which windows are held against one another."""
    if np.isnan(rows).any():
        several: NDArray[np.float64] = _quantiles(rows.T, np.array([JUDGED_AT]))[0]
        return several
    rank = min(int(JUDGED_AT * rows.shape[1]), rows.shape[1] - 1)
    found: NDArray[np.float64] = np.partition(rows, rank, axis=1)[:, rank]
    return found


def _between(level: float, levels: NDArray[np.float64], quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """(d,) the quantiles at a level, by straight lines; beyond the last one they grow as an exponential tail does."""
    if level >= levels[-1]:
        rate = (quantiles[-1] - quantiles[-4]) / np.log((1.0 - levels[-4]) / (1.0 - levels[-1]))
        beyond: NDArray[np.float64] = quantiles[-1] + rate * np.log((1.0 - levels[-1]) / (1.0 - level))
        return beyond
    right = int(np.searchsorted(levels, level, side="right"))
    share = (level - levels[right - 1]) / (levels[right] - levels[right - 1])
    found: NDArray[np.float64] = quantiles[right - 1] * (1.0 - share) + quantiles[right] * share
    return found


def _share_within(ratio: NDArray[np.float64], quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of errors within so many scales: the inverse of :func:`_between`."""
    if np.isnan(quantiles).any():
        return np.full(len(ratio), np.nan)
    inside: NDArray[np.float64] = np.interp(ratio, quantiles, LEVELS)
    rate = (quantiles[-1] - quantiles[-4]) / np.log((1.0 - LEVELS[-4]) / (1.0 - LEVELS[-1]))
    if rate > 0.0:
        far = ratio > quantiles[-1]
        inside[far] = 1.0 - (1.0 - LEVELS[-1]) * np.exp(-(ratio[far] - quantiles[-1]) / rate)
    else:
        inside[ratio > quantiles[-1]] = 1.0
    return inside
