"""Local density, compared with the neighbours' density."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._neighbour_kernels import UNDERFLOW, density_ratio, mean_reach
from anomaly_detection.detectors._neighbours import Reference, arranged, chunks, sampled
from anomaly_detection.detectors._restored import require_rows, require_shapes
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

SHORTEST = 0.01
"""The least mean reachability distance, in medians of the positive ones."""


class LOF(Detector):
    """Local outlier factor: how much sparser a row's surroundings are than its neighbours' surroundings.

    1 is as dense as the neighbours; larger is sparser. The neighbours are exact. A row is not
    its own neighbour: of reference rows that equal it, one is left out, and so a training row is scored as the paper
    scores it.

    Where more than k training rows are equal, the paper's density is infinite. Here a mean reachability distance counts
    as at least 0.01 of the median positive one, and so no density as more than 100 times the usual one: every score is
    finite, and a row equal to more than k others scores 1.

    Parameters
    ----------
    n_neighbors : how many neighbours; if there are not as many, all reference rows but one (a row is not its own
        neighbour when densities are learned).
    max_reference : of more training rows than this, so many are drawn at random and kept; time grows with it, that of
        fitting with its square.
    random_state : seed of that draw.

    Attributes
    ----------
    reference_ : (r, d) float32, the rows that were kept, those near each other in space side by side.
    k_distance_ : (r,) float64, the distance of each from its k-th neighbour.
    reach_ : (r,) float64, the mean reachability distance of each from its neighbours; its inverse is the local
        reachability density.
    shortest_reach_ : what a mean reachability distance counts as at least.

    References
    ----------
    Breunig, Kriegel, Ng and Sander, "LOF: identifying density-based local outliers", SIGMOD 2000.

    Examples
    --------
    >>> detector = LOF(n_neighbors=2).fit([[0.0], [1.0], [2.0], [3.0], [4.0]])
    >>> detector.score([[2.0], [9.0]]).round(2)
    array([0.67, 3.67])
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_neighbors": Range(1, integer=True),
        "max_reference": Range(2, integer=True),
        "random_state": SEED,
    }
    tags: ClassVar[Tags] = Tags(leave_one_out=True)
    learned: ClassVar[tuple[str, ...]] = ("reference_", "k_distance_", "reach_", "shortest_reach_")

    reference_: NDArray[np.float32]
    k_distance_: NDArray[np.float64]
    reach_: NDArray[np.float64]
    shortest_reach_: float

    def __init__(self, n_neighbors: int = 20, max_reference: int = 20_000, random_state: int = 0) -> None:
        self.n_neighbors = n_neighbors
        self.max_reference = max_reference
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one finite, clean row of the fitted width without checking it."""
        return float(self._of_rows(row[None, :])[0])

    def _fit(self, X: NDArray[np.float32]) -> None:
        self.reference_ = arranged(sampled(X, int(self.max_reference), int(self.random_state)))
        self._search_among(self.reference_)
        n = len(self.reference_)
        distances, positions = self._reference.nearest(self.reference_, self._k, np.arange(n))
        self.k_distance_ = distances[:, -1].copy()
        self.reach_ = np.empty(n)
        mean_reach(distances, positions, self.k_distance_, 0.0, self.reach_)
        self.shortest_reach_ = self._shortest()
        self.reach_ = np.maximum(self.reach_, self.shortest_reach_)

    def _shortest(self) -> float:
        positive = self.reach_[self.reach_ > 0]
        usual = float(np.median(positive)) if len(positive) else 0.0
        return max(SHORTEST * usual, UNDERFLOW / self._reference.scale)

    def _restored(self) -> None:
        require_rows(self, "reference_", 2)
        n = len(self.reference_)
        require_shapes(self, {"k_distance_": (n,), "reach_": (n,), "shortest_reach_": ()})
        self._search_among(self.reference_)

    def _search_among(self, rows: NDArray[np.float32]) -> None:
        self._reference = Reference(rows)
        self._k = min(int(self.n_neighbors), len(rows) - 1)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        for part in chunks(X):
            scores[part] = self._of_rows(X[part])
        return scores

    def _of_rows(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        distances, positions = self._reference.nearest_others(X, self._k)
        own, scores = np.empty(len(X)), np.empty(len(X))
        mean_reach(distances, positions, self.k_distance_, self.shortest_reach_, own)
        density_ratio(positions, self.reach_, own, scores)
        return scores
