"""Isolation forest: random trees; rows that are quick to isolate are anomalous."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Constraint, Range
from anomaly_detection.detectors._forest_fit_kernels import draw_ranks, grow
from anomaly_detection.detectors._forest_layout_kernels import average_depth, lay_out, well_formed
from anomaly_detection.detectors._forest_score_kernels import score_plain_row, score_rows, score_wide_row
from anomaly_detection.detectors._forest_walk_kernels import Forest
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

RANK_ROUNDS = 8
"""Random orders of the codes of a category feature; a split takes one and cuts it in two."""


class IsolationForest(Detector):
    """Isolation forest with missing values and categories inside the trees.

    Each tree is grown on a random sample of rows: a random feature that still varies is cut at a random place between
    its smallest and its largest value, again and again, until a row is alone or the depth limit is reached. Every
    column of the user's table is as likely to be cut as any other, however many features it was turned into. The score
    is ``2 ** (-average depth / c(sample))``, in (0, 1]: near 1 for rows that are isolated at once, about 0.5 or below
    for rows in a crowd.

    *Categories.* A split puts a random set of categories on one side: codes are ranked in one of eight random orders
    and the order is cut.

    *Missing values.* Every split says where missing values go. If some are missing among the rows of the node, they go
    to a random side or are set apart; if none is, a missing value (or a category never seen) goes to the side with
    fewer rows, so that what is new is anomalous.

    *Values beyond the training range.* Trees never cut where they saw nothing, so by themselves they give the largest
    training value and one a thousand times as large the same score. A row with a number below the smallest or above the
    largest of training is scored as if it had been there when the trees were grown, as random cut forests do: at each
    node, a feature that the row makes wider is drawn that much more often, and a cut in the part that was added leaves
    the row alone. With D the distance from the range, R what is left of the range at the node, and w the feature's
    share of the cuts, such a cut comes first with probability ``e / (1 + e)``, ``e = sum(w D / R)``; otherwise the node
    is cut as it was. The depth is the expected number of cuts: the plain depth for D = 0, falling to 1 as D grows. Rows
    within the ranges are not affected. A feature that was constant in training counts as one range beyond once it
    changes, an infinite value as ten; a feature that was always missing does not count.

    Parameters
    ----------
    n_estimators : number of trees.
    max_samples : rows each tree is grown on, at most all.
    max_features : share of the features each tree may use; at least one is used.
    random_state : seed; the same seed and data give the same trees on every machine.

    Attributes
    ----------
    splits_ : unsigned, all trees in preorder: 0 for a leaf, else 1 + the column of the widened row.
    thresholds_ : float32, one per split; higher goes right.
    leaf_rows_ : unsigned, the rows that ended in each leaf.
    ranks_ : (8, total codes) uint8, the random orders of each category feature's codes.
    ranges_ : (2, d) float32, the smallest and the largest value of each feature.
    sample_rows_ : rows that each tree was grown on.

    References
    ----------
    F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation Forest", ICDM 2008.
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection on Streams", ICML 2016.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 3))
    >>> forest = IsolationForest(n_estimators=50).fit(rows)
    >>> crowd, far = forest.score([[0.0, 0.0, 0.0], [9.0, -9.0, 9.0]])
    >>> bool(crowd < 0.5 < 0.7 < far)
    True
    >>> near, wild = forest.score([[4.0, 0.0, 0.0], [1e9, 0.0, 0.0]])
    >>> bool(crowd < near < 0.7 < 0.9 < wild)
    True
    """

    tags: ClassVar[Tags] = Tags(missing=True, categories=True)
    learned: ClassVar[tuple[str, ...]] = ("splits_", "thresholds_", "leaf_rows_", "ranks_", "ranges_", "sample_rows_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_estimators": Range(1, 10_000, integer=True),
        "max_samples": Range(2, 2**16, integer=True),
        "max_features": Range(0, 1, open_low=True),
        "random_state": SEED,
    }

    splits_: NDArray[np.unsignedinteger]
    thresholds_: NDArray[np.float32]
    leaf_rows_: NDArray[np.unsignedinteger]
    ranks_: NDArray[np.uint8]
    sample_rows_: int
    _forest: Forest
    _plain: tuple[NDArray[np.void], NDArray[np.float32], int, float] | None

    def __init__(
        self,
        n_estimators: int = 100,
        max_samples: int = 256,
        max_features: float = 1.0,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.max_features = max_features
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row of the fitted width without checking it.

        It takes one to three microseconds, about five when a value lies beyond its range.
        """
        score: float = score_plain_row(row, *self._plain) if self._plain else math.nan
        if math.isnan(score):
            score = score_wide_row(row, self._forest)
        return score

    def _fit(self, X: NDArray[np.float32]) -> None:
        n_categories = self.features_.n_categories
        self.sample_rows_ = min(int(self.max_samples), len(X))
        self.ranks_ = draw_ranks(n_categories, RANK_ROUNDS, int(self.random_state))
        splits, self.thresholds_, leaf_rows = grow(
            X,
            self.features_.shares,
            n_categories,
            wide_starts(n_categories),
            self.ranks_,
            int(self.n_estimators),
            self.sample_rows_,
            max(1, int(self.max_features * X.shape[1])),
            self._depth(),
            int(self.random_state),
        )
        self.splits_, self.leaf_rows_ = narrowed(splits), narrowed(leaf_rows)
        self._restored()

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = score_rows(X, self._forest)
        return scores

    def _depth(self) -> int:
        return math.ceil(math.log2(self.sample_rows_))

    def _restored(self) -> None:
        require_shapes(self, {"sample_rows_": (), "splits_": (None,), "leaf_rows_": (None,)})
        require(self, 2 <= self.sample_rows_ <= self.max_samples)
        n_categories, depth = self.features_.n_categories, self._depth()
        n_trees, feature_widths = int(self.n_estimators), wide_widths(n_categories)
        width = int(feature_widths.sum())
        splits, leaf_rows = self.splits_.astype(np.uint32), self.leaf_rows_.astype(np.uint32)
        self._refuse_foreign(splits, width)
        wide = lay_out(splits, self.thresholds_, leaf_rows, n_trees, depth, 2)
        numbers_only = not n_categories.any()
        shares = self.features_.shares
        self._forest = Forest(
            wide=wide,
            plain=lay_out(splits, self.thresholds_, leaf_rows, n_trees, depth, 1) if numbers_only else wide[:0],
            n_categories=n_categories,
            ranks=self.ranks_,
            ranges=number_ranges(self.ranges_, n_categories),
            shares=shares / shares.sum(),
            feature_widths=feature_widths,
            depth=depth,
            width=width,
            scale=n_trees * average_depth(self.sample_rows_),
        )
        self._plain = (self._forest.plain, self._forest.ranges, depth, self._forest.scale) if numbers_only else None

    def _refuse_foreign(self, splits: NDArray[np.uint32], width: int) -> None:
        """Make sure restored arrays are trees: the kernels trust them."""
        n_splits = int(np.count_nonzero(splits))
        require(self, well_formed(splits, int(self.n_estimators), self._depth(), width))
        require_shapes(self, {"thresholds_": (n_splits,), "leaf_rows_": (len(splits) - n_splits,)}, finite=False)
        ranks = (RANK_ROUNDS, int(self.features_.n_categories.sum()))
        require_shapes(self, {"ranks_": ranks, "ranges_": (2, len(self.features_))}, finite=False)


def number_ranges(ranges: NDArray[np.float32], n_categories: NDArray[np.int64]) -> NDArray[np.float32]:
    """(2, d) ranges, opened where nothing lies beyond: categories, and features without values."""
    unbounded = (n_categories > 0) | (ranges[0] > ranges[1])
    limits = np.array([[-np.inf], [np.inf]], np.float32)
    return np.ascontiguousarray(np.where(unbounded, limits, ranges), dtype=np.float32)


def wide_widths(n_categories: NDArray[np.int64]) -> NDArray[np.int64]:
    """(d,) columns each feature takes in the widened row: two, or two for each order of its codes."""
    return np.where(n_categories > 0, 2 * RANK_ROUNDS, 2)


def wide_starts(n_categories: NDArray[np.int64]) -> NDArray[np.int64]:
    """(d,) the first wide column of each feature."""
    widths = wide_widths(n_categories)
    starts: NDArray[np.int64] = np.cumsum(widths) - widths
    return starts


def narrowed(counts: NDArray[np.uint32]) -> NDArray[np.unsignedinteger]:
    """The same numbers in the fewest bytes each."""
    small: NDArray[np.unsignedinteger] = counts.astype(np.min_scalar_type(int(counts.max(initial=0))))
    return small
