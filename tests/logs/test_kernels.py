"""Every array loop of logs against its naive twin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.calibration import Calibrator
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.logs._attribute_kernels import fill_attributes, score_attributes
from anomaly_detection.logs._combination_kernels import combine, fill_p_values
from anomaly_detection.logs._feature_kernels import keep_time, read_columns, window_distances, window_values
from anomaly_detection.logs._pattern_kernels import density
from anomaly_detection.logs._rate_kernels import measure_rates, rate_distances
from anomaly_detection.logs._service_kernels import SEEN, slowness, unusual_traffic
from anomaly_detection.logs._value_kernels import TOKENS, fill_tokens
from anomaly_detection.logs.markov import MOST_PAIRS, Markov
from anomaly_detection.logs.tables import places, table_of
from anomaly_detection.logs.values import novelty
from logs.naive_logs import (
    BEGIN,
    MISSED,
    NaiveMarkov,
    naive_attributes,
    naive_density,
    naive_means,
    naive_rates,
    naive_slowness,
    naive_sums,
    naive_tokens,
    naive_traffic,
)

SESSIONS = st.lists(st.lists(st.integers(-1, 6), max_size=9), max_size=9)


def laid_out(sessions: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    symbols = np.array([x for one in sessions for x in one], np.int32)
    return symbols, np.repeat(np.arange(1, len(sessions) + 1, dtype=np.uint64), [len(one) for one in sessions])


@given(SESSIONS, SESSIONS)
@settings(max_examples=60, deadline=None)
def test_markov_equals_its_twin(train: list[list[int]], new: list[list[int]]) -> None:
    markov, naive = Markov().fit(*laid_out(train)), NaiveMarkov().fit(train)
    found = markov.surprises(*laid_out(new), markov.memory())
    wanted = np.array([told for one in new for told in naive.surprises(one)]).reshape(-1, 3)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@given(SESSIONS, SESSIONS, st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_a_session_that_comes_early_may_have_begun_before(
    train: list[list[int]], new: list[list[int]], lull: int
) -> None:
    markov, naive = Markov().fit(*laid_out(train)), NaiveMarkov().fit(train)
    found = markov.surprises(*laid_out(new), markov.memory(), lull)
    firsts = np.cumsum([0, *(len(one) for one in new)])
    pasts = [MISSED if first < lull else BEGIN for first in firsts]
    wanted = [told for one, past in zip(new, pasts, strict=False) for told in naive.surprises(one, past)]
    np.testing.assert_allclose(found, np.array(wanted).reshape(-1, 3), rtol=1e-12)


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
    lately = np.array([0.0, 0.5, 0.0, 1.0])
    rate_distances(templates, out, usual, 5.0, 8.0, lately, far)
    means = naive_means(templates.tolist(), out.tolist(), 4, [0.5, 1.0], 5.0, 8.0)
    wanted = np.fmax(np.abs(out[:, 0] - means[:, 0]) / np.float32(0.4), (out[:, 1] - means[:, 1]) / 2.0)
    np.testing.assert_allclose(far, wanted)


OF_SERVICES = st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 400)), min_size=1, max_size=40)


@given(OF_SERVICES)
@settings(deadline=None)
def test_slowness_equals_its_twin(lines: list[tuple[str, float]]) -> None:
    services = np.array([ord(name) for name, _ in lines], np.uint64)
    took = np.array([np.nan if value > 390 else value for _, value in lines], np.float32)
    owners, latest, out = np.zeros(64, np.uint64), np.zeros(64), np.empty(len(lines))
    usual = np.array([[3.0, 0.5]], np.float32)
    slowness(np.zeros(len(lines), np.int32), services, took, usual, owners, latest, out)
    wanted = naive_slowness([(name, value) for (name, _), value in zip(lines, took.tolist(), strict=True)], 3.0, 0.5)
    np.testing.assert_allclose(out, wanted, atol=1e-9)


@given(OF_SERVICES)
@settings(deadline=None)
def test_traffic_equals_its_twin(lines: list[tuple[str, float]]) -> None:
    services = np.array([ord(name) for name, _ in lines], np.uint64)
    clock = np.cumsum([gap for _, gap in lines])
    memory, out = np.zeros((64, 5)), np.empty(len(lines))
    memory[:, SEEN] = -np.inf
    known, rates, owners = table_of(np.array([5], np.uint64)), np.array([7.0, 0.1]), np.zeros(64, np.uint64)
    unusual_traffic((clock * 1e6).astype(np.int64), clock, services, known, rates, owners, memory, out)
    wanted = naive_traffic([(name, now) for (name, _), now in zip(lines, clock.tolist(), strict=True)], 0.1)
    np.testing.assert_allclose(out, wanted, rtol=1e-9, atol=1e-9)


KNOWN = [(1 + (i % 9 == 0), "ab"[i % 2], (200, 200, 404)[i % 3]) for i in range(120)]


@given(st.lists(st.tuples(st.integers(-1, 4), st.sampled_from("abc"), st.sampled_from([200, 404, 500])), max_size=20))
@settings(deadline=None)
def test_attributes_equal_their_twin(lines: list[tuple[int, str, int]]) -> None:
    def of(rows: list[tuple[int, str, int]]) -> tuple[np.ndarray, ...]:
        levels, services, codes = ([row[k] for row in rows] for k in range(3))
        hashes = np.array([ord(name) for name in services], np.uint64)
        return np.zeros(len(rows), np.int32), np.array(levels, np.int64), hashes, np.array(codes, np.float32)

    values, out = np.empty((len(KNOWN), 3), np.uint64), np.empty(len(lines))
    fill_attributes(*of(KNOWN), values)
    known, code = np.full((3, 3), len(KNOWN), np.float32), np.tile(np.arange(3), len(KNOWN))
    keys, counts, _ = novelty(known, values.ravel(), code, np.repeat(np.arange(len(KNOWN)) >= len(KNOWN) // 2, 3))
    score_attributes(*of(lines), known, table_of(keys), counts.astype(np.float32), out)
    np.testing.assert_allclose(out, naive_attributes(lines, KNOWN), rtol=1e-5, atol=1e-6)


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
    combine(p_values, weights, recent, 0.8, 0.5, False, out)
    np.testing.assert_allclose(out, naive_sums(p_values.tolist(), weights.tolist(), 0.8, 0.5))
    combine(p_values, weights, np.zeros(1), 0.8, 0.5, True, out)
    np.testing.assert_allclose(out, naive_sums(p_values.tolist(), weights.tolist(), 0.8, 0.5, power=2))


@given(st.lists(st.integers(-3, 12), min_size=1, max_size=90), st.lists(st.integers(0, 9), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_p_values_are_those_of_each_method_s_calibrator(scores: list[int], known: list[int]) -> None:
    calibrators = [Calibrator().fit(known), Calibrator(tail=False).fit(np.arange(9.0))]
    ordered = np.concatenate([one.ordered_ for one in calibrators])
    starts, tails = np.array([0, len(known), len(known) + 9]), np.stack([one.tail_ for one in calibrators])
    both, out = np.array([scores, [x + 0.5 for x in scores]], np.float64), np.empty((len(scores), 2))
    fill_p_values(both, ordered, starts, tails, out)
    wanted = [[one.p_value_one(float(x)) for one, x in zip(calibrators, row, strict=True)] for row in both.T]
    assert out.tolist() == wanted
    assert calibrators[0].p_value(both[0]).tolist() == out[:, 0].tolist()


def test_windows_and_missing_features_equal_plain_numpy() -> None:
    features = np.array([[0.1, 9.0], [np.nan, 3.0]], np.float32)
    read, values = np.empty_like(features), np.empty((2, 3))
    read_columns(features, np.array([0, 1], np.int8), np.array([7.0, 8.0], np.float32), read)
    np.testing.assert_allclose(read, [[0.1, np.log(10)], [7.0, np.log(4)]], rtol=1e-6)
    read_columns(-features, np.array([1, 1], np.int8), np.array([7.0, 8.0], np.float32), read)
    assert read.tolist() == [[7.0, 8.0], [7.0, 8.0]]
    window_values(features[:, 0].copy(), features[:, 1].copy(), np.array([5.0, -1.0], np.float32), values)
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


@given(st.lists(st.one_of(st.none(), st.integers(0, 90)), max_size=12))
@settings(deadline=None)
def test_time_only_goes_on_and_windows_are_quiet_until_one_has_gone_by(seconds: list[int | None]) -> None:
    n, clock = len(seconds), np.array([-np.inf, -np.inf, 0.0])
    times = np.array([NO_TIME if one is None else one * 1_000_000 for one in seconds], np.int64)
    features, found = np.arange(4.0 * n, dtype=np.float32).reshape(n, 4), (np.empty(n), np.empty((n, 2), np.float32))
    before = features.copy()
    keep_time(times, 30.0, clock, features, np.array([1, 2]), np.array([3]), np.array([0, 1]), *found)
    known = [[one for one in seconds[: i + 1] if one is not None] for i in range(n)]
    assert found[0].tolist() == [max(past) if past else i for i, past in enumerate(known)]
    settled = np.array([bool(past) and max(past) >= past[0] + 30 for past in known], bool)
    np.testing.assert_array_equal(features[:, 1:3], np.where(settled[:, None], before[:, 1:3], np.nan))
    assert np.isnan(features[:, 3]).all()
    np.testing.assert_array_equal(found[1][:, 1], before[:, 1])
    np.testing.assert_array_equal(np.isnan(found[1][:, 0]), [not past for past in known])


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
