"""Pauses before lines of a session that are longer than usual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.logs.rates import usual_of
from anomaly_detection.logs.tables import damaged, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class Pauses:
    """How much longer than usual the pause before a line is: the distance of its logarithm in spreads, by template."""

    def fit(self, symbols: NDArray[np.int32], pauses: NDArray[np.float64]) -> Self:
        """Learn mean and spread for each template; ``pauses`` (n,) are seconds, NaN where there is none."""
        size = int(symbols.max(initial=-1)) + 1
        known = np.where(symbols < 0, size, symbols)
        self.usual_ = usual_of(known, np.log(pauses + 1.0), size + 1).astype(np.float32)
        return self

    def score(self, symbols: NDArray[np.int32], pauses: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) distance in spreads, at least 0; 0 where there is no pause."""
        usual = self.usual_[np.minimum(symbols.astype(np.uint32), len(self.usual_) - 1)]
        far: NDArray[np.float64] = np.maximum(np.nan_to_num((np.log(pauses + 1.0) - usual[:, 0]) / usual[:, 1]), 0.0)
        return far

    def state(self) -> dict[str, NDArray[Any]]:
        """Mean and spread for each template, those of unseen ones last."""
        return {"usual_": self.usual_}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take them back; raises ArtifactError if they are damaged."""
        self.usual_ = taken(state, "usual_", np.float32, None, 2)
        if not len(self.usual_) or (self.usual_[:, 1] <= 0).any():
            raise damaged("pauses in sessions")
        return self
