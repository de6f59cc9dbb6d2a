"""The native matrix: what each kind of column becomes."""

import json
import math
from datetime import datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import NotFittedError, ParameterError, SchemaError
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.features.tabular import TabularFeatures
from anomaly_detection.records import Column, Schema


def fitted(frame, **roles):
    return TabularFeatures().fit(frame, infer_schema(frame, **roles))


def column(features, frame, name):
    return features.transform(frame)[:, features.features_.names.index(name)].tolist()


def schema_of(**kinds):
    return Schema(tuple(Column(name, kind) for name, kind in kinds.items()))


def test_large_offsets_keep_their_resolution():
    seconds = [1.6e9 + 0.25 * i for i in range(100)]
    features = fitted(pl.DataFrame({"at": seconds}))
    found = features.transform(pl.DataFrame({"at": seconds}))[:, 0]
    np.testing.assert_array_equal(np.diff(found), np.full(99, 0.25, dtype=np.float32))
    np.testing.assert_array_equal(found.astype(np.float64) + features.offsets, seconds)


def test_missing_numbers_are_nan_and_infinite_ones_stay():
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, None, math.nan, math.inf]})
    assert str(column(fitted(frame), frame, "x")) == "[-1.0, 0.0, 1.0, nan, nan, inf]"


def test_numbers_beyond_float32_become_infinite_without_a_warning():
    frame = pl.DataFrame({"x": [0.0, 1.0, 1e300]})
    features = fitted(frame)
    assert column(features, frame, "x")[2] == math.inf
    assert features.transform_row({"x": -1e300})[0] == -math.inf


@pytest.mark.parametrize(
    "values", [pl.Series([1, 2, 4]), pl.Series(["1", " 2 ", "4.0"]), pl.Series([1, 2, 4]).cast(pl.Decimal(10, 2))]
)
def test_numbers_of_any_type_are_read(values):
    features = fitted(pl.DataFrame({"x": [1.0, 2.0, 4.0]}))
    assert column(features, pl.DataFrame({"x": values}), "x") == [-1.0, 0.0, 2.0]


def test_words_become_codes_in_order_of_frequency_with_unseen_and_missing_apart():
    frame = pl.DataFrame({"city": ["Oslo", "Rome", "Rome", None, "Lima", "Rome", "Lima"]})
    features = fitted(frame)
    assert (features.features_.features[0].kind, features.features_.features[0].n_categories) == ("category", 3)
    scored = pl.DataFrame({"city": ["Rome", "Lima", "Oslo", "Paris", None]})
    assert str(column(features, scored, "city")) == "[0.0, 1.0, 2.0, 3.0, nan]"


def test_whole_numbers_are_the_same_category_in_any_type():
    features = fitted(pl.DataFrame({"shop": [7, 7, 8]}), categorical=["shop"])
    for values in ([7, 8], [7.0, 8.0], ["7", "8"]):
        assert column(features, pl.DataFrame({"shop": values}), "shop") == [0.0, 1.0]


MANY = pl.DataFrame({"item": [f"i{k}" for k in range(100) for _ in range(k + 1)] + ["rare"]})


def test_many_words_become_their_log_frequency():
    features = fitted(MANY)
    rows = len(MANY)
    found = column(features, pl.DataFrame({"item": ["i99", "rare", None]}), "item.frequency")
    assert found[:2] == pytest.approx([math.log(100 / rows), math.log(1 / rows)])
    assert math.isnan(found[2])


def test_an_unseen_word_is_rarer_than_any_seen_one_where_new_words_are_rare():
    unseen, rare = column(fitted(MANY), pl.DataFrame({"item": ["new", "rare"]}), "item.frequency")
    assert unseen < rare - 2


def test_an_unseen_word_is_ordinary_where_every_word_is_new():
    words = [f"w{i}" for i in range(5000)] + ["w1"]
    frame = pl.DataFrame({"w": words, "x": np.arange(5001) % 7})
    features = TabularFeatures(most_values=100).fit(frame, schema_of(w="category", x="number"))
    unseen, seen = column(features, pl.DataFrame({"w": ["new", "w2"], "x": [1, 1]}), "w.frequency")
    assert unseen == pytest.approx(seen, abs=1e-2)


def test_only_the_most_frequent_words_are_remembered():
    features = TabularFeatures(most_values=10).fit(MANY, schema_of(item="category"))
    found = column(features, pl.DataFrame({"item": ["i99", "i90", "i89", "new"]}), "item.frequency")
    assert found[0] > found[1] > found[2] == found[3]


@pytest.mark.parametrize("distinct", [63, 64])
def test_codes_end_at_sixty_three_words(distinct):
    frame = pl.DataFrame({"c": [f"w{i % distinct}" for i in range(distinct * 2 + 1)]})
    kinds = {feature.kind for feature in fitted(frame).features_.features}
    assert kinds == ({"category"} if distinct == 63 else {"number"})


