"""Quality from labels: what is known, what is not, and how surely."""

from __future__ import annotations

import numpy as np
import pytest

from anomaly_detection.monitoring.performance import Estimate, live_quality
from anomaly_detection.store.feedback import LabelCounts


def test_without_labels_nothing_is_said() -> None:
    found = live_quality(LabelCounts(), 1_000, 10)
    assert (found.precision, found.recall, found.false_positive_rate, len(found.missing)) == (None, None, None, 2)


def test_alarms_alone_give_precision() -> None:
    found = live_quality(LabelCounts(hits=9, false_alarms=1), 1_000, 10)
    assert isinstance(found.precision, Estimate)
    assert found.precision.value == 0.9
    assert 0.5 < found.precision.low < 0.9 < found.precision.high < 1.0
    assert found.recall is None
    assert "without an alarm" in found.missing[0]


def test_recall_weighs_what_raised_no_alarm_by_how_much_there_is() -> None:
    found = live_quality(LabelCounts(hits=8, false_alarms=2, misses=1, quiet=99), 10_010, 10)
    assert found.recall is not None
    assert found.false_positive_rate is not None
    assert found.recall.value == pytest.approx(8 / (8 + 100))
    assert found.false_positive_rate.value == pytest.approx(2 / (2 + 9_900))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(200):
        hits = int(random.binomial(40, 0.7))
        found = live_quality(LabelCounts(hits=hits, false_alarms=40 - hits), 1_000, 40)
        assert found.precision is not None
        held += found.precision.low <= 0.7 <= found.precision.high
    assert held >= 180
