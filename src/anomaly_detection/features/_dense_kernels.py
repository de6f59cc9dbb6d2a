"""The array loop of dense.py: each output column is made of one input column by one rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBER, IS_MISSING, IS_CODE, FREQUENCY, UNEXPECTED = range(5)


@kernel
def make_dense(
    X: NDArray[np.float32],
    whole: NDArray[np.int64],
    real: NDArray[np.float64],
    tables: NDArray[np.float64],
    expected: NDArray[np.bool_],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out`` (n, m) from ``X`` (n, d): ``(value - shift) * factor`` in float64, value by rule.

    ``whole`` (m, 3) holds the input column, the rule, and its argument: a code or a row of ``tables``; ``real`` (m, 3)
    what stands in for a missing value, the shift and the factor; ``expected`` (d,) whether a gap is nothing new.
    """
    n, m = out.shape
    for i in range(n):
        for j in range(m):
            rule, argument = whole[j, 1], whole[j, 2]
            if rule == UNEXPECTED:
                value = 0.0
                for k in range(X.shape[1]):
                    if not expected[k] and np.isnan(X[i, k]):
                        value += 1.0
            else:
                x = np.float64(X[i, whole[j, 0]])
                missing = np.isnan(x)
                if rule == IS_MISSING:
                    value = 1.0 if missing else 0.0
                elif missing:
                    value = real[j, 0]
                elif rule == IS_CODE:
                    value = 1.0 if x == argument else 0.0
                elif rule == FREQUENCY:
                    value = tables[argument, min(max(np.int64(x), 0), tables.shape[1] - 1)]
                else:
                    value = x
            out[i, j] = np.float32((value - real[j, 1]) * real[j, 2])
