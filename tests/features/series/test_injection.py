"""Injected anomalies of series: labels mark what was changed, and nothing else was."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation.series_ranges import events
from anomaly_detection.features.series import Series
from anomaly_detection.features.series.injection import SERIES_KINDS, inject_series

ROWS = np.arange(600)


def daily(width=1, seed=0, missing=0.0):
    rng = np.random.default_rng(seed)
    values = np.sin(ROWS[:, None] * 2 * np.pi / 24) * 3 + rng.normal(0, 0.3, (600, width)) + 10
    values[rng.random(values.shape) < missing] = np.nan
    return Series.of(values)


@settings(max_examples=60)
@given(
    st.sampled_from(list(SERIES_KINDS)),
    st.integers(0, 1000),
    st.integers(1, 5),
    st.sampled_from([1, 3]),
    st.sampled_from([0.0, 0.1]),
)
def test_labels_mark_exactly_what_was_changed(kind, seed, count, width, missing):
    series = daily(width, seed, missing)
    found = inject_series(series, kind, events=count, start=200, seed=seed)
    same = (found.series.values == series.values) | (np.isnan(found.series.values) & np.isnan(series.values))
    assert np.array_equal(found.labels, ~same.all(axis=1))
    assert not found.labels[:200].any()
    assert found.labels.any()
    assert np.isnan(found.series.values[np.isnan(series.values)]).all()
    assert kind == "dropout" or np.isnan(found.series.values).sum() == np.isnan(series.values).sum()
    assert not np.isinf(found.series.values).any()


@pytest.mark.parametrize("kind", SERIES_KINDS)
def test_the_same_seed_gives_the_same_series(kind):
    once, again, other = (inject_series(daily(2), kind, events=3, seed=seed) for seed in (7, 7, 8))
    assert once.series.values.tobytes() == again.series.values.tobytes()
    assert np.array_equal(once.labels, again.labels)
    assert not np.array_equal(once.labels, other.labels)


@pytest.mark.parametrize("kind", SERIES_KINDS)
def test_other_units_change_nothing_but_the_unit(kind):
    series = daily()
    found = inject_series(series, kind, events=2, seed=3)
    scaled = inject_series(series.with_values(series.values * 1000), kind, events=2, seed=3)
    np.testing.assert_allclose(scaled.series.values, found.series.values * 1000)
    assert np.array_equal(scaled.labels, found.labels)


def test_sizes_are_in_scales_and_lengths_in_rows():
    series = Series.of(np.random.default_rng(0).normal(0.0, 2.0, 2_000))
    spike = inject_series(series, "spike", size=10, length=1)
    assert (spike.series.values - series.values)[spike.labels].item() == pytest.approx(20, rel=0.2)
    for kind in ("level_shift", "drift", "flatline", "dropout"):
        labels = inject_series(series, kind, events=4, length=30).labels
        assert [end - start + 1 for start, end in events(labels).tolist()] == [30] * 4
    assert inject_series(daily(), "season_break").labels.sum() == 24


def test_what_each_kind_does():
    series = daily()

    def changed(kind, **more):
        found = inject_series(series, kind, length=48, **more)
        return found.series.values[found.labels, 0], series.values[found.labels, 0]

    new, old = changed("noise", size=8)
    assert np.diff(new).std() > 2 * np.diff(old).std()
    assert np.isnan(changed("dropout")[0]).all()
    assert len(set(changed("flatline")[0])) == 1
    new, old = changed("season_break")
    assert np.corrcoef(new, old)[0, 1] < -0.9
    new, old = changed("time_shift")
    assert np.corrcoef(new, old)[0, 1] < 0.2
    new, old = changed("swap", seed=1)
    assert set(new) <= set(series.values[:, 0])
    new, old = changed("amplitude", size=8)
    assert max(new.std() / old.std(), old.std() / new.std()) == pytest.approx(3, rel=0.05)


def test_wrong_use_is_refused_with_the_way_out():
    with pytest.raises(ParameterError, match="kind='wiggle'"):
        inject_series(daily(), "wiggle")
    with pytest.raises(ParameterError, match="size=0"):
        inject_series(daily(), "spike", size=0)
    with pytest.raises(InputError, match="Take fewer or shorter"):
        inject_series(daily(), "drift", events=20)
    with pytest.raises(InputError, match="changes nothing"):
        inject_series(Series.of(np.ones(200)), "swap")
