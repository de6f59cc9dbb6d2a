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
