"""Sliding window: any algorithm for tables, given the latest rows as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.detectors import create
from anomaly_detection.detectors.labels import need_saved, need_streaming
from anomaly_detection.detectors.series._windowed import SHORTEST, Windowed
from anomaly_detection.detectors.series.base import SeriesScores, SeriesTags
from anomaly_detection.features.space import FeatureSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.detectors.base import Detector
    from anomaly_detection.features.series.series import Series

WIDEST = 200
"""A window that is chosen has at most so many values, of all channels together."""

MOST = 5_000
"""The algorithm is fitted on so many windows at most, evenly chosen."""


class SlidingWindow(Windowed):
    """Windows as rows of a table: the latest rows of all channels, side by side, judged by an algorithm for tables.

    The algorithm is fitted on the windows of the training rows, 5,000 of them at most; the score of a row is that of
    the window that ends there.

    Parameters
    ----------
    detector : the name of an algorithm for tables, such as ``"knn"``, ``"lof"`` or ``"isolation_forest"``.
    parameters : its own parameters.
    window : rows of a window, at least 3; ``"auto"`` is the length of the season in training, or 50 without one, and
        fewer where there are many channels.

    Attributes
    ----------
    whole_ : (1,) bool, whether there were enough whole windows in training.
    detector_ : the algorithm, fitted.

    References
    ----------
    Goldstein and Uchida: A Comparative Evaluation of Unsupervised Anomaly Detection Algorithms. PLoS ONE 11(4), 2016.
    Paparrizos et al.: TSB-UAD. VLDB 2022 (windowed algorithms for tables among those for series).

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.sin(np.arange(600) * 2 * np.pi / 24) + np.random.default_rng(0).normal(0.0, 0.05, size=600)
    >>> values[500:512] = values[500]
    >>> detector = SlidingWindow("knn").fit(Series.of(values[:400]))
    >>> int(np.argmax(detector.advance(Series.of(values)[400:]).score)) in range(100, 136)
    True
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    learned: ClassVar[tuple[str, ...]] = (*Windowed.learned, "whole_")

    whole_: NDArray[np.bool_]
    detector_: Detector

    def __init__(
        self, detector: str = "knn", parameters: Mapping[str, Any] | None = None, window: int | str = "auto"
    ) -> None:
        self.detector = detector
        self.parameters_of = parameters
        self.window = window

    def parameters(self) -> dict[str, Any]:
        """The parameters as they were given."""
        return {"detector": self.detector, "parameters": self.parameters_of, "window": self.window}

    def validate(self) -> None:
        """Check the parameters, those of the algorithm, and that it can judge one row.

        Raises
        ------
        UnknownNameError, ParameterError
            for an unknown algorithm or parameter, or one out of range.
        InputError
            for an algorithm that cannot judge a row by itself, or cannot be saved.
        """
        super().validate()
        blank = self._blank()
        need_streaming(blank, "Judging a window of rows", "choose another one")
        need_saved(blank, "Judging a series", "choose another one")

    def evidence(self) -> dict[str, Any]:
        """How many rows a window has, and what the algorithm says of itself."""
        return {**super().evidence(), "detector": self.detector, **self.detector_.evidence()}

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        spec, arrays = super().state()
        inner = {f"detector/{name}": np.array(array) for name, array in self.detector_.state().items()}
        return spec, {**arrays, **inner}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; it goes on alike, bit for bit."""
        detector = super().from_state(spec, arrays)
        inner = {name.removeprefix("detector/"): array for name, array in arrays.items() if "/" in name}
        space = FeatureSpace.of_numbers(len(detector.names_) * detector._rows)  # noqa: SLF001  its own class
        detector.detector_ = detector._blank().restore(inner, space)  # noqa: SLF001  its own class
        return detector

    def _blank(self) -> Detector:
        return create(self.detector, **(self.parameters_of or {}))

    def _rows_for(self, series: Series) -> int:
        rows = super()._rows_for(series)
        return max(SHORTEST, min(rows, WIDEST // series.width)) if isinstance(self.window, str) else rows

    def _learn(self, windows: NDArray[np.float64]) -> None:
        rows = _flat(windows[:: max(1, -(-len(windows) // MOST))])
        blank = self._blank()
        self.whole_ = np.array([len(rows) >= blank.fewest_rows])
        self.detector_ = blank.fit(rows if self.whole_[0] else np.zeros((blank.fewest_rows, rows.shape[1])))

    def _judge(self, windows: NDArray[np.float64]) -> SeriesScores:
        if not self.whole_[0]:
            return SeriesScores(np.full(len(windows), np.nan))
        return SeriesScores(self.detector_.score(_flat(windows)))

    def _restored(self) -> None:
        super()._restored()
        self._require_shapes(np.bool_, (1,), "whole_")


def _flat(windows: NDArray[np.float64]) -> NDArray[np.float32]:
    """(n, d * w) float32."""
    n, d, w = windows.shape
    return windows.reshape(n, d * w).astype(np.float32)
