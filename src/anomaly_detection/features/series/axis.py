"""A frame of rows to a series per key: sorted by time, numbers in a matrix, and how to find the way back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.features._reading import read_numbers
from anomaly_detection.features.keys import key_text
from anomaly_detection.features.series.clock import DAY, Clock, read_microseconds
from anomaly_detection.features.series.series import Series
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.records import Schema

GAP = 1.5
"""A distance of more than so many steps is a gap."""

MOST_EMPTY = 8
"""A regular grid has at most so many times as many rows as there are values; longer gaps are cut short."""


@dataclass(frozen=True, slots=True)
class Track:
    """The series of one key, and where its rows stand in the frame.

    Parameters
    ----------
    key : the text of the key; the empty text where there is none.
    series : the rows in order of time.
    rows : (n,) the place of each row of the series in the frame.
    """

    key: str
    series: Series
    rows: NDArray[np.int64]

    def __getitem__(self, part: slice) -> Track:
        """Rows that follow one another."""
        return Track(self.key, self.series[part], self.rows[part])


def tracks_of(
    frame: pl.DataFrame, schema: Schema, clock: Clock, steps: Mapping[str, int] | None = None
) -> tuple[list[Track], list[str]]:
    """A series for each key, in order of the keys, and notes on what was found.

    Rows are sorted by time; rows with the same key and time stay in the order of the frame, and each is judged.

    Parameters
    ----------
    frame : has the columns of the schema.
    schema : names the columns of time, of the key, and of the numbers.
    clock : how the column of time is read.
    steps : the step of keys that are known already, in microseconds.

    Raises
    ------
    SchemaError
        for a time that cannot be read, or a value that is no number.
    """
    time = read_microseconds(frame[str(schema.timestamp)], clock)
    codes, names = key_codes(frame, schema.key_columns)
    order = np.lexsort((time, codes))
    columns = [read_numbers(frame[name]).to_numpy() for name in schema.feature_names]
    values = np.column_stack(columns)[order].astype(np.float64) if len(frame) else np.empty((0, len(columns)))
    time, codes = time[order], codes[order]
    bounds = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)] if len(codes) else []
    tracks = []
    for begin, end in pairwise(bounds):
        key, stamps = names[int(codes[begin])], time[begin:end]
        step = (steps or {}).get(key) or step_of(stamps)
        series = Series(np.ascontiguousarray(values[begin:end]), stamps, step, schema.feature_names, clock.zone)
        tracks.append(Track(key, series, order[begin:end].astype(np.int64)))
    return tracks, _notes(tracks)


def key_texts_of(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.Series:
    """The text of the key of each row; the empty text where there is none."""
    if not columns:
        return pl.repeat("", len(frame), dtype=pl.String, eager=True)
    return key_text(frame, columns).fill_null("")


def key_codes(frame: pl.DataFrame, columns: tuple[str, ...]) -> tuple[NDArray[np.int64], list[str]]:
    """(n,) a number for the key of each row, and the texts of the keys in order; without a key, one empty text.

    >>> key_codes(pl.DataFrame({"host": ["b", "a", "b"]}), ("host",))
    (array([1, 0, 1]), ['a', 'b'])
    """
    if not columns:
        return np.zeros(len(frame), dtype=np.int64), [""]
    texts = key_texts_of(frame, columns)
    names = texts.unique().sort()
    codes = texts.replace_strict(names, pl.Series(np.arange(len(names))), return_dtype=pl.Int64)
    return codes.to_numpy(), names.to_list()


def step_of(time: NDArray[np.int64]) -> int:
    """The usual distance of rows in microseconds: the most common one if half have it, else the middle one.

    >>> step_of(np.array([0, 60, 120, 120, 400, 460])), step_of(np.array([5]))
    (60, 1)
    """
    distances = np.diff(time)
    distances = distances[distances > 0]
    if not len(distances):
        return 1
    values, counts = np.unique(distances, return_counts=True)
    most = int(np.argmax(counts))
    return int(values[most]) if 2 * counts[most] >= len(distances) else max(1, int(np.median(distances)))


def gaps_of(series: Series) -> NDArray[np.int64]:
    """The rows that come after a gap: more than one and a half steps after the row before."""
    return np.flatnonzero(np.diff(series.time) > GAP * series.step) + 1


def on_grid(series: Series) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The values at equal distances, and where each row of the series went.

    The place of a row is its distance from the first one in steps, rounded; the last of several rows of one place
    counts. A place without a row is missing. A gap is cut short where the grid would have more than eight times as
    many places as there are rows.

    Returns
    -------
    (m, d) values, NaN where missing; (n,) the place of each row.

    >>> on_grid(Series(np.array([[1.0], [2.0], [4.0]]), np.array([0, 10, 30]), 10, ("v",)))[0].ravel().tolist()
    [1.0, 2.0, nan, 4.0]
    """
    n = len(series)
    if not n:
        return series.values.copy(), np.empty(0, np.int64)
    distances = np.diff((series.time - series.time[0]) // series.step + _rounds_up(series))
    if distances.sum() > MOST_EMPTY * n:
        distances = np.minimum(distances, MOST_EMPTY)
    places = np.concatenate([[0], np.cumsum(distances)]).astype(np.int64)
    grid = np.full((int(places[-1]) + 1, series.width), np.nan)
    grid[places] = series.values
    return grid, places


def after_state(series: Series, until: int, clock: Clock, *, shift: bool = True) -> Series:
    """Rows as if none lay before the state's last row: all of them weeks later where none comes after, else at it.

    Parameters
    ----------
    series : rows in order.
    until : the time of the last row that the state knows.
    clock : says whether there are weeks; rows that are only counted follow the last one.
    shift : move rows of which none comes after; else all that lie before count as being at the last one.
    """
    if not len(series) or series.time[0] >= until:
        return series
    time = np.maximum(series.time, until)
    if shift and series.time[-1] <= until:
        behind = until + series.step - int(series.time[0])
        time = series.time + (-(-behind // (7 * DAY)) * 7 * DAY if clock.is_clock else behind)
    return Series(series.values, time, series.step, series.names, series.zone)


def check_history(n: int, fewest: int) -> None:
    """Refuse to learn from a history that is too short.

    Raises
    ------
    InputError
        naming how many rows there are, and how many more it takes.
    """
    if n < fewest:
        raise InputError(
            f"Learning what is normal in a series takes at least {fewest} rows; the longest here has "
            f"{counted(n, 'row')}. Give {fewest - n} more, or score with a trained model."
        )


def _rounds_up(series: Series) -> NDArray[np.int64]:
    late: NDArray[np.int64] = ((series.time - series.time[0]) % series.step * 2 >= series.step).astype(np.int64)
    return late


def _notes(tracks: list[Track]) -> list[str]:
    """What to say of rows that were out of order or at the same time."""
    unsorted = sum(int(np.any(np.diff(track.rows) < 0)) for track in tracks)
    same = sum(int(np.count_nonzero(np.diff(track.series.time) == 0)) for track in tracks)
    notes = []
    if unsorted:
        notes.append("time: the rows are not in order; they are judged in order of time and written as they came")
    if same:
        notes.append(f"time: {counted(same, 'row')} at the time of another; each is judged, in the order of the file")
    return notes
