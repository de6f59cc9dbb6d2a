"""Principal axes of the 78 features: lines that break what usually goes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.detectors.pca import PCA
from anomaly_detection.features.space import FeatureSpace
from anomaly_detection.logs._feature_kernels import LOGARITHM, NOTHING, read_columns
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, shaped, taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch


class Axes(Method):
    """Squared distance from the centre along each principal axis of the features (:class:`PCA`).

    Response times count as logarithms, and what is measured of windows counts for nothing: it would set apart all lines
    of a service in trouble alike, and has a method of its own. Missing features are put in the centre; the pause before
    the first line of a service is whichever fits best.

    Parameters
    ----------
    logarithms : the columns that count as logarithms.
    windows : the columns that are measured of windows.
    pause : the column that the first line of a service lacks; -1 for none.
    """

    name: ClassVar[str] = "pca"

    def __init__(self, logarithms: Sequence[int] = (), windows: Sequence[int] = (), pause: int = -1) -> None:
        self.logarithms, self.pause = logarithms, pause
        self.windows = np.array(windows, dtype=np.int64)

    def fit(self, batch: LogBatch) -> Self:
        """Find the axes."""
        width = batch.features.shape[1]
        logarithm = np.zeros(width, np.bool_)
        logarithm[list(self.logarithms)] = True
        self._take(logarithm)
        self._fill = np.full(width, np.nan, np.float32)
        values = self._read(batch)
        there = ~np.isnan(values)
        sums = np.where(there, values, 0.0).sum(axis=0, dtype=np.float64)
        self._fill = (sums / np.maximum(there.sum(axis=0), 1)).astype(np.float32)
        self._pause = self.pause if there[:, self.pause].any() else -1
        self._pca = PCA().fit(self._read(batch))
        return self

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:  # noqa: ARG002  it remembers nothing
        """(n,) squared distance."""
        read = self._read(batch)
        far = self._far(read)
        if self._pause >= 0:
            first = np.flatnonzero(np.isnan(batch.features[:, self._pause]))
            if len(first):
                far[first] = self._nearest(read[first], far[first])
        return far

    def state(self) -> dict[str, NDArray[Any]]:
        """The axes."""
        return {
            **self._pca.state(),
            "fill": self._fill,
            "logarithm": self._logarithm,
            "pause": np.array(self._pause, np.int64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        self._fill = taken(state, "fill", np.float32, None)
        width, axes = len(self._fill), len(state.get("variances_", ()))
        self._take(taken(state, "logarithm", np.bool_, width))
        self._pause = int(taken(state, "pause", np.int64))
        if not -1 <= self._pause < width:
            raise damaged("the column of pauses")
        one, vector = (), (width,)
        shaped(state, {"centre_": vector, "spread_": vector, "limits_": (2, width), "variances_": (axes,)})
        shaped(state, {"axes_": (axes, width), "residual_variance_": one})
        self._pca = PCA().restore(state, FeatureSpace.of_numbers(len(self._fill)))
        return self

    def _take(self, logarithm: NDArray[np.bool_]) -> None:
        self._logarithm = logarithm
        self._kinds = logarithm.astype(np.int8) * np.int8(LOGARITHM)
        self._kinds[self.windows] = NOTHING

    def _far(self, read: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.array([self._pca.score_row(read[0])]) if len(read) == 1 else self._pca.score_rows(read)

    def _nearest(self, read: NDArray[np.float32], far: NDArray[np.float64]) -> NDArray[np.float64]:
        """(k,) the least distance over all pauses: the distance is a parabola in the pause."""
        shorter, longer = read.copy(), read.copy()
        shorter[:, self._pause] -= 1.0
        longer[:, self._pause] += 1.0
        below, above = self._far(shorter), self._far(longer)
        bend = np.maximum((below + above) / 2.0 - far, 1e-9)
        return np.maximum(far - ((above - below) / 4.0) ** 2 / bend, 0.0)

    def _read(self, batch: LogBatch) -> NDArray[np.float32]:
        read = np.empty_like(batch.features)
        read_columns(batch.features, self._kinds, self._fill, read)
        return read
