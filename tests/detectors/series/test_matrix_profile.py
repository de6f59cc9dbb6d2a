"""matrix_profile and left_matrix_profile: shapes that are nowhere else, or were not there before."""

import numpy as np
import pytest

from anomaly_detection.detectors.series.matrix_profile import LeftMatrixProfile, MatrixProfileDetector, window_for
from anomaly_detection.errors import ArtifactError, InputError
from anomaly_detection.features.series import Series
from anomaly_detection.features.series.matrix_profile import matrix_profile

ROWS = np.arange(900)


def wave(seed=0):
    return np.sin(ROWS * 2 * np.pi / 30) + np.random.default_rng(seed).normal(0.0, 0.1, size=900)


def odd_once():
    values = wave()
    values[600:630] = -values[600:630]
    return values


def test_a_shape_that_is_nowhere_else_scores_highest():
    scores = MatrixProfileDetector().score_whole(Series.of(odd_once())).score
    assert len(scores) == 900
    assert 585 <= np.argmax(scores) <= 645
    assert np.sort(scores[np.r_[:560, 660:900]])[-1] < 0.6 * scores.max()


def test_a_shape_that_comes_twice_is_new_only_once():
    values = odd_once()
    values[770:830] = values[590:650]
    series = Series.of(values)
    scores = LeftMatrixProfile().fit(series[:400]).advance(series[400:]).score
    assert 200 <= np.argmax(scores) <= 260
    assert scores[370:430].max() < 0.5 * scores.max()


def test_of_several_channels_the_farthest_counts():
    scores = MatrixProfileDetector().score_whole(Series.of(np.column_stack([wave(1), odd_once(), wave(2)])))
    assert 585 <= np.argmax(scores.score) <= 645
    assert scores.contributions[np.argmax(scores.score)].argmax() == 1


def test_the_online_form_is_the_left_profile():
    values = wave()
    detector = LeftMatrixProfile(window=40, remembered=900).fit(Series.of(values[:100]))
    score = detector.advance(Series.of(values)[100:]).score
    expected = matrix_profile(values, 40).left / np.sqrt(80)
    np.testing.assert_allclose(score, expected[100 - 39 :], atol=1e-6)


def test_few_missing_values_are_bridged_and_many_are_not_judged():
    values = odd_once()
    values[::9] = np.nan
    values[300:330] = np.nan
    whole = MatrixProfileDetector(window=30).score_whole(Series.of(values)).score
    assert np.isnan(whole[300:330]).sum() > 15
    assert 585 <= np.nanargmax(whole) <= 645
    later = LeftMatrixProfile(window=30).fit(Series.of(values[:250])).advance(Series.of(values)[250:]).score
    assert np.isnan(later[60:79]).all()
    assert np.isfinite(later[120:]).all()


def test_the_window_is_a_season_or_what_there_is_room_for():
    assert window_for(wave(), "auto") == 30
    assert window_for(np.random.default_rng(0).normal(size=900), "auto") == 50
    assert window_for(np.arange(40.0), "auto") == 5
    assert window_for(wave(), 77) == 77
    assert MatrixProfileDetector().fit(Series.of(wave())).evidence() == {"window": {"v0": 30}}


def test_a_file_shorter_than_a_window_says_nothing():
    assert np.isnan(MatrixProfileDetector(window=50).score_whole(Series.of(wave()[:20])).score).all()


def test_what_comes_later_is_refused_with_the_online_form():
    series = Series.of(wave())
    with pytest.raises(InputError, match="left_matrix_profile"):
        MatrixProfileDetector().fit(series[:500]).advance(series[500:])


def test_foreign_arrays_are_refused():
    spec, arrays = LeftMatrixProfile().fit(Series.of(wave())).state()
    for name, wrong in (("clock_", np.array([-1, 0])), ("points_", arrays["points_"][:-1]), ("window_", np.array([2]))):
        with pytest.raises(ArtifactError):
            LeftMatrixProfile.from_state(spec, {**arrays, name: wrong})


def test_rows_that_do_not_follow_make_no_odd_window():
    series = Series.of(np.sin(np.arange(900) * 2 * np.pi / 40) + np.random.default_rng(0).normal(0.0, 0.02, size=900))
    follows, begins = (LeftMatrixProfile(window=40).fit(series[:600]) for _ in range(2))
    begins.interrupted()
    odd, fine = (one.advance(series[620:]).score for one in (follows, begins))
    assert np.isnan(fine[:28]).all()
    assert np.nanmax(fine) < 0.7 * np.nanmax(odd)
