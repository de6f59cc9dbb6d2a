"""Fitting the Fourier model: Huber's estimate for all channels with the same rows at once, and how well it did before.

The columns are the same for all channels, so that one factorisation serves them all: instead of weighing rows, each
round replaces values far from the fit by values at most 1.345 scales from it and solves again. Earlier moments are
tried out on the way: rows are cleaned in the order of time, each stretch by a fit on what came before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.forecasters._fourier_design import LAST_KNOT
from anomaly_detection.forecasters._fourier_kernels import FADING, LATEST, ROUND, SEASONAL, go_on, lean, sizes

if TYPE_CHECKING:
    from numpy.typing import NDArray

HUBER = 1.345
"""Residuals count as at most so many scales."""

FIRST = 3.0
"""Before the first fit, values count as at most so many scales from the median."""

ROUNDS = 3
"""Rounds of cleaning for the first fit."""

AGAIN = 2
"""Rounds for each further stretch; in the end all rows are cleaned once more."""

HINGE, WAVE = 3.0, 4.0
"""How much changes of the trend, and the slowest wave, are drawn to 0, in squared residual scales."""

NEVER = 1e12
"""Draws a column to 0 for good."""

EXPONENT = 8.0
"""Ways to go on are weighed by their errors to the power of minus so much."""

SAMPLE = 300
"""Scales are told from at most so many residuals."""

COMPARED = 48
"""Ways are compared by at most so many steps of a forecast."""

FEWEST = 2
"""Forecasts are tried out from so many known rows on."""

STIFF, FREE, FLAT = range(3)
"""Models: the slope never changes; it may; neither slope nor seasons."""

WAYS = np.array(
    [
        *((model, trend, added) for model in (STIFF, FREE) for trend in (0, 1) for added in range(5)),
        *((FLAT, 0, added) for added in (LATEST, ROUND, FADING, SEASONAL)),
    ],
    dtype=np.int64,
)
"""(W, 3) model, whether its slope goes on, and what is added of the latest residuals."""

USUAL = int(np.flatnonzero((WAYS == (STIFF, 0, ROUND)).all(axis=1))[0])
"""The way where there is too little history to try any."""


@dataclass(slots=True, eq=False)
class Fits:
    """What is learned of c channels.

    Parameters
    ----------
    level, slope : (3, c) of each model at the last row, and per row.
    waves : (3, c, s) coefficients of seasons.
    ring : (3, c, m) the latest residuals, the last one last.
    weight : (c, W) of each way to go on.
    errors : (c, K, H) of the weighed forecasts, each weighed by its errors at the other moments.
    """

    level: NDArray[np.float64]
    slope: NDArray[np.float64]
    waves: NDArray[np.float64]
    ring: NDArray[np.float64]
    weight: NDArray[np.float64]
    errors: NDArray[np.float64]


@dataclass(slots=True, eq=False)
class Model:
    """Columns of rows, and what all channels with the same rows share.

    Parameters
    ----------
    X : (n, p) columns of the known rows: those of the trend first.
    waves : (N, s) columns of seasons of all rows and of those that follow.
    rows : (n,) the places of the known rows.
    total : how many rows there are.
    trend : how many columns the trend has.
    knots : (trend - 2,) the row of each change.
    penalty : (p,) how much each column is drawn to 0.
    ring : how many residuals are kept.
    special : (n,) holidays: what is far out there is no outlier, and counts in full.
    """

    X: NDArray[np.float64]
    waves: NDArray[np.float64]
    rows: NDArray[np.int64]
    total: int
    trend: int
    knots: NDArray[np.float64]
    penalty: NDArray[np.float64]
    ring: int
    special: NDArray[np.bool_]
    solvers: dict[tuple[int, bool], NDArray[np.float64]] = field(default_factory=dict)

    def solver(self, n: int, *, free: bool) -> NDArray[np.float64]:
        """(p, p) the inverse that belongs to the first n known rows; changes late in them, or all, are left out."""
        if (n, free) not in self.solvers:
            penalty = self.penalty.copy()
            penalty[2 : self.trend][self.knots > LAST_KNOT * self.rows[n - 1]] = NEVER
            if not free:
                penalty[2 : self.trend] = NEVER
            X = self.X[:n]
            self.solvers[n, free] = np.asarray(np.linalg.inv(X.T @ X + np.diag(penalty)), dtype=np.float64)
        return self.solvers[n, free]


def fit_channels(model: Model, Y: NDArray[np.float64], starts: list[int], horizon: int) -> Fits:
    """Fit (c, n) values of the known rows, trying out forecasts from before each of some rows.

    Parameters
    ----------
    model : the columns.
    Y : one channel a row, no missing values.
    starts : places of rows, in order.
    horizon : how many rows ahead.
    """
    middle = np.median(_some(Y), axis=1, keepdims=True)
    state = _Robust(model, np.asarray(Y - middle))
    moments: list[Moment | None] = []
    size = np.full((len(starts), len(WAYS), len(Y)), np.nan)
    for k, start in enumerate(starts):
        end = int(np.searchsorted(model.rows, start))
        moments.append(_tried(state, end, start, horizon, size[k]) if end >= FEWEST else None)
    state.learn(len(model.rows), final=True)
    level, slope, waves, ring = state.parts(len(model.rows), model.total)
    weight, errors = _mixed(moments, size, len(Y), horizon)
    return Fits(level + middle[:, 0], slope, waves, ring, weight, errors)


@dataclass(slots=True, eq=False)
class Moment:
    """What is known at a moment, and what came then.

    Parameters
    ----------
    level, slope, season, shift, ring : as :func:`~anomaly_detection.forecasters._fourier_kernels.sizes` takes them.
    actual : (c, H) what came.
    """

    level: NDArray[np.float64]
    slope: NDArray[np.float64]
    season: NDArray[np.float64]
    shift: NDArray[np.float64]
    ring: NDArray[np.float64]
    actual: NDArray[np.float64]

    def errors(self, weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """(c, H) what came less the forecast that (W, c) weights make."""
        return self.actual - gone_on(weight, self.level, self.slope, self.season, self.shift, self.ring)


def gone_on(
    weight: NDArray[np.float64],
    level: NDArray[np.float64],
    slope: NDArray[np.float64],
    season: NDArray[np.float64],
    shift: NDArray[np.float64],
    ring: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(c, H) the weighed forecast."""
    out = np.empty(season.shape[1:])
    go_on(WAYS, weight, level, slope, season, shift, ring, out)
    return out


