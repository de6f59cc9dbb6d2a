"""What a p-value promises."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.stats import genpareto

from anomaly_detection.calibration import Calibrator, fit_tail, weighted_moments
from anomaly_detection.errors import InputError, NotFittedError, ParameterError

unhurried = settings(deadline=None, max_examples=60)
numbers = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))
samples = st.lists(numbers, min_size=1, max_size=80)


def conformal(calibration, score):
    return (1 + sum(c >= score for c in calibration)) / (len(calibration) + 1)


def normal_scores(n=1000, seed=0):
    return np.random.default_rng(seed).normal(size=n)


@unhurried
@given(samples, st.lists(numbers, min_size=1, max_size=30))
def test_p_lies_in_0_to_1_and_never_rises_with_the_score(calibration, scores):
    p = Calibrator().fit(calibration).p_value(np.sort(np.array([*scores, *calibration, -math.inf, math.inf])))
    assert np.all((p > 0.0) & (p <= 1.0))
    assert np.all(np.diff(p) <= 0.0)


@unhurried
@given(samples, st.lists(numbers, min_size=1, max_size=30), st.booleans())
def test_one_score_gets_the_bits_of_the_batch(calibration, scores, tail):
    calibrator = Calibrator(tail=tail).fit(calibration)
    scores = [*scores, *calibration]
    assert_array_equal(calibrator.p_value(scores), [calibrator.p_value_one(score) for score in scores])


@unhurried
@given(samples, numbers)
def test_without_a_tail_p_is_the_conformal_p_value(calibration, score):
    assert Calibrator(tail=False).fit(calibration).p_value_one(score) == conformal(calibration, score)


@unhurried
@given(samples)
def test_below_the_five_largest_scores_p_is_conformal_whatever_the_tail(calibration):
    calibrator = Calibrator().fit(calibration)
    for score in np.sort(calibration)[:-5]:
        assert calibrator.p_value_one(score) == conformal(calibration, score)


def test_beyond_the_data_p_falls_strictly():
    calibrator = Calibrator().fit(normal_scores())
    p = calibrator.p_value(np.linspace(calibrator.tail_[0], 30.0, 5000))
    assert np.all(np.diff(p) < 0.0)


def test_p_makes_no_larger_step_at_the_join_than_the_conformal_one():
    calibrator = Calibrator().fit(normal_scores())
    join = calibrator.tail_[0]
    step = calibrator.p_value_one(join) - calibrator.p_value_one(np.nextafter(join, np.inf))
    assert 0.0 < step <= calibrator.resolution_ * 1.001


def test_p_stays_above_zero_however_far_the_score():
    calibrator = Calibrator().fit(normal_scores())
    assert calibrator.p_value_one(1e300) == calibrator.p_value_one(math.inf) == np.finfo(float).tiny


def test_the_tail_is_the_textbook_generalised_pareto_distribution():
    calibrator = Calibrator().fit(np.random.default_rng(1).pareto(3.0, 5000))
    join, level, scale, shape = calibrator.tail_
    scores = join + np.geomspace(1e-3, 1e3, 50)
    np.testing.assert_allclose(
        calibrator.p_value(scores), level * genpareto.sf(scores - join, shape, scale=scale), rtol=1e-12
    )


@pytest.mark.parametrize("shape", [0.05, 0.2, 0.4])
def test_the_moments_find_the_scale_and_shape_of_a_generalised_pareto_sample(shape):
    sample = np.sort(genpareto.rvs(shape, scale=2.0, size=20_000, random_state=0))
    found_scale, found_shape = weighted_moments(sample)
    assert found_scale == pytest.approx(2.0, rel=0.05)
    assert found_shape == pytest.approx(shape, abs=0.05)


def test_the_tail_of_bounded_scores_has_no_end_point():
    calibrator = Calibrator().fit(np.linspace(0.0, 1.0, 1000))
    assert calibrator.tail_[3] > 0.0
    assert 0.0 < calibrator.p_value_one(2.0) < calibrator.p_value_one(1.01) < calibrator.resolution_


@pytest.mark.parametrize("draw", ["normal", "exponential", "lognormal"])
def test_the_tail_extrapolates_ten_times_beyond_the_data(draw):
    generator = np.random.default_rng(3)
    truth = np.quantile(getattr(generator, draw)(size=2_000_000), 1 - 1e-4)
    found = [Calibrator().fit(getattr(generator, draw)(size=1000)).p_value_one(truth) for _ in range(60)]
    assert 0.4e-4 < np.exp(np.mean(np.log(found))) < 2.5e-4


@pytest.mark.parametrize(("n", "alpha"), [(60, 0.05), (200, 0.01), (200, 0.05), (2000, 0.01), (2000, 0.001)])
def test_the_share_of_normal_scores_at_alpha_or_below_is_alpha(n, alpha):
    generator = np.random.default_rng(n)
    rates = [
        (Calibrator().fit(generator.gamma(2.0, size=n)).p_value(generator.gamma(2.0, size=1000)) <= alpha).mean()
        for _ in range(300)
    ]
    assert np.mean(rates) == pytest.approx(alpha, rel=0.15)


def test_ties_never_flag_more_than_alpha():
    generator = np.random.default_rng(0)
    calibrator = Calibrator().fit(generator.integers(0, 6, 5000))
    assert (calibrator.p_value(generator.integers(0, 6, 5000)) <= 0.2).mean() == pytest.approx(1 / 6, abs=0.02)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0, 1e300])
@pytest.mark.parametrize("n", [1, 2, 500])
def test_equal_scores_leave_no_scale_so_p_stops_at_the_resolution(value, n):
    calibrator = Calibrator().fit(np.full(n, value))
    assert calibrator.p_value_one(value) == 1.0
    assert calibrator.p_value_one(np.nextafter(value, np.inf)) == calibrator.resolution_ == 1 / (n + 1)


def test_scores_that_differ_by_rounding_count_as_equal():
    assert_array_equal(fit_tail(np.array([0.3, 0.1 + 0.2]), 0.1), fit_tail(np.array([0.3, 0.3]), 0.1))


def test_two_different_scores_make_a_tail():
    p = Calibrator().fit([1.0, 2.0]).p_value([1.0, 2.0, 3.0, 20.0])
    assert p[0] == 1.0
    assert np.all(np.diff(p) < 0.0)


def test_more_ties_at_the_top_than_the_tail_is_fitted_on_still_leave_a_scale():
    calibrator = Calibrator().fit([0.0] * 50 + [1.0] * 50)
    assert calibrator.p_value_one(1.0) == 51 / 101
    assert calibrator.p_value_one(2.0) == pytest.approx(math.exp(-1.0) / 101, rel=0.02)


def test_infinite_calibration_scores_leave_p_conformal():
    calibration = [1.0, 2.0, 3.0, math.inf]
    assert Calibrator().fit(calibration).p_value_one(2.5) == conformal(calibration, 2.5)
    assert Calibrator().fit(calibration).p_value_one(math.inf) == 0.4


def test_restored_p_values_are_equal_to_the_bit():
    fitted = Calibrator().fit(normal_scores())
    restored = Calibrator().restore(fitted.state())
    scores = np.linspace(-5, 50, 999)
    assert_array_equal(fitted.p_value(scores), restored.p_value(scores))
    assert (restored.n_, restored.resolution_) == (1000, 1 / 1001)


def test_an_alpha_the_sample_cannot_resolve_is_refused_with_the_rows_it_takes():
    calibrator = Calibrator(tail=False).fit(normal_scores(50))
    with pytest.raises(ParameterError, match=r"50 calibration rows.*at least 99 rows.*tail=True"):
        calibrator.check_alpha(0.01)
    calibrator.check_alpha(1 / 51)
    Calibrator(tail=False).fit(normal_scores(99)).check_alpha(0.01)
    Calibrator().fit(normal_scores(50)).check_alpha(0.01)


@pytest.mark.parametrize("share", [0.0, 0.6, "0.1"])
def test_a_tail_share_out_of_range_is_refused(share):
    with pytest.raises(ParameterError, match="tail_share"):
        Calibrator(tail_share=share).fit([1.0, 2.0])


def test_no_scores_and_missing_scores_are_refused():
    with pytest.raises(InputError, match="got none"):
        Calibrator().fit([])
    with pytest.raises(InputError, match="1 of 2 scores are NaN"):
        Calibrator().fit([1.0, math.nan])
    with pytest.raises(InputError, match="1 of 2 scores are NaN"):
        Calibrator().fit([1.0, 2.0]).p_value([math.nan, 1.0])


def test_before_fit_every_question_says_so():
    for question in (
        lambda c: c.p_value([1.0]),
        lambda c: c.check_alpha(0.1),
        Calibrator.state,
    ):
        with pytest.raises(NotFittedError):
            question(Calibrator())


def test_no_scores_to_judge_give_no_p_values():
    assert Calibrator().fit([1.0, 2.0]).p_value([]).shape == (0,)


@unhurried
@given(samples, st.sampled_from([0.25, 3.0, 1024.0]))
def test_p_does_not_depend_on_the_unit_of_the_score(calibration, unit):
    values = np.array(calibration)
    scores = np.linspace(values.min() - 1, values.max() + 10, 20)
    p = Calibrator().fit(values).p_value(scores)
    np.testing.assert_allclose(Calibrator().fit(values * unit).p_value(scores * unit), p, rtol=1e-6)
