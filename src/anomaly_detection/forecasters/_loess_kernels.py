"""Array loops of stl.py: local regression on equal distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def loess(
    values: NDArray[np.float64],
    weights: NDArray[np.float64],
    span: int,
    before: int,
    after: int,
    out: NDArray[np.float64],
) -> None:
    """Local straight lines through values at 0, 1, 2 …, weighed by the third power of nearness and by ``weights``.

    Parameters
    ----------
    values, weights : (n,) weights are at least 0.
    span : so many neighbours belong to a line, or all where there are fewer.
    before, after : the curve is carried on by so many places.
    out : (before + n + after,) filled; the mean of the neighbours where their weights leave no line.
    """
    n = len(values)
    q = min(span, n)
    for i in range(-before, n + after):
        left = min(max(i - q // 2, 0), n - q)
        reach = float(max(i - left, left + q - 1 - i))
        reach = max(reach * max(1.0, span / n), 1.0) * 1.0001
        total, first, second, value, product = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(left, left + q):
            away = abs(j - i) / reach
            near = 1.0 - away * away * away
            weight = weights[j] * near * near * near
            total += weight
            first += weight * (j - i)
            second += weight * (j - i) * (j - i)
            value += weight * values[j]
            product += weight * (j - i) * values[j]
        spread = total * second - first * first
        if total <= 0.0:
            out[i + before] = values[left : left + q].mean()
        elif spread <= 1e-9 * total * total:
            out[i + before] = value / total
        else:
            out[i + before] = (value * second - product * first) / spread
