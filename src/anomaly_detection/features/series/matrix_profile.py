"""The matrix profile: how far each window of a series is from the one most like it, and where that is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series._profile_kernels import (
    nearest_windows,
    window_statistics,
    with_constant_windows,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_IN_WINDOW = 3
"""Two rows, z-normalised, are always alike."""


@dataclass(frozen=True, slots=True, eq=False)
class MatrixProfile:
    """The nearest windows of each of w windows; window i has the rows i to i + m - 1.

    Parameters
    ----------
    window : m, the rows of a window.
    left, right : (w,) the z-normalised Euclidean distance to the nearest earlier and later window; NaN where the window
        lacks a value, or there is none to compare with.
    left_place, right_place : (w,) where these begin; -1 for none.
    """

    window: int
    left: NDArray[np.float64]
    left_place: NDArray[np.int64]
    right: NDArray[np.float64]
    right_place: NDArray[np.int64]

    @property
    def distance(self) -> NDArray[np.float64]:
        """(w,) the distance to the nearest of all windows."""
        return np.fmin(self.left, self.right)

    @property
    def place(self) -> NDArray[np.int64]:
        """(w,) where the nearest of all windows begins; of two alike, the earlier."""
        later = (self.right < self.left) | (self.left_place < 0)
        return np.where(later, self.right_place, self.left_place)


def exclusion(window: int) -> int:
    """Windows that begin so many rows apart or fewer are not compared, being alike anyway: a quarter, rounded up."""
    return -(-window // 4)


def matrix_profile(values: NDArray[np.float64], window: int) -> MatrixProfile:
    """Compare every window of a series with every other.

    A constant window is at distance 0 from other constant ones, and sqrt(m) from all others; a window that lacks a
    value is compared with none. It takes time in proportion to the square of the rows.

    Parameters
    ----------
    values : (n,) NaN where missing.
    window : rows of a window, at least 3.

    Raises
    ------
    ParameterError
        if the window is shorter than 3 rows.
    InputError
        if the series is shorter than a window, or has infinite values.

    References
    ----------
    Yeh et al.: Matrix Profile I. ICDM 2016. Zimmerman et al.: Matrix Profile XIV: Scaling Time Series Motif Discovery
    with GPUs to Break a Quintillion Pairwise Comparisons a Day and Beyond. SoCC 2019.

    Examples
    --------
    >>> rows = np.arange(400)
    >>> values = np.sin(rows * 2 * np.pi / 40)
    >>> values[210:220] = 0.0
    >>> profile = matrix_profile(values, 40)
    >>> int(np.argmax(profile.distance)) in range(171, 220)
    True
    """
    series = np.ascontiguousarray(values, dtype=np.float64)
    if window < FEWEST_IN_WINDOW:
        raise ParameterError(f"window={window} must be at least {FEWEST_IN_WINDOW} rows.")
    if len(series) < window:
        raise InputError(f"A window of {window} rows is longer than the series, which has {len(series)}.")
    if np.isinf(series).any():
        raise InputError("A series has finite values, or missing ones (NaN); some are infinite.")
    return _profile(_centred(series), window)


def _centred(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """The series about its median, in units of its range, so that squares neither overflow nor cancel."""
    known = series[np.isfinite(series)]
    if not len(known):
        return series
    middle = series - np.median(known)
    reach = float(np.nanmax(np.abs(middle)))
    return middle / reach if reach > 0.0 else middle


def _profile(series: NDArray[np.float64], window: int) -> MatrixProfile:
    statistics, apart = window_statistics(series, window), exclusion(window)
    high, place = nearest_windows(np.nan_to_num(series), statistics, window, apart)
    with_constant_windows(statistics[1], apart, high, place)
    distance = np.sqrt(np.maximum(2.0 * window * (1.0 - high), 0.0))
    distance[place < 0] = math.nan
    return MatrixProfile(window, distance[0], place[0], distance[1], place[1])
