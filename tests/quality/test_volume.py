"""Row counts against a seasonal band: false alarms, planted errors, short and broken histories."""

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.quality import VolumeRules, check_volume

MONDAY = date(2025, 3, 3)


def weekly(days, seed=0, noise=0.06, weekend=-1.2, month_end=0.0, trend=0.0, start=MONDAY):
    """A history with fewer rows on weekends, and what a day at its end should have."""
    rng = np.random.default_rng(seed)
    made = [start + timedelta(days=n) for n in range(days)]
    mean = [
        9.2 + weekend * (day.weekday() >= 5) + month_end * ((day + timedelta(days=1)).day == 1) + trend * n
        for n, day in enumerate(made)
    ]
    counts = np.round(np.exp(np.array(mean) + rng.normal(0, noise, days))).astype(int).tolist()
    return [{"date": day, "row_count": count} for day, count in zip(made, counts, strict=True)]


@pytest.mark.parametrize("kind", [{}, {"trend": 0.004}, {"month_end": 0.8}, {"weekend": 0.0}])
def test_normal_runs_are_normal_and_planted_errors_are_found(kind):
    runs, alarms, found = 0, 0, 0
    for seed in range(6):
        history = weekly(95, seed, **kind)
        for last in range(90, 95):
            runs += 1
            count = history[last]["row_count"]
            alarms += check_volume(count, history[:last]).is_anomaly
        found += check_volume(count // 2, history[:94]).is_anomaly + check_volume(count * 2, history[:94]).is_anomaly
    assert alarms <= 3  # 30 runs at 1 %: more than 3 has a probability of 0.0003
    assert found >= 11


def test_the_answer_is_the_promised_one():
    answer = check_volume(120, weekly(60), table="orders").to_dict()
    assert list(answer)[:5] == ["is_anomaly", "severity", "confidence", "expected_range", "message"]
    assert answer["is_anomaly"] is True
    assert answer["severity"] == "critical"
    assert answer["message"].startswith("orders has 120 rows, 99% fewer than the ")
    assert "for a Friday" in answer["message"]
    low, high = answer["expected_range"]
    assert 0 < low < answer["expected"] < high


def test_weekends_and_month_ends_have_bands_of_their_own():
    history = weekly(150, month_end=0.8)
    saturday, month_end = date(2025, 8, 2), date(2025, 7, 31)
    assert check_volume(3000, history, saturday).is_anomaly is False
    assert check_volume(10000, history, saturday).is_anomaly is True
    assert check_volume(21000, history, month_end).is_anomaly is False
    assert check_volume(9500, history, month_end).is_anomaly is True


def test_days_are_days_of_a_zone():
    stamps = [datetime(2025, 3, 3, 23, 30) + timedelta(days=n) for n in range(56)]
    history = [
        {"timestamp": stamp, "rows": 100 + n % 3 if (stamp + timedelta(hours=1)).weekday() >= 5 else 1000 + n % 7}
        for n, stamp in enumerate(stamps)
    ]
    friday_night = datetime(2025, 5, 2, 23, 30)
    assert check_volume(101, history, friday_night, VolumeRules(zone="Europe/Berlin")).is_anomaly is False
    assert check_volume(1003, history, friday_night, VolumeRules(zone="Europe/Berlin")).is_anomaly is True


@pytest.mark.parametrize("runs", [1, 2, 3, 5])
def test_a_short_history_gives_usable_bounds_and_says_what_is_missing(runs):
    history = [1000, 1040, 980, 1010, 1025][:runs]
    answer = check_volume(1015, history)
    assert answer.is_anomaly is False
    assert answer.expected_range[1] < 100_000
    assert check_volume(0, history).is_anomaly is True
    assert f"learned from {runs} run" in answer.notes[-1]
    assert f"{28 - runs} more" in answer.notes[-1]


def test_bounds_narrow_as_the_history_grows():
    widths = [np.subtract(*check_volume(9900, weekly(n, weekend=0.0)).expected_range[::-1]) for n in (3, 7, 30, 200)]
    assert widths == sorted(widths, reverse=True)


def test_the_first_weekend_is_not_judged_by_working_days():
    assert check_volume(3000, weekly(5)).is_anomaly is False


def test_zero_rows():
    assert "orders is empty" in check_volume(0, weekly(40), table="orders").message
    closed = [{**one, "row_count": 0} if one["date"].weekday() >= 5 else one for one in weekly(40)]
    saturday, monday = date(2025, 4, 12), date(2025, 4, 14)
    assert check_volume(0, closed, saturday).is_anomaly is False
    assert check_volume(0, closed, monday).is_anomaly is True
    often = [0 if n % 6 == 0 else 1000 + n for n in range(60)]
    assert check_volume(0, often).is_anomaly is False
    assert check_volume(1030, often).is_anomaly is False


def test_an_outage_that_goes_on_stays_one():
    counts = [1000 + n % 7 for n in range(40)]
    assert check_volume(0, [*counts, 0, 0, 0, 0]).is_anomaly is True
    assert check_volume(0, [*counts[:20], 0, *counts[20:]]).is_anomaly is True


def test_a_few_wrong_days_in_the_past_do_not_spoil_the_band():
    history = weekly(90)
    for place in (20, 40, 60, 88):
        history[place]["row_count"] = 0 if place == 40 else 10 * history[place]["row_count"]
    answer = check_volume(weekly(91)[-1]["row_count"], history)
    assert answer.is_anomaly is False
    assert answer.expected == pytest.approx(weekly(91)[-1]["row_count"], rel=0.25)


def test_a_lasting_change_becomes_normal():
    history = weekly(60, weekend=0.0)
    moved = [{**one, "row_count": 3 * one["row_count"]} if n >= 40 else one for n, one in enumerate(history)]
    assert check_volume(30_000, moved).is_anomaly is False
    assert check_volume(10_000, moved).is_anomaly is True


def test_unsorted_repeated_and_later_runs():
    history = weekly(60)
    moment = history[50]["date"]
    mixed = [*history[::-1], {"date": history[10]["date"], "row_count": history[10]["row_count"]}]
    answer = check_volume(history[50]["row_count"], mixed, moment)
    plain = check_volume(history[50]["row_count"], history[:50])
    assert answer.expected_range == plain.expected_range
    assert any("9 runs later" in note for note in answer.notes)
    assert any("same time" in note for note in answer.notes)
    assert any("the last is taken" in note for note in answer.notes)


def test_missing_runs_are_said():
    history = [one for one in weekly(60) if one["date"].day not in (10, 11)]
    assert any("4 runs missing" in note for note in check_volume(9900, history).notes)


@pytest.mark.parametrize(
    "history",
    [
        [990, 1010, 1005, 1001],
        [("2026-03-01", 990), ("2026-03-02", 1010), ("2026-03-03", 1005), ("2026-03-04", 1001)],
        [{"day": f"2026-03-0{n}", "count": 1000 + n} for n in range(1, 5)],
        [{"ts": f"2026-03-0{n}", "row_count": 1000 + n} for n in range(1, 5)],
        pl.DataFrame({"timestamp": [1_772_000_000 + 86_400 * n for n in range(4)], "row_count": [1000] * 4}),
        np.array([990, 1010, 1005, 1001]),
        [{"date": "2026-03-01", "row_count": None}, *[{"date": f"2026-03-0{n}", "row_count": 1000} for n in (2, 3)]],
    ],
)
def test_forms_of_a_history(history):
    assert check_volume(1002, history).is_anomaly is False
    assert check_volume(10, history).is_anomaly is True


@pytest.mark.parametrize("count", [-1, 1.5, float("nan"), "many", None])
def test_what_is_no_row_count_is_refused(count):
    with pytest.raises(InputError, match="is no row count"):
        check_volume(count, [1, 2, 3])


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([], "no earlier run"),
        ([5, -2, 3], "-2 is no row count"),
        ([{"a": 1, "b": 2, "c": 3}], "No column holds the row counts"),
        ([{"date": "soon", "row_count": 3}], "'soon'"),
        ([1000, "x"], "x"),
    ],
)
def test_what_is_no_history_is_refused(history, words):
    with pytest.raises(InputError, match=words):
        check_volume(10, history)


