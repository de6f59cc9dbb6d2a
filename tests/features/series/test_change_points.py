"""Change points: what is found, named, and left alone."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.features.series._change_kernels import best_cut, running_sums, stretch_cost
from anomaly_detection.features.series._undisturbed import long_run_variance, season_length, without_spikes
from anomaly_detection.features.series.change_points import find_change_points

ROWS = np.arange(400)


def noise(seed, n=400):
    return np.random.default_rng(seed).normal(size=n)


def naive_cost(values, weights, slope_penalty):
    """What a stretch costs, by least squares."""
    total, slope_penalty = 0.0, slope_penalty if len(values) > 2 else math.inf
    for x, w in zip(values.T, weights.T, strict=True):
        there = w > 0
        if not there.any():
            continue
        total += _least_squares(x[there], w[there], np.flatnonzero(there), slope_penalty)
    return total


def _least_squares(x, w, rows, slope_penalty):
    level = (w * (x - np.average(x, weights=w)) ** 2).sum()
    if len(rows) < 2 or slope_penalty == math.inf:
        return level
    line = np.polyval(np.polyfit(rows, x, 1, w=np.sqrt(w)), rows)
    return min(level, (w * (x - line) ** 2).sum() + slope_penalty)


def naive_cut(values, weights, penalty, slope_penalty, fewest):
    """The least sum of costs and penalties, with every start tried, and its cuts."""
    n = len(values)
    best = [(-penalty, [])] + [(math.inf, [])] * n
    for end in range(fewest, n + 1):
        best[end] = min(
            (best[start][0] + naive_cost(values[start:end], weights[start:end], slope_penalty) + penalty, start)
            for start in range(end - fewest + 1)
        )
        start = best[end][1]
        best[end] = best[end][0], [*best[start][1], start] if start else []
    return best[n]


@pytest.mark.parametrize("slope_penalty", [math.inf, 4.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_cut_equals_its_naive_twin(seed, slope_penalty):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(40, 2)) + 3.0 * (np.arange(40)[:, None] >= [15, 25])
    weights = np.where(rng.random((40, 2)) < 0.1, 0.0, rng.uniform(0.5, 2.0, (40, 2)))
    sums = running_sums(values, weights)
    cuts = best_cut(sums, 6.0, slope_penalty, 3, 1).tolist()
    least, expected = naive_cut(values, weights, 6.0, slope_penalty, 3)
    assert cuts == expected
    edges = [0, *cuts, 40]
    costs = [stretch_cost(sums, a, b, slope_penalty) for a, b in pairwise(edges)]
    assert sum(costs) + 6.0 * len(cuts) == pytest.approx(least)


@pytest.mark.parametrize("seed", range(5))
def test_a_new_level_is_found_where_it_begins(seed):
    (change,) = find_change_points(noise(seed) + 4.0 * (ROWS >= 250))
    assert abs(change.row - 250) <= 1
    assert change.kind == "level"
    assert change.size == pytest.approx(4.0, abs=0.5)
    assert change.sure > 0.99


def test_a_new_slope_is_a_trend():
    (change,) = find_change_points(0.5 * noise(0) + 0.1 * np.maximum(ROWS - 250, 0))
    assert abs(change.row - 250) <= 10
    assert change.kind == "trend"
    assert (change.before, change.after) == (pytest.approx(0, abs=0.01), pytest.approx(0.1, abs=0.01))


@pytest.mark.parametrize("factor", [0.0, 3.0])
def test_another_scatter_is_a_variance(factor):
    (change,) = find_change_points(noise(1) * np.where(ROWS < 200, 1.0, factor))
    assert abs(change.row - 200) <= 10
    assert change.kind == "variance"
    assert change.after == pytest.approx(factor * change.before, rel=0.3)


def test_a_season_that_begins_ends_or_changes_is_named_with_its_length():
    first, second = np.sin(ROWS * 2 * np.pi / 12), np.sin(ROWS * 2 * np.pi / 20)
    for before, after, lengths in ((first, second, (12, 20)), (0, first, (0, 12)), (first, 0, (12, 0))):
        (change,) = find_change_points(np.where(ROWS < 200, before, after) + 0.3 * noise(3))
        assert abs(change.row - 200) <= 20
        assert (change.kind, change.before, change.after) == ("season", *lengths)


def test_a_level_below_a_season_is_found():
    values = 3.0 * np.sin(ROWS * 2 * np.pi / 12) + 0.5 * noise(2) + 2.0 * (ROWS >= 150)
    assert [change.row for change in find_change_points(values)] == [150]


def test_noise_seasons_and_spikes_are_no_changes():
    calm = [noise(seed) for seed in range(10)]
    calm += [np.sin(ROWS * 2 * np.pi / 24) + 0.3 * noise(seed) for seed in range(10)]
    assert sum(len(find_change_points(values)) for values in calm) == 0
    spiky = noise(0)
    spiky[[50, 51, 200]] = 1e6
    assert find_change_points(spiky) == []


def test_missing_values_weigh_nothing():
    values = noise(0) + 5.0 * (ROWS >= 200)
    values[::7] = np.nan
    values[230:260] = np.nan
    (change,) = find_change_points(values)
    assert abs(change.row - 200) <= 1


def test_the_channel_that_changed_is_named():
    values = np.column_stack([noise(0), noise(1) + 3.0 * (ROWS >= 120), noise(2)])
    (change,) = find_change_points(values)
    assert abs(change.row - 120) <= 4
    assert change.channel == 1


@pytest.mark.parametrize("values", [np.ones(50), np.full(50, np.nan), np.array([1.0, 9.0] * 3), np.empty((0, 2))])
def test_nothing_changes_in_constant_empty_and_short_series(values):
    assert find_change_points(values) == []


def test_a_step_without_noise_and_few_rows():
    (change,) = find_change_points(np.repeat([0.0, 1.0], 8))
    assert (change.row, change.before, change.after) == (8, 0.0, 1.0)


def test_long_series_are_cut_as_exactly():
    rows = np.arange(25_000)
    values = noise(0, len(rows)) + 3.0 * (rows // 5_000 % 2)
    found = [change.row for change in find_change_points(values)]
    assert len(found) == 4
    assert np.abs(np.array(found) - [5_000, 10_000, 15_000, 20_000]).max() <= 2


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(1e-3, 1e3), st.floats(-1e4, 1e4))
def test_other_units_change_no_row(seed, scale, shift):
    values = noise(seed, 120) + 3.0 * (np.arange(120) >= 70)
    rows = [change.row for change in find_change_points(values)]
    assert [change.row for change in find_change_points(values * scale + shift)] == rows


def test_seasons_spikes_and_noise_have_the_definition_they_name():
    assert season_length(np.sin(ROWS * 2 * np.pi / 24) + 0.05 * noise(0)) == 24
    assert season_length(noise(0)) == 0
    assert without_spikes(np.array([1.0, 1, 1, 9, 9, 1, 1, 1, 1, 1] * 1 + [1.0] * 20)).tolist() == [1.0] * 30
    assert long_run_variance(noise(0, 5000), 17) == pytest.approx(1.0, rel=0.15)
    slow = np.convolve(noise(0, 5000), np.ones(3), "valid")
    assert long_run_variance(slow, 17) == pytest.approx(9.0, rel=0.35)


@pytest.mark.parametrize("period", [7, 12, 24, 30.5])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_a_season_without_noise_has_no_changes(period, offset):
    assert find_change_points(offset + np.sin(np.arange(240) * 2 * np.pi / period)) == []
