"""The isolation forest on the 78 features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.detectors.isolation_forest import IsolationForest
from anomaly_detection.features.space import FeatureSpace
from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import shaped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch


TREES = 15
"""Fewer than usual: the forest is one of ten, and 100 trees would take half of all the time."""


class Forest(Method):
    """Lines that random cuts of the 78 features set apart early (:class:`IsolationForest`).

    What is measured of windows counts for nothing, as along the axes: it sets apart all lines of a service in trouble.

    Parameters
    ----------
    random_state : the seed.
    windows : the columns that are measured of windows.
    """

    name: ClassVar[str] = "isolation_forest"

    def __init__(self, random_state: int = 0, windows: Sequence[int] = ()) -> None:
        self.random_state = random_state
        self.windows = np.array(windows, dtype=np.int64)

    def fit(self, batch: LogBatch) -> Self:
        """Grow the trees."""
        self._forest = self._blank().fit(self._read(batch))
        return self

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:  # noqa: ARG002  it remembers nothing
        """(n,) the forest's score."""
        read = self._read(batch)
        if len(batch) == 1 and not np.isinf(read).any():
            return np.array([self._forest.score_row(read[0])])
        return self._forest.score(read)

    def state(self) -> dict[str, NDArray[Any]]:
        """The trees."""
        return {**self._forest.state(), "width": np.array(len(self._forest.limits_[0]))}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take the trees back."""
        vectors = ("splits_", "thresholds_", "leaf_rows_")
        shaped(state, {"width": (), "sample_rows_": (), **dict.fromkeys(vectors, (None,))})
        width = int(state["width"])
        shaped(state, {"limits_": (2, width), "ranges_": (2, width)})
        space = FeatureSpace.of_numbers(width)
        self._forest = self._blank().restore(state, space)
        return self

    def _read(self, batch: LogBatch) -> NDArray[np.float32]:
        read = batch.features.copy()
        read[:, self.windows] = 0.0
        return read

    def _blank(self) -> IsolationForest:
        return IsolationForest(n_estimators=TREES, random_state=self.random_state)
