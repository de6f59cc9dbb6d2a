"""A frame becomes a series per key, whatever its column of time looks like."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError, SchemaError
from anomaly_detection.features.series import Series
from anomaly_detection.features.series.axis import after_state, check_history, gaps_of, on_grid, step_of, tracks_of
from anomaly_detection.features.series.calendar import check_zone, phases
from anomaly_detection.features.series.clock import DAY, Clock, clock_notes, clock_of, read_microseconds
from anomaly_detection.records import Column, Schema

HOUR = 3_600_000_000
SCHEMA = Schema((Column("v", "number"),), "t", "host")


def frame_of(times, hosts=None):
    n = len(times)
    return pl.DataFrame({"t": times, "v": np.arange(float(n)), "host": hosts or ["a"] * n})


@given(st.permutations(list(range(12))))
def test_rows_are_sorted_by_time_and_found_again(order):
    times = [order[i] // 2 for i in range(12)]
    tracks, notes = tracks_of(frame_of(times, ["b", "a"] * 6), SCHEMA, Clock("rows"))
    assert [track.key for track in tracks] == ["a", "b"]
    assert sorted(np.concatenate([track.rows for track in tracks])) == list(range(12))
    for track in tracks:
        assert track.series.values.ravel().tolist() == track.rows.tolist()
        assert [times[row] for row in track.rows] == track.series.time.tolist() == sorted(track.series.time.tolist())
        same = np.diff(track.series.time) == 0
        assert (np.diff(track.rows)[same] > 0).all()
    assert any("at the time of another" in note for note in notes) == any(
        len(set(track.series.time.tolist())) < 6 for track in tracks
    )


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([1_700_000_000, 1_700_003_600], "seconds"),
        ([1_700_000_000_000, 1_700_003_600_000], "milliseconds"),
        ([1_700_000_000_000_000, 1_700_003_600_000_000], "microseconds"),
        ([1_700_000_000_000_000_000, 1_700_003_600_000_000_000], "nanoseconds"),
        (["2023-11-14T22:13:20Z", "2023-11-15T00:13:20+01:00"], "dates"),
        ([datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), datetime(2023, 11, 14, 23, 13, 20, tzinfo=UTC)], "dates"),
    ],
)
def test_the_same_moments_in_any_writing(values, unit):
    column = pl.Series("t", values)
    clock = clock_of(column)
    assert clock.unit == unit
    assert read_microseconds(column, clock).tolist() == [1_700_000_000_000_000, 1_700_003_600_000_000]


def test_numbers_that_are_no_clock_count_rows():
    column = pl.Series("t", [5, None, 7])
    assert clock_of(column) == Clock("rows")
    assert read_microseconds(column, Clock("rows")).tolist() == [5, 5, 7]
    assert clock_notes(column, Clock("rows"))[1] == "time: 1 row without a time take that of the row before"
    fractions = pl.Series("t", [0.0, 0.5, 1.0])
    assert read_microseconds(fractions, clock_of(fractions)).tolist() == [0, 500_000, 1_000_000]


def test_times_that_cannot_be_read_are_refused():
    for column, words in (
        (pl.Series("t", ["soon", "later"]), "must hold a date"),
        (pl.Series("t", [None, None], dtype=pl.Datetime("us")), "it is empty"),
        (pl.Series("t", ["10:00", "11:00"]), "times of day without a date"),
        (pl.Series("t", [[1], [2]]), "must hold dates"),
    ):
        with pytest.raises(SchemaError, match=words):
            read_microseconds(column, clock_of(column))


def test_daylight_saving_is_utc_inside_and_civil_in_the_calendar():
    hours = [datetime(2023, 10, 28, 22, tzinfo=UTC) + timedelta(hours=i) for i in range(6)]
    column = pl.Series("t", hours).dt.convert_time_zone("Europe/Berlin")
    clock = clock_of(column)
    time = read_microseconds(column, clock)
    assert clock.zone == "Europe/Berlin"
    assert set(np.diff(time)) == {HOUR}
    assert (phases(time, "day", clock.zone) * 24).round(6).tolist() == [0, 1, 2, 2, 3, 4]
    assert phases(np.array([0]), "week").tolist() == [3 / 7]
    assert phases(np.array([15 * DAY]), "month").tolist() == [15 / 31]
    with pytest.raises(ParameterError, match="Europe/Brelin"):
        check_zone("Europe/Brelin")


@pytest.mark.parametrize("step", [1_000, HOUR, 31 * DAY])
def test_steps_gaps_and_grids(step):
    time = np.array([0, 1, 2, 5, 6, 7], np.int64) * step
    series = Series(np.arange(6.0)[:, None], time, step_of(time), ("v",))
    assert series.step == step
    assert gaps_of(series).tolist() == [3]
    grid, places = on_grid(series)
    assert places.tolist() == [0, 1, 2, 5, 6, 7]
    assert np.isnan(grid[[3, 4], 0]).all()
    assert grid[places, 0].tolist() == series.values.ravel().tolist()


def test_a_very_long_gap_is_cut_short():
    series = Series(np.ones((3, 1)), np.array([0, 1, 10**12]), 1, ("v",))
    assert len(on_grid(series)[0]) <= 8 * 3 + 3


def test_rows_before_the_state_are_judged_as_if_they_came_later():
    series = Series.of(np.arange(5.0), HOUR)
    whole = after_state(series, 40 * HOUR, Clock("dates"))
    assert whole.time[0] == 168 * HOUR
    assert after_state(series, 4 * HOUR, Clock("dates")).time.tolist() == [one * HOUR for one in range(168, 173)]
    assert after_state(series, 2 * HOUR, Clock("dates")).time.tolist() == [one * HOUR for one in (2, 2, 2, 3, 4)]
    assert after_state(series, 40 * HOUR, Clock("rows")).time[0] == 41 * HOUR
    assert after_state(series, 0, Clock("rows")) is series


def test_a_series_that_is_none_is_refused():
    with pytest.raises(InputError, match="in order of time"):
        Series(np.zeros((2, 1)), np.array([1, 0]), 1, ("v",))
    with pytest.raises(InputError, match="infinite"):
        Series.of([1.0, np.inf])
    with pytest.raises(InputError, match=r"got \(2, 1\) values, 2 times and 2 names"):
        Series(np.zeros((2, 1)), np.array([0, 1]), 1, ("v", "w"))
    with pytest.raises(InputError, match="Give 5 more"):
        check_history(3, 8)
