"""A detector as the author of a plug-in would write it."""

from typing import ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors import Detector


class Mahalanobis(Detector):
    """Squared distance from the mean in the metric of the covariance."""

    constraints: ClassVar = {"ridge": Range(0, 1)}
    learned = ("mean_", "metric_")

    def __init__(self, ridge=1e-9):
        self.ridge = ridge

    def _fit(self, X):
        rows = X.astype(np.float64)
        self.mean_ = rows.mean(axis=0)
        covariance = np.cov(rows, rowvar=False).reshape(X.shape[1], X.shape[1])
        self.metric_ = np.linalg.pinv(covariance + self.ridge * np.diag(np.diag(covariance)))

    def _score(self, X):
        return np.array([away @ self.metric_ @ away for away in X.astype(np.float64) - self.mean_])
