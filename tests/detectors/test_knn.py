"""What the nearest-neighbour detector promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.detectors.knn import KNN
from anomaly_detection.errors import InputError, ParameterError
from detectors import naive_neighbours as naive


def clusters(n, d, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(scale=4, size=(5, d))
    return (centres[rng.integers(0, 5, n)] + rng.normal(size=(n, d))).astype(np.float32)


@pytest.mark.parametrize("method", ["largest", "mean", "median"])
@pytest.mark.parametrize(("n", "d", "k"), [(300, 4, 5), (200, 1, 4), (70, 40, 3), (64, 2, 1), (130, 70, 8)])
def test_equals_the_naive_twin(method, n, d, k):
    train, rows = clusters(n, d), clusters(40, d, seed=1)
    scores = KNN(n_neighbors=k, method=method).fit(train).score(rows)
    np.testing.assert_allclose(scores, naive.knn(train, rows, k, method), rtol=1e-5)


@pytest.mark.parametrize("d", [3, 40])
def test_equals_the_naive_twin_where_blocks_are_skipped_or_passed_over_together(d):
    rng = np.random.default_rng(0)
    train, rows = (rng.normal(size=(n, d)).astype(np.float32) for n in (4_000, 40))
    np.testing.assert_allclose(KNN().fit(train).score(rows), naive.knn(train, rows, 5), rtol=1e-5)


@pytest.mark.parametrize("k", [65, 200, 10_000])
def test_more_neighbours_than_a_block_or_than_rows_are_all_found_once(k):
    train, rows = clusters(200, 3), clusters(20, 3, seed=1)
    scores = KNN(n_neighbors=k, method="mean").fit(train).score(rows)
    np.testing.assert_allclose(scores, naive.knn(train, rows, min(k, 199), "mean"), rtol=1e-5)


@settings(deadline=None, max_examples=30)
@given(
    cuts=st.lists(st.integers(0, 90), max_size=6),
    d=st.sampled_from([1, 3, 33]),
    method=st.sampled_from(["largest", "mean", "median"]),
)
def test_any_chunking_and_single_rows_give_equal_bits(cuts, d, method):
    detector = KNN(n_neighbors=7, method=method).fit(clusters(500, d))
    rows = clusters(90, d, seed=2)
    whole = detector.score(rows)
    pieces = [detector.score(part) for part in np.split(rows, sorted(cuts))]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert np.array_equal([detector.score_row(row) for row in rows], whole)


def test_the_shared_pass_gives_the_bits_of_single_rows():
    rng = np.random.default_rng(3)
    detector = KNN().fit(rng.normal(size=(3_000, 64)))
    rows = rng.normal(size=(50, 64)).astype(np.float32)
    assert np.array_equal([detector.score_row(row) for row in rows], detector.score(rows))


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=7, max_size=150),
    k=st.integers(1, 6),
)
def test_ties_and_duplicates_equal_the_naive_twin(values, k):
    train = np.array(values, dtype=np.float32)
    rows = np.array([[0, 0], [1, 2], [5, 5]], dtype=np.float32)
    np.testing.assert_allclose(KNN(n_neighbors=k).fit(train).score(rows), naive.knn(train, rows, k), rtol=1e-6)


def test_a_training_row_scores_as_if_it_had_been_left_out():
    train = clusters(100, 3)
    without = [KNN().fit(np.delete(train, i, axis=0)).score(train[i : i + 1])[0] for i in range(30)]
    np.testing.assert_allclose(KNN().fit(train).score(train[:30]), without, rtol=1e-6)


def test_a_planted_outlier_scores_highest():
    rows = clusters(400, 6, seed=1)
    rows[17] = 25
    assert np.argmax(KNN().fit(clusters(400, 6)).score(rows)) == 17


def test_constant_columns_add_nothing_until_they_change():
    train = np.hstack([clusters(100, 2), np.full((100, 1), 7)])
    detector = KNN().fit(train)
    np.testing.assert_array_equal(detector.score(train), KNN().fit(train[:, :2]).score(train[:, :2]))
    assert detector.score([[*train[0, :2], 9]])[0] >= 2


@pytest.mark.parametrize("unit", [1e-25, 1.0, 1e25])
def test_units_neither_overflow_nor_vanish(unit):
    train, rows = clusters(200, 4), clusters(30, 4, seed=1)
    np.testing.assert_allclose(
        KNN().fit(train * np.float64(unit)).score(rows * np.float64(unit)) / unit,
        KNN().fit(train).score(rows),
        rtol=1e-5,
    )


def test_a_constant_column_of_huge_numbers_hides_nothing():
    train = np.hstack([clusters(100, 2), np.full((100, 1), 3e38)])
    np.testing.assert_array_equal(KNN().fit(train).score(train), KNN().fit(train[:, :2]).score(train[:, :2]))


def test_the_furthest_numbers_score_finite_and_high():
    detector = KNN().fit(clusters(200, 4))
    scores = detector.score([[3e38] * 4, [-3e38] * 4, [np.inf, 0, 0, 0], [20.0] * 4])
    assert np.isfinite(scores).all()
    assert scores[:3].min() > scores[3]


@pytest.mark.parametrize("train", [[[0.0, 0.0]] * 2, [[1.0, 2.0]] * 3])
def test_the_fewest_and_equal_rows_are_enough(train):
    scores = KNN().fit(train).score([train[0], [4.0, 6.0]])
    np.testing.assert_allclose(scores, [0, np.hypot(4 - train[0][0], 6 - train[0][1])])


def test_more_rows_than_max_reference_are_drawn_from_repeatably():
    train, rows = clusters(3_000, 3), clusters(50, 3, seed=1)
    first, again, other = (KNN(max_reference=500, random_state=seed).fit(train) for seed in (1, 1, 2))
    assert first.reference_.shape == (500, 3)
    assert {row.tobytes() for row in first.reference_} <= {row.tobytes() for row in train}
    assert np.array_equal(first.score(rows), again.score(rows))
    assert not np.array_equal(first.score(rows), other.score(rows))


def test_restoring_gives_equal_bits():
    detector = KNN(method="mean").fit(clusters(300, 5))
    back = detector.clone().restore(detector.state(), detector.features_)
    rows = clusters(60, 5, seed=1)
    assert np.array_equal(back.score(rows), detector.score(rows))


def test_scoring_changes_nothing():
    detector, rows = KNN().fit(clusters(300, 5)), clusters(60, 5, seed=1)
    before = rows.copy()
    assert np.array_equal(detector.score(rows), detector.score(rows))
    assert np.array_equal(rows, before)


def test_float32_and_float64_agree():
    train, rows = clusters(300, 5), clusters(60, 5, seed=1)
    assert np.array_equal(KNN().fit(train.astype(float)).score(rows.astype(float)), KNN().fit(train).score(rows))


@pytest.mark.parametrize(
    "wrong",
    [{"n_neighbors": 0}, {"n_neighbors": 2.5}, {"method": "mode"}, {"max_reference": 0}, {"random_state": -1}],
)
def test_parameters_out_of_range_are_named(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        KNN(**wrong).fit(clusters(20, 2))


def test_missing_values_and_no_rows_are_refused():
    with pytest.raises(InputError, match="missing values"):
        KNN().fit([[1.0, np.nan], [2.0, 3.0]])
    with pytest.raises(InputError, match="at least 2 rows"):
        KNN().fit(np.empty((0, 2)))
