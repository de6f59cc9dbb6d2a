"""Rare and never-seen templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.logs.method import Memory, Method
from anomaly_detection.logs.tables import damaged, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch


class Rarity(Method):
    """How rare the template of a line is, as a p-value from the first line on (Good 1953, after Turing).

    The chance that the next line has a template never seen before is near the share of lines whose template was seen
    once; that of a template seen at most c times, near the share whose template was seen at most c + 1 times. The score
    is ``-ln`` of that share.
    """

    name: ClassVar[str] = "rare_templates"

    def fit(self, batch: LogBatch) -> Self:
        """Count."""
        return self._take(np.bincount(batch.templates[batch.templates >= 0]).astype(np.uint32))

    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:  # noqa: ARG002  it remembers nothing
        """(n,) ``-ln p``."""
        unseen = len(self._surprises) - 1
        found: NDArray[np.float64] = self._surprises[np.minimum(batch.templates.astype(np.uint32), unseen)]
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """How often each template came."""
        return {"counts": self._counts}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take the counts back."""
        counts = taken(state, "counts", np.uint32, None)
        if counts.sum(dtype=np.float64) > 2**62:
            raise damaged("counts of templates")
        return self._take(counts)

    def _take(self, counts: NDArray[np.uint32]) -> Self:
        self._counts = counts
        with_unseen = np.append(counts, 0).astype(np.int64)
        ordered = np.sort(counts.astype(np.int64))
        lines = np.concatenate([[0], np.cumsum(ordered)])
        up_to = lines[np.searchsorted(ordered, with_unseen + 1, side="right")]
        self._surprises = -np.log((up_to + 1.0) / (lines[-1] + 1.0))
        return self
