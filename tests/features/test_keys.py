"""Keys as text: different keys have different texts, a record has the text that it has in a frame."""

from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import SchemaError
from anomaly_detection.features.keys import coarser, key_of, key_text, key_texts, shown_key

PARTS = st.text(st.sampled_from("a/%2F\\ ,é"), max_size=6)
VALUES = st.one_of(
    st.lists(st.one_of(st.none(), PARTS), min_size=1),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=1),
    st.lists(st.one_of(st.none(), st.floats()), min_size=1),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1),
    st.lists(st.one_of(st.none(), st.dates()), min_size=1),
    st.lists(st.one_of(st.none(), st.datetimes()), min_size=1),
)
COLUMNS = ("a", "b")


@settings(deadline=None)
@given(st.lists(st.tuples(PARTS, PARTS, PARTS), min_size=2, max_size=8, unique=True))
def test_different_keys_never_have_the_same_text(keys):
    frame = pl.DataFrame(keys, schema=["a", "b", "c"], orient="row")
    assert key_text(frame, ("a", "b", "c")).n_unique() == len(keys)


@settings(deadline=None)
@given(VALUES, VALUES)
def test_a_record_has_the_text_that_it_has_in_a_frame(first, second):
    rows = min(len(first), len(second))
    frame = pl.DataFrame({"a": first[:rows], "b": second[:rows]})
    texts = key_text(frame, COLUMNS).to_list()
    assert texts == [key_of(record, COLUMNS) for record in frame.iter_rows(named=True)]


@settings(deadline=None)
@given(PARTS, PARTS, PARTS)
def test_a_coarser_key_is_the_beginning_of_a_finer_one(a, b, c):
    texts = [text[0] for text in key_texts(pl.DataFrame({"a": [a], "b": [b], "c": [c]}), ("a", "b", "c"))]
    assert [coarser(texts[2]), coarser(texts[1]), coarser(texts[0])] == [texts[1], texts[0], None]


def test_numbers_read_as_whole_numbers_wherever_they_come_from():
    with_a_gap = pl.DataFrame({"a": [1.0, None, 2.5, float("nan")]})
    assert key_text(with_a_gap, ("a",)).to_list() == ["1", None, "2.5", None]
    assert [key_of({"a": value}, ("a",)) for value in (1, 1.0, np.int8(1), np.float32(1), "1")] == ["1"] * 5
    assert key_of({"a": Decimal("1.5")}, ("a",)) == key_text(pl.DataFrame({"a": [Decimal("1.5")]}), ("a",))[0]


def test_categories_and_fields_of_records_are_keys():
    frame = pl.DataFrame({"user.id": pl.Series(["u1", "u2"], dtype=pl.Categorical)})
    assert key_text(frame, ("user.id",)).to_list() == ["u1", "u2"]
    assert key_of({"user": {"id": "u1"}}, ("user.id",)) == "u1"


def test_a_missing_part_leaves_the_coarser_key():
    frame = pl.DataFrame({"a": ["x", "x", None], "b": ["y", None, "y"]})
    assert key_text(frame, COLUMNS).to_list() == ["x/y", "x", None]
    assert [key_of(record, COLUMNS) for record in ({"a": "x"}, {"b": "y"}, {})] == ["x", None, None]


@pytest.mark.parametrize("value", [[1, 2], {"x": 1}, b"bytes", object()])
def test_a_value_that_cannot_be_a_key_is_refused_with_its_column(value):
    with pytest.raises(SchemaError, match=r"key column 'a' holds .* cannot be a key"):
        key_of({"a": value}, ("a",))


@pytest.mark.parametrize("values", [[[1], [2]], [b"x", b"y"]])
def test_a_column_that_cannot_be_a_key_is_refused(values):
    with pytest.raises(SchemaError, match=r"key column 'a' holds .* cannot be a key"):
        key_text(pl.DataFrame({"a": values}), ("a",))


def test_a_missing_key_column_is_named():
    with pytest.raises(SchemaError, match=r"lacks 1 key column: 'b'; it has 'a'"):
        key_texts(pl.DataFrame({"a": [1]}), COLUMNS)


def test_results_show_one_column_as_it_is_and_several_as_text():
    frame = pl.DataFrame({"a": [date(2026, 1, 1)], "b": [7]})
    assert shown_key(frame, ("b",)).to_list() == [7]
    assert shown_key(frame, ("a", "b")).to_list() == ["2026-01-01/7"]
    assert shown_key(frame, ("c",)) is None
    assert shown_key(frame, ()) is None
