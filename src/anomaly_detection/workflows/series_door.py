"""Time series through the Python door of tables: whether rows are one, and the pipeline that judges them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from anomaly_detection.detectors.series import create, name_of
from anomaly_detection.entries import plain_name
from anomaly_detection.errors import ParameterError
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.chosen import AUTO
from anomaly_detection.workflows.reading import Reading
from anomaly_detection.workflows.series_way import PROBE, is_for_series, may_be_series, why_a_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from anomaly_detection.records import Schema
    from anomaly_detection.workflows.fitting import Fitting

OF_PIPELINE = ("direction", "minimum_absolute", "minimum_relative", "bounds", "offline", "zone", "tail")
"""Parameters of :class:`~anomaly_detection.series.SeriesPipeline` that are given among those of the algorithm."""


def series_for(
    frame: pl.DataFrame, timestamp: str | None, fitting: Fitting, schema: Schema | None = None
) -> SeriesPipeline | None:
    """An unfitted pipeline for series, where rows are one; None where they are a table.

    The rule is that of ``detection run``: a series algorithm, or a wish that is about series, makes one of them;
    ``auto`` does where a time is named and the columns are numbers.

    Parameters
    ----------
    frame : the rows to learn from.
    timestamp : the column of time.
    fitting : the wishes; parameters of the pipeline stand among those of the algorithm.
    schema : which column is what, if that was said.

    Raises
    ------
    ParameterError, UnknownNameError
        for a series algorithm without a time, or a parameter that neither it nor the pipeline has.
    """
    wishes = {name: value for name, value in fitting.parameters.items() if name in OF_PIPELINE}
    own = {name: value for name, value in fitting.parameters.items() if name not in OF_PIPELINE}
    if is_for_series(fitting.algorithm):
        if timestamp is None:
            raise ParameterError(f"{fitting.algorithm} is about time series. Name the column of time with timestamp=.")
        return _blank(create(fitting.algorithm, **own), fitting, wishes)
    if not wishes and not _are_a_series(frame, timestamp, fitting, schema):
        return None
    if timestamp is None or plain_name(fitting.algorithm) != AUTO or own:
        raise ParameterError(
            f"{next(iter({**wishes, **own}))}= is not a parameter of {fitting.algorithm} on a table; where a time is "
            f"named with timestamp= and the algorithm is auto, a time series has {', '.join(OF_PIPELINE)}."
        )
    return _blank(AUTO, fitting, wishes)


def parameters_of_series(pipeline: SeriesPipeline) -> dict[str, Any]:
    """What the Python door is made with to judge as a pipeline does."""
    detector, schema = pipeline.detector, pipeline.schema_
    own = {} if isinstance(detector, str) else detector.parameters()
    usual, given = SeriesPipeline().parameters(), pipeline.parameters()
    return {
        "algorithm": detector if isinstance(detector, str) else name_of(detector),
        "contamination": pipeline.contamination,
        "threshold": pipeline.threshold,
        "timestamp": schema.timestamp,
        "key": schema.key,
        **{name: given[name] for name in OF_PIPELINE if given[name] != usual[name]},
        **own,
    }


def _are_a_series(frame: pl.DataFrame, timestamp: str | None, fitting: Fitting, schema: Schema | None) -> bool:
    if schema is not None:
        kinds = {column.kind for column in schema.features}
        return schema.timestamp is not None and plain_name(fitting.algorithm) == AUTO and kinds <= {"number", "boolean"}
    reading = Reading("", timestamp=timestamp, key=fitting.key or None)
    keyless = replace(fitting, key=())  # a model per key of a table, a series per key of others: it decides nothing
    return may_be_series(keyless, reading) and why_a_table(frame.head(PROBE), reading) is None


def _blank(detector: Any, fitting: Fitting, wishes: Mapping[str, Any]) -> SeriesPipeline:
    pipeline = SeriesPipeline(
        detector, fitting.contamination, fitting.threshold, random_state=fitting.random_state, **wishes
    )
    pipeline.validate()
    return pipeline
