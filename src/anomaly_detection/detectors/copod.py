"""COPOD: tails of the empirical copula, weighted towards the long side of each feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._tail_detector import TailDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray


class COPOD(TailDetector):
    """Copula-based outlier detection: every feature's surprise in the tail that its skewness points to.

    A feature adds the larger of two surprises: that of the tail on its long side (left when it is skewed to the left,
    right otherwise), and the mean of both tails. Distributions and skewness are those of the training rows and stay
    frozen; a row counts itself in, as (count + 1) / (n + 1), so its score does not change when others are scored with
    it. Missing values, categories and unseen categories score as in :class:`~anomaly_detection.detectors.ecod.ECOD`.

    Parameters
    ----------
    quantile_points : how many training values to keep per feature, at most; as in ECOD.

    Notes
    -----
    A value far out on the *short* side of a feature counts half; ECOD takes both sides in full.

    References
    ----------
    Li, Zhao, Botta, Ionescu, Hu: COPOD: Copula-Based Outlier Detection. IEEE International Conference on Data Mining,
    2020.

    Examples
    --------
    >>> import numpy as np
    >>> detector = COPOD().fit(np.arange(99.0).reshape(-1, 1) ** 2)
    >>> detector.score([[2401.0], [99999.0]]).round(3).tolist()
    [0.673, 4.605]
    """

    def _sides(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.array([-1 if skewness(column) < 0 else 1 for column in X.T], dtype=np.int64)


def skewness(column: NDArray[np.float32]) -> float:
    """Mean cube of the deviations from the mean, in units of the largest; 0 where no value is present.

    Its sign is that of the skewness.

    >>> skewness(np.float32([0, 0, 9])) > 0 > skewness(np.float32([0, 9, 9]))
    True
    """
    values = column[~np.isnan(column)].astype(np.float64)
    away = values - values.mean() if values.size else np.zeros(1)
    largest = float(np.abs(away).max())
    share = away / largest if largest else away
    return float(np.mean(share * share * share))
