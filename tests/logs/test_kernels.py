"""Every array loop of logs against its naive twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import ArtifactError
from anomaly_detection.logs._combination_kernels import combine, fill_p_values
from anomaly_detection.logs._feature_kernels import read_columns, settle, window_distances, window_values
from anomaly_detection.logs._pattern_kernels import density
from anomaly_detection.logs._rate_kernels import measure_rates, rate_distances
from anomaly_detection.logs._value_kernels import TOKENS, fill_tokens
from anomaly_detection.logs.markov import MOST_PAIRS, Markov
from anomaly_detection.logs.tables import places, table_of
from logs.naive_logs import NaiveMarkov, naive_density, naive_rates, naive_sums, naive_tokens

SESSIONS = st.lists(st.lists(st.integers(-1, 6), max_size=9), max_size=9)


def laid_out(sessions: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    symbols = np.array([x for one in sessions for x in one], np.int32)
    return symbols, np.repeat(np.arange(1, len(sessions) + 1, dtype=np.uint64), [len(one) for one in sessions])


@given(SESSIONS, SESSIONS)
@settings(max_examples=60, deadline=None)
def test_markov_equals_its_twin(train: list[list[int]], new: list[list[int]]) -> None:
    markov, naive = Markov().fit(*laid_out(train)), NaiveMarkov().fit(train)
    found = markov.surprises(*laid_out(new), markov.memory())
    wanted = np.array([pair for one in new for pair in naive.surprises(one)]).reshape(-1, 2)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_markov_keeps_its_size_and_still_knows_frequent_contexts() -> None:
    rng = np.random.default_rng(0)
    symbols = np.where(rng.random(60_000) < 0.7, np.arange(60_000) % 3, rng.integers(3, 400, 60_000)).astype(np.int32)
    markov = Markov().fit(symbols, np.ones(60_000, np.uint64))
    assert len(markov.state()["pairs"]) <= MOST_PAIRS
    usual, odd = np.array([0, 1, 2, 0], np.int32), np.array([0, 1, 2, 390], np.int32)
    cost = [markov.surprises(one, np.ones(4, np.uint64), markov.memory())[-1, 0] for one in (usual, odd)]
    assert cost[0] < 1.0 < 4.0 < cost[1]


@given(st.text(alphabet="ab_Z019. :é-", max_size=40))
@settings(deadline=None)
def test_tokens_equal_their_twin(message: str) -> None:
    data = np.frombuffer(message.encode(), np.uint8)
    offsets, templates = np.array([0, len(data)]), np.zeros(1, np.int32)
    keys, values = np.zeros(TOKENS, np.uint64), np.zeros(TOKENS, np.uint64)
    numbers, rows = np.empty(TOKENS), np.empty(TOKENS, np.int64)
    n = fill_tokens(data, offsets, templates, keys, values, numbers, rows)
    wanted = naive_tokens(message)
    assert n == len(wanted)
    np.testing.assert_allclose(numbers[:n], [value for _, value in wanted])
    assert len(set(keys[:n].tolist())) == n


@given(st.lists(st.tuples(st.integers(-1, 3), st.floats(0, 50)), min_size=1, max_size=40))
@settings(deadline=None)
def test_rates_equal_their_twin(steps: list[tuple[int, float]]) -> None:
    templates, clock = np.array([t for t, _ in steps], np.int32), np.cumsum([gap for _, gap in steps])
    counts, seen, out = np.zeros(5), np.full(5, -np.inf), np.empty((len(steps), 2))
    measure_rates(templates, clock, 20.0, counts, seen, out)
    np.testing.assert_allclose(out, naive_rates(templates.tolist(), clock.tolist(), 20.0), atol=1e-9)
    usual = np.array([[0.5, 0.4, 1.0, 2.0]] * 5, np.float32)
    far = np.empty(len(steps))
    rate_distances(templates, out, usual, far)
    wanted = np.fmax(np.abs(out[:, 0] - 0.5) / np.float32(0.4), (out[:, 1] - 1.0) / 2.0)
    np.testing.assert_allclose(far, wanted)


def test_density_equals_its_twin() -> None:
    rng = np.random.default_rng(1)
    rows, known = rng.random((7, 3)).astype(np.float32), rng.random((4, 3)).astype(np.float32)
    shares, out = np.array([0.4, 0.3, 0.2, 0.1]), np.empty(7)
    density(rows, known, shares, out)
    wanted = [naive_density(row, known.tolist(), shares.tolist()) for row in rows.tolist()]
    np.testing.assert_allclose(out, wanted, rtol=1e-5)


def test_sums_equal_their_twin() -> None:
    p_values, weights = np.random.default_rng(2).random((50, 3)) + 1e-9, np.array([1.0, 0.5, 2.0])
    recent, out = np.zeros(1), np.empty(50)
    combine(p_values, weights, recent, 0.8, 0.5, out)
    np.testing.assert_allclose(out, naive_sums(p_values.tolist(), weights.tolist(), 0.8, 0.5))


def test_p_values_of_a_column_are_those_of_the_calibrator() -> None:
    ordered, out = np.arange(9.0), np.zeros((3, 2))
    fill_p_values(np.array([-1.0, 4.0, 99.0]), ordered, np.array([np.inf, 0.0, 1.0, 0.0]), out, 1)
    assert out.tolist() == [[0.0, 1.0], [0.0, 0.6], [0.0, 0.1]]


def test_windows_and_missing_features_equal_plain_numpy() -> None:
    features = np.array([[0.1, 9.0], [np.nan, 3.0]], np.float32)
    read, values = np.empty_like(features), np.empty((2, 3))
    read_columns(features, np.array([False, True]), np.array([7.0, 8.0], np.float32), read)
    np.testing.assert_allclose(read, [[0.1, np.log(10)], [7.0, np.log(4)]], rtol=1e-6)
    read_columns(-features, np.array([True, True]), np.array([7.0, 8.0], np.float32), read)
    assert read.tolist() == [[7.0, 8.0], [7.0, 8.0]]
    window_values(features[:, 0].copy(), features[:, 1].copy(), np.array([5.0, -1.0], np.float32), values)
    settle(features, np.array([1]), np.array([-np.inf, 5.0]), 5.0)
    np.testing.assert_array_equal(features[:, 1], [np.nan, 3.0])
    np.testing.assert_allclose(values[0], [np.float32(0.1), np.log1p(5.0), np.log1p(9.0)])
    assert np.isnan(values[1, :2]).all()
    out, total = np.empty((2, 3)), np.empty(2)
    window_distances(
        values,
        np.array([9.0, 3.0], np.float32),
        np.array([[0.0, 0.1, 9.0, 1.0, 0.0, 1.0]]),
        np.array([-1, 0]),
        out,
        total,
    )
    np.testing.assert_allclose(out[0], [0.1 / np.sqrt(0.01 + 0.01 * 0.99 / 9), 0.0, np.log(10.0)], rtol=1e-6)
    np.testing.assert_allclose(total, np.sqrt((out**2).sum(axis=1)))


@given(st.sets(st.integers(0, 2**64 - 1), max_size=60), st.lists(st.integers(0, 2**64 - 1), max_size=20))
@settings(deadline=None)
def test_tables_find_what_is_there(keys: set[int], others: list[int]) -> None:
    ordered = sorted(keys)
    wanted = [*ordered, *others]
    found = places(table_of(np.array(ordered, np.uint64)), np.array(wanted, np.uint64))
    assert found.tolist() == [ordered.index(key) if key in keys else -1 for key in wanted]


def test_tables_refuse_hashes_out_of_order() -> None:
    with pytest.raises(ArtifactError, match="damaged"):
        table_of(np.array([3, 2], np.uint64))
