"""ARIMA: statsforecast's search for the orders of a seasonal model."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.forecasters._peers import statsforecast_model
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags
from anomaly_detection.forecasters.seasonal_naive import SEASON
from anomaly_detection.forecasters.seasons import filled, main_season

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

LONGEST_SEASON = 12
"""A longer season makes the search take minutes: it is taken out by its medians first."""


class ARIMA(Forecaster):
    """Autoregression, differences and moving averages, of rows and of seasons; the orders are searched for (AICc).

    It takes a second or more for a channel. A season of more than 12 rows is not part of the model: the medians of its
    rows are taken out, and put back. Missing values are filled in first.

    Parameters
    ----------
    season : after how many rows it repeats; None finds it; 1 is none.
    rows : only so many of the last rows are learned from.
    horizon : for how many rows ahead bands are measured; None is an eighth of the history.
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(cheap=False, refits=True)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "season": SEASON,
        "rows": Range(10, 1_000_000, integer=True),
        "horizon": HORIZON,
    }
    fewest_rows: ClassVar[int] = 5
    windows: ClassVar[int] = 3

    def __init__(self, season: int | None = None, rows: int = 500, horizon: int | None = None) -> None:
        self.season = season
        self.rows = rows
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """The season, and the orders (p, q, P, Q, season, d, D) of each channel."""
        orders = [
            [int(one) for one in model.model_["arma"]] if "arma" in model.model_ else [] for model in self._models
        ]
        return {"season": self._length, "orders": orders}

    def _measure(self, series: Series, horizon: int) -> None:
        self._length = main_season(series, self.season)
        super()._measure(series, horizon)

    def _fit(self, series: Series) -> None:
        length = self._length if len(series) >= 2 * self._length else 1
        values = filled(series.values, length)
        long = length > LONGEST_SEASON
        self._shape = _medians(values, length) if long else np.zeros((1, series.width))
        rest = (values - self._shape[np.arange(len(values)) % len(self._shape)])[-self.rows :]
        self._after = len(values)
        season = length if not long and len(rest) >= 2 * length else 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search = statsforecast_model("AutoARIMA")
            self._models = [search(season_length=season, approximation=True).fit(one) for one in rest.T.copy()]

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mean = np.column_stack([model.predict(h=horizon)["mean"] for model in self._models])
        return mean + self._shape[(self._after + np.arange(horizon)) % len(self._shape)]


def _medians(values: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """(length, d) the medians of the rows at each place of the season, less the median of all."""
    places = np.arange(len(values)) % length
    return np.stack([np.median(values[places == place], axis=0) for place in range(length)]) - np.median(values, axis=0)
