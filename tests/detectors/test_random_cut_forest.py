"""Random cut forest: equal to the naive twin, true to its sample, and what it is good at."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.random_cut_forest import RandomCutForest
from anomaly_detection.errors import ArtifactError
from detectors import naive_cut_forest as naive


def crowd(n=200, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def few_values(n, seed):
    """Many rows equal one another."""
    return np.random.default_rng(seed).integers(0, 3, size=(n, 2)).astype(np.float32)


def twins_of(forest):
    """A naive tree for each, with its seed, that was shown nothing."""
    seeds = np.random.SeedSequence(forest.random_state).generate_state(forest.n_trees, np.uint64)
    return [naive.Tree(forest.sample_size, forest.time_decay, int(seed)) for seed in seeds]


@pytest.mark.parametrize("decay", [0.0, 0.05])
@pytest.mark.parametrize("size", [2, 16, 500])
@pytest.mark.parametrize("table", [crowd(120), crowd(120) * np.float32(1e30), few_values(120, 0)])
def test_grows_the_trees_of_the_naive_twin_and_scores_alike(table, size, decay):
    forest = RandomCutForest(3, size, decay, random_state=4).fit(table[:20]).update(table[20:])
    twins = twins_of(forest)
    for twin in twins:
        for row in table:
            twin.show(row)
    assert [naive.shape_of(forest, t) for t in range(3)] == [twin.root.shape() for twin in twins]
    rows = np.concatenate([table[:6], table[:6] * np.float32(1.5), table[-3:] - np.float32(9)])
    expected = [float(sum(twin.expected_displacement(row) for twin in twins) / 3) for row in rows]
    assert forest.score(rows) == pytest.approx(expected, rel=1e-9)


def test_the_score_is_what_inserting_the_row_displaces_on_average():
    tree = naive.Tree(12, 0.0, seed=1)
    for row in crowd(12, seed=5):
        tree.show(row)
    row = (1.5, -0.5, 2.0)
    expected = float(tree.expected_displacement(row)) * 12
    found = []
    for seed in range(1500):
        root = naive.insert(copy.deepcopy(tree.root), row, naive.SplitMix(seed))
        found.append(naive.displacement(root, row))
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / np.sqrt(1500))


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.sampled_from([-2.0, 0.0, 1e-30, 1.0, 3e37])] * 2), min_size=2, max_size=60),
    size=st.integers(2, 20),
    cut=st.integers(0, 60),
)
def test_arrays_stay_sound_whatever_comes(rows, size, cut):
    forest = RandomCutForest(2, size, 0.3).fit(rows)
    forest.update(np.array(rows)[:cut])
    restored = RandomCutForest(2, size, 0.3).restore(forest.state(), forest.features_)
    assert np.array_equal(restored.score(rows), forest.score(rows))
    assert np.all((forest.score(rows) >= 0) & (forest.score(rows) <= 1))


def kept(forest):
    """The numbers of the rows in the samples, when rows are numbered by their only column."""
    return np.concatenate([forest.points_[t, forest.leaves_[t], 0] for t in range(forest.n_trees)])


def test_without_decay_the_sample_is_uniform():
    table = np.arange(2000, dtype=np.float32)[:, None]
    numbers = kept(RandomCutForest(40, 50, time_decay=0.0).fit(table))
    assert numbers.mean() == pytest.approx(1000, abs=4 * 577 / np.sqrt(2000))
    assert (numbers < 200).mean() == pytest.approx(0.1, abs=0.03)


def test_with_decay_rows_are_kept_by_their_age():
    table = np.arange(4000, dtype=np.float32)[:, None]
    numbers = kept(RandomCutForest(40, 20, time_decay=0.005).fit(table))
    ages = 3999 - numbers
    assert np.mean(ages) == pytest.approx(200, rel=0.2)


def test_far_and_farther_rows_are_told_apart():
    near, far, farther = RandomCutForest().fit(crowd(500)).score([[4.0, 0, 0], [40.0, 0, 0], [4000.0, 0, 0]])
    assert near < far < farther < 1


def test_a_group_of_equal_anomalies_does_not_hide_itself_but_weighs_less():
    rows = crowd(500)
    rows[-10:] = 8
    scores = RandomCutForest(sample_size=500).fit(rows).score(rows)
    assert scores[-1] > np.quantile(scores[:-10], 0.9)
    assert scores[-1] < 0.2 * RandomCutForest().fit(rows[:-10]).score(rows[-1:])[0]


def test_features_on_other_scales_hide_the_small_ones():
    rows = crowd(500)
    rows[:, 0] *= 1000
    odd = np.array([[0.0, 8.0, 0.0]])
    blind, seeing = RandomCutForest().fit(rows).score(odd), RandomCutForest().fit(crowd(500)).score(odd)
    assert blind[0] < 0.1 < 0.3 < seeing[0]


DAMAGES = {
    "points_": lambda a: np.full_like(a, np.nan),
    "boxes_": lambda a: a * 2,
    "children_": lambda a: np.full_like(a, 0),
    "splits_": lambda a: np.full_like(a, 3),
    "thresholds_": lambda a: a + 100,
    "masses_": lambda a: a + 1,
    "counts_": lambda a: a - 1,
    "keys_": lambda a: -a,
    "leaves_": lambda a: np.full_like(a, 10**6),
    "free_nodes_": lambda a: a[:, 1:],
    "free_leaves_": lambda a: a.astype(np.int64),
    "heads_": lambda a: a - 1000,
    "random_": lambda a: a[0],
    "seen_": lambda a: a[:0],
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_state_is_refused(name):
    forest = RandomCutForest(2, 20).fit(crowd())
    state = forest.state()
    with pytest.raises(ArtifactError, match="RandomCutForest on"):
        RandomCutForest(2, 20).restore({**state, name: DAMAGES[name](state[name])}, forest.features_)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["children_", "heads_", "leaves_", "free_leaves_", "masses_"]), data=st.data())
def test_one_changed_number_is_refused_or_does_no_harm(name, data):
    forest = RandomCutForest(1, 8).fit(crowd(6))
    state = forest.state()
    flat = state[name].reshape(-1)
    flat[data.draw(st.integers(0, len(flat) - 1))] = data.draw(
        st.sampled_from([-(2**31), -9, -3, -1, 0, 1, 3, 8, 2**30])
    )
    try:
        restored = RandomCutForest(1, 8).restore(state, forest.features_)
    except ArtifactError:
        return
    assert np.isfinite(restored.update(crowd(50, seed=1)).score(crowd(5))).all()
