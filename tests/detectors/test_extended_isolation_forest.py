from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors.extended_isolation_forest import ExtendedIsolationForest
from anomaly_detection.detectors.isolation_forest import IsolationForest
from anomaly_detection.errors import ArtifactError
from detectors import naive_planes
from detectors.forest_tables import CASES, ONE_COLUMN, numbers

NUMBERS = {name: case for name, case in CASES.items() if name not in {"missing", "categories"}}


@pytest.fixture(scope="module")
def forest():
    return ExtendedIsolationForest(n_estimators=30, extension_level=2).fit(numbers())


def sine(n, seed):
    """A crowd along two periods of a sine; points far from the curve lie inside its box."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 4 * np.pi, n)
    return np.column_stack([x, np.sin(x)]) + 0.1 * rng.normal(size=(n, 2))


@pytest.mark.parametrize("case", NUMBERS)
@pytest.mark.parametrize("extension_level", [0, 2, None])
def test_grows_the_trees_of_the_naive_twin(case, extension_level):
    X, space = NUMBERS[case]
    forest = ExtendedIsolationForest(6, 64, extension_level, random_state=5).fit(X, space)
    columns = X.shape[1] if extension_level is None else min(extension_level + 1, X.shape[1])
    shares = forest.features_.shares
    assert naive_planes.trees_of(forest) == naive_planes.grow(
        X, shares, n_estimators=6, max_samples=64, columns=columns, seed=5
    )


@pytest.mark.parametrize("case", NUMBERS)
@pytest.mark.parametrize("extension_level", [0, 2])
def test_scores_as_the_naive_twin_within_the_range_and_beyond(case, extension_level):
    X, space = NUMBERS[case]
    forest = ExtendedIsolationForest(5, 64, extension_level, random_state=2).fit(X, space)
    beyond = X[:30] * np.float32(10) ** np.random.default_rng(3).uniform(-1, 6, (30, 1)).astype(np.float32)
    rows = np.concatenate([X[:30], beyond])
    naive = naive_planes.score(
        naive_planes.trees_of(forest),
        rows,
        sample_rows=forest.sample_rows_,
        ranges=forest.ranges_,
        shares=forest.features_.shares,
    )
    assert forest.score(rows) == pytest.approx(naive, abs=1e-12)


def test_one_column_a_cut_finds_what_an_isolation_forest_finds():
    X, rows = numbers(2000, 5), numbers(1000, 5, seed=1)
    ours = ExtendedIsolationForest(300, extension_level=0).fit(X).score(rows)
    assert np.corrcoef(ours, IsolationForest(300).fit(X).score(rows))[0, 1] > 0.98


def test_points_between_the_bends_of_a_sine_are_found_better_than_by_an_isolation_forest():
    train, rows = sine(2000, 0), sine(500, 1)
    ghosts = np.column_stack([np.pi * np.repeat([0.5, 1.5, 2.5, 3.5], 25), np.tile([-0.4, 0.4], 50)])
    rows = np.concatenate([rows, ghosts])
    is_ghost = np.arange(len(rows)) >= 500
    slanted, straight = (
        roc_auc_score(is_ghost, kind.fit(train).score(rows))
        for kind in (ExtendedIsolationForest(extension_level=None), IsolationForest())
    )
    assert slanted > straight + 0.05


def test_a_lonely_point_inside_a_hollow_ball_is_missed():
    X = numbers(2000, 6)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    forest = ExtendedIsolationForest().fit(X)
    assert forest.score(np.zeros((1, 6)))[0] < np.quantile(forest.score(X), 0.5)


def test_units_and_offsets_change_nothing_but_roundings():
    X = numbers(300, 4).astype(np.float64)
    X = np.round(X * 64)
    moved = X * [1e6, 1, 1e-3, 8] + [0, 4096, 0, -7]
    first, second = (ExtendedIsolationForest(extension_level=None).fit(rows).score(rows) for rows in (X, moved))
    assert first == pytest.approx(second, abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 150), max_size=6), seed=st.integers(0, 5), scale=st.sampled_from([1, 1e6]))
def test_chunks_and_single_rows_score_as_the_whole_bit_for_bit(forest, cuts, seed, scale):
    X = numbers(150, 5, seed)
    X[::3] *= scale
    whole = forest.score(X)
    assert np.array_equal(np.concatenate([forest.score(part) for part in np.split(X, sorted(cuts))]), whole)
    assert np.array_equal([forest.score_row(row) for row in X], whole)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 99), column=st.integers(0, 4), side=st.sampled_from([-1, 1]))
def test_a_value_that_grows_beyond_the_range_scores_higher_but_for_turns_of_its_paths(forest, seed, column, side):
    rows = np.repeat(numbers(1, 5, seed), 6, axis=0)
    rows[:, column] = side * 10.0 ** np.arange(1, 7)
    scores = forest.score(rows)
    assert np.all(np.diff(scores) > -0.01)
    assert scores[-1] > scores[0] + 0.02
    assert scores[-1] > forest.score(numbers()).max()


def test_every_column_at_the_end_of_the_numbers_is_isolated_by_the_first_cut():
    forest = ExtendedIsolationForest(extension_level=0).fit(numbers())
    first_cut = 2.0 ** -(1 / naive_planes.average_depth(forest.sample_rows_))
    assert forest.score(np.full((1, 5), 3e38))[0] == pytest.approx(first_cut, abs=1e-9)


def test_a_constant_column_that_changes_counts_by_its_share():
    X = np.column_stack([numbers(500, 4), np.ones(500)])
    changed = X[:50].copy()
    changed[:, 4] = 2
    forest = ExtendedIsolationForest().fit(X)
    assert np.all(forest.score(changed) > forest.score(X[:50]) + 0.02)


def test_a_column_is_in_as_many_cuts_as_any_other_however_many_features_it_has():
    forest = ExtendedIsolationForest(200, 64, extension_level=0).fit(numbers(500, 5), ONE_COLUMN)
    assert np.mean(forest.columns_ == 4) == pytest.approx(0.5, abs=0.03)


def test_one_more_tree_leaves_the_others_as_they_were_and_another_seed_does_not():
    few, many, other = (
        ExtendedIsolationForest(count, random_state=seed).fit(numbers()) for count, seed in ((10, 0), (11, 0), (10, 1))
    )
    assert np.array_equal(many.bounds_[: len(few.bounds_)], few.bounds_)
    assert not np.array_equal(other.bounds_[:20], few.bounds_[:20])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("splits_", lambda splits: splits[:-1]),
        ("splits_", np.ones_like),
        ("splits_", lambda splits: splits.astype(str)),
        ("columns_", lambda columns: columns + 5),
        ("columns_", lambda columns: columns[:, :-1]),
        ("weights_", lambda weights: weights[1:]),
        ("weights_", lambda weights: weights * np.nan),
        ("bounds_", lambda bounds: bounds[:, ::-1]),
        ("bounds_", lambda bounds: bounds.ravel()),
        ("leaf_rows_", lambda rows: np.append(rows, 1)),
        ("ranges_", lambda ranges: ranges[:, 1:]),
        ("sample_rows_", lambda _: np.array(8)),
        ("sample_rows_", lambda _: np.array([256])),
    ],
)
def test_arrays_that_are_not_trees_are_refused(forest, name, change):
    state = forest.state()
    with pytest.raises(ArtifactError, match="ExtendedIsolationForest on 5 features"):
        forest.clone().restore({**state, name: change(state[name])}, forest.features_)
