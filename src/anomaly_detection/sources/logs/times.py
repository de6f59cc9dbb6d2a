"""Time stamps of the usual kinds as microseconds since 1970 in UTC."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import polars as pl

from anomaly_detection.errors import UnknownNameError
from anomaly_detection.sources.logs._times_kernels import ABSENT, NAIVE, UNREADABLE, read_times

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Spans

MISSING_TIME = np.iinfo(np.int64).min
"""In place of microseconds: no time."""

UTC = pl.Datetime("us", "UTC")


def checked_zone(name: str) -> str:
    """The name of a time zone.

    Raises
    ------
    UnknownNameError
        if there is no such zone.
    """
    if name == "UTC":
        return name
    if name not in available_timezones():
        raise UnknownNameError("time zone", name, sorted(available_timezones()))
    return ZoneInfo(name).key


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def instants(texts: Spans, zone: str, reference: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read time stamps.

    Read are ISO 8601 and its kin (``2024-12-31T23:59:59.123+01:00``, ``2024/12/31 23:59:59,123``,
    ``20241231 23:59:59``), Apache (``31/Dec/2024:23:59:59 +0100``), mail (``Tue, 31 Dec 2024 23:59:59 GMT``), C
    (``Tue Dec 31 23:59:59 2024``), syslog (``Dec 31 23:59:59``), log4j (``24/12/31 23:59:59``, year first), old
    Hadoop (``241231 235959``), with slashes and a year at the end (``12/31/2024 23:59``, month first), with dashes
    (``31-12-2024 23:59``, day first; ``12-31 23:59:59`` and klog's ``1231 23:59:59``, month first), and numbers since
    1970 as seconds, milli-, micro- or nanoseconds by their size. Digits beyond the microsecond are cut off.

    Parameters
    ----------
    texts : the time stamps.
    zone : the zone of those that name none. An hour that a clock change repeats is its first; in one that it leaves
        out there is no time.
    reference : microseconds since 1970. A time without a year is the latest that is at most a day after it.

    Returns
    -------
    Microseconds since 1970, MISSING_TIME where there is none, and which could not be read.
    """
    rows = texts.starts.size
    times, states = np.empty(rows, np.int64), np.empty(rows, np.uint8)
    read_times(texts.text, texts.starts, texts.ends, reference, times, states)
    naive = states == NAIVE
    if zone != "UTC" and naive.any():
        moved = in_zone(pl.Series(times[naive]), zone)
        times[naive] = moved.fill_null(MISSING_TIME).to_numpy()
    unread = states == UNREADABLE
    times[unread | (states == ABSENT)] = MISSING_TIME
    return times, unread | (naive & (times == MISSING_TIME))


def in_zone(naive: pl.Series, zone: str) -> pl.Series:
    """Microseconds of clocks of a zone as microseconds since 1970; null for an hour that a clock change leaves out."""
    local = naive.cast(pl.Datetime("us")).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return local.dt.convert_time_zone("UTC").cast(pl.Int64)


def time_column(times: NDArray[np.int64]) -> pl.Series:
    """Microseconds as a column, missing ones null."""
    column = pl.Series("time", times)
    missing = times == MISSING_TIME
    return (column.set(pl.Series(missing), None) if missing.any() else column).cast(UTC)
