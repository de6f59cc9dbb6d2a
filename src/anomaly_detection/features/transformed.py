"""Transforms the user asked for, on the numbers of a matrix, before the detector sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from anomaly_detection.base import make
from anomaly_detection.errors import ParameterError
from anomaly_detection.features.scaling import TRANSFORMS, Transform

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anomaly_detection.features.space import FeatureSpace


class TransformedFeatures:
    """Transforms by name, one after the other, on the number features; categories pass as they are.

    Parameters
    ----------
    names : names from :data:`~anomaly_detection.features.scaling.TRANSFORMS`, with parameters where wanted
        (``"clip:lower=0"``); they learn in the user's units.

    Raises
    ------
    UnknownNameError
        for a name that is not a transform, with the nearest ones.
    ParameterError
        for a transform that looks at the rows before: the rows of a table come in no order.

    Examples
    --------
    >>> from anomaly_detection.features.space import FeatureSpace
    >>> X, space = np.array([[0.0], [2.0], [10.0]], dtype=np.float32), FeatureSpace.of_numbers(1)
    >>> TransformedFeatures(["minmax"]).fit(X, space, np.zeros(1)).transform(X).ravel().tolist()
    [0.0, 0.20000000298023224, 1.0]
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.transforms = [_row_wise(name) for name in self.names]

    def fit(self, X: NDArray[np.float32], space: FeatureSpace, offsets: NDArray[np.float64]) -> Self:
        """Learn from an (n, d) native matrix; ``offsets`` (d,) are what its numbers were centred on."""
        self.numbers = np.flatnonzero(space.n_categories == 0)
        self.offsets = offsets[self.numbers]
        values = self._in_users_units(X)
        for transform in self.transforms:
            values = transform.fit(values).transform(values)
        return self

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, d) the same matrix with its numbers transformed."""
        values = self._in_users_units(X)
        for transform in self.transforms:
            values = transform.transform(values)
        result = X.copy()
        with np.errstate(over="ignore"):
            result[:, self.numbers] = values
        return result

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name."""
        learned = {f"{i}/{name}": array for i, one in enumerate(self.transforms) for name, array in one.state().items()}
        return {"numbers": self.numbers, "offsets": self.offsets, **learned}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take back what :meth:`state` handed out."""
        self.numbers, self.offsets = state["numbers"], state["offsets"]
        for i, one in enumerate(self.transforms):
            one.restore(
                {name.removeprefix(f"{i}/"): array for name, array in state.items() if name.startswith(f"{i}/")}
            )
        return self

    def _in_users_units(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = X[:, self.numbers].astype(np.float64) + self.offsets
        return values


def _row_wise(name: str) -> Transform:
    transform = cast("Transform", make(TRANSFORMS, name))
    if not transform.row_wise:
        raise ParameterError(
            f"The transform {name!r} looks at the rows before, and the rows of a table come in no order. "
            f"Choose one of {', '.join(entry.name for entry in TRANSFORMS.entries() if entry.load().row_wise)}."
        )
    return transform
