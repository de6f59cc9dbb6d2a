"""Distance to the nearest row of many small samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._block_kernels import LIMIT
from anomaly_detection.detectors._lesinn_kernels import mean_nearest
from anomaly_detection.detectors._neighbours import small_samples
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors._robust import quartile_scale
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class LeSiNN(Detector):
    """Least similar nearest neighbours: the distance to the nearest of a few sampled rows, averaged over many samples.

    A sample of eight rows hardly ever holds one of the anomalies, so that crowds of anomalies do not hide one another
    as they do from the nearest neighbours among all rows. Columns are measured in the unit of their quartiles. A row of
    a sample does not count as its own neighbour: of the rows in a sample that equal the one at hand, one is left out.

    Fitting keeps ``n_estimators * max_samples`` rows and computes no distance; scoring measures the distance to each.

    Parameters
    ----------
    n_estimators : how many samples.
    max_samples : rows in each. Few see coarse structure and are robust; hundreds see detail, for clean training rows.
    random_state : seed of the draws.

    Attributes
    ----------
    samples_ : (n_estimators, rows, d) float32, scaled.
    center_, scale_ : (d,) float64, the columns' medians and units.

    References
    ----------
    Pang, Ting and Albrecht, "LeSiNN: Detecting anomalies by identifying least similar nearest neighbours", ICDM
    Workshops 2015.
    Sugiyama and Borgwardt, "Rapid distance-based outlier detection via sampling", NeurIPS 2013.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 2))
    >>> crowd, far = LeSiNN().fit(rows).score([[0.0, 0.0], [9.0, 9.0]])
    >>> bool(far > 5 * crowd)
    True
    """

    tags: ClassVar[Tags] = Tags(leave_one_out=True)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_estimators": Range(1, 10_000, integer=True),
        "max_samples": Range(2, 2**16, integer=True),
        "random_state": SEED,
    }
    learned: ClassVar[tuple[str, ...]] = ("samples_", "center_", "scale_")

    samples_: NDArray[np.float32]
    center_: NDArray[np.float64]
    scale_: NDArray[np.float64]

    def __init__(self, n_estimators: int = 100, max_samples: int = 8, random_state: int = 0) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.random_state = random_state

    def _fit(self, X: NDArray[np.float32]) -> None:
        drawn = small_samples(len(X), int(self.n_estimators), int(self.max_samples), int(self.random_state))
        self.center_, self.scale_ = quartile_scale(X)
        self.samples_ = self._scaled(X[drawn])
        self._restored()

    def _restored(self) -> None:
        d = len(self.features_)
        require_shapes(self, {"samples_": (None, None, d), "center_": (d,), "scale_": (d,)})
        require(self, self.samples_.shape[0] > 0 and self.samples_.shape[1] > 1 and bool((self.scale_ > 0).all()))
        # one column after the other, so that the compiler works on all rows of a sample at once
        self._columns = np.ascontiguousarray(self.samples_.transpose(0, 2, 1), dtype=np.float32)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        mean_nearest(self._scaled(X), self._columns, scores)
        return scores

    def _scaled(self, X: NDArray[np.float32]) -> NDArray[np.float32]:
        scaled: NDArray[np.float32] = np.clip((X - self.center_) / self.scale_, -LIMIT, LIMIT).astype(np.float32)
        return scaled
