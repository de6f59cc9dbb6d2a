"""Angles: seen from far out, all other rows lie in one direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._abod_kernels import negative_log_angle_variance
from anomaly_detection.detectors._neighbours import Reference, arranged, chunks, sampled
from anomaly_detection.detectors._restored import require_rows
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class ABOD(Detector):
    """Fast angle-based outlier detection: how little the directions to the nearest training rows vary.

    From within a crowd the neighbours lie in all directions, from its edge or beyond in few. The angle-based outlier
    factor is the variance of the angles between pairs of the k nearest training rows, every pair weighted by how near
    it is; the score is minus its logarithm, which keeps the order and tells rows apart however far away they are.

    Equal training rows count once: there is no direction towards an equal row. For the same reason a row's equal among
    the training rows is left out; so a training row gets the score that a detector fitted without it would give, and
    calibration needs no other rows. With fewer than three different training rows there are no angles, and every score
    is 0.

    Fitting keeps rows. Scoring a row takes the time of finding its neighbours, as in ``knn``, and of k² / 2 products.

    Parameters
    ----------
    n_neighbors : how many neighbours; all different reference rows but one if there are fewer.
    max_reference : of more training rows than this, so many are drawn at random and kept; time and memory grow with it.
    random_state : seed of that draw.

    Attributes
    ----------
    reference_ : (r, d) float32, the different rows that were kept, those near each other in space side by side.

    References
    ----------
    Kriegel, Schubert and Zimek, "Angle-based outlier detection in high-dimensional data", KDD 2008.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(300, 5))
    >>> inside, beyond, far = ABOD().fit(rows).score([[0.0] * 5, [4.0] * 5, [40.0] * 5])
    >>> bool(inside < beyond < far)
    True
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_neighbors": Range(3, integer=True),
        "max_reference": Range(2, integer=True),
        "random_state": SEED,
    }
    tags: ClassVar[Tags] = Tags(leave_one_out=True)
    learned: ClassVar[tuple[str, ...]] = ("reference_",)

    reference_: NDArray[np.float32]

    def __init__(self, n_neighbors: int = 20, max_reference: int = 20_000, random_state: int = 0) -> None:
        self.n_neighbors = n_neighbors
        self.max_reference = max_reference
        self.random_state = random_state

    def _fit(self, X: NDArray[np.float32]) -> None:
        different = np.unique(sampled(X, int(self.max_reference), int(self.random_state)), axis=0)
        self.reference_ = arranged(different)
        self._restored()

    def _restored(self) -> None:
        require_rows(self, "reference_")
        self._reference = Reference(self.reference_)
        self._k = min(int(self.n_neighbors), len(self.reference_) - 1)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.zeros(len(X))
        if self._k >= 2:
            for part in chunks(X):
                _, positions = self._reference.nearest_others(X[part], self._k)
                negative_log_angle_variance(X[part], self.reference_, positions, self._reference.scale, scores[part])
        return scores
