"""Steps by the clock on the wall: months, days in a zone, tiny steps, gaps, duplicates."""

import datetime as dt

import numpy as np
import pytest

from anomaly_detection.features.series import Series
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.forecasters.timeline import regular, times_after


def micros(*moments):
    zero = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return np.array([round((one.replace(tzinfo=dt.UTC) - zero).total_seconds() * 1e6) for one in moments])


def made(time, step, zone=None):
    time = np.asarray(time, dtype=np.int64)
    return Series(np.arange(len(time), dtype=float)[:, None], time, step, ("v",), zone)


def test_months_are_as_long_as_they_are():
    months = [dt.datetime(2020 + k // 12, k % 12 + 1, 1) for k in range(60)]
    series = made(micros(*months), 31 * DAY)
    assert regular(series).values.ravel().tolist() == list(range(60))
    expected = micros(dt.datetime(2025, 1, 1), dt.datetime(2025, 2, 1), dt.datetime(2025, 3, 1))
    assert times_after(series, 3).tolist() == expected.tolist()


def test_a_missing_month_is_missing():
    months = [dt.datetime(2023, k, 1) for k in (1, 2, 4, 5)]
    found = regular(made(micros(*months), 31 * DAY))
    assert np.isnan(found.values).ravel().tolist() == [False, False, True, False, False]
    assert found.time[2] == micros(dt.datetime(2023, 3, 1))[0]


def test_month_ends_stay_month_ends():
    last = made(micros(dt.datetime(2023, 1, 31)), 31 * DAY)
    assert times_after(last, 2).tolist() == micros(dt.datetime(2023, 2, 28), dt.datetime(2023, 3, 31)).tolist()


def test_days_in_a_zone_begin_when_its_clocks_say_so():
    midnights = micros(*[dt.datetime(2024, 3, 29, 23), dt.datetime(2024, 3, 30, 23), dt.datetime(2024, 3, 31, 22)])
    series = made(midnights, DAY, "Europe/Berlin")
    assert len(regular(series)) == 3
    assert np.diff(times_after(series[:2], 3)).tolist() == [DAY, DAY]


def test_an_hour_that_does_not_exist_is_one_later():
    half_past_two = micros(dt.datetime(2024, 3, 30, 1, 30))
    found = times_after(made(half_past_two, DAY, "Europe/Berlin"), 2)
    assert found.tolist() == micros(dt.datetime(2024, 3, 31, 1, 30), dt.datetime(2024, 4, 1, 0, 30)).tolist()


def test_gaps_are_filled_and_the_last_of_several_counts():
    found = regular(made([0, 10, 10, 41], 10))
    np.testing.assert_array_equal(found.values.ravel(), [0.0, 2.0, np.nan, np.nan, 3.0])
    assert found.time.tolist() == [0, 10, 20, 30, 41]


def test_rows_with_gaps_without_end_stay_as_they_are():
    found = regular(made([0, 10, 10, 10**9], 10))
    assert found.values.ravel().tolist() == [0.0, 2.0, 3.0]


@pytest.mark.parametrize("step", [1, 1_000, DAY, 7 * DAY])
def test_plain_steps(step):
    assert times_after(made([0, step], step), 2).tolist() == [2 * step, 3 * step]
