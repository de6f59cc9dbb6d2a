"""One-class support vector machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import SEED, AnyOf, Choice, Range
from anomaly_detection.detectors._block_kernels import LANES
from anomaly_detection.detectors._neighbours import in_blocks, sampled
from anomaly_detection.detectors._rbf_kernels import weighted_similarity
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class OCSVM(Detector):
    """One-class support vector machine: how far a row falls short of the similarity to the crowd that is normal.

    The similarity of two rows is ``exp(-gamma * distance²)``. A weighted sum of similarities to some training rows, the
    support vectors, is as smooth as possible and high for all but the share ``nu`` of the training rows. The score is
    what is normal, less that sum. A row far from everything has similarity 0 to all, and scores what is normal: the
    score does not grow beyond that.

    The weights add up to 1, so that scores from more rows are comparable with scores from fewer, which calibration
    needs: scikit-learn's decision function is the score times ``-nu * rows``.

    Parameters
    ----------
    nu : share of the training rows that may fall short; the support vectors are at least that share.
    gamma : how fast similarity falls with distance, or ``"scale"``: 1 / (columns * variance of all values).
    max_rows : of more training rows than this, so many are drawn at random: fitting time grows with their square.
    random_state : seed of that draw.

    Attributes
    ----------
    support_vectors_ : (s, d) float32.
    dual_coef_ : (s,) float64, their weights; they add up to 1.
    offset_ : what is normal.
    gamma_ : the gamma used.

    Notes
    -----
    4,000 rows of 100 columns take about half a second to fit, and about 2,000 of them are support vectors; scoring
    20,000 rows then takes about as long. ``linear_ocsvm`` learns from all rows in linear time. Columns are taken in the
    units they come in; a pipeline scales them.

    References
    ----------
    B. Schölkopf, J. Platt, J. Shawe-Taylor, A. Smola, R. Williamson, "Estimating the support of a high-dimensional
    distribution", Neural Computation 13, 2001.

    Examples
    --------
    >>> crowd = np.random.default_rng(0).normal(size=(200, 2))
    >>> usual, odd = OCSVM().fit(crowd).score([[0.0, 0.0], [4.0, -4.0]])
    >>> bool(usual < 0 < odd)
    True
    """

    learned: ClassVar[tuple[str, ...]] = ("support_vectors_", "dual_coef_", "offset_", "gamma_")
    tags: ClassVar[Tags] = Tags(steady=False)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "nu": Range(0, 1, open_low=True, open_high=True),
        "gamma": AnyOf(Choice("scale"), Range(0, open_low=True)),
        "max_rows": Range(2, integer=True),
        "random_state": SEED,
    }

    support_vectors_: NDArray[np.float32]
    dual_coef_: NDArray[np.float64]
    offset_: float
    gamma_: float

    def __init__(
        self, nu: float = 0.5, gamma: float | str = "scale", max_rows: int = 4000, random_state: int = 0
    ) -> None:
        self.nu = nu
        self.gamma = gamma
        self.max_rows = max_rows
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row of the fitted width without checking it: the time is that of its support vectors."""
        return float(self._score(row[None, :])[0])

    def _fit(self, X: NDArray[np.float32]) -> None:
        from sklearn.svm import OneClassSVM  # noqa: PLC0415  - half a second that only fitting needs

        rows = sampled(X, int(self.max_rows), int(self.random_state))
        self.gamma_ = scale_of(rows) if self.gamma == "scale" else float(self.gamma)
        machine = OneClassSVM(nu=float(self.nu), gamma=self.gamma_).fit(rows.astype(np.float64))
        self.support_vectors_ = machine.support_vectors_.astype(np.float32)
        total = float(self.nu) * len(rows)
        self.dual_coef_ = machine.dual_coef_[0].astype(np.float64) / total
        self.offset_ = float(machine.offset_[0]) / total
        self._restored()

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = self.offset_ - weighted_similarity(X, *self._expansion)
        return scores

    def _restored(self) -> None:
        require_shapes(self, {"support_vectors_": (None, len(self.features_)), "offset_": (), "gamma_": ()})
        require_shapes(self, {"dual_coef_": (len(self.support_vectors_),)})
        require(self, self.gamma_ > 0)
        self._expansion = expansion(self.support_vectors_, self.dual_coef_, self.gamma_)


def scale_of(rows: NDArray[np.float32]) -> float:
    """gamma="scale": 1 / (columns * variance of all values), 1 where they are all the same."""
    variance = float(rows.astype(np.float64).var())
    return 1.0 / (rows.shape[1] * variance) if variance > 0.0 else 1.0


def expansion(references: NDArray[np.float32], weights: NDArray[np.float64], gamma: float) -> tuple[Any, ...]:
    """What :func:`weighted_similarity` takes after the rows."""
    blocks = in_blocks(references.astype(np.float64), filling=0.0)
    filled = np.zeros((len(blocks), LANES))
    filled.ravel()[: len(weights)] = weights
    return blocks, filled, gamma
