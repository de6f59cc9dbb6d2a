"""Seasonal EWMA: a level that moves along a slope, and what each place of the season adds."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from anomaly_detection.detectors.series._lately_kernels import find_oddest
from anomaly_detection.detectors.series._seasonal_kernels import advance_seasons
from anomaly_detection.detectors.series.seasonal_ewma import SeasonalEWMA
from anomaly_detection.errors import ArtifactError
from anomaly_detection.features.series import Series

PERIOD, ROWS = 6, 150
SPANS = (30.0, 8.0)
NORMAL = 1.2533141373155001


def naive(values, line):
    """The slow twin, of one channel from season 0, level 0, scale 1 and slope 0: scores, expected values and scales."""
    level, slope, deviation, seen, above = 0.0, 0.0, 1.0, 5.0, 0.0
    season, spread, rounds = np.zeros(PERIOD), np.ones(PERIOD), np.zeros(PERIOD)
    found = []
    for i, value in enumerate(values):
        k = i % PERIOD
        mixed = (rounds[k] * spread[k] + 10 * deviation) / (rounds[k] + 10)
        level += slope
        expected, scale = level + season[k], NORMAL * mixed
        score = abs(value - expected) / scale
        found.append((score, expected, scale))
        above += (float(score > line) - above) / 20
        if np.isnan(value) or (score > line and above < 0.5):
            continue
        seen, rounds[k] = min(seen + 1, SPANS[0]), min(rounds[k] + 1, SPANS[1])
        away = np.clip(value - expected, -3 * scale, 3 * scale)
        level, slope = level + away / seen, slope + away / (4 * seen**2)
        season[k] += (away - away / seen) / rounds[k]
        deviation += (abs(away) - deviation) / seen
        spread[k] += (abs(away) - spread[k]) / rounds[k]
    return np.array(found).T


@pytest.mark.parametrize("line", [np.inf, 3.0])
def test_the_kernel_equals_its_naive_twin(line):
    rows = np.arange(ROWS)
    values = np.sin(2 * np.pi * rows / PERIOD) + 0.02 * rows + np.random.default_rng(0).normal(0.0, 0.3, ROWS)
    values[[40, 41]], values[70], values[100:130] = np.nan, 9.0, values[100:130] + 8.0
    season, level = np.zeros((PERIOD, 3, 1)), np.array([[0.0], [1.0], [5.0], [0.0]])
    season[:, 1] = 1.0
    score, told, side = np.empty(ROWS), np.empty((3, ROWS, 1)), np.zeros(ROWS, np.int8)
    advance_seasons(values[:, None], rows % PERIOD, season, level, np.zeros(1), SPANS, line, score, told, side)
    expected = naive(values, line)
    for one, other in zip((score, told[0, :, 0], told[1, :, 0]), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_the_oddest_row_equals_its_naive_twin():
    rng = np.random.default_rng(0)
    away, lengths = rng.integers(0, 6, size=(40, 2)).astype(float), rng.integers(1, 12, size=30)
    away[rng.random(away.shape) < 0.2] = np.nan
    back, channel = np.zeros(30, np.int64), np.zeros(30, np.int64)
    find_oddest(away, lengths, back, channel)
    for i, length in enumerate(lengths.tolist()):
        places = [(j, k) for j in range(min(length, 11 + i)) for k in range(2) if not np.isnan(away[10 + i - j, k])]
        best = max(places, key=lambda at: (away[10 + i - at[0], at[1]], -at[0], -at[1]), default=(0, 0))
        assert (back[i], channel[i]) == best


@pytest.mark.parametrize("slope", [0.0, 0.02, -0.5])
def test_a_trend_of_any_slope_is_expected(slope):
    rows = np.arange(1_500)
    values = 10 * np.sin(2 * np.pi * rows / 24) + np.random.default_rng(0).normal(size=1_500)
    flat, steep = (
        SeasonalEWMA(24).fit(Series.of(one[:1_000])).advance(Series.of(one)[1_000:])
        for one in (values, values + slope * rows)
    )
    np.testing.assert_allclose(steep.score, flat.score, atol=1e-6)
    assert np.abs(flat.expected[:, 0] - values[1_000:]).mean() < 1.1


def test_a_band_is_wide_where_the_season_scatters():
    rows = np.arange(3_000)
    scatter = np.where(rows % 24 < 8, 0.2, 2.0)
    series = Series.of(np.random.default_rng(0).normal(size=3_000) * scatter)
    scale = SeasonalEWMA(24).fit(series[:2_000]).advance(series[2_000:]).scale[:, 0]
    night = rows[2_000:] % 24 < 8
    assert np.median(scale[~night]) > 3 * np.median(scale[night])


def test_places_follow_the_clock_on_the_wall():
    start = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
    times = pl.datetime_range(start, start + dt.timedelta(days=80), "1h", eager=True)
    local = times.dt.convert_time_zone("Europe/Berlin")
    values = np.where(local.dt.hour().to_numpy() < 8, 0.0, 10.0) + np.random.default_rng(0).normal(0, 0.1, len(times))
    time = times.dt.timestamp("us").to_numpy()
    scores = {}
    for zone in ("Europe/Berlin", None):
        series = Series(values[:, None], time, 3_600_000_000, ("v",), zone)
        scores[zone] = SeasonalEWMA(24).fit(series[: 24 * 50]).advance(series[24 * 50 :]).score
    changed = (times.to_numpy()[24 * 50 :] > np.datetime64("2025-03-30T02:00")).nonzero()[0][:48]
    assert scores["Europe/Berlin"][changed].max() < 8.0
    assert scores[None][changed].max() > 50.0


def test_foreign_arrays_are_refused():
    spec, arrays = SeasonalEWMA(4).fit(Series.of(np.arange(60.0))).state()
    for wrong in ({"season_": arrays["season_"][1:]}, {"level_": arrays["level_"][:3]}, {"above_": np.array([2.0])}):
        with pytest.raises(ArtifactError):
            SeasonalEWMA.from_state(spec, {**arrays, **wrong})
