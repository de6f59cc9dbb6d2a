"""ECOD: how far out a row lies in the tails of each feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._tail_detector import TailDetector

if TYPE_CHECKING:
    from numpy.typing import NDArray


class ECOD(TailDetector):
    """Empirical cumulative distributions for outlier detection: the sum of every feature's larger tail surprise.

    The score of a row is the sum over features of -log of the smaller of its two tail probabilities. The
    distributions are those of the training rows and stay frozen; a row counts itself in, as (count + 1) / (n + 1). The
    score of a single row is therefore the one that the authors' implementation gives it when it is predicted alone, and
    does not change when other rows are scored with it. (The tail that the skewness points to, the third candidate of
    the paper, is one of the two and so adds nothing to their maximum.)

    A missing value scores -log((missing + 1) / (n + 1)): the rarer missing values were, the more. Where most values
    were missing, one that is there is surprising by itself. A category scores the log of how much rarer it is than the
    most common one, each count taken one higher than seen; so an unseen category scores above every one that was seen.

    Parameters
    ----------
    quantile_points : how many training values to keep per feature, at most. Exact up to that many distinct values;
        beyond it a feature's surprise is at most about 2 log(n / 2) / quantile_points too large: 0.03 for a million
        rows and the default.

    Notes
    -----
    Scoring costs O(d log quantile_points) a row. Scores stop growing at the edge of the training range. Features are
    taken one at a time: rows that are odd only in combination are not seen.

    References
    ----------
    Li, Zhao, Hu, Botta, Ionescu, Chen: ECOD: Unsupervised Outlier Detection Using Empirical Cumulative Distribution
    Functions. IEEE Transactions on Knowledge and Data Engineering, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> detector = ECOD().fit(np.arange(99.0).reshape(-1, 1))
    >>> detector.score([[49.0], [500.0]]).round(3).tolist()
    [0.673, 4.605]
    """

    def _sides(self, X: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.zeros(X.shape[1], dtype=np.int64)
