"""Transforms: a table of known answers, and what holds of every one of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anomaly_detection.base import build
from anomaly_detection.errors import InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.features.curves import Power, yeo_johnson
from anomaly_detection.features.scaling import TRANSFORMS, Clip

GOLDEN = list(csv.DictReader((Path(__file__).parent / "golden_transforms.csv").read_text().splitlines()))
NAMES = [entry.name for entry in TRANSFORMS.entries()]
ROW_WISE = [name for name in NAMES if TRANSFORMS.load(name).row_wise]
INVERTIBLE = ["standard", "minmax", "maxabs", "robust", "log", "power", "tanh"]

numbers = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
samples = arrays(np.float64, st.tuples(st.integers(2, 30), st.just(2)), elements=numbers)
gappy = arrays(np.float64, st.tuples(st.integers(2, 30), st.just(2)), elements=numbers | st.just(np.nan))


def column(text):
    return np.array([[float(word)] for word in text.split()])


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['transform']}({case['parameters']})")
def test_known_answers(case):
    transform = build(TRANSFORMS.load(case["transform"]), json.loads(case["parameters"]))
    found = transform.fit(column(case["fit"])).transform(column(case["values"]))
    np.testing.assert_allclose(found, column(case["expected"]), rtol=1e-9, atol=1e-12)


def test_every_transform_but_power_has_a_known_answer():
    assert {case["transform"] for case in GOLDEN} == set(NAMES) - {"power"}


@pytest.mark.parametrize(
    ("x", "power", "expected"),
    [
        (3.0, 0.0, np.log(4.0)),
        (3.0, 2.0, 7.5),
        (-3.0, 2.0, -np.log(4.0)),
        (-3.0, 0.0, -7.5),
        (3.0, 0.5, 2.0),
    ],
)
def test_the_power_formula(x, power, expected):
    assert yeo_johnson(np.array([x]), power)[0] == pytest.approx(expected)


def test_power_makes_a_skewed_sample_symmetric():
    skewed = np.random.default_rng(0).gamma(2.0, size=(2000, 1)) * 1e6
    bent = Power().fit(skewed).transform(skewed)
    assert abs((bent**3).mean()) < 0.15 < (((skewed - skewed.mean()) / skewed.std()) ** 3).mean()
    assert (bent.mean(), bent.std()) == pytest.approx((0, 1))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30, deadline=None)
@given(X=gappy)
def test_missing_stays_missing_and_nothing_else_becomes_so(name, X):
    transform = TRANSFORMS.load(name)().fit(X)
    missing = np.isnan(transform.transform(X))
    if name == "difference":
        missing, X = missing[1:], X[1:] - X[:-1]
    np.testing.assert_array_equal(missing, np.isnan(X))


@pytest.mark.parametrize("name", ROW_WISE)
@settings(max_examples=30, deadline=None)
@given(X=gappy)
def test_a_row_does_not_depend_on_the_others(name, X):
    transform = TRANSFORMS.load(name)().fit(X)
    together = transform.transform(X)
    assert b"".join(transform.transform(row[None]).tobytes() for row in X) == together.tobytes()


@pytest.mark.parametrize("name", ROW_WISE)
@settings(max_examples=30, deadline=None)
@given(X=samples)
def test_order_is_kept(name, X):
    X.sort(axis=0)
    steps = np.diff(TRANSFORMS.load(name)().fit(X[::2]).transform(X), axis=0)
    assert (steps >= -1e-9).all()


@pytest.mark.parametrize("name", INVERTIBLE)
@settings(max_examples=40, deadline=None)
@given(X=samples)
def test_what_was_done_can_be_undone(name, X):
    transform = TRANSFORMS.load(name)().fit(X)
    back = transform.inverse_transform(transform.transform(X))
    np.testing.assert_allclose(back, X, rtol=1e-5, atol=1e-5 * (1 + np.abs(X).max()))


@settings(max_examples=40, deadline=None)
@given(X=samples)
def test_percentiles_of_training_values_can_be_undone(X):
    transform = TRANSFORMS.load("percentile")().fit(X)
    np.testing.assert_allclose(transform.inverse_transform(transform.transform(X)), X, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_state_gives_equal_results(name):
    X = np.random.default_rng(1).normal(size=(50, 3))
    transform = TRANSFORMS.load(name)().fit(X)
    state = {key: np.asarray(json.loads(json.dumps(value.tolist()))) for key, value in transform.state().items()}
    assert transform.clone().restore(state).transform(X).tobytes() == transform.transform(X).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_wrong_use_is_refused(name):
    transform = TRANSFORMS.load(name)()
    with pytest.raises(NotFittedError, match="Call fit first"):
        transform.transform([[1.0]])
    with pytest.raises(NotFittedError, match="Call fit first"):
        transform.state()
    with pytest.raises(InputError, match="at least one row"):
        transform.fit(np.empty((0, 2)))
    with pytest.raises(InputError, match="matrix"):
        transform.fit([1.0, 2.0])
    with pytest.raises(InputError, match="numbers"):
        transform.fit([["a"]])
    with pytest.raises(SchemaError, match="fitted on 1 features; the matrix has 2"):
        transform.fit([[1.0], [2.0]]).transform([[1.0, 2.0]])


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(INVERTIBLE) - {"percentile"}))
def test_what_cannot_be_undone_says_so(name):
    with pytest.raises(ParameterError, match="cannot be undone"):
        TRANSFORMS.load(name)().fit([[1.0], [2.0]]).inverse_transform([[1.0]])


@pytest.mark.parametrize("name", ROW_WISE)
def test_constant_and_empty_columns_stay_finite(name):
    X = np.array([[5.0, np.nan], [5.0, np.nan]])
    assert np.isfinite(TRANSFORMS.load(name)().fit(X).transform([[5.0, 1.0], [6.0, 2.0]])).all()


@settings(max_examples=30, deadline=None)
@given(X=samples, percent=st.integers(0, 40))
def test_clipped_values_lie_within_their_bounds(X, percent):
    assume(np.ptp(X) > 0)
    low, high = np.quantile(X, [percent / 100, 1 - percent / 100], axis=0)
    clipped = Clip(tail=percent / 100).fit(X).transform(X * 10)
    assert (clipped >= low - 1e-9 * np.abs(low)).all()
    assert (clipped <= high + 1e-9 * np.abs(high)).all()


def test_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(ParameterError, match=r"lower=3\.0 must not be above upper=1\.0"):
        Clip(lower=3.0, upper=1.0).fit([[1.0]])


def test_only_series_transforms_look_at_other_rows():
    assert set(NAMES) - set(ROW_WISE) == {"difference", "moving_average"}
