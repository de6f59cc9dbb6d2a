"""change_point_online: that the level or the scatter has changed, told some rows later."""

import math

import numpy as np
import pytest

from anomaly_detection.detectors.series import create
from anomaly_detection.detectors.series._run_kernels import (
    CHANCE,
    GONE,
    KEPT,
    NEAR,
    PRIOR,
    REACH,
    RUNS,
    SHIFT,
    START,
    STRETCH,
    SURE,
    WEIGHT,
    YOUNG,
    advance_runs,
)
from anomaly_detection.detectors.series.change_point_online import ChangePointsOnline
from anomaly_detection.errors import ArtifactError, ParameterError
from anomaly_detection.features.series import Series

HOUR = 3_600_000_000


def student(x, times, mean, shape, rate):
    """The logarithmic density of Student's t with 2 * shape degrees of freedom, about the mean."""
    freedom, scale = 2 * shape, math.sqrt(rate * (times + 1) / (shape * times))
    constant = math.gamma((freedom + 1) / 2) / math.gamma(freedom / 2) / math.sqrt(freedom * math.pi) / scale
    return math.log(constant * (1 + ((x - mean) / scale) ** 2 / freedom) ** (-(freedom + 1) / 2))


def different(values, level, spread):
    """Whether values lie elsewhere, or scatter otherwise, than a run with this level and spread."""
    values = values[~np.isnan(values)]
    n, new = len(values), values.std(ddof=1)
    shifted = abs(values.mean() - level) > SHIFT * math.hypot(spread, new) + CHANCE * new / math.sqrt(n)
    return shifted or abs(math.log(new / spread)) > STRETCH + CHANCE / math.sqrt(2 * (n - 1))


def learned(x, weight, times, mean, shape, rate):
    """A run after a value."""
    rate += weight * times * (x - mean) ** 2 / (times + weight) / 2
    return times + weight, (times * mean + weight * x) / (times + weight), shape + weight / 2, rate


def naive(values, weight, hazard):
    """The slow twin of the kernel, without forgetting: rows at which a change is told, how sure, and since when."""
    runs, told, found, known = {}, 0, [], []
    for row, value in enumerate(values):
        x = value
        if math.isnan(x):
            known.append(known[-1])
            continue
        if runs:
            _, times, mean, shape, rate = max(runs.values())
            reach = REACH * math.sqrt(rate * (times + 1) / (shape * times))
            x = min(max(x, mean - reach), mean + reach)
        for start, (mass, *run) in runs.items():
            runs[start] = (mass * (1 - hazard) * math.exp(weight * student(x, *run)), *run)
        new = (PRIOR[0], 0.0, PRIOR[1], PRIOR[2])
        runs[row] = (hazard * math.exp(weight * student(x, *new)), *new)
        total = sum(mass for mass, *_ in runs.values())
        runs = {start: (mass / total, *learned(x, weight, *run)) for start, (mass, *run) in runs.items()}
        later = {start: run[0] for start, run in runs.items() if told + NEAR < start <= row - YOUNG + 1}
        best = max(later, key=later.get, default=0)
        if sum(later.values()) > SURE and student(value, *runs[best][1:]) > student(value, *runs[told][1:]):
            level, spread = known[best - 1]
            if different(values[best : row + 1], level, spread):
                told = best
                found.append((row, sum(later.values()), row - told))
        known.append((runs[told][2], math.sqrt(runs[told][4] / runs[told][3])))
    return found