def test_booleans_are_zero_and_one():
    frame = pl.DataFrame({"paid": [True, False, None]})
    assert str(column(fitted(frame), frame, "paid")) == "[1.0, 0.0, nan]"


def test_dates_become_calendar_parts_that_go_round():
    hours = [datetime(2022, 1, 1) + timedelta(hours=7 * i) for i in range(4000)]
    features = fitted(pl.DataFrame({"t": hours}))
    assert features.features_.names == tuple(
        f"t.{part}" for part in ("hour_sin", "hour_cos", "weekday_sin", "weekday_cos", "day", "month_sin", "month_cos")
    )
    noon = dict(zip(features.features_.names, features.transform_row({"t": "2024-04-07T06:00"}).tolist(), strict=True))
    assert noon["t.hour_sin"] == 1.0
    assert noon["t.day"] == 7.0
    assert noon["t.month_sin"] == 1.0
    assert noon["t.weekday_cos"] == pytest.approx(math.cos(2 * math.pi * 6 / 7))
    before, after = features.transform(pl.DataFrame({"t": [datetime(2024, 12, 31, 23, 59), datetime(2025, 1, 1)]}))
    assert abs(before - after)[:2].max() < 0.01


@pytest.mark.parametrize(
    ("days", "parts"), [(2, set()), (5, {"hour"}), (30, {"hour", "weekday"}), (120, {"hour", "weekday", "day"})]
)
def test_calendar_parts_that_have_not_gone_round_three_times_are_left_out(days, parts):
    moments = [datetime(2026, 1, 5) + timedelta(days=days * i / 400) for i in range(400)]
    frame = pl.DataFrame({"t": moments, "x": [float(i % 7) for i in range(400)]})
    found = {name.partition(".")[2].partition("_")[0] for name in fitted(frame).features_.names} - {""}
    assert found == parts


def test_aware_times_are_read_in_utc():
    frame = pl.DataFrame({"t": [datetime(2024, 1, 1) + timedelta(hours=7 * i) for i in range(2000)]})
    features = fitted(frame)
    same = ["2024-05-01T23:30:00+00:00", "2024-05-02T01:30:00+02:00", "2024-05-01T23:30:00Z", "2024-05-01 23:30"]
    assert len({features.transform_row({"t": text}).tobytes() for text in same}) == 1
    paris = pl.DataFrame({"t": [datetime(2024, 5, 1, 23, 30)]}).select(
        pl.col("t").dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Paris")
    )
    assert features.transform(paris).tobytes() == features.transform_row({"t": same[0]}).tobytes()


def test_times_of_day_have_hours_only():
    frame = pl.DataFrame({"t": [time(i % 24, 5) for i in range(48)]})
    assert fitted(frame).features_.names == ("t.hour_sin", "t.hour_cos")


@pytest.mark.parametrize(("in_order", "expected"), [(False, True), (True, False)])
def test_dates_that_are_a_quantity_count_their_days_and_clocks_do_not(in_order, expected):
    days = [datetime(1950, 1, 1) + timedelta(days=i * 7919 % 20_000) for i in range(500)]
    features = fitted(pl.DataFrame({"born": sorted(days) if in_order else days}))
    assert ("born.elapsed" in features.features_.names) is expected


def test_text_is_measured():
    notes = [f"Order {'A' * (i % 7)} {i}{'!' * (i % 2)} ok" for i in range(50)]
    features = fitted(pl.DataFrame({"note": notes}))
    found = dict(zip(features.features_.names, features.transform_row({"note": "AB 12!"}).tolist(), strict=True))
    assert found["note.length"] == 6.0
    assert found["note.words"] == 2.0
    assert found["note.digits"] == pytest.approx(2 / 6)
    assert found["note.upper"] == pytest.approx(2 / 6)
    assert found["note.punctuation"] == pytest.approx(1 / 6)
    usual = dict(zip(features.features_.names, features.transform_row({"note": notes[8]}).tolist(), strict=True))
    assert found["note.shape"] < usual["note.shape"]


def test_shapes_are_told_apart_in_their_first_sixty_four_signs():
    long = "a1" * 40
    texts = [long[:62] + end for end in ("-b", "-C", "-b-d")] * 20 + ["x"]
    features = TabularFeatures().fit(pl.DataFrame({"t": texts}), schema_of(t="text"))
    rows = features.transform(pl.DataFrame({"t": texts[:3]}))
    shape = rows[:, features.features_.names.index("t.shape")]
    assert shape[0] == shape[2] > shape[1]
    np.testing.assert_array_equal(np.stack([features.transform_row({"t": text}) for text in texts[:3]]), rows)


