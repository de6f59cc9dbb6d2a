"""The array loops of forecasters say what their slow twins say."""

import numpy as np
import pytest

from anomaly_detection.forecasters._ets_kernels import smooth, try_out
from anomaly_detection.forecasters._fourier_fit import WAYS, leaning, stride_of
from anomaly_detection.forecasters._fourier_kernels import go_on, sizes
from anomaly_detection.forecasters._loess_kernels import loess
from forecasters import naive_forecasts as naive

H = 17


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    ring = rng.normal(size=(3, 4, 6)).cumsum(axis=2)
    ring[0, 1, 2] = ring[1, 2, :] = np.nan
    return rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4, H)), ring


def channel(parts, c):
    return (one[:, c] for one in parts)


def test_ways_are_measured(parts):
    level, slope, season, ring = parts
    actual = np.random.default_rng(1).normal(size=(4, H))
    actual[0, 3] = actual[3, :] = np.nan
    size = np.empty((len(WAYS), 4))
    sizes(WAYS, level, slope, season, leaning(ring), ring, actual, 2, size)
    for c in range(4):
        for w, way in enumerate(WAYS):
            errors = np.abs(actual[c] - naive.one_way(way, *channel(parts, c), H))[::2]
            expected = np.nan if np.isnan(errors).all() else np.nanmean(errors)
            assert size[w, c] == pytest.approx(expected, nan_ok=True)


def test_ways_are_mixed(parts):
    level, slope, season, ring = parts
    weight = np.random.default_rng(2).dirichlet(np.ones(len(WAYS)), size=4).T.copy()
    out = np.empty((4, H))
    go_on(WAYS, weight, level, slope, season, leaning(ring), ring, out)
    for c in range(4):
        every = np.array([naive.one_way(way, *channel(parts, c), H) for way in WAYS])
        np.testing.assert_allclose(out[c], weight[:, c] @ every)


def test_smoothing():
    rng = np.random.default_rng(3)
    values = 5 + np.tile([0.0, 2.0, -1.0], 20) + rng.normal(0, 0.3, 60)
    values[[7, 30]] = [50.0, np.nan]
    rates, first = np.array([0.3, 0.05, 0.2, 0.9]), np.array([5.0, 0.1, 0.4, 0.0, 2.0, -1.0])
    state, errors = first.copy(), np.empty((2, 8))
    size = smooth(values, rates, state, 6, np.array([24, 55]), 8, errors)
    expected, expected_size = naive.smooth(values, rates, first, 6)
    np.testing.assert_allclose(state, expected)
    assert size == pytest.approx(expected_size)
    before, _ = naive.smooth(values[:24], rates, first, 6)
    np.testing.assert_allclose(errors[0], values[24:32] - naive.carry_on(rates, before, 24, 8))
    assert np.isnan(errors[1]).tolist() == [False] * 5 + [True] * 3


def test_carrying_on():
    rates, state = np.array([0.3, 0.05, 0.2, 0.9]), np.array([5.0, 0.1, 0.4, 0.0, 2.0])
    found = np.empty(5)
    try_out(np.zeros(6), rates, state, 1, 5, found)
    np.testing.assert_allclose(-found, naive.carry_on(rates, state, 1, 5))


@pytest.mark.parametrize(("n", "span"), [(30, 7), (10, 25), (3, 11), (1, 5)])
def test_local_regression(n, span):
    rng = np.random.default_rng(n)
    values, weights = rng.normal(size=n), rng.uniform(0.1, 1.0, n)
    out = np.empty(n + 2)
    loess(values, weights, span, 1, 1, out)
    expected = [naive.loess(values, weights, span, place) for place in range(-1, n + 1)]
    np.testing.assert_allclose(out, expected, atol=1e-6)


def test_local_regression_without_weight_is_a_mean():
    out = np.empty(4)
    loess(np.array([1.0, 2.0, 3.0, 6.0]), np.zeros(4), 4, 0, 0, out)
    np.testing.assert_allclose(out, 3.0)


def test_strides_divide_neither_days_nor_weeks():
    assert [stride_of(h) for h in (1, 48, 49, 168, 288, 1000)] == [1, 1, 5, 5, 11, 23]
