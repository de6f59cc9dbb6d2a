"""Arrays that do not belong to a detector are refused before a kernel sees them, whatever the detector."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import create
from anomaly_detection.errors import ArtifactError

NAMES = [entry.name for entry in DETECTORS.entries() if entry.extra is None]


@cache
def fitted(name):
    return create(name).fit(np.random.default_rng(0).normal(size=(120, 3)))


def arrays():
    """All learned arrays but one that no score depends on."""
    pairs = [(name, array) for name in NAMES for array in DETECTORS.load(name).learned]
    return [pair for pair in pairs if pair != ("auto", "agreement_")]


def refuses(name, array, value):
    detector = fitted(name)
    with pytest.raises(ArtifactError, match=f"{type(detector).__name__} on 3 features"):
        detector.clone().restore({**detector.state(), array: value}, detector.features_)


@pytest.mark.parametrize(("name", "array"), arrays())
def test_arrays_of_another_shape_are_refused(name, array):
    value = fitted(name).state()[array]
    refuses(name, array, np.stack([value, value]))
    refuses(name, array, np.array("text"))
    if value.size > 1:
        refuses(name, array, value[:0])
        refuses(name, array, value[..., :-1])


@pytest.mark.parametrize(
    ("name", "array"),
    [
        *[(name, "reference_") for name in ("abod", "kde", "knn", "lof")],
        *[("kde", "centre_"), ("kde", "bandwidths_"), ("inne", "centres_"), ("lof", "reach_")],
        *[("gmm", one) for one in ("means_", "precisions_cholesky_", "log_weights_")],
        *[(name, one) for name in ("elliptic_envelope", "mahalanobis") for one in ("centre_", "precision_cholesky_")],
        *[(name, "levels_") for name in ("hbos", "mad", "ecod", "copod")],
    ],
)
def test_numbers_that_are_not_finite_are_refused(name, array):
    value = fitted(name).state()[array]
    refuses(name, array, value * value.dtype.type(np.nan))


@pytest.mark.parametrize(("name", "array"), [("knn", "reference_"), ("abod", "reference_"), ("inne", "centres_")])
def test_rows_of_another_type_are_refused(name, array):
    refuses(name, array, fitted(name).state()[array].astype(np.float64))


@pytest.mark.parametrize(
    ("name", "array"), [("hbos", "stretches_"), ("mad", "stretches_"), ("ecod", "bounds_"), ("copod", "stretches_")]
)
def test_stretches_that_reach_outside_their_array_are_refused(name, array):
    refuses(name, array, fitted(name).state()[array] + 1)
    refuses(name, array, fitted(name).state()[array][::-1].copy())