@pytest.mark.parametrize(
    "rules", [{"alpha": 0}, {"alpha": 0.7}, {"direction": "up"}, {"minimum_relative": -1}, {"zone": "Moon/Base"}]
)
def test_rules_out_of_range_are_refused(rules):
    with pytest.raises(ParameterError):
        VolumeRules(**rules)


def test_one_side_and_a_minimum():
    history = weekly(60, weekend=0.0)
    assert check_volume(100_000, history, rules=VolumeRules(direction="drop")).is_anomaly is False
    assert check_volume(1_000, history, rules=VolumeRules(direction="rise")).is_anomaly is False
    assert check_volume(5_000, history, rules=VolumeRules(minimum_relative=0.6)).is_anomaly is False
    assert check_volume(2_000, history, rules=VolumeRules(minimum_relative=0.6)).is_anomaly is True


def test_holidays_have_an_effect_of_their_own():
    closed = [date(2025, 4, 18), date(2025, 5, 1), date(2025, 5, 29), date(2025, 6, 9)]
    history = weekly(98, weekend=0.0)
    for one in history:
        if one["date"] in closed:
            one["row_count"] //= 10
    rules = VolumeRules(holidays=closed)
    assert check_volume(1000, history[:98], date(2025, 6, 9), rules).is_anomaly is False
    assert check_volume(10000, history[:98], date(2025, 6, 9), rules).is_anomaly is True


