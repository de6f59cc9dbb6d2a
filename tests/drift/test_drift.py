"""Streams that change are noticed, streams that do not are left alone."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.drift import (
    Adwin,
    CalibrationMonitor,
    Martingale,
    PageHinkley,
    apart,
)
from anomaly_detection.drift.adwin import BUCKETS
from anomaly_detection.drift.two_sample import chi_square, kolmogorov_smirnov, population_stability, wasserstein
from anomaly_detection.errors import ArtifactError, InputError, ParameterError


def uniform(n, seed=0):
    return np.random.default_rng(seed).random(n)


# -- martingale ---------------------------------------------------------------------------------------------------


def naive_capital(p_value, jump):
    """Five bettors with their money in a list."""
    money = [0.2] * 5
    path = []
    for p in p_value:
        whole = sum(money)
        money = [(1 - jump) * each + jump * whole / 5 for each in money]
        money = [each * e * p ** (e - 1) for each, e in zip(money, (1.0, 0.8, 0.6, 0.4, 0.2), strict=True)]
        path.append(math.log10(sum(money)))
    return path


def test_the_capital_is_that_of_five_bettors():
    p = uniform(300) ** 2
    np.testing.assert_allclose(Martingale(jump=0.01).follow(p), naive_capital(p, 0.01), rtol=1e-9, atol=1e-9)


def test_false_alarms_are_as_rare_as_promised():
    highest = [Martingale().follow(uniform(1000, seed)).max() for seed in range(400)]
    assert np.mean(np.array(highest) >= 1.0) <= 0.1
    assert np.mean(np.array(highest) >= 2.0) <= 0.01 + 0.01


def test_larger_and_tied_p_values_raise_no_capital():
    assert Martingale().follow(np.ones(5000)).max() <= 0.0
    assert Martingale().follow(np.ceil(uniform(5000) * 10) / 10).max() < 2.0


def test_a_late_change_is_noticed_soon():
    p = uniform(6000)
    p[5000:] **= 3
    path = Martingale().follow(p)
    assert path[4999] < 1.0
    assert np.flatnonzero(path >= 6.0)[0] < 5150


# -- monitor ------------------------------------------------------------------------------------------------------


def test_the_monitor_speaks_of_the_last_rows_only():
    monitor = CalibrationMonitor()
    monitor.follow(uniform(700))
    assert monitor.note() is None
    monitor.follow(uniform(600, 1) ** 4)
    assert "the p-values of the last 300 rows are not those of training (martingale 1e" in monitor.note()
    monitor.follow(uniform(1200, 2))
    assert monitor.note() is None


def test_related_rows_are_looked_at_apart():
    slow = np.repeat(uniform(200), 20)
    assert CalibrationMonitor(apart(slow)).every > 10
    monitor = CalibrationMonitor(apart(slow))
    for seed in range(20):
        monitor.follow(np.repeat(uniform(200, seed), 20))
        assert monitor.note() is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1300), max_size=4), st.integers(1, 30))
def test_monitors_go_on_alike_in_any_chunks_and_when_saved(cuts, every):
    p = uniform(1300, every) ** 3
    whole, parts = CalibrationMonitor(every), CalibrationMonitor(every)
    whole.follow(p)
    for part in np.split(p, sorted(cuts)):
        parts.follow(part)
        spec, arrays = parts.state()
        parts = CalibrationMonitor.from_state(json.loads(json.dumps(spec)), arrays)
    assert parts.state()[0] == whole.state()[0]
    np.testing.assert_array_equal(parts.state()[1]["totals"], whole.state()[1]["totals"])


def test_monitors_refuse_nonsense():
    with pytest.raises(ParameterError, match="every=0 has to be at least 1"):
        CalibrationMonitor(0)
    spec, _ = Martingale().state()
    with pytest.raises(ArtifactError, match="lacks its capital"):
        Martingale.from_state(spec, {})


# -- means of streams ---------------------------------------------------------------------------------------------


def naive_page_hinkley(values, fewest, delta, line, forget):
    seen = mean = up = down = 0.0
    found = []
    for i, value in enumerate(values):
        if math.isnan(value):
            continue
        seen += 1
        mean += (value - mean) / seen
        up = max(0.0, forget * up + value - mean - delta)
        down = max(0.0, forget * down - (value - mean) - delta)
        if seen >= fewest and max(up, down) > line:
            found.append(i)
            seen = mean = up = down = 0.0
    return found


def steps(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=1500) + np.repeat([0.0, 2.0, -1.0], 500)
    values[rng.integers(0, 1500, 20)] = np.nan
    return values


@pytest.mark.parametrize("seed", range(3))
def test_page_hinkley_is_its_naive_twin_and_finds_steps(seed):
    values = steps(seed)
    found = np.flatnonzero(PageHinkley(20, 0.01, 30.0, 0.999).follow(values))
    assert found.tolist() == naive_page_hinkley(values, 20, 0.01, 30.0, 0.999)
    assert any(500 <= place < 560 for place in found)
    assert any(1000 <= place < 1060 for place in found)


def naive_adwin(values, delta, every):
    """Buckets as lists of the values themselves, the oldest first."""
    buckets, found, seen = [], [], 0
    for i, value in enumerate(values):
        if math.isnan(value):
            continue
        buckets.append([value])
        size = 1
        while sum(len(each) == size for each in buckets) > BUCKETS:
            first = next(k for k, each in enumerate(buckets) if len(each) == size)
            buckets[first : first + 2] = [buckets[first] + buckets[first + 1]]
            size *= 2
        seen += 1
        while seen % every == 0 and naive_cut(buckets, delta):
            buckets.pop(0)
            found.append(i)
    return sorted(set(found)), sum(map(len, buckets))


def naive_cut(buckets, delta):
    every = np.array([value for each in buckets for value in each])
    n = len(every)
    if n <= 10:
        return False
    doubt = math.log(2 * math.log(n) / delta)
    for size in np.cumsum([len(each) for each in buckets]):
        if size <= 5 or n - size <= 5:
            continue
        part = 1 / (size - 4) + 1 / (n - size - 4)
        allowed = math.sqrt(2 * part * every.var() * doubt) + 2 / 3 * part * doubt
        if abs(every[:size].mean() - every[size:].mean()) > allowed:
            return True
    return False


@pytest.mark.parametrize("seed", range(3))
def test_adwin_is_its_naive_twin_and_finds_steps(seed):
    values = steps(seed)
    adwin = Adwin(0.002, 8)
    found = np.flatnonzero(adwin.follow(values)).tolist()
    assert (found, adwin.length) == naive_adwin(values, 0.002, 8)
    assert any(500 <= place < 540 for place in found)
    assert any(1000 <= place < 1040 for place in found)
    assert adwin.mean == pytest.approx(-1.0, abs=0.3)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 1500), max_size=4))
@pytest.mark.parametrize("make", [Adwin, lambda: PageHinkley(line=20.0)])
def test_means_in_any_chunks_are_the_same(make, cuts):
    values = steps(0)
    whole, parts = make(), make()
    found = [parts.follow(part) for part in np.split(values, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate(found), whole.follow(values))


def test_a_stream_that_stays_is_left_alone():
    values = np.random.default_rng(5).normal(size=20_000)
    assert not Adwin().follow(values).any()
    assert not PageHinkley(delta=0.1).follow(values).any()


def test_parameters_out_of_range_are_refused():
    with pytest.raises(ParameterError, match="delta=2"):
        Adwin(delta=2).follow([1.0])
    with pytest.raises(ParameterError, match="line=0"):
        PageHinkley(line=0).follow([1.0])


# -- two samples --------------------------------------------------------------------------------------------------

TESTS = [kolmogorov_smirnov, wasserstein, population_stability]


@pytest.mark.parametrize("test", TESTS)
def test_effects_do_not_grow_with_the_number_of_rows(test):
    rng = np.random.default_rng(0)
    same = test(rng.normal(size=50_000), rng.normal(size=50_000))
    shifted = test(rng.normal(size=50_000), rng.normal(1.0, 1.0, size=50_000))
    assert same.size == "none"
    assert shifted.size == "large"
    assert same.p_value is None or (same.p_value > 1e-3 and shifted.p_value < 1e-10)


@pytest.mark.parametrize("test", TESTS)
def test_constant_samples_are_compared_too(test):
    assert test(np.ones(50), np.ones(60)).size == "none"
    assert test(np.ones(50), np.full(60, 3.0)).effect > 0 or test is population_stability
    with pytest.raises(InputError, match="has no values"):
        test([math.nan], [1.0])


def test_categories_that_come_and_go():
    same = chi_square(["a", "b", None] * 100, ["b", "a", None] * 90)
    new = chi_square(["a", "b"] * 100, ["a", "c"] * 100)
    assert (same.size, new.size) == ("none", "large")
    assert new.p_value < 1e-10
    assert chi_square(["a"], ["a"]).effect == 0.0
    with pytest.raises(InputError, match="got 0 and 1 values"):
        chi_square([], ["a"])
