"""Detectors: one algorithm, one file, one class.

A score is a float64 per row, higher = more anomalous, always; it depends on the row alone. Detectors are made by name:

>>> from anomaly_detection.detectors import create
>>> create("iforest", n_estimators=50)
IsolationForest(n_estimators=50, ...)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from anomaly_detection.base import build
from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors._whose_parameter import refuse_strangers
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Detector", "Tags", "create", "name_of", "register"]


def create(name: str, /, **parameters: Any) -> Detector:
    """Make a detector by name or alias.

    Raises
    ------
    UnknownNameError
        with the nearest known names.
    ParameterError
        for a parameter the algorithm does not have, with the algorithms that do, or outside its range.
    """
    entry = DETECTORS.resolve(name)
    found = entry.load()
    refuse_strangers(found, entry.name, parameters)
    detector = cast("Detector", build(found, parameters))
    detector.validate()
    return detector


def name_of(detector: Detector) -> str:
    """The catalog name of a detector's class.

    Raises
    ------
    UnknownNameError
        if the class was never registered.
    """
    return DETECTORS.name_of(detector)


def register(name: str, detector: type[Detector], *, summary: str = "", aliases: Iterable[str] = ()) -> None:
    """Add an algorithm of your own under a name, for this process.

    A package makes its algorithms known for good with an entry point in the group ``anomaly_detection.detectors``.
    """
    DETECTORS.register(name, detector, summary=summary, aliases=aliases)
