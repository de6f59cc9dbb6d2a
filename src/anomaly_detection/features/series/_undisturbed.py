"""What is taken out of a channel before changes are looked for: gaps, season, spikes; and its noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NORMAL = 1.4826
"""Standard deviation over median absolute deviation of a normal distribution."""

AROUND = 3
"""A spike is held against so many rows on either side, and is shorter than that."""

FAR = 4.0
"""A row so many scales from the median of the rows around it is a spike."""

RARELY = 0.1
"""Where no more than this share of the rows leaves the median around it, every such row is a spike."""

REPEATS = 0.5
"""Values that correlate so much with those one season earlier have a season."""

NEARLY = 0.85
"""Of several such lags, the shortest counts that correlates this share of the best."""

SHORTEST, FEWEST_SEASONS = 3, 4
"""A season has so many rows at least, and is gone through so many times."""


def without_gaps(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Missing values of a channel on the straight line between their neighbours; zeros if all are missing."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    rows = np.arange(len(values))
    return np.interp(rows, rows[known], values[known])


def without_spikes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A channel with spikes of one to three rows replaced by the median around them (Hampel's filter)."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, AROUND, mode="reflect"), 2 * AROUND + 1)
    middle = np.median(windows, axis=1)
    away = np.abs(values - middle)
    moved = away[away > 0.0]
    scale = robust_scale(moved, centred=True) if len(moved) > RARELY * len(values) else 0.0
    return np.where(away > FAR * scale, middle, values)


def without_season(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """A channel less the median of each place in its season; as it is where the length is 0."""
    if length == 0:
        return values
    rest = values - moving_mean(values, length)
    shape = np.array([np.median(rest[place::length]) for place in range(length)])
    repeated: NDArray[np.float64] = (shape - shape.mean())[np.arange(len(values)) % length]
    return values - repeated


def moving_mean(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The mean over one season around each row; the ends are mirrored through their last value."""
    half = length // 2
    weights = np.ones(2 * half + 1)
    if length % 2 == 0:
        weights[[0, -1]] = 0.5
    padded = np.pad(values, half, mode="reflect", reflect_type="odd")
    mean: NDArray[np.float64] = np.convolve(padded, weights / length, mode="valid")
    return mean


def season_length(values: NDArray[np.float64]) -> int:
    """The shortest lag in rows at which the steps of a channel clearly repeat; 0 where they do not.

    Steps from row to row take out level and trend; the values themselves then say it to the row.
    """
    rough = repeating_lag(np.diff(values)) if len(values) > SHORTEST else 0
    if rough == 0:
        return 0
    near = np.arange(math.ceil(0.9 * rough), math.floor(1.1 * rough) + 1)
    return int(near[np.argmax(_likeness(values - moving_mean(values, rough), int(near[-1]))[near])])


def repeating_lag(values: NDArray[np.float64]) -> int:
    """The shortest lag at which values without level and trend clearly repeat, 0 if none."""
    longest = len(values) // FEWEST_SEASONS
    if longest <= SHORTEST:
        return 0
    alike, lags = _likeness(values, longest + 1), np.arange(SHORTEST, longest + 1)
    peaks = lags[(alike[lags] >= alike[lags - 1]) & (alike[lags] >= alike[lags + 1]) & (alike[lags] > REPEATS)]
    return int(peaks[alike[peaks] >= NEARLY * alike[peaks].max()][0]) if len(peaks) else 0


def _likeness(values: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """(longest + 1,) the autocorrelation at each lag, values far out brought in to 4 scales; zeros if constant."""
    values = values - np.median(values)
    reach = FAR * robust_scale(values, centred=True)
    values = np.clip(values, -reach, reach)
    values -= values.mean()
    power = float(values @ values)
    if power == 0.0:
        return np.zeros(longest + 1)
    spectrum = np.abs(np.fft.rfft(values, 2 * len(values))) ** 2
    shares: NDArray[np.float64] = np.fft.irfft(spectrum)[: longest + 1] / power
    return shares * len(values) / (len(values) - np.arange(longest + 1))


def long_run_variance(values: NDArray[np.float64], longest: int) -> float:
    """The variance of a channel's noise as sums see it, from robust differences of neighbouring means.

    Noise that goes on for some rows makes means of rows vary more than independent noise does. The larger of two
    estimates: from single rows, and from means of ``longest`` rows times that number (Dette, Eckle and Vetter 2020).
    Changes of level are few and do not count, as the scale of the differences is robust.
    """
    total = np.concatenate([[0.0], np.cumsum(values)])
    found = 0.0
    for size in (1, longest):
        if len(values) < 2 * size + 3:
            continue
        means = (total[size:] - total[:-size]) / size
        found = max(found, size * robust_scale(means[size:] - means[:-size]) ** 2 / 2.0)
    return found


def robust_scale(values: NDArray[np.float64], *, centred: bool = False) -> float:
    """The median absolute deviation as a standard deviation; about 0 where ``centred``; 0 of nothing."""
    if not len(values):
        return 0.0
    return NORMAL * float(np.median(np.abs(values if centred else values - np.median(values))))
