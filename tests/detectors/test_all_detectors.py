"""Every detector of the catalog keeps every promise of the contract."""

import numpy as np
import pytest

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import Detector, create
from anomaly_detection.errors import ParameterError
from anomaly_detection.testing import detector_checks

ONE_AT_A_TIME = {"beats_a_per_feature_z_score": "looks at one feature at a time"}

EXEMPT = {"hbos": ONE_AT_A_TIME, "ecod": ONE_AT_A_TIME, "copod": ONE_AT_A_TIME, "mad": ONE_AT_A_TIME}

ENTRIES = [entry for entry in DETECTORS.entries() if entry.extra != "pyod"]  # those are in test_pyod.py


def all_checks():
    return [
        check
        for entry in ENTRIES
        for check in detector_checks(entry.load(), name=entry.name, exempt=EXEMPT.get(entry.name))
    ]


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_promise(check):
    check()


def test_no_detector_and_no_promise_went_missing():
    assert len(ENTRIES) == 27
    assert len({entry.load() for entry in ENTRIES}) == 27
    assert all(issubclass(entry.load(), Detector) for entry in ENTRIES)
    assert len(all_checks()) >= 27 * 25
    assert set(EXEMPT) <= {entry.name for entry in ENTRIES}


@pytest.mark.parametrize("name", [one.name for one in ENTRIES if "random_state" in one.load().parameter_names()])
def test_every_detector_takes_the_same_seeds(name):
    rows = np.random.default_rng(0).normal(size=(60, 3))
    largest = create(name, random_state=2**63 - 1).fit(rows)
    assert np.isfinite(largest.score(rows)).all()
    for seed in (-1, 2**63, 1.5):
        with pytest.raises(ParameterError, match=r"random_state=.* must be a whole number .* at most 2\*\*63 - 1"):
            create(name, random_state=seed)
