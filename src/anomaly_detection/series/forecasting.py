"""Forecasts of a table: a series per key, what comes next with bands, and when a limit will be crossed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.catalog import FORECASTERS
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.inference import check_finite
from anomaly_detection.features.nesting import flatten
from anomaly_detection.features.series.axis import tracks_of
from anomaly_detection.features.series.calendar import SEASONS, check_zone
from anomaly_detection.features.series.clock import ROWS, SECOND, clock_notes, clock_of
from anomaly_detection.features.series.series import Series
from anomaly_detection.forecasters import create
from anomaly_detection.frames import as_frame
from anomaly_detection.pipeline import silent
from anomaly_detection.records import counted
from anomaly_detection.series.crossing import Crossing, crossing_of
from anomaly_detection.series.horizon import rows_ahead
from anomaly_detection.series.schema import series_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.features.series.axis import Track
    from anomaly_detection.features.series.clock import Clock
    from anomaly_detection.forecasters import Forecast, Forecaster
    from anomaly_detection.pipeline import Progress

TOGETHER = "fourier"
"""The algorithm that fits all keys with the same times at once."""

FEWEST_VALUES = 2
"""A series has at least so many values, for one says nothing of how they vary."""

MOST_NAMED = 5
"""At most so many keys are named in a note."""


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """The forecast of one column of one key.

    Parameters
    ----------
    key : its text; the empty text where there is none.
    column : the user's column.
    history : (n,) what came before, at equal distances, NaN where missing.
    time : (h,) when: dates, or row numbers.
    mean, lower, upper : (h,) what is expected, and between what a share ``level`` of the values will be.
    probability : (h,) of a value beyond the limit; None without one.
    crossing : when the limit will be crossed; None without one.
    evidence : what the forecaster chose, and why.
    """

    key: str
    column: str
    history: NDArray[np.float64]
    time: pl.Series
    mean: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    probability: NDArray[np.float64] | None
    crossing: Crossing | None
    evidence: dict[str, Any]

    def to_polars(self) -> pl.DataFrame:
        """Columns key, column, time, expected, lower, upper, and probability where there is a limit."""
        columns: dict[str, Any] = {
            "key": [self.key] * len(self.mean),
            "column": [self.column] * len(self.mean),
            "time": self.time,
            "expected": self.mean,
            "lower": self.lower,
            "upper": self.upper,
        }
        if self.probability is not None:
            columns["probability"] = self.probability
        return pl.DataFrame(columns)


@dataclass(frozen=True, slots=True, eq=False)
class Outlooks:
    """The forecasts of a table.

    Parameters
    ----------
    outlooks : of each key and column, in order of the keys.
    level : the share of values between the bounds.
    algorithm : the name of the forecaster.
    notes : what there is to know, in sentences.
    """

    outlooks: tuple[Outlook, ...]
    level: float
    algorithm: str
    notes: tuple[str, ...]

    def __iter__(self) -> Iterator[Outlook]:
        return iter(self.outlooks)

    def __len__(self) -> int:
        return len(self.outlooks)

    def to_polars(self) -> pl.DataFrame:
        """All of them: column, time, expected, lower and upper; key where there are keys, probability with a limit."""
        frame = pl.concat([one.to_polars() for one in self.outlooks])
        return frame if any(one.key for one in self.outlooks) else frame.drop("key")

    def crossings(self) -> list[Crossing]:
        """When the limit will be crossed, for each forecast; empty without a limit."""
        return [one.crossing for one in self.outlooks if one.crossing is not None]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        rows = [
            {
                "key": one.key or None,
                "column": one.column,
                "rows": len(one.history),
                "evidence": one.evidence,
                "crossing": one.crossing.to_dict() if one.crossing else None,
                "forecast": one.to_polars().drop("key", "column").to_dicts(),
            }
            for one in self.outlooks
        ]
        return {"algorithm": self.algorithm, "level": self.level, "notes": list(self.notes), "series": rows}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of a forecast.

    Parameters
    ----------
    horizon : a number of rows, or a duration such as ``"7d"``.
    level : the share of values that the bounds shall hold.
    limit : a value that matters when it is crossed.
    direction : ``"rise"`` or ``"drop"``; None takes the side on which the last value does not lie.
    nonnegative : whether nothing below 0 is forecast; None: where nothing in the history was below.
    """

    horizon: int | str
    level: float = 0.95
    limit: float | None = None
    direction: str | None = None
    nonnegative: bool | None = None

    def check(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        ParameterError
            for a level, a limit or a direction that is none.
        """
        if not 0.0 < self.level < 1.0:
            raise ParameterError(f"level={self.level} must be above 0 and below 1: the share of values in the band.")
        if self.direction not in (None, "rise", "drop"):
            raise ParameterError(f"direction={self.direction!r} must be rise or drop: how a limit is crossed.")
        if self.direction is not None and self.limit is None:
            raise ParameterError(f"direction={self.direction!r} says how a limit is crossed. Give a limit, too.")
        if self.limit is not None and not np.isfinite(self.limit):
            raise ParameterError(f"limit={self.limit} is no number that could be crossed.")


def forecast(
    data: Any,
    horizon: int | str,
    timestamp: str,
    *,
    columns: Sequence[str] | None = None,
    key: str | Sequence[str] | None = None,
    algorithm: str = "auto",
    level: float = 0.95,
    limit: float | None = None,
    direction: str | None = None,
    nonnegative: bool | None = None,
    zone: str | None = None,
    **parameters: Any,
) -> Outlooks:
    """Say how the series in a table go on.

    Parameters
    ----------
    data : a table with a column of time and columns of numbers, in any order.
    horizon : for how many rows, or for how long: 24, ``"12h"``, ``"7d"``.
    timestamp : the column of time: dates, text, seconds since 1970, or row numbers.
    columns : what to forecast; all columns of numbers by default.
    key : the column, or columns, that say which series a row belongs to.
    algorithm : a forecaster by name: ``"auto"``, ``"fourier"``, ``"ets"``, ``"stl"``, ``"seasonal_naive"``,
        ``"arima"``, ``"mstl"``, ``"prophet"``.
    level, limit, direction, nonnegative : see :class:`Wish`.
    zone : the time zone of days and weeks where the column does not say, such as ``"Europe/Berlin"``.
    parameters : those of the forecaster.

    Raises
    ------
    InputError
        for a table that holds no such series, or no series that is long enough.

    Examples
    --------
    >>> rows = [{"hour": i, "load": float(i % 24)} for i in range(240)]
    >>> found = forecast(rows, horizon=3, timestamp="hour")
    >>> found.to_polars()["expected"].round(1).to_list()
    [0.0, 1.0, 2.0]
    """
    wish = Wish(horizon, level, limit, direction, nonnegative)
    return outlooks_of(as_frame(data), wish, timestamp, columns, key, algorithm, zone, parameters)


def outlooks_of(
    frame: pl.DataFrame,
    wish: Wish,
    timestamp: str,
    columns: Sequence[str] | None,
    key: str | Sequence[str] | None,
    algorithm: str,
    zone: str | None,
    parameters: dict[str, Any],
    ignore: Sequence[str] = (),
    progress: Progress = silent,
) -> Outlooks:
    """What :func:`forecast` does, once the data is a frame; progress counts keys."""
    wish.check()
    check_zone(zone)
    create(algorithm, **parameters)
    algorithm = FORECASTERS.resolve(algorithm).name
    frame = flatten(frame)
    schema = series_schema(frame, timestamp, columns=columns, key=key, ignore=ignore)
    check_finite(frame, schema)
    clock = clock_of(frame[timestamp], zone)
    tracks, notes = tracks_of(frame, schema, clock)
    notes = [*clock_notes(frame[timestamp], clock), *notes]
    return outlooks_of_tracks(tracks, wish, clock, algorithm, parameters, notes, progress)


def outlooks_of_tracks(
    tracks: list[Track],
    wish: Wish,
    clock: Clock,
    algorithm: str,
    parameters: dict[str, Any],
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> Outlooks:
    """Say how series go on; ``algorithm`` is a name of the catalog.

    Raises
    ------
    InputError
        if none is long enough.
    """
    tracks, short = _long_enough(tracks)
    groups = _together(tracks) if algorithm == TOGETHER else [[track] for track in tracks]
    found: list[Outlook] = []
    for group in groups:
        progress("forecasting", len(found), sum(track.series.width for track in tracks))
        found += _of_group(group, wish, clock, algorithm, parameters)
    found.sort(key=lambda one: one.key)
    return Outlooks(tuple(found), wish.level, algorithm, (*notes, *short, *_seasons_missed(tracks, clock)))


def outlooks_of_model(
    tracks: list[Track], clock: Clock, horizon: int | str, algorithm: str, wishes: dict[str, Any]
) -> Outlooks:
    """Say how series go on of which a model kept the latest rows.

    Parameters
    ----------
    tracks : these rows.
    clock : how time is read.
    horizon : for how many rows, or for how long.
    algorithm : a forecaster by name.
    wishes : parts of :class:`Wish`, and parameters of the forecaster.

    Raises
    ------
    InputError
        if no rows were kept.
    """
    if not tracks:
        raise InputError("The model keeps no rows to make forecasts from: no key has enough for a model of its own.")
    parts = {one.name for one in fields(Wish)} - {"horizon"}
    wish = Wish(horizon, **{name: value for name, value in wishes.items() if name in parts})
    wish.check()
    parameters = {name: value for name, value in wishes.items() if name not in parts}
    create(algorithm, **parameters)
    return outlooks_of_tracks(tracks, wish, clock, FORECASTERS.resolve(algorithm).name, parameters)


def _of_group(
    group: list[Track], wish: Wish, clock: Clock, algorithm: str, parameters: dict[str, Any]
) -> list[Outlook]:
    """The forecasts of tracks with the same times."""
    series = group[0].series if len(group) == 1 else _side_by_side(group)
    rows = rows_ahead(wish.horizon, series.step, clock)
    forecaster = create(algorithm, **{"horizon": rows, **parameters}).fit(series)
    ahead = forecaster.predict(rows, wish.level)
    width = group[0].series.width
    return [
        _outlook(track, k, ahead, place * width + k, wish, clock, forecaster)
        for place, track in enumerate(group)
        for k in range(width)
        if not np.isnan(track.series.values[:, k]).all()
    ]


def _outlook(
    track: Track, k: int, ahead: Forecast, place: int, wish: Wish, clock: Clock, forecaster: Forecaster
) -> Outlook:
    history = track.series.values[:, k]
    known = history[~np.isnan(history)]
    clip = wish.nonnegative if wish.nonnegative is not None else bool((known >= 0.0).all())
    shown = ahead.clipped() if clip else ahead
    time = _shown(ahead.time, clock)
    probability, crossing = None, None
    if wish.limit is not None:
        side = wish.direction or ("rise" if known[-1] <= wish.limit else "drop")
        probability = ahead.beyond(wish.limit, side)[:, place]
        crossing = crossing_of(
            track.key, track.series.names[k], wish.limit, side, wish.level, probability, time, known[-1]
        )
    return Outlook(
        track.key,
        track.series.names[k],
        history,
        time,
        shown.mean[:, place],
        shown.lower[:, place],
        shown.upper[:, place],
        probability,
        crossing,
        forecaster.evidence(),
    )


def _long_enough(tracks: list[Track]) -> tuple[list[Track], list[str]]:
    """The series with enough values, and what to say of the others.

    Raises
    ------
    InputError
        if none has, naming how many it takes.
    """
    counts = [int((~np.isnan(track.series.values)).sum(axis=0).max(initial=0)) for track in tracks]
    kept = [track for track, count in zip(tracks, counts, strict=True) if count >= FEWEST_VALUES]
    if not kept:
        most = max(counts, default=0)
        raise InputError(
            f"A forecast takes at least {FEWEST_VALUES} values, and a season two rounds of it; the longest series here "
            f"has {counted(most, 'value')}. Give {FEWEST_VALUES - most} more."
        )
    short = [track.key for track, count in zip(tracks, counts, strict=True) if count < FEWEST_VALUES]
    if not short:
        return kept, []
    named = ", ".join(short[:MOST_NAMED]) + (", …" if len(short) > MOST_NAMED else "")
    return kept, [f"no forecast for {counted(len(short), 'key')} with fewer than {FEWEST_VALUES} values: {named}"]


def _seasons_missed(tracks: list[Track], clock: Clock) -> list[str]:
    """Which seasons the longest series is too short for, and how many rows it takes."""
    if not clock.is_clock:
        return []
    longest = max((track.series for track in tracks), key=len)
    span = int(longest.time[-1] - longest.time[0]) + longest.step
    missed = [name for name in ("day", "week") if longest.step * 4 <= SEASONS[name] and span < 2 * SEASONS[name]]
    return [
        f"the history is too short to tell a season of a {name}: it has {counted(len(longest), 'row')}, "
        f"and that takes {2 * SEASONS[name] // longest.step:,}"
        for name in missed[:1]
    ]


def _together(tracks: list[Track]) -> list[list[Track]]:
    """Tracks with the very same times, in groups."""
    groups: dict[bytes, list[Track]] = {}
    for track in tracks:
        groups.setdefault(track.series.time.tobytes(), []).append(track)
    return list(groups.values())


def _side_by_side(group: list[Track]) -> Series:
    first = group[0].series
    values = np.ascontiguousarray(np.hstack([track.series.values for track in group]))
    names = tuple(f"{place}:{name}" for place, track in enumerate(group) for name in track.series.names)
    return Series(values, first.time, first.step, names, first.zone)


def _shown(time: NDArray[np.int64], clock: Clock) -> pl.Series:
    """Times as users gave them: dates in their zone, or numbers."""
    if clock.is_clock:
        moments = pl.Series("time", time).cast(pl.Datetime("us"))
        return moments if clock.zone is None else moments.dt.replace_time_zone("UTC").dt.convert_time_zone(clock.zone)
    return pl.Series("time", time if clock.unit == ROWS else time / SECOND)
