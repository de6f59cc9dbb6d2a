"""The matrix profile, all at once and as a series goes on, against its naive twin."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series.matrix_profile import exclusion, matrix_profile
from anomaly_detection.features.series.row_profile import RowProfile

N = 130


def naive_distances(values, m):
    """(w, w) z-normalised distances; NaN where a window lacks a value or both begin too near one another."""
    windows = np.lib.stride_tricks.sliding_window_view(values, m)
    w = len(windows)
    out = np.full((w, w), math.nan)
    constant = (windows == windows[:, :1]).all(axis=1)
    for i in range(w):
        for j in range(w):
            if abs(i - j) <= math.ceil(m / 4) or np.isnan(windows[i] + windows[j]).any():
                continue
            if constant[i] or constant[j]:
                out[i, j] = 0.0 if constant[i] and constant[j] else math.sqrt(m)
                continue
            a, b = ((x - x.mean()) / x.std() for x in (windows[i], windows[j]))
            out[i, j] = np.sqrt(((a - b) ** 2).sum())
    return out


def naive_profile(values, m):
    """Distances to the nearest earlier and later window."""
    distances = naive_distances(values, m)
    earlier = np.where(np.tri(len(distances), k=-1, dtype=bool), distances, math.nan)
    later = np.where(np.tri(len(distances), k=-1, dtype=bool).T, distances, math.nan)
    return [
        np.where(np.isnan(x).all(axis=1), math.nan, np.nanmin(np.nan_to_num(x, nan=1e9), axis=1))
        for x in (earlier, later)
    ]


def example(kind):
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(N) / 5) + rng.normal(size=N)
    if kind == "walk":
        values = 1e4 + np.cumsum(values)
    if kind in {"constant", "both"}:
        values[20:60], values[75:95] = 3.0, -1.0
    if kind in {"missing", "both"}:
        values[[0, 60, 61, 110]] = math.nan
    if kind == "all constant":
        values[:] = 2.0
    if kind == "spike":
        values[70] = 1e6
    return values


@pytest.mark.parametrize("m", [3, 16, 40])
@pytest.mark.parametrize("kind", ["noise", "walk", "constant", "missing", "both", "all constant", "spike"])
def test_the_profile_equals_its_naive_twin(kind, m):
    values = example(kind)
    profile, (left, right) = matrix_profile(values, m), naive_profile(values, m)
    near = 1e-4 if kind == "spike" else 1e-6  # next to a spike, windows have few digits left
    np.testing.assert_allclose(profile.left, left, atol=near)
    np.testing.assert_allclose(profile.right, right, atol=near)
    distances = naive_distances(values, m)
    for place, distance in (
        (profile.left_place, left),
        (profile.right_place, right),
        (profile.place, profile.distance),
    ):
        there = np.flatnonzero(place >= 0)
        assert np.array_equal(place >= 0, ~np.isnan(distance))
        np.testing.assert_allclose(distances[there, place[there]], distance[there], atol=near)
    compared = profile.left_place >= 0
    assert (np.arange(len(left)) - profile.left_place > exclusion(m))[compared].all()


@pytest.mark.parametrize("m", [3, 16, 40])
@pytest.mark.parametrize("kind", ["noise", "walk", "constant", "all constant"])
def test_row_by_row_gives_the_left_profile(kind, m):
    values = example(kind)
    values -= values.mean()
    expected, _ = naive_profile(values, m)
    found, place = RowProfile.empty(m, N).advance(values)
    assert np.isnan(found[: m - 1]).all()
    np.testing.assert_allclose(np.sqrt(2 * m * found[m - 1 :]), expected, atol=1e-6)
    assert np.array_equal(place[m - 1 :] >= 0, ~np.isnan(expected))


def test_a_short_memory_compares_with_the_latest_windows_only():
    values, m, remembered = example("noise"), 16, 40
    found, place = RowProfile.empty(m, remembered).advance(values)
    distances = naive_distances(values, m)
    for i in range(5, len(distances)):
        row = distances[i, max(i - remembered + 1, 0) : i]
        assert math.sqrt(2 * m * found[i + m - 1]) == pytest.approx(np.nanmin(row), abs=1e-6)
        assert i - remembered < place[i + m - 1] < i - 4


def test_what_is_not_learned_is_no_neighbour():
    values, m = example("noise"), 16
    learn = np.ones(N, bool)
    learn[50:100] = False
    _, place = RowProfile.empty(m, N).advance(values, learn)
    assert not (set(place) & set(range(50 - m + 1, 100 - m + 1)))
    _, place = RowProfile.empty(m, N).advance(values, line=-1.0)
    assert (place[m + 5 :] <= exclusion(m)).all()


@settings(max_examples=30)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_any_chunks_give_the_same_bits(sizes):
    values = example("constant")
    whole = RowProfile.empty(8, 50).advance(values)[0]
    memory = RowProfile.empty(8, 50)
    parts = [memory.advance(part)[0] for part in np.split(values, np.minimum(np.cumsum(sizes), N))]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_rounding_does_not_add_up():
    rng = np.random.default_rng(0)
    values = rng.normal(size=6_000)
    values[100] = 1e7
    found, _ = RowProfile.empty(20, 200).advance(values)
    again, _ = RowProfile.empty(20, 200).advance(values[-400:])
    np.testing.assert_allclose(found[-150:], again[-150:], atol=1e-9)


def test_wrong_input_is_refused():
    with pytest.raises(ParameterError, match="window=2"):
        matrix_profile(np.zeros(10), 2)
    with pytest.raises(InputError, match="longer than the series, which has 10"):
        matrix_profile(np.zeros(10), 11)
    with pytest.raises(InputError, match="infinite"):
        matrix_profile(np.array([1.0, np.inf, 2.0, 3.0]), 3)
    with pytest.raises(ParameterError, match="window=2"):
        RowProfile.empty(2, 100)
    with pytest.raises(ParameterError, match="remembered=5"):
        RowProfile.empty(16, 5)
