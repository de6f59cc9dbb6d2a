"""One series of points: all of it judged, its last point, or its change points, as Azure's Anomaly Detector answered.

A sensitivity of 95, its default, is an alarm line of α = 0.001; 25 less is a tenth of that. Margins are given in its
unit: the band of a point is ``expected ± (100 - sensitivity) · margin``. What a season explains is taken out of the
values before a pipeline judges what is left, and is part of what is expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from scipy.special import ndtri

from anomaly_detection.detectors.series import create
from anomaly_detection.errors import InputError
from anomaly_detection.features.series.change_points import find_change_points
from anomaly_detection.features.series.periods import season_lengths
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.workflows.point_gaps import filled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.results import Result
    from anomaly_detection.workflows.point_gaps import Fill

FEWEST, MOST = 12, 8640

SECONDS = {
    "microsecond": 1e-6,
    "secondly": 1.0,
    "minutely": 60.0,
    "hourly": 3600.0,
    "daily": 86400.0,
    "weekly": 604800.0,
}
"""The steps of granularities that are always equally long."""

MISSING = 0.1
"""The largest share of points that may be missing."""


class SeriesProblemError(InputError):
    """A series that cannot be judged, with the code that Azure's clients know."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class PointSeries:
    """A series and what is asked of it.

    Parameters
    ----------
    times : of the points, ISO 8601; None for points that simply follow one another.
    values : of the points.
    granularity, interval : the step between points.
    period : points of a season, where it is known.
    sensitivity : from 0 to 99; the higher, the more anomalies.
    most_anomalous : the largest share of points that are called anomalous.
    fill, fill_value : what stands for missing points while the others are judged, and the value for ``fixed``.
    """

    times: Sequence[str] | None
    values: Sequence[float]
    granularity: str = "none"
    interval: int = 1
    period: int | None = None
    sensitivity: int = 95
    most_anomalous: float = 0.25
    fill: Fill = "auto"
    fill_value: float = 0.0

    @property
    def alpha(self) -> float:
        """The alarm line."""
        return float(0.001 * 10 ** ((self.sensitivity - 95) / 25))

    @property
    def step(self) -> float:
        """Seconds from point to point; 0 where they are not always the same."""
        return SECONDS.get(self.granularity, 0.0) * self.interval

    def season_of(self, frame: pl.DataFrame) -> int:
        """Points of a season; 0 where there is none."""
        if self.period is not None:
            return self.period
        found = season_lengths(frame["value"].to_numpy(), int(self.step * 1_000_000))
        return found[0][0] if found else 0

    def frame(self) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
        """A table with time and value, missing points filled in, and (n,) which rows were given.

        Raises
        ------
        SeriesProblemError
            for too few or too many points, or times that do not go up step by step.
        """
        if not FEWEST <= len(self.values) <= MOST:
            raise SeriesProblemError(
                "InvalidSeries", f"The series has {len(self.values)} points; it takes {FEWEST} to {MOST}."
            )
        given = self._moments()
        times = np.arange(len(self.values)) * 60.0 if given is None else given
        values, own = np.asarray(self.values, dtype=np.float64), np.ones(len(self.values), np.bool_)
        if given is not None and self.step and self.fill != "notFill":
            steps = np.rint((times - times[0]) / self.step).astype(np.int64)
            values, own = filled(steps, values, self.fill, self.fill_value)
            times = times[0] + np.arange(len(values)) * self.step
        micros = (times * 1e6).round().astype(np.int64)
        moments = pl.Series("timestamp", micros, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
        return pl.DataFrame([moments, pl.Series("value", values)]), own

    def _moments(self) -> NDArray[np.float64] | None:
        if self.times is None:
            if self.granularity != "none":
                raise SeriesProblemError(
                    "InvalidSeries", f"With granularity {self.granularity} each point has a timestamp."
                )
            return None
        moments = np.array([_seconds(time) for time in self.times])
        steps = np.diff(moments)
        if (steps <= 0).any():
            row = int(np.argmax(steps <= 0)) + 1
            raise SeriesProblemError("InvalidSeries", f"The timestamp of point {row} is not after the one before it.")
        self._check_steps(steps)
        return moments

    def _check_steps(self, steps: NDArray[np.float64]) -> None:
        if self.granularity not in SECONDS:
            return
        counts = steps / self.step
        if (abs(counts - counts.round()) > 1e-6).any():
            raise SeriesProblemError(
                "InvalidSeries", f"The timestamps are not {self.interval} × {self.granularity} apart."
            )
        missing = float((counts.round() - 1).sum())
        if missing > MISSING * (len(steps) + 1 + missing):
            raise SeriesProblemError("InvalidSeries", f"{missing:.0f} points are missing; a tenth of them may be.")


def judge_entire(series: PointSeries) -> dict[str, Any]:
    """The verdict on every point, each in the light of the whole series; raises as :meth:`PointSeries.frame` does."""
    given, own = series.frame()
    season = series.season_of(given)
    frame, seasonal = _without_season(given, season)
    result = _pipeline(_share_of_odd(frame["value"].to_numpy(), series)).fit_detect(frame, timestamp="timestamp")
    flagged = _at_most(result, own, int(series.most_anomalous * own.sum()))
    bands = _bands(result, frame["value"].to_numpy(), series.sensitivity)
    above = bands["value"] >= bands["expected"]
    told = {
        "expectedValues": bands["expected"] + seasonal,
        "upperMargins": bands["upper"],
        "lowerMargins": bands["lower"],
        "isAnomaly": flagged,
        "isPositiveAnomaly": flagged & above,
        "isNegativeAnomaly": flagged & ~above,
        "severity": np.where(flagged, result.anomaly_score, 0.0),
    }
    return {"period": season, **{name: values[own].tolist() for name, values in told.items()}}


def judge_last(series: PointSeries) -> dict[str, Any]:
    """The verdict on the last point by those before it; raises as :meth:`PointSeries.frame` does."""
    given, _ = series.frame()
    season = series.season_of(given)
    frame, seasonal = _without_season(given, season)
    last = frame.tail(1)
    pipeline = _pipeline(series.alpha).fit(frame.head(-1), timestamp="timestamp")
    result = pipeline.detect(last)
    bands = _bands(result, last["value"].to_numpy(), series.sensitivity)
    flagged, above = bool(result.is_anomaly[0]), bool(bands["value"][0] >= bands["expected"][0])
    return {
        "period": season,
        "suggestedWindow": 4 * season + 1 if season else 29,
        "expectedValue": float(bands["expected"][0] + seasonal[-1]),
        "upperMargin": float(bands["upper"][0]),
        "lowerMargin": float(bands["lower"][0]),
        "isAnomaly": flagged,
        "isPositiveAnomaly": flagged and above,
        "isNegativeAnomaly": flagged and not above,
        "severity": float(result.anomaly_score[0]) if flagged else 0.0,
    }


def judge_changes(series: PointSeries, threshold: float, stable: int = 1) -> dict[str, Any]:
    """The points from which on the series is another one; raises as :meth:`PointSeries.frame` does.

    Parameters
    ----------
    series : the series.
    threshold : how sure a change has to be, from 0 to 1.
    stable : a series stays what it is for so many points; of changes that are closer, the surest counts.
    """
    frame, own = series.frame()
    given = np.cumsum(own) - 1  # a change at a point that was filled in is told at the one before
    scores = np.zeros(int(own.sum()))
    for change in sorted(find_change_points(frame["value"].to_numpy()), key=lambda one: -one.sure):
        row = int(given[change.row])
        if not scores[max(0, row - stable + 1) : row + stable].any():
            scores[row] = change.sure
    return {
        "period": series.season_of(frame),
        "isChangePoint": (scores >= max(threshold, 1e-9)).tolist(),
        "confidenceScores": scores.tolist(),
    }


def _pipeline(alpha: float) -> SeriesPipeline:
    """What judges the rest: a robust chart that moves along, as it says what it expects."""
    return SeriesPipeline(create("ewma"), alpha, random_state=0)


def _without_season(frame: pl.DataFrame, season: int) -> tuple[pl.DataFrame, NDArray[np.float64]]:
    """The values less what their place in the season explains, and that; the last point says nothing about it."""
    values = frame["value"].to_numpy()
    profile = np.zeros(len(values))
    if 1 < season <= len(values) // 3:
        trend = frame["value"].rolling_median(season, min_samples=1, center=True).to_numpy()
        rest, place = values[:-1] - trend[:-1], np.arange(len(values)) % season
        usual = np.array([np.median(rest[place[:-1] == i]) for i in range(season)])
        profile = (usual - usual.mean())[place]
    return frame.with_columns(value=pl.Series(values - profile)), profile


def _share_of_odd(values: NDArray[np.float64], series: PointSeries) -> float:
    """The share of points that lie further out than normal ones do, in the light of the whole series."""
    trend = pl.Series(values).rolling_median(9, min_samples=1, center=True).to_numpy()
    rest = values - trend
    spread = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    odd = float(np.mean(np.abs(rest) > -ndtri(series.alpha / 2) * spread))
    return min(max(odd, series.alpha), 0.5)


def _seconds(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (zoned - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    except (ValueError, OverflowError):
        raise SeriesProblemError(
            "InvalidSeries", f"{text!r:.80} is no timestamp. Write it like 2026-03-01T00:00:00Z."
        ) from None


def _at_most(result: Result, own: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """The flags of rows that were given, of too many only the most anomalous."""
    flagged: NDArray[np.bool_] = result.is_anomaly & own
    if flagged.sum() > most:
        rows = [row for row in result.top(len(own)) if flagged[row]]
        flagged[rows[most:]] = False
    return flagged


def _bands(result: Result, values: NDArray[np.float64], sensitivity: int) -> Mapping[str, NDArray[np.float64]]:
    """What was expected, and margins; where nothing was, the value itself and the usual margin."""
    nothing = np.full(len(values), np.nan)
    expected = nothing if result.expected is None else result.expected
    upper = nothing if result.upper is None else result.upper - expected
    lower = nothing if result.lower is None else expected - result.lower
    known = np.isfinite(expected)
    filled = np.where(known, expected, values)
    scale = 100.0 - sensitivity
    return {
        "value": values,
        "expected": filled,
        "upper": _usual(upper) / scale,
        "lower": _usual(lower) / scale,
    }


def _usual(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    known = margins[np.isfinite(margins)]
    usual = float(np.median(known)) if len(known) else 0.0
    return np.maximum(np.where(np.isfinite(margins), margins, usual), 0.0)
