"""Cadence, deadlines, and what is late, missing, early or repeated."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.quality import check_timeliness

MONDAY = datetime(2026, 1, 5)


def daily(days=60, at=6.5, spread=6.0, seed=0, start=MONDAY):
    rng = np.random.default_rng(seed)
    return [start + timedelta(days=n, hours=at, minutes=float(rng.normal(0, spread))) for n in range(days)]


def test_a_daily_table():
    arrivals = daily()
    last = arrivals[-1].replace(hour=6, minute=30)
    assert check_timeliness(arrivals).status == "on time"
    assert check_timeliness(arrivals, now=last + timedelta(hours=20)).status == "on time"
    late = check_timeliness(arrivals, now=last + timedelta(hours=26), table="orders")
    assert (late.status, late.is_anomaly, late.cadence) == ("late", True, "every day")
    assert late.message.startswith("orders is late by ")
    assert "usually there by 2026-03-06 06:3" in late.message
    assert check_timeliness(arrivals, now=last + timedelta(hours=60)).status == "missing"


def test_the_answer_is_the_promised_one():
    answer = check_timeliness(daily(), now="2026-03-06T12:00:00").to_dict()
    assert list(answer)[:5] == ["is_anomaly", "severity", "confidence", "expected_range", "message"]
    earliest, latest = map(datetime.fromisoformat, answer["expected_range"])
    assert earliest < datetime.fromisoformat(answer["usually_by"]) < latest
    assert answer["late_seconds"] == pytest.approx(
        (datetime(2026, 3, 6, 12) - latest.replace(tzinfo=None)).seconds, abs=2
    )


def test_normal_arrivals_are_normal():
    alarms = sum(check_timeliness(daily(20 + n % 20, seed=n)).is_anomaly for n in range(60))
    assert alarms <= 4  # 60 at 1 %: more than 4 has a probability of 0.0004


def test_an_arrival_that_was_late_or_early():
    arrivals = daily()
    assert check_timeliness([*arrivals[:-1], arrivals[-1] + timedelta(hours=2)]).status == "late"
    assert check_timeliness([*arrivals[:-1], arrivals[-1] - timedelta(hours=2)]).status == "early"
    assert check_timeliness([*arrivals, arrivals[-1] + timedelta(minutes=20)]).status == "repeated"


def test_working_days():
    arrivals = [one for one in daily(54) if one.weekday() < 5]
    friday = arrivals[-1]
    assert friday.weekday() == 4
    assert check_timeliness(arrivals).cadence == "every working day"
    assert check_timeliness(arrivals, now=friday + timedelta(days=2)).is_anomaly is False
    assert check_timeliness(arrivals, now=friday + timedelta(days=3, hours=3)).status == "late"
    assert check_timeliness(arrivals).next_range[0].startswith("2026-03-02")


def test_one_day_of_the_week():
    arrivals = [one for one in daily(120) if one.weekday() == 2]
    answer = check_timeliness(arrivals, now=arrivals[-1] + timedelta(days=6))
    assert (answer.status, answer.cadence) == ("on time", "on Wednesdays")
    assert check_timeliness(arrivals, now=arrivals[-1] + timedelta(days=7, hours=4)).status == "late"


def test_hours():
    rng = np.random.default_rng(1)
    arrivals = [MONDAY + timedelta(hours=n, minutes=5 + float(rng.normal(0, 1))) for n in range(24 * 14)]
    assert check_timeliness(arrivals, now=arrivals[-1] + timedelta(minutes=50)).status == "on time"
    answer = check_timeliness(arrivals, now=arrivals[-1] + timedelta(minutes=90))
    assert (answer.status, answer.cadence) == ("late", "every hour")
    office = [one for one in arrivals if 8 <= one.hour < 18]
    assert check_timeliness(office, now=office[-1] + timedelta(hours=9)).is_anomaly is False
    assert check_timeliness(office, now=office[-1] + timedelta(hours=17)).is_anomaly is True


def test_arrivals_around_midnight_are_of_one_day():
    arrivals = daily(40, at=0.0, spread=15.0)
    answer = check_timeliness(arrivals)
    assert (answer.status, answer.cadence) == ("on time", "every day")
    assert check_timeliness(arrivals, now=arrivals[-1] + timedelta(hours=27)).status == "late"


def test_arrivals_without_a_clock():
    rng = np.random.default_rng(2)
    arrivals = [MONDAY + timedelta(hours=float(hours)) for hours in np.cumsum(rng.exponential(5, 80))]
    answer = check_timeliness(arrivals, now=arrivals[-1] + timedelta(hours=6))
    assert answer.status == "not due"
    assert answer.cadence.startswith("irregularly, about every ")
    assert check_timeliness(arrivals, now=arrivals[-1] + timedelta(days=12)).status == "late"


def test_months():
    arrivals = [datetime(2024 + n // 12, n % 12 + 1, 3, 7) for n in range(24)]
    assert check_timeliness(arrivals, now="2026-01-03T06:00").is_anomaly is False
    assert check_timeliness(arrivals, now="2026-01-09T06:00").is_anomaly is True


def test_clocks_are_set_forward():
    berlin = ZoneInfo("Europe/Berlin")
    arrivals = [one.replace(tzinfo=berlin) for one in daily(40, spread=3.0, start=datetime(2026, 3, 1))]
    local, utc = (check_timeliness(arrivals, zone=zone) for zone in ("Europe/Berlin", None))
    width = [np.subtract(*map(datetime.fromisoformat, one.expected_range[::-1])) for one in (local, utc)]
    assert local.expected_range[0].startswith("2026-04-09T06:2")
    assert local.expected_range[0].endswith("+02:00")
    assert width[0] < width[1]
    at_two = [one.replace(tzinfo=berlin) for one in daily(27, at=2.5, spread=3.0, start=datetime(2026, 3, 2))]
    assert "2026-03-29" in check_timeliness(at_two, zone="Europe/Berlin").next_range[0]


def test_gaps_of_the_past_are_named():
    arrivals = [one for one in daily(60) if one.day != 20]
    answer = check_timeliness(arrivals)
    assert [gap[:10] for gap in answer.gaps] == ["2026-02-20", "2026-01-20"]
    assert answer.notes == ("2 earlier gaps",)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_few_arrivals_give_wide_bounds(count):
    arrivals = daily(count)
    answer = check_timeliness(arrivals, now=arrivals[-1] + timedelta(hours=24, minutes=20))
    assert answer.is_anomaly is False
    assert f"{14 - count} more" in answer.notes[0]
    assert check_timeliness(arrivals, now=arrivals[-1] + timedelta(days=9)).is_anomaly is True


def test_unsorted_repeated_and_later_arrivals():
    arrivals = daily(30)
    mixed = [*arrivals[::-1], arrivals[3], None]
    now = arrivals[19] + timedelta(hours=3)
    answer = check_timeliness(mixed, now=now)
    assert answer.notes == ("10 arrivals after the present left out",)
    assert answer.expected_range == check_timeliness(arrivals[:20], now=now).expected_range


@pytest.mark.parametrize(
    "make",
    [
        lambda times: [{"timestamp": str(one)} for one in times],
        lambda times: pl.DataFrame({"loaded_at": times, "rows": range(len(times))}),
        lambda times: [int(one.replace(tzinfo=ZoneInfo("UTC")).timestamp()) for one in times],
        pl.Series,
    ],
)
def test_forms_of_arrivals(make):
    assert check_timeliness(make(daily(20, spread=0.1))).cadence == "every day"


@pytest.mark.parametrize(
    ("arrivals", "words"),
    [([], "0 arrivals"), (["2026-01-01"], "1 arrival cannot"), (["soon", "now"], "'soon'"), ([1, 2, 3], "no times")],
)
def test_what_are_no_arrivals_is_refused(arrivals, words):
    with pytest.raises(InputError, match=words):
        check_timeliness(arrivals)


def test_rules_out_of_range_are_refused():
    with pytest.raises(ParameterError, match="Moon"):
        check_timeliness(daily(), zone="Moon/Base")
    with pytest.raises(ParameterError, match="alpha"):
        check_timeliness(daily(), alpha=0)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 40_000_000), min_size=2, max_size=30, unique=True), st.integers(0, 10_000_000))
def test_any_arrivals_give_an_answer_that_agrees_with_itself(seconds, later):
    base = 1_700_000_000
    answer = check_timeliness([base + one for one in seconds], now=base + max(seconds) + later)
    assert answer.is_anomaly == (answer.status in ("late", "missing", "early", "repeated"))
    assert answer.is_anomaly == (answer.severity != "normal")
    assert answer.expected_range[0] <= answer.expected_range[1]


def test_bursts_count_once():
    arrivals = [day + timedelta(minutes=n) for day in daily(30, spread=2.0) for n in range(40)]
    answer = check_timeliness(arrivals, now=arrivals[-1] + timedelta(hours=30))
    assert (answer.cadence, answer.status, answer.arrivals) == ("every day", "late", 30)
    assert "30 bursts" in answer.notes[0]
