"""What made a row odd is said of the row that did; rows that went the other way raise no alarm."""

import numpy as np
import polars as pl
import pytest

from anomaly_detection.series import SeriesPipeline

ROWS, TRAINED = 1_200, 900


def judged(values, **wishes):
    columns = {f"c{k}": column for k, column in enumerate(np.atleast_2d(values))}
    frame = pl.DataFrame(columns).with_row_index("row")
    pipeline = SeriesPipeline(contamination=0.005, **wishes).fit(frame[:TRAINED], timestamp="row")
    return pipeline.detect(frame[TRAINED:])


def noise(seed=0):
    return 40.0 + np.random.default_rng(seed).normal(0.0, 2.0, size=ROWS)


def test_rows_after_a_spike_name_the_spike():
    values = noise()
    values[1_000] = 93.0
    result = judged(values)
    assert result.is_anomaly[100:110].all()
    assert int(np.argmax(result.score)) == 100
    assert result.reason[100].startswith("c0 93 is above the expected 39.")
    for after in (1, 7, 60):
        rows = "1 row" if after == 1 else f"{after} rows"
        assert result.reason[100 + after].startswith(f"c0 93, {rows} before, was above the expected 39.")


def test_a_course_of_usual_values_is_called_one():
    switched = np.repeat(np.random.default_rng(0).integers(0, 2, size=ROWS // 5), 5).astype(float)
    switched[1_000:1_040] = np.arange(40) % 2
    result = judged(10.0 * switched + noise() / 40.0)
    told = [reason for reason in result.reason[100:140].to_list() if reason is not None]
    assert len(told) > 20
    assert all("rows of c0 are unlike any before; c0" in reason for reason in told)
    assert "by itself would be usual" in told[0]


def test_channels_that_no_longer_go_together_are_not_called_high():
    common = np.random.default_rng(0).normal(size=ROWS)
    values = common + 0.05 * np.random.default_rng(1).normal(size=(2, ROWS))
    values[:, 1_000] = 0.8, -0.8
    result = judged(values)
    assert result.is_anomaly[100]
    assert "above" not in result.reason[100]
    assert "by themselves would be usual" in result.reason[100]


@pytest.mark.parametrize(("direction", "jump"), [("rise", -50.0), ("drop", 50.0)])
@pytest.mark.parametrize("channels", [1, 2])
def test_what_went_the_other_way_raises_no_alarm(direction, jump, channels):
    values = np.stack([noise(seed) for seed in range(channels)])
    values[0, 1_000] += jump
    result = judged(values, direction=direction)
    assert not result.is_anomaly[100 : 230 if channels == 1 else 103].any()


@pytest.mark.parametrize(("direction", "jump"), [("rise", 50.0), ("drop", -50.0)])
def test_alarms_of_a_side_lie_on_it(direction, jump):
    values = noise()
    values[1_000] += jump
    result = judged(values, direction=direction)
    flagged = np.flatnonzero(result.is_anomaly)
    assert 100 in flagged
    away = (values[TRAINED:] - result.expected)[flagged]
    assert (np.sign(away) == np.sign(jump)).all()


def test_a_band_follows_the_day():
    hours = np.arange(ROWS)
    values = 50.0 + 20.0 * np.sin(2 * np.pi * hours / 24) + noise() - 40.0
    result = judged(values)
    assert np.abs(result.expected - values[TRAINED:]).mean() < 2.5
    assert (result.upper - result.lower).max() < 40.0


def test_joint_channels_with_a_trend_are_followed_and_no_others():
    rows = np.arange(6_000)
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"up": 0.001 * rows + rng.normal(size=6_000), "level": rng.normal(size=6_000)})
    frame = frame.with_row_index("row")
    pipeline = SeriesPipeline(contamination=0.01).fit(frame[:3_000], timestamp="row")
    assert pipeline.evidence()["chosen"][""].endswith("; follows the trend of 'up'")
    assert pipeline.detect(frame[3_000:]).is_anomaly.mean() < 0.025
