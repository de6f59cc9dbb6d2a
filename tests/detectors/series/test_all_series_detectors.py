"""Every detector on series in the catalog keeps every promise of its contract."""

import pytest

from anomaly_detection.catalog import DETECTORS, SERIES_DETECTORS
from anomaly_detection.detectors.series import SeriesDetector, create, name_of
from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.testing import series_checks

ENTRIES = SERIES_DETECTORS.entries()

STANDS_STILL = "it looks at values that do not change"
EXEMPT: dict[str, dict[str, str]] = {
    "flatline": {
        "constant_series_have_finite_scores": STANDS_STILL,
        "a_planted_spike_is_found": STANDS_STILL,
    },
    "change_point_online": {"a_planted_spike_is_found": "a spike is no change"},
    "gap": dict.fromkeys(
        ("a_planted_spike_is_found", "constant_series_have_finite_scores"), "it looks at when values came, not at them"
    ),
}

PEERS = {"arima": "statsforecast", "mstl": "statsforecast", "prophet": "prophet"}

SAME = {*PEERS, "forecast_residual", "fourier", "seasonal_naive", "stl"}
"""One class with different forecasters in it; it is checked in full with one of them, ``ets``."""

ENOUGH = ("scores_are_one_per_row", "a_planted_spike_is_found")
"""Checks of the others, which take longer to fit."""


def all_checks():
    return [
        pytest.param(check, marks=[pytest.mark.needs_extra(PEERS[entry.name])] if entry.name in PEERS else [])
        for entry in ENTRIES
        for check in series_checks(entry.load(), name=entry.name, exempt=EXEMPT.get(entry.name))
        if entry.name not in SAME or check.promise.__name__ in ENOUGH
    ]


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_promise(check):
    check()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_names_and_parameters(entry):
    detector = create(entry.name)
    assert isinstance(detector, SeriesDetector)
    assert name_of(detector) == entry.name
    assert repr(detector.clone()) == repr(detector)
    assert set(detector.moving) <= set(detector.learned)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_tables_refuse_them_with_the_way_out(entry):
    if entry.name == "auto":
        pytest.skip("tables have an algorithm of this name, too")
    with pytest.raises(ParameterError, match="--timestamp"):
        DETECTORS.resolve(entry.name)


def test_unknown_names_have_their_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'ewma'"):
        create("emwa")
