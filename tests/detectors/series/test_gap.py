"""gap: rows and values that did not come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.detectors.series.gap import Gap
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.series import Series

MINUTE = 60_000_000


def at(minutes, values=None):
    values = np.zeros(len(minutes)) if values is None else values
    return Series(np.reshape(values, (len(minutes), -1)).astype(float), np.array(minutes) * MINUTE, MINUTE, ("cpu",))


def test_the_first_row_after_a_gap_says_how_long_it_was():
    scores = Gap().fit(at(range(100))).advance(at([100, 101, 131, 132]))
    assert scores.score.argmax() == 2
    np.testing.assert_allclose(scores.score, [0.0, 0.0, np.log(101) + np.log(30), 0.0], atol=1e-12)
    assert scores.why[2] == "cpu: no value for 30 steps; the longest pause so far was 1"


def test_missing_values_score_higher_the_longer_they_last():
    values = np.zeros(20)
    values[5:12] = np.nan
    score = Gap().fit(at(range(100))).advance(at(range(100, 120), values)).score
    assert (np.diff(score[5:13]) > 0).all()
    assert score[13] == 0.0


def test_nights_without_rows_are_no_gaps_where_training_has_them():
    days = [day * 1440 + minute for day in range(20) for minute in range(480, 1080)]
    detector = Gap().fit(at(days[:6000]))
    assert detector.evidence() == {"longest_pause": {"cpu": 841.0}}
    scores = detector.score(at(days[6000:]))
    assert scores.score.max() < 10
    late = [minute for minute in days[6000:] if minute % 1440 > 600 or minute < 12 * 1440]
    assert detector.score(at(late)).score.max() > scores.score.max()


def test_a_channel_without_values_may_stay_so():
    both = np.column_stack([np.zeros(120), np.full(120, np.nan)])
    series = Series.of(both)
    scores = Gap().fit(series[:100]).advance(series[100:])
    assert scores.score.max() < 1


def test_rows_that_do_not_follow_have_no_pause_before_them():
    detector = Gap().fit(at(range(100)))
    detector.interrupted()
    assert detector.advance(at([5000, 5001, 5002])).score.max() == 0.0


@given(st.lists(st.integers(1, 50), min_size=2, max_size=60), st.integers(1, 500))
def test_a_longer_pause_never_scores_less(pauses, pause):
    detector = Gap().fit(at(np.cumsum(pauses).tolist()))
    last = int(np.sum(pauses))
    shorter, longer = (detector.score(at([last + one])).score[0] for one in (pause, pause + 1))
    assert 0.0 <= shorter <= longer


def test_foreign_arrays_are_refused():
    spec, arrays = Gap().fit(at(range(10))).state()
    for name, wrong in (("pauses_", arrays["pauses_"][:0]), ("weight_", np.zeros(1)), ("latest_", np.zeros(1))):
        with pytest.raises(ArtifactError):
            Gap.from_state(spec, {**arrays, name: wrong})
