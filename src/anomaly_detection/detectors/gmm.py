"""Gaussian mixture: how improbable a row is under a few normal distributions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from anomaly_detection.base import SEED, AnyOf, Choice, Range
from anomaly_detection.detectors._gaussian_kernels import negative_log_densities
from anomaly_detection.detectors._mixture import Mixture, fit_mixture, how_many_components
from anomaly_detection.detectors._neighbours import sampled
from anomaly_detection.detectors._one_thread import on_one_thread
from anomaly_detection.detectors._restored import require, require_shapes
from anomaly_detection.detectors._robust import standardised
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class GMM(Detector):
    """Gaussian mixture: the negative log density of a row under a few normal distributions.

    The mixture is fitted by expectation and maximisation (EM), made safe for training rows among which there are
    anomalies, and for few rows or many columns:

    - In every round the share ``trimmed`` of the rows, those of lowest density, does not count (trimmed likelihood). A
      component with less than a tenth of the rows (less than half of an even share, when there are more than five
      components) is given up: it would be a crowd of anomalies, made normal.
    - Every covariance is drawn towards the diagonal one of all rows, by the weight of ``prior_rows`` rows for each
      column. So it is never singular: fewer rows than columns, equal columns and constant ones are fitted like others.
      One unit of a constant column counts as a deviation.

    ``n_components="auto"`` tries 1, 2, 4 and 8 on at most 5,000 rows and takes the count with the lowest Bayesian
    information criterion of the rows that count.

    Fitting takes time in proportion to ``max_rows`` and the number of components, and to the square of the columns:
    at most about a second for 30 columns, a few for 100. One row of 30 columns is scored in one to two microseconds.

    Parameters
    ----------
    n_components : how many normal distributions, or ``"auto"``.
    trimmed : share of the training rows that may be anomalies, below a half; with 0 every row counts.
    prior_rows : how many rows for each column the diagonal covariance weighs; at least 1e-6.
    max_rows : of more training rows than this, so many are drawn at random; time grows with it.
    random_state : seed of that draw and of where the components start.

    Attributes
    ----------
    means_ : (c, d) float64, the components' means.
    precisions_cholesky_ : (c, d, d) float64, upper triangular; times its transpose it is the inverse of a covariance.
    log_weights_ : (c,) float64, the logarithms of their shares.

    References
    ----------
    Dempster, Laird and Rubin, "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 1977.
    Neykov, Filzmoser, Dimova and Neytchev, "Robust fitting of mixtures using the trimmed likelihood estimator",
    Computational Statistics and Data Analysis 2007.
    Fraley and Raftery, "Bayesian regularization for normal mixture estimation and model-based clustering", Journal of
    Classification 2007.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = np.concatenate([rng.normal(-5, 1, size=(200, 2)), rng.normal(5, 1, size=(200, 2))])
    >>> detector = GMM().fit(rows)
    >>> len(detector.means_)
    2
    >>> inside, between = detector.score([[-5.0, -5.0], [0.0, 0.0]])
    >>> bool(between > inside + 10)
    True
    """

    tags: ClassVar[Tags] = Tags(steady=False)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_components": AnyOf(Range(1, 1_000, integer=True), Choice("auto")),
        "trimmed": Range(0, 0.5, open_high=True),
        "prior_rows": Range(1e-6, 1e6),
        "max_rows": Range(2, integer=True),
        "random_state": SEED,
    }
    learned: ClassVar[tuple[str, ...]] = ("means_", "precisions_cholesky_", "log_weights_")

    means_: NDArray[np.float64]
    precisions_cholesky_: NDArray[np.float64]
    log_weights_: NDArray[np.float64]

    def __init__(
        self,
        n_components: int | Literal["auto"] = "auto",
        trimmed: float = 0.1,
        prior_rows: float = 3.0,
        max_rows: int = 10_000,
        random_state: int = 0,
    ) -> None:
        self.n_components = n_components
        self.trimmed = trimmed
        self.prior_rows = prior_rows
        self.max_rows = max_rows
        self.random_state = random_state

    @on_one_thread()
    def _fit(self, X: NDArray[np.float32]) -> None:
        seed = int(self.random_state)
        Z, center, deviation = standardised(sampled(X, int(self.max_rows), seed))
        prior = float(self.prior_rows) * X.shape[1]
        count = self.n_components
        if count == "auto":
            count = how_many_components(Z, self.trimmed, prior, seed)
        self._keep(fit_mixture(Z, int(count), self.trimmed, prior, seed), center, deviation)
        self._restored()

    def _keep(self, mixture: Mixture, center: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        """Keep a mixture of standardised rows in the units of the rows themselves."""
        self.means_ = mixture.means * deviation + center
        self.precisions_cholesky_ = mixture.factors / deviation[:, None]
        self.log_weights_ = mixture.log_weights

    def _restored(self) -> None:
        c, d = np.size(self.log_weights_), len(self.features_)
        require_shapes(self, {"log_weights_": (c,), "means_": (c, d), "precisions_cholesky_": (c, d, d)})
        diagonals = np.diagonal(self.precisions_cholesky_, axis1=1, axis2=2)
        require(self, c > 0 and np.all(diagonals > 0))
        self._offsets = self.log_weights_ + np.log(diagonals).sum(axis=1) - 0.5 * d * math.log(2 * math.pi)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        negative_log_densities(X, self.means_, self.precisions_cholesky_, self._offsets, scores)
        return scores
