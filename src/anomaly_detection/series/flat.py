"""Keys with few rows and one channel, all at once: what their control charts learn and say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.detectors.series import SeriesScores
from anomaly_detection.features._reading import read_numbers
from anomaly_detection.features.series.clock import read_microseconds
from anomaly_detection.features.series.series import Series
from anomaly_detection.series.charts import Charts
from anomaly_detection.series.model import FIRST_SHARE, calibration_sample, counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.detectors.series.ewma import EWMA
    from anomaly_detection.features.series.axis import Track
    from anomaly_detection.features.series.clock import Clock
    from anomaly_detection.records import Schema
    from anomaly_detection.series.wishes import Wishes


def may_be_flat(track: Track) -> bool:
    """Whether the chart of a key needs no more than its numbers: one channel, and no counter."""
    return track.series.width == 1 and not counts(track.series.values[:, 0])


def joined(tracks: Sequence[Track]) -> tuple[pl.Series, Series, NDArray[np.int64]]:
    """The key of each row, all rows as if they were one series, and where they stand in the input."""
    sizes = [len(track.series) for track in tracks]
    keys = pl.Series([track.key for track in tracks], dtype=pl.String)
    values = np.concatenate([track.series.values for track in tracks])
    rows = np.concatenate([track.rows for track in tracks])
    return keys.gather(np.repeat(np.arange(len(tracks)), sizes)), as_series(values, tracks[0].series.names), rows


def as_series(values: NDArray[np.float64], names: tuple[str, ...]) -> Series:
    """Rows of which charts know the order and not the time."""
    return Series(values, np.zeros(len(values), np.int64), 1, names)


def rows_in_order(
    frame: pl.DataFrame, schema: Schema, clock: Clock, keys: pl.Series, mine: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], pl.Series, Series]:
    """Some rows of a frame in order of time: where they stand, the key of each, and their values.

    Parameters
    ----------
    frame, schema, clock : the rows, which column is what, and how time is read.
    keys : (n,) the text of the key of each row.
    mine : (n,) which rows.
    """
    name = schema.feature_names[0]
    rows = np.flatnonzero(mine)
    time = read_microseconds(frame[str(schema.timestamp)], clock)[rows]
    values = read_numbers(frame[name]).to_numpy().astype(np.float64)
    if (np.diff(time) < 0).any():
        rows = rows[np.argsort(time, kind="stable")]
    elif len(rows) == len(frame):
        return rows, keys, as_series(values[:, None], (name,))
    return rows, keys.gather(rows), as_series(values[rows, None], (name,))


def parts_of_charts(
    charts: Charts, tracks: Sequence[tuple[Track, int]], line: float
) -> list[tuple[NDArray[np.int64], Series, SeriesScores]]:
    """The scores of the first rows of each key, which were learned from, and of those that follow.

    Parameters
    ----------
    charts : have learned the first rows.
    tracks : each with how many of its rows were learned from.
    line : a row scoring above it is not learned from.
    """
    parts = []
    for some in ([track[:n] for track, n in tracks], [track[n:] for track, n in tracks]):
        keys, series, rows = joined(some)
        said = charts.score(keys, series.values[:, 0], line)
        parts.append((rows, series, scores_of(said, series.values)))
    return parts


def scores_of(said: NDArray[np.float64], values: NDArray[np.float64]) -> SeriesScores:
    """What charts say, as a detector says it.

    Parameters
    ----------
    said : (n, 3) score, expected value and scale.
    values : (n, 1) what was judged.
    """
    away = np.where(np.isnan(said[:, 0]), 0.0, values[:, 0] - said[:, 1])
    return SeriesScores(said[:, 0], said[:, 1:2], said[:, 2:3], None, np.sign(away).astype(np.int8))


def learned_charts(chart: EWMA, tracks: Sequence[Track], wishes: Wishes) -> tuple[Charts, NDArray[np.float64]]:
    """The charts of keys, and the scores of the second half of the rows of each, to calibrate with.

    A chart goes on row by row, so that the scores of the second half are those of a chart of the first.
    """
    charts = Charts(chart.span)
    if not tracks:
        return charts, np.empty(0)
    keys, series, _ = joined(tracks)
    said = scores_of(charts.advance(keys, series.values[:, 0]), series.values)
    samples, begin = [], 0
    for track in tracks:
        n = len(track.series)
        first = max(chart.fewest_rows, int(n * FIRST_SHARE))
        samples.append(calibration_sample(said[begin + first : begin + n], wishes))
        begin += n
    return charts, np.concatenate(samples)
