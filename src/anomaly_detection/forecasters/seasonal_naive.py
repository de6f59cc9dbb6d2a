"""Seasonal naive: what was one season ago comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags
from anomaly_detection.forecasters.seasons import filled, main_season

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

SEASON = Range(1, 1_000_000, integer=True, or_none=True)
"""The rule for the length of a season."""


class SeasonalNaive(Forecaster):
    """The yardstick: each row is expected to be what the row one season before it was.

    Parameters
    ----------
    season : after how many rows it repeats; None finds it, and takes 1, the last value, where there is none.
    horizon : for how many rows ahead the bands are measured; None is an eighth of the history.

    Attributes
    ----------
    latest_ : (season, d) the last season.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> SeasonalNaive(season=3).fit(Series.of([1.0, 2.0, 3.0] * 4)).predict(4).mean.ravel().tolist()
    [1.0, 2.0, 3.0, 1.0]
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(updates=True)
    learned: ClassVar[tuple[str, ...]] = ("latest_",)
    constraints: ClassVar[Mapping[str, Constraint]] = {"season": SEASON, "horizon": HORIZON}

    latest_: NDArray[np.float64]

    def __init__(self, season: int | None = None, horizon: int | None = None) -> None:
        self.season = season
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """The season."""
        return {"season": len(self.latest_)}

    def _measure(self, series: Series, horizon: int) -> None:
        self._length = main_season(series, self.season)
        super()._measure(series, horizon)

    def _fit(self, series: Series) -> None:
        length = min(self._length, len(series))
        self.latest_ = filled(series.values, length)[-length:].copy()

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        return self.latest_[np.arange(horizon) % len(self.latest_)]

    def _update(self, series: Series) -> None:
        for row in series.values:
            self.latest_ = np.concatenate([self.latest_[1:], np.where(np.isnan(row), self.latest_[0], row)[None]])
