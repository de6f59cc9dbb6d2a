"""Forecasters: one algorithm, one file, one class.

A forecaster is fitted on a series and says what comes next, with bands that are measured on rows held back. They are
made by name:

>>> from anomaly_detection.forecasters import create
>>> create("seasonal_naive", season=24)
SeasonalNaive(season=24, horizon=None)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from anomaly_detection.base import build
from anomaly_detection.catalog import FORECASTERS
from anomaly_detection.forecasters.base import Forecast, Forecaster, ForecasterTags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Forecast", "Forecaster", "ForecasterTags", "create", "from_saved", "name_of", "saved"]


def create(name: str, /, **parameters: Any) -> Forecaster:
    """Make a forecaster by name or alias.

    Raises
    ------
    UnknownNameError
        with the nearest known names.
    ParameterError
        for a parameter that the algorithm does not have or that is out of range.
    MissingDependencyError
        if the extra it needs is not installed.
    """
    forecaster = cast("Forecaster", build(FORECASTERS.load(name), parameters))
    forecaster.validate()
    return forecaster


def name_of(forecaster: Forecaster) -> str:
    """The catalog name of a forecaster's class.

    Raises
    ------
    UnknownNameError
        if it is not in the catalog.
    """
    return FORECASTERS.name_of(forecaster)


def saved(forecaster: Forecaster) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A fitted forecaster's name and state: plain values for JSON, and arrays by name."""
    spec, arrays = forecaster.state()
    return {"name": name_of(forecaster), **spec}, arrays


def from_saved(spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Forecaster:
    """The inverse of :func:`saved`, from the catalog and nowhere else.

    Raises
    ------
    UnknownNameError
        for an unknown algorithm.
    ArtifactError
        if an array is not there.
    """
    return cast("Forecaster", FORECASTERS.load(spec["name"]).from_state(spec, arrays))
