"""What to fit, and the rows to fit it on."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.detectors import create
from anomaly_detection.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    random_state : the seed of everything random.
    """

    algorithm: str = "isolation_forest"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    contamination: float | str = "auto"
    threshold: str | None = None
    random_state: int = 0


def blank_pipeline(fitting: Fitting) -> Pipeline:
    """An unfitted pipeline; every seed in it is the one given.

    Raises
    ------
    UnknownNameError, ParameterError
        for an unknown algorithm or parameter, or one out of range.
    """
    detector = create(fitting.algorithm, **fitting.parameters)
    if "random_state" in detector.parameter_names() and "random_state" not in fitting.parameters:
        detector = detector.clone(random_state=fitting.random_state)
    pipeline = Pipeline(detector, fitting.contamination, fitting.threshold, random_state=fitting.random_state)
    pipeline.validate()
    return pipeline


def read_for_fitting(source: FileSource, seed: int, progress: Progress) -> pl.DataFrame:
    """The rows to fit on: all, or an even sample of a large file, the same one for the same seed."""
    if source.size <= WHOLE:
        return source.read()
    rng = np.random.default_rng(seed)
    kept: list[pl.DataFrame] = []
    seen, share = 0, 1.0
    for batch in source.batches(BATCH):
        seen += len(batch)
        progress("reading a sample", seen, None)
        kept.append(_thinned(batch, share, rng))
        while sum(map(len, kept)) > 2 * SAMPLE:
            share /= 2
            kept = [_thinned(part, 0.5, rng) for part in kept]
    return pl.concat(kept)


def command_line() -> str | None:
    """What was typed, if this is the command line program."""
    if not sys.argv or not sys.argv[0].endswith("anomaly-detection"):
        return None
    return shlex.join(["anomaly-detection", *sys.argv[1:]])


def _thinned(frame: pl.DataFrame, share: float, rng: np.random.Generator) -> pl.DataFrame:
    return frame if share >= 1 else frame.filter(pl.Series(rng.random(len(frame)) < share))
