"""Isolation by nearest neighbours: small balls where training rows are dense, large ones where they are sparse."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._block_kernels import LIMIT
from anomaly_detection.detectors._inne_kernels import isolation, squared_radii
from anomaly_detection.detectors._neighbours import in_blocks, power_of_two, small_samples
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors.base import Detector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class INNE(Detector):
    """Isolation using nearest-neighbour ensembles.

    Each of many small samples of the training rows puts a ball around every row in it, as large as the distance to the
    nearest other row of the sample: small where rows are dense. A row that no ball of a sample covers scores 1 there;
    otherwise the smallest ball that covers it says ``1 - r² / R²``, with R its own radius and r that of the ball around
    its nearest neighbour. The score is the mean over the samples, in [0, 1]. A ball of no size, around rows that are
    equal, scores 0. The paper has the ratio of the radii; that of their squares, which PyOD takes, tells sparse rows
    apart a little better.

    Fitting draws rows and keeps them: milliseconds, whatever the number of rows. One row takes as many distances as
    there are sampled rows: with 30 columns, about ten microseconds.

    Parameters
    ----------
    n_estimators : number of samples.
    max_samples : rows in each, at most all.
    random_state : seed; the same seed and data give the same samples on every machine.

    Attributes
    ----------
    centres_ : (n_estimators, s, d) float32, the rows of each sample.

    References
    ----------
    Bandaragoda, Ting, Albrecht, Liu, Zhu and Wells, "Isolation-based anomaly detection using nearest-neighbor
    ensembles", Computational Intelligence 2018.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 3))
    >>> crowd, far = INNE().fit(rows).score([[0.0, 0.0, 0.0], [9.0, -9.0, 9.0]])
    >>> bool(crowd < 0.4 < 0.99 < far)
    True
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_estimators": Range(1, 10_000, integer=True),
        "max_samples": Range(2, 2**16, integer=True),
        "random_state": SEED,
    }
    learned: ClassVar[tuple[str, ...]] = ("centres_",)

    centres_: NDArray[np.float32]

    def __init__(self, n_estimators: int = 200, max_samples: int = 8, random_state: int = 0) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.random_state = random_state

    def _fit(self, X: NDArray[np.float32]) -> None:
        self.centres_ = X[small_samples(len(X), int(self.n_estimators), int(self.max_samples), int(self.random_state))]
        self._restored()

    def _restored(self) -> None:
        require_shapes(self, {"centres_": (int(self.n_estimators), None, len(self.features_))})
        n_samples, size, d = self.centres_.shape
        require(self, size >= 2 and self.centres_.dtype == np.float32)
        rows = self.centres_.reshape(-1, d)
        self._scale = power_of_two(rows)
        scaled = np.clip(rows * np.float64(self._scale), -LIMIT, LIMIT).astype(np.float32)
        centres = scaled.reshape(n_samples, size, d)
        radii, nearest = np.empty((n_samples, size), np.float32), np.empty((n_samples, size), np.int64)
        squared_radii(centres, radii, nearest)
        wide = radii.astype(np.float64)
        neighbour = np.take_along_axis(wide, nearest, axis=1)
        scores = 1.0 - np.divide(neighbour, wide, out=np.ones_like(wide), where=wide > 0)
        order = np.argsort(radii, axis=1, kind="stable")
        self._radii = np.take_along_axis(radii, order, axis=1)
        self._scores = np.take_along_axis(scores, order, axis=1)
        self._blocks = in_blocks(np.take_along_axis(centres, order[..., None], axis=1).reshape(-1, d))

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        isolation(X, self._scale, self._blocks, self._radii, self._scores, scores)
        return scores
