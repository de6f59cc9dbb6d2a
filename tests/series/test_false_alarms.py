"""Rows like those learned from raise as many alarms as were asked for: simulated series of many kinds."""

import numpy as np
import polars as pl
import pytest
from scipy.signal import lfilter

from anomaly_detection.series import SeriesPipeline


def white(rng, n):
    return rng.normal(size=n)


def autoregressive(rng, n):
    return lfilter([1.0], [1.0, -0.8], rng.normal(size=n + 100))[100:]


def seasonal(rng, n):
    return 10.0 * np.sin(np.arange(n) * 2.0 * np.pi / 24.0) + rng.normal(size=n)


def heavy(rng, n):
    return rng.standard_t(3.0, size=n)


def counts(rng, n):
    return rng.poisson(5.0, size=n).astype(np.float64)


def trend(rng, n):
    period, phase = rng.uniform(20.0, 60.0), rng.uniform(0.0, 2.0 * np.pi)
    rows = np.arange(n)
    return 3.0 * np.sin(rows * 2.0 * np.pi / period + phase) + 0.0005 * rows + rng.normal(size=n)


def rate(detector, kind, alpha, seeds, channels=1, learned=3_000, judged=6_000):
    """Alarms per row over α, averaged over series."""
    found = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        columns = {f"v{k}": kind(rng, learned + judged) for k in range(channels)}
        frame = pl.DataFrame(columns).with_row_index("t")
        pipeline = SeriesPipeline(detector, contamination=alpha).fit(frame[:learned], timestamp="t")
        found.append(pipeline.detect(frame[learned:]).is_anomaly.mean() / alpha)
    return np.mean(found)


@pytest.mark.parametrize("kind", [autoregressive, heavy, trend])
def test_control_charts_raise_as_many_alarms_as_asked_for(kind):
    assert 0.85 < rate("ewma", kind, 0.01, 16) < 1.15
    assert 0.65 < rate("ewma", kind, 0.001, 16) < 1.5


@pytest.mark.parametrize("kind", [seasonal, counts])
def test_five_channels_raise_as_many_alarms_as_asked_for(kind):
    assert 0.75 < rate("auto", kind, 0.01, 16, channels=5) < 1.15


def test_windows_raise_as_many_alarms_as_asked_for_over_series_of_many_kinds():
    rates = [rate("auto", kind, 0.01, 3, learned=1_500, judged=3_000) for kind in (white, seasonal, counts)]
    assert 0.4 < np.mean(rates) < 1.5
