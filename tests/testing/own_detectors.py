"""Detectors as the author of a plug-in would write them."""

from typing import ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors import Detector
from anomaly_detection.detectors.online import OnlineDetector


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


class RecentGaussian(OnlineDetector):
    """Squared distance from a mean that follows the rows, in the metric of a covariance that does, too."""

    constraints: ClassVar = {"rate": Range(0, 1, open_low=True, open_high=True)}
    learned = ("mean_", "covariance_")

    def __init__(self, rate=0.01):
        self.rate = rate

    def _begin(self, X):
        self.mean_ = X.mean(axis=0, dtype=np.float64)
        self.covariance_ = np.diag(X.var(axis=0, dtype=np.float64) + 1e-30)

    def _update(self, X):
        for row in X.astype(np.float64):
            away = row - self.mean_
            self.mean_ += self.rate * away
            self.covariance_ += self.rate * (np.outer(away, away) - self.covariance_)

    def _score(self, X):
        metric = np.linalg.pinv(self.covariance_ + 1e-9 * np.diag(np.diag(self.covariance_)))
        return np.array([away @ metric @ away for away in X.astype(np.float64) - self.mean_])
