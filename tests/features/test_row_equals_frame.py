"""One record gives the same bits as a frame that holds it alone, whatever it holds."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import SchemaError
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.features.tabular import TabularFeatures
from anomaly_detection.frames import as_frame

DAYS = [datetime(2000, 1, 1) + timedelta(days=37 * i % 9000, minutes=17 * i) for i in range(400)]

FRAME = pl.DataFrame(
    {
        "amount": [1.6e9 + i % 50 / 8 for i in range(400)],
        "count": [None if i % 9 == 0 else i * i % 31 for i in range(400)],
        "city": [None if i % 11 == 0 else ("Rome", "Oslo", "Lima")[i % 3] for i in range(400)],
        "code": [i % 5 for i in range(400)],
        "item": [f"item {i * i % 97}" for i in range(400)],
        "paid": [i % 3 == 0 for i in range(400)],
        "born": [DAYS[i * 7 % 400] for i in range(400)],
        "clock": [time(i % 24, i % 60) for i in range(400)],
        "note": [f"Order {i} {'!' * (i % 3)} é{'A' * (i % 5)} for {i * 7}" for i in range(400)],
    }
)
SCHEMA = infer_schema(FRAME, categorical=["code"])
FITTED = TabularFeatures().fit(FRAME, SCHEMA)

zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
moments = st.datetimes(datetime(1800, 1, 1), datetime(2200, 1, 1)) | st.datetimes(
    datetime(1800, 1, 1), datetime(2200, 1, 1), timezones=zones
)
times = st.one_of(
    moments,
    st.dates(date(1800, 1, 1), date(2200, 1, 1)),
    moments.map(datetime.isoformat),
    moments.map(lambda moment: moment.strftime("%Y/%m/%d %H:%M")),
    st.dates(date(1800, 1, 1), date(2200, 1, 1)).map(date.isoformat),
    st.times(),
    st.sampled_from(["", "soon", " 2024-01-01 ", "10:30", "2024-01-01T00:00:00Z"]),
)
texts = st.text(st.characters(codec="utf-8"), max_size=30)
numbers = st.one_of(
    st.floats(),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.floats(allow_nan=False).map(repr),
    st.integers(-(10**6), 10**6).map(lambda n: f" {n} "),
    st.decimals(-(10**9), 10**9, places=3),
    st.floats(width=32).map(np.float32),
    st.sampled_from(["", "12.", ".5", "+3", "1e3", "ten", "1_000", "inf", "NaN"]),
)
words = st.one_of(
    st.sampled_from(["Rome", "Oslo", "item 4", "0", "1"]),
    texts,
    st.integers(-5, 10**20 % 2**62),
    st.floats(),
    st.booleans(),
)
yes_no = st.one_of(
    st.booleans(), st.sampled_from(["yes", "NO", " true ", "0", "maybe", ""]), st.sampled_from([0, 1, 2, 1.0, 0.5])
)
VALUES = {
    "amount": numbers,
    "count": numbers,
    "city": words,
    "code": words,
    "item": words,
    "paid": yes_no,
    "born": times,
    "clock": times,
    "note": texts | st.integers(),
}


OPTIONAL = {name: st.none() | strategy for name, strategy in VALUES.items() if name != "count"}


def of_frame(record):
    return FITTED.transform(pl.DataFrame([record], strict=False))[0]


def outcome(transform):
    try:
        return transform().view(np.uint32).tolist()
    except SchemaError as refused:
        return str(refused)


@pytest.mark.parametrize("column", list(VALUES))
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_record_gives_the_bits_of_its_frame_or_the_same_refusal(column, data):
    value = data.draw(st.none() | st.just(float("nan")) | VALUES[column])
    record = FRAME.row(7, named=True) | {column: value}
    assert outcome(lambda: FITTED.transform_row(record)) == outcome(lambda: of_frame(record))


@settings(max_examples=60, deadline=None)
@given(record=st.fixed_dictionaries({"count": st.none() | numbers}, optional=OPTIONAL))
def test_keys_that_are_missing_count_as_missing_values(record):
    filled = {name: record.get(name) for name in FRAME.columns}
    assert outcome(lambda: FITTED.transform_row(record)) == outcome(lambda: of_frame(filled))


def test_every_training_row_gives_the_bits_of_the_batch():
    matrix = FITTED.transform(FRAME).view(np.uint32)
    rows = [FITTED.transform_row(record).view(np.uint32) for record in FRAME.to_dicts()]
    np.testing.assert_array_equal(np.stack(rows), matrix)


def test_chunks_give_the_bits_of_the_batch():
    matrix = FITTED.transform(FRAME)
    chunks = [FITTED.transform(FRAME.slice(start, 37)) for start in range(0, len(FRAME), 37)]
    assert np.concatenate(chunks).tobytes() == matrix.tobytes()


def test_a_record_of_another_table_is_refused_naming_both_sets():
    with pytest.raises(SchemaError, match=r"'amount'.*the data has 'price'"):
        FITTED.transform_row({"price": 3})


@pytest.mark.parametrize(
    ("column", "value"), [("amount", "ten"), ("amount", [1]), ("paid", "maybe"), ("born", "soon"), ("city", {"a": 1})]
)
def test_a_value_of_the_wrong_kind_is_refused_naming_column_and_value(column, value):
    with pytest.raises(SchemaError) as refused:
        FITTED.transform_row({column: value})
    assert repr(column) in str(refused.value)
    assert repr(value) in str(refused.value) or type(value) is not str


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount", np.float64(1.6e9)),
        ("paid", np.bool_(True)),
        ("born", np.datetime64("2004-05-01T03:04")),
        ("born", datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=3)))),
    ],
)
def test_values_of_numpy_read_alike_in_a_record_and_a_table(column, value):
    record = {**FRAME.row(3, named=True), column: value}
    alone = FITTED.transform_row(record)
    assert np.array_equal(alone, FITTED.transform(as_frame([record]))[0], equal_nan=True)


@pytest.mark.parametrize(("column", "name"), [("amount", "NA"), ("city", "NA"), ("paid", "NA"), ("born", "NaT")])
def test_what_is_missing_to_pandas_is_missing_in_a_record(column, name):
    record = FRAME.row(3, named=True)
    gap = getattr(pytest.importorskip("pandas"), name)
    alone = FITTED.transform_row({**record, column: gap})
    assert np.array_equal(alone, FITTED.transform_row({**record, column: None}), equal_nan=True)
