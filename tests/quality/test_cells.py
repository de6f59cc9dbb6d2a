"""Scores of cells: errors stand out, tables of any kind are taken, and nothing depends on what does not matter."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import SchemaError
from anomaly_detection.quality import score_cells
from quality.tables import CITIES, ERRORS, sites, spoilt

ODD = {
    "no rows": pl.DataFrame({"a": pl.Series([], dtype=pl.String), "b": pl.Series([], dtype=pl.Int64)}),
    "no columns": pl.DataFrame(),
    "one row": pl.DataFrame({"a": ["x"], "b": [1.5]}),
    "one column": pl.DataFrame({"a": ["x", "y", "x", "x"]}),
    "all missing": pl.DataFrame({"a": [None, None, None], "b": ["", "N/A", "-"]}),
    "infinite": pl.DataFrame({"a": [1.0, float("inf"), float("nan"), None]}),
    "nested": pl.DataFrame({"a": [[1], [2], None], "b": [{"x": 1}, {"x": 2}, {"x": 1}]}),
    "bytes": pl.DataFrame({"a": [b"\x00\xff", b"", None]}),
    "times": pl.DataFrame({"a": ["2026-01-01", "2026-01-02"]}).with_columns(pl.col("a").str.to_date()),
    "very long": pl.DataFrame({"a": ["x" * 100_000, "y", "z" * 99_999] * 4}),
    "control characters": pl.DataFrame({"a": ["ok\x00", "fine", "fine\ufffd"] * 4}),
}


def test_every_wrong_cell_is_among_the_highest():
    frame, mask = spoilt(sites(), ERRORS)
    scores = score_cells(frame).scores
    worst = np.argsort(-scores.ravel(), kind="stable")[: mask.sum()]
    assert mask.ravel()[worst].mean() >= 0.85
    assert scores[mask].min() > np.quantile(scores[~mask], 0.98)


def test_a_clean_table_has_no_wrong_cell():
    assert (score_cells(sites(1_000)).scores < 0.8).all()


def test_the_wrong_side_of_a_conflict_is_blamed():
    frame, mask = spoilt(sites(800), {(5, "zip"): "20137", (7, "zip"): "20411"})
    rows = [row for row in (5, 7) if frame["city"][row] != CITIES[(int(frame["zip"][row]) - 20_000) // 137]]
    scores = score_cells(frame).scores
    assert rows
    assert (scores[rows, frame.columns.index("zip")] >= scores[rows].max(axis=1)).all()
    assert mask.any()


def test_sources_that_disagree_are_held_against_each_other():
    times = [f"{9 + flight % 9}:{flight % 50 + 10}" for flight in range(40)]
    rows = [(f"F{flight}", source, times[flight]) for flight in range(40) for source in "abcde"]
    frame = pl.DataFrame(rows, schema=["flight", "source", "departs"], orient="row")
    frame, mask = spoilt(frame, {(12, "departs"): times[30], (66, "departs"): ""})
    scores = score_cells(frame, key=["flight"]).scores
    assert set(np.argsort(-scores.ravel())[:2]) == set(np.flatnonzero(mask))


@pytest.mark.parametrize("name", ODD)
def test_any_table_gets_finite_scores_of_its_shape(name):
    frame = ODD[name]
    found = score_cells(frame)
    assert found.scores.shape == frame.shape
    assert np.isfinite(found.scores).all()
    assert found.to_frame().columns == frame.columns


def test_numbers_may_be_numbers_or_text():
    frame, mask = spoilt(sites(), {(71, "area"): 99_999.0})
    for one in (frame, frame.with_columns(pl.col("area").cast(pl.String))):
        assert score_cells(one).scores.argmax() == np.flatnonzero(mask)[0]


def test_columns_that_are_left_out_have_no_score():
    frame, _ = spoilt(sites(), ERRORS)
    scores = score_cells(frame, columns=["city", "zip"]).scores
    at = [frame.columns.index(name) for name in ("city", "zip")]
    assert (np.delete(scores, at, axis=1) == 0).all()
    assert (scores[:, at] > 0).all()


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(SchemaError, match="no column 'town'"):
        score_cells(sites(20), key=["town"])


def test_the_order_of_rows_does_not_matter():
    frame, _ = spoilt(sites(300), ERRORS)
    order = np.random.default_rng(1).permutation(len(frame))
    assert np.allclose(score_cells(frame).scores[order], score_cells(frame[order]).scores, atol=1e-9)


def test_an_end_before_its_start_is_found():
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 1_000, 400).round(2)
    frame = pl.DataFrame({"start": start, "end": start + rng.uniform(1, 50, 400).round(2)})
    frame, mask = spoilt(frame, {(9, "end"): 0.5 * float(start[9])})
    found = score_cells(frame)
    assert [one.words for one in found.relations] == ["start <= end"]
    assert set(np.argsort(-found.scores.ravel())[:2] // 2) == set(np.flatnonzero(mask) // 2)


def test_a_sum_that_does_not_add_up_is_found():
    rng = np.random.default_rng(0)
    net, tax = rng.integers(100, 9_000, 300), rng.integers(5, 900, 300)
    frame, _ = spoilt(pl.DataFrame({"net": net, "tax": tax, "total": net + tax}), {(20, "total"): 4_321})
    found = score_cells(frame)
    assert "net + tax = total" in [one.words for one in found.relations]
    assert found.scores.argmax() // 3 == 20


def test_as_many_distinct_values_as_rows_are_taken():
    frame = pl.DataFrame({"name": [f"name {7 * i} of {i}" for i in range(100_000)], "kind": ["a", "b"] * 50_000})
    assert score_cells(frame).scores.max() < 0.8


values = st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["a", "b", "N/A", "12", "1.0", "2024-01-01"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(values, values, values), max_size=30))
def test_scores_are_finite_whatever_the_cells_are(rows):
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String, "c": pl.String}, orient="row")
    scores = score_cells(frame).scores
    assert scores.shape == frame.shape
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
