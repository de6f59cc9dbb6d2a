from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest as Peer

from anomaly_detection.detectors._forest_score_kernels import power_of_half
from anomaly_detection.detectors.isolation_forest import IsolationForest
from anomaly_detection.errors import ArtifactError, InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.features.space import Feature, FeatureSpace
from detectors import naive_forest
from detectors.forest_tables import CASES, MIXED, ONE_COLUMN, mixed, numbers, with_missing


@pytest.fixture(scope="module")
def mixed_forest():
    return IsolationForest(n_estimators=50, random_state=3).fit(mixed(), MIXED)


@pytest.fixture(scope="module")
def number_forest():
    return IsolationForest(n_estimators=50).fit(numbers())


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("max_features", [1.0, 0.5])
def test_grows_the_trees_of_the_naive_twin(case, max_features):
    X, space = CASES[case]
    forest = IsolationForest(n_estimators=9, max_samples=64, max_features=max_features, random_state=5).fit(X, space)
    spaces = forest.features_
    twin = naive_forest.grow(
        X, spaces.shares, spaces.n_categories, n_estimators=9, max_samples=64, max_features=max_features, seed=5
    )
    assert naive_forest.trees_of(forest) == twin


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("n_estimators", [3, 20])
def test_scores_as_the_naive_twin_on_the_same_trees(case, n_estimators):
    X, space = CASES[case]
    forest = IsolationForest(n_estimators=n_estimators, max_samples=64, random_state=2).fit(X, space)
    trees, codes = naive_forest.trees_of(forest), forest.features_.n_categories
    rows = np.concatenate([X[:60], with_missing(X[:60], 0.4, seed=9)])
    naive = naive_forest.score(trees, rows, codes, sample_rows=forest.sample_rows_, seed=2)
    assert forest.score(rows) == pytest.approx(naive, abs=1e-7)


def test_a_column_is_cut_as_often_as_any_other_however_many_features_it_has():
    forest = IsolationForest(n_estimators=200, max_samples=64).fit(numbers(500, 5), ONE_COLUMN)
    cut = forest.splits_[forest.splits_ > 0] - 1
    assert np.mean(cut // 2 == 4) == pytest.approx(0.5, abs=0.03)


def test_power_of_half_is_as_exact_as_the_library():
    x = np.linspace(0, 3, 3001)
    assert np.array([power_of_half(value) for value in x]) == pytest.approx(2.0**-x, rel=4e-15)


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 150), max_size=6), seed=st.integers(0, 5), missing=st.sampled_from([0.0, 0.02, 0.5])
)
def test_chunks_and_single_rows_score_as_the_whole_bit_for_bit(mixed_forest, number_forest, cuts, seed, missing):
    for forest, X in (
        (number_forest, with_missing(numbers(150, 5, seed), missing)),
        (mixed_forest, mixed(150, seed, missing)),
    ):
        whole = forest.score(X)
        chunks = [forest.score(part) for part in np.split(X, sorted(cuts))]
        assert np.array_equal(np.concatenate(chunks), whole)
        assert np.array_equal([forest.score_row(row) for row in X], whole)


def test_rows_without_missing_values_score_the_same_beside_rows_with_them(number_forest):
    X = numbers(100)
    beside = X.copy()
    beside[::7, 2] = np.nan
    clean = ~np.isnan(beside).any(axis=1)
    assert np.array_equal(number_forest.score(beside)[clean], number_forest.score(X)[clean])


def test_the_same_seed_gives_the_same_trees_and_another_seed_others():
    X = numbers()
    first, again, other = (IsolationForest(random_state=seed).fit(X) for seed in (7, 7, 8))
    assert np.array_equal(first.thresholds_, again.thresholds_)
    assert np.array_equal(first.score(X), again.score(X))
    assert not np.array_equal(first.score(X), other.score(X))


def test_one_more_tree_leaves_the_others_as_they_were():
    few, many = (IsolationForest(n_estimators=count).fit(numbers()) for count in (10, 11))
    assert np.array_equal(many.thresholds_[: len(few.thresholds_)], few.thresholds_)


def test_scoring_changes_nothing(number_forest):
    X = numbers(64)
    before, given_rows = number_forest.score(X), X.copy()
    number_forest.score(with_missing(X))
    assert np.array_equal(number_forest.score(X), before)
    assert np.array_equal(X, given_rows)


def test_planted_outliers_come_first():
    X = numbers(2000, 8)
    X[:10] += np.float32(6)
    scores = IsolationForest().fit(X).score(X)
    assert set(np.argsort(scores)[-10:]) == set(range(10))
    assert np.all((scores > 0) & (scores <= 1))


def test_an_unseen_category_scores_above_typical_rows():
    X = mixed(2000, missing=0)
    forest = IsolationForest().fit(X, MIXED)
    strange = X[:200].copy()
    strange[:, 1] = 7
    assert np.median(forest.score(strange)) > np.quantile(forest.score(X), 0.9)


def test_a_value_missing_where_none_ever_was_scores_above_typical_rows():
    X = numbers(2000, 4)
    forest = IsolationForest().fit(X)
    holed = X[:200].copy()
    holed[:, 0] = np.nan
    assert np.median(forest.score(holed)) > np.quantile(forest.score(X), 0.75)


def test_a_rarely_missing_value_scores_above_typical_rows_and_an_often_missing_one_does_not():
    X = numbers(4000, 4)
    X[:40, 0] = np.nan
    X[::2, 1] = np.nan
    scores = IsolationForest().fit(X).score(X)
    assert np.median(scores[:40]) > np.quantile(scores[40:], 0.9)
    assert np.median(scores[40::2]) < np.quantile(scores[40:], 0.75)


