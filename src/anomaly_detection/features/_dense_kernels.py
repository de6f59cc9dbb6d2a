"""The array loop of dense.py: each output column is made of one input column by one rule."""

from __future__ import annotations

import numba
import numpy as np

NUMBER, IS_MISSING, IS_CODE, FREQUENCY, UNEXPECTED = range(5)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def make_dense(X, source, rule, argument, fill, shift, factor, tables, expected, out):
    """Fill ``out`` (n, m) from ``X`` (n, d): ``(value - shift) * factor`` in float64, value by rule.

    ``source`` (m,) is the input column, ``argument`` (m,) a code or a row of ``tables``, ``fill`` (m,) what stands in
    for a missing value, ``expected`` (d,) whether a missing value is nothing new.
    """
    n, m = out.shape
    for i in range(n):
        for j in range(m):
            if rule[j] == UNEXPECTED:
                value = 0.0
                for k in range(X.shape[1]):
                    if not expected[k] and np.isnan(X[i, k]):
                        value += 1.0
            else:
                x = np.float64(X[i, source[j]])
                missing = np.isnan(x)
                if rule[j] == IS_MISSING:
                    value = 1.0 if missing else 0.0
                elif missing:
                    value = fill[j]
                elif rule[j] == IS_CODE:
                    value = 1.0 if x == argument[j] else 0.0
                elif rule[j] == FREQUENCY:
                    value = tables[argument[j], min(max(np.int64(x), 0), tables.shape[1] - 1)]
                else:
                    value = x
            out[i, j] = np.float32((value - shift[j]) * factor[j])
