"""Seasons, counters and the rest of what a series is like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.features.series import Series
from anomaly_detection.features.series.clock import DAY, Clock
from anomaly_detection.features.series.counters import differences, is_counter
from anomaly_detection.features.series.periods import season_lengths
from anomaly_detection.features.series.profile import profile_of

HOUR = 3_600_000_000
ROWS = np.arange(2000)


def noise(scale, n=2000):
    return np.random.default_rng(0).normal(0.0, scale, size=n)


@pytest.mark.parametrize("length", [7, 24, 37, 288])
@pytest.mark.parametrize("scale", [0.1, 0.5])
def test_a_season_is_found(length, scale):
    values = np.sin(2 * np.pi * ROWS / length) + noise(scale)
    values[100] = 1e6
    values[200:230] = np.nan
    assert season_lengths(values)[0][0] in range(round(0.96 * length), round(1.04 * length) + 1)


@pytest.mark.parametrize(
    "values",
    [
        noise(1.0),
        np.cumsum(noise(1.0)),
        np.ones(300),
        np.full(300, np.nan),
        np.arange(300.0),
        np.sin(ROWS[:30] * np.pi / 12),
        np.array([]),
    ],
    ids=["noise", "walk", "constant", "missing", "line", "one season and a bit", "nothing"],
)
def test_no_season_where_there_is_none(values):
    assert season_lengths(values, HOUR) == []


def test_a_week_of_days_is_told_by_the_calendar():
    weekend = (ROWS // 24) % 7 > 4
    values = np.sin(2 * np.pi * ROWS / 24) * (1.0 - 0.7 * weekend) + noise(0.2)
    assert 168 in [length for length, _ in season_lengths(values, HOUR)]


@pytest.mark.parametrize("minutes", [1, 5, 10, 15, 30])
@pytest.mark.parametrize("scale", [0.02, 0.5])
def test_an_hour_is_no_season_of_a_day_that_goes_slowly(minutes, scale):
    rows = np.arange(9 * 1440 // minutes)
    day = 1440 // minutes
    values = np.sin(2 * np.pi * rows / day) + 0.5 * np.sin(4 * np.pi * rows / day) + noise(scale, len(rows))
    assert season_lengths(values, minutes * HOUR // 60)[0][0] == day


def test_a_season_whose_height_drifts_is_one_season():
    rows = np.arange(5000)
    values = np.sin(2 * np.pi * rows / 288) * (1.0 + rows / 2500) + 0.3 * np.sin(2 * np.pi * rows / 275)
    found = [length for length, _ in season_lengths(values + noise(0.1, len(rows)), HOUR // 12)]
    assert found[0] == 288
    assert all(abs(length - 288) > 36 for length in found[1:])


def test_an_hour_is_a_season_where_rows_an_hour_apart_are_alike():
    rows = np.arange(3 * 1440)
    values = np.sin(2 * np.pi * rows / 60) + 0.3 * np.sin(2 * np.pi * rows / 1440) + noise(0.2, len(rows))
    assert season_lengths(values, HOUR // 60)[0][0] == 60


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60), st.integers(0, 59))
def test_differences_do_not_depend_on_chunks(added, cut):
    values = np.cumsum(added)[:, None]
    values[len(values) // 3 :: 5] = np.nan
    before = np.array([np.nan])
    whole = differences(values, np.array([np.nan]))
    parts = np.concatenate([differences(values[:cut], before), differences(values[cut:], before)])
    np.testing.assert_array_equal(parts, whole)


def test_counters_start_again_and_gauges_do_not():
    grows = np.cumsum(np.abs(noise(1.0, 400)))
    again = np.concatenate([grows, grows])
    assert is_counter(again)
    assert not is_counter(np.concatenate([grows, grows + 100.0, grows + 50.0]))
    assert differences(again[:, None], np.array([np.nan]))[1:].max() < 5
    profile = profile_of(Series.of(np.column_stack([again, noise(1.0, 800), np.ones(800)]), HOUR), Clock("dates"))
    assert [channel.kind for channel in profile.channels] == ["counter", "gauge", "constant"]
    assert "counters, judged by their differences: v0" in profile.notes()


def test_a_profile_in_words_and_numbers():
    values = np.where(noise(1.0) > 1.0, 1.0, 0.0)
    values[5] = np.nan
    time = np.cumsum(np.where(ROWS == 500, 9 * DAY, DAY))
    profile = profile_of(Series(values[:, None], time, DAY, ("sold",)), Clock("dates"))
    assert profile.notes() == ["series: 2,000 rows, daily, regular, 1 gap", "seasons: none found"]
    assert profile.channels[0].is_intermittent
    assert profile.to_dict()["channels"][0]["missing"] == pytest.approx(1 / 2000)


@pytest.mark.parametrize("n", [600, 9001])
def test_changes_are_told_with_the_time_of_the_last(n):
    values = np.random.default_rng(0).normal(size=n)
    values[n // 3 :] += 5.0
    values[2 * n // 3 :] -= 9.0
    profile = profile_of(Series.of(values, HOUR), Clock("dates"))
    assert profile.changes == 2
    last = np.datetime64(profile.last_change.removeprefix("the level at "))
    assert abs(last - np.datetime64(2 * n // 3, "h")) <= np.timedelta64(6, "h")
    assert profile.notes()[-1] == f"changes: 2, the last one of {profile.last_change}: rows before it say little"
    assert profile_of(Series.of(values), Clock("rows")).last_change.startswith("the level in row ")
    assert profile_of(Series.of(values), Clock("rows"), changes=False).changes == 0


@pytest.mark.parametrize("n", [0, 1, 7, 2001, 5000])
def test_noise_and_nothing_have_no_changes(n):
    assert profile_of(Series.of(noise(1.0, n), HOUR), Clock("dates")).changes == 0
    assert profile_of(Series.of(np.full((n, 2), np.nan), HOUR), Clock("dates")).changes == 0


def test_a_steady_trend_is_told_from_noise_and_from_a_step():
    rows = np.arange(3_000)
    noise = np.random.default_rng(0).normal(size=(3_000, 3))
    noise[:, 0] += 0.001 * rows + 3.0 * np.sin(rows / 5.0)
    noise[:, 1] += 2.0 * (rows > 2_000)
    channels = profile_of(Series.of(noise), Clock("rows")).channels
    assert [channel.has_steady_trend for channel in channels] == [True, False, False]
