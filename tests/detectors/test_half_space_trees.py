"""Half-space trees: equal to the naive twin, and what they are good at and what they miss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.half_space_trees import HalfSpaceTrees, work_ranges
from anomaly_detection.errors import ArtifactError
from detectors import naive_half_space


def crowd(n=400, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


@pytest.mark.parametrize("width", [1, 3, 300])
@pytest.mark.parametrize(("depth", "window"), [(1, 2), (5, 20), (6, 100), (7, 300)])
def test_scores_as_the_naive_twin_row_by_row(width, depth, window):
    first, rows = crowd(30, width), crowd(130, width, seed=1) * np.float32(2)
    rows[30:] += np.float32(20)  # beyond the ranges
    trees = HalfSpaceTrees(4, depth, window, random_state=3).fit(first)
    twin = naive_half_space.Trees(first, 4, depth, window, 3)
    for row in first:
        twin.learn(row)
    expected = []
    for row in rows:
        expected.append(twin.score(row))
        twin.learn(row)
    assert trees.score_update(rows) == pytest.approx(expected, abs=1e-9)
    assert trees.seen_.tolist() == [twin.seen, twin.plantings]
    assert trees.seen_[1] == 0 if window == 300 else trees.seen_[1] > 0


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 120), max_size=5), seed=st.integers(0, 9), window=st.sampled_from([2, 25, 120, 500])
)
def test_any_chunking_leads_to_the_same_state(cuts, seed, window):
    rows = crowd(120, seed=seed)
    rows[70:] += np.float32(20)
    whole, parts = (HalfSpaceTrees(3, 5, window).fit(crowd(10)) for _ in range(2))
    whole.update(rows)
    for part in np.split(rows, sorted(cuts)):
        parts.update(part)
    assert all(np.array_equal(array, parts.state()[name]) for name, array in whole.state().items())


def test_a_few_wild_values_do_not_stretch_the_ranges():
    rows = crowd(1000)
    wild = rows.copy()
    wild[::200] *= 1e6
    assert work_ranges(wild) == pytest.approx(work_ranges(rows), rel=0.1)


def test_nearly_constant_columns_keep_their_range():
    column = np.zeros((1000, 1), np.float32)
    column[:3] = 8
    assert work_ranges(column).ravel().tolist() == [-6.0, 14.0]


def test_a_value_beyond_the_range_counts_as_at_its_end():
    trees = HalfSpaceTrees().fit(crowd())
    end, beyond = trees.score([[9.0, 0, 0], [9e9, 0, 0]])
    assert end == beyond


def test_a_new_reference_takes_over_when_a_window_is_full():
    trees = HalfSpaceTrees(window_size=100).fit(crowd(100))
    moved = crowd(100, seed=1) + np.float32(1.5)
    before = trees.score(moved)
    assert np.array_equal(trees.update(moved[:99]).score(moved), before)
    assert np.median(trees.update(moved[99:]).score(moved)) < np.median(before) - 1


def test_trees_are_drawn_anew_when_values_have_left_their_ranges():
    trees = HalfSpaceTrees(window_size=100).fit(crowd(100))
    moved = crowd(400, seed=1) + np.float32([50, 0, 0])
    blind = trees.score([[50, 0, 0], [57, 0, 0]])
    assert trees.update(moved[:100]).seen_.tolist() == [50, 1]
    near, far = trees.update(moved[100:]).score([[50, 0, 0], [57, 0, 0]])
    assert blind[0] == blind[1]
    assert near < far - 2


def test_masses_take_a_byte_where_a_window_has_fewer_than_256_rows():
    small, large = (HalfSpaceTrees(2, 3, window).fit(crowd()) for window in (255, 256))
    assert (small.latest_.itemsize, large.latest_.itemsize) == (1, 2)
    assert HalfSpaceTrees(2, 3).fit(crowd(20, 257)).splits_.dtype == np.uint16


def test_anomalies_that_fill_a_window_are_taken_for_normal():
    rows = crowd(500)
    one = HalfSpaceTrees().fit(rows).score([[4.0, -4.0, 4.0]])
    rows[::4] = [4.0, -4.0, 4.0]
    many = HalfSpaceTrees().fit(rows).score([[4.0, -4.0, 4.0]])
    assert many < 0 < one


DAMAGES = {
    "splits_": lambda a: np.full_like(a, 3),
    "cuts_": lambda a: a[:, :-1],
    "reference_": lambda a: np.full_like(a, 255),
    "latest_": lambda a: a.astype(np.uint32),
    "work_ranges_": lambda a: a[::-1],
    "sample_": lambda a: a * np.float32(np.nan),
    "beyond_": lambda a: a[1:],
    "seen_": lambda a: a * 0,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_state_is_refused(name):
    trees = HalfSpaceTrees(3, 4).fit(crowd())
    state = trees.state()
    with pytest.raises(ArtifactError, match="HalfSpaceTrees on"):
        HalfSpaceTrees(3, 4).restore({**state, name: DAMAGES[name](state[name])}, trees.features_)
