"""What a verdict promises: flag, severity and anomaly score never disagree."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import beta

from anomaly_detection.errors import ParameterError
from anomaly_detection.results import SEVERITIES
from anomaly_detection.verdicts import judge, judge_one

unhurried = settings(deadline=None, max_examples=60)
p_values = st.floats(np.finfo(float).tiny, 1.0)
alphas = st.floats(1e-12, 0.5)
TINY = float(np.finfo(float).tiny)


def around(alpha):
    """The line and the numbers next to it."""
    return [np.nextafter(alpha, 0.0), alpha, np.nextafter(alpha, 1.0)]


def judged(p, alpha, n=1000):
    return judge(np.zeros(len(p)), p, alpha, n)


@unhurried
@given(st.lists(p_values, max_size=30), alphas)
@example([1.0, TINY], 0.5)
def test_flag_severity_and_anomaly_score_say_the_same(p, alpha):
    result = judged([*p, *around(alpha)], alpha)
    flags = result.p_value <= alpha
    assert_array_equal(result.is_anomaly, flags)
    assert_array_equal(result.anomaly_score >= 0.6, flags)
    assert_array_equal(result.severity != "normal", flags)


@unhurried
@given(st.lists(p_values, min_size=1, max_size=30), alphas, st.integers(1, 10**6))
def test_one_record_gets_the_bits_of_the_batch(p, alpha, n):
    values = np.array([*p, *around(alpha), 1.0, TINY])
    result = judge(values * 2, values, alpha, n)
    for i, value in enumerate(values.tolist()):
        assert judge_one(value * 2, value, alpha, n) == result.verdict(i)


@unhurried
@given(st.lists(p_values, min_size=2, max_size=30), alphas)
def test_the_anomaly_score_lies_in_0_to_1_and_never_falls_as_p_falls(p, alpha):
    values = np.sort([*p, *around(alpha), 1.0, TINY])
    score = judged(values, alpha).anomaly_score
    assert np.all((score >= 0.0) & (score <= 1.0))
    assert np.all(np.diff(score) <= 0.0)


@unhurried
@given(p_values, alphas)
def test_the_anomaly_score_follows_the_formula(p, alpha):
    expected = (
        0.6 * math.log(p) / math.log(alpha) if p > alpha else min(1.0, 0.6 + 0.2 * (math.log10(alpha) - math.log10(p)))
    )
    assert judge_one(0.0, p, alpha, 100).anomaly_score == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.5, 1e-6])
def test_every_half_decade_below_alpha_is_one_severity_class(alpha):
    inside = alpha * 10.0 ** (-0.5 * np.arange(-1, 6) - 0.25)
    expected = ["normal", "low", "medium", "high", "critical", "critical", "critical"]
    assert judged(np.minimum(inside, 1.0), alpha).severity.tolist() == expected


def test_a_tenth_of_alpha_is_high_and_a_hundredth_is_certain():
    result = judged([0.01, 0.001, 0.0001], 0.01)
    assert result.anomaly_score.tolist() == [0.6, 0.8, 1.0]
    assert result.severity.tolist() == ["low", "high", "critical"]


def test_the_most_normal_record_scores_zero_exactly():
    score = judge_one(0.0, 1.0, 0.01, 100).anomaly_score
    assert math.copysign(1.0, score) == 1.0
    assert score == 0.0


@unhurried
@given(p_values, alphas, st.integers(1, 10**5))
def test_confidence_is_the_probability_of_the_same_flag(p, alpha, n):
    found = judge_one(0.0, p, alpha, n).confidence
    assert 0.0 <= found <= 1.0
    if 1e-9 < p < 1.0:
        posterior = beta(p * (n + 1), (1 - p) * (n + 1))
        expected = posterior.cdf(alpha) if p <= alpha else posterior.sf(alpha)
        assert found == pytest.approx(expected, abs=1e-9)


def test_confidence_is_the_share_of_samples_that_would_flag_alike():
    n, alpha, p = 200, 0.05, 0.03
    drawn = np.random.default_rng(0).beta(p * (n + 1), (1 - p) * (n + 1), 200_000)
    assert judge_one(0.0, p, alpha, n).confidence == pytest.approx((drawn <= alpha).mean(), abs=0.005)


def test_confidence_grows_with_the_calibration_sample():
    few, many = (judge_one(0.0, 0.03, 0.05, n).confidence for n in (50, 5000))
    assert few < many


def test_certain_records_have_full_confidence():
    assert judged([1.0, TINY], 0.01).confidence.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_a_line_outside_0_to_1_is_refused(alpha):
    with pytest.raises(ParameterError, match="alpha"):
        judged([0.5], alpha)


def test_an_empty_calibration_sample_is_refused():
    with pytest.raises(ParameterError, match="n_calibration=0"):
        judged([0.5], 0.01, n=0)


def test_no_records_make_an_empty_result():
    result = judged([], 0.01)
    assert len(result) == 0
    assert result.severity_code.dtype == np.int8


def test_a_verdict_names_its_severity_in_the_known_words():
    assert {judge_one(0.0, 0.01 * 10**-k, 0.01, 100).severity for k in (-1.0, 0.0, 0.6, 1.2, 3.0)} == set(SEVERITIES)
