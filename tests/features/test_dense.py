"""Plain numbers: filled in, marked, encoded, scaled."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anomaly_detection.errors import NotFittedError, ParameterError, SchemaError
from anomaly_detection.features.dense import DenseFeatures
from anomaly_detection.features.space import Feature, FeatureSpace

SCALINGS = ["standard", "robust", "minmax", "maxabs", "none"]
NAN = np.nan
SPACE = FeatureSpace(
    (
        Feature("size", "size"),
        Feature("gap", "gap"),
        Feature("shop", "shop", "category", 3),
        Feature("item", "item", "category", 40),
    )
)
RNG = np.random.default_rng(0)


def matrix(rows):
    columns = [
        RNG.normal(size=rows),
        np.where(RNG.random(rows) < 0.2, NAN, RNG.normal(size=rows)),
        np.where(RNG.random(rows) < 0.1, NAN, RNG.integers(0, 3, rows)),
        RNG.integers(0, 40, rows),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


X = matrix(500)


def naive(dense, X):
    """One cell at a time, by the rules as they are written down."""
    out = np.empty((len(X), len(dense.features_)), dtype=np.float32)
    state = dense.state()
    for i, row in enumerate(X.astype(np.float64)):
        for j, rule in enumerate(state["rules"]):
            x = row[rule["source"]]
            name = rule["feature"]["name"]
            if name == "unexpected_missing":
                value = sum(np.isnan(row[k]) for k, gap in enumerate(state["expected"]) if not gap)
            elif name.endswith(".missing"):
                value = np.isnan(x)
            elif np.isnan(x):
                value = rule["fill"]
            elif "=" in name:
                value = x == rule["argument"]
            elif name.endswith(".frequency"):
                value = state["tables"][rule["argument"]][int(x)]
            else:
                value = x
            out[i, j] = np.float32((float(value) - rule["shift"]) * rule["factor"])
    return out


@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_kernel_agrees_with_its_naive_twin(scaling):
    dense = DenseFeatures(scaling).fit(X, SPACE)
    odd = X[:60].copy()
    odd[::7] = NAN
    odd[3] = [np.inf, -np.inf, 3, 40]
    np.testing.assert_array_equal(dense.transform(odd), naive(dense, odd))


@pytest.mark.parametrize("scaling", SCALINGS)
def test_nothing_is_missing_afterwards_and_every_feature_knows_its_column(scaling):
    dense = DenseFeatures(scaling).fit(X, SPACE)
    assert not np.isnan(dense.transform(np.full((3, 4), NAN, dtype=np.float32))).any()
    assert not dense.features_.has_categories
    assert {feature.column for feature in dense.features_.features} == {*SPACE.names, "unexpected_missing"}
    assert len(set(dense.features_.names)) == len(dense.features_)


cells = st.floats(width=32) | st.just(NAN)


@pytest.mark.parametrize("scaling", SCALINGS)
@settings(max_examples=30, deadline=None)
@given(numbers=arrays(np.float32, st.tuples(st.integers(1, 20), st.just(2)), elements=cells), data=st.data())
def test_one_row_gives_the_bits_of_the_batch(scaling, numbers, data):
    dense = DenseFeatures(scaling).fit(X, SPACE)
    codes = [
        [data.draw(st.sampled_from([NAN, 0, 1, 2, 3])), data.draw(st.sampled_from([NAN, 0, 39, 40]))] for _ in numbers
    ]
    rows = np.ascontiguousarray(np.concatenate([numbers, np.array(codes, dtype=np.float32)], axis=1))
    batch = dense.transform(rows)
    for row, expected in zip(rows, batch, strict=True):
        assert dense.transform_row(row).tobytes() == expected.tobytes()


def test_standard_numbers_have_mean_zero_and_deviation_one():
    found = DenseFeatures().fit(X, SPACE).transform(X)
    assert found[:, 0].mean() == pytest.approx(0, abs=1e-5)
    assert found[:, 0].std() == pytest.approx(1, abs=1e-5)


def test_a_category_varies_in_total_as_much_as_one_number():
    complete = X[~np.isnan(X).any(axis=1)]
    dense = DenseFeatures().fit(complete, SPACE)
    shop = [j for j, feature in enumerate(dense.features_.features) if feature.name.startswith("shop=")]
    assert dense.transform(complete)[:, shop].var(axis=0).sum() == pytest.approx(1, abs=1e-4)


def test_an_unseen_category_is_a_value_of_its_own():
    dense = DenseFeatures("none").fit(X, SPACE)
    row = np.array([0, 0, 3, 0], dtype=np.float32)
    shop = [j for j, feature in enumerate(dense.features_.features) if feature.name.startswith("shop=")]
    assert dense.transform_row(row)[shop].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_missing_numbers_become_the_median_and_are_marked():
    dense = DenseFeatures("none").fit(X, SPACE)
    names = dense.features_.names
    found = dict(zip(names, dense.transform_row(np.array([0, NAN, 0, 0], dtype=np.float32)).tolist(), strict=True))
    assert found["gap"] == np.float32(np.nanmedian(X[:, 1].astype(np.float64)))
    assert (found["gap.missing"], found["unexpected_missing"]) == (1.0, 0.0)
    assert "size.missing" not in names


def test_gaps_where_training_had_none_are_counted():
    dense = DenseFeatures("none").fit(X, SPACE)
    row = np.array([NAN, NAN, 0, NAN], dtype=np.float32)
    assert dense.transform_row(row)[dense.features_.names.index("unexpected_missing")] == 2.0


def test_a_rare_category_is_not_infinitely_far():
    rare = np.zeros((10_000, 1), dtype=np.float32)
    rare[0] = 1
    dense = DenseFeatures().fit(rare, FeatureSpace((Feature("c", "c", "category", 2),)))
    assert np.linalg.norm(dense.transform(rare[:1]) - dense.transform(rare[1:2])) < 10


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_constant_or_empty_feature_stays_finite(scaling):
    flat = np.array([[5, NAN], [5, NAN]], dtype=np.float32)
    dense = DenseFeatures(scaling).fit(flat, FeatureSpace.of_numbers(2))
    assert np.isfinite(dense.transform(np.array([[5, NAN], [6, 1]], dtype=np.float32))).all()


def test_min_max_scales_the_training_range_to_zero_and_one():
    numbers = np.array([[10], [20], [15]], dtype=np.float32)
    assert DenseFeatures("minmax").fit(numbers, FeatureSpace.of_numbers(1)).transform(numbers)[:, 0].tolist() == [
        0,
        1,
        0.5,
    ]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_state_survives_json_to_the_bit(scaling):
    dense = DenseFeatures(scaling).fit(X, SPACE)
    again = DenseFeatures(scaling).restore(json.loads(json.dumps(dense.state()).encode()))
    assert again.transform(X).tobytes() == dense.transform(X).tobytes()
    assert again.features_ == dense.features_


def test_wrong_use_is_refused():
    with pytest.raises(NotFittedError):
        DenseFeatures().transform(X)
    with pytest.raises(ParameterError, match="scaling='weird'"):
        DenseFeatures("weird").fit(X, SPACE)
    with pytest.raises(SchemaError, match="3 columns; these features need 4"):
        DenseFeatures().fit(X, SPACE).transform(X[:, :3])
