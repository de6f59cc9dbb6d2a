"""Whether a table is a time series, and the pipeline that judges one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.catalog import SERIES_DETECTORS
from anomaly_detection.detectors.series import create, name_of
from anomaly_detection.entries import plain_name
from anomaly_detection.errors import ParameterError, SchemaError
from anomaly_detection.features.inference import check_finite, infer_schema
from anomaly_detection.features.series.clock import SECOND, read_microseconds
from anomaly_detection.records import counted, named_columns, quoted
from anomaly_detection.registry.lineage import utc_now
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.chosen import AUTO
from anomaly_detection.series.schema import series_schema

if TYPE_CHECKING:
    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.records import Column, Schema
    from anomaly_detection.sources.files import FileSource
    from anomaly_detection.workflows.fitting import Fitting
    from anomaly_detection.workflows.reading import Reading

MOST_SHARED = 0.5
"""Where more rows than this have the time of another of their key, ``auto`` reads a table of events."""

PROBE = 10_000
"""So many rows tell whether the columns are numbers."""

AS_SERIES = (
    "the columns are numbers and there is a time: each row is judged by the rows before it; with --algorithm "
    "isolation_forest, say, each is judged by itself"
)

AS_TABLE = "judged row by row and not as a time series: {}; --algorithm ewma, say, makes it one"


def is_for_series(algorithm: str) -> bool:
    """Whether this names an algorithm that judges series and nothing else.

    >>> is_for_series("ewma"), is_for_series("knn"), is_for_series("auto")
    (True, False, False)
    """
    return plain_name(algorithm) != AUTO and plain_name(algorithm) in SERIES_DETECTORS.names()


def must_be_series(fitting: Fitting, reading: Reading) -> bool:
    """Whether the wishes can only be about series.

    Raises
    ------
    ParameterError
        if they are, and others are about tables, or no time is named.
    """
    wishes = fitting.series.typed()
    named = is_for_series(fitting.algorithm)
    if not wishes and not (named and reading.timestamp):
        return False
    reason = f"--algorithm {fitting.algorithm}" if named else wishes[0]
    if reading.timestamp is None:
        raise ParameterError(f"{reason} is about time series. Name the column of time with --timestamp.")
    if not named and plain_name(fitting.algorithm) != AUTO:
        known = quoted(one.name for one in SERIES_DETECTORS.entries())
        raise ParameterError(f"{reason} is about time series, and {fitting.algorithm} is not. Use auto or {known}.")
    if about := _about_tables(fitting, reading):
        raise ParameterError(f"{reason} is about time series, and {about[0]} is not. Leave out one of them.")
    return True


def may_be_series(fitting: Fitting, reading: Reading) -> bool:
    """Whether the data decide: a time is named, the algorithm is left to us, and no wish is about tables."""
    automatic = plain_name(fitting.algorithm) == AUTO and not fitting.parameters
    return reading.timestamp is not None and automatic and not _about_tables(fitting, reading)


def blank_series(fitting: Fitting) -> SeriesPipeline:
    """An unfitted pipeline for series.

    Raises
    ------
    UnknownNameError, ParameterError
        for an unknown algorithm or parameter, or one out of range.
    """
    algorithm = create(fitting.algorithm, **fitting.parameters) if is_for_series(fitting.algorithm) else AUTO
    wishes = fitting.series
    bounds = None if wishes.low is None and wishes.high is None else (wishes.low, wishes.high)
    pipeline = SeriesPipeline(
        algorithm,
        fitting.contamination,
        fitting.threshold,
        wishes.direction,
        wishes.minimum_change,
        wishes.minimum_share,
        bounds,
        wishes.offline,
        wishes.zone,
        random_state=fitting.random_state,
        budget=wishes.budget,
    )
    pipeline.validate()
    pipeline.wishes.check()
    pipeline.check_line()
    return pipeline


def decided(
    pipeline: Pipeline, fitting: Fitting, reading: Reading, source: FileSource, train_column: str | None = None
) -> tuple[Pipeline | SeriesPipeline, list[str]]:
    """The pipeline for what the data are, where the wishes leave it open, and what to say about it."""
    if not may_be_series(fitting, reading):
        return pipeline, []
    why = why_a_table(source.read(PROBE), reading, train_column)
    if why is None:
        return blank_series(fitting), [AS_SERIES]
    return pipeline, [AS_TABLE.format(why)] if "rows" in why else []


def described(pipeline: SeriesPipeline) -> dict[str, Any]:
    """The parameters of a pipeline in plain values, for lineage and lists."""
    found = pipeline.parameters()
    detector = pipeline.detector
    own = {} if isinstance(detector, str) else detector.parameters()
    return {**found, **own, "detector": detector if isinstance(detector, str) else name_of(detector)}


def schema_of_series(frame: pl.DataFrame, reading: Reading, *also_ignore: str | None) -> Schema:
    """Which columns are channels, where the rows are to be a series.

    Raises
    ------
    SchemaError
        for a named column that is no number, an infinite value, or if no channel is left.
    """
    schema = series_schema(
        frame,
        str(reading.timestamp),
        columns=reading.columns or None,
        key=reading.key,
        label=reading.label,
        ignore=[*reading.ignore, *filter(None, also_ignore)],
    )
    check_finite(frame, schema)
    return schema


def why_a_table(frame: pl.DataFrame, reading: Reading, *also_ignore: str | None) -> str | None:
    """Why rows with a time are no series but a table of events, in a few words; None where they are a series.

    A series has numbers only, and at most half of its rows have the time of another one of their key.
    """
    try:
        schema_of_series(frame, reading, *also_ignore)
    except SchemaError:
        return "not all columns are numbers"
    other = [one.name for one in _useful(frame, reading, *also_ignore) if one.kind not in ("number", "boolean")]
    if other:
        return f"{quoted(other, most=3)} holds no numbers"
    named = [str(reading.timestamp), *named_columns(reading.key)]
    share = 1.0 - frame.select(named).n_unique() / max(1, len(frame))
    return f"{share:.0%} of the rows have the time of another" if share > MOST_SHARED else None


def _useful(frame: pl.DataFrame, reading: Reading, *also_ignore: str | None) -> tuple[Column, ...]:
    """The columns of which a table would use something; none where all values of each are equal."""
    ignored = [*reading.ignore, *filter(None, also_ignore)]
    columns = reading.columns or None
    try:
        return infer_schema(
            frame,
            columns=columns,
            timestamp=reading.timestamp,
            key=reading.key,
            label=reading.label,
            ignore=ignored,
        ).features
    except SchemaError:
        return ()


def future_notes(frame: pl.DataFrame, pipeline: SeriesPipeline) -> list[str]:
    """What to say of rows that lie in the future: the clock that wrote them was wrong, or the time was misread."""
    if not pipeline.clock_.is_clock or not len(frame):
        return []
    time = read_microseconds(frame[str(pipeline.schema_.timestamp)], pipeline.clock_)
    ahead = int(np.count_nonzero(time > utc_now().timestamp() * SECOND))
    if not ahead:
        return []
    latest = pl.Series([int(time.max())]).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M")[0]
    return [f"time: {counted(ahead, 'row')} in the future, the latest at {latest} UTC; judged like the others"]


def _about_tables(fitting: Fitting, reading: Reading) -> list[str]:
    """Options that are about tables only."""
    wishes = {"--transform": fitting.transforms, "--per-key": fitting.key, "--categorical": reading.categorical}
    return [name for name, value in wishes.items() if value]
