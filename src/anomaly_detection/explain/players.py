"""Columns of a very wide table in groups, so that contributions take a bounded number of scorings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.explain.background import columns_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.space import FeatureSpace

FAR = 3.0
"""How far off a value counts that is missing, or a category, where none of the normal rows has the like."""


def players(
    row: NDArray[np.float32], references: NDArray[np.float32], space: FeatureSpace, most: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which columns go in together: the columns furthest off one by one, the others with those as far off.

    Parameters
    ----------
    row : (d,) the row to explain.
    references : (r, d) normal rows.
    space : what the d features mean.
    most : how many players there may be.

    Returns
    -------
    The player of each of the user's columns, (columns,) int64, and the column's part of what the player adds, which is
    in proportion to how far off it is.

    Examples
    --------
    >>> from anomaly_detection.features.space import FeatureSpace
    >>> row, normal = np.array([1, 9, 1, 3], np.float32), np.array([[0] * 4, [2] * 4], np.float32)
    >>> [found.tolist() for found in players(row, normal, FeatureSpace.of_numbers(4), 3)]
    [[1, 0, 2, 1], [0.0, 1.0, 1.0, 1.0]]
    """
    off = _off(row, references, space)
    n, alone = len(off), min(most, len(off)) // 2
    most = min(most, n)
    found = np.empty(n, dtype=np.int64)
    rest = alone + np.arange(n - alone) * (most - alone) // (n - alone)
    found[np.argsort(-off, kind="stable")] = np.concatenate([np.arange(alone), rest])
    total, size = np.bincount(found, weights=off)[found], np.bincount(found)[found]
    return found, np.where(total > 0, off / np.where(total > 0, total, 1.0), 1.0 / size)


def _off(row: NDArray[np.float32], references: NDArray[np.float32], space: FeatureSpace) -> NDArray[np.float64]:
    """(columns,) how far each column is from the normal rows, in their standard deviations."""
    theirs = references.astype(np.float64)
    is_category = space.n_categories > 0
    is_present = ~np.isnan(theirs)
    counts = np.maximum(is_present.sum(axis=0), 1)
    mean = np.where(is_present, theirs, 0.0).sum(axis=0) / counts
    spread = np.sqrt(np.where(is_present, (theirs - mean) ** 2, 0.0).sum(axis=0) / counts)
    unlike = ((references != row) & ~(np.isnan(references) & np.isnan(row))).mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        away = np.abs(row - mean) / spread
    away = np.where(is_category | ~np.isfinite(away), FAR * unlike, away)
    found = np.zeros(len(space.columns()))
    np.maximum.at(found, columns_of(space), away)
    return found
