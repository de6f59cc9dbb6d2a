"""Array loops of sampled nearest neighbours; squared distances are added up in float32 in the order of the columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def mean_nearest(X: NDArray[np.float32], columns: NDArray[np.float32], out: NDArray[np.float64]) -> None:
    """Fill ``out`` (m,) with each row's distance to its nearest row in a sample, averaged over the samples.

    Of the rows in a sample that equal the row at hand, one is left out.

    Parameters
    ----------
    X : (m, d) scaled rows.
    columns : (t, d, s) the samples, one column after the other; s is at least 2.
    out : (m,) receives the mean distances.
    """
    n_samples, d, size = columns.shape
    squared = np.empty(size, dtype=np.float32)
    for r in range(X.shape[0]):
        total = 0.0
        for t in range(n_samples):
            for i in range(size):
                squared[i] = np.float32(0.0)
            for j in range(d):
                value = X[r, j]
                for i in range(size):
                    gap = columns[t, j, i] - value
                    squared[i] += gap * gap
            least, second = np.float32(np.inf), np.float32(np.inf)
            for i in range(size):
                if squared[i] < least:
                    second = least
                    least = squared[i]
                elif squared[i] < second:
                    second = squared[i]
            total += np.sqrt(np.float64(second if least == 0.0 else least))
        out[r] = total / n_samples
