"""Detectors on time series: one algorithm, one file, one class.

Series detectors are made by name:

>>> from anomaly_detection.detectors.series import create
>>> create("ewma", span=50)
EWMA(span=50)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from anomaly_detection.base import build
from anomaly_detection.catalog import SERIES_DETECTORS
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["SeriesDetector", "SeriesScores", "SeriesTags", "create", "from_saved", "name_of", "register", "saved"]


def create(name: str, /, **parameters: Any) -> SeriesDetector:
    """Make a series detector by name or alias.

    Raises
    ------
    UnknownNameError
        with the nearest known names.
    ParameterError
        for a parameter that the algorithm does not have or that is out of range.
    """
    detector = cast("SeriesDetector", build(SERIES_DETECTORS.load(name), parameters))
    detector.validate()
    return detector


def name_of(detector: SeriesDetector) -> str:
    """The catalog name of a series detector's class.

    Raises
    ------
    UnknownNameError
        if the class was never registered.
    """
    return SERIES_DETECTORS.name_of(detector)


def register(name: str, detector: type[SeriesDetector], *, summary: str = "", aliases: Iterable[str] = ()) -> None:
    """Add a series algorithm of your own under a name, for this process.

    A package makes its own known for good with an entry point in the group ``anomaly_detection.series_detectors``.
    """
    SERIES_DETECTORS.register(name, detector, summary=summary, aliases=aliases)


def saved(detector: SeriesDetector) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """A fitted detector's name and state: plain values for JSON, and arrays by name."""
    spec, arrays = detector.state()
    return {"name": name_of(detector), **spec}, arrays


def from_saved(spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> SeriesDetector:
    """The inverse of :func:`saved`, from the catalog and nowhere else.

    Raises
    ------
    UnknownNameError
        for an unknown algorithm.
    ArtifactError
        if an array is not there or is not one of this detector.
    """
    return cast("SeriesDetector", SERIES_DETECTORS.load(spec["name"]).from_state(spec, arrays))
