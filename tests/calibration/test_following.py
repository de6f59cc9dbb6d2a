"""A calibrator that follows: valid while scores move and stretch, whatever a few anomalies do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.calibration import Calibrator, Following
from anomaly_detection.calibration.following import MOST_RECENT, follow


def normal(n, seed=0):
    return np.random.default_rng(seed).gamma(2.0, size=n)


@settings(max_examples=50, deadline=None)
@given(shift=st.floats(-50, 50), stretch=st.floats(0.1, 10), tail=st.booleans(), probe=st.floats(-5, 60))
def test_scores_that_moved_and_stretched_keep_their_p_values(shift, stretch, tail, probe):
    scores = normal(500)
    calibrator = Calibrator(tail=tail).fit(scores)
    moved = follow(calibrator, shift + stretch * scores)
    here, there = calibrator.p_value_one(probe), moved.p_value_one(shift + stretch * probe)
    assert there == pytest.approx(here, rel=1e-6, abs=2 / 501)


def test_false_alarms_stay_at_alpha_while_the_scores_drift():
    following, flagged = Following.begin(Calibrator().fit(normal(2000)), 0), []
    for step in range(200):
        scores = (1 + step / 50) * normal(100, seed=step + 1) + step / 20
        flagged.append(following.calibrator().p_value(scores) <= 0.02)
        following = following.after(scores)
    assert np.mean(flagged[100:]) == pytest.approx(0.02, abs=0.012)


def test_a_burst_of_anomalies_does_not_silence_the_next():
    following = Following.begin(Calibrator().fit(normal(2000)), 0)
    after = following.after(np.full(200, 1000.0)).calibrator()
    assert after.p_value_one(20.0) < 0.005
    assert after.p_value_one(1000.0) < 1e-5


def test_only_the_latest_scores_count_and_they_are_bounded():
    calibrator = Calibrator().fit(normal(5000))
    first = Following.begin(calibrator, 0)
    assert len(first.recent) == MOST_RECENT
    assert np.median(first.recent) == pytest.approx(np.median(calibrator.ordered_), rel=0.1)
    later = first.after(np.arange(100.0))
    assert later.recent[-100:].tolist() == list(range(100))
    assert np.array_equal(later.recent[:-100], first.recent[100:])


def test_scores_that_were_all_alike_for_a_while_lose_nothing():
    scores = normal(2000)
    following = Following.begin(Calibrator().fit(scores), 0)
    stuck = following.after(np.full(MOST_RECENT, 3.0) + np.resize([0.0, 1e-15], MOST_RECENT))
    assert stuck.calibrator().ordered_[-1] - 3.0 < 1e-9
    again = stuck.after(scores).calibrator()
    assert again.ordered_ == pytest.approx(following.fitted.ordered_)


@pytest.mark.parametrize("recent", [np.ones(50), np.array([3.0])])
def test_scores_without_spread_only_move_it(recent):
    calibrator = Calibrator().fit(normal(500))
    moved = follow(calibrator, recent)
    shift = recent[0] - np.median(calibrator.ordered_)
    assert moved.ordered_ == pytest.approx(calibrator.ordered_ + shift)
    constant = Calibrator().fit(np.zeros(20))
    assert follow(constant, normal(50)).p_value_one(-1.0) == 1.0
