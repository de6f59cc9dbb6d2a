"""Seasonal profile, CUSUM and flatline."""

import numpy as np
import pytest

from anomaly_detection.detectors.series import create
from anomaly_detection.detectors.series.cusum import CUSUM
from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.detectors.series.flatline import Flatline
from anomaly_detection.detectors.series.seasonal_profile import SeasonalProfile
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.series import Series

HOUR = 3_600_000_000


def season(n):
    return np.sin(2 * np.pi * np.arange(n) / 24) * 5 + np.random.default_rng(0).normal(0.0, 0.3, size=n)


def test_a_value_at_the_wrong_hour_is_far_out_and_a_gap_shifts_nothing():
    values = season(1000)
    values[900] = 5.0 * np.sin(2 * np.pi * (900 - 12) / 24 + 0.5)
    series = Series.of(values, HOUR)
    rows = np.r_[0:700, 711:1000]
    gappy = Series(series.values[rows], series.time[rows], HOUR, series.names)
    detector = SeasonalProfile().fit(gappy[:600])
    score = detector.advance(gappy[600:]).score
    assert detector.evidence() == {"period": 24}
    assert int(np.argmax(score)) == 900 - 11 - 600
    assert score[score.argsort()[-2]] < 6.0


def test_without_a_season_it_is_a_control_chart():
    series = Series.of(np.random.default_rng(0).normal(size=400))
    profile, chart = SeasonalProfile(rounds=50).fit(series[:300]), EWMA(span=50).fit(series[:300])
    np.testing.assert_array_equal(profile.advance(series[300:]).score, chart.advance(series[300:]).score)


def naive_sums(away, slack, most):
    up = down = np.zeros(away.shape[1])
    scores = []
    for row in np.clip(away, -most, most):
        up = np.where(np.isnan(row), up, np.clip(up + row - slack, 0, 2 * most))
        down = np.where(np.isnan(row), down, np.clip(down - row - slack, 0, 2 * most))
        scores.append(np.nan if np.isnan(row).all() else max(up.max(), down.max()))
    return np.array(scores)


def test_sums_equal_their_naive_twin():
    values = np.random.default_rng(0).standard_t(2, size=(500, 2))
    values[::7, 1] = values[::11, 0] = np.nan
    detector = CUSUM(slack=0.3, most=5.0).fit(Series.of(values[:200]))
    away = (values - detector.frame_[0]) / detector.frame_[1]
    found = detector.advance(Series.of(values)[200:])
    np.testing.assert_allclose(found.score, naive_sums(away[200:], 0.3, 5.0))
    assert set(np.unique(found.side).tolist()) == {-1, 1}


def test_stillness_and_gaps_equal_a_count_by_hand():
    series = Series.of([1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 4.0, 4.0, np.nan, np.nan, 5.0, 6.0], HOUR)
    late = Series(series.values, series.time + np.where(np.arange(12) == 11, 4 * HOUR, 0), HOUR, series.names)
    score = Flatline().fit(late[:4]).advance(late[4:]).score
    assert score.tolist() == [1.0, 1.0, 1.5, 2.0, 2.0, 2.0, 3.0, 5.0]


def test_a_channel_that_always_stands_still_may():
    values = np.column_stack([np.arange(50.0), np.full(50, 3.0)])
    score = create("flatline").fit(Series.of(values[:30])).advance(Series.of(values)[30:]).score
    assert score.max() == 1.0


@pytest.mark.parametrize(
    ("detector", "wrong"),
    [
        (SeasonalProfile(), {"chart_": np.full((1, 3, 1), -1.0)}),
        (CUSUM(), {"sums_": np.full((2, 1), -1.0)}),
        (Flatline(), {"longest_": np.zeros((2, 1))}),
    ],
)
def test_foreign_arrays_are_refused(detector, wrong):
    spec, arrays = detector.fit(Series.of(season(100))).state()
    with pytest.raises(ArtifactError):
        type(detector).from_state(spec, {**arrays, **wrong})