def leaning(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    """(V, c, 3) how the latest residuals of each model lean."""
    shift = np.empty((*ring.shape[:2], 3))
    for own, one in zip(ring, shift, strict=True):
        lean(own, one)
    return shift


def stride_of(horizon: int) -> int:
    """Every how many steps ahead are enough to compare ways by; no part of a day or a week."""
    stride = -(-horizon // COMPARED)
    while stride > 1 and math.gcd(stride, 42) > 1:
        stride += 1
    return stride


def _tried(state: _Robust, end: int, start: int, horizon: int, size: NDArray[np.float64]) -> Moment:
    """Forecasts from before a row, in all ways; their errors go into ``size``."""
    model = state.model
    state.learn(end)
    level, slope, waves, ring = state.parts(end, start)
    season = waves @ model.waves[start : start + horizon].T
    moment = Moment(level, slope, season, leaning(ring), ring, _actual(model, state.Y, start, horizon))
    sizes(WAYS, level, slope, season, moment.shift, ring, moment.actual, stride_of(horizon), size)
    return moment


class _Robust:
    """Huber's estimate of the coefficients of all channels, in stretches of rows."""

    def __init__(self, model: Model, Y: NDArray[np.float64]) -> None:
        self.model, self.Y = model, Y
        p = model.X.shape[1]
        self.done = 0
        self.clean = np.zeros((len(Y), p))  # cleaned values times columns, summed over the rows done
        self.B = np.zeros((len(Y), p))
        self.scale = np.zeros((len(Y), 1))

    def learn(self, end: int, *, final: bool = False) -> None:
        """Take the known rows up to ``end`` in; the last time all rows are cleaned once more."""
        X = self.model.X[self.done : end]
        Y = self.Y[:, self.done : end]
        solver = self.model.solver(end, free=True)
        if not self.done:
            self.clean = _drawn_in(Y, FIRST * _scale(Y), self.model.special[:end]) @ X
            self.B = self.clean @ solver
        before, rounds = self.clean if self.done else np.zeros_like(self.clean), AGAIN if self.done else ROUNDS
        for k in range(rounds):
            special = self.model.special[self.done : end]
            clean, self.scale = _cleaned(X, Y, self.B, special, self.scale if self.done or k > 1 else None)
            self.clean = before + clean
            self.B = self.clean @ solver
        self.done = end
        if final:
            X, Y = self.model.X[:end], self.Y[:, :end]
            self.clean, self.scale = _cleaned(X, Y, self.B, self.model.special[:end], None)
            self.B = self.clean @ solver

    def parts(self, end: int, start: int) -> tuple[NDArray[np.float64], ...]:
        """Level, slope, coefficients of waves and latest residuals of each model, as of the row before ``start``."""
        model, c, t = self.model, len(self.Y), self.model.trend
        stiff = self.clean @ model.solver(end, free=False)
        flat = np.zeros_like(stiff)
        coefficients = np.stack([stiff, self.B, flat])
        now = _trend_at(model, start - 1)
        before = _trend_at(model, start - 2)
        level = coefficients[:, :, :t] @ now
        slope = coefficients[:, :, :t] @ (now - before)
        ring = np.full((3, c, model.ring), np.nan)
        first = int(np.searchsorted(model.rows[:end], start - model.ring))
        late = model.rows[first:end] - (start - model.ring)
        ring[:, :, late] = self.Y[None, :, first:end] - coefficients @ model.X[first:end].T
        return level, slope, np.ascontiguousarray(coefficients[:, :, t:]), ring


def _trend_at(model: Model, row: float) -> NDArray[np.float64]:
    """(t,) the columns of the trend at a row."""
    n = max(1.0, model.total - 1.0)
    return np.concatenate([[1.0, row / n], np.maximum(row - model.knots, 0.0) / n])


def _cleaned(
    X: NDArray[np.float64],
    Y: NDArray[np.float64],
    B: NDArray[np.float64],
    special: NDArray[np.bool_],
    scale: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Columns times cleaned values (c, p), and the scale (c, 1), taken anew where none is given."""
    fit = B @ X.T
    rest = np.subtract(Y, fit)
    scale = _scale(rest) if scale is None else scale
    rest = _drawn_in(rest, HUBER * scale, special)
    rest += fit
    return rest @ X, scale


def _drawn_in(rest: NDArray[np.float64], reach: NDArray[np.float64], special: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values at most so far from 0, but for special ones."""
    near = np.clip(rest, -reach, reach)
    if special.any():
        near[:, special] = rest[:, special]
    return near


def _some(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows[:, :: stride_of(max(1, rows.shape[1] * COMPARED // SAMPLE))]


def _scale(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    """(c, 1) robust scales of rows about 0: the median, or the mean where most are 0."""
    some = np.abs(_some(rest))
    middle = 1.4826 * np.median(some, axis=1, keepdims=True)
    return np.where(middle > 0.0, middle, 1.2533 * np.abs(rest).mean(axis=1, keepdims=True))


def _actual(model: Model, Y: NDArray[np.float64], start: int, horizon: int) -> NDArray[np.float64]:
    """(c, H) what came from a row on, NaN where nothing did."""
    first, last = np.searchsorted(model.rows, (start, start + horizon))
    came = np.full((len(Y), horizon), np.nan)
    came[:, model.rows[first:last] - start] = Y[:, first:last]
    return came


def _mixed(
    moments: list[Moment | None], size: NDArray[np.float64], c: int, horizon: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(c, W) weights of the ways by their errors; (c, K, H) errors weighed by those at the other moments."""
    errors = np.full((c, len(moments), horizon), np.nan)
    if not len(moments) or np.isnan(size).all():
        weight = np.zeros((c, len(WAYS)))
        weight[:, USUAL] = 1.0
        return weight, errors
    known = np.nan_to_num(size)
    total = known.sum(axis=0)
    several = sum(moment is not None for moment in moments) > 1
    for k, moment in enumerate(moments):
        if moment is not None:
            errors[:, k] = moment.errors(_weights(total - known[k] if several else total))
    return np.ascontiguousarray(_weights(total).T), errors


def _weights(size: NDArray[np.float64]) -> NDArray[np.float64]:
    """(W, c) shares that add up to 1, larger for smaller errors."""
    least = size.min(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(size > 0.0, least / size, 1.0) ** EXPONENT
    weights: NDArray[np.float64] = share / share.sum(axis=0)
    return weights
