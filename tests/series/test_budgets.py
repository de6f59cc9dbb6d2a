"""SeriesPipeline within a budget of alarms."""

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import ParameterError
from anomaly_detection.series import SeriesPipeline


def drifting(n=4000, hosts=("a",), seed=0):
    """Half-hourly rows whose noise grows to four times what it was."""
    rng = np.random.default_rng(seed)
    at = [datetime(2025, 1, 1) + timedelta(minutes=30 * i) for i in range(n)]
    frames = [
        pl.DataFrame({"at": at, "v": 10 + rng.normal(size=n) * np.linspace(1, 4, n), "host": [host] * n})
        for host in hosts
    ]
    return pl.concat(frames)


def runs(flags):
    return int(np.count_nonzero(np.diff(flags.astype(int), prepend=0) == 1))


def split(frame, n=1000):
    early = pl.col("at") < datetime(2025, 1, 1) + timedelta(minutes=30 * n)
    return frame.filter(early), frame.filter(~early)


def test_alarms_a_week_hold_and_a_share_holds():
    train, rest = split(drifting())
    weeks = len(rest) / 336
    weekly = SeriesPipeline("ewma", budget="5/week").fit(train, timestamp="at", columns=["v"]).detect(rest)
    share = SeriesPipeline("ewma", budget=0.01).fit(train, timestamp="at", columns=["v"]).detect(rest)
    assert 0.8 <= runs(weekly.is_anomaly) / (5 * weeks) <= 1.2
    assert 0.8 <= share.is_anomaly.mean() / 0.01 <= 1.2
    for result in (weekly, share):
        np.testing.assert_array_equal(result.is_anomaly, result.p_value <= result.alpha)
        np.testing.assert_array_equal(result.is_anomaly, result.anomaly_score >= 0.6)
        assert all((reason is not None) == flag for reason, flag in zip(result.reason, result.is_anomaly, strict=True))


@pytest.mark.parametrize(("budget", "of_each"), [("6/week", 2), ("6/week/key", 6)])
def test_keys_share_a_budget_or_have_one_each(budget, of_each):
    train, rest = split(drifting(hosts=("a", "b", "c")))
    pipeline = SeriesPipeline("ewma", budget=budget).fit(train, timestamp="at", columns=["v"], key="host")
    flags = pipeline.detect(rest).is_anomaly
    alarms = [runs(flags[(rest["host"] == host).to_numpy()]) for host in "abc"]
    assert 0.8 <= sum(alarms) / (3 * of_each * 3000 / 336) <= 1.2


@pytest.mark.parametrize("budget", ["5/week", "5/week/key", 0.01])
def test_a_saved_model_goes_on_in_any_chunks(budget):
    train, rest = split(drifting(2000, ("a", "b")))
    rest = rest.sort("at", "host")
    pipeline = SeriesPipeline("ewma", budget=budget).fit(train, timestamp="at", columns=["v"], key="host")
    whole = pipeline.detect(rest)
    parts = []
    for start in range(0, len(rest), 254):
        spec, arrays = pipeline.state()
        pipeline = SeriesPipeline.from_state(json.loads(json.dumps(spec)), arrays)
        parts.append(pipeline.update(rest[start : start + 254]).p_value)
    np.testing.assert_array_equal(np.concatenate(parts), whole.p_value)
    assert pipeline.detect(rest[:10]).alpha == whole.alpha


def test_scoring_spends_nothing():
    train, rest = split(drifting(2000))
    pipeline = SeriesPipeline("ewma", budget="5/week").fit(train, timestamp="at", columns=["v"])
    np.testing.assert_array_equal(pipeline.detect(rest).p_value, pipeline.detect(rest).p_value)


def test_values_beyond_a_bound_are_alarms_whatever_is_left():
    train, rest = split(drifting(2000))
    pipeline = SeriesPipeline("ewma", budget="1/month", bounds=(None, 50.0)).fit(train, timestamp="at", columns=["v"])
    values = rest["v"].to_numpy().copy()
    values[[100, 200, 300, 400, 500, 600]] = 60.0
    result = pipeline.detect(rest.with_columns(v=pl.Series(values)))
    assert result.is_anomaly[[100, 200, 300, 400, 500, 600]].all()
    assert set(result.severity[[100, 600]]) == {"critical"}


def test_one_file_without_rows_to_train_on():
    frame = drifting()
    result = SeriesPipeline("ewma", budget="5/week").fit_detect(frame, timestamp="at", columns=["v"])
    assert 0.8 <= runs(result.is_anomaly) / (5 * len(frame) / 336) <= 1.2
    changed = frame.with_columns(v=pl.when(pl.int_range(pl.len()) >= 3000).then(99.0).otherwise("v"))
    again = SeriesPipeline("ewma", budget="5/week").fit_detect(changed, timestamp="at", columns=["v"])
    np.testing.assert_array_equal(again.is_anomaly[:3000], result.is_anomaly[:3000])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"budget": "5/week", "contamination": 0.01}, "contamination=0.01 both set the alarm line"),
        ({"budget": "5/week", "threshold": "std"}, "threshold='std' both set the alarm line"),
        ({"budget": "400/week"}, "a week has 336 rows"),
        ({"budget": 0}, "would leave no alarm at all"),
    ],
)
def test_budgets_that_cannot_be(more, said):
    with pytest.raises(ParameterError) as caught:
        SeriesPipeline("ewma", **more).fit(drifting(100), timestamp="at", columns=["v"])
    assert said in str(caught.value)


def test_rows_without_a_clock_have_no_weeks():
    frame = pl.DataFrame({"row": np.arange(200), "v": np.random.default_rng(0).normal(size=200)})
    with pytest.raises(ParameterError, match="have no time, so there is no week"):
        SeriesPipeline(budget="5/week").fit(frame, timestamp="row")


@pytest.mark.parametrize("budget", [None, "5/week"])
def test_it_is_said_when_p_values_are_not_those_of_training(budget):
    train, rest = split(drifting())
    steady = SeriesPipeline("ewma", budget=budget).fit(train, timestamp="at", columns=["v"])
    steady.detect(split(drifting(2000, seed=1), 1000)[1].with_columns(v=rest["v"][:1000] / rest["v"][:1000].std()))
    assert steady.drift_notes_ == []
    rng = np.random.default_rng(3)
    wild = rest.with_columns(v=pl.Series(10 + rng.standard_t(1.5, len(rest)) * 3))
    steady.detect(wild)
    assert "are not those of training (martingale 1e" in steady.drift_notes_[0]
    going = SeriesPipeline.from_state(*steady.state())
    for start in range(0, len(wild), 500):
        going.update(wild[start : start + 500])
    assert going.drift_notes_ == steady.drift_notes_


def test_what_was_spent_is_told():
    train, rest = split(drifting())
    pipeline = SeriesPipeline("ewma", budget="5/week").fit(train, timestamp="at", columns=["v"])
    assert pipeline.budget_notes_ == []
    alarms = runs(pipeline.detect(rest).is_anomaly)
    allowed = f"{5 * len(rest) / 336:.3g}"
    assert pipeline.budget_notes_ == [f"budget 5/week: {alarms} alarms, {allowed} allowed in the time of these rows"]
    half = len(rest) // 2
    early, late = (runs(pipeline.update(part).is_anomaly) for part in (rest[:half], rest[half:]))
    assert pipeline.budget_notes_[0].startswith(f"budget 5/week: {late} alarm")
    assert early + late in {alarms, alarms + 1}
