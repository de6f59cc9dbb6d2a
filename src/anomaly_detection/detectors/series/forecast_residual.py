"""Forecast residual: how far a row is from what a forecaster expected before it, in the width of its band."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.features.series.series import Series
from anomaly_detection.forecasters import create

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

LEVEL, NORMAL = 0.95, 1.959963984540054
"""A value on the edge of the band of 95 % scores as a normal one there does."""

SURE = 1_000.0
"""The score of a value that differs where none ever did."""

LONGEST_GAP = 10_000
"""A forecast goes over a gap of at most so many rows; after a longer one it goes on as if it were so long."""


class ForecastResidual(SeriesDetector):
    """Any forecaster as a detector: it is fitted on the latest rows, says what comes, and rows are held against that.

    Every ``block`` rows the forecaster is fitted again, on the last ``rows`` rows, and forecasts the next block; the
    score of a row is its distance from the forecast in units of the band that was measured for its step ahead, the
    largest of its channels. A row above the line counts as what was expected in its place when the forecaster is fitted
    again. Nothing is said before there are enough rows to fit on.

    Parameters
    ----------
    forecaster : its name.
    rows : it is fitted on so many of the latest rows.
    block : after so many rows it is fitted again.

    Attributes
    ----------
    history_ : (rows, d) the latest rows, the last one last; NaN before the first.
    stamps_ : (rows,) their times.
    seen_ : (1,) how many there are, at most ``rows``.
    moments_ : (block,) the times that are forecast; the least number before the first forecast.
    expected_, scale_ : (block, d) the forecast and its scale.

    Examples
    --------
    >>> hours = np.arange(24 * 21)
    >>> values = 20 + 5 * np.sin(hours * np.pi / 12) + np.random.default_rng(0).normal(0, 0.5, size=len(hours))
    >>> values[450] += 6
    >>> series = Series.of(values, step=3_600_000_000)
    >>> scores = ForecastResidual().fit(series[:400]).advance(series[400:])
    >>> int(np.argmax(scores.score)), scores.side[50]
    (50, np.int8(1))
    """

    tags: ClassVar[SeriesTags] = SeriesTags(expects=True, shift_free=False, scale_free=False)
    learned: ClassVar[tuple[str, ...]] = ("history_", "stamps_", "seen_", "moments_", "expected_", "scale_")
    moving: ClassVar[tuple[str, ...]] = learned
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "rows": Range(10, 1_000_000, integer=True),
        "block": Range(1, 100_000, integer=True),
    }

    history_: NDArray[np.float64]
    stamps_: NDArray[np.int64]
    seen_: NDArray[np.int64]
    moments_: NDArray[np.int64]
    expected_: NDArray[np.float64]
    scale_: NDArray[np.float64]

    def __init__(self, forecaster: str = "fourier", rows: int = 2_000, block: int = 24) -> None:
        self.forecaster = forecaster
        self.rows = rows
        self.block = block

    def validate(self) -> None:
        """Check the parameters, and that there is such a forecaster.

        Raises
        ------
        UnknownNameError, ParameterError
            for an unknown forecaster, or a parameter out of range.
        """
        super().validate()
        create(self.forecaster)

    def _fit(self, series: Series) -> None:
        d = series.width
        self.history_ = np.full((self.rows, d), np.nan)
        self.stamps_ = np.zeros(self.rows, dtype=np.int64)
        self.seen_ = np.zeros(1, dtype=np.int64)
        self.moments_ = np.full(self.block, np.iinfo(np.int64).min)
        self.expected_, self.scale_ = np.full((self.block, d), np.nan), np.full((self.block, d), np.nan)
        self._remember(series.values, series.time)

    def _advance(self, series: Series, line: float) -> SeriesScores:
        found = _blank(series)
        done = 0
        while done < len(series):
            places = self._places(series.time[done:])
            count = int(np.argmax(places >= self.block)) if (places >= self.block).any() else len(places)
            if not count:
                self._look_ahead(int(series.time[done]))
                continue
            part = slice(done, done + count)
            self._judge(series.values[part], places[:count], found[part])
            self._keep(series[part], found.score[part], places[:count], line)
            done += count
        return found

    def _places(self, time: NDArray[np.int64]) -> NDArray[np.int64]:
        """(n,) to which moment of the forecast each row belongs; the length of the block for those after it."""
        if self.moments_[0] == np.iinfo(np.int64).min:
            return np.full(len(time), self.block)
        return np.searchsorted(self.moments_ + self.step_ // 2, time)

    def _look_ahead(self, next_row: int) -> None:
        """Fit on the latest rows and forecast the block that begins with a row."""
        history = self._history()
        gap = max(0, (next_row - int(history.time[-1]) + self.step_ // 2) // self.step_ - 1)
        horizon = min(int(gap), LONGEST_GAP) + self.block
        self.expected_, self.scale_ = np.full_like(self.expected_, np.nan), np.full_like(self.scale_, np.nan)
        self.moments_ = next_row + np.arange(self.block, dtype=np.int64) * self.step_
        forecaster = create(self.forecaster, horizon=self.block)
        if len(history) < forecaster.fewest_rows or np.isnan(history.values).all():
            return
        ahead = forecaster.fit(history).predict(horizon, LEVEL)
        self.expected_ = ahead.mean[-self.block :].copy()
        self.scale_ = (ahead.upper - ahead.mean)[-self.block :] / NORMAL
        if gap < LONGEST_GAP:
            self.moments_ = np.maximum(ahead.time[-self.block :], next_row - self.step_ // 2)

    def _judge(self, values: NDArray[np.float64], places: NDArray[np.int64], found: SeriesScores) -> None:
        """Fill in what is said about rows."""
        expected, scale = self.expected_[places], self.scale_[places]
        away = np.abs(values - expected)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(scale > 0.0, np.minimum(away / scale, 1e300), np.where(away > 0.0, SURE, 0.0))
        distance = np.where(np.isnan(away) | np.isnan(scale), np.nan, distance)
        best = np.where(np.isnan(distance), -1.0, distance).argmax(axis=1)
        rows = np.arange(len(values))
        found.score[:] = distance[rows, best]
        _set(found.expected, expected)
        _set(found.scale, scale)
        _set(found.contributions, np.nan_to_num(distance))
        _set(found.side, np.nan_to_num(np.sign(values - expected))[rows, best].astype(np.int8))

    def _keep(self, series: Series, score: NDArray[np.float64], places: NDArray[np.int64], line: float) -> None:
        """Remember rows; those above the line as what was expected."""
        normal = ~(score > line)
        self._remember(np.where(normal[:, None], series.values, self.expected_[places]), series.time)

    def _remember(self, values: NDArray[np.float64], time: NDArray[np.int64]) -> None:
        self.history_ = np.concatenate([self.history_, values])[-self.rows :]
        self.stamps_ = np.concatenate([self.stamps_, time])[-self.rows :]
        self.seen_ = np.minimum(self.seen_ + len(values), self.rows)

    def _history(self) -> Series:
        known = slice(self.rows - int(self.seen_[0]), None)
        values = np.ascontiguousarray(self.history_[known])
        return Series(values, self.stamps_[known], self.step_, self.names_, self.zone_)

    def _restored(self) -> None:
        d = len(self.names_)
        self._require_shapes(np.float64, (self.rows, d), "history_")
        self._require_shapes(np.int64, (self.rows,), "stamps_")
        self._require_shapes(np.int64, (self.block,), "moments_")
        self._require_shapes(np.float64, (self.block, d), "expected_", "scale_")
        self._require(self.seen_.shape == (1,), 0 <= int(self.seen_[0]) <= self.rows)


def _blank(series: Series) -> SeriesScores:
    n, d = series.values.shape
    wide = [np.full((n, d), np.nan) for _ in range(3)]
    return SeriesScores(np.full(n, np.nan), wide[0], wide[1], wide[2], np.zeros(n, dtype=np.int8))


def _set(part: NDArray[Any] | None, values: NDArray[Any]) -> None:
    if part is not None:
        part[:] = values


class _Named(ForecastResidual):
    """A forecaster of its own name."""

    name: ClassVar[str]

    def __init__(self, rows: int = 2_000, block: int = 24) -> None:
        super().__init__(self.name, rows, block)


class FourierResidual(_Named):
    """Distance from what seasons of the calendar and a trend expect; fitted again every 24 rows."""

    name = "fourier"


class SeasonalNaiveResidual(_Named):
    """Distance from the row one season ago; the season is looked for again every 24 rows."""

    name = "seasonal_naive"


class ETSResidual(_Named):
    """Distance from what exponential smoothing expects; fitted again every 24 rows."""

    name = "ets"


class STLResidual(_Named):
    """Distance from what a seasonal decomposition expects; made again every 24 rows."""

    name = "stl"


class ARIMAResidual(_Named):
    """Distance from what statsforecast's AutoARIMA expects; searched again every 250 rows."""

    name = "arima"

    def __init__(self, rows: int = 1_000, block: int = 250) -> None:
        super().__init__(rows, block)


class MSTLResidual(_Named):
    """Distance from what statsforecast's MSTL expects; made again every 250 rows."""

    name = "mstl"

    def __init__(self, rows: int = 1_000, block: int = 250) -> None:
        super().__init__(rows, block)


class ProphetResidual(_Named):
    """Distance from what Prophet expects; fitted again every 250 rows."""

    name = "prophet"

    def __init__(self, rows: int = 2_000, block: int = 250) -> None:
        super().__init__(rows, block)
