"""Injected anomalies: the other rows stay, the labels are right, the seed decides, and each kind is what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation.inject import KINDS, inject, kinds_for
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.features.tabular import TabularFeatures

ROWS = 200


def table(seed=0, rows=ROWS):
    """Every kind of column there is, with missing values."""
    rng = np.random.default_rng(seed)
    start = datetime(2026, 1, 5, 9)
    moments = [start + timedelta(hours=float(hour)) for hour in rng.uniform(0, 8, rows)]
    holes = rng.random(rows) < 0.1
    return pl.DataFrame(
        {
            "id": [f"r{i}" for i in range(rows)],
            "amount": pl.Series(rng.gamma(2.0, 50.0, rows)).set(pl.Series(holes), None),
            "count": rng.poisson(4.0, rows),
            "small": pl.Series(rng.integers(0, 100, rows), dtype=pl.UInt8),
            "price": [f"{value:.2f}" for value in rng.normal(10, 2, rows)],
            "city": rng.choice(["Rome", "Oslo", "Lima"], rows, p=[0.6, 0.39, 0.01]),
            "code": pl.Series(rng.choice(["x", "y"], rows), dtype=pl.Categorical),
            "paid": rng.random(rows) < 0.7,
            "at": moments,
            "clock": [moment.time().replace(microsecond=0) for moment in moments],
            "written": [moment.isoformat(" ", "seconds") for moment in moments],
            "zoned": pl.Series(moments).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo"),
            "day": [date(2026, 1, 1) + timedelta(days=int(i)) for i in rng.integers(0, 60, rows)],
            "user": [{"age": int(age)} for age in rng.integers(18, 90, rows)],
            "label": rng.random(rows) < 0.05,
        }
    )


def schema_of(frame):
    return infer_schema(frame, key="id", label="label")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), share=st.floats(0.001, 0.5), data=st.integers(0, 3), rows=st.integers(20, 120))
def test_untouched_rows_are_as_they_were_and_labels_say_which_were_not(kind, seed, share, data, rows):
    frame = table(data, rows)
    flat = frame.unnest("user").rename({"age": "user.age"})
    found = inject(frame, schema_of(frame), kind, share=share, seed=seed)
    assert found.kind == kind
    assert found.labels.sum() == max(1, round(share * rows))
    assert len(found.frame) == rows
    kept = ~found.labels
    for name in flat.columns:
        assert found.frame[name].filter(kept).to_list() == flat[name].filter(kept).to_list()
    for role in ("id", "label"):
        assert found.frame[role].equals(flat[role])
    again = inject(frame, schema_of(frame), kind, share=share, seed=seed)
    assert again.frame.equals(found.frame)
    assert (again.labels == found.labels).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["count", "word", "row"])
def test_a_column_of_words_may_have_any_name(kind, name):
    frame = table().drop("count").rename({"city": name})
    assert inject(frame, schema_of(frame), kind).labels.any()


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_makes_others_and_every_row_is_changed(kind):
    frame = table()
    schema = schema_of(frame)
    first, second = (inject(frame, schema, kind, seed=seed) for seed in (1, 2))
    assert (first.labels != second.labels).any()
    flat = frame.unnest("user").rename({"age": "user.age"})
    names = [name for name in schema.feature_names if name in flat.columns]
    changed = np.zeros(ROWS, dtype=bool)
    for name in names:
        changed |= first.frame[name].cast(pl.String).ne_missing(flat[name].cast(pl.String)).to_numpy()
    assert (changed == first.labels).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_result_is_read_like_the_table_it_came_from(kind):
    frame = table()
    schema = schema_of(frame)
    features = TabularFeatures().fit(frame, schema)
    assert features.transform(inject(frame, schema, kind).frame).shape == features.transform(frame).shape


@pytest.mark.parametrize("kind", KINDS)
def test_neither_the_position_nor_the_label_of_a_row_tells(kind):
    frame = table()
    schema = schema_of(frame)
    places = np.concatenate([np.flatnonzero(inject(frame, schema, kind, seed=seed).labels) for seed in range(60)])
    assert abs(places.mean() / (ROWS - 1) - 0.5) < 0.06
    turned = frame.with_columns(~pl.col("label"))
    assert inject(turned, schema, kind).frame.drop("label").equals(inject(frame, schema, kind).frame.drop("label"))


def numbers(name, kind, seed=0):
    frame = table()
    found = inject(frame, schema_of(frame), kind, share=0.3, seed=seed)
    before = frame[name].cast(pl.Float64)
    after = found.frame[name].cast(pl.Float64)
    changed = found.labels & after.ne_missing(before).to_numpy()
    return before, after, changed


@pytest.mark.parametrize("name", ["amount", "count", "small", "price"])
def test_extreme_numbers_lie_beyond_nearly_all_others(name):
    before, after, changed = numbers(name, "extreme")
    low, high = before.quantile(0.01, "linear"), before.quantile(0.99, "linear")
    beyond = after.filter(changed)
    assert len(beyond) > 3
    assert ((beyond > high) | (beyond < low)).all()
    assert (beyond >= 0).all()


@pytest.mark.parametrize("name", ["amount", "count", "small", "price"])
def test_local_numbers_lie_within_the_range_but_far_from_their_own(name):
    before, after, changed = numbers(name, "local")
    low, high = before.quantile(0.01, "linear"), before.quantile(0.99, "linear")
    known = changed & before.is_not_null().to_numpy()
    moved = (after.filter(known) - before.filter(known)).abs()
    assert len(moved) > 3
    assert after.filter(changed).is_between(low - 1, high + 1).all()
    assert (moved >= 0.2 * (high - low) - 1).all()


@pytest.mark.parametrize("kind", ["extreme", "local", "cluster"])
@pytest.mark.parametrize("name", ["count", "small"])
def test_whole_numbers_stay_whole(kind, name):
    frame = table()
    assert inject(frame, schema_of(frame), kind).frame[name].dtype.is_integer()


@pytest.mark.parametrize("kind", ["dependency", "missing"])
def test_some_kinds_use_nothing_but_values_of_the_column(kind):
    frame = table()
    flat = frame.unnest("user").rename({"age": "user.age"})
    found = inject(frame, schema_of(frame), kind, share=0.5)
    assert found.frame.schema == flat.schema
    for name in flat.columns:
        assert set(found.frame[name].to_list()) <= {*flat[name].to_list(), None}


def test_dependency_breaks_what_hangs_together():
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    frame = pl.DataFrame({"x": x, "y": 2 * x})
    found = inject(frame, infer_schema(frame), "dependency", share=0.5)
    injected = found.frame.filter(found.labels)
    assert abs(np.corrcoef(injected["x"], injected["y"])[0, 1]) < 0.15
    assert abs(injected["x"].mean() - x.mean()) < 0.15


def test_a_cluster_is_dense_and_elsewhere():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(rng.normal(size=(500, 3)), schema=["x", "y", "z"])
    found = inject(frame, infer_schema(frame), "cluster")
    group, rest = found.frame.filter(found.labels).to_numpy(), found.frame.filter(~found.labels).to_numpy()
    assert group.std(axis=0).max() < 0.2 * rest.std(axis=0).min()
    distances = np.linalg.norm(rest - group.mean(axis=0), axis=1)
    assert distances.min() > group.std(axis=0).max()


def test_odd_words_are_new_or_the_rarest():
    frame = table()
    found = inject(frame, schema_of(frame), "category", share=0.5)
    before, after = frame["city"], found.frame["city"]
    written = set(after.filter((after != before) & pl.Series(found.labels)))
    assert "Lima" in written
    assert any(word.startswith("new") for word in written)
    assert written <= {"Lima", *(word for word in written if word.startswith("new"))}


def test_new_words_of_number_categories_are_numbers():
    frame = pl.DataFrame({"shop": [1, 2, 3] * 10, "x": range(100, 130)})
    found = inject(frame, infer_schema(frame, categorical=["shop"]), "category", share=0.5)
    assert found.frame["shop"].dtype.is_integer()
    assert found.frame["shop"].max() > 3


@pytest.mark.parametrize("name", ["at", "clock", "written", "zoned"])
def test_a_clock_is_put_forward_on_the_same_day(name):
    frame = table().select("id", "amount", name, "label")
    found = inject(frame, schema_of(frame), "local", share=0.5)
    before, after = frame[name], found.frame[name]
    assert after.dtype == before.dtype
    if name == "clock":
        assert all(isinstance(value, time) for value in after)
        return
    read = datetime.fromisoformat if name == "written" else _in_utc
    pairs = [(read(old), read(new)) for old, new in zip(before, after, strict=True) if old != new]
    assert pairs
    assert all(old.date() == new.date() for old, new in pairs)


def _in_utc(moment):
    return moment if moment.tzinfo is None else moment.astimezone(UTC)


def test_values_are_left_out_only_where_there_usually_are_some():
    frame = pl.DataFrame({"x": [1.5, 2.5, 3.0, 4.0] * 5, "y": [None, None, None, 1.0] * 5})
    found = inject(frame, infer_schema(frame), "missing", share=0.5)
    assert found.frame["x"].null_count() == 10
    assert found.frame["y"].equals(frame["y"])


def test_what_is_usual_can_come_from_more_rows():
    many = pl.DataFrame({"x": np.linspace(0, 1000, 500), "y": np.linspace(5, 9, 500)})
    part = many[100:140]
    found = inject(part, infer_schema(many), "extreme", share=0.5, like=many)
    changed = found.frame["x"].filter(found.frame["x"] != part["x"])
    assert len(changed)
    assert (changed > 900).all()


@pytest.mark.parametrize(
    ("frame", "kinds"),
    [
        ({"x": [1.0, 2.0, 3.5]}, ("extreme", "cluster", "missing")),
        ({"c": ["a", "b", "a"]}, ("category", "missing")),
        ({"b": [True, False, True]}, ("missing",)),
        ({"b": [True, False, True], "x": [1.0, 2.0, 3.5]}, ("extreme", "local", "cluster", "dependency", "missing")),
    ],
)
def test_a_table_says_which_kinds_it_can_hold(frame, kinds):
    frame = pl.DataFrame(frame)
    schema = infer_schema(frame)
    assert kinds_for(frame, schema) == kinds
    for kind in set(KINDS) - set(kinds):
        with pytest.raises(InputError, match=kind):
            inject(frame, schema, kind)


@pytest.mark.parametrize(
    ("kind", "share", "words"), [("odd", 0.1, "kind"), ("local", 0, "share"), ("local", 2, "share")]
)
def test_what_cannot_be_meant_is_refused(kind, share, words):
    frame = table()
    with pytest.raises(ParameterError, match=words):
        inject(frame, schema_of(frame), kind, share=share)


def test_one_row_is_too_few():
    frame = table()
    with pytest.raises(InputError, match="at least 2 rows"):
        inject(frame[:1], schema_of(frame), "missing")
