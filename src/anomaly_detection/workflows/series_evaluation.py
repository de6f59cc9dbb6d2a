"""How good a model of series is, where the training rows are labelled."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.evaluation.metrics import evaluate
from anomaly_detection.evaluation.series_metrics import evaluate_series
from anomaly_detection.features.series.axis import key_codes, step_of, tracks_of
from anomaly_detection.features.series.clock import read_microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.evaluation.series_evaluation import SeriesEvaluation
    from anomaly_detection.series import SeriesPipeline

FIRST_SHARE = 0.5
"""Of each series so much is learned from, and the rest judged."""

NOT_EVALUATED = "the label is left out: half of the rows are too few to learn from; {}"


def evaluated_series(
    pipeline: SeriesPipeline, frame: pl.DataFrame, labels: NDArray[np.bool_]
) -> tuple[Evaluation | None, list[str]]:
    """How good the verdicts on the later half of each series are, by a model of the earlier half; or why nobody knows.

    Parameters
    ----------
    pipeline : fitted on all rows; one like it is fitted on half of them.
    frame : the training rows.
    labels : (n,) which of them are anomalies.
    """
    tracks, _ = tracks_of(frame, pipeline.schema_, pipeline.clock_)
    later = np.concatenate([track.rows[int(FIRST_SHARE * len(track.rows)) :] for track in tracks])
    is_later = np.zeros(len(frame), dtype=np.bool_)
    is_later[later] = True
    earlier = np.flatnonzero(~is_later)
    try:
        half = pipeline.clone().fit(frame[earlier], pipeline.schema_)
    except InputError as error:
        return None, [NOT_EVALUATED.format(str(error).split(". ", maxsplit=1)[0])]
    rows = np.sort(later)
    result = half.detect(frame[rows])
    truth = pl.Series(labels[rows])
    measured = evaluate(truth, result.score, result.is_anomaly)
    return replace(measured, series=in_order(pipeline, frame[rows], truth, result.score, result.is_anomaly)), []


def in_order(
    pipeline: SeriesPipeline, when: pl.DataFrame, truth: pl.Series, score: NDArray[np.float64], flags: NDArray[np.bool_]
) -> SeriesEvaluation:
    """What measures that know of time say, key after key in order of time.

    Parameters
    ----------
    pipeline : says how time is read.
    when : the columns of time and of the key, at least.
    truth, score, flags : (n,) which rows are anomalies, their scores, and which were flagged.
    """
    time = read_microseconds(when[str(pipeline.schema_.timestamp)], pipeline.clock_)
    keys, _ = key_codes(when, pipeline.schema_.key_columns)
    order = np.lexsort((time, keys))
    step = step_of(time[order][keys[order] == keys[order[0]]]) if pipeline.clock_.is_clock else None
    return evaluate_series(truth[order], score[order], flags[order], step=step)
