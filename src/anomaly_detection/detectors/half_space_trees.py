"""Half-space trees: random halvings of the space; rows in halves that few recent rows fell into are anomalous."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._half_space_kernels import (
    Trees,
    learn_rows,
    plant,
    score_and_learn_rows,
    score_rows,
    well_weighed,
)
from anomaly_detection.detectors._restored import require
from anomaly_detection.detectors.online import OnlineDetector, alike

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

ORDINARY = (0.04, 0.96)
"""The quantiles between which values are ordinary."""

MARGIN = 0.75
"""How far a work range goes beyond ordinary values on either side, in ordinary ranges."""

MOST_FOR_RANGES = 10_000
"""Of more training rows than this, so many, evenly spaced, tell the work ranges."""

SAMPLE_ROWS = 64
"""At most so many rows of each window are kept, to tell new ranges from."""


class HalfSpaceTrees(OnlineDetector):
    """Half-space trees: learn and score a stream in a fixed amount of memory and time per row.

    The trees are drawn before any row is learned: every node cuts a random feature at a random place in the middle of
    what the cuts above leave of its range. Rows only leave a count in each half-space they fall into. Counts are taken
    over two windows: the *latest* one is being filled, and the one before it is the *reference* that scores are read
    from. When the latest is full, it becomes the reference. Until the first is full, it is the reference itself.

    A tree follows a row down to the first half-space with less than 1 % of the reference rows, or to the full depth.
    The score is how much sparser than evenly spread the reference rows are there: log2 of the ratio, averaged over the
    trees. 0 is as dense as even; 3 is eight times sparser; crowds are below 0.

    *Ranges.* The range of a feature runs from the 4 % to the 96 % quantile of the rows given to ``fit``, and three
    quarters as far again beyond on both sides, so that a few wild values do not stretch it. A value beyond counts as
    lying at its end, however far it is. When more than a tenth of a window lies beyond the range of some feature, all
    trees are drawn anew once it is full, with ranges from 64 of its rows, evenly spaced, which they learn.

    Parameters
    ----------
    n_trees : number of trees.
    depth : cuts from the root to a leaf. Memory doubles with each.
    window_size : rows in a window, 250 in the paper. A longer one is steadier and takes longer to follow a change.
    random_state : seed of the cuts.

    Attributes
    ----------
    splits_ : (n_trees, 2**depth - 1) unsigned, the feature each node cuts.
    cuts_ : the same shape, uint16, where, in 1/65536ths of the feature's work range; from there on it is right.
    reference_, latest_ : the same shape, unsigned, how many rows of each window went left.
    work_ranges_ : (2, d) float64, where the range of each feature begins and ends.
    sample_ : at most (64, d) float32, rows of the latest window.
    beyond_ : (d,) int64, values of the latest window beyond their range.
    seen_ : (2,) int64, rows learned since the trees were drawn, and how often they were drawn before.

    Notes
    -----
    The paper scores by mass times 2 to the power of the level, and stops at 10 % of a window. The logarithm of the same
    density, followed into half-spaces ten times smaller, finds more (``benchmarks/online.py`` has river's trees beside
    these).

    References
    ----------
    S. C. Tan, K. M. Ting, T. F. Liu, "Fast Anomaly Detection for Streaming Data", IJCAI 2011.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(1000, 3))
    >>> trees = HalfSpaceTrees().fit(rows[:500])
    >>> scores = trees.score_update(rows[500:])
    >>> crowd, far = trees.score([[0.0, 0.0, 0.0], [6.0, -6.0, 6.0]])
    >>> bool(crowd < 0 < scores.max() < far)
    True
    """

    learned: ClassVar[tuple[str, ...]] = tuple(f"{name}_" for name in Trees._fields[:-2])
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_trees": Range(1, 10_000, integer=True),
        "depth": Range(1, 20, integer=True),
        "window_size": Range(2, 65_535, integer=True),
        "random_state": SEED,
    }

    splits_: NDArray[np.unsignedinteger]
    cuts_: NDArray[np.uint16]
    reference_: NDArray[np.unsignedinteger]
    latest_: NDArray[np.unsignedinteger]
    work_ranges_: NDArray[np.float64]
    sample_: NDArray[np.float32]
    beyond_: NDArray[np.int64]
    seen_: NDArray[np.int64]
    _trees: Trees

    def __init__(self, n_trees: int = 50, depth: int = 10, window_size: int = 500, random_state: int = 0) -> None:
        self.n_trees = n_trees
        self.depth = depth
        self.window_size = window_size
        self.random_state = random_state

    def _begin(self, X: NDArray[np.float32]) -> None:
        self._hold(self._empty(X.shape[1]))
        self._plant(X)

    def _empty(self, width: int) -> Trees:
        """Trees that nothing was drawn for yet."""
        t, nodes, window = int(self.n_trees), 2 ** int(self.depth) - 1, int(self.window_size)
        stride = -(-window // SAMPLE_ROWS)
        return Trees(
            splits=np.zeros((t, nodes), np.min_scalar_type(width - 1)),
            cuts=np.zeros((t, nodes), np.uint16),
            reference=np.zeros((t, nodes), np.min_scalar_type(window)),
            latest=np.zeros((t, nodes), np.min_scalar_type(window)),
            work_ranges=np.zeros((2, width)),
            sample=np.zeros((-(-window // stride), width), np.float32),
            beyond=np.zeros(width, np.int64),
            seen=np.array([0, -1], np.int64),
            depth=int(self.depth),
            window=window,
        )

    def _hold(self, trees: Trees) -> None:
        self._trees = trees
        for name in self.learned:
            setattr(self, name, getattr(trees, name[:-1]))

    def _plant(self, X: NDArray[np.float32]) -> None:
        """Draw all trees, in the ranges of some rows, and forget what the ones before counted."""
        trees = self._trees
        trees.work_ranges[:] = work_ranges(X)
        trees.seen[:] = 0, trees.seen[1] + 1
        for counts in (trees.reference, trees.latest, trees.beyond):
            counts[:] = 0
        plant(trees.splits, trees.cuts, X.shape[1], seed_of(int(self.random_state), int(trees.seen[1])))

    def _update(self, X: NDArray[np.float32]) -> None:
        start = 0
        while start < len(X):
            count, stale = learn_rows(X[start:], self._trees)
            start += count
            self._plant_again(stale)

    def _score_update(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        start, scores = 0, np.empty(len(X))
        while start < len(X):
            count, stale = score_and_learn_rows(X[start:], self._trees, scores[start:])
            start += count
            self._plant_again(stale)
        return scores

    def _plant_again(self, stale: bool) -> None:
        """Where values have left their ranges: trees in the ranges of the last window, which learn a sample of it."""
        if stale:
            sample = self.sample_.copy()
            self._plant(sample)
            learn_rows(sample, self._trees)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = score_rows(X, self._trees)
        return scores

    def _restored(self) -> None:
        blank = self._empty(len(self.features_))
        found = blank._replace(**{name[:-1]: getattr(self, name) for name in self.learned})
        require(self, alike(found[: len(self.learned)], blank[: len(self.learned)]) and is_sound(found))
        self._trees = found


def is_sound(trees: Trees) -> bool:
    """Whether restored arrays hold what the kernels trust them to hold."""
    seen, ranges = int(trees.seen[0]), trees.work_ranges
    return bool(
        seen > 0
        and trees.seen[1] >= 0
        and trees.splits.max() < ranges.shape[1]
        and np.isfinite(ranges).all()
        and (ranges[0] < ranges[1]).all()
        and np.isfinite(trees.sample).all()
        and well_weighed(trees.latest, seen % trees.window)
        and well_weighed(trees.reference, trees.window if seen >= trees.window else 0)
    )


def seed_of(random_state: int, plantings: int) -> np.uint64:
    """The seed of the trees that are drawn after so many others."""
    seed: np.uint64 = np.random.SeedSequence((random_state, plantings)).generate_state(1, np.uint64)[0]
    return seed


def work_ranges(X: NDArray[np.float32]) -> NDArray[np.float64]:
    """(2, d) where the range of each feature begins and ends.

    Where more than 92 % of the rows have one value, the smallest and the largest count as ordinary; where all have, a
    tenth of the value around it.

    >>> work_ranges(np.array([[0.0, 4.0], [1.0, 4.0]], np.float32)).round(2)
    array([[-0.65,  3.5 ],
           [ 1.65,  4.5 ]])
    """
    sample = X[:: -(-len(X) // MOST_FOR_RANGES)].astype(np.float64)
    low, high = np.quantile(sample, ORDINARY, axis=0)
    low, high = (np.where(low < high, end, edge) for end, edge in ((low, X.min(axis=0)), (high, X.max(axis=0))))
    alike = np.abs(low) * 0.1 + 1e-6
    width = np.where(low < high, high - low, alike)
    middle = 0.5 * (low + high)
    reach = width * (0.5 + MARGIN)
    ranges: NDArray[np.float64] = np.stack([middle - reach, middle + reach])
    return ranges
