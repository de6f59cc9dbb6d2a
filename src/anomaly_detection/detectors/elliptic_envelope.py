"""Robust distance: how far a row is from the centre of the densest half of the rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from anomaly_detection.base import SEED, Range
from anomaly_detection.detectors._covariance import smallest_determinant
from anomaly_detection.detectors._neighbours import sampled
from anomaly_detection.detectors._robust import standardised
from anomaly_detection.detectors._robust_distance import RobustDistance
from anomaly_detection.detectors.base import Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class EllipticEnvelope(RobustDistance):
    """Squared Mahalanobis distance from a robust centre, in a robust covariance.

    Centre and covariance are those of the three quarters of the rows whose covariance has the smallest determinant
    (minimum covariance determinant, MCD), then of all rows within the 97.5 % quantile of the distances that such a
    covariance makes expect. The other quarter, however wild, moves neither. The rows are found as deterministic MCD
    does: from three robust first guesses, each improved by concentration steps until it stands still.

    So that discrete columns, constant ones and fewer rows than columns do no harm, the covariance is drawn towards the
    diagonal by the weight of ``prior_rows`` rows for each column. One unit of a constant column counts as a deviation.

    Fitting takes time in proportion to ``max_rows`` and to the square of the columns: about 0.2 s for 30 columns, a
    second for 100. One row of 30 columns is scored in one to two microseconds.

    Parameters
    ----------
    support_fraction : share of the rows whose determinant is made small, at least a half, which is the most robust.
    prior_rows : how many rows for each column the diagonal covariance weighs; at least 1e-6.
    max_rows : of more training rows than this, so many are drawn at random; time grows with it.
    random_state : seed of that draw.

    Attributes
    ----------
    centre_ : (d,) float64.
    precision_cholesky_ : (d, d) float64, upper triangular; times its transpose it is the inverse of the covariance.

    References
    ----------
    Rousseeuw and Van Driessen, "A fast algorithm for the minimum covariance determinant estimator", Technometrics 1999.
    Hubert, Rousseeuw and Verdonck, "A deterministic algorithm for robust location and scatter", Journal of
    Computational and Graphical Statistics 2012.
    Boudt, Rousseeuw, Vanduffel and Verdonck, "The minimum regularized covariance determinant estimator", Statistics and
    Computing 2020.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> rows = np.concatenate([rng.normal(size=(300, 2)), rng.normal(8, 0.5, size=(100, 2))])
    >>> inside, among_anomalies = EllipticEnvelope().fit(rows).score([[0.0, 0.0], [8.0, 8.0]])
    >>> bool(inside < 1 < 50 < among_anomalies)
    True
    """

    tags: ClassVar[Tags] = Tags(steady=False)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "support_fraction": Range(0.5, 1),
        "prior_rows": Range(1e-6, 1e6),
        "max_rows": Range(2, integer=True),
        "random_state": SEED,
    }

    def __init__(
        self,
        support_fraction: float = 0.75,
        prior_rows: float = 3.0,
        max_rows: int = 10_000,
        random_state: int = 0,
    ) -> None:
        self.support_fraction = support_fraction
        self.prior_rows = prior_rows
        self.max_rows = max_rows
        self.random_state = random_state

    def _estimate(self, X: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows = sampled(X, int(self.max_rows), int(self.random_state))
        Z, center, deviation = standardised(rows)
        support = math.ceil(float(self.support_fraction) * len(Z))
        mean, factor = smallest_determinant(Z, support, float(self.prior_rows) * Z.shape[1])
        return mean * deviation + center, factor / deviation[:, None]
