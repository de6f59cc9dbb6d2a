"""Rows that cannot be written to, such as those of a mapped file."""

import numpy as np

from anomaly_detection.detectors import create
from anomaly_detection.detectors._marginal_kernels import deviations
from anomaly_detection.detectors._matrix_kernels import has_infinite


def test_read_only_rows_score_the_same_and_compile_nothing_anew():
    rows = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    detector = create("mad").fit(rows)
    scores = detector.score(rows)
    compiled = [len(kernel.signatures) for kernel in (has_infinite, deviations)]
    rows.flags.writeable = False
    assert np.array_equal(create("mad").fit(rows).score(rows), scores)
    assert [len(kernel.signatures) for kernel in (has_infinite, deviations)] == compiled
