"""The left matrix profile as a series goes on: each new window against those before it, in bounded memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from anomaly_detection.errors import ParameterError
from anomaly_detection.features.series._row_profile_kernels import advance_windows
from anomaly_detection.features.series.matrix_profile import FEWEST_IN_WINDOW, exclusion

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class RowProfile:
    """What is remembered of a series: the latest values, the windows they make, and how these vary with the last one.

    Parameters
    ----------
    window : m, rows of a window, at least 3.
    clock : (2,) int64, values seen; how many of the latest were equal.
    points : (2 (r + m),) the latest values, each twice.
    windows : (5, 2 r) what the comparison of each of the r windows needs, twice.
    covariance : (r + 1,) of the last window with each of them; and how large the squares of a window were.
    """

    window: int
    clock: NDArray[np.int64]
    points: NDArray[np.float64]
    windows: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def empty(cls, window: int, remembered: int) -> Self:
        """Nothing seen yet; ``remembered`` windows will be kept.

        Raises
        ------
        ParameterError
            if the window is shorter than 3 rows, or no two windows that are kept can be compared.
        """
        if window < FEWEST_IN_WINDOW:
            raise ParameterError(f"window={window} must be at least {FEWEST_IN_WINDOW} rows.")
        if remembered < exclusion(window) + 2:
            raise ParameterError(f"remembered={remembered} must be at least {exclusion(window) + 2} windows.")
        points, windows = np.zeros(2 * (remembered + window)), np.zeros((5, 2 * remembered))
        return cls(window, np.zeros(2, np.int64), points, windows, np.zeros(remembered + 1))

    def advance(
        self, values: NDArray[np.float64], learn: NDArray[np.bool_] | None = None, line: float = math.inf
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Compare the window that ends at each value with those before it, then remember it.

        Parameters
        ----------
        values : (k,) values that follow, finite; best about 0, as large ones cost digits.
        learn : (k,) whether the window that ends here may be compared with later ones; all when not given.
        line : a window that scores above it may not, either.

        Returns
        -------
        (k,) one less the correlation with the nearest window, 0 to 2, times ``2 m`` the square of its distance; NaN
        where there is none. And (k,) the number of the value that window begins with, from 0 on; -1 for none.
        """
        found, place = np.empty(len(values)), np.empty(len(values), np.int64)
        new = np.ascontiguousarray(values, dtype=np.float64)
        kept = np.ones(len(new), np.bool_) if learn is None else np.ascontiguousarray(learn)
        arrays = (self.clock, self.points, self.windows, self.covariance)
        advance_windows(new, kept, *arrays, self.window, exclusion(self.window), float(line), found, place)
        return found, place
