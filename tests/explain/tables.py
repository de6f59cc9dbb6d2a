"""Tables with anomalies of every kind, and pipelines fitted on them."""

from __future__ import annotations

import numpy as np
import polars as pl

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.pipeline import Pipeline

OURS = [entry.name for entry in DETECTORS.entries() if entry.extra is None]
"""The algorithms of this package; those of others are explained by the same code and take minutes."""


def payments(rows=600, seed=0):
    """Two numbers that rise together, a third, a category, and a comment that is nearly always there."""
    rng = np.random.default_rng(seed)
    amount = rng.normal(50, 10, rows)
    return pl.DataFrame(
        {
            "amount": amount.round(2),
            "fee": (amount / 10 + rng.normal(0, 0.1, rows)).round(3),
            "delay": rng.normal(3, 1, rows).round(3),
            "country": rng.choice(["NL", "DE", "FR"], rows, p=[0.6, 0.3, 0.1]),
            "code": np.where(rng.random(rows) < 0.01, None, rng.choice(["a", "b"], rows)).tolist(),
        }
    )


USUAL = {"amount": 50.0, "fee": 5.0, "delay": 3.0, "country": "NL", "code": "a"}


def fitted(algorithm, contamination=0.02):
    return Pipeline(algorithm, contamination=contamination).fit(payments())
