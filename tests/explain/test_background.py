"""The normal rows that are kept: which, how many, and saved as they are."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from anomaly_detection.errors import ArtifactError
from anomaly_detection.explain import background as module
from anomaly_detection.explain.background import Background
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.pipeline import Pipeline


@pytest.fixture(scope="module")
def pipeline():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(size=600), "y": rng.normal(size=600), "c": rng.choice(["a", "b"], 600)})
    frame[0, "x"] = 99.0
    return Pipeline("isolation_forest").fit(frame)


def test_rows_are_normal_and_bounded_and_have_their_values(pipeline):
    background = pipeline.background
    assert background.rows.shape == (module.MOST_ROWS, 3)
    assert background.rows[:, 0].max() < 3
    again = pipeline.scorer_.native(pl.DataFrame(dict(background.values)))
    np.testing.assert_array_equal(again, background.rows)


def test_a_wide_table_keeps_fewer_rows(monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 100)
    frame = pl.DataFrame(np.random.default_rng(0).normal(size=(300, 3)), schema=list("abc"))
    assert len(Pipeline("ecod").fit(frame).background.rows) == 33


def test_restored_it_is_the_same(pipeline):
    spec, arrays = pipeline.background.state()
    copy = Background.restore(json.loads(json.dumps(spec)), arrays, pipeline.scorer_.space)
    assert copy.values == pipeline.background.values
    assert (copy.normal, copy.typical) == (pipeline.background.normal, pipeline.background.typical)
    for name in ("rows", "reference", "limits"):
        np.testing.assert_array_equal(getattr(copy, name), getattr(pipeline.background, name))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("rows", lambda rows: rows[:, :2]),
        ("rows", lambda rows: rows[:0]),
        ("limits", lambda limits: limits[:1]),
        ("reference", lambda reference: reference[:1]),
        ("values", lambda values: {name: values[name] for name in "yc"}),
        ("values", lambda values: {**values, "x": values["x"][1:]}),
        ("typical", None),
        ("rows", None),
    ],
)
def test_what_does_not_belong_together_is_refused(pipeline, name, damage):
    saved = pipeline.background.state()
    spec, arrays = ({part: value for part, value in each.items() if part != name or damage} for each in saved)
    for each in (spec, arrays):
        each.update({name: damage(each[name])} if name in each else {})
    with pytest.raises(ArtifactError, match="Fit the model again"):
        Background.restore(spec, arrays, pipeline.scorer_.space)


def test_values_of_every_kind_are_kept_as_json_and_read_as_the_same():
    n = 60
    frame = pl.DataFrame(
        {
            "day": [date(2026, 1, 1) + timedelta(days=i) for i in range(n)],
            "at": [datetime(2026, 1, 1, 8, tzinfo=UTC) + timedelta(hours=i) for i in range(n)],
            "clock": [time(8 + i % 9, i % 60) for i in range(n)],
            "took": [timedelta(minutes=i) for i in range(n)],
            "price": pl.Series([Decimal(i) / 4 for i in range(n)], dtype=pl.Decimal(10, 2)),
            "new": [i % 3 == 0 for i in range(n)],
            "word": [f"w{i % 4}" for i in range(n)],
        }
    )
    pipeline = Pipeline("isolation_forest").fit(frame, infer_schema(frame))
    values = json.loads(json.dumps(dict(pipeline.background.values)))
    for i, row in enumerate(pipeline.background.rows):
        record = {name: column[i] for name, column in values.items()}
        np.testing.assert_array_equal(pipeline.scorer_.native_record(record), row)


def test_long_texts_are_cut():
    frame = pl.DataFrame({"note": [f"{i} " + "word " * 100 for i in range(50)], "x": range(50)})
    pipeline = Pipeline("ecod").fit(frame)
    assert max(len(text) for text in pipeline.background.values.get("note", [""])) <= module.LONGEST
