"""Center and spread that a minority of far values cannot move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEDIAN_TO_DEVIATION = 1.482602218505602
"""The standard deviation of a normal distribution in its median absolute deviations."""

MEAN_TO_DEVIATION = 1.2533141373155001
"""The standard deviation of a normal distribution in its mean absolute deviations."""


def center_and_scale(column: NDArray[np.float32] | NDArray[np.float64]) -> tuple[float, float]:
    """Median, and the unit of a robust z: infinite where all present values are equal.

    >>> center_and_scale(np.float64([7, 7, 7, 7, 9]))
    (7.0, 0.50132...)
    """
    values = column[~np.isnan(column)].astype(np.float64)
    if not values.size:
        return 0.0, np.inf
    center = float(np.median(values))
    away = np.abs(values - center)
    scale = MEDIAN_TO_DEVIATION * np.median(away) or MEAN_TO_DEVIATION * away.mean()
    return center, float(scale) or np.inf


REACH = 30.0
"""Values further than this many robust units from the median are moved there before a deviation is taken."""


def standardised(
    X: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Rows in units of each column's deviation, which neither one wild value nor a column's unit can spoil.

    Parameters
    ----------
    X : (n, d) rows without missing values.

    Returns
    -------
    (n, d) ``(X - center) / deviation`` with values beyond :data:`REACH` robust units moved in, (d,) the medians, and
    (d,) the standard deviations of what was moved in; 1 for constant columns.

    >>> standardised(np.float32([[0], [1], [2], [1e30]]))[2].round(2).tolist()
    [19.49]
    """
    pairs = np.array([center_and_scale(column) for column in X.T])
    center, reach = pairs[:, 0], REACH * pairs[:, 1]
    gaps = np.clip(X - center, -reach, reach)
    deviation = gaps.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return gaps / deviation, center, deviation


QUARTILES_TO_DEVIATION = 1.349
"""The distance between the quartiles of a normal distribution, in its standard deviations."""


def quartile_scale(X: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The median of each column and its deviation by the quartiles, which a quarter of far values cannot move.

    Parameters
    ----------
    X : (n, d) rows without missing values.

    Returns
    -------
    (d,) medians and (d,) deviations: the standard deviation where half of the values are equal, 1 for constant columns.

    >>> quartile_scale(np.float32([[0, 1], [1, 1], [2, 1], [1e30, 1]]))[0].tolist()
    [1.5, 1.0]
    """
    low, center, high = np.quantile(X.astype(np.float64), [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / QUARTILES_TO_DEVIATION
    scale = np.where(scale > 0, scale, X.std(axis=0, dtype=np.float64))
    return center, np.where(scale > 0, scale, 1.0)
