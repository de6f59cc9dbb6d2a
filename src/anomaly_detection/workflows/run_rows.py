"""What is drawn of a detection: values beside verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from anomaly_detection.features.series.axis import key_texts_of
from anomaly_detection.features.series.clock import clock_of, read_microseconds
from anomaly_detection.records import named_columns
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.workflows.reading import Reading

MOST_CHANNELS = 12
"""So many columns of numbers are drawn, the first ones."""

VALUE = "value "
"""What the names of columns with values begin with."""


class _Verdict(msgspec.Struct):
    row: int
    anomaly_score: float
    severity: str
    p_value: float | None = None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    reason: str | None = None


class _Results(msgspec.Struct):
    results: list[_Verdict]


def rows_of(results: Path, frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Values and verdicts by row, in the order of the results.

    Parameters
    ----------
    results : the JSON results.
    frame : the rows that were read.
    reading : says which column is what.

    Returns
    -------
    ``time`` (seconds since 1970, or row numbers), ``key``, ``value NAME`` for each column of numbers, and the verdict.
    """
    found = msgspec.json.decode(results.read_bytes(), type=_Results).results
    columns: dict[str, Any] = {name: [getattr(one, name) for one in found] for name in _Verdict.__struct_fields__}
    verdicts = pl.DataFrame(columns, schema_overrides=dict.fromkeys(("expected", "lower", "upper"), pl.Float64))
    code = pl.col("severity").replace_strict(SEVERITIES, range(len(SEVERITIES)), return_dtype=pl.Int8)
    verdicts = verdicts.with_columns(severity=code, reason=pl.col("reason").cast(pl.String))
    mine = frame[verdicts["row"].to_list()]
    key = key_texts_of(mine, named_columns(reading.key)) if reading.key else pl.repeat("", len(mine), eager=True)
    values = [mine[name].cast(pl.Float64).alias(f"{VALUE}{name}") for name in _channels(mine, reading)]
    return pl.DataFrame([_times(mine, reading.timestamp).alias("time"), key.alias("key"), *values, *verdicts])


def _channels(frame: pl.DataFrame, reading: Reading) -> list[str]:
    apart = {*named_columns(reading.key), reading.timestamp, reading.label}
    return [name for name in frame.columns if frame[name].dtype.is_numeric() and name not in apart][:MOST_CHANNELS]


def _times(frame: pl.DataFrame, name: str | None) -> pl.Series:
    """Seconds since 1970, or row numbers."""
    if name is None:
        return pl.int_range(len(frame), eager=True).cast(pl.Float64)
    clock = clock_of(frame[name])
    micros = pl.Series(read_microseconds(frame[name], clock)).cast(pl.Float64)
    return micros / 1e6 if clock.is_clock else micros
