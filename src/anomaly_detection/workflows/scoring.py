"""Fit or load, then score in batches: the verdicts on the records of one file, in input order."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.detectors.labels import need_streaming
from anomaly_detection.errors import InputError, SchemaError
from anomaly_detection.features.inference import check_finite
from anomaly_detection.features.keys import shown_key
from anomaly_detection.records import named_columns
from anomaly_detection.thresholds import benjamini_hochberg
from anomaly_detection.verdicts import judge
from anomaly_detection.workflows import fitting as f
from anomaly_detection.workflows.models import load_any
from anomaly_detection.workflows.reading import estimated_rows
from anomaly_detection.workflows.series_way import blank_series, must_be_series
from anomaly_detection.workflows.train_column import chosen_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Pipeline, Progress
    from anomaly_detection.results import Result
    from anomaly_detection.series import SeriesPipeline
    from anomaly_detection.sources.files import FileSource
    from anomaly_detection.workflows.request import DetectRequest


def prepared(request: DetectRequest) -> Pipeline | SeriesPipeline:
    """The model of a request, or an unfitted pipeline; needs no records.

    Raises
    ------
    InputError
        for an unknown model, algorithm or parameter, or one out of range.
    """
    if request.model is not None:
        return load_any(request.model, request.registry)
    if must_be_series(request.fitting, request.reading):
        return blank_series(request.fitting)
    return f.blank_pipeline(request.fitting)


class Scoring:
    """The verdicts of one request; ``pipeline`` is fitted once the first of them is out.

    Parameters
    ----------
    request : what to do.
    pipeline : as :func:`prepared` makes it.
    source : the records.
    progress : is told how far it is.
    """

    def __init__(self, request: DetectRequest, pipeline: Pipeline, source: FileSource, progress: Progress) -> None:
        self.request = request
        self.pipeline = pipeline
        self.source = source
        self.progress = progress

    def verdicts(self) -> Iterator[tuple[Result, pl.DataFrame]]:
        """Results and the rows they are about, in input order."""
        request = self.request
        if request.model is not None:
            self.pipeline.schema_.check_names(self.source.columns)
        elif request.train_column is not None:
            self._fit(self._rows_to_fit_on(request.train_column), request.train_column)
        elif request.train_rows is not None:
            self._fit(self._first_rows(request.train_rows))
        else:
            frame = f.read_for_fitting(self.source, request.fitting.random_state, self.progress)
            if self.source.size <= f.WHOLE:
                yield self.pipeline.fit_detect(frame, request.reading.schema(frame), self.progress), frame
                return
            self._fit(frame)
            del frame
        yield from self._judged()

    def _fit(self, frame: pl.DataFrame, *also_ignore: str) -> None:
        need_streaming(self.pipeline.detector, "Scoring other records than those fitted on")
        self.pipeline.fit(frame, self.request.reading.schema(frame, *also_ignore), self.progress)

    def _first_rows(self, n: int) -> pl.DataFrame:
        self.progress("reading", 0, None)
        frame = self.source.read(n + 1)
        if len(frame) <= n:
            raise InputError(
                f"--train-rows {n}: {self.source.name} has {len(frame):,} rows, so none is left to score. Give fewer."
            )
        return frame.head(n)

    def _rows_to_fit_on(self, column: str) -> pl.DataFrame:
        batches = (batch.filter(pl.Series(chosen_rows(batch, column))) for batch in self.source.batches(f.BATCH))
        if self.source.size > f.WHOLE:
            frame = f.sampled(batches, self.request.fitting.random_state, self.progress)
        else:
            self.progress("reading", 0, None)
            frame = pl.concat(list(batches))
        if frame.is_empty():
            raise InputError(f"--train-column {column}: it is true in no row of {self.source.name}; nothing to fit on.")
        return frame

    def _judged(self) -> Iterator[tuple[Result, pl.DataFrame]]:
        alpha = None if self.request.fdr is None else self._discovery_line(self.request.fdr)
        scored = False
        for rows, frame in self._parts("scoring"):
            scored = True
            result = self._detected(frame, int(rows[0]))
            if alpha is not None:
                line = judge(result.score, result.p_value, alpha, self.pipeline.calibrator_.n_)
                result = line.with_(key=result.key, time=result.time, level=result.level)
            yield self._described(result, frame).with_(row=rows), frame
        if not scored:
            raise InputError(
                f"--train-column {self.request.train_column}: it is true in every row of {self.source.name}, so none "
                "is left to score."
            )

    def _discovery_line(self, fdr: float) -> float:
        """The line for all records together, so that it does not depend on how they are batched."""
        parts = [self._detected(frame, int(rows[0])).p_value for rows, frame in self._parts("finding the line")]
        return benjamini_hochberg(np.concatenate(parts), fdr)[1] if parts else fdr

    def _detected(self, frame: pl.DataFrame, first: int) -> Result:
        with self._batch_named(first):
            check_finite(frame, self.pipeline.schema_)
            return self.pipeline.detect(frame)

    @contextmanager
    def _batch_named(self, first: int) -> Iterator[None]:
        """Errors say which batch they count rows in."""
        try:
            yield
        except SchemaError as error:
            if first == 0:
                raise
            place = f"Rows are counted in the batch that begins with row {first:,} of {self.source.name}."
            raise SchemaError(f"{error} {place}") from error

    def _parts(self, what: str) -> Iterator[tuple[NDArray[np.int64], pl.DataFrame]]:
        """The rows to score and their numbers, a batch at a time."""
        row, total = 0, None
        for batch in self.source.batches(f.BATCH):
            total = estimated_rows(self.source, batch) if row == 0 else total
            wanted = self._wanted(batch, row)
            numbers = np.arange(row, row + len(batch), dtype=np.int64)
            row += len(batch)
            if wanted.any():
                yield numbers[wanted], batch if wanted.all() else batch.filter(pl.Series(wanted))
            self.progress(what, row, None if total is None else max(total, row))

    def _wanted(self, batch: pl.DataFrame, row: int) -> NDArray[np.bool_]:
        if self.request.train_column is not None:
            return ~chosen_rows(batch, self.request.train_column)
        return np.arange(row, row + len(batch)) >= (self.request.train_rows or 0)

    def _described(self, result: Result, frame: pl.DataFrame) -> Result:
        """With the key and the time that were asked for, whatever the model was trained with."""
        reading = self.request.reading
        key = result.key if reading.key is None else shown_key(frame, named_columns(reading.key))
        time = result.time if reading.timestamp is None else frame[reading.timestamp]
        return result.with_(key=key, time=time)
