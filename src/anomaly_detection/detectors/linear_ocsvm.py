"""One-class support vector machine in linear time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, AnyOf, Choice, Range
from anomaly_detection.detectors._neighbours import sampled
from anomaly_detection.detectors._one_thread import on_one_thread
from anomaly_detection.detectors._rbf_kernels import similarities, weighted_similarity
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors.base import Detector
from anomaly_detection.detectors.ocsvm import expansion, scale_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

BATCH = 500
"""Rows of a step."""

FEWEST_STEPS = 100

MOST_MEASURED = 100_000
"""Rows that the variance and the normal level are taken from."""

MOST_KEPT = 1 << 23
"""Similarities that are kept for the next pass over the rows: 64 MB."""

SMALLEST = 1e-8
"""Directions among the landmarks with less than this share of the largest variance are left out."""


class LinearOCSVM(Detector):
    """One-class support vector machine by stochastic gradient descent on a few landmarks.

    As :class:`~anomaly_detection.detectors.ocsvm.OCSVM`, but the sum runs over similarities to ``n_landmarks`` training
    rows drawn at random (Nyström's method), and its weights are learned in steps of 500 rows: the level that is normal
    is that of the lowest share ``nu`` of the step's rows, and these rows pull the sum towards themselves. All rows are
    seen once, and again if they are few. Time is linear in rows, and the scores are close to those of the exact
    machine.

    Parameters
    ----------
    nu : share of the training rows that may fall short.
    gamma : how fast similarity falls with distance, or ``"scale"``: 1 / (columns * variance of all values).
    n_landmarks : how many training rows the sum runs over, at most all; more is closer to the exact machine.
    random_state : seed of the landmarks and of the order of rows.

    Attributes
    ----------
    landmarks_ : (m, d) float32.
    weights_ : (m,) float64.
    offset_ : what is normal.
    gamma_ : the gamma used.

    Notes
    -----
    Fitting costs rows times landmarks times columns: 20,000 rows of 100 columns take about half a second, a million
    rows of 20 columns three. Scoring 20,000 rows of 100 columns takes about 0.1 s.

    References
    ----------
    C. Williams, M. Seeger, "Using the Nyström method to speed up kernel machines", NIPS 2000.
    S. Shalev-Shwartz, Y. Singer, N. Srebro, A. Cotter, "Pegasos: primal estimated sub-gradient solver for SVM",
    Mathematical Programming 127, 2011.

    Examples
    --------
    >>> crowd = np.random.default_rng(0).normal(size=(200, 2))
    >>> usual, odd = LinearOCSVM().fit(crowd).score([[0.0, 0.0], [4.0, -4.0]])
    >>> bool(usual < 0 < odd)
    True
    """

    learned: ClassVar[tuple[str, ...]] = ("landmarks_", "weights_", "offset_", "gamma_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "nu": Range(0, 1, open_low=True, open_high=True),
        "gamma": AnyOf(Choice("scale"), Range(0, open_low=True)),
        "n_landmarks": Range(1, 5000, integer=True),
        "random_state": SEED,
    }

    landmarks_: NDArray[np.float32]
    weights_: NDArray[np.float64]
    offset_: float
    gamma_: float

    def __init__(
        self, nu: float = 0.5, gamma: float | str = "scale", n_landmarks: int = 256, random_state: int = 0
    ) -> None:
        self.nu = nu
        self.gamma = gamma
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row of the fitted width without checking it, in some microseconds."""
        return float(self._score(row[None, :])[0])

    @on_one_thread()
    def _fit(self, X: NDArray[np.float32]) -> None:
        seed = int(self.random_state)
        self.landmarks_ = sampled(X, int(self.n_landmarks), seed)
        self.gamma_ = scale_of(sampled(X, MOST_MEASURED, seed)) if self.gamma == "scale" else float(self.gamma)
        self.weights_ = np.zeros(len(self.landmarks_))
        self._expand()
        self.weights_ = self._learned(X, np.random.default_rng(seed))
        self._expand()
        rows = sampled(X, MOST_MEASURED, seed)
        self.offset_ = float(np.quantile(weighted_similarity(rows, *self._expansion), self.nu))

    def _learned(self, X: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float64]:
        """Weights of the least ``|sum|² / 2 - level + mean shortfall / nu``, by steps of 1 / t.

        For given weights the best level is the nu-quantile of the sums, and the gradient is the sum itself, less the
        mean of the rows that fall short of it divided by nu, both as elements of the space the landmarks span.
        """
        m = len(self.landmarks_)
        project = np.linalg.pinv(self._similarities(self.landmarks_), rcond=SMALLEST, hermitian=True)
        weights = np.zeros(m)
        kept = self._similarities(X) if len(X) * m <= MOST_KEPT else None
        for step, batch in enumerate(_batches(len(X), random), start=1):
            similar = self._similarities(X[batch]) if kept is None else kept[batch]
            sums = similar @ weights
            short = sums <= np.quantile(sums, self.nu)
            pull = project @ similar[short].sum(axis=0) / (self.nu * len(batch))
            weights += (pull - weights) / step
        return weights

    def _similarities(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        blocks, _, gamma = self._expansion
        found: NDArray[np.float64] = similarities(X, blocks, gamma)
        return found[:, : len(self.landmarks_)]

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self.offset_ - np.maximum(weighted_similarity(X, *self._expansion), 0.0)
        return scores

    def _expand(self) -> None:
        self._expansion = expansion(self.landmarks_, self.weights_, self.gamma_)

    def _restored(self) -> None:
        require_shapes(self, {"landmarks_": (None, len(self.features_)), "offset_": (), "gamma_": ()})
        require_shapes(self, {"weights_": (len(self.landmarks_),)})
        require(self, self.gamma_ > 0)
        self._expand()


def _batches(n: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """All rows in random order in batches, again and again until there were enough steps."""
    steps = 0
    while steps < FEWEST_STEPS:
        order = random.permutation(n)
        for start in range(0, n, BATCH):
            yield order[start : start + BATCH]
            steps += 1
