"""Windows: nearest earlier stretches."""

import math

import numpy as np
import pytest

from anomaly_detection.detectors.series import create
from anomaly_detection.detectors.series._window_kernels import advance_windows, squares_of
from anomaly_detection.detectors.series.windows import Windows
from anomaly_detection.errors import ArtifactError, ParameterError
from anomaly_detection.features.series import Series

LENGTHS = np.array([2, 5, 8])
LAGS, RELEASE = 40, 21


def naive(values, usual, line, begins):
    """The slow twin: (w, 2, n) distances and (n,) scores of rows from the first on; one does not follow the others."""
    nearest, score = np.full((len(LENGTHS), 2, len(values)), np.nan), np.full(len(values), np.nan)
    kept_out, above = [], 0
    for i in range(len(values)):
        surprises = []
        for k, length in enumerate(LENGTHS):
            stretches = [
                values[i - lag - length + 1 : i - lag + 1]
                for lag in range(length, LAGS + 1)
                if i - lag - length + 1 >= 0
                and not any(i - lag - length < row <= i - lag for row in kept_out if i - row < RELEASE)
                and not i - lag - length + 1 < begins <= i - lag
            ]
            if not stretches or i - length + 1 < begins <= i:
                continue
            away = values[i - length + 1 : i + 1] - np.array(stretches)
            nearest[k, 0, i] = np.sqrt((away**2).sum(axis=1).min())
            nearest[k, 1, i] = np.sqrt(((away - away.mean(axis=1, keepdims=True)) ** 2).sum(axis=1).min())
            for c in range(2):
                start, scale = usual[k, c]
                if scale > 0:
                    surprises.append(max(3 + (nearest[k, c, i] - start) / scale, 0))
        if surprises:
            score[i] = math.sqrt(np.mean(np.square(surprises)))
        above = above + 1 if score[i] > line else 0
        if 0 < above <= LENGTHS[-1]:
            kept_out.append(i)
    return nearest, score


def fast(values, usual, line, begins, chunk):
    kept = LAGS + LENGTHS[-1]
    past, barred, squares, seen = np.zeros(kept), np.zeros(kept, np.uint8), np.zeros((len(LENGTHS), LAGS)), 0
    found = []
    for start in sorted({*range(0, len(values), chunk), begins}):
        end = min(start + chunk - start % chunk, begins if start < begins else len(values))
        fresh = values[start:end]
        rows = np.concatenate([fresh[::-1], past])
        marks = np.concatenate([np.zeros(len(fresh), np.uint8), barred])
        nearest, score = np.empty((len(LENGTHS), 2, len(fresh))), np.empty(len(fresh))
        advance_windows(rows, marks, LENGTHS, seen, squares, usual, line, start == begins, RELEASE, nearest, score)
        past, barred, seen = rows[:kept].copy(), marks[:kept].copy(), min(seen + len(fresh), kept)
        found.append((nearest, score))
        again = np.zeros_like(squares)
        squares_of(past, LENGTHS, seen, again)
        np.testing.assert_array_equal(again, squares)
    return np.concatenate([one for one, _ in found], axis=2), np.concatenate([one for _, one in found])


@pytest.mark.parametrize(
    ("line", "begins", "chunk"),
    [(math.inf, 0, 1), (math.inf, 50, 50), (4.0, 57, 7), (2.0, 71, 200), (2.0, 70, 1), (4.0, 0, 7)],
)
def test_the_kernel_equals_its_naive_twin(line, begins, chunk):
    values = np.rint(np.random.default_rng(0).normal(0.0, 100.0, size=120))
    values[60:90] += 500.0
    usual = np.random.default_rng(1).uniform(50.0, 400.0, size=(3, 2, 2))
    usual[1, 1] = 0.0
    expected, found = naive(values, usual, line, begins), fast(values, usual, line, begins, chunk)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-9)


def test_a_season_that_breaks_and_a_spike_stand_out():
    hours = np.arange(1200)
    values = 10 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(0).normal(0.0, 0.5, size=1200)
    values[900:912] = values[900:912][::-1]
    values[1100] = 20.0
    score = Windows().fit(Series.of(values[:600])).advance(Series.of(values)[600:]).score
    usual = np.concatenate([score[:290], score[430:500]])
    assert score[300:330].max() > 2 * usual.max()
    assert score[500] > 2 * usual.max()


def test_what_was_seen_once_is_no_news_and_what_was_kept_out_is():
    values = np.random.default_rng(0).normal(size=1500)
    shape = 8.0 * np.sin(np.arange(30))
    values[700:730] += shape
    values[1200:1230] += shape
    start = Windows().fit(Series.of(values[:600]))
    learned, kept_out = (start.score(Series.of(values)[600:], line).score for line in (np.inf, 6.0))
    assert learned[600:630].max() < 0.7 * learned[100:130].max()
    assert kept_out[600:630].max() > 1.2 * learned[600:630].max()


def test_no_stretch_holds_rows_that_do_not_follow_one_another():
    series = Series.of(10.0 * np.sin(np.arange(1_000) * 2 * np.pi / 50))
    follows, begins = (Windows().fit(series[:600]) for _ in range(2))
    begins.interrupted()
    begins = Windows.from_state(*begins.state())
    odd, fine = (one.advance(series[625:]).score for one in (follows, begins))
    assert odd[:100].max() > 2 * fine[1:].max()
    assert np.isnan(fine[0])
    np.testing.assert_allclose(odd[200:], fine[200:])


def test_what_lasts_above_the_line_becomes_normal():
    values = np.random.default_rng(0).normal(size=1500)
    values[700:] += 30.0
    score = Windows(longest=32).fit(Series.of(values[:600])).advance(Series.of(values)[600:], 6.0).score
    assert score[100:130].min() > 6.0
    assert np.median(score[300:]) < 4.0


def test_lengths_are_those_that_training_rows_tell_of():
    assert create("windows", longest=100).lengths.tolist() == [2, 4, 8, 16, 32, 64, 100]
    detector = Windows().fit(Series.of(np.random.default_rng(0).normal(size=100)))
    assert detector.evidence() == {"lengths": [2, 4, 8, 16, 32], "memory": 20_000}


def test_parameters_and_foreign_arrays_are_refused():
    with pytest.raises(ParameterError, match="longest=1000"):
        Windows(longest=1000).fit(Series.of(np.arange(30.0)))
    spec, arrays = Windows(memory=100).fit(Series.of(np.arange(30.0))).state()
    halves = arrays["past_"] + 0.5
    for wrong in ({"past_": arrays["past_"][1:]}, {"past_": halves}, {"seen_": np.array([-1])}, {"grid_": np.zeros(2)}):
        with pytest.raises(ArtifactError):
            Windows.from_state(spec, {**arrays, **wrong})


def test_in_a_whole_file_what_happens_twice_is_news_the_first_time():
    values = np.random.default_rng(0).normal(size=900)
    shape = 8.0 * np.sin(np.arange(30))
    values[200:230] += shape
    values[600:630] += shape
    values[400:430] += shape[::-1] * np.linspace(0.2, 1.5, 30)
    score = create("whole_windows").score_whole(Series.of(values)).score
    assert score[600:630].max() < 0.8 * min(score[200:230].max(), score[400:430].max())
    assert max(score[:190].max(), score[240:390].max(), score[640:].max()) < 0.8 * score[200:230].max()
