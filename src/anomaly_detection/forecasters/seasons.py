"""The seasons that forecasters look for: how many rows they have, and filling what is missing by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.series.calendar import SEASONS
from anomaly_detection.features.series.periods import season_lengths
from anomaly_detection.forecasters.timeline import months_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series

LOOKED_AT = 4
"""Seasons are looked for in at most so many channels, evenly chosen."""

ROUNDS = 2
"""A season that is named has to fit so many times."""

YEAR = 12
"""Months in the season that rows by months are supposed to have, where there are two years of them."""


def seasons_of(series: Series) -> tuple[int, ...]:
    """After how many rows a regular series looks like itself again, the strongest first; empty where it never does.

    The channel counts in which the strongest season is strongest, among a few. Rows by months, or by quarters, have the
    season of the year from two years on.
    """
    months = months_of(series.step)
    year = YEAR // months if months else 0
    chosen = np.unique(np.linspace(0, series.width - 1, min(LOOKED_AT, series.width)).round().astype(np.int64))
    step = 0 if months or series.step >= SEASONS["week"] else series.step
    found = [season_lengths(np.ascontiguousarray(series.values[:, k]), step) for k in chosen]
    best = max(found, key=lambda each: each[0][1] if each else 0.0, default=[])
    if not best and year > 1 and len(series) >= ROUNDS * year:
        return (year,)
    return tuple(length for length, _ in best)


def main_season(series: Series, wanted: int | None, rounds: int = ROUNDS) -> int:
    """The length of the season to use: the one named, or the strongest; 1 where none goes round often enough."""
    length = wanted if wanted is not None else next(iter(seasons_of(series)), 1)
    return length if len(series) >= rounds * length else 1


def filled(values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    """(m, d) values without missing ones: what is missing lies on the line between its neighbours, plus the season.

    The season is the median of the rows at the same place of it, less the median of all.
    """
    if not np.isnan(values).any():
        return values
    result = np.empty_like(values)
    rows = np.arange(len(values))
    for k in range(values.shape[1]):
        known = ~np.isnan(values[:, k])
        shape = _shape(values[:, k], season)
        flat = values[:, k] - shape
        result[:, k] = np.where(known, values[:, k], np.interp(rows, rows[known], flat[known]) + shape)
    return result


def _shape(values: NDArray[np.float64], season: int) -> NDArray[np.float64]:
    places = np.arange(len(values)) % season
    if season < 2:
        return np.zeros(len(values))
    middle = np.nanmedian(values)
    each = [values[places == place] for place in range(season)]
    shape = np.array([np.nanmedian(one) - middle if not np.isnan(one).all() else 0.0 for one in each])
    return shape[places]
