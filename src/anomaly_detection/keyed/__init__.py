"""A model per key: dense keys get their own, sparse keys a coarser one; weights from evidence.

``pipeline`` is the door and has the verbs of any pipeline; ``learning`` decides which key gets what, on the
``evidence``; ``judge`` is one level; ``routes`` finds the level of a key; ``saved`` writes all of them down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.entries import plain_name
from anomaly_detection.errors import ParameterError
from anomaly_detection.keyed.pipeline import KeyedPipeline
from anomaly_detection.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["KeyedPipeline", "algorithm_of_each", "means_per_key", "restored"]

DENSITY = ("density", "density_chosen", "density_ensemble")
"""What users call the ensemble that density chooses. It needs a key, so it is a pipeline and no detector."""

EACH = "isolation_forest"
"""The algorithm of every model where none is named: quick to fit, and it takes everything by itself."""


def means_per_key(algorithm: str) -> bool:
    """Whether this is a name of the ensemble that density chooses.

    >>> means_per_key("density-chosen"), means_per_key("knn")
    (True, False)
    """
    return plain_name(algorithm) in DENSITY


def algorithm_of_each(algorithm: str, *, keyed: bool) -> str:
    """The algorithm of every single model; one that leaves the choice to us is the quick one where there are many.

    >>> algorithm_of_each("auto", keyed=True), algorithm_of_each("knn", keyed=True)
    ('isolation_forest', 'knn')

    Raises
    ------
    ParameterError
        for the ensemble that density chooses where there is no key to choose by.
    """
    if keyed and plain_name(algorithm) in (*DENSITY, "auto"):
        return EACH
    if not means_per_key(algorithm):
        return algorithm
    raise ParameterError(
        f"The ensemble {algorithm!r} chooses by how many rows each key has: say with --key NAME --per-key (in Python: "
        "key=) what a record is about, or take another algorithm."
    )


def restored(spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Pipeline:
    """The pipeline that handed out this state, of whichever kind it is."""
    return (KeyedPipeline if "judges" in spec else Pipeline).from_state(spec, arrays)
