"""Small tables to grow isolation forests on: numbers, missing values, categories, duplicates, constants."""

from __future__ import annotations

import numpy as np

from anomaly_detection.features.space import Feature, FeatureSpace

MIXED = FeatureSpace(
    (
        Feature("amount", "amount"),
        Feature("country", "country", "category", 7),
        Feature("age", "age"),
        Feature("plan", "plan", "category", 3),
    )
)


def numbers(n=400, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def with_missing(X, share=0.15, seed=1):
    X = X.copy()
    X[np.random.default_rng(seed).random(X.shape) < share] = np.nan
    return X


def mixed(n=400, seed=0, missing=0.1):
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(size=n), rng.integers(0, 7, n), rng.exponential(size=n), rng.integers(0, 3, n)])
    return with_missing(X.astype(np.float32), missing, seed + 1)


ONE_COLUMN = FeatureSpace((*(Feature(f"day.{i}", "day") for i in range(4)), Feature("amount", "amount")))

CASES = {
    "features of one column": (numbers(300, 5), ONE_COLUMN),
    "numbers": (numbers(300), None),
    "missing": (with_missing(numbers(300)), None),
    "categories": (mixed(300), MIXED),
    "duplicates": (np.repeat(numbers(12, 3), 20, axis=0), None),
    "one feature": (numbers(50, 1), None),
    "mostly constant": (np.column_stack([np.ones((90, 6)), numbers(90, 1)]).astype(np.float32), None),
}