def test_words_that_are_equally_frequent_are_numbered_in_alphabetical_order():
    frame = pl.DataFrame({"w": ["b", "c", "a", "c", "b", "a", "d"]})
    assert column(fitted(frame), pl.DataFrame({"w": ["a", "b", "c", "d"]}), "w") == [0.0, 1.0, 2.0, 3.0]


def test_features_without_variation_are_left_out_and_their_columns_set_aside():
    frame = pl.DataFrame({"x": [1.0, 2.0], "same": [5, 5]})
    features = TabularFeatures().fit(frame, schema_of(x="number", same="number"))
    assert features.features_.names == ("x",)
    assert [column.name for column in features.schema_.set_aside] == ["same"]
    assert features.transform(frame.select("x")).shape == (2, 1)


def test_a_gap_is_variation():
    frame = pl.DataFrame({"x": [1.0, None, 1.0]})
    assert TabularFeatures().fit(frame, schema_of(x="number")).features_.names == ("x",)


def test_nothing_that_varies_is_refused():
    with pytest.raises(SchemaError, match="Nothing varies in the 3 rows given"):
        TabularFeatures().fit(pl.DataFrame({"x": [1, 1, 1]}), schema_of(x="number"))


def test_a_value_that_is_no_number_is_refused_with_its_row():
    features = fitted(pl.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises(SchemaError, match=r"'x' must hold a number in every row; row 1 holds 'two' \(2 of 4 rows"):
        features.transform(pl.DataFrame({"x": ["1", "two", "", "three"]}))


@pytest.mark.parametrize("values", [[datetime(2024, 1, 1)], [[1.0]], [b"1"]])
def test_a_column_of_the_wrong_type_is_refused(values):
    features = fitted(pl.DataFrame({"x": [1.0, 2.0]}))
    with pytest.raises(SchemaError, match="'x' must hold numbers; it holds"):
        features.transform(pl.DataFrame({"x": values}))


def test_missing_columns_are_refused_and_further_ones_do_not_matter():
    features = fitted(pl.DataFrame({"x": [1.0, 2.0], "y": [3.0, 5.0]}))
    with pytest.raises(SchemaError, match=r"needs 1 column that the data does not have: 'y'"):
        features.transform(pl.DataFrame({"x": [1.0]}))
    assert features.transform(pl.DataFrame({"z": ["?"], "y": [3.0], "x": [1.0]})).tolist() == [[-0.5, -1.0]]


def test_no_rows_make_an_empty_matrix():
    frame = pl.DataFrame({"x": [1.0, 2.0], "w": ["a", "b"], "t": [datetime(2024, 1, 1), datetime(2024, 2, 2)]})
    assert fitted(frame).transform(frame.clear()).shape == (0, len(fitted(frame).features_))


def test_the_matrix_is_float32_and_contiguous():
    frame = pl.DataFrame({"x": [1.0, 2.0], "y": [3, 5]})
    matrix = fitted(frame).transform(frame)
    assert matrix.dtype == np.float32
    assert matrix.flags.c_contiguous


def test_state_survives_json_to_the_bit():
    frame = pl.DataFrame(
        {
            "x": [0.1 * i for i in range(200)],
            "city": [None if i % 7 == 0 else f"c{i % 5}" for i in range(200)],
            "item": [f"i{i * i % 150} é" for i in range(200)],
            "paid": [i % 2 == 0 for i in range(200)],
            "t": [datetime(1990, 1, 1) + timedelta(days=i * 77 % 9000, hours=i) for i in range(200)],
            "note": [f"Order {i} {'x' * (i % 9)}" for i in range(200)],
        }
    )
    features = fitted(frame)
    again = TabularFeatures().restore(json.loads(json.dumps(features.state()).encode()))
    assert again.transform(frame).tobytes() == features.transform(frame).tobytes()
    assert again.features_ == features.features_
    assert again.schema_ == features.schema_
    assert again.state() == features.state()


def test_unfitted_features_say_so():
    with pytest.raises(NotFittedError, match="Call fit first"):
        TabularFeatures().transform(pl.DataFrame({"x": [1]}))
    with pytest.raises(NotFittedError, match="Call fit first"):
        TabularFeatures().transform_row({"x": 1})


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ParameterError, match="most_categories=64"):
        TabularFeatures(most_categories=64).fit(pl.DataFrame({"x": [1, 2]}), schema_of(x="number"))


def test_very_many_different_categories_are_described_and_the_state_stays_small():
    frame = pl.DataFrame({"x": np.arange(200_000) % 11, "w": [f"w{i}" for i in range(200_000)]})
    features = fitted(frame, categorical=["w"])
    assert {feature.column for feature in features.features_.features} == {"x", "w"}
    assert len(json.dumps(features.state())) < 500_000
