"""Civil time: hours, weekdays and months as the clock on the wall shows them, daylight saving included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.features.series.clock import DAY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SEASONS = {
    "minute": DAY // 1440,
    "hour": DAY // 24,
    "day": DAY,
    "week": 7 * DAY,
    "month": round(365.2425 / 12 * DAY),
    "year": round(365.2425 * DAY),
}
"""How long the seasons of the calendar are, in microseconds."""


def check_zone(zone: str | None) -> None:
    """Refuse a time zone that nobody knows.

    Raises
    ------
    ParameterError
        naming it, and how zones are written.
    """
    if zone is None:
        return
    try:
        pl.Series([0]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    except pl.exceptions.PolarsError:
        raise ParameterError(f"Unknown time zone {zone!r}. Write it like Europe/Berlin or UTC.") from None


def civil(time: NDArray[np.int64], zone: str | None) -> NDArray[np.int64]:
    """(n,) microseconds since 1970 as clocks in a zone show them; the hour that comes twice in autumn comes twice.

    Parameters
    ----------
    time : (n,) microseconds since 1970 UTC.
    zone : such as ``"Europe/Berlin"``; None is UTC.

    >>> import numpy as np
    >>> summer = np.array([1_720_000_800_000_000])
    >>> int(civil(summer, "Europe/Berlin")[0] - summer[0]) // 3_600_000_000
    2
    """
    if zone is None:
        return time
    aware = pl.Series(time).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    return aware.dt.replace_time_zone(None).cast(pl.Int64).to_numpy()


def phases(time: NDArray[np.int64], season: str, zone: str | None = None) -> NDArray[np.float64]:
    """(n,) how far each moment is through a season of the calendar, in [0, 1).

    Weeks begin on Monday. Months and years are as long as they are, leap years included.

    >>> import numpy as np
    >>> phases(np.array([6 * 3_600_000_000]), "day").tolist()
    [0.25]
    """
    local = civil(time, zone)
    if season in ("month", "year"):
        return _through(local, f"1{'mo' if season == 'month' else 'y'}")
    length = SEASONS[season]
    start = 4 * DAY if season == "week" else 0  # 1970 began on a Thursday
    return ((local - start) % length) / length


def _through(local: NDArray[np.int64], every: str) -> NDArray[np.float64]:
    moments = pl.Series(local).cast(pl.Datetime("us"))
    begins = moments.dt.truncate(every)
    ends = begins.dt.offset_by(every)
    gone = (moments - begins).cast(pl.Int64).to_numpy()
    whole = (ends - begins).cast(pl.Int64).to_numpy()
    shares: NDArray[np.float64] = gone / whole
    return shares
