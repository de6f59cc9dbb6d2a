"""Contributions: equal to the definition, to SHAP's library, and what the axioms say."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.isolation_forest import IsolationForest
from anomaly_detection.detectors.knn import KNN
from anomaly_detection.explain import shapley as module
from anomaly_detection.explain.shapley import EXACT_COLUMNS, contributions, drawn_orders
from anomaly_detection.features.space import Feature, FeatureSpace
from explain.naive_shapley import shapley


def crooked(X):
    """A score with terms of one, two and three columns, that tells missing values from others."""
    X = np.where(np.isnan(X), 7.0, X).astype(np.float64)
    following = np.roll(X, -1, axis=1)
    return (
        np.abs(X) @ np.arange(1.0, X.shape[1] + 1)
        + (X * following).sum(axis=1)
        + X[:, 0] * X[:, 1 % X.shape[1]] * X[:, -1]
    )


def rows(n, width, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


@pytest.mark.parametrize("detector", [IsolationForest(n_estimators=20), KNN()])
def test_few_columns_equal_the_mean_over_all_orders(detector):
    space = FeatureSpace(tuple(Feature(f"f{i}", column) for i, column in enumerate("aabccd")))
    detector.fit(rows(200, 6), space)
    references, row = rows(3, 6, seed=1), np.float32([4, 0, -3, 1, np.float32(2.5), 0])
    expected = shapley(detector.score, row, references, list(space.columns().values()))
    found = contributions(detector.score, row[None], references, space)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore")  # of what SHAP imports
@pytest.mark.needs_extra("shap")
@pytest.mark.parametrize("width", [4, 12])
def test_shaps_library_says_the_same(width):
    shap = import_module("shap")
    references, row = rows(2, width, seed=2), rows(1, width, seed=3) * 3
    explainer = shap.KernelExplainer(crooked, references.astype(np.float64))
    expected = explainer.shap_values(row[0].astype(np.float64), nsamples=2**width, silent=True)
    found = contributions(crooked, row, references, FeatureSpace.of_numbers(width))[0]
    tolerance = 1e-6 if width <= EXACT_COLUMNS else 0.1 * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, atol=tolerance)


@settings(max_examples=25, deadline=None)
@given(width=st.integers(1, 14), seed=st.integers(0, 1000), missing=st.booleans())
def test_contributions_add_up_to_the_score_less_that_of_the_normal_rows(width, seed, missing):
    references, row = rows(1, width, seed), rows(1, width, seed + 1)
    if missing:
        row[0, seed % width] = np.nan
    found = contributions(crooked, row, references, FeatureSpace.of_numbers(width))[0]
    assert found.sum() == pytest.approx(crooked(row)[0] - crooked(references)[0], abs=1e-6)


@pytest.mark.parametrize("width", [5, 20])
def test_a_column_that_the_score_minds_not_or_that_is_normal_adds_nothing(width):
    references, row = rows(4, width), rows(1, width, seed=1)
    row[0, 2] = references[:, 2] = 0.5

    def blind(X):
        return crooked(np.delete(X, 3, axis=1))

    found = contributions(blind, row, references, FeatureSpace.of_numbers(width))[0]
    assert found[3] == pytest.approx(0, abs=1e-12)
    assert found[2] == pytest.approx(0, abs=1e-12)
    assert np.abs(found[[0, 1]]).min() > 1e-3


def test_columns_that_do_the_same_add_the_same():
    references, row = np.zeros((1, 6), np.float32), np.ones((1, 6), np.float32)
    found = contributions(lambda X: X.sum(axis=1) ** 2.0, row, references, FeatureSpace.of_numbers(6))[0]
    np.testing.assert_allclose(found, 6.0)


def test_the_features_of_one_column_go_in_together():
    space = FeatureSpace((*(Feature(f"t{i}", "text") for i in range(3)), Feature("n", "n")))
    found = contributions(
        lambda X: X[:, :3].prod(axis=1) + X[:, 3], np.ones((1, 4), np.float32), np.zeros((1, 4)), space
    )
    np.testing.assert_allclose(found, [[1.0, 1.0]])


def test_drawn_orders_are_near_the_exact_values_and_always_the_same(monkeypatch):
    references, row = rows(1, 8), 2 * rows(1, 8, seed=1)
    space = FeatureSpace.of_numbers(8)
    exact = contributions(crooked, row, references, space)
    monkeypatch.setattr(module, "EXACT_COLUMNS", 0)
    drawn = contributions(crooked, row, references, space)
    assert np.abs(drawn - exact).max() < 0.15 * np.abs(exact).max()
    assert not np.array_equal(drawn, exact)
    np.testing.assert_array_equal(drawn, contributions(crooked, row, references, space))


def test_parts_of_the_orders_add_up_to_the_whole(monkeypatch):
    references, row = rows(3, 30), rows(1, 30, seed=1)
    space = FeatureSpace.of_numbers(30)
    whole = contributions(crooked, row, references, space)
    monkeypatch.setattr(module, "LARGEST", 1)
    np.testing.assert_allclose(contributions(crooked, row, references, space), whole, atol=1e-6)


@pytest.mark.parametrize("width", [9, 20, 300])
def test_every_second_order_is_the_reverse_and_few_scorings_are_needed(width):
    orders = drawn_orders(width)
    np.testing.assert_array_equal(orders[1::2], orders[::2, ::-1])
    assert len(orders) * width <= max(4 * width, 1024)
