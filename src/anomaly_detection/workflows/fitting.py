"""What to fit, and the rows to fit it on."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.detectors import create
from anomaly_detection.errors import ParameterError
from anomaly_detection.features.transformed import TransformedFeatures
from anomaly_detection.keyed import KeyedPipeline, algorithm_of_each, means_per_key
from anomaly_detection.keyed.pipeline import MIN_ROWS
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.thresholds import named
from anomaly_detection.workflows.series_wishes import SeriesWishes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.sources.files import FileSource

WHOLE = 128 * 2**20
"""Files up to this many bytes are fitted whole; of larger ones a sample is."""

SAMPLE = 100_000
"""At least so many rows of a larger file are fitted, at most twice as many."""

BATCH = 65_536
"""How many rows are read at a time."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How to fit.

    Parameters
    ----------
    algorithm, parameters : the algorithm's name and its own parameters.
    contamination : α in (0, 0.5], or ``"auto"``.
    threshold : the name of an estimator of the alarm line instead.
    transforms : names of transforms of the number columns, in order.
    random_state : the seed of everything random.
    key : the columns that a model per key tells apart; none for one model of all rows.
    min_rows : from this many rows on a key has a model of its own.
    scaling : how numbers are scaled for algorithms that take plain numbers only.
    series : what is asked of time series.
    """

    algorithm: str = "auto"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    contamination: float | str = "auto"
    threshold: str | None = None
    transforms: tuple[str, ...] = ()
    random_state: int = 0
    key: tuple[str, ...] = ()
    min_rows: int = MIN_ROWS
    scaling: str = "standard"
    series: SeriesWishes = field(default_factory=SeriesWishes)


def blank_pipeline(fitting: Fitting) -> Pipeline:
    """An unfitted pipeline; every seed in it is the one given.

    Raises
    ------
    UnknownNameError, ParameterError
        for an unknown algorithm, threshold or parameter, one out of range, or two that set the same thing.
    """
    detector = create(algorithm_of_each(fitting.algorithm, keyed=bool(fitting.key)), **fitting.parameters)
    if "random_state" in detector.parameter_names() and "random_state" not in fitting.parameters:
        detector = detector.clone(random_state=fitting.random_state)
    if fitting.threshold is not None:
        named(fitting.threshold)
        _refuse_two_lines(fitting)
    TransformedFeatures(fitting.transforms)
    pipeline = Pipeline(
        detector,
        fitting.contamination,
        fitting.threshold,
        scaling=fitting.scaling,
        transforms=fitting.transforms,
        random_state=fitting.random_state,
    )
    if fitting.key:
        pipeline = KeyedPipeline.of(pipeline, fitting.key, fitting.min_rows)
    pipeline.validate()
    return pipeline


def per_key_columns(algorithm: str, key: tuple[str, ...], min_rows: int | None, *, per_key: bool) -> tuple[str, ...]:
    """The key columns to have a model for each of, as far as that was asked for.

    Raises
    ------
    ParameterError
        if it was asked for without a key, or only its number of rows was given.
    """
    if per_key or means_per_key(algorithm):
        if not key:
            algorithm_of_each(algorithm, keyed=False)
            raise ParameterError("--per-key needs a key: say with --key NAME what a record is about.")
        return key
    if min_rows is not None:
        raise ParameterError(f"--min-rows {min_rows} says which key has a model of its own. Give --per-key, too.")
    return ()


def read_for_fitting(source: FileSource, seed: int, progress: Progress) -> pl.DataFrame:
    """The rows to fit on: all, or an even sample of a large file, the same one for the same seed."""
    progress("reading", 0, None)
    return source.read() if source.size <= WHOLE else sampled(source.batches(BATCH), seed, progress)


def sampled(batches: Iterable[pl.DataFrame], seed: int, progress: Progress) -> pl.DataFrame:
    """An even sample of at most twice :data:`SAMPLE` rows, in order; the same one however the rows are batched."""
    rng = np.random.default_rng(seed)
    kept: list[pl.DataFrame] = []
    marks: list[NDArray[np.float64]] = []
    seen, share = 0, 1.0
    for batch in batches:
        seen += len(batch)
        progress("reading a sample", seen, None)
        new, new_marks = _thinned([batch], [rng.random(len(batch))], share)
        kept, marks = [*kept, *new], [*marks, *new_marks]
        while sum(map(len, kept)) > 2 * SAMPLE:
            share /= 2
            kept, marks = _thinned(kept, marks, share)
    return pl.concat(kept)


def command_line() -> str | None:
    """What was typed, if this is the command line program, also as ``python -m anomaly_detection``."""
    program = PurePath(sys.argv[0] if sys.argv else "")
    if program.name != "anomaly-detection" and program.parts[-2:] != ("anomaly_detection", "__main__.py"):
        return None
    return shlex.join(["anomaly-detection", *sys.argv[1:]])


def _thinned(
    frames: list[pl.DataFrame], marks: list[NDArray[np.float64]], share: float
) -> tuple[list[pl.DataFrame], list[NDArray[np.float64]]]:
    """The rows whose mark is below ``share``."""
    chosen = [mark < share for mark in marks]
    rows = [frame.filter(pl.Series(these)) for frame, these in zip(frames, chosen, strict=True)]
    return rows, [mark[these] for mark, these in zip(marks, chosen, strict=True)]


def _refuse_two_lines(fitting: Fitting) -> None:
    if fitting.contamination != "auto":
        raise ParameterError(
            f"--contamination {fitting.contamination} and --threshold {fitting.threshold} both set the alarm line. "
            "Give one of them."
        )
