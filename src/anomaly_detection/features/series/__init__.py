"""Time series as arrays: the data type, how a frame becomes one, its calendar, its seasons and its profile."""

from anomaly_detection.features.series.series import Series

__all__ = ["Series"]
