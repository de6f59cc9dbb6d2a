"""What every method of finding anomalous lines has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

Memory = dict[str, "NDArray[Any]"]
"""What a method remembers of the lines that it scored, as arrays of a fixed size by name; changed in place."""


class Method(ABC):
    """One way to tell how odd a log line is.

    :meth:`fit` learns from lines in order; :meth:`score` gives a float64 per line, higher is more anomalous, and takes
    the lines into its memory. Any chunks of the same lines give the same bits.
    """

    name: ClassVar[str]

    @abstractmethod
    def fit(self, batch: LogBatch) -> Self:
        """Learn what is normal; some of the lines may be anomalies."""

    @abstractmethod
    def score(self, batch: LogBatch, memory: Memory) -> NDArray[np.float64]:
        """(n,) how odd each line is."""

    def memory(self) -> Memory:
        """A memory with nothing in it."""
        return {}

    @abstractmethod
    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name."""

    @abstractmethod
    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take back what :meth:`state` handed out.

        Raises
        ------
        ArtifactError
            if it is damaged.
        """
