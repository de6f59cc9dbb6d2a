"""Scores of rows the detector was not fitted on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.calibration import calibration_scores
from anomaly_detection.errors import InputError, ParameterError

unhurried = settings(deadline=None, max_examples=60)


class Recorder:
    """Remembers what it was asked for; the score of a row is its number."""

    def __init__(self):
        self.asked = []

    def __call__(self, fit, score):
        self.asked.append((fit, score))
        return score.astype(np.float64)


@unhurried
@given(st.integers(2, 300), st.integers(2, 10), st.integers(2, 400), st.integers(0, 5))
def test_no_row_is_scored_by_a_detector_fitted_on_it_and_none_twice(n_rows, folds, most, seed):
    recorder = Recorder()
    scores = calibration_scores(recorder, n_rows, folds=folds, most=most, seed=seed)
    assert len(set(scores)) == len(scores) == min(n_rows, most)
    for fit, score in recorder.asked:
        np.testing.assert_array_equal(np.union1d(fit, score), np.arange(n_rows))
        assert not np.intersect1d(fit, score).size
        assert fit.size
        assert score.size


def test_folds_leave_out_only_the_rows_they_score():
    recorder = Recorder()
    calibration_scores(recorder, 100_000, folds=5, most=1000)
    assert [len(fit) for fit, _ in recorder.asked] == [99_800] * 5


@pytest.mark.parametrize(("n_rows", "folds"), [(3, 3), (15, 15), (100, 20), (101, 5)])
def test_few_rows_are_divided_into_more_folds(n_rows, folds):
    recorder = Recorder()
    calibration_scores(recorder, n_rows)
    assert len(recorder.asked) == folds


@pytest.mark.parametrize(("n_rows", "scored"), [(1000, 200), (100_000, 10_000)])
def test_a_split_fits_once_and_scores_the_rest(n_rows, scored):
    recorder = Recorder()
    assert len(calibration_scores(recorder, n_rows, method="split")) == scored
    assert len(recorder.asked) == 1


def test_the_seed_decides_the_rows():
    first, again, other = (
        set(calibration_scores(Recorder(), 1000, most=100, seed=seed).tolist()) for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("how", "message"),
    [({"method": "jackknife"}, "'cross', 'split'"), ({"folds": 1}, "folds=1"), ({"most": 1}, "most=1")],
)
def test_a_way_that_does_not_exist_is_refused(how, message):
    with pytest.raises(ParameterError, match=message):
        calibration_scores(Recorder(), 1000, **how)


def test_one_row_cannot_calibrate():
    with pytest.raises(InputError, match="at least 2 rows; got 1"):
        calibration_scores(Recorder(), 1)
