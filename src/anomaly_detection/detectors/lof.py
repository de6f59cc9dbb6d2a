"""Local density, compared with the neighbours' density."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors._neighbour_kernels import UNDERFLOW, density_ratio, mean_reach
from anomaly_detection.detectors._neighbours import Reference, arranged, chunks, sampled
from anomaly_detection.detectors.base import Detector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class LOF(Detector):
    """Local outlier factor: how much sparser a row's surroundings are than its neighbours' surroundings.

    1 is as dense as the neighbours; larger is sparser. The neighbours are exact. Every row is scored as a new one, so
    that a training row scored later finds itself at distance 0; calibrate on rows the detector was not fitted on.

    Rows that occur more than once are kept once (the *k-distinct-distance* of the paper), so that no density is
    infinite, and a score is finite whatever the duplicates.

    Parameters
    ----------
    n_neighbors : how many neighbours; if there are not as many, all distinct reference rows but one (the row itself
        when densities are learned).
    max_reference : of more training rows than this, so many are drawn at random and kept; time grows with it, that of
        fitting with its square.
    random_state : seed of that draw.

    Attributes
    ----------
    reference_ : (r, d) float32, the distinct rows that were kept, those near each other in space side by side.
    k_distance_ : (r,) float64, the distance of each from its k-th neighbour.
    reach_ : (r,) float64, the mean reachability distance of each from its neighbours; its inverse is the local
        reachability density.

    References
    ----------
    Breunig, Kriegel, Ng and Sander, "LOF: identifying density-based local outliers", SIGMOD 2000.

    Examples
    --------
    >>> detector = LOF(n_neighbors=2).fit([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> detector.score([[2.0], [9.0]]).round(2)
    array([0.9, 3.5])
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_neighbors": Range(1, integer=True),
        "max_reference": Range(2, integer=True),
        "random_state": Range(0, integer=True),
    }
    learned: ClassVar[tuple[str, ...]] = ("reference_", "k_distance_", "reach_")

    reference_: NDArray[np.float32]
    k_distance_: NDArray[np.float64]
    reach_: NDArray[np.float64]

    def __init__(self, n_neighbors: int = 20, max_reference: int = 20_000, random_state: int = 0) -> None:
        self.n_neighbors = n_neighbors
        self.max_reference = max_reference
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one finite, clean row of the fitted width without checking it."""
        return float(self._of_rows(row[None, :])[0])

    def _fit(self, X: NDArray[np.float32]) -> None:
        rows = sampled(X, int(self.max_reference), int(self.random_state))
        self.reference_ = arranged(np.unique(rows, axis=0))
        self.k_distance_ = np.zeros(len(self.reference_))
        self.reach_ = np.zeros(len(self.reference_))
        self._restored()
        self._learn_densities()

    def _learn_densities(self) -> None:
        if len(self.reference_) == 1:
            self.reach_[0] = self._floor
            return
        distances, positions = self._reference.nearest(self.reference_, self._k, np.arange(len(self.reference_)))
        self.k_distance_[:] = distances[:, -1]
        mean_reach(distances, positions, self.k_distance_, self._floor, self.reach_)

    def _restored(self) -> None:
        self._reference = Reference(self.reference_)
        self._k = max(1, min(int(self.n_neighbors), len(self.reference_) - 1))
        self._floor = UNDERFLOW / self._reference.scale

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        for part in chunks(X):
            scores[part] = self._of_rows(X[part])
        return scores

    def _of_rows(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        distances, positions = self._reference.nearest(X, self._k)
        own, scores = np.empty(len(X)), np.empty(len(X))
        mean_reach(distances, positions, self.k_distance_, self._floor, own)
        density_ratio(positions, self.reach_, own, scores)
        return scores
