"""Forecasts of tables: keys, horizons, limits, and everything that can be wrong with a table."""

import datetime as dt
import importlib

import numpy as np
import polars as pl
import pytest

from anomaly_detection import forecast
from anomaly_detection.errors import InputError, ParameterError, SchemaError, UnknownNameError
from anomaly_detection.series import SeriesPipeline

START = dt.datetime(2026, 1, 1)


def hours(n=500, level=40.0, slope=0.0, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.arange(n)
    values = level + 10 * np.sin(rows * np.pi / 12) + slope * rows + rng.normal(size=n)
    return pl.DataFrame({"time": [START + dt.timedelta(hours=int(i)) for i in rows], "value": values})


def keyed():
    return pl.concat([hours(level=40.0 * k, seed=k).with_columns(host=pl.lit(name)) for k, name in enumerate("abc", 1)])


@pytest.mark.parametrize("algorithm", ["auto", "fourier"])
def test_every_key_has_a_forecast(algorithm):
    shuffled = keyed().sample(fraction=1.0, shuffle=True, seed=1)
    found = forecast(shuffled, "1d", "time", key="host", algorithm=algorithm).to_polars()
    assert found.columns == ["key", "column", "time", "expected", "lower", "upper"]
    assert found["key"].unique(maintain_order=True).to_list() == ["a", "b", "c"]
    assert found.height == 72
    middle = found.group_by("key", maintain_order=True).agg(pl.col("expected").mean())["expected"]
    np.testing.assert_allclose(middle.to_numpy(), [40.0, 80.0, 120.0], atol=2.0)
    assert found["time"][0] == START + dt.timedelta(hours=500)


def test_keys_fitted_together_are_as_alone():
    together = forecast(keyed(), 24, "time", key="host", algorithm="fourier").to_polars()
    alone = forecast(
        keyed().filter(pl.col("host") == "b"), 24, "time", columns=["value"], algorithm="fourier"
    ).to_polars()
    np.testing.assert_allclose(together.filter(pl.col("key") == "b")["expected"], alone["expected"], rtol=1e-6)


def test_a_limit_that_will_be_crossed():
    crossing = forecast(hours(slope=0.05), "14d", "time", limit=80.0).crossings()[0]
    assert crossing.direction == "rise"
    assert START + dt.timedelta(days=21) < crossing.earliest <= crossing.expected < START + dt.timedelta(days=34)
    assert crossing.probability > 0.5
    assert "value will be above 80 at 2026-0" in crossing.sentence()


def test_a_limit_that_is_far_and_one_that_was_crossed():
    far = forecast(hours(), 24, "time", limit=-100.0).crossings()[0]
    assert (far.direction, far.earliest, far.expected) == ("drop", None, None)
    assert "will not be below -100" in far.sentence()
    there = forecast(hours(), 24, "time", limit=5.0, direction="rise").crossings()[0]
    assert there.beyond_now
    assert there.sentence() == "value is above 5 already."


def test_probabilities_are_those_of_the_band():
    found = forecast(hours(), 24, "time").to_polars()
    edge = float(found["upper"][3])
    chance = forecast(hours(), 24, "time", limit=edge, direction="rise").to_polars()["probability"][3]
    assert chance == pytest.approx(0.025, abs=1e-3)


def test_counts_are_not_negative_unless_wanted():
    few = hours().with_columns(value=pl.Series(np.random.default_rng(0).poisson(0.4, 500)))
    found = forecast(few, 24, "time").to_polars()
    assert found["lower"].min() == 0.0
    assert forecast(few, 24, "time", nonnegative=False).to_polars()["lower"].min() < 0.0
    below = few.with_columns(value=pl.col("value") - 5)
    assert forecast(below, 24, "time").to_polars()["lower"].min() < -5.0


def test_rows_are_enough_where_there_is_no_clock():
    table = {"row": list(range(200)), "value": [float(i % 5) for i in range(200)]}
    found = forecast(table, 5, "row").to_polars()
    assert found["time"].to_list() == [200, 201, 202, 203, 204]
    np.testing.assert_allclose(found["expected"], [0.0, 1.0, 2.0, 3.0, 4.0], atol=0.05)
    with pytest.raises(ParameterError, match="Give rows"):
        forecast(table, "7d", "row")


@pytest.mark.parametrize(("step", "horizon"), [(dt.timedelta(milliseconds=1), "5ms"), (dt.timedelta(days=1), "5d")])
def test_steps_from_a_millisecond_to_a_day(step, horizon):
    table = pl.DataFrame({"time": [START + k * step for k in range(60)], "value": [float(k % 7) for k in range(60)]})
    found = forecast(table, horizon, "time").to_polars()
    assert found["time"].to_list() == [START + k * step for k in range(60, 65)]


def test_months():
    months = [dt.date(2020 + k // 12, k % 12 + 1, 1) for k in range(60)]
    table = pl.DataFrame({"month": months, "sold": [100.0 + 20.0 * (k % 12 == 11) for k in range(60)]})
    found = forecast(table, 12, "month").to_polars()
    assert found["time"].dt.date().to_list() == [dt.date(2025, k + 1, 1) for k in range(12)]
    assert found["expected"].arg_max() == 11


def test_days_of_a_zone_have_its_clock():
    found = forecast(hours(), 48, "time", zone="Europe/Berlin").to_polars()
    assert found["time"].dtype == pl.Datetime("us", "Europe/Berlin")


def test_gaps_duplicates_and_missing_values():
    table = hours()[[*range(100), *range(180, 500), 7, 7]].with_columns(
        value=pl.when(pl.int_range(pl.len()) % 9 == 0).then(None).otherwise(pl.col("value"))
    )
    found = forecast(table, 24, "time")
    assert found.to_polars()["expected"].is_finite().all()
    assert any("not in order" in note for note in found.notes)


def test_two_values_have_bounds_and_one_has_none():
    two = forecast(hours(2), 3, "time")
    assert two.to_polars()["upper"].is_finite().all()
    assert any("too short to tell a season of a day: it has 2 rows, and that takes 48" in note for note in two.notes)
    with pytest.raises(InputError, match=r"at least 2 values.*1 value\. Give 1 more"):
        forecast(hours(1), 3, "time")


def test_short_keys_are_named():
    table = pl.concat([keyed(), hours(1).with_columns(host=pl.lit("new"))])
    found = forecast(table, 3, "time", key="host")
    assert any("1 key with fewer than 2 values: new" in note for note in found.notes)


def test_constant_and_empty_columns():
    table = hours().with_columns(flat=pl.lit(7.0), empty=pl.lit(None, dtype=pl.Float64))
    found = forecast(table, 3, "time").to_polars()
    assert found["column"].unique(maintain_order=True).to_list() == ["value", "flat"]
    np.testing.assert_allclose(found.filter(pl.col("column") == "flat")["expected"], 7.0, atol=1e-6)


@pytest.mark.parametrize(
    ("wish", "error", "words"),
    [
        ({"horizon": 0}, ParameterError, "1 to 100,000"),
        ({"horizon": "soon"}, ParameterError, "90min, 12h, 7d or 2w"),
        ({"horizon": 3, "level": 1.5}, ParameterError, "level"),
        ({"horizon": 3, "limit": float("inf")}, ParameterError, "limit"),
        ({"horizon": 3, "direction": "up", "limit": 1.0}, ParameterError, "rise or drop"),
        ({"horizon": 3, "direction": "rise"}, ParameterError, "Give a limit"),
        ({"horizon": 3, "algorithm": "furier"}, UnknownNameError, "fourier"),
        ({"horizon": 3, "algorithm": "ets", "sesson": 3}, ParameterError, "season"),
        ({"horizon": 3, "columns": ["valu"]}, SchemaError, "valu"),
        ({"horizon": 3, "zone": "Mars"}, ParameterError, "Mars"),
        ({"horizon": 3, "algorithm": "fourier", "holidays": ("2026-13-01",)}, ParameterError, "no date"),
    ],
)
def test_wishes_that_cannot_be(wish, error, words):
    with pytest.raises(error, match=words):
        forecast(hours(60), timestamp="time", **wish)


def test_holidays_by_date():
    rows = np.arange(120 * 24)
    days = [START + dt.timedelta(hours=int(i)) for i in rows]
    off = {START.date() + dt.timedelta(days=k) for k in (20, 45, 61, 80, 97, 121)}
    values = np.where([day.date() in off for day in days], 5.0, 40.0 + 10 * np.sin(rows * np.pi / 12))
    values += np.random.default_rng(0).normal(size=len(rows))
    table = pl.DataFrame({"time": days, "value": values})
    found = forecast(table, "3d", "time", algorithm="fourier", holidays=tuple(map(str, sorted(off)))).to_polars()
    by_day = found.group_by(pl.col("time").dt.date(), maintain_order=True).agg(pl.col("expected").mean())["expected"]
    assert by_day[1] < 15.0
    assert min(by_day[0], by_day[2]) > 35.0


def hourly(n, hosts=("a",)):
    at = pl.datetime_range(
        dt.datetime(2025, 1, 1), dt.datetime(2025, 1, 1) + dt.timedelta(hours=n - 1), "1h", eager=True
    )
    rng = np.random.default_rng(0)
    day = 50.0 + 20.0 * np.sin(np.arange(n) * 2 * np.pi / 24)
    return pl.concat([pl.DataFrame({"at": at, "host": host, "v": day + rng.normal(size=n)}) for host in hosts])


def test_a_pipeline_forecasts_what_follows_the_rows_it_knows():
    frame = hourly(1_000, ("a", "b"))
    early = frame.filter(pl.col("at") < dt.datetime(2025, 2, 5))
    pipeline = SeriesPipeline().fit(early, timestamp="at", columns=["v"], key="host")
    found = pipeline.forecast("1d", limit=65.0, level=0.9)
    assert [one.key for one in found] == ["a", "b"]
    assert found.level == 0.9
    ahead = found.to_polars().filter(pl.col("key") == "a")
    assert ahead["time"].to_list()[:1] == [dt.datetime(2025, 2, 5)]
    truth = frame.filter((pl.col("host") == "a") & (pl.col("at") >= dt.datetime(2025, 2, 5)))[:24]
    assert np.abs(ahead["expected"].to_numpy() - truth["v"].to_numpy()).mean() < 2.0
    assert all(one.crossing is not None for one in found)


def test_a_pipeline_that_went_on_forecasts_from_there_also_once_saved():
    frame = hourly(2_600)
    pipeline = SeriesPipeline().fit(frame[:1_900], timestamp="at", columns=["v"])
    pipeline.update(frame[1_900:2_300])
    again = SeriesPipeline.from_state(*pipeline.state())
    again.update(frame[2_300:])
    found = next(iter(again.forecast(5, "fourier")))
    assert found.time[0] == frame["at"][-1] + dt.timedelta(hours=1)
    np.testing.assert_array_equal(found.history, frame["v"][-2_000:])


def test_a_pipeline_without_models_of_keys_says_so():
    frame = pl.DataFrame({"row": np.arange(12), "v": np.arange(12.0)})
    with pytest.raises(InputError, match="no key has enough"):
        SeriesPipeline().fit(frame, timestamp="row").forecast(3)


@pytest.mark.needs_extra("holidays")
def test_holidays_of_a_country_are_forecast():
    days = pl.date_range(dt.date(2022, 1, 1), dt.date(2024, 12, 20), "1d", eager=True)
    holidays = importlib.import_module("holidays").country_holidays("DE", years=range(2022, 2026))
    off = np.array([day in holidays for day in days.to_list()])
    values = 100.0 + np.random.default_rng(0).normal(size=len(days)) - 60.0 * off
    table = pl.DataFrame({"day": days, "v": values})
    with_them, without = (
        forecast(table, 7, "day", algorithm="fourier", **more).to_polars() for more in ({"holidays": "DE"}, {})
    )
    christmas = with_them["time"].cast(pl.Date).is_in([dt.date(2024, 12, 25), dt.date(2024, 12, 26)]).to_numpy()
    assert christmas.sum() == 2
    assert np.abs(with_them["expected"].to_numpy()[christmas] - 40.0).max() < 15.0
    assert np.abs(with_them["expected"].to_numpy()[~christmas] - 100.0).max() < 15.0
    assert without["expected"].to_numpy()[christmas].min() > 80.0
