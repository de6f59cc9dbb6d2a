"""EWMA: a moving control chart."""

import math

import numpy as np
import pytest

from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.errors import ArtifactError, ParameterError
from anomaly_detection.features.series import Series


def naive(values, state, span, fewest, line):
    """The slow twin of the kernel: (n,) scores; the (3, d) state is changed in place."""
    scores, above = [], 0.0
    for row in values:
        distances = []
        for x, (level, deviation, seen) in zip(row, state.T, strict=True):
            if math.isnan(x) or seen < fewest:
                continue
            spread = deviation * math.sqrt(math.pi / 2)
            distances.append(abs(x - level) / spread if spread > 0 else 1000.0 * (x != level))
        scores.append(max(distances, default=math.nan))
        above += ((scores[-1] > line) - above) / 20
        if not scores[-1] > line or above >= 0.5:
            for k, x in enumerate(row):
                if not math.isnan(x):
                    state[:, k] = learned(x, *state[:, k], span)
    return np.array(scores)


def learned(x, level, deviation, seen, span):
    seen = min(seen + 1, span)
    if seen == 1:
        return x, deviation, seen
    away = x - level
    if deviation > 0:
        reach = 3 * math.sqrt(math.pi / 2) * deviation
        away = min(max(away, -reach), reach)
        return level + away / seen, deviation + (abs(away) - deviation) / seen, seen
    return level + away / seen, abs(away) / seen, seen


@pytest.mark.parametrize("line", [math.inf, 4.0])
def test_the_kernel_equals_its_naive_twin(line):
    rng = np.random.default_rng(1)
    values = rng.standard_t(2, size=(400, 3))
    values[rng.random(values.shape) < 0.1] = np.nan
    values[200:, 2] = 5.0
    values[300:, 1] += 20.0
    series = Series.of(values)
    detector = EWMA(span=40).fit(series[:100])
    state = np.zeros((3, 3))
    naive(values[:100], state, 40, 5, math.inf)
    np.testing.assert_allclose(detector.advance(series[100:], line).score, naive(values[100:], state, 40, 5, line))
    np.testing.assert_allclose(detector.chart_, state)


def test_a_new_level_becomes_normal_and_a_spike_does_not():
    rng = np.random.default_rng(0)
    values = rng.normal(size=1000)
    values[500:] += 6.0
    values[400] = 1e9
    scores = EWMA(span=50).fit(Series.of(values[:300])).advance(Series.of(values)[300:]).score
    assert scores[100] > 1e8
    assert scores[101:200].max() < 6
    assert scores[200] > 4
    assert scores[500:].max() < 5


def test_what_lasts_is_learned_although_it_is_above_the_line():
    values = np.random.default_rng(0).normal(size=600)
    values[310], values[400:] = 50.0, values[400:] + 30.0
    scores = EWMA(span=50).fit(Series.of(values[:300])).advance(Series.of(values)[300:], 4.0).score
    assert scores[10] > 30
    assert scores[100:113].min() > 20
    assert scores[-100:].max() < 5


def test_sides_bands_and_contributions():
    values = np.random.default_rng(0).normal(size=(200, 2))
    values[150] = 0.0, -20.0
    scores = EWMA().fit(Series.of(values[:100])).advance(Series.of(values)[100:])
    assert scores.side[50] == -1
    assert scores.contributions[50].argmax() == 1
    outside = abs(values[100:] - scores.expected) / scores.scale
    np.testing.assert_allclose(outside.max(axis=1), scores.score)


def test_parameters_and_foreign_arrays_are_refused():
    with pytest.raises(ParameterError, match="span=2"):
        EWMA(span=2).fit(Series.of([1.0, 2.0]))
    spec, arrays = EWMA().fit(Series.of([1.0, 2.0])).state()
    for wrong in (
        {},
        {"chart_": np.zeros((3, 2)), "above_": np.zeros(1)},
        {**arrays, "chart_": np.full((3, 1), -1.0)},
        {**arrays, "above_": np.full(1, 2.0)},
    ):
        with pytest.raises(ArtifactError):
            EWMA.from_state(spec, wrong)
    assert EWMA.from_state(spec, arrays).chart_[2, 0] == 2
