"""Distance to the nearest training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from anomaly_detection.base import SEED, Choice, Range
from anomaly_detection.detectors._neighbour_kernels import mean_by_row
from anomaly_detection.detectors._neighbours import Reference, arranged, chunks, sampled
from anomaly_detection.detectors._restored import require_rows
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class KNN(Detector):
    """Distance to the k nearest training rows.

    The neighbours are exact: nothing is approximated. Fitting keeps rows and computes no distance. A row is not its own
    neighbour: of reference rows that equal it, one is left out. So a training row gets the score that a detector
    fitted without it would give, and calibration needs no other rows.

    Parameters
    ----------
    n_neighbors : how many neighbours; all reference rows but one if there are fewer.
    method : what is made of the k distances: the ``"largest"`` (Ramaswamy et al.), their ``"mean"`` (Angiulli and
        Pizzuti) or their ``"median"``.
    max_reference : of more training rows than this, so many are drawn at random and kept; time and memory grow with it.
    random_state : seed of that draw.

    Attributes
    ----------
    reference_ : (r, d) float32, the rows that were kept, those near each other in space side by side.

    References
    ----------
    Ramaswamy, Rastogi and Shim, "Efficient algorithms for mining outliers from large data sets", SIGMOD 2000.
    Angiulli and Pizzuti, "Fast outlier detection in high dimensional spaces", PKDD 2002.

    Examples
    --------
    >>> detector = KNN(n_neighbors=2).fit([[0.0], [1.0], [2.0], [3.0]])
    >>> detector.score([[1.0], [7.0]])
    array([1., 5.])
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_neighbors": Range(1, integer=True),
        "method": Choice("largest", "mean", "median"),
        "max_reference": Range(2, integer=True),
        "random_state": SEED,
    }
    tags: ClassVar[Tags] = Tags(leave_one_out=True)
    learned: ClassVar[tuple[str, ...]] = ("reference_",)

    reference_: NDArray[np.float32]

    def __init__(
        self,
        n_neighbors: int = 5,
        method: Literal["largest", "mean", "median"] = "largest",
        max_reference: int = 20_000,
        random_state: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.method = method
        self.max_reference = max_reference
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one finite, clean row of the fitted width without checking it."""
        return float(self._of_distances(self._reference.nearest_others(row[None, :], self._k)[0])[0])

    def _fit(self, X: NDArray[np.float32]) -> None:
        self.reference_ = arranged(sampled(X, int(self.max_reference), int(self.random_state)))
        self._restored()

    def _restored(self) -> None:
        require_rows(self, "reference_", 2)
        self._reference = Reference(self.reference_)
        self._k = min(int(self.n_neighbors), len(self.reference_) - 1)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        for part in chunks(X):
            scores[part] = self._of_distances(self._reference.nearest_others(X[part], self._k)[0])
        return scores

    def _of_distances(self, distances: NDArray[np.float64]) -> NDArray[np.float64]:
        """(m, k) sorted distances to (m,) scores."""
        if self.method == "mean":
            scores = np.empty(len(distances))
            mean_by_row(distances, scores)
            return scores
        if self.method == "median":
            return (distances[:, (self._k - 1) // 2] + distances[:, self._k // 2]) / 2
        return distances[:, -1]
