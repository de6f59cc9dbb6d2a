"""What a column is taken for, what is set aside and why, and which tables are refused."""

import json
import time
import uuid
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import SchemaError
from anomaly_detection.features.inference import check_finite, infer_schema
from anomaly_detection.records import Schema

N = 60
RNG = np.random.default_rng(0)
FLOATS = RNG.normal(size=N).tolist()

KINDS = {
    "floats": (FLOATS, "number"),
    "whole numbers": ([3, 1, 4, 1, 5] * 12, "number"),
    "real amounts, all different": (RNG.permutation(N) * 97 + 13, "number"),
    "amounts in order": (np.cumsum(RNG.integers(50, 900, N)), "number"),
    "numbers as words": ([f"{value:.3f}" for value in FLOATS], "number"),
    "numbers as words with blanks": (["", None, *[f"{value:.3f}" for value in FLOATS[2:]]], "number"),
    "one value and gaps": ([1.0, None] * 30, "number"),
    "yes and no": ([True, False, None] * 20, "boolean"),
    "few words": (["red", "green", None] * 20, "category"),
    "codes with leading zeros": (["007", "012", "113"] * 20, "category"),
    "days": ([date(2024, 1, 1) + timedelta(days=i % 9) for i in range(N)], "time"),
    "days as words": ([f"2024-01-{1 + i % 28:02}" for i in range(N)], "time"),
    "moments as words": ([f"2024-01-{1 + i % 28:02}T10:{i:02}:00Z" for i in range(N)], "time"),
    "times of day as words": ([f"{i % 24:02}:{i % 60:02}" for i in range(N)], "time"),
    "sentences": ([f"payment {i} from customer {i * 7}" for i in range(N)], "text"),
    "addresses": ([f"user{i}@example.org" for i in range(N)], "text"),
}

ASIDE = {
    "constant number": ([7.5] * N, "constant: every value is 7.5"),
    "constant word": (["a"] * N, "constant: every value is 'a'"),
    "all missing": (pl.Series([None] * N, dtype=pl.Float64), "empty: every value is missing"),
    "all NaN": ([float("nan")] * N, "empty: every value is missing"),
    "row numbers": (range(N), "an identifier"),
    "row numbers, shuffled": (RNG.permutation(N) + 1000, "an identifier"),
    "row numbers with a few left out": (np.cumsum(RNG.integers(1, 4, N)), "an identifier"),
    "order_id": (RNG.permutation(N) * 97 + 13, "an identifier"),
    "uuids": ([str(uuid.UUID(int=i * 7**40)) for i in range(N)], "an identifier"),
    "different words": ([f"K{i:05}" for i in range(N)], "an identifier"),
    "lists": ([[1, 2]] * N, "holds lists"),
    "bytes": ([b"1", b"2"] * 30, "binary"),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name):
    values, kind = KINDS[name]
    frame = pl.DataFrame({name: values, "other": FLOATS})
    assert infer_schema(frame).kind_of(name) == kind


@pytest.mark.parametrize("name", ASIDE)
def test_columns_set_aside_with_their_reason(name):
    values, reason = ASIDE[name]
    schema = infer_schema(pl.DataFrame({name: values, "other": FLOATS}))
    assert schema.feature_names == ("other",)
    assert [column.name for column in schema.set_aside] == [name]
    assert reason in schema.set_aside[0].reason


@pytest.mark.parametrize("name", ["row numbers", "order_id", "uuids"])
def test_a_column_that_is_named_is_never_taken_for_an_identifier(name):
    frame = pl.DataFrame({name: ASIDE[name][0], "other": FLOATS})
    assert infer_schema(frame, columns=[name]).feature_names == (name,)
    assert infer_schema(frame, categorical=[name]).kind_of(name) == "category"


def test_roles_and_ignored_columns_are_no_features():
    frame = pl.DataFrame(dict.fromkeys("abcde", FLOATS))
    schema = infer_schema(frame, timestamp="a", key=["b"], label="c", ignore=["d"])
    assert schema == Schema.from_dict(schema.to_dict())
    assert (schema.feature_names, schema.timestamp, schema.key, schema.label) == (("e",), "a", "b", "c")
    assert [(column.name, column.reason) for column in schema.set_aside] == [("d", "ignored, as asked")]


def test_only_the_columns_asked_for_are_features():
    frame = pl.DataFrame({"a": FLOATS, "b": FLOATS, "c": [1, 2] * 30})
    schema = infer_schema(frame, columns=["b"], categorical=["c"])
    assert [(column.name, column.kind) for column in schema.features] == [("b", "number"), ("c", "category")]


@pytest.mark.parametrize("role", ["timestamp", "key", "label"])
def test_an_unknown_role_is_refused_with_the_nearest_name(role):
    with pytest.raises(SchemaError, match=r"no column 'amuont'\. Did you mean 'amount'"):
        infer_schema(pl.DataFrame({"amount": FLOATS}), **{role: "amuont"})


