"""Records within records."""

import polars as pl
import pytest

from anomaly_detection.errors import SchemaError
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.features.nesting import flatten
from anomaly_detection.features.tabular import TabularFeatures

RECORDS = [
    {"amount": i * 1.5, "user": None if i == 5 else {"age": i * i % 50 + 0.5, "home": {"city": "ab"[i % 2]}}}
    for i in range(40)
]
FRAME = pl.DataFrame(RECORDS)
FEATURES = TabularFeatures().fit(FRAME, infer_schema(FRAME))


def test_fields_are_features_named_by_their_path():
    assert FEATURES.features_.names == ("amount", "user.age", "user.home.city")


@pytest.mark.parametrize("position", [0, 5, 39])
def test_a_nested_record_gives_the_bits_of_the_batch(position):
    assert FEATURES.transform_row(RECORDS[position]).tobytes() == FEATURES.transform(FRAME)[position].tobytes()


def test_nested_and_flat_records_are_the_same():
    flat = flatten(FRAME)
    assert FEATURES.transform(flat).tobytes() == FEATURES.transform(FRAME).tobytes()
    assert FEATURES.transform_row(flat.row(3, named=True)).tobytes() == FEATURES.transform_row(RECORDS[3]).tobytes()


def test_a_record_with_fields_alone_is_known():
    assert str(FEATURES.transform_row({"user": {"home": {"city": "b"}}}).tolist()) == "[nan, nan, 1.0]"


def test_a_value_where_a_record_should_be_is_refused():
    with pytest.raises(SchemaError, match=r"'user' must hold a record; it holds 7"):
        FEATURES.transform_row({"amount": 1.0, "user": 7})


def test_a_field_with_the_path_of_a_column_is_refused():
    with pytest.raises(SchemaError, match="Rename the column"):
        flatten(pl.DataFrame({"a": [{"b": 1}], "a.b": [2]}))


def test_a_flat_frame_is_left_alone():
    frame = pl.DataFrame({"a": [1]})
    assert flatten(frame) is frame
