"""Auto on series: windows for one channel, joint for several, with expected values beside."""

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
    np.testing.assert_array_equal(found.score, expected.score)
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


def test_rows_that_stay_above_the_line_are_on_the_side_of_the_first():
    values = np.random.default_rng(0).normal(20.0, 2.0, size=700)
    values[600] = 90.0
    series = Series.of(values)
    start = SeriesAuto().fit(series[:500])
    scores = start.score(series[500:], 5.0)
    above = scores.score > 5.0
    assert above[100:104].all()
    assert set(scores.side[100:][above[100:]].tolist()) == {1}
    assert set(scores.side[:100].tolist()) >= {-1, 1}
