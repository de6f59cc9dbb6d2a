"""Principal axes of the 78 features: lines that break what usually goes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.detectors.pca import PCA
from anomaly_detection.features.space import FeatureSpace
from anomaly_detection.logs._feature_kernels import LOGARITHM, NOTHING, read_columns
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import shaped, taken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch


class Axes(Method):
    """Squared distance from the centre along each principal axis of the features (:class:`PCA`).

    Response times count as logarithms, and what is measured of windows counts for nothing: it would set apart all lines
    of a service in trouble alike, and has a method of its own. Missing features are put in the centre.

    Parameters
    ----------
    logarithms : the columns that count as logarithms.
    windows : the columns that are measured of windows.
    """

    name: ClassVar[str] = "pca"

    def __init__(self, logarithms: Sequence[int] = (), windows: Sequence[int] = ()) -> None:
        self.logarithms = logarithms
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
        self._pca = PCA().fit(self._read(batch))
        return self

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:  # noqa: ARG002  it remembers nothing
        """(n,) squared distance."""
        read = self._read(batch)
        return np.array([self._pca.score_row(read[0])]) if len(batch) == 1 else self._pca.score_rows(read)

    def state(self) -> dict[str, NDArray[Any]]:
        """The axes."""
        return {**self._pca.state(), "fill": self._fill, "logarithm": self._logarithm}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        self._fill = taken(state, "fill", np.float32, None)
        width, axes = len(self._fill), len(state.get("variances_", ()))
        self._take(taken(state, "logarithm", np.bool_, width))
        one, vector = (), (width,)
        shaped(state, {"centre_": vector, "spread_": vector, "limits_": (2, width), "variances_": (axes,)})
        shaped(state, {"axes_": (axes, width), "residual_variance_": one})
        self._pca = PCA().restore(state, FeatureSpace.of_numbers(len(self._fill)))
        return self

    def _take(self, logarithm: NDArray[np.bool_]) -> None:
        self._logarithm = logarithm
        self._kinds = logarithm.astype(np.int8) * np.int8(LOGARITHM)
        self._kinds[self.windows] = NOTHING

    def _read(self, batch: LogBatch) -> NDArray[np.float32]:
        read = np.empty_like(batch.features)
        read_columns(batch.features, self._kinds, self._fill, read)
        return read
