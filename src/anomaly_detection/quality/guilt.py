"""Which of two values that contradict each other is the wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.quality.dependencies import Prediction

    Shares = NDArray[np.float64]


def blame(predictions: Sequence[Prediction | None], odd: Shares, trusted: Sequence[int] = ()) -> Shares:
    """(n, columns) how surprising each value is once the wrong side of each conflict is blamed.

    A wrong value makes all that it determines look wrong. Each cell is charged with every conflict it takes part in, on
    either side, and with how odd it is by itself; a conflict is then dropped from a cell as far as a less innocent cell
    explains it.

    Parameters
    ----------
    predictions : of each column, None where there is none.
    odd : (n, columns) log odds of each cell by itself, over those of a cell with nothing odd, 0 or more.
    trusted : columns whose values are taken for right where others contradict them.
    """
    charged = odd.copy()
    for j, told in enumerate(predictions):
        if told is None:
            continue
        charged[:, j] += np.maximum(told.surprise, 0)
        for k, rule in enumerate(told.rules):
            conflict = np.clip(np.minimum(told.each[:, k], told.surprise), 0, None)
            for i in rule.left:
                charged[:, i] += conflict / len(rule.left)
    charged[:, list(trusted)] = 0.0
    out = np.zeros_like(odd)
    for j, told in enumerate(predictions):
        if told is not None:
            excused = np.maximum(told.surprise, 0) if j in trusted else excuse(told, charged, j)
            out[:, j] = told.surprise - excused
    return out


def excuse(told: Prediction, charged: Shares, j: int) -> Shares:
    """(n,) what is taken from the surprise of column j because all left sides in conflict with it may be wrong."""
    other = np.full(len(charged), np.inf)
    for k, rule in enumerate(told.rules):
        conflicts = told.each[:, k] > 0.5 * told.surprise
        guilt = np.max([charged[:, i] for i in rule.left], axis=0)
        other = np.where(conflicts, np.minimum(other, guilt), other)
    other = np.where(np.isfinite(other), other, -np.inf)
    up = np.maximum(told.surprise, 0)
    return np.minimum(np.logaddexp(0, other - charged[:, j]), up)
