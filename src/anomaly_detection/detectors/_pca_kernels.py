"""Array loops of scoring along principal axes; the order of the sums is the same for one row and for many."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 4
"""Columns whose part of the projections is added in one go."""


class Axes(NamedTuple):
    """What scoring needs to know of d columns and a axes.

    Most values of wide tables are 0, or always the same: a row is measured from the usual ``base``, and columns that
    have that value cost nothing.

    Parameters
    ----------
    centre, spread : (d,) what makes a column standard.
    base : (d,) float64, a value of each column: 0 where that is not far from the centre, else next to the centre.
    by_column : (d, a) the axes, transposed, each column divided by its spread.
    projections : (a,) those of the base.
    precisions : (a,) one over the variance along each axis.
    length : the squared length of the base, standardised.
    residual_precision : one over the variance of whatever the axes leave over; 0 when they leave nothing over.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    base: NDArray[np.float64]
    by_column: NDArray[np.float64]
    projections: NDArray[np.float64]
    precisions: NDArray[np.float64]
    length: float
    residual_precision: float


@kernel
def distances_along_axes(X: NDArray[np.float32], axes: Axes, out: NDArray[np.float64]) -> None:
    """Fill ``out`` (m,) with the squared distances of (m, d) rows from the centre, each axis in its own variance.

    What the axes leave over is the squared length of the standardised row less that of its projections.
    """
    d, a = axes.by_column.shape
    columns, steps = np.zeros(d + AT_ONCE, np.uint64), np.zeros(d + AT_ONCE)
    projections = np.empty(a)
    for r in range(X.shape[0]):
        n, length = 0, axes.length
        for j in range(d):
            columns[n], steps[n] = np.uint64(j), np.float64(X[r, j]) - axes.base[j]
            n += steps[n] != 0.0
        for k in range(n):
            j = columns[k]
            whole, usual = (X[r, j] - axes.centre[j]) / axes.spread[j], (axes.base[j] - axes.centre[j]) / axes.spread[j]
            length += whole * whole - usual * usual
        for k in range(n, n + AT_ONCE):
            steps[k] = 0.0
        for i in range(a):
            projections[i] = axes.projections[i]
        for k in range(0, n, AT_ONCE):
            _add(columns[k : k + AT_ONCE], steps[k : k + AT_ONCE], axes.by_column, projections)
        along, inside = 0.0, 0.0
        for i in range(a):
            square = projections[i] * projections[i]
            along += square * axes.precisions[i]
            inside += square
        out[r] = along + max(length - inside, 0.0) * axes.residual_precision


@inlined
def _add(
    columns: NDArray[np.uint64],
    steps: NDArray[np.float64],
    by_column: NDArray[np.float64],
    projections: NDArray[np.float64],
) -> None:
    """Add what four columns have to do with each projection."""
    first, second = by_column[columns[0]], by_column[columns[1]]
    third, fourth = by_column[columns[2]], by_column[columns[3]]
    for i in range(len(projections)):
        projections[i] += steps[0] * first[i] + steps[1] * second[i] + steps[2] * third[i] + steps[3] * fourth[i]
