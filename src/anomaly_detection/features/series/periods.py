"""Season lengths: after how many rows a series looks like itself again; none where it never does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.series.calendar import SEASONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 3
"""A season has to come round so many times."""

SHORTEST = 4
"""A season has at least so many rows, or as many as one of the calendar."""

MOST_ROWS = 20_000
"""Seasons are looked for in at most so many of the last rows."""

STRONG = 0.3
"""Rows one season apart correlate at least so much."""

BETTER = 0.1
"""A further season explains so much more of what those before it left."""

NEAR = 0.125
"""A further season differs by more than this share of a known one."""

MOST_SEASONS = 3
"""At most so many seasons are told."""

NOTHING = 1e-12
"""Less variance than this, in squared scales, is rounding."""

ROBUST = 3.0
"""Values count as at most so many scales from the middle."""


def season_lengths(values: NDArray[np.float64], step: int = 0) -> list[tuple[int, float]]:
    """The seasons of a regular series, the strongest first, in rows, and how much each explains of what is left.

    Autocorrelation of the values, drawn in to three scales and freed of a slow trend, has to peak at the length and at
    twice the length. A length that the calendar knows (a day, a week …) is taken in place of one within a fiftieth of
    it. What a season explains is then taken out before the next is looked for.

    Parameters
    ----------
    values : (n,) at equal distances, NaN where missing.
    step : their distance in microseconds; 0 without a clock.

    Returns
    -------
    Lengths in rows with their strength in (0, 1]; empty where there is no season, or it did not come round three times.

    >>> rows = np.arange(2000)
    >>> [length for length, strength in season_lengths(np.sin(2 * np.pi * rows / 24), 3_600_000_000)]
    [24]
    """
    rest = _prepared(values[-MOST_ROWS:])
    found: list[tuple[int, float]] = []
    while rest is not None and len(found) < MOST_SEASONS:
        least = BETTER if found else STRONG / 2
        calendar = [one for one in _of_calendar(step, len(rest)) if _strength(rest, one) >= least]
        length = _strongest(rest, [one for one, _ in found], calendar)
        if length is None or (strength := _strength(rest, length)) < least:
            break
        found.append((length, strength))
        rest = rest - _profile(rest, length)
        if not np.var(rest) > NOTHING:
            break
    return found


def autocorrelation(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """(most + 1,) the autocorrelation of values without missing ones at lags 0 … ``most``."""
    n = len(values)
    centred = values - values.mean()
    spectrum = np.fft.rfft(centred, 1 << int(2 * n - 1).bit_length())
    products = np.fft.irfft(spectrum * np.conj(spectrum))[: most + 1]
    scaled: NDArray[np.float64] = products / max(products[0], 1e-300) * n / (n - np.arange(most + 1))
    return scaled


def _prepared(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Values drawn in, without trend and missing ones; None where there is nothing to look for."""
    present = ~np.isnan(values)
    n = len(values)
    if present.sum() < max(FEWEST * SHORTEST, n // 4):
        return None
    middle = np.median(values[present])
    scale = 1.4826 * np.median(np.abs(values[present] - middle)) or values[present].std()
    if not scale > 0.0:
        return None
    drawn = np.clip((values - middle) / scale, -ROBUST, ROBUST)
    rows = np.arange(n)
    filled = np.interp(rows, rows[present], drawn[present])
    level: NDArray[np.float64] = filled - np.polyval(np.polyfit(rows / n, filled, 1), rows / n)
    return level if np.var(level) > NOTHING else None


def _strongest(values: NDArray[np.float64], known: list[int], calendar: list[int]) -> int | None:
    most = len(values) // FEWEST
    if most < SHORTEST - 1:
        return None
    r = autocorrelation(values, min(2 * most, len(values) - 1))
    lags = np.arange(SHORTEST, most)
    peaks = lags[(r[lags] >= r[lags - 1]) & (r[lags] > r[lags + 1]) & (r[lags] >= STRONG)]
    peaks = peaks[r[peaks] - _valley(r, peaks) >= STRONG] if len(peaks) else peaks
    candidates = [int(lag) for lag in peaks if r[2 * lag] >= STRONG / 2]
    candidates += [lag for lag in calendar if lag <= most and r[lag] >= STRONG]
    candidates = [lag for lag in candidates if all(_another(lag, one) for one in known)]
    if not candidates:
        return None
    best = max(r[lag] for lag in candidates)
    first = min(lag for lag in candidates if r[lag] >= 0.9 * best)  # its multiples peak as high
    first = max((lag for lag in candidates if lag <= 1.25 * first), key=lambda lag: float(r[lag]))  # noise on its hump
    return min(calendar, key=lambda lag: abs(lag - first)) if _near(first, calendar) else _refined(first, r)


def _another(lag: int, known: int) -> bool:
    """Whether a season is another than a known one: no part of it, not twice it, nor what a drift makes of it."""
    return bool((lag % known and known % lag) or lag > 2 * known) and abs(lag - known) > NEAR * known


def _refined(lag: int, r: NDArray[np.float64]) -> int:
    """The lag near by of which the multiples correlate most: they tell it to a fraction of a row."""
    times = np.arange(1, max(2, len(r) // (lag + max(1, lag // 20))))
    near = range(max(SHORTEST, lag - max(1, lag // 20)), lag + max(1, lag // 20) + 1)
    return max(near, key=lambda one: float(r[np.minimum(times * one, len(r) - 1)].mean()))


def _valley(r: NDArray[np.float64], peaks: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lowest autocorrelation before each peak: a slow decay has none."""
    return np.minimum.accumulate(r)[peaks]


def _near(lag: int, calendar: list[int]) -> bool:
    return any(abs(lag - one) <= max(1, one / 50) for one in calendar)


def _of_calendar(step: int, n: int) -> list[int]:
    """The lengths of the calendar's seasons in rows, where they are whole numbers of them."""
    if not step:
        return []
    lengths = [length / step for length in SEASONS.values()]
    return [round(one) for one in lengths if 2 <= one <= n / FEWEST and abs(one - round(one)) < 0.01 * one]


def _strength(values: NDArray[np.float64], length: int) -> float:
    """The share of the variance that a season explains; rows an hour apart are alike in a slow series without any."""
    return 1.0 - float(np.var(values - _profile(values, length))) / float(np.var(values))


def _profile(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(n,) the mean of the rows at the same place of the season."""
    places = np.arange(len(values)) % length
    sums = np.bincount(places, values, minlength=length)
    means: NDArray[np.float64] = sums / np.bincount(places, minlength=length)
    return means[places]
