"""A detector's name and parameters as plain values, for JSON, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anomaly_detection.detectors import create, name_of
from anomaly_detection.detectors.base import Detector
from anomaly_detection.errors import ParameterError


def to_spec(detector: Detector) -> dict[str, Any]:
    """Name and parameters in values that JSON knows; detectors among the parameters become specs too.

    Raises
    ------
    UnknownNameError
        if the detector's class is not in the catalog.
    ParameterError
        for a parameter that JSON cannot hold.

    Examples
    --------
    >>> from anomaly_detection.detectors.mad import MAD
    >>> to_spec(MAD("mean"))
    {'name': 'mad', 'parameters': {'aggregation': 'mean'}}
    """
    return {
        "name": name_of(detector),
        "parameters": {name: _plain(value, name) for name, value in detector.parameters().items()},
    }


def from_spec(spec: Mapping[str, Any]) -> Detector:
    """Make the detector that a spec describes, from the catalog and nowhere else.

    Parameters
    ----------
    spec : ``{"name": …, "parameters": {…}}``; the parameters may be left out.

    Raises
    ------
    ParameterError
        if it is not of that form, or for a parameter out of range.
    UnknownNameError
        for an unknown algorithm.

    Examples
    --------
    >>> from_spec({"name": "mad", "parameters": {"aggregation": "mean"}})
    MAD(aggregation='mean')
    """
    if not _is_spec(spec):
        raise ParameterError(f"{spec!r} describes no detector. It takes the form {{'name': …, 'parameters': {{…}}}}.")
    return create(spec["name"], **spec.get("parameters", {}))


def _is_spec(spec: Any) -> bool:
    if not isinstance(spec, Mapping) or not set(spec) <= {"name", "parameters"}:
        return False
    parameters = spec.get("parameters", {})
    named = isinstance(parameters, Mapping) and all(isinstance(name, str) for name in parameters)
    return isinstance(spec.get("name"), str) and named


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, Detector):
        return to_spec(value)
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(inner, name) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [_plain(inner, name) for inner in value]
    raise ParameterError(f"Parameter {name} holds {value!r}, which cannot be saved. Use numbers, text, lists or dicts.")
