"""The contract of forecasters: what comes next, with bands that hold what they say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from anomaly_detection.base import Configurable, Range, build
from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.features.series.series import Series
from anomaly_detection.forecasters.bands import Bands
from anomaly_detection.forecasters.timeline import regular, times_after
from anomaly_detection.records import counted, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HORIZON = Range(1, 1_000_000, integer=True, or_none=True)
"""The rule for how far ahead bands are measured."""

LONGEST = 1_000_000
"""A forecast has at most so many rows."""

DEFAULT_SHARE = 8
"""Bands are measured over at most one row ahead for so many rows of history, where no horizon is given."""


@dataclass(frozen=True, slots=True)
class ForecasterTags:
    """What a forecaster can do.

    Parameters
    ----------
    cheap : fits in milliseconds; ``auto`` tries it.
    updates : takes further rows by ``update`` without fitting again.
    refits : what it learns is another library's and is not saved: its state is the rows, and it is fitted again.
    """

    cheap: bool = True
    updates: bool = False
    refits: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """What is expected in the rows that follow.

    Parameters
    ----------
    time : (h,) int64, microseconds since 1970 UTC.
    mean : (h, d) what is expected; NaN for a channel without any value.
    lower, upper : (h, d) between them a share ``level`` of the values will be.
    level : in (0, 1).
    names : the d channels.
    bands : the distribution that the bands are made of.
    """

    time: NDArray[np.int64]
    mean: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    level: float
    names: tuple[str, ...]
    bands: Bands

    def __len__(self) -> int:
        return len(self.mean)

    def clipped(self, low: float = 0.0) -> Forecast:
        """The same with nothing below a bound: for what cannot be negative."""
        mean, lower, upper = (np.maximum(one, low) for one in (self.mean, self.lower, self.upper))
        return replace(self, mean=mean, lower=lower, upper=upper)

    def beyond(self, limit: float, direction: str = "rise") -> NDArray[np.float64]:
        """(h, d) the probability that each value lies above a limit (``"rise"``) or below it (``"drop"``).

        Raises
        ------
        ParameterError
            for another direction.
        """
        if direction not in ("rise", "drop"):
            raise ParameterError(f"A limit is crossed by a 'rise' or a 'drop'; got direction={direction!r}.")
        above = self.bands.above(limit - self.mean)
        return above if direction == "rise" else 1.0 - above


class Forecaster(Configurable, ABC):
    """The base of every forecaster.

    Subclasses set :attr:`tags` and :attr:`learned` (the names of the arrays that are its state, each ending in ``_``)
    and write ``_fit(series)`` and ``_mean(horizon)``; those that can, ``_update(series)``. They get series at equal
    distances, NaN where a value is missing, without channels that have no value at all.

    The bands are measured: the forecaster is fitted on the beginning of the series, several times, and its errors on
    what came then are those that bands are made of (:mod:`~anomaly_detection.forecasters.bands`). A parameter
    ``horizon`` says for how many rows ahead; bands further out grow with the square root of the distance.

    Attributes
    ----------
    names_, step_, zone_ : the channels it was fitted on, their distance in microseconds, and time zone.
    until_ : the time of the last row that it knows.
    present_ : (d,) which channels have values.
    bands_ : how wrong it was.
    errors_ : (K, H, d) its errors on rows held back, before the last fit; not part of the state.
    fewest_rows : it is fitted on so many rows at least.
    windows : its errors are measured from so many moments.
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags()
    learned: ClassVar[tuple[str, ...]] = ()
    fewest_rows: ClassVar[int] = 2
    windows: ClassVar[int] = 6

    horizon: int | None
    names_: tuple[str, ...]
    step_: int
    zone_: str | None
    until_: int
    present_: NDArray[np.bool_]
    bands_: Bands
    errors_: NDArray[np.float64]
    _rows: Series

    @final
    def fit(self, series: Series) -> Self:
        """Learn from rows in order of time; the forecast starts after the last one.

        Raises
        ------
        ParameterError
            if a parameter is outside its range.
        InputError
            if there are too few rows, naming how many it takes, or no value at all.
        """
        self.validate()
        rows = regular(series)
        self.present_ = _with_values(rows)
        if len(rows) < self.fewest_rows:
            raise InputError(
                f"{type(self).__name__} needs at least {self.fewest_rows} rows to fit; got {counted(len(rows), 'row')}."
            )
        if not self.present_.any():
            raise InputError(f"There is no value in {quoted(series.names)}: nothing to make a forecast of.")
        self.names_, self.step_, self.zone_ = series.names, series.step, series.zone
        self.until_ = int(rows.time[-1])
        if self.tags.refits:
            self._rows = rows
        known = _only(rows, self.present_)
        self._measure(known, measured_horizon(len(known), self.horizon))
        return self

    @final
    def predict(self, horizon: int, level: float = 0.95) -> Forecast:
        """The rows that follow, with bands that hold a share ``level`` of them.

        Raises
        ------
        NotFittedError
            before ``fit``.
        ParameterError
            for a horizon or a level out of range.
        """
        self._need_fit()
        _check_wish(horizon, level)
        h, d = int(horizon), len(self.names_)
        mean, half = np.full((h, d), np.nan), np.full((h, d), np.nan)
        mean[:, self.present_] = self._mean(h)
        half[:, self.present_] = self.bands_.half(h, level)
        time = times_after(self._last(), h)
        return Forecast(time, mean, mean - half, mean + half, float(level), self.names_, self._all_bands())

    @final
    def update(self, series: Series) -> Self:
        """Take the rows that follow into account without fitting again.

        Raises
        ------
        NotFittedError
            before ``fit``.
        InputError
            if it has to be fitted again, or rows lie before the last one it knows.
        SchemaError
            if the channels are others.
        """
        self._need_fit()
        if series.names != self.names_:
            raise SchemaError(f"{self!r} was fitted on the channels {quoted(self.names_)}; got {quoted(series.names)}.")
        if not self.tags.updates:
            raise InputError(f"{type(self).__name__} takes no further rows: fit it again on all of them.")
        if not len(series):
            return self
        if series.time[0] <= self.until_:
            raise InputError(f"{self!r} knows the rows up to time {self.until_}; got one of {int(series.time[0])}.")
        rows = regular(series.after(self._last()))[1:]
        self._update(_only(rows, self.present_))
        self.until_ = int(rows.time[-1])
        return self

    @property
    def is_fitted(self) -> bool:
        """Whether ``fit`` or ``from_state`` was called."""
        return hasattr(self, "bands_")

    def evidence(self) -> dict[str, Any]:
        """What was chosen while fitting, and why, in plain values."""
        return {}

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`.

        Raises
        ------
        NotFittedError
            before ``fit``.
        """
        self._need_fit()
        spec = {
            "parameters": self.parameters(),
            "names": list(self.names_),
            "step": self.step_,
            "zone": self.zone_,
            "until": self.until_,
            "own": self._own(),
        }
        if self.tags.refits:
            return spec, {"values": self._rows.values.copy(), "time": self._rows.time.copy()}
        own = {name: np.array(getattr(self, name)) for name in self.learned}
        return spec, {**own, **self.bands_.arrays(), "present": self.present_.copy()}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`.

        Raises
        ------
        ArtifactError
            if an array is not there.
        """
        forecaster = build(cls, spec["parameters"])
        forecaster.validate()
        if cls.tags.refits:
            return forecaster.fit(_saved_rows(cls.__name__, spec, arrays))
        lacking = [name for name in (*cls.learned, "band_scale", "band_quantiles", "present") if name not in arrays]
        if lacking:
            raise ArtifactError(f"The saved {cls.__name__} lacks {', '.join(lacking)}. Fit it again.")
        forecaster.names_, forecaster.step_ = tuple(spec["names"]), int(spec["step"])
        forecaster.zone_, forecaster.until_ = spec["zone"], int(spec["until"])
        forecaster.present_, forecaster.bands_ = np.array(arrays["present"]), Bands.from_arrays(arrays)
        for name in cls.learned:
            setattr(forecaster, name, np.array(arrays[name]))
        forecaster._take(spec["own"])  # noqa: SLF001  its own class
        return forecaster

    @abstractmethod
    def _fit(self, series: Series) -> None:
        """Learn from rows at equal distances; every channel has a value."""

    @abstractmethod
    def _mean(self, horizon: int) -> NDArray[np.float64]:
        """(horizon, d) what is expected after the last row."""

    def _update(self, series: Series) -> None:
        """Take further rows, at equal distances from the last one known."""
        raise NotImplementedError(f"{type(self).__name__} claims to take {len(series)} further rows.")

    def _own(self) -> dict[str, Any]:
        """What is saved beside the arrays, in plain values."""
        return {}

    def _take(self, own: Mapping[str, Any]) -> None:
        """Take back what :meth:`_own` gave, and rebuild what follows from the restored arrays."""

    def _measure(self, series: Series, horizon: int) -> None:
        """Fit on all rows, having measured the errors of fits on the beginning; fast forecasters do both at once."""
        starts = origins(len(series), horizon, self.windows, self.fewest_rows)
        errors = [self._errors_from(series, start, horizon) for start in starts]
        self.errors_ = np.stack(errors) if errors else np.empty((0, horizon, series.width))
        self._fit(series)
        self._keep_bands(series, horizon)

    def _keep_bands(self, series: Series, horizon: int) -> None:
        enough = np.isfinite(self.errors_).any(axis=(0, 1)).all() if len(self.errors_) else False
        self.bands_ = Bands.of(self.errors_) if enough else Bands.of_walk(series.values, horizon)

    def _errors_from(self, series: Series, start: int, horizon: int) -> NDArray[np.float64]:
        """(horizon, d) the errors of a fit on the rows before ``start``; NaN where nothing came."""
        before, after = series[:start], series[start : start + horizon]
        known = _with_values(before)
        errors = np.full((horizon, series.width), np.nan)
        if known.any():
            self._fit(_only(before, known))
            errors[: len(after), known] = after.values[:, known] - self._mean(horizon)[: len(after)]
        return errors

    def _last(self) -> Series:
        """The last row that is known, without values."""
        empty = np.full((1, len(self.names_)), np.nan)
        return Series(empty, np.array([self.until_]), self.step_, self.names_, self.zone_)

    def _all_bands(self) -> Bands:
        """The bands of all channels: NaN for those without a value."""
        if self.present_.all():
            return self.bands_
        parts = []
        for one in (self.bands_.scale, self.bands_.quantiles):
            wide = np.full((len(one), len(self.names_)), np.nan)
            wide[:, self.present_] = one
            parts.append(wide)
        return Bands(*parts)

    def _need_fit(self) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")


def _saved_rows(name: str, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Series:
    """The rows that a forecaster was fitted on.

    Raises
    ------
    ArtifactError
        if they are not there, or are none.
    """
    try:
        values, time = np.ascontiguousarray(arrays["values"], np.float64), np.asarray(arrays["time"], np.int64)
        return Series(values, time, int(spec["step"]), tuple(spec["names"]), spec["zone"])
    except (KeyError, ValueError, InputError) as error:
        raise ArtifactError(f"The saved {name} lacks the rows that it was fitted on. Fit it again.") from error


def measured_horizon(n: int, wanted: int | None) -> int:
    """For how many rows ahead the bands of n rows are measured: as wanted, and at most a third of the history."""
    return max(1, min(n // DEFAULT_SHARE if wanted is None else int(wanted), n // 3))


def origins(n: int, horizon: int, windows: int, fewest: int) -> list[int]:
    """The rows before which forecasts are tried out, in order, from half of the history on; none where it is short.

    >>> origins(100, 10, 3, 2), origins(5, 4, 3, 8)
    ([70, 80, 90], [])
    """
    last, first = n - horizon, max(fewest, n // 2, 2)
    if last < first:
        return []
    stride = max(1, min(horizon, (last - first) // max(1, windows - 1)))
    return [last - stride * k for k in reversed(range(windows)) if last - stride * k >= first]


def _with_values(series: Series) -> NDArray[np.bool_]:
    """(d,) which channels have a value."""
    return np.asarray((~np.isnan(series.values)).any(axis=0))


def _only(series: Series, chosen: NDArray[np.bool_]) -> Series:
    if chosen.all():
        return series
    names = tuple(name for name, take in zip(series.names, chosen, strict=True) if take)
    return Series(np.ascontiguousarray(series.values[:, chosen]), series.time, series.step, names, series.zone)


def _check_wish(horizon: int, level: float) -> None:
    if problem := Range(1, LONGEST, integer=True).problem(horizon):
        raise ParameterError(f"horizon={horizon!r} {problem}: it is a number of rows.")
    if problem := Range(0.0, 1.0, open_low=True, open_high=True).problem(level):
        raise ParameterError(f"level={level!r} {problem}: it is the share of values between the bounds.")
