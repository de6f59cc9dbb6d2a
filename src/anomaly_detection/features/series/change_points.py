"""Change points: the rows from which on a series has another level, trend, variance or season.

A series is cut into stretches that are level or go along a line, by optimal partitioning with a penalty that comes from
the length of the series alone: each cut has to lower the weighted squares by ``(d + 2) ln n``, the modified information
criterion of Zhang and Siegmund, and each line by ``2 ln n``. Squares are weighed by the noise, which is estimated
robustly, as sums of rows see it, between changes of variance, and counts as a tenth of the channel's variance at least:
what a cut explains has to show. Gaps weigh nothing, spikes of three rows or fewer and seasons are taken out beforehand.

Changes of variance are changes of level of the logarithm of steps from row to row; changes of season those of whether
rows lie on the same side of the trend as one season earlier.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.series._cuts import SHOWS, Cuts, Prepared, noise_weights
from anomaly_detection.features.series._undisturbed import long_run_variance, repeating_lag, robust_scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = {
    "level": "the values go on higher or lower",
    "trend": "they go on along another slope",
    "variance": "they scatter more or less",
    "season": "they repeat otherwise, or no longer, or only now",
}
"""What can change, and what that means."""

FEWEST_ROWS = 8
"""Shorter series have no change points."""

SHORTEST_SPREAD = 10
"""A variance lasts so many rows at least."""

SPREAD_NOISE = 0.4
"""The variance of ``ln(|x| + SHOWS ** 0.5)`` for standard normal x, and a bit."""

SEVERAL_SEASONS = 6
"""A season is gone through so often for its changes to be looked for, and twice at least in each stretch."""

AT_ONCE = 5
"""Changes within so many rows of a change of level are part of it."""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """One change.

    Parameters
    ----------
    row : the first row of what is new.
    kind : one of :data:`KINDS`.
    channel : the column that changed most.
    before, after : the level at that row as it was and as it is, the slope per row, the standard deviation from row to
        row, or the length of the season in rows (0: none).
    sure : from 0.5 to 1, how probable the change is next to none at that row, by the information criterion.
    """

    row: int
    kind: str
    channel: int
    before: float
    after: float
    sure: float

    @property
    def size(self) -> float:
        """After less before."""
        return self.after - self.before

    def words(self, name: str) -> str:
        """What changed, for people: ``name`` is the column."""
        before, after = f"{self.before:.4g}", f"{self.after:.4g}"
        if self.kind == "season" and self.before and self.after:
            return f"{name} repeats every {after} rows instead of {before}"
        if self.kind == "season":
            return f"{name} repeats every {after} rows from here on" if self.after else f"{name} no longer repeats"
        what = {"level": "level", "trend": "slope per row", "variance": "scatter from row to row"}[self.kind]
        return f"{name} changes its {what} from {before} to {after}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "size": self.size}


def find_change_points(values: NDArray[np.float64]) -> list[ChangePoint]:
    """Find the rows at which a series changes.

    Parameters
    ----------
    values : (n, d) or (n,), NaN where missing. Channels that change together are found sooner than either alone.

    Returns
    -------
    The changes in order of row, at most one a row; none for fewer than 8 rows.

    References
    ----------
    Zhang and Siegmund: A Modified Bayes Information Criterion. Biometrics 63(1), 2007. Killick, Fearnhead and Eckley:
    Optimal Detection of Changepoints With a Linear Computational Cost. JASA 107(500), 2012. Dette, Eckle and Vetter:
    Multiscale Change Point Detection for Dependent Data. Scandinavian Journal of Statistics 47(4), 2020.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> change, = find_change_points(rng.normal(size=200) + 5.0 * (np.arange(200) >= 120))
    >>> change.row, change.kind, round(change.size)
    (120, 'level', 5)
    """
    matrix = np.asarray(values, dtype=np.float64)
    matrix = matrix[:, None] if matrix.ndim == 1 else matrix
    if len(matrix) < FEWEST_ROWS or not matrix.shape[1]:
        return []
    prepared = Prepared.of(matrix)
    spreads = _spread_cuts(prepared)
    levels = Cuts.of(prepared.values, prepared.weights(spreads.rows), slopes=True)
    found = [_named_level(prepared, levels, i) for i in range(len(levels.rows))]
    for other in (*_named_spreads(prepared, spreads), *_season_changes(prepared, levels)):
        if all(abs(other.row - one.row) > AT_ONCE for one in found):
            found.append(other)
    return sorted(found, key=lambda change: change.row)


def _named_level(prepared: Prepared, cuts: Cuts, i: int) -> ChangePoint:
    """A cut of levels and lines: of the channel that changes most, whether it is a jump or another slope."""
    edges = np.array([0, *cuts.rows, len(prepared.values)])
    start, row, end = edges[i : i + 3]
    left, right = _line(prepared.values, start, row, row), _line(prepared.values, row, end, row)
    reach = 0.5 * min(row - start, end - row)
    change = np.abs(right - left) * np.array([[1.0], [reach]])
    channel = int(np.argmax(change.sum(axis=0)))
    jumps = bool(change[0, channel] >= change[1, channel])
    unit, centre = prepared.unit[channel], prepared.centre[channel] if jumps else 0.0
    before, after = (float(side[0 if jumps else 1, channel] * unit + centre) for side in (left, right))
    return ChangePoint(int(row), "level" if jumps else "trend", channel, before, after, float(cuts.sure[i]))


def _line(values: NDArray[np.float64], start: int, end: int, at: int) -> NDArray[np.float64]:
    """(2, d) the value at a row of the line through a stretch, and its slope per row; level where it is short."""
    part = values[start:end]
    if end - start < 2 * FEWEST_ROWS:
        return np.stack([np.median(part, axis=0), np.zeros(part.shape[1])])
    rows = np.arange(start, end) - 0.5 * (start + end - 1)
    slope = rows @ (part - part.mean(axis=0)) / (rows @ rows)
    return np.stack([part.mean(axis=0) + slope * (at - 0.5 * (start + end - 1)), slope])


def _spread_cuts(prepared: Prepared) -> Cuts:
    """Where steps from row to row become larger or smaller; the first row may belong to either side."""
    n = len(prepared.values)
    if n < 4 * SHORTEST_SPREAD:
        return Cuts(np.empty(0, np.int64), np.empty(0))
    steps = np.diff(prepared.values, axis=0) / math.sqrt(2.0)
    steps = np.abs(steps - np.median(steps, axis=0))
    unit = prepared.values.std(axis=0)
    logs = np.log(steps / np.where(unit > 0.0, unit, 1.0) + math.sqrt(SHOWS))
    weights = np.minimum(noise_weights(logs, np.empty(0, np.int64), prepared.window), 1.0 / SPREAD_NOISE)
    cuts = Cuts.of(logs, np.where(prepared.known[1:] & prepared.known[:-1], weights, 0.0), fewest=SHORTEST_SPREAD)
    return Cuts(cuts.rows + 1, cuts.sure)


def _named_spreads(prepared: Prepared, cuts: Cuts) -> list[ChangePoint]:
    edges = [0, *cuts.rows.tolist(), len(prepared.values)]
    found = []
    for a, b, c, sure in zip(edges, edges[1:], edges[2:], cuts.sure.tolist(), strict=False):
        before, after = (
            np.array([robust_scale(np.diff(x)) / math.sqrt(2.0) for x in prepared.values[s:e].T])
            for s, e in ((a, b), (b, c))
        )
        channel = int(np.argmax(np.abs(after - before)))
        unit = float(prepared.unit[channel])
        found.append(
            ChangePoint(b, "variance", channel, float(before[channel]) * unit, float(after[channel]) * unit, sure)
        )
    return found


def _season_changes(prepared: Prepared, levels: Cuts) -> list[ChangePoint]:
    """Changes of the season of each channel, about its stretches."""
    found: list[ChangePoint] = []
    edges = [0, *levels.rows.tolist(), len(prepared.values)]
    for channel in range(prepared.values.shape[1]):
        rest = prepared.seasonal[:, channel].copy()
        for start, end in pairwise(edges):
            level, slope = _line(prepared.values[:, [channel]], start, end, 0)[:, 0]
            rest[start:end] -= level + slope * np.arange(start, end)
        found.extend(_season_changes_of(rest, channel, prepared.window))
    return found


def _season_changes_of(rest: NDArray[np.float64], channel: int, window: int) -> list[ChangePoint]:
    """Where rows no longer, or from now on, lie on the same side as one season earlier."""
    half = len(rest) // 2
    side = np.sign(rest)
    for length in sorted({repeating_lag(part) for part in (rest, rest[:half], rest[half:])} - {0}):
        if len(rest) < SEVERAL_SEASONS * length:
            continue
        same = (side[length:] * side[:-length])[:, None]
        noise = max(1.0, long_run_variance(same[:, 0], max(window, length)))
        cuts = Cuts.of(same, np.full(same.shape, 1.0 / noise), fewest=2 * length)
        if len(cuts.rows):
            return _named_seasons(rest, channel, cuts, length)
    return []


def _named_seasons(rest: NDArray[np.float64], channel: int, cuts: Cuts, length: int) -> list[ChangePoint]:
    side = np.sign(rest)
    same = side[length:] * side[:-length]
    edges = [0, *cuts.rows.tolist(), len(same)]
    found = []
    for a, b, c, sure in zip(edges, edges[1:], edges[2:], cuts.sure.tolist(), strict=False):
        ends = same[b:c].mean() < same[a:b].mean()
        row = b + length if ends else b
        before, after = repeating_lag(rest[a:row]), repeating_lag(rest[row : c + length])
        if before != after:
            found.append(ChangePoint(row, "season", channel, float(before), float(after), sure))
    return found
