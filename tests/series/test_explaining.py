"""What is said about anomalies in series: channels, bands, and the way back inside."""

import numpy as np
import polars as pl
import pytest

from anomaly_detection import AnomalyDetector, SeriesPipeline
from anomaly_detection.errors import InputError, ParameterError

CHANNELS = ["c0", "c1", "c2", "c3"]


def table(n=500, start=0, seed=0):
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {"t": np.arange(start, start + n), **{c: rng.normal(k, 1.0, n) for k, c in enumerate(CHANNELS)}}
    )


def moved(frame, row, **values):
    return frame.with_columns(*(pl.Series(name, frame[name].scatter(row, value)) for name, value in values.items()))


@pytest.fixture(scope="module")
def fitted():
    return SeriesPipeline("ewma", contamination=0.005).fit(table(), timestamp="t")


def test_the_channels_that_moved_are_named_with_how_far(fitted):
    frame = moved(table(40, 500, 1), 7, c2=-30.0, c1=25.0)
    why = fitted.explain(frame, [7])[0]
    assert [reason.column for reason in why.reasons] == ["c2", "c1"]
    assert why.reasons[0].contribution > why.reasons[1].contribution > 0
    assert sum(reason.share for reason in why.reasons) < 1.0
    assert why.sentence == fitted.detect(frame).reason[7]
    assert why.recommendation.startswith("Check c2: it lies ")
    assert "below; c1: it lies " in why.recommendation
    low, high = map(float, why.reasons[0].normal.split(" to "))
    assert low < 2.0 < high


@pytest.mark.parametrize("wish", [{}, {"minimum_absolute": 6.0}, {"bounds": (-4.0, 8.0)}, {"direction": "drop"}])
def test_back_inside_the_band_it_is_normal(wish):
    pipeline = SeriesPipeline("ewma", contamination=0.005, **wish).fit(table(), timestamp="t")
    frame = moved(table(40, 500, 1), 7, c2=-30.0, c1=-25.0)
    found = pipeline.explain(frame, [7])[0].counterfactual
    assert {change.column for change in found.changes} == {"c1", "c2"}
    back = pipeline.detect(moved(frame, 7, **{change.column: change.new for change in found.changes}))
    assert not back.is_anomaly[7]
    assert back.p_value[7] == pytest.approx(found.p_value, rel=0.2) or wish


def test_only_what_may_be_changed_is(fitted):
    frame = moved(table(40, 500, 1), 7, c2=-30.0)
    assert fitted.explain(frame, [7], actionable=["c2"])[0].counterfactual is not None
    why = fitted.explain(frame, [7], actionable=["c1"])[0]
    assert why.counterfactual is None
    assert "c2 may not" in why.no_counterfactual
    with pytest.raises(ParameterError, match="c9"):
        fitted.explain(frame, [7], actionable=["c9"])
    with pytest.raises(InputError, match="Row 99"):
        fitted.explain(frame, [99])


def test_rows_that_are_no_anomalies_can_be_asked_about(fitted):
    every = fitted.explain(table(5, 500, 1))
    assert [why.row for why in every] == list(range(5))
    assert "is no anomaly (expected" in every[0].sentence
    assert every[0].counterfactual is None


def test_the_course_of_a_series_has_no_single_value_to_go_back_to():
    pipeline = SeriesPipeline("per_channel", contamination=0.01).fit(table(), timestamp="t")
    plain = moved(table(40, 500, 1), 7, c2=-30.0)
    assert pipeline.explain(plain, [7])[0].counterfactual.p_value > pipeline.alpha_


def test_a_door_explains_alike_and_a_counter_says_what_was_added():
    added = np.abs(np.random.default_rng(0).normal(10.0, 1.0, size=400))
    added[350] = 90.0
    frame = pl.DataFrame({"t": np.arange(400), "requests": np.cumsum(added)})
    detector = AnomalyDetector("ewma", timestamp="t", contamination=0.005).fit(frame[:300])
    why = detector.explain(frame[300:], rows=[50])[0]
    assert why.reasons[0].column == "requests added"
    assert why.reasons[0].value == pytest.approx(90.0)
    assert why.counterfactual.changes[0].new < 20.0
