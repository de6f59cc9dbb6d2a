"""Statsforecast, Prophet and holidays, imported on first use and kept quiet."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

EXTRA = "forecast"
PROPHET = "The forecaster Prophet"


def statsforecast_model(name: str) -> Any:
    """A model of statsforecast by the name of its class.

    Raises
    ------
    MissingDependencyError
        if statsforecast is not installed.
    """
    return getattr(_imported("statsforecast.models", f"The forecaster {name}"), name)


def prophet_and_pandas() -> tuple[Any, Any]:
    """The module pandas and the class Prophet.

    Raises
    ------
    MissingDependencyError
        if they are not installed.
    """
    return _imported("pandas", PROPHET), _imported("prophet", PROPHET).Prophet


def holidays_of_countries() -> Any:
    """The function that knows the holidays of countries.

    Raises
    ------
    MissingDependencyError
        if the package holidays is not installed.
    """
    return _imported("holidays", "Knowing the holidays of a country").country_holidays


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Prophet and Stan from saying that they start and end, and what they will change one day."""
    loggers = [logging.getLogger(name) for name in ("prophet", "prophet.plot", "cmdstanpy")]
    before = [logger.disabled for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.disabled = True
        try:
            yield
        finally:
            for logger, disabled in zip(loggers, before, strict=True):
                logger.disabled = disabled


def _imported(module: str, purpose: str) -> Any:
    with quiet():
        try:
            return import_module(module)
        except ImportError as error:
            raise MissingDependencyError(error.name or module, EXTRA, purpose) from error
