"""Anomalies in time series: a model per key, verdicts with expected values, bands and reasons.

``pipeline`` is the door; ``learning`` decides which key gets what; ``model`` is what is known of one key; ``charts``
and ``flat`` hold keys with few rows, all at once; ``chosen`` says which algorithm ``auto`` is, ``replay`` what
algorithms would have caught in the past; ``wishes`` holds what users call an alarm; ``judging`` makes verdicts of
scores, ``reasons`` sentences, ``explaining`` all there is to say; ``schema`` says which columns are channels.
"""

from __future__ import annotations

from anomaly_detection.series.pipeline import SeriesPipeline

__all__ = ["SeriesPipeline"]
