"""Values beyond the training range: how much they count, and that nothing else changes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.isolation_forest import IsolationForest
from anomaly_detection.errors import ArtifactError
from anomaly_detection.pipeline import Pipeline
from detectors import naive_forest
from detectors.forest_tables import CASES, MIXED, mixed, numbers, with_missing


@pytest.fixture(scope="module")
def mixed_forest():
    return IsolationForest(n_estimators=50, random_state=3).fit(mixed(), MIXED)


@pytest.fixture(scope="module")
def number_forest():
    return IsolationForest(n_estimators=50).fit(numbers())


def frame_of(X):
    return pl.DataFrame(X, schema=[f"column {k}" for k in range(X.shape[1])])


def beyond_rows(X, space, seed=0):
    """Rows with numbers a little and far beyond the range, beside missing values and categories never seen."""
    rng = np.random.default_rng(seed)
    rows = with_missing(X, 0.1, seed)
    is_number = (space.n_categories if space else np.zeros(X.shape[1])) == 0
    spread = np.float32(10) ** rng.integers(-3, 5, X.shape) * rng.choice([-1, 1], X.shape)
    moved = (rng.random(X.shape) < 0.3) & is_number
    rows[moved] += spread.astype(np.float32)[moved]
    unseen = (rng.random(X.shape) < 0.1) & ~is_number
    rows[unseen] = 100
    return rows


@pytest.mark.parametrize("case", CASES)
def test_values_beyond_the_training_range_score_as_the_naive_twin_says(case):
    X, space = CASES[case]
    forest = IsolationForest(n_estimators=5, max_samples=64, random_state=4).fit(X, space)
    rows = beyond_rows(X[:40], space)
    naive = naive_forest.score(
        naive_forest.trees_of(forest),
        rows,
        forest.features_.n_categories,
        sample_rows=forest.sample_rows_,
        seed=4,
        ranges=forest.ranges_,
        shares=forest.features_.shares,
    )
    assert forest.score(rows) == pytest.approx(naive, abs=1e-7)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 99),
    column=st.sampled_from([0, 2]),
    side=st.sampled_from([-1, 1]),
    distances=st.lists(st.floats(0, 1e30), min_size=2, max_size=6),
)
def test_the_further_beyond_the_range_the_higher_the_score(mixed_forest, seed, column, side, distances):
    rows = np.repeat(mixed(1, seed), len(distances), axis=0)
    edge = mixed_forest.ranges_[(1 + side) // 2, column]
    rows[:, column] = edge + side * np.sort(distances)
    assert np.all(np.diff(mixed_forest.score(rows)) >= -1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 99), column=st.sampled_from([0, 2]), side=st.sampled_from([-1, 1]))
def test_the_score_is_continuous_at_the_edge_of_the_range(mixed_forest, seed, column, side):
    edge = mixed_forest.ranges_[(1 + side) // 2, column]
    rows = np.repeat(mixed(1, seed), 2, axis=0)
    rows[:, column] = edge, np.nextafter(edge, np.float32(side * np.inf))
    at_edge, just_beyond = mixed_forest.score(rows)
    assert just_beyond == pytest.approx(at_edge, abs=1e-6)
    assert just_beyond >= at_edge - 1e-12


@pytest.mark.parametrize("side", [-1, 1])
def test_a_value_without_end_is_isolated_by_the_first_cut_of_every_tree(number_forest, side):
    row = np.zeros((1, 5), np.float32)
    row[0, 2] = side * np.finfo(np.float32).max
    first_cut = 2.0 ** -(1 / naive_forest.average_depth(number_forest.sample_rows_))
    assert number_forest.score(row) == pytest.approx(first_cut, abs=1e-9)
    assert number_forest.score_row(row[0]) == number_forest.score(row)[0]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.lists(st.integers(0, 100), max_size=4), share=st.sampled_from([0.02, 0.5]))
def test_rows_within_and_beyond_score_alone_as_together_bit_for_bit(mixed_forest, number_forest, seed, cuts, share):
    beyond = np.random.default_rng(seed).random(100) < share
    for forest, X, space in ((number_forest, numbers(100, 5, seed), None), (mixed_forest, mixed(100, seed), MIXED)):
        rows = np.where(beyond[:, None], beyond_rows(X, space, seed), X)
        whole = forest.score(rows)
        assert np.array_equal(np.concatenate([forest.score(part) for part in np.split(rows, sorted(cuts))]), whole)
        assert np.array_equal([forest.score_row(row) for row in rows], whole)
        assert np.array_equal(whole[~beyond], forest.score(X)[~beyond])


def test_a_rare_feature_that_few_trees_saw_vary_still_has_a_range():
    X = numbers(2000, 4)
    X[:, 0] = 0
    X[:3, 0] = 1
    forest = IsolationForest().fit(X)
    wild = X[100:200].copy()
    wild[:, 0] = 1e6
    assert forest.score(wild).min() > forest.score(X).max()


@pytest.mark.parametrize("column", [0, 7])
def test_one_wild_value_among_twenty_columns_is_anomalous_through_the_pipeline(column):
    X = np.random.default_rng(0).normal(size=(2000, 20))
    pipeline = Pipeline("isolation_forest").fit(frame_of(X))
    wild = X[:50].copy()
    wild[:, column] = 1e9
    p_values = pipeline.calibrator_.p_value(pipeline.score(frame_of(wild)))
    assert p_values.max() < 0.01


def test_rows_within_the_training_range_score_by_the_trees_alone():
    X = numbers(500, 20)
    forest = IsolationForest(n_estimators=10).fit(X)
    trees, codes = naive_forest.trees_of(forest), forest.features_.n_categories
    naive = naive_forest.score(trees, X[:50], codes, sample_rows=forest.sample_rows_)
    assert forest.score(X[:50]) == pytest.approx(naive, abs=1e-7)


def test_infinite_training_values_lie_within_the_range():
    X = numbers(300, 3)
    X[0, 0], X[1, 1] = np.inf, -np.inf
    forest = IsolationForest(n_estimators=10).fit(X)
    trees, codes = naive_forest.trees_of(forest), forest.features_.n_categories
    cleaned = np.where(np.isinf(X), np.where(X < 0, *forest.limits_), X).astype(np.float32)[:2]
    naive = naive_forest.score(trees, cleaned, codes, sample_rows=forest.sample_rows_)
    assert forest.score(X[:2]) == pytest.approx(naive, abs=1e-7)


def test_a_model_saved_without_ranges_is_refused(number_forest):
    state = number_forest.state()
    del state["ranges_"]
    with pytest.raises(ArtifactError, match="lacks ranges_"):
        number_forest.clone().restore(state, number_forest.features_)
