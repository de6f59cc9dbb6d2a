"""Whether what comes is still like what was learned from.

``martingale`` tests p-values row by row, valid at any time; ``monitor`` says in a sentence what it found; ``adwin`` and
``page_hinkley`` follow the mean of a stream of numbers; ``two_sample`` (imported by itself: it takes
scipy.stats) holds two samples against each other.
"""

from __future__ import annotations

from anomaly_detection.drift.adwin import Adwin
from anomaly_detection.drift.martingale import Martingale
from anomaly_detection.drift.monitor import CalibrationMonitor, apart
from anomaly_detection.drift.page_hinkley import PageHinkley

__all__ = [
    "Adwin",
    "CalibrationMonitor",
    "Martingale",
    "PageHinkley",
    "apart",
]
