"""change_point: the finder as a detector."""

import numpy as np
import pytest

from anomaly_detection.detectors.series.change_point import ChangePoints
from anomaly_detection.errors import ArtifactError, InputError
from anomaly_detection.features.series import Series


def steps():
    values = np.random.default_rng(0).normal(size=(300, 2))
    values[100:, 1] += 6.0
    values[200:, 0] -= 6.0
    return Series.of(values, names=("load", "errors"))


def test_first_rows_of_what_is_new_score_and_no_others():
    scores = ChangePoints().score_whole(steps())
    assert np.flatnonzero(scores.score).tolist() == [100, 200]
    assert scores.side[[100, 200]].tolist() == [1, -1]
    assert scores.contributions.argmax(axis=1)[[100, 200]].tolist() == [1, 0]


def test_evidence_names_each_change():
    found = ChangePoints().fit(steps()).evidence()["change_points"]
    assert [(one["row"], one["kind"], one["column"]) for one in found] == [
        (100, "level", "errors"),
        (200, "level", "load"),
    ]
    assert found[0]["size"] == pytest.approx(6, abs=1)


def test_what_comes_later_is_refused_with_the_way_out():
    series = steps()
    with pytest.raises(InputError, match=r"offline=True.*ewma"):
        ChangePoints().fit(series[:150]).advance(series[150:])


def test_saved_changes_come_back_and_foreign_ones_are_refused():
    detector = ChangePoints().fit(steps())
    spec, arrays = detector.state()
    assert ChangePoints.from_state(spec, arrays).evidence() == detector.evidence()
    for wrong in (np.zeros((1, 5)), np.array([[0.5, 0, 0, 0, 0, 1]]), np.array([[1.0, 4, 0, 0, 0, 1]])):
        with pytest.raises(ArtifactError):
            ChangePoints.from_state(spec, {"changes_": wrong})
