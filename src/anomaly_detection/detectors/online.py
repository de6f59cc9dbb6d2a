"""The contract of a detector that goes on learning.

``fit(X)`` forgets everything and learns the rows; ``update(X)`` learns more of them, one after the other. Any chunking
of the same rows leads to the same state, bit for bit. The state is arrays whose size does not grow with the rows
learned; saved after any row and restored, the detector goes on as if it had never stopped.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors.base import Detector, Tags
from anomaly_detection.errors import MissingDependencyError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from anomaly_detection.features.space import FeatureSpace


class OnlineDetector(Detector):
    """The base of detectors that learn a row at a time.

    Subclasses write ``_begin(X)``, ``_update(X)`` and ``_score(X)``. Everything ``_update`` changes is in arrays that
    :attr:`learned` names, random states included. They are changed in place: a detector must not be scored in one
    thread while it learns in another.
    """

    tags: ClassVar[Tags] = Tags(online=True)

    @final
    def update(self, X: ArrayLike) -> Self:
        """Learn more rows, in order.

        Parameters
        ----------
        X : (n, d) numbers, in the order of the fitted features.

        Raises
        ------
        NotFittedError
            before ``fit``: the first rows also tell what ordinary values are.
        SchemaError
            if the width differs from the fitted one.
        InputError
            for missing values the detector does not take; nothing was learned then.
        """
        rows = self._checked(X)
        if len(rows):
            self._update(rows)
        return self

    @final
    def score_update(self, X: ArrayLike) -> NDArray[np.float64]:
        """Score each row and then learn it, before the next one is scored.

        Equal, bit for bit, to ``score`` and ``update`` with one row at a time, in one pass. Raises as :meth:`update`
        does.

        Returns
        -------
        (n,) float64.
        """
        rows = self._checked(X)
        return self._score_update(rows) if len(rows) else np.empty(0)

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned so far, as copies: learning more does not change them."""
        return {name: array.copy() for name, array in super().state().items()}

    def restore(self, state: Mapping[str, NDArray[Any]], features: FeatureSpace) -> Self:
        """Take back copies of what :meth:`state` handed out, and go on from there."""
        return super().restore({name: np.array(array) for name, array in state.items()}, features)

    @abstractmethod
    def _begin(self, X: NDArray[np.float32]) -> None:
        """Forget everything; take from the rows of ``fit`` what has to be known before the first one is learned."""

    @abstractmethod
    def _update(self, X: NDArray[np.float32]) -> None:
        """Learn the rows of an (n, d) matrix, one after the other."""

    def _score_update(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score and learn in turns; algorithms with a kernel for both override it."""
        scores = np.empty(len(X))
        for i in range(len(X)):
            scores[i] = self._score(X[i : i + 1])[0]
            self._update(X[i : i + 1])
        return scores

    @final
    def _fit(self, X: NDArray[np.float32]) -> None:
        self._begin(X)
        self._update(X)


def alike(found: Iterable[Any], expected: Iterable[Any]) -> bool:
    """Whether restored arrays have the shapes and the types they have to have.

    >>> alike([np.zeros(2), np.zeros(1)], [np.ones(2), np.ones(1, np.int64)])
    False
    """
    pairs = ((np.asarray(ours), np.asarray(theirs)) for ours, theirs in zip(found, expected, strict=True))
    return all(ours.shape == theirs.shape and ours.dtype == theirs.dtype for ours, theirs in pairs)


def online_names() -> tuple[str, ...]:
    """The algorithms of the catalog that can go on learning, sorted."""
    return tuple(entry.name for entry in DETECTORS.entries() if entry.extra is None and _is_online(entry.name))


def as_online(detector: Detector) -> OnlineDetector:
    """The detector itself, if it can go on learning.

    Raises
    ------
    ParameterError
        naming the algorithms that can.
    """
    if isinstance(detector, OnlineDetector):
        return detector
    raise ParameterError(
        f"{type(detector).__name__} learns all rows at once and cannot be updated. Fit it again on old and new rows, "
        f"or train one of these instead: {', '.join(online_names())}."
    )


def _is_online(name: str) -> bool:
    try:
        return issubclass(DETECTORS.load(name), OnlineDetector)
    except MissingDependencyError:
        return False
