"""Series at equal distances, and the moments that follow: by steps, by days as clocks show them, or by months."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features.series.axis import MOST_EMPTY
from anomaly_detection.features.series.calendar import civil
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.features.series.series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

MONTHS = {1: (28, 31), 2: (59, 62), 3: (89, 92), 6: (181, 184), 12: (365, 366)}
"""Steps of so many months are between so many days, both included."""


def months_of(step: int) -> int:
    """How many months a step is; 0 where it is none.

    >>> months_of(31 * DAY), months_of(91 * DAY), months_of(DAY)
    (1, 3, 0)
    """
    return next((months for months, (low, high) in MONTHS.items() if low * DAY <= step <= high * DAY), 0)


def regular(series: Series) -> Series:
    """The values at equal distances: a row for each place, NaN where there is none, the last of several of one place.

    Months are as long as they are, and days in a zone begin when its clocks say so. Where most places would be empty,
    because of long gaps, the rows stay as they are, the last of those with the same time.
    """
    n = len(series)
    places = _places(series)
    if not n or places[-1] >= MOST_EMPTY * n:
        last = np.append(np.diff(series.time) > 0, True)[:n]
        kept = series.values[last], series.time[last]
        return Series(np.ascontiguousarray(kept[0]), kept[1], series.step, series.names, series.zone)
    grid = np.full((int(places[-1]) + 1, series.width), np.nan)
    grid[places] = series.values
    time = np.concatenate([series.time[:1], times_after(series[:1], len(grid) - 1)])
    time[places] = series.time  # the rows' own times, where there are rows
    return Series(grid, np.maximum.accumulate(time), series.step, series.names, series.zone)


def times_after(series: Series, horizon: int) -> NDArray[np.int64]:
    """(horizon,) the moments of the rows that follow the last one of a series.

    >>> hours = Series.of([1.0, 2.0], step=10)
    >>> times_after(hours, 3).tolist()
    [20, 30, 40]
    """
    last, ahead = int(series.time[-1]), np.arange(1, horizon + 1, dtype=np.int64)
    months = months_of(series.step)
    if not months and (series.zone is None or series.step % DAY):
        return last + ahead * series.step
    local = civil(series.time[-1:], series.zone)
    if not months:
        return _from_civil(local + ahead * series.step, series.zone)
    start = pl.Series(np.repeat(local, horizon)).cast(pl.Datetime("us"))
    steps = pl.Series([f"{months * i}mo" for i in ahead], dtype=pl.String)
    frame = pl.DataFrame({"start": start, "steps": steps})
    moments = frame.select(pl.col("start").dt.offset_by(pl.col("steps"))).to_series()
    if _at_month_ends(series):
        moments = moments.dt.month_end()
    return _from_civil(moments.cast(pl.Int64).to_numpy(), series.zone)


def _places(series: Series) -> NDArray[np.int64]:
    """(n,) after how many steps from the first row each row is."""
    months = months_of(series.step)
    if months:
        local = pl.Series(civil(series.time, series.zone)).cast(pl.Datetime("us"))
        count = (local.dt.year().cast(pl.Int64) * 12 + local.dt.month()).to_numpy()
        return np.asarray((count - count[:1]) // months, dtype=np.int64)
    by_days = series.zone is not None and series.step % DAY == 0
    local_time = civil(series.time, series.zone) if by_days else series.time
    return np.asarray((local_time - local_time[:1] + series.step // 2) // series.step, dtype=np.int64)


def _at_month_ends(series: Series) -> bool:
    local = pl.Series(civil(series.time, series.zone)).cast(pl.Datetime("us"))
    return bool((local.dt.month_end() == local).all())


def _from_civil(local: NDArray[np.int64], zone: str | None) -> NDArray[np.int64]:
    """Microseconds since 1970 UTC of what clocks in a zone show; an hour that does not exist is one later."""
    if zone is None:
        return local
    naive = pl.Series(local).cast(pl.Datetime("us"))
    aware = naive.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    if aware.null_count():
        later = naive.dt.offset_by("1h").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        aware = aware.zip_with(aware.is_not_null(), later)
    return aware.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Int64).to_numpy()
