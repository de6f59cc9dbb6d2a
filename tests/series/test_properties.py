"""What holds for any series, through the pipeline: causal, the same in any chunks, free of units where stated."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly_detection.records import Column, Schema
from anomaly_detection.series import SeriesPipeline

CAUSAL = ["auto", "ewma", "per_channel"]
"""What the pipeline does with scores is the same for all; each detector by itself is in ``testing.series``."""

TRAIN, LATER = 90, 40
SCHEMA = Schema((Column("v", "number"),), "t", "host")

few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds, cuts = st.integers(0, 10_000), st.integers(1, LATER - 1)


def table(n, start, seed, keys=2):
    """Rows of a few keys with levels, seasons, jumps, missing values and gaps, in any order within a moment."""
    rng = np.random.default_rng([seed, start])
    parts = []
    for k in range(keys):
        values = 10.0 * (k + 1) + np.sin(np.arange(start, start + n) * np.pi / 6) + rng.normal(0.0, 0.5, n)
        values[rng.random(n) < 0.05] += rng.choice([-20.0, 30.0])
        values[rng.random(n) < 0.03] = np.nan
        time = np.arange(start, start + n) + 5 * (np.arange(start, start + n) > start + n // 2)
        parts.append(pl.DataFrame({"t": time, "host": [f"h{k}"] * n, "v": values}))
    return pl.concat(parts).sort("t", maintain_order=True)


def both(seed):
    """Rows to learn from, with a key that has few of them, and rows that follow, with a key never seen."""
    rare = table(20, 0, seed + 1, 3).filter(pl.col("host") == "h2")
    return pl.concat([table(TRAIN, 0, seed), rare]), table(LATER, 2 * TRAIN, seed, 4)


def fitted(name, train, **wishes):
    return SeriesPipeline(name, contamination=0.02, random_state=0, **wishes).fit(train, SCHEMA)


@pytest.mark.parametrize("name", CAUSAL)
@few
@given(seeds, cuts, st.floats(-1e6, 1e6))
def test_later_rows_never_change_a_verdict(name, seed, cut, other):
    train, later = both(seed)
    pipeline = fitted(name, train)
    first = later["t"] <= later["t"][4 * cut]
    n = int(first.sum())
    changed = later.with_columns(v=pl.when(first).then(pl.col("v")).otherwise(other))
    expected = pipeline.detect(later)
    for frame in (changed, later[:n]):
        found = pipeline.detect(frame)
        np.testing.assert_array_equal(found.score[:n], expected.score[:n])
        np.testing.assert_array_equal(found.p_value[:n], expected.p_value[:n])
        assert found.reason[:n].to_list() == expected.reason[:n].to_list()


@pytest.mark.parametrize("name", CAUSAL)
@few
@given(seeds, st.floats(-1e6, 1e6))
def test_within_one_file_later_rows_never_change_a_score(name, seed, other):
    frame = table(TRAIN, 0, seed)
    cut = len(frame) // 2
    changed = frame.with_columns(v=pl.when(pl.int_range(len(frame)) < cut).then(pl.col("v")).otherwise(other))
    scores = [
        SeriesPipeline(name, contamination=0.02, random_state=0).fit_detect(one, SCHEMA).score[:cut]
        for one in (frame, changed)
    ]
    there = frame["v"][:cut].is_not_nan().to_numpy()  # a missing value has the middle score of the file,
    there[:2] = False  # and so have the first rows of both keys, of which no stretch can be made
    np.testing.assert_array_equal(scores[0][there], scores[1][there])


@pytest.mark.parametrize("name", CAUSAL)
@few
@given(seeds, st.lists(st.integers(0, 4 * LATER), max_size=5), st.booleans())
def test_updates_in_any_chunks_are_one_update(name, seed, places, learn_anomalies):
    train, later = both(seed)
    whole = fitted(name, train)
    state = whole.state()
    parts = SeriesPipeline.from_state(*state)
    expected = whole.update(later, learn_anomalies=learn_anomalies)
    bounds = [0, *sorted(places), len(later)]
    found = [
        parts.update(later[begin:end], learn_anomalies=learn_anomalies)
        for begin, end in pairwise(bounds)
        if end > begin
    ]
    np.testing.assert_array_equal(np.concatenate([one.score for one in found]), expected.score)
    np.testing.assert_array_equal(np.concatenate([one.p_value for one in found]), expected.p_value)
    more = table(10, 500, seed, 4)
    np.testing.assert_array_equal(parts.detect(more).score, whole.detect(more).score)


@pytest.mark.parametrize("name", CAUSAL)
@few
@given(seeds)
def test_detecting_leaves_no_trace(name, seed):
    train, later = both(seed)
    pipeline = fitted(name, train)
    expected = pipeline.detect(later)
    pipeline.detect(table(LATER, 900, seed + 7, 6))
    pipeline.detect_one(later.row(3, named=True))
    assert pipeline.detect(later).to_polars().equals(expected.to_polars())


@pytest.mark.parametrize("name", ["ewma", "per_channel"])
@few
@given(seeds, st.sampled_from([2.0**-20, 0.25, 8.0, 2.0**30]))
def test_units_do_not_matter_where_that_is_stated(name, seed, factor):
    train, later = both(seed)
    expected = fitted(name, train).detect(later)
    found = fitted(name, train.with_columns(pl.col("v") * factor)).detect(later.with_columns(pl.col("v") * factor))
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.p_value, expected.p_value, rtol=1e-6)
    if expected.expected is not None:
        for name_ in ("expected", "lower", "upper"):
            np.testing.assert_allclose(getattr(found, name_), factor * getattr(expected, name_), rtol=1e-6)


@few
@given(seeds, st.permutations(range(12)))
def test_the_order_of_rows_within_the_input_does_not_matter(seed, order):
    train, later = both(seed)
    later = later.filter(pl.col("t") < later["t"].min() + 3)
    pipeline = fitted("auto", train)
    expected, found = pipeline.detect(later), pipeline.detect(later[list(order)])
    np.testing.assert_array_equal(found.score, expected.score[list(order)])


@few
@given(seeds)
def test_a_side_that_is_not_looked_at_never_alarms(seed):
    train, later = both(seed)
    result = fitted("ewma", train, direction="rise").detect(later)
    below = later["v"].to_numpy() < np.nan_to_num(result.expected, nan=np.inf)
    assert not (result.is_anomaly & below).any()