def test_a_rare_category_scores_above_a_common_one():
    X = np.zeros((1000, 2), np.float32)
    X[:, 0] = np.random.default_rng(0).normal(size=1000)
    X[:, 1] = np.arange(1000) % 3
    X[:5, 1] = 3
    space = FeatureSpace((Feature("a", "a"), Feature("b", "b", "category", 4)))
    scores = IsolationForest().fit(X, space).score(X)
    assert np.mean(scores[:5]) > np.quantile(scores[5:], 0.9)


def test_missing_and_unseen_categories_score_alike(mixed_forest):
    missing, unseen = mixed(50, missing=0), mixed(50, missing=0)
    missing[:, 1], unseen[:, 1] = np.nan, 7
    assert np.array_equal(mixed_forest.score(missing), mixed_forest.score(unseen))


@pytest.mark.parametrize("forest", ["number_forest", "mixed_forest"])
def test_saved_and_restored_scores_are_equal(forest, request):
    fitted = request.getfixturevalue(forest)
    file = io.BytesIO()
    np.savez_compressed(file, **fitted.state())
    file.seek(0)
    with np.load(file, allow_pickle=False) as state:
        restored = fitted.clone().restore(state, fitted.features_)
    X = mixed(100, seed=4) if fitted.features_ is MIXED else with_missing(numbers(100, 5, 4))
    assert np.array_equal(restored.score(X), fitted.score(X))
    assert restored.score_row(X[0]) == fitted.score_row(X[0])


def altered(state, name, change):
    return {**state, name: change(state[name])}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("splits_", lambda splits: splits[:-1]),
        ("splits_", lambda splits: np.where(splits > 0, 200, 0)),
        ("splits_", np.ones_like),
        ("splits_", np.zeros_like),
        ("thresholds_", lambda thresholds: thresholds[1:]),
        ("leaf_rows_", lambda rows: np.append(rows, 1)),
        ("ranks_", lambda ranks: ranks[:, :-1]),
        ("ranges_", lambda ranges: ranges[:, 1:]),
        ("sample_rows_", lambda _: np.array(8)),
    ],
)
def test_arrays_that_are_not_trees_are_refused(mixed_forest, name, change):
    with pytest.raises(ArtifactError, match="IsolationForest on 4"):
        mixed_forest.clone().restore(altered(mixed_forest.state(), name, change), MIXED)


def test_the_saved_model_is_an_eighth_of_scikit_learns_pickle():
    X, file = numbers(3000, 20), io.BytesIO()
    np.savez_compressed(file, **IsolationForest().fit(X).state())
    peer = pickle.dumps(Peer(n_estimators=100, max_samples=256).fit(X))
    assert len(file.getvalue()) * 8 <= len(peer)


def test_float64_scores_as_float32(number_forest):
    X = numbers(100)
    assert np.array_equal(number_forest.score(X.astype(np.float64)), number_forest.score(X))


def test_infinite_values_score_as_far_values(number_forest):
    row = np.zeros((1, 5), np.float32)
    high, low = row.copy(), row.copy()
    high[0, 1], low[0, 1] = np.inf, -np.inf
    assert min(number_forest.score(high)[0], number_forest.score(low)[0]) > number_forest.score(row)[0]


def test_constant_rows_score_the_same_until_one_changes():
    forest = IsolationForest(n_estimators=10).fit(np.ones((50, 3)))
    same, missing, one, three = forest.score([[1, 1, 1], [np.nan, 1, 1], [2, 1, 1], [0, 2, 9]])
    assert np.array([same, missing]) == pytest.approx(0.5)
    assert same < one < three


def test_a_column_that_is_always_missing_is_ignored():
    X = numbers(300, 3)
    X[:, 1] = np.nan
    forest = IsolationForest().fit(X)
    filled = X.copy()
    filled[:, 1] = 4
    assert np.array_equal(forest.score(filled), forest.score(X))


def test_two_rows_are_enough_and_one_is_not():
    forest = IsolationForest(n_estimators=5).fit([[0.0, 1.0], [1.0, 0.0]])
    assert np.isfinite(forest.score([[0.0, 1.0], [5.0, 5.0]])).all()
    with pytest.raises(InputError, match="at least 2 rows"):
        IsolationForest().fit([[0.0, 1.0]])


def test_more_samples_than_rows_means_all_rows():
    X = numbers(100)
    forest = IsolationForest(n_estimators=5, max_samples=5000).fit(X)
    assert forest.sample_rows_ == 100
    assert int(forest.leaf_rows_.sum()) == 5 * 100


def test_no_rows_give_no_scores(number_forest):
    assert number_forest.score(np.empty((0, 5))).shape == (0,)


@pytest.mark.parametrize(
    "parameters",
    [{"n_estimators": 0}, {"max_samples": 1}, {"max_features": 0.0}, {"max_features": 1.5}, {"random_state": -1}],
)
def test_a_parameter_out_of_range_is_named(parameters):
    with pytest.raises(ParameterError, match=next(iter(parameters))):
        IsolationForest(**parameters).fit(numbers(10))


def test_a_wrong_width_and_an_unfitted_forest_are_refused(number_forest):
    with pytest.raises(SchemaError, match="5"):
        number_forest.score(numbers(3, 4))
    with pytest.raises(NotFittedError):
        IsolationForest().score(numbers(3))
