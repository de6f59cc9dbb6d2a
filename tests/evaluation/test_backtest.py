"""History replayed row by row says what a live model would have said."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation.backtest import History, Incident, Plan, difference, incidents_of, replay
from anomaly_detection.evaluation.injected_recall import injected_recall
from anomaly_detection.pipeline import silent
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.schema import series_schema

START = datetime(2025, 1, 1)


def hourly(n=1000, spikes=(), hosts=("a",), seed=0):
    rng = np.random.default_rng(seed)
    frames = []
    for host in hosts:
        values = 20 + rng.normal(size=n)
        values[list(spikes)] += 30
        frames.append(
            pl.DataFrame({"at": [START + timedelta(hours=i) for i in range(n)], "v": values, "host": [host] * n})
        )
    return pl.concat(frames)


def history_of(frame, plan=Plan(), key=None):  # noqa: B008  frozen
    return History.of(frame, series_schema(frame, "at", columns=["v"], key=key), plan)


def test_a_replay_is_what_a_live_model_says():
    frame = hourly(spikes=[500, 501, 800])
    history = history_of(frame)
    found = replay(SeriesPipeline("ewma", 0.001), history, Plan(), silent)
    live = SeriesPipeline("ewma", 0.001).fit(frame[:300], history.schema)
    said = [live.update(frame[i : i + 1]).is_anomaly[0] for i in range(300, 1000)]
    assert found.result.is_anomaly.tolist() == said
    spikes = [(one.row, one.rows) for one in found.alarms if one.severity == "critical"]
    assert [rows for _, rows in spikes] == [2, 1]
    assert spikes[0][0] in (500, 501)
    assert found.rate == pytest.approx(len(found.alarms) / (700 / 168))
    low, high = found.expected()
    assert low <= found.rate <= high


@pytest.mark.parametrize("refits", [0, 1, 3])
def test_later_rows_change_no_alarm_before(refits):
    plan = Plan(0.3, refits)
    frame = hourly(spikes=[500])
    changed = frame.with_columns(v=pl.when(pl.int_range(pl.len()) >= 900).then(99.0).otherwise("v"))
    first, second = (replay(SeriesPipeline("ewma", 0.01), history_of(f, plan), plan, silent) for f in (frame, changed))
    assert len(first.fits) == refits + 1
    np.testing.assert_array_equal(first.result.p_value[:600], second.result.p_value[:600])


def test_rows_come_in_any_order():
    frame = hourly(spikes=[500], hosts=("a", "b"))
    order = np.random.default_rng(0).permutation(len(frame))
    sorted_, shuffled = (
        replay(SeriesPipeline("ewma", 0.002), history_of(f, key="host"), Plan(), silent).alarms
        for f in (frame, frame[order])
    )
    assert [(one.key, one.start, one.rows, order[other.row]) for one, other in zip(sorted_, shuffled, strict=True)] == [
        (one.key, one.start, one.rows, one.row) for one in sorted_
    ]


def test_a_budget_goes_on_when_the_model_is_trained_again():
    frame = hourly(5000)
    plan = Plan(0.2, 8)
    found = replay(SeriesPipeline("ewma", budget="5/week"), history_of(frame, plan), plan, silent)
    assert 0.8 <= found.rate / 5 <= 1.2


def test_incidents_are_caught_late_or_missed():
    frame = hourly(spikes=[500, 800])
    found = replay(SeriesPipeline("ewma", 1e-6), history_of(frame), Plan(), silent)

    def at(hour):
        return int((START + timedelta(hours=hour) - datetime(1970, 1, 1)).total_seconds() * 1e6)

    known = [Incident(at(497), at(510), name="slow"), Incident(at(600), at(620)), Incident(at(800), at(800), key="")]
    assert [one.late for one in found.caught(known)] == [3 * 3_600_000_000, None, 0]
    assert found.caught([Incident(at(500), at(500), key="other")])[0].late is None
    assert found.false(known) == len(found.alarms) - 2
    labels = np.zeros(1000, dtype=bool)
    labels[[10, 500, 501, 800]] = True
    assert [(one.start, one.end) for one in incidents_of(history_of(frame), labels)] == [
        (at(500), at(501)),
        (at(800), at(800)),
    ]


def test_two_configurations_are_held_against_each_other():
    history = history_of(hourly(spikes=[500, 800]))
    few, many = (replay(SeriesPipeline("ewma", alpha), history, Plan(), silent) for alpha in (1e-6, 0.05))
    parts = difference(few, many)
    assert (len(parts.both), len(parts.only_first)) == (2, 0)
    assert len(parts.only_second) == len(many.alarms) - 2


def test_injected_anomalies_of_each_kind():
    found = injected_recall(SeriesPipeline("ewma", 0.01), history_of(hourly(3000)), 0, silent)
    caught = {one.kind: one.caught for one in found}
    assert caught["spike"] == caught["drop"] == 5
    assert all(one.caught <= one.injected == 5 for one in found)
    assert injected_recall(SeriesPipeline("ewma", 0.01), history_of(hourly(70)), 0, silent)[0].kind == "spike"


def test_a_short_history_says_how_much_more():
    with pytest.raises(InputError, match=r"the longest has 30 rows in all\. Give about 37 more"):
        history_of(hourly(30))
    with pytest.raises(InputError, match="too short to replay"):
        history_of(hourly(0))
    assert history_of(hourly(70)).cut == 21


@pytest.mark.parametrize("plan", [Plan(0.0), Plan(1.0), Plan(0.3, -1)])
def test_plans_out_of_range(plan):
    with pytest.raises(ParameterError):
        history_of(hourly(100), plan)


def test_without_a_clock_there_are_rows():
    frame = pl.DataFrame({"at": np.arange(3000), "v": np.random.default_rng(0).normal(size=3000)})
    history = history_of(frame)
    assert history.unit == "1,000 rows"
    assert history.weeks == pytest.approx(2.1)
    found = replay(SeriesPipeline("ewma", budget=0.005), history, Plan(), silent)
    assert 0.8 <= found.rate / 5 <= 1.2
