"""Fewer columns that stand for many: random signed sums of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.detectors._neighbours import sampled
from anomaly_detection.detectors._robust import quartile_scale
from anomaly_detection.detectors._sketch_kernels import add_up
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.space import FeatureSpace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SEEN_ROWS = 2_000
"""Rows that the columns' units are taken of."""


class Sketch:
    """Random signed sums of columns, each measured in its robust unit; every column is in one sum.

    Squared lengths and distances are kept on average, and the more sums, the more closely (CountSketch: Charikar, Chen
    and Farach-Colton, "Finding frequent items in data streams", Theoretical Computer Science 2004). A row takes time in
    proportion to its columns.

    Attributes
    ----------
    width : how many sums; as many as columns, and nothing is changed, where there are not more columns than asked for.
    features_ : what the detectors behind it see.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(100, 50)).astype(np.float32)
    >>> Sketch().fit(rows, FeatureSpace.of_numbers(50), most=8, seed=0).transform(rows).shape
    (100, 8)
    """

    names: ClassVar[tuple[str, ...]] = ("centers", "factors", "places")

    width: int
    features_: FeatureSpace

    def fit(self, X: NDArray[np.float32], features: FeatureSpace, most: int, seed: int) -> Self:
        """Draw the sums for (n, d) rows; at most ``most``."""
        d = X.shape[1]
        if d <= most:
            return self._take({name: np.empty(0) for name in self.names}, features, d)
        rng = np.random.default_rng(seed)
        centers, scales = quartile_scale(sampled(X, SEEN_ROWS, seed))
        signs = rng.choice([-1.0, 1.0], size=d)
        return self._take(
            {"centers": centers, "factors": signs / scales, "places": rng.permutation(d) % most}, features, most
        )

    def transform(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, width) float32; row by row alike."""
        if not len(self._places):
            return X
        out = np.empty((len(X), self.width), dtype=np.float32)
        add_up(X, self._centers, self._factors, self._places, out)
        return out

    def state(self) -> dict[str, NDArray[Any]]:
        """What was drawn, as arrays by name; empty ones where nothing is changed."""
        return {"centers": self._centers, "factors": self._factors, "places": self._places}

    def restore(self, state: Mapping[str, NDArray[Any]], features: FeatureSpace, most: int) -> Self:
        """Take back what :meth:`state` handed out.

        Raises
        ------
        ArtifactError
            if the arrays are not there or do not belong together: the kernel trusts them.
        """
        d = len(features)
        length = d if d > most else 0
        arrays = [np.asarray(state.get(name, ())) for name in self.names]
        whole = all(one.shape == (length,) and bool(np.isfinite(one).all()) for one in arrays)
        if not whole or (length and (arrays[2].min() < 0 or arrays[2].max() >= most)):
            raise ArtifactError(
                f"The saved sums of columns do not belong to {d} columns. Load the model from an unchanged copy, or "
                "fit it again."
            )
        return self._take(dict(zip(self.names, arrays, strict=True)), features, most if length else d)

    def _take(self, arrays: Mapping[str, NDArray[Any]], features: FeatureSpace, width: int) -> Self:
        self._centers = arrays["centers"].astype(np.float64)
        self._factors = arrays["factors"].astype(np.float64)
        self._places = arrays["places"].astype(np.int64)
        self.width = width
        self.features_ = FeatureSpace.of_numbers([f"sum{k}" for k in range(width)]) if len(self._places) else features
        return self
