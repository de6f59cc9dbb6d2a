"""What detectors share that measure a squared distance from one centre, in one covariance."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.detectors._gaussian_kernels import squared_distances
from anomaly_detection.detectors._one_thread import on_one_thread
from anomaly_detection.detectors._restored import require_shapes
from anomaly_detection.detectors.base import Detector

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RobustDistance(Detector):
    """The base of detectors that score the squared Mahalanobis distance from a centre.

    Attributes
    ----------
    centre_ : (d,) float64.
    precision_cholesky_ : (d, d) float64, upper triangular; times its transpose it is the inverse of the covariance.
    """

    learned: ClassVar[tuple[str, ...]] = ("centre_", "precision_cholesky_")

    centre_: NDArray[np.float64]
    precision_cholesky_: NDArray[np.float64]

    @abstractmethod
    def _estimate(self, X: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The centre, and the factor of the precision, of (n, d) rows."""

    def _fit(self, X: NDArray[np.float32]) -> None:
        with on_one_thread():
            self.centre_, self.precision_cholesky_ = self._estimate(X)
        self._restored()

    def _restored(self) -> None:
        d = len(self.features_)
        require_shapes(self, {"centre_": (d,), "precision_cholesky_": (d, d)})
        self._means = np.ascontiguousarray(self.centre_[None])
        self._factors = np.ascontiguousarray(self.precision_cholesky_[None])

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        squared_distances(X, self._means, self._factors, 0, scores)
        return scores
