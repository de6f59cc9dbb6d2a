"""Where the alarm line lies."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import false_discovery_control

from anomaly_detection.calibration import Calibrator
from anomaly_detection.errors import InputError, ParameterError, UnknownNameError
from anomaly_detection.thresholds import (
    THRESHOLDS,
    Mahalanobis,
    MaxPercentile,
    RobustMahalanobis,
    Separation,
    Sigmoid,
    StandardDeviation,
    Static,
    Threshold,
    benjamini_hochberg,
    choose_alpha,
)

CLEAN = {
    "normal": lambda g, n: g.normal(size=n),
    "lognormal": lambda g, n: g.lognormal(sigma=2.0, size=n),
    "uniform": lambda g, n: g.random(n),
    "left-skewed": lambda g, n: -g.exponential(size=n),
    "student": lambda g, n: np.abs(g.standard_t(2, n)),
    "cauchy": lambda g, n: g.standard_cauchy(n),
    "pareto without a mean": lambda g, n: g.pareto(0.5, n),
    "counts": lambda g, n: g.poisson(1.0, n).astype(float),
    "rounded": lambda g, n: g.normal(size=n).round(1),
}


def fitted(scores, **how):
    return Calibrator(**how).fit(scores)


def alpha_of(wish, scores, **how):
    return choose_alpha(wish, fitted(scores, **how), scores)


def mixture(body, group, share, n=2000, seed=0):
    generator = np.random.default_rng(seed)
    return np.concatenate([body(generator, n - int(share * n)), group(generator, int(share * n))])


@pytest.mark.parametrize("draw", CLEAN.values(), ids=CLEAN)
@pytest.mark.parametrize("n", [100, 1000])
def test_auto_is_one_percent_on_clean_scores_whatever_their_distribution(draw, n):
    found = [alpha_of("auto", draw(np.random.default_rng(seed), n)) for seed in range(40)]
    assert found == [0.01] * 40


@pytest.mark.parametrize("share", [0.03, 0.08, 0.2])
@pytest.mark.parametrize(
    ("body", "group"),
    [
        ("normal", lambda g, k: g.normal(9.0, 1.0, k)),
        ("normal", lambda g, k: g.uniform(6.0, 20.0, k)),
        ("uniform", lambda g, k: g.uniform(1.5, 3.0, k)),
        ("lognormal", lambda g, k: g.uniform(1e5, 1e6, k)),
        ("cauchy", lambda g, k: g.normal(1e6, 1e5, k)),
        ("rounded", lambda g, k: g.normal(12.0, 1.0, k).round(1)),
    ],
)
def test_auto_finds_the_share_of_a_separate_group(body, group, share):
    assert alpha_of("auto", mixture(CLEAN[body], group, share)) == pytest.approx(share, rel=0.05)


def test_auto_flags_exactly_the_separate_group():
    scores = mixture(CLEAN["normal"], lambda g, k: g.uniform(8.0, 20.0, k), 0.05)
    calibrator = fitted(scores)
    flags = calibrator.p_value(scores) <= choose_alpha("auto", calibrator, scores)
    assert_array_equal(flags, scores > 7.0)


def test_auto_takes_a_third_of_the_scores_for_no_group():
    assert alpha_of("auto", mixture(CLEAN["normal"], lambda g, k: g.normal(9.0, 1.0, k), 0.33)) == 0.01


def test_auto_overlooks_a_group_of_less_than_one_percent():
    assert alpha_of("auto", mixture(CLEAN["normal"], lambda g, k: g.normal(50.0, 1.0, k), 0.005)) == 0.01


@pytest.mark.parametrize("n", [1, 2, 5, 60])
def test_auto_on_equal_scores_is_what_the_sample_resolves(n):
    assert alpha_of("auto", np.ones(n)) == min(0.5, 1 / (n + 1))


def test_auto_without_a_tail_is_never_below_the_resolution():
    assert alpha_of("auto", np.arange(50.0), tail=False) == 1 / 51


def test_auto_does_not_depend_on_the_unit_or_the_order_of_scores():
    scores = mixture(CLEAN["normal"], lambda g, k: g.normal(9.0, 1.0, k), 0.05)
    assert alpha_of("auto", scores) == alpha_of("auto", scores[::-1] * 1024.0)


@pytest.mark.parametrize("contamination", [0.001, 0.05, 0.5])
def test_a_share_is_alpha(contamination):
    assert alpha_of(contamination, np.arange(100.0)) == contamination


@pytest.mark.parametrize("contamination", [0, 0.0, -0.1, 0.6, math.nan, True])
def test_a_share_out_of_range_is_refused_with_the_way_out(contamination):
    with pytest.raises(ParameterError, match=r"contamination=.*above 0 and at most 0\.5.*auto"):
        alpha_of(contamination, np.arange(100.0))


def test_a_share_the_sample_cannot_resolve_is_refused():
    with pytest.raises(ParameterError, match="at least 99 rows"):
        alpha_of(0.01, np.arange(50.0), tail=False)


def test_an_unknown_threshold_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="mahalanobis"):
        alpha_of("mahalanobi", np.arange(50.0))


@pytest.mark.parametrize("entry", THRESHOLDS.entries(), ids=lambda entry: entry.name)
def test_every_threshold_in_the_catalog_gives_an_alpha(entry):
    scores = np.random.default_rng(0).gamma(2.0, size=500)
    threshold = entry.load()()
    assert isinstance(threshold, Threshold)
    line = threshold.line(scores)
    assert alpha_of(threshold, scores) == alpha_of(entry.name, scores)
    assert alpha_of(entry.name, scores) == pytest.approx(min(0.5, max(0.002, np.mean(scores >= line))), abs=0.003)


SCORES = np.array([1.0, 2.0, 3.0, 4.0, 100.0])


@pytest.mark.parametrize(
    ("threshold", "line"),
    [
        (StandardDeviation(factor=2.0), 22 + 2 * SCORES.std()),
        (StandardDeviation(factor=0.0, lowest=50.0), 50.0),
        (Static(upper_limit=7.0), 7.0),
        (Sigmoid(upper_limit=7.0, slope=2.0, level=0.9), 7.0 + math.log(9.0) / 2.0),
        (Mahalanobis(most_outliers=0.25), 22 + 2 * SCORES.std()),
        (RobustMahalanobis(most_outliers=0.25), 2 + 2 * np.array([1.0, 2.0, 3.0]).std() * 2.6477),
        (MaxPercentile(percentile=50.0), 3.0),
        (MaxPercentile(percentile=50.0, lowest=5.0), 5.0),
    ],
    ids=repr,
)
def test_lines_lie_where_their_formulas_say(threshold, line):
    assert threshold.line(SCORES) == pytest.approx(line)


def test_the_robust_deviation_is_right_for_normal_scores():
    scores = np.random.default_rng(0).normal(5.0, 3.0, 100_000)
    assert RobustMahalanobis(most_outliers=0.25).line(scores) == pytest.approx(11.0, rel=0.05)


def test_no_more_than_the_named_share_lies_beyond_a_mahalanobis_line():
    scores = np.random.default_rng(0).pareto(1.0, 10_000)
    assert np.mean(scores >= Mahalanobis(most_outliers=0.05).line(scores)) <= 0.05


def test_a_line_below_all_scores_flags_no_more_than_half():
    assert alpha_of(Static(upper_limit=-1.0), SCORES) == 0.5


def test_a_line_far_above_all_scores_leaves_an_alpha_above_zero():
    assert 0.0 < alpha_of(Static(upper_limit=1e300), SCORES) < 1e-10


@pytest.mark.parametrize(
    "threshold",
    [StandardDeviation(-1.0), Sigmoid(slope=0.0), Mahalanobis(1.0), MaxPercentile(101.0), Separation(most=0.6)],
    ids=repr,
)
def test_a_parameter_out_of_range_is_refused(threshold):
    with pytest.raises(ParameterError, match=type(threshold).__name__):
        alpha_of(threshold, SCORES)


def test_infinite_scores_are_left_out_and_none_left_is_refused():
    assert alpha_of("max_percentile", np.append(np.arange(200.0), math.inf)) == pytest.approx(0.04, abs=0.01)
    with pytest.raises(InputError, match="at least one finite score"):
        alpha_of("static", np.array([math.inf]))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(1e-9, 1.0), max_size=40), st.floats(0.01, 0.5))
def test_benjamini_hochberg_flags_what_scipy_flags_and_alpha_says_so(p, q):
    flags, alpha = benjamini_hochberg(p, q)
    assert_array_equal(flags, np.array(p) <= alpha)
    assert 0.0 < alpha <= q
    if p:
        adjusted = false_discovery_control(p)
        clear = np.abs(adjusted - q) > 1e-12
        assert_array_equal(flags[clear], (adjusted <= q)[clear])


def test_benjamini_hochberg_keeps_the_share_of_false_flags():
    generator = np.random.default_rng(0)
    shares = []
    for _ in range(100):
        calibrator = fitted(generator.normal(size=1000))
        flags, _ = benjamini_hochberg(calibrator.p_value(np.append(generator.normal(size=950), np.full(50, 5.0))), 0.1)
        shares.append(flags[:950].sum() / max(1, flags.sum()))
        assert flags[950:].all()
    assert np.mean(shares) == pytest.approx(0.095, abs=0.02)


@pytest.mark.parametrize("q", [0.0, 1.0, -1.0])
def test_a_false_share_out_of_range_is_refused(q):
    with pytest.raises(ParameterError, match="q="):
        benjamini_hochberg([0.5], q)
