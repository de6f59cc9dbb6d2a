"""Random cut forest: trees over a sample of recent rows; rows that displace many others are anomalous."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._cut_check_kernels import well_formed
from anomaly_detection.detectors._cut_forest_kernels import FREE_LEAVES, FREE_NODES, Trees, score_rows
from anomaly_detection.detectors._cut_update_kernels import learn_rows, score_and_learn_rows
from anomaly_detection.detectors._restored import require
from anomaly_detection.detectors.online import OnlineDetector, alike

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class RandomCutForest(OnlineDetector):
    """Random cut forest: isolation trees that rows can be put into and taken out of again.

    Every tree keeps a sample of the rows it was shown. A box is cut at a random place, a feature as often as it is
    long, so features need to be on comparable scales; a pipeline sees to that. A row is put in with the cuts it would
    have met if it had been there from the start, and taken out without a trace, so at any time the trees are what a
    forest grown on the sample would be.

    The score is the collusive displacement: how many rows of the sample would lie elsewhere in the tree without this
    row, per row on its side, as a share of the sample. It is the *expected* one over all cuts with which the row could
    be put in, in closed form: scoring draws nothing, changes nothing, and gives no two answers. It is in (0, 1]: near
    0 in a crowd, near 1 for a row so far out that nearly every first cut sets it apart.

    Parameters
    ----------
    n_trees : number of trees.
    sample_size : rows each tree keeps.
    time_decay : how fast rows are forgotten: a row k rows older is ``exp(-time_decay * k)`` times as likely to be kept.
        0 keeps a uniform sample of all rows ever shown.
    random_state : seed.

    Attributes
    ----------
    points_, boxes_, children_, splits_, thresholds_, masses_, counts_, keys_, leaves_, free_nodes_, free_leaves_,
        heads_, random_ : the trees, of a fixed size (``_cut_forest_kernels.Trees`` says what each holds).
    seen_ : (1,) int64, rows shown.

    References
    ----------
    S. Guha, N. Mishra, G. Roy, O. Schrijvers, "Robust Random Cut Forest Based Anomaly Detection on Streams", ICML 2016.
    P. S. Efraimidis, P. G. Spirakis, "Weighted random sampling with a reservoir", Inf. Process. Lett. 97(5), 2006.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(1000, 3))
    >>> forest = RandomCutForest().fit(rows[:500]).update(rows[500:])
    >>> crowd, far = forest.score([[0.0, 0.0, 0.0], [9.0, -9.0, 9.0]])
    >>> bool(crowd < 0.1 and far > 0.5)
    True
    """

    learned: ClassVar[tuple[str, ...]] = (*(f"{name}_" for name in Trees._fields), "seen_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_trees": Range(1, 10_000, integer=True),
        "sample_size": Range(2, 2**16, integer=True),
        "time_decay": Range(0, 1),
        "random_state": SEED,
    }

    seen_: NDArray[np.int64]
    _trees: Trees

    def __init__(
        self, n_trees: int = 50, sample_size: int = 256, time_decay: float = 0.0005, random_state: int = 0
    ) -> None:
        self.n_trees = n_trees
        self.sample_size = sample_size
        self.time_decay = time_decay
        self.random_state = random_state

    def _begin(self, X: NDArray[np.float32]) -> None:
        self._hold(self._empty(X.shape[1]))
        self.seen_ = np.zeros(1, np.int64)

    def _update(self, X: NDArray[np.float32]) -> None:
        learn_rows(X, self._trees, self.seen_, float(self.time_decay))

    def _score_update(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = score_and_learn_rows(X, self._trees, self.seen_, float(self.time_decay))
        return scores

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = score_rows(X, self._trees)
        return scores

    def _empty(self, width: int) -> Trees:
        """Trees without a row, each with random numbers of its own."""
        t, s = int(self.n_trees), int(self.sample_size)
        heads = np.zeros((t, 5), np.int32)
        heads[:, FREE_NODES], heads[:, FREE_LEAVES] = s - 1, s
        seeds = np.random.SeedSequence(int(self.random_state)).generate_state(t, np.uint64).astype(np.uint64)
        return Trees(
            points=np.zeros((t, s, width), np.float32),
            boxes=np.zeros((t, s - 1, 2, width), np.float32),
            children=np.zeros((t, s - 1, 2), np.int32),
            splits=np.zeros((t, s - 1), np.int32),
            thresholds=np.zeros((t, s - 1), np.float32),
            masses=np.zeros((t, s - 1), np.int32),
            counts=np.zeros((t, s), np.int32),
            keys=np.zeros((t, s)),
            leaves=np.zeros((t, s), np.int32),
            free_nodes=np.tile(np.arange(s - 1, dtype=np.int32), (t, 1)),
            free_leaves=np.tile(np.arange(s, dtype=np.int32), (t, 1)),
            heads=heads,
            random=seeds[:, None].copy(),
        )

    def _hold(self, trees: Trees) -> None:
        self._trees = trees
        for name, array in trees._asdict().items():
            setattr(self, f"{name}_", array)

    def _restored(self) -> None:
        self._trees = Trees(*(getattr(self, f"{name}_") for name in Trees._fields))
        blank = self._empty(len(self.features_))
        fits = alike((*self._trees, self.seen_), (*blank, np.zeros(1, np.int64)))
        require(self, fits and self.seen_[0] > 0 and well_formed(self._trees))
