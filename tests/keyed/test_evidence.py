"""The weights: what compiled loops say equals their slow twins, and evidence is 0 where there is nothing to see."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.keyed._middle_kernels import middles, middles_of_others
from anomaly_detection.keyed._surprise_kernels import many_tempered, one_tempered, without_themselves
from anomaly_detection.keyed.evidence import difference, intraclass, reliability
from anomaly_detection.keyed.grouping import codes_of, dense_keys, even_share, evenly, rows_of
from anomaly_detection.keyed.peers import Usual
from keyed import naive_keyed as naive

SURPRISE = st.floats(0, 20) | st.sampled_from([0.0, 1.0, 2.0])
PASTS = st.lists(st.lists(SURPRISE, min_size=1, max_size=6).map(sorted), min_size=1, max_size=5)
SHARE = st.floats(0, 1)
NO_TAIL = np.array([np.inf, 0.0, 1.0, 0.0])


def laid_out(groups):
    starts = np.concatenate([[0], np.cumsum([len(group) for group in groups])]).astype(np.int64)
    return np.array([value for group in groups for value in group], dtype=np.float64), starts


@settings(deadline=None)
@given(st.lists(SURPRISE, min_size=1, max_size=9), PASTS, st.lists(SURPRISE, min_size=1), SHARE)
def test_a_row_is_held_against_the_past_of_its_key(surprises, pasts, calibration, share):
    past, starts = laid_out(pasts)
    ordered = np.sort(np.array(calibration))
    which = np.arange(len(surprises)) % len(pasts)
    found = many_tempered(np.array(surprises), which, ordered, NO_TAIL, past, starts, share)
    slow = [
        naive.against_its_past(surprise, pasts[key], calibration, share)
        for surprise, key in zip(surprises, which, strict=True)
    ]
    np.testing.assert_allclose(found, slow, rtol=1e-12, atol=1e-12)
    one = [
        one_tempered(surprise, ordered, NO_TAIL, past, int(starts[key]), int(starts[key + 1]), share)
        for surprise, key in zip(surprises, which, strict=True)
    ]
    assert found.tolist() == one


@settings(deadline=None)
@given(PASTS, st.lists(SURPRISE, min_size=1), SHARE)
def test_a_row_of_the_past_is_held_against_the_others(pasts, calibration, share):
    past, starts = laid_out(pasts)
    found = without_themselves(np.sort(np.array(calibration)), NO_TAIL, past, starts, share)
    slow = [naive.without_itself(i, group, calibration, share) for group in pasts for i in range(len(group))]
    np.testing.assert_allclose(found, slow, rtol=1e-12, atol=1e-12)


@settings(deadline=None)
@given(PASTS, st.lists(SURPRISE, min_size=1), SHARE)
def test_more_surprise_never_means_a_larger_p_value(pasts, calibration, share):
    past, starts = laid_out(pasts)
    rising = np.linspace(0, 25, 40)
    found = many_tempered(
        rising, np.zeros(40, dtype=np.int64), np.sort(np.array(calibration)), NO_TAIL, past, starts, share
    )
    assert (np.diff(found) >= -1e-12).all()


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(-9, 9), max_size=6).map(sorted), min_size=1, max_size=5))
def test_medians_of_groups_and_of_the_others(groups):
    ordered, starts = laid_out(groups)
    slow = [naive.median(group) if group else math.nan for group in groups]
    np.testing.assert_allclose(middles(ordered, starts), slow)
    slow = [naive.middle_of_others(group, i) for group in groups for i in range(len(group))]
    np.testing.assert_allclose(middles_of_others(ordered, starts), slow)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-9, 9), min_size=1, max_size=6), min_size=1, max_size=6))
def test_the_share_of_variance_between_groups(groups):
    values, starts = laid_out(groups)
    codes = np.repeat(np.arange(len(groups)), np.diff(starts))
    assert intraclass(values, codes) == pytest.approx(naive.intraclass(groups), abs=1e-9)


def test_keys_that_do_not_differ_give_a_model_no_weight_and_keys_that_do_give_it_all():
    rng = np.random.default_rng(0)
    same = [reliability(300, difference(rng.normal(size=300), rng.normal(size=300))) for _ in range(200)]
    apart = [reliability(300, difference(rng.normal(size=300), rng.normal(1, 1, 300))) for _ in range(200)]
    assert np.mean(np.array(same) >= 0.5) < 0.1
    assert min(apart) > 0.95


def test_reliability_grows_with_rows_and_with_the_share():
    weights = [[reliability(rows, share) for rows in (0, 1, 5, 50, 5000)] for share in (0.0, 0.01, 0.3, 1.0)]
    assert (np.diff(weights, axis=0) >= 0).all()
    assert (np.diff(weights, axis=1) >= 0).all()
    assert (weights[0], weights[3][1:]) == ([0.0] * 5, [1.0] * 4)


def test_dense_keys_are_those_with_enough_rows_the_most_first():
    texts = [
        pl.Series(["eu"] * 9 + ["us"] * 6 + [None] * 3),
        pl.Series(["eu/a"] * 5 + ["eu/b"] * 4 + ["us/c"] * 6 + [None] * 3),
    ]
    assert dense_keys(texts, 5, 99) == [(1, "eu"), (1, "us"), (2, "eu/a")]  # us/c is all of us
    assert dense_keys(texts, 5, 1) == [(1, "eu")]
    assert dense_keys(texts, 10, 99) == []
    rows = rows_of(texts, [(1, "us"), (2, "eu/b")])
    assert {key: found.tolist() for key, found in rows.items()} == {"us": [*range(9, 15)], "eu/b": [5, 6, 7, 8]}


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 20))
def test_even_rows_are_at_most_so_many_of_each_and_all_of_the_others(codes, most):
    codes = np.unique(np.array(codes), return_inverse=True)[1]
    rows = evenly(codes, most, seed=3)
    assert (np.diff(rows) > 0).all()
    assert np.bincount(codes[rows]).tolist() == np.minimum(np.bincount(codes), most).tolist()
    share = even_share(codes, most)
    assert np.minimum(np.bincount(codes), share).sum() >= min(most, len(codes))


def test_codes_are_the_same_for_the_same_text_and_missing_is_one_of_its_own():
    assert codes_of(pl.Series(["b", None, "a", "b"])).tolist() == [1, 2, 0, 1]
    assert codes_of(pl.Series([None, None], dtype=pl.String)).tolist() == [0, 0]


def test_what_is_usual_is_the_keys_own_middle_as_far_as_its_rows_tell():
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(40), 25)
    levels = rng.normal(0, 10, 40)
    frame = pl.DataFrame({"x": levels[codes] + rng.normal(size=1000), "same": rng.normal(size=1000)})
    usual = Usual.learn(frame, codes, ["x", "same"])
    assert usual.columns == ("x",)
    assert np.corrcoef(usual.offsets[:, 0], levels)[0, 1] > 0.99
    moved = usual.moved_by_others(frame, codes)
    assert moved["x"].std() < 2
    assert moved["same"].to_list() == frame["same"].to_list()
    record = {"x": 5, "same": 1.0}
    assert usual.moved_record(record, 3)["x"] == usual.moved(pl.DataFrame(record), np.array([3]))["x"][0]


def test_values_that_are_missing_or_infinite_are_left_as_they_are():
    codes = np.repeat([0, 1], 10)
    values = np.where(codes == 0, 1.0, 9.0) + np.arange(20) / 100
    values[[3, 13]] = math.nan, math.inf
    frame = pl.DataFrame({"x": values})
    usual = Usual.learn(frame, codes, ["x"])
    assert np.isfinite(usual.offsets).all()
    moved = usual.moved_by_others(frame, codes)["x"].to_numpy()
    assert np.isnan(moved[3])
    assert moved[13] == math.inf
    assert np.isfinite(np.delete(moved, [3, 13])).all()
