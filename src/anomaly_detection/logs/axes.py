"""Principal axes of the 78 features: lines that break what usually goes together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.detectors.pca import PCA
from anomaly_detection.features.space import FeatureSpace
from anomaly_detection.logs._feature_kernels import fill_missing
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch


class Axes(Method):
    """Squared distance from the centre along each principal axis of the features (:class:`PCA`).

    Missing features are put in the centre.
    """

    name: ClassVar[str] = "pca"

    def fit(self, batch: LogBatch) -> Self:
        """Find the axes."""
        there = ~np.isnan(batch.features)
        sums = np.where(there, batch.features, 0.0).sum(axis=0, dtype=np.float64)
        self._fill = (sums / np.maximum(there.sum(axis=0), 1)).astype(np.float32)
        self._pca = PCA().fit(self._filled(batch))
        return self

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:  # noqa: ARG002  it remembers nothing
        """(n,) squared distance."""
        return self._pca.score(self._filled(batch))

    def state(self) -> dict[str, NDArray[Any]]:
        """The axes."""
        return {**self._pca.state(), "fill": self._fill}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back."""
        self._fill = taken(state, "fill", np.float32, None)
        self._pca = PCA().restore(state, FeatureSpace.of_numbers(len(self._fill)))
        return self

    def _filled(self, batch: LogBatch) -> NDArray[np.float32]:
        filled = np.empty_like(batch.features)
        fill_missing(batch.features, self._fill, filled)
        return filled
