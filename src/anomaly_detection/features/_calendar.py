"""Points in time as calendar parts.

Hours, weekdays and months go round: each is a sine and a cosine from a table, so that December lies beside January.
A part is used only where the column has seen it go round three times: after two months, "March" is not rare, it is new.
The time that has passed since some origin is left out: rows that come after training would all lie outside the fitted
range, and would all look anomalous for no other reason than being new. The exception are columns that are not a clock
but a quantity: unsorted dates that lie years apart, such as dates of birth; they keep ``elapsed``, in days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from anomaly_detection.features._encoding import Encoding, Read, as_floats
from anomaly_detection.features._reading import naive, parse_time, read_times
from anomaly_detection.features._vocabulary import looked_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = ("hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "day", "month_sin", "month_cos", "elapsed")

WIDE_DAYS = 1000
"""Dates whose middle nine tenths span at least this many days are a quantity, unless they come in order."""

TURNS = 3
"""How often a part has to have gone round to be used."""

DAYS_AROUND = {"hour": 1, "weekday": 7, "day": 31, "month": 365}
"""How many days each part takes to go round."""

_EPOCH = date(1970, 1, 1).toordinal()


def _circle(steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    angle = 2.0 * np.pi * np.arange(steps) / steps
    return np.sin(angle), np.cos(angle)


_TABLES = {"hour": _circle(24 * 60), "weekday": _circle(7), "month": _circle(12)}


@dataclass(frozen=True)
class CalendarEncoding(Encoding):
    """A date, a date with a time (UTC where the zone is known), or a time of day, to the minute.

    Parameters
    ----------
    origin : the day from which ``elapsed`` counts, in days since 1970-01-01.
    """

    kind = "calendar"
    wide = True

    origin: int = 0

    @classmethod
    def learn(cls, series: pl.Series) -> Self:
        """Decide whether the column is a clock or a quantity."""
        moments = read_times(series).drop_nulls()
        if moments.dtype == pl.Time or not len(moments):
            return cls(series.name, PARTS[:2])
        days = moments.dt.date().cast(pl.Int32)
        middle = [int(days.quantile(q, "nearest") or 0) for q in (0.05, 0.5, 0.95)]
        is_quantity = middle[2] - middle[0] >= WIDE_DAYS and not (
            moments.is_sorted() or moments.is_sorted(descending=True)
        )
        around = _gone_around(int(days.max()) - int(days.min()) + 1)  # type: ignore[arg-type]  # days are whole numbers
        return cls(series.name, (*around, PARTS[-1]) if is_quantity else around, middle[1])

    def columns(self, series: pl.Series) -> list[NDArray[np.float64]]:
        """One (n,) array per part."""
        moments = read_times(series)
        return [self._column(moments, part) for part in self.parts]

    def _column(self, moments: pl.Series, part: str) -> NDArray[np.float64]:
        name, _, function = part.partition("_")
        if moments.dtype == pl.Time and name != "hour":
            return np.full(len(moments), np.nan)
        if name == "elapsed":
            return as_floats(moments.dt.date().cast(pl.Int32).cast(pl.Float64)) - self.origin
        if name == "day":
            return as_floats(moments.dt.day().cast(pl.Float64))
        sines, cosines = _TABLES[name]
        steps = _steps(moments, name).fill_null(-1).to_numpy()
        return looked_up(sines if function == "sin" else cosines, steps)

    def reader(self) -> Read:
        """Look the parts of one moment up."""
        hours, weekdays, months = (list(zip(*map(np.ndarray.tolist, table), strict=True)) for table in _TABLES.values())
        origin, otherwise = self.origin + _EPOCH, self._one_by_frame
        missing = [math.nan] * len(self.parts)
        kept = [PARTS.index(part) for part in self.parts]
        pick = itemgetter(*kept) if len(kept) > 1 else lambda values: (values[kept[0]],)

        def read(value: Any) -> Any:
            if value is None:
                return missing
            moment = parse_time(value) if type(value) is str else value
            if type(moment) is date:
                moment = datetime(moment.year, moment.month, moment.day)  # noqa: DTZ001
            if type(moment) is not datetime:
                return otherwise(value)
            if moment.tzinfo is not None:
                try:
                    moment = naive(moment)
                except OverflowError:
                    return otherwise(value)
            return pick(
                (
                    *hours[moment.hour * 60 + moment.minute],
                    *weekdays[moment.weekday()],
                    moment.day,
                    *months[moment.month - 1],
                    moment.toordinal() - origin,
                )
            )

        return read


def _gone_around(span: int) -> tuple[str, ...]:
    """The parts that go round often enough in so many days."""
    return tuple(part for part in PARTS[:-1] if span >= TURNS * DAYS_AROUND[part.partition("_")[0]])


def _steps(moments: pl.Series, name: str) -> pl.Series:
    if name == "hour":
        return moments.dt.hour().cast(pl.Int64) * 60 + moments.dt.minute().cast(pl.Int64)
    if name == "weekday":
        return moments.dt.weekday().cast(pl.Int64) - 1
    return moments.dt.month().cast(pl.Int64) - 1
