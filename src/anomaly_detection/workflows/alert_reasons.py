"""Why an alarm was raised, by the model that raised it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import InputError
from anomaly_detection.pipeline import Pipeline

if TYPE_CHECKING:
    from anomaly_detection.store.alerts import Alert
    from anomaly_detection.workflows.serving import Models


def why(models: Models, alert: Alert) -> dict[str, Any]:
    """The explanation of the record of an alarm, as plain values.

    Raises
    ------
    RegistryError
        if the version that judged it is gone.
    InputError
        for a model of series or logs, which judge a record by what came before it, and for a record that is not whole.
    NotFittedError
        if the model kept no normal rows.
    """
    model = models.get(f"{alert.model}@{alert.version}").model
    if not isinstance(model, Pipeline):
        raise InputError(f"The model {alert.model} judges a record by what came before it; what it said then is above.")
    try:
        return model.explain_record(alert.record).to_dict()
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("The record of this alarm cannot be judged again.") from error
