"""How many injected anomalies of each kind a pipeline catches in rows of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.evaluation.series_ranges import events
from anomaly_detection.features.series.injection import SERIES_KINDS, inject_series

if TYPE_CHECKING:
    from anomaly_detection.evaluation.backtest import History
    from anomaly_detection.features.series.axis import Track
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.series import SeriesPipeline

EVENTS = 5
"""So many anomalies of each kind."""

MOST_ROWS = 20_000
"""They are put into the last so many rows of the longest series."""

NEAR = 5
"""An alarm so many rows after an anomaly is still about it."""


@dataclass(frozen=True, slots=True)
class InjectedRecall:
    """How many anomalies of a kind were put in, and how many of them were flagged."""

    kind: str
    about: str
    injected: int
    caught: int


def injected_recall(
    pipeline: SeriesPipeline, history: History, seed: int, progress: Progress
) -> tuple[InjectedRecall, ...]:
    """Put anomalies of each kind into the judged rows of the longest series, and see which are flagged.

    Parameters
    ----------
    pipeline : unfitted; it learns once, from the rows before the judged ones.
    history : the rows.
    seed : decides where the anomalies are.
    progress : is told how far it is.

    Returns
    -------
    One for each kind that can be put into these rows; none where there are too few of them.
    """
    track = max(history.tracks(), key=lambda one: len(one.series))
    last = slice(max(0, len(track.series) - MOST_ROWS), None)
    pipeline = pipeline.clone().fit(history.frame[: history.cut], history.schema)
    found = []
    for done, (kind, about) in enumerate(SERIES_KINDS.items()):
        one = _one_kind(pipeline, history, track, last, kind, seed)
        if one is not None:
            found.append(InjectedRecall(kind, about, *one))
        progress("injecting", done + 1, len(SERIES_KINDS))
    return tuple(found)


def _one_kind(
    pipeline: SeriesPipeline, history: History, track: Track, last: slice, kind: str, seed: int
) -> tuple[int, int] | None:
    series = track.series[last]
    try:
        made = inject_series(series, kind, events=EVENTS, start=len(series) // 10, seed=seed)
    except InputError:
        return None
    rows = history.judged[track.rows[last]]
    columns = [pl.Series(name, made.series.values[:, k], strict=False) for k, name in enumerate(series.names)]
    flags = pipeline.detect(rows.with_columns(columns)).is_anomaly
    stretches = events(made.labels)
    return len(stretches), sum(bool(np.any(flags[a : b + 1 + NEAR])) for a, b in stretches.tolist())
