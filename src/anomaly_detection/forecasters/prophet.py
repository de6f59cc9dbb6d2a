"""Prophet: Meta's additive model, with bands that are measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.features.series.calendar import civil
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.forecasters._fourier_design import design_of
from anomaly_detection.forecasters._peers import prophet_and_pandas, quiet
from anomaly_detection.forecasters.base import HORIZON, Forecaster, ForecasterTags
from anomaly_detection.forecasters.timeline import times_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series


class Prophet(Forecaster):
    """A trend that bends, seasons as sums of waves, holidays of a country; fitted by Stan in another process.

    It takes a tenth of a second and more for a channel, four times, for its bands are measured like those of all
    forecasters. Seasons that the calendar does not know are looked for and added.

    Parameters
    ----------
    changepoint_prior_scale : how much the trend may bend.
    holidays : a country such as ``"DE"``.
    horizon : for how many rows ahead bands are measured; None is an eighth of the history.

    References
    ----------
    Taylor, Letham: Forecasting at Scale. The American Statistician 72(1), 2018.
    """

    tags: ClassVar[ForecasterTags] = ForecasterTags(cheap=False, refits=True)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "changepoint_prior_scale": Range(0.0, 100.0, open_low=True),
        "horizon": HORIZON,
    }
    windows: ClassVar[int] = 3

    def __init__(
        self, changepoint_prior_scale: float = 0.05, holidays: str | None = None, horizon: int | None = None
    ) -> None:
        self.changepoint_prior_scale = changepoint_prior_scale
        self.holidays = holidays
        self.horizon = horizon

    def evidence(self) -> dict[str, Any]:
        """The seasons."""
        return {"seasons": list(self._models[0].seasonalities)}

    def _fit(self, series: Series) -> None:
        self._end = series[-1:]
        pandas, peer = prophet_and_pandas()
        moments = _moments(series.time, series.zone)
        further = [wave for wave in design_of(series, 0, ()).waves if not wave.season]
        self._models = []
        for column in series.values.T:
            model = peer(
                changepoint_prior_scale=self.changepoint_prior_scale,
                n_changepoints=min(25, max(0, len(series) // 3)),
                uncertainty_samples=0,
            )
            for wave in further:
                model.add_seasonality(f"{wave.rows:g} rows", wave.rows * series.step / DAY, len(wave.orders))
            if self.holidays is not None:
                model.add_country_holidays(self.holidays)
            with quiet():
                self._models.append(model.fit(pandas.DataFrame({"ds": moments, "y": column})))

    def _mean(self, horizon: int) -> NDArray[np.float64]:
        pandas, _ = prophet_and_pandas()
        frame = pandas.DataFrame({"ds": _moments(times_after(self._end, horizon), self._end.zone)})
        with quiet():
            return np.column_stack([model.predict(frame)["yhat"].to_numpy() for model in self._models])


def _moments(time: NDArray[np.int64], zone: str | None) -> NDArray[np.datetime64]:
    return civil(time, zone).astype("datetime64[us]")
