"""Auto on series: who judges, what is expected beside, and which row a score tells of."""

import numpy as np
import pytest

from anomaly_detection.detectors.series.auto import SeriesAuto
from anomaly_detection.detectors.series.joint import Joint
from anomaly_detection.detectors.series.windows import Windows
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.series import Series


@pytest.mark.parametrize(("width", "judge"), [(1, Windows(memory=5_000)), (3, Joint())])
def test_scores_are_those_of_the_member_for_so_many_channels(width, judge):
    series = Series.of(np.random.default_rng(0).normal(size=(700, width)))
    detector = SeriesAuto().fit(series[:500])
    found, expected = detector.advance(series[500:], 2.0), judge.fit(series[:500]).advance(series[500:], 2.0)
    after = found.about["back"] > 0
    assert after.any()
    assert not after.all()
    np.testing.assert_array_equal(found.score, np.where(after, 0.94, 1.0) * expected.score)
    told = detector.evidence()["members"]
    assert [one["weight"] for one in told] == [1.0, 0.0]
    assert told[0]["algorithm"] == ("windows" if width == 1 else "joint")


def test_a_band_is_as_far_as_the_score_says():
    values = np.random.default_rng(0).normal(20.0, 2.0, size=4_000)
    scores = SeriesAuto().fit(Series.of(values[:2_000])).advance(Series.of(values)[2_000:])
    line = np.quantile(scores.score, 0.99)
    beyond = np.abs(values[2_000:, None] - scores.expected) > line * scores.scale
    assert 0.003 < beyond.mean() < 0.03
    assert set(np.unique(scores.side)) <= {-1, 0, 1}


def test_what_is_kept_out_moves_no_expected_value():
    values = np.random.default_rng(0).normal(20.0, 2.0, size=800)
    values[600:610] = 60.0
    series = Series.of(values)
    start = SeriesAuto().fit(series[:500])
    learned, kept_out = start.score(series[500:]), start.score(series[500:], 6.0)
    assert learned.expected[110, 0] > kept_out.expected[110, 0] + 0.2
    assert kept_out.expected[110, 0] == kept_out.expected[100, 0]


def test_foreign_members_are_refused():
    spec, arrays = SeriesAuto().fit(Series.of(np.arange(60.0))).state()
    with pytest.raises(ArtifactError):
        SeriesAuto.from_state({**spec, "members": spec["members"][::-1]}, arrays)


@pytest.mark.parametrize(("jump", "side"), [(70.0, 1), (-70.0, -1)])
def test_rows_after_a_spike_are_on_its_side_or_on_none(jump, side):
    values = np.random.default_rng(0).normal(20.0, 2.0, size=700)
    values[600] += jump
    series = Series.of(values)
    scores = SeriesAuto().fit(series[:500]).score(series[500:], 5.0)
    after = scores.score[100:] > 5.0
    assert after[:50].all()
    assert scores.side[100] == side
    assert set(scores.side[100:][after].tolist()) == {side, 0}
    other_side = np.sign(values[600:, None] - scores.expected[100:])[:, 0] == -side
    assert (scores.side[100:][after & other_side] == 0).all()
    assert set(scores.side[:100].tolist()) == {-1, 0, 1}


def test_rows_after_a_spike_tell_of_the_spike():
    values = np.random.default_rng(0).normal(20.0, 2.0, size=700)
    values[600] = 90.0
    series = Series.of(values)
    detector = SeriesAuto().fit(series[:500])
    together = detector.score(series[500:], 5.0).about[100:]
    assert together["back"][:60].tolist() == list(range(60))
    assert set(together["value"][:60]) == {90.0}
    found = [detector.advance(series[row : row + 9], 5.0).about for row in range(500, 700, 9)]
    np.testing.assert_array_equal(np.concatenate(found)[100:], together)


def test_the_odd_row_itself_is_the_most_anomalous():
    found = []
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=700)
        values[600] += 25.0
        series = Series.of(values)
        found.append(int(np.argmax(SeriesAuto().fit(series[:500]).score(series[500:], 4.0).score)))
    assert found.count(100) >= 15


def test_where_there_is_a_season_expected_values_follow_it():
    hours = np.arange(1_200)
    values = 20.0 + 8.0 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(0).normal(0.0, 0.5, size=1_200)
    series = Series.of(values, 3_600_000_000)
    start = SeriesAuto(period=24).fit(series[:900])
    scores = start.score(series[900:])
    assert np.abs(scores.expected[:, 0] - values[900:]).mean() < 0.6
    assert start.evidence()["members"][1]["algorithm"] == "seasonal_ewma"
    flat = SeriesAuto(span=24.0).fit(series[:900]).score(series[900:])
    assert (scores.scale < 0.5 * flat.scale).mean() > 0.9
    np.testing.assert_array_equal(
        *(np.where(one.about["back"] > 0, one.score / 0.94, one.score).round(9) for one in (scores, flat))
    )


def test_rows_that_do_not_follow_tell_of_none_before_them():
    values = np.random.default_rng(0).normal(20.0, 2.0, size=700)
    values[600] = 90.0
    series = Series.of(values)
    detector = SeriesAuto().fit(series[:500])
    detector.advance(series[500:605], 5.0)
    detector.interrupted()
    assert detector.advance(series[605:], 5.0).about["back"][0] == 0
