"""The verdicts on the rows of a file that holds time series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.workflows.series_way import schema_of_series
from anomaly_detection.workflows.train_column import chosen_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.results import Result
    from anomaly_detection.series import SeriesPipeline
    from anomaly_detection.sources.files import FileSource
    from anomaly_detection.workflows.request import DetectRequest


def series_verdicts(
    request: DetectRequest, pipeline: SeriesPipeline, source: FileSource, progress: Progress
) -> Iterator[tuple[Result, pl.DataFrame]]:
    """Results and the rows they are about, in input order; the pipeline is fitted once the first is out."""
    progress("reading", 0, None)
    frame = source.read()
    if request.model is not None:
        yield pipeline.detect(frame, fdr=request.fdr), frame
        return
    schema = schema_of_series(frame, request.reading, request.train_column)
    train = _rows_to_fit_on(request, frame, source)
    if train is None:
        yield pipeline.fit_detect(frame, schema, progress), frame
        return
    pipeline.fit(frame.filter(pl.Series(train)), schema, progress)
    rest = frame.filter(pl.Series(~train))
    yield pipeline.detect(rest, fdr=request.fdr).with_(row=np.flatnonzero(~train)), rest


def _rows_to_fit_on(request: DetectRequest, frame: pl.DataFrame, source: FileSource) -> NDArray[np.bool_] | None:
    if request.train_column is not None:
        train = chosen_rows(frame, request.train_column)
        option, fix = f"--train-column {request.train_column}", "it is true in"
    elif request.train_rows is not None:
        train = np.arange(len(frame)) < request.train_rows
        option, fix = f"--train-rows {request.train_rows}", "it takes"
    else:
        return None
    if train.all() or not train.any():
        rows, left = ("no row", "fit on") if not train.any() else ("every row", "score")
        raise InputError(f"{option}: {fix} {rows} of {source.name}, so none is left to {left}.")
    return train
