"""CBLOF: distance from the nearest large cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Choice, Range
from anomaly_detection.detectors._cluster_kernels import distances_to_large, means, nearest_centres
from anomaly_detection.detectors._neighbours import sampled
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors.base import Detector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

MOST_ROUNDS = 50
"""Rounds of k-means, if rows still change clusters."""


class CBLOF(Detector):
    """Cluster-based local outlier factor: how far a row lies from the nearest large cluster.

    Training rows are put into clusters by k-means. The largest clusters that together hold the share ``alpha`` of the
    rows are large, and so are fewer of them if one is ``beta`` times as large as the next. A row of a large cluster
    scores its distance from the cluster's centre, a row of a small one its distance from the nearest large centre, as
    small clusters are themselves anomalous. Weighted, the distance is multiplied by the share of the rows in the row's
    own cluster, as the paper does; that mostly hides anomalies of small clusters, so it is off unless asked for.

    Parameters
    ----------
    n_clusters : how many clusters; fewer if there are fewer different rows.
    alpha : the share of the rows that the large clusters hold at least.
    beta : the factor between two sizes that ends the large clusters early.
    use_weights : whether distances are multiplied by the share of the rows in the row's own cluster.
    max_rows : of more training rows than this, so many are drawn at random to find the centres.
    random_state : seed of that draw and of the first centres.

    Attributes
    ----------
    centres_ : (k, d) float64, the centres, those of the largest clusters first.
    sizes_ : (k,) training rows in each cluster.
    n_large_ : how many of them are large.

    Notes
    -----
    Fitting costs rows times clusters times columns, some dozens of times: 20,000 rows of 100 columns take about a
    second, and more rows little more. Sums run in a fixed order, so threads do not change a result.

    References
    ----------
    Z. He, X. Xu, S. Deng, "Discovering cluster-based local outliers", Pattern Recognition Letters 24, 2003.
    D. Arthur, S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.

    Examples
    --------
    >>> crowd = np.random.default_rng(0).normal(size=(200, 2))
    >>> detector = CBLOF(n_clusters=2).fit(np.concatenate([crowd, np.full((3, 2), 50.0)]))
    >>> detector.sizes_.tolist(), detector.n_large_
    ([200, 3], 1)
    >>> usual, small_cluster = detector.score([[0.0, 0.0], [50.0, 50.0]])
    >>> bool(usual < 1 < 70 < small_cluster)
    True
    """

    learned: ClassVar[tuple[str, ...]] = ("centres_", "sizes_", "n_large_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_clusters": Range(1, 1000, integer=True),
        "alpha": Range(0, 1, open_low=True),
        "beta": Range(1, open_low=True),
        "use_weights": Choice(True, False),
        "max_rows": Range(2, integer=True),
        "random_state": SEED,
    }

    centres_: NDArray[np.float64]
    sizes_: NDArray[np.int64]
    n_large_: int

    def __init__(
        self,
        n_clusters: int = 16,
        alpha: float = 0.9,
        beta: float = 5.0,
        use_weights: bool = False,
        max_rows: int = 20_000,
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.alpha = alpha
        self.beta = beta
        self.use_weights = use_weights
        self.max_rows = max_rows
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row of the fitted width without checking it, in about a microsecond."""
        return float(distances_to_large(row[None, :], *self._tables)[0])

    def _fit(self, X: NDArray[np.float32]) -> None:
        seed = int(self.random_state)
        centres = k_means(sampled(X, int(self.max_rows), seed), int(self.n_clusters), seed)
        labels, _ = nearest_centres(X, centres)
        sizes = np.bincount(labels, minlength=centres.shape[1])
        order = np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)]
        self.centres_, self.sizes_ = np.ascontiguousarray(centres.T[order]), sizes[order]
        self.n_large_ = _how_many_are_large(self.sizes_, self.alpha, self.beta)
        self._restored()

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = distances_to_large(X, *self._tables)
        return scores

    def _restored(self) -> None:
        require_shapes(self, {"centres_": (None, len(self.features_)), "n_large_": ()})
        require_shapes(self, {"sizes_": (len(self.centres_),)})
        require(self, 1 <= self.n_large_ <= len(self.centres_) and np.all(self.sizes_ > 0))
        shares = self.sizes_ / self.sizes_.sum()
        self._tables: tuple[Any, ...] = (
            np.ascontiguousarray(self.centres_.T, dtype=np.float64),
            np.arange(len(self.sizes_)) < self.n_large_,
            shares if self.use_weights else np.ones(len(shares)),
        )


def k_means(X: NDArray[np.float32], count: int, seed: int) -> NDArray[np.float64]:
    """(d, k) centres of at most ``count`` clusters: Lloyd's rounds from seeds that lie far apart (k-means++)."""
    centres = _first_centres(X, count, np.random.default_rng(seed))
    labels, _ = nearest_centres(X, centres)
    for _ in range(MOST_ROUNDS):
        centres = means(X, labels, centres)
        before = labels
        labels, _ = nearest_centres(X, centres)
        if np.array_equal(labels, before):
            break
    return centres


def _first_centres(X: NDArray[np.float32], count: int, random: np.random.Generator) -> NDArray[np.float64]:
    """(d, k) rows, each drawn in proportion to its squared distance from those before; fewer if no other is left."""
    chosen = [int(random.integers(len(X)))]
    least = np.full(len(X), np.inf)
    while len(chosen) < count:
        least = np.minimum(least, nearest_centres(X, X[chosen[-1:]].T.astype(np.float64))[1])
        reached = np.cumsum(least / (least.max() or 1.0))
        if reached[-1] == 0.0:
            break
        chosen.append(int(np.searchsorted(reached, random.random() * reached[-1], side="right")))
    return np.ascontiguousarray(X[chosen].T, dtype=np.float64)


def _how_many_are_large(sizes: NDArray[np.int64], alpha: float, beta: float) -> int:
    """Of clusters sorted by size: the fewest that hold the share alpha, or after which size falls by beta."""
    holds_share = np.cumsum(sizes) >= alpha * sizes.sum()
    falls = np.append(sizes[:-1] >= beta * sizes[1:], True)
    return int(np.argmax(holds_share | falls)) + 1
