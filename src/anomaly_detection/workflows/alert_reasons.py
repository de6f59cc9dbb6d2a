"""Why an alarm was raised, by the model that raised it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from anomaly_detection.workflows.models import load_pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from anomaly_detection.pipeline import Pipeline


def why(registry: Path, reference: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The explanation of one record, as plain values.

    Parameters
    ----------
    registry : the folder of the models.
    reference : the version that judged it, such as ``orders@3``.
    record : the record.

    Raises
    ------
    RegistryError
        if that version is gone.
    InputError
        for a model of series or logs, which judge a record by what came before it.
    NotFittedError
        if the model kept no normal rows.
    """
    return _pipeline(registry, reference).explain_record(record).to_dict()


@lru_cache(maxsize=4)
def _pipeline(registry: Path, reference: str) -> Pipeline:
    """A version never changes, so it is loaded once."""
    return load_pipeline(reference, registry)