@pytest.mark.parametrize("weight", [1.0, 0.4])
def test_the_kernel_equals_its_naive_twin(weight):
    rng = np.random.default_rng(3)
    values = rng.normal(size=60)
    values[30:] += 4.0
    values[[20, 45]] = 30.0, np.nan
    runs, told, past = np.zeros((1, 6, RUNS)), np.zeros((1, 2)), np.zeros((1, 3, KEPT))
    runs[:, START], runs[:, WEIGHT] = -1.0, GONE
    found = np.zeros((60, 1, 6))
    advance_runs(values[:, None], np.array([weight]), 0.01, runs, told, past, found)
    rows = np.flatnonzero(found[:, 0, 0])
    expected = naive(values, weight, 0.01)
    assert len(expected) >= 1
    np.testing.assert_allclose(np.column_stack([rows, found[rows, 0, :2]]), expected, rtol=1e-9)
    since = int(found[rows[0], 0, 1])
    np.testing.assert_allclose(found[rows[0], 0, 4], values[rows[0] - since : rows[0] + 1].mean())


def told(values, n=300, step=1):
    series = Series.of(values, step)
    scores = ChangePointsOnline().fit(series[:n]).advance(series[n:])
    return [(int(row) + n, str(scores.why[row])) for row in np.flatnonzero(scores.score)], scores


def test_a_new_level_is_told_once_within_a_few_rows_and_dated():
    values = np.random.default_rng(0).normal(size=1200)
    values[700:] += 4.0
    ((row, why),), scores = told(values)
    assert 703 <= row <= 710
    assert why.startswith("v0 changed its level from")
    assert why.endswith(f"{row - 700} rows ago")
    assert 0.9 < scores.score[row - 300] <= 1.0
    assert scores.side[row - 300] == 1


def test_a_wider_scatter_is_named():
    values = np.random.default_rng(0).normal(size=1200)
    values[700:] *= 4.0
    changes, _ = told(values)
    assert any(700 <= row <= 740 and "changed its scatter from" in why for row, why in changes)


def test_spikes_seasons_and_noise_that_goes_on_are_no_changes():
    rng = np.random.default_rng(0)
    spiked = rng.normal(size=1500)
    spiked[[500, 800, 801, 802]] = 60.0
    daily = 10 * np.sin(np.arange(1500) * 2 * np.pi / 24) + rng.normal(size=1500)
    slow = np.convolve(rng.normal(size=1509), 0.8 ** np.arange(10), "valid")
    assert told(spiked)[0] == []
    assert told(daily, step=HOUR)[0] == []
    assert told(slow)[0] == []


def test_values_missing_at_the_start_do_not_matter():
    values = np.random.default_rng(0).normal(20.0, 1.0, size=800)
    values[:10], values[500:] = np.nan, values[500:] + 5.0
    ((row, why),), _ = told(values)
    assert 503 <= row <= 510
    assert 19.5 < float(why.split(" from ")[1].split()[0]) < 20.5


def test_of_several_channels_the_one_that_changed_is_named():
    values = np.random.default_rng(0).normal(size=(800, 3))
    values[500:, 1] -= 5.0
    ((_, why),), scores = told(values)
    assert why.startswith("v1 changed its level")
    assert scores.side.min() == -1
    assert scores.contributions.max(axis=0).argmax() == 1


def test_rows_that_do_not_follow_begin_a_new_run():
    values = np.random.default_rng(0).normal(size=600)
    series, moved = Series.of(values), Series.of(values + 20.0)
    detector = ChangePointsOnline().fit(series[:300])
    assert detector.score(moved[300:]).score.max() > 0.9
    detector.interrupted()
    assert detector.advance(moved[300:]).score.max() == 0.0


def test_names_parameters_and_foreign_arrays():
    assert isinstance(create("bocpd", run=100), ChangePointsOnline)
    with pytest.raises(ParameterError, match="run=1"):
        create("bocpd", run=1)
    spec, arrays = ChangePointsOnline().fit(Series.of(np.arange(9.0))).state()
    for name, wrong in (
        ("runs_", arrays["runs_"][:, :5]),
        ("told_", arrays["told_"] - 100.0),
        ("periods_", np.array([7])),
        ("frame_", arrays["frame_"] * 0.0),
    ):
        with pytest.raises(ArtifactError):
            ChangePointsOnline.from_state(spec, {**arrays, name: wrong})
