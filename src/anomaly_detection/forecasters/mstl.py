"""MSTL: statsforecast's decomposition into several seasons and a trend."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.forecasters._peers import statsforecast_model
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags
from anomaly_detection.forecasters.seasonal_naive import SEASON
from anomaly_detection.forecasters.seasons import filled, seasons_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series


class MSTL(Forecaster):
    """Every season in turn is smoothed by local regression; the rest is forecast by exponential smoothing (AutoETS).

    Without a season only the latter is left.

    Parameters
    ----------
    season : after how many rows it repeats; None finds up to three; 1 is none.
    horizon : for how many rows ahead bands are measured; None is an eighth of the history.
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(cheap=False, refits=True)
    constraints: ClassVar[Mapping[str, Constraint]] = {"season": SEASON, "horizon": HORIZON}
    fewest_rows: ClassVar[int] = 20
    windows: ClassVar[int] = 3

    def __init__(self, season: int | None = None, horizon: int | None = None) -> None:
        self.season = season
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """The seasons."""
        return {"seasons": list(self._lengths)}

    def _measure(self, series: Series, horizon: int) -> None:
        self._lengths = (self.season,) if self.season is not None else seasons_of(series)
        super()._measure(series, horizon)

    def _fit(self, series: Series) -> None:
        lengths = sorted(one for one in self._lengths if 1 < one <= len(series) // 2)
        values = filled(series.values, lengths[0] if lengths else 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            decompose = statsforecast_model("MSTL" if lengths else "AutoETS")
            self._models = [decompose(season_length=lengths or 1).fit(one) for one in values.T.copy()]

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.column_stack([model.predict(h=horizon)["mean"] for model in self._models])
