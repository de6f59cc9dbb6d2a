"""Every forecaster in the catalog keeps every promise of its contract."""

import pytest

from anomaly_detection.catalog import FORECASTERS
from anomaly_detection.errors import UnknownNameError
from anomaly_detection.forecasters import Forecaster, create, name_of
from anomaly_detection.testing import forecaster_checks

PEERS = {"arima": "statsforecast", "mstl": "statsforecast", "prophet": "prophet"}

EXEMPT: dict[str, dict[str, str]] = {}


def marked(name, *values):
    marks = [pytest.mark.needs_extra(PEERS[name])] if name in PEERS else []
    return pytest.param(*values, marks=marks, id=str(values[0]))


def all_checks():
    return [
        marked(entry.name, check)
        for entry in FORECASTERS.entries()
        for check in forecaster_checks(entry.load(), name=entry.name, exempt=EXEMPT.get(entry.name))
    ]


@pytest.mark.parametrize("check", all_checks())
def test_promise(check):
    check()


@pytest.mark.parametrize("entry", FORECASTERS.entries(), ids=lambda entry: entry.name)
def test_names_and_parameters(entry):
    forecaster = create(entry.name)
    assert isinstance(forecaster, Forecaster)
    assert name_of(forecaster) == entry.name
    assert repr(forecaster.clone()) == repr(forecaster)
    assert (entry.extra is not None) == (entry.name in PEERS)


def test_unknown_names_have_their_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'fourier'"):
        create("furier")
