"""Profiles of runs: what they hold, merging, and JSON."""

from datetime import date

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.quality import TableProfile, merge_profiles, profile_table

FRAME = pl.DataFrame(
    {
        "price": [1.5, 2.5, None, 4.0, float("nan")],
        "kind": ["a", "b", "", "a", None],
        "day": [date(2026, 3, 1)] * 4 + [None],
        "ok": [True, False, True, None, True],
        "tags": [["x"], [], None, ["y"], ["x"]],
    }
)


def test_what_is_kept():
    made = profile_table(FRAME, time=5, name="t")
    price, kind, ok = made.columns["price"], made.columns["kind"], made.columns["ok"]
    assert (price.rows, price.missing, price.distinct, price.low, price.high) == (5, 2, 3, 1.5, 4.0)
    assert price.mean == pytest.approx(8 / 3)
    assert (kind.missing, kind.distinct, kind.values) == (2, 2, {"a": 2, "b": 1})
    assert ok.values == {"true": 3, "false": 1}
    assert [made.columns[name].type for name in FRAME.columns] == ["number", "text", "time", "boolean", "nested"]


def test_json_and_back():
    made = profile_table(FRAME, time=5, name="t", segments=["kind"])
    text = msgspec.json.encode(made.to_dict())
    assert TableProfile.from_dict(msgspec.json.decode(text)) == made


def test_profiles_are_small():
    rng = np.random.default_rng(0)
    wide = pl.DataFrame(
        {f"c{n}": rng.normal(size=50_000) for n in range(10)} | {"id": [f"{n:08}" for n in range(50_000)]}
    )
    assert len(msgspec.json.encode(profile_table(wide).to_dict())) < 11 * 9_000


@pytest.mark.parametrize(
    "state", [{}, [], {"version": 9}, {"version": 1}, {"version": 1, "rows": 1, "columns": {"a": {}}}]
)
def test_what_is_no_profile_is_refused(state):
    with pytest.raises(InputError, match="no profile of a table"):
        TableProfile.from_dict(state)


def test_merging_nothing_is_refused():
    with pytest.raises(InputError, match="at least one"):
        merge_profiles([])


@settings(max_examples=30)
@given(st.lists(st.lists(st.integers(-1000, 1000), min_size=1, max_size=200), min_size=2, max_size=5))
def test_merged_parts_are_like_the_whole(parts):
    merged = merge_profiles([profile_table(pl.DataFrame({"x": part})) for part in parts]).columns["x"]
    numbers = np.concatenate(parts)
    whole = profile_table(pl.DataFrame({"x": numbers})).columns["x"]
    assert (merged.rows, merged.low, merged.high) == (whole.rows, whole.low, whole.high)
    assert merged.mean == pytest.approx(whole.mean, abs=1e-6)
    assert merged.deviation == pytest.approx(whole.deviation, abs=1e-6)
    assert merged.distinct == pytest.approx(whole.distinct, rel=0.3)
    middle = np.searchsorted(np.sort(numbers), merged.quantiles[50], side="left") / len(numbers)
    assert middle <= 0.53
    assert np.searchsorted(np.sort(numbers), merged.quantiles[50], side="right") / len(numbers) >= 0.47


def test_distinct_values_of_many_runs_are_estimated():
    runs = [
        profile_table(pl.DataFrame({"id": [f"u{n}" for n in range(start, start + 5000)]}))
        for start in range(0, 20_000, 2500)
    ]
    assert merge_profiles(runs).columns["id"].distinct == pytest.approx(22_500, rel=0.2)
