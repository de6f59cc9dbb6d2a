"""Verdicts on groups of lines: what the p-values of the lines say about a template or a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.results import SEVERITIES
from anomaly_detection.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LEAST = 1e-300
"""The least p-value of a group."""

CERTAIN = 1_000
"""Rows that the p-values count as calibrated on, for the confidence, which is not shown."""


def inverse(name: str) -> pl.Expr:
    """The sum of the inverse p-values in a column, which adds up over parts of a group."""
    return (1.0 / pl.col(name).clip(LEAST, 1.0)).sum()


def mean_of(inverses: Sequence[pl.Expr], lines: pl.Expr) -> pl.Expr:
    """The harmonic mean from :func:`inverse` of each column, and how many rows there are.

    It sees a few lines that are very odd as well as many that are somewhat odd, is 1 at most, and stays close to a
    p-value of the group where its lines depend on one another: at the worst it is too small by a factor of about the
    logarithm of how many there are.
    """
    return (len(inverses) * lines / pl.sum_horizontal(inverses)).clip(LEAST, 1.0)


def with_verdicts(frame: pl.DataFrame, alpha: float) -> pl.DataFrame:
    """Groups with the columns of a verdict from their ``p_value``; the most anomalous first, then by ``anomalies``."""
    p_values: NDArray[np.float64] = frame["p_value"].to_numpy()
    result = judge(-np.log(p_values), p_values, alpha, CERTAIN)
    verdicts = {
        "anomaly_score": pl.Series(result.anomaly_score, dtype=pl.Float64),
        "is_anomaly": pl.Series(result.is_anomaly, dtype=pl.Boolean),
        "severity": pl.Series([SEVERITIES[code] for code in result.severity_code], dtype=pl.String),
    }
    order = ("p_value", "anomalies")
    return frame.with_columns(**verdicts).sort(order, descending=[False, True], maintain_order=True)


def plain_rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain values, times as text, NaN as None."""
    times = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Datetime)]
    texts = [pl.col(name).dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ") for name in times]
    return frame.with_columns(texts).fill_nan(None).to_dicts()