@pytest.mark.needs_extra("holidays")
def test_holidays_of_a_country():
    closed = [date(2025, 4, 18), date(2025, 4, 21), date(2025, 5, 1), date(2025, 5, 29), date(2025, 6, 9)]
    history = weekly(98, weekend=0.0)
    for one in history:
        if one["date"] in closed:
            one["row_count"] //= 10
    answers = [check_volume(1000, history, date(2025, 6, 9), VolumeRules(country=one)) for one in ("DE", "DE-BE", "JP")]
    assert [one.is_anomaly for one in answers] == [False, False, True]
    same = VolumeRules(holidays=[*closed, date(2025, 1, 1)])
    assert VolumeRules(country="de").days(np.array([20_000 * DAY])) > {date(2024, 10, 3), date(2024, 12, 25)}
    assert check_volume(1000, history, date(2025, 6, 9), same).is_anomaly is False
    with pytest.raises(ParameterError, match="'XX'"):
        check_volume(1000, history, date(2025, 6, 9), VolumeRules(country="XX"))


def test_hourly_and_monthly_runs():
    hours = [datetime(2025, 3, 3) + timedelta(hours=n) for n in range(24 * 21)]
    rng = np.random.default_rng(3)
    hourly = [
        {"timestamp": t, "row_count": round((5000 if 8 <= t.hour < 18 else 200) * rng.normal(1, 0.05))} for t in hours
    ]
    assert check_volume(210, hourly, hours[-1] + timedelta(hours=4)).is_anomaly is False
    assert check_volume(5000, hourly, hours[-1] + timedelta(hours=4)).is_anomaly is True
    months = [{"date": date(2023 + n // 12, n % 12 + 1, 1), "row_count": 100_000 + 900 * (n % 5)} for n in range(24)]
    assert check_volume(102_000, months).is_anomaly is False
    assert check_volume(40_000, months).is_anomaly is True


@settings(max_examples=25)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40), st.integers(0, 10**9))
def test_any_history_gives_an_answer_that_agrees_with_itself(history, count):
    answer = check_volume(count, history)
    low, high = answer.expected_range
    assert 0 <= low <= high
    assert answer.is_anomaly == (not low <= count <= high)
    assert answer.is_anomaly == (answer.severity != "normal") == (answer.anomaly_score >= 0.6)
    assert 0 <= answer.confidence <= 1