@pytest.mark.parametrize("role", ["columns", "categorical", "ignore"])
def test_an_unknown_column_is_refused_with_the_nearest_name(role):
    with pytest.raises(SchemaError, match=r"no column 'amuont'\. Did you mean 'amount'"):
        infer_schema(pl.DataFrame({"amount": FLOATS}), **{role: ["amuont"]})


def test_a_key_may_be_several_columns_and_none_of_them_is_a_feature():
    schema = infer_schema(pl.DataFrame({"a": FLOATS, "b": FLOATS, "c": FLOATS}), key=["b", "a"])
    assert (schema.key, schema.key_columns, schema.feature_names) == (("b", "a"), ("b", "a"), ("c",))
    assert Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema


def test_a_key_that_names_a_column_twice_is_refused():
    with pytest.raises(SchemaError, match="'a' twice"):
        infer_schema(pl.DataFrame({"a": FLOATS, "c": FLOATS}), key=["a", "a"])


def test_an_unknown_column_of_a_key_is_refused():
    with pytest.raises(SchemaError, match="no column 'host'"):
        infer_schema(pl.DataFrame({"hosts": FLOATS, "c": FLOATS}), key=["hosts", "host"])


MIXED = ["12", "13.5", "n/a", "1e3", "17", "about 9"] * 5


def test_a_column_that_mixes_numbers_and_words_is_refused_with_examples_and_ways_out():
    with pytest.raises(SchemaError) as refused:
        infer_schema(pl.DataFrame({"price": MIXED, "other": FLOATS[:30]}))
    for part in ("'price'", "20 of its 30 values", "'n/a' in row 2", "--categorical", "--ignore"):
        assert part in str(refused.value)


def test_a_mixed_column_can_be_read_as_words_or_left_out():
    frame = pl.DataFrame({"price": MIXED, "other": FLOATS[:30]})
    assert infer_schema(frame, categorical=["price"]).kind_of("price") == "category"
    assert infer_schema(frame, ignore=["price"]).feature_names == ("other",)


def test_a_table_with_nothing_to_look_at_is_refused_with_every_reason():
    with pytest.raises(SchemaError, match=r"'a' \(constant.*'b' \(empty.*'t' \(time, key or label\)"):
        infer_schema(pl.DataFrame({"a": [1] * 3, "b": [None] * 3, "t": [1, 2, 3]}), timestamp="t")


def test_a_table_without_columns_is_refused():
    with pytest.raises(SchemaError, match="no columns"):
        infer_schema(pl.DataFrame())


def test_infinite_values_are_refused_with_their_place():
    frame = pl.DataFrame({"x": [1.0, float("inf"), float("-inf")], "y": ["1", "2", "3"]})
    with pytest.raises(SchemaError, match=r"'x' holds 2 infinite values, the first in row 1.*--ignore"):
        check_finite(frame, infer_schema(frame))


def test_finite_values_pass():
    frame = pl.DataFrame({"x": [1.0, None, float("nan"), 2.0], "n": [1, 1, 2, 3], "w": ["a", "b", "a", "b"]})
    assert check_finite(frame, infer_schema(frame)) is None


def test_ten_thousand_columns_take_no_longer_than_three_cpu_seconds():
    frame = pl.DataFrame(RNG.normal(size=(50, 10_000)), schema=[f"x{i}" for i in range(10_000)])
    start = time.process_time()
    assert len(infer_schema(frame, ignore=["x1"]).features) == 9_999
    assert time.process_time() - start < 3


def test_a_million_different_words_are_an_identifier_in_no_time():
    frame = pl.DataFrame({"x": np.arange(1_000_000) * 0.5, "w": [f"w{i}" for i in range(1_000_000)]})
    start = time.process_time()
    schema = infer_schema(frame)
    assert time.process_time() - start < 3
    assert "1,000,000 words, all different" in schema.set_aside[0].reason


def test_moments_that_are_not_dates_are_words():
    frame = pl.DataFrame(
        {"t": ["2024-02-30", "2024-13-01"] * 20, "d": [datetime(2024, 1, 1), datetime(2024, 1, 2)] * 20}
    )
    schema = infer_schema(frame)
    assert (schema.kind_of("t"), schema.kind_of("d")) == ("category", "time")


def test_a_name_that_polars_takes_for_a_pattern_is_set_aside():
    schema = infer_schema(pl.DataFrame({"^a.*$": [1.0, 2.5, 9.0], "other": [3.0, 1.0, 2.0]}))
    assert schema.feature_names == ("other",)
    assert "rename" in schema.set_aside[0].reason


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["10", "20", "30"])])
def test_what_is_declared_a_category_stays_one_whatever_its_words(dtype):
    codes = pl.Series("code", ["10", "20", "30"] * 20, dtype=dtype)
    assert infer_schema(pl.DataFrame([codes])).kind_of("code") == "category"
