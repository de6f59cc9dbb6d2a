"""Series that the checks of detectors use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.series.series import Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from anomaly_detection.detectors.series.base import SeriesDetector

HOUR = 3_600_000_000
PLANTED = 50


def daily(n: int, width: int = 1, seed: int = 0) -> Series:
    """Hourly rows of a daily curve with noise, about 20 +/- 5; the channels one hour apart."""
    rng = np.random.default_rng(seed)
    hours = np.arange(n)[:, None] + np.arange(width)
    return Series.of(20.0 + 5.0 * np.sin(2 * np.pi * hours / 24) + rng.normal(0.0, 0.5, size=(n, width)), HOUR)


def spiked(series: Series, row: int = 650) -> Series:
    """The same with one value far out, in the last channel."""
    values = series.values.copy()
    values[row, -1] += 60.0
    return series.with_values(values)


def with_gaps(series: Series) -> Series:
    """The same with every ninth value and a stretch of 40 missing."""
    values = series.values.copy()
    values[::9] = np.nan
    values[len(values) - 120 : len(values) - 80] = np.nan
    return series.with_values(values)


def fitted(make: Callable[[], SeriesDetector], series: Series) -> SeriesDetector:
    """A detector fitted on a series."""
    return make().fit(series)
