"""How well algorithms would have done on a series' own past, with anomalies put into it; no label is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from anomaly_detection.errors import InputError
from anomaly_detection.features.series.injection import SERIES_KINDS, inject_series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from anomaly_detection.detectors.series import SeriesDetector
    from anomaly_detection.features.series.series import Series

FEWEST, MOST = 1_000, 4_000
"""A past of fewer rows says too little; of a longer one, the last so many are replayed."""

ROUNDS = 20
"""The rows that are replayed go round each season so often, so that the first half alone says what is usual in it."""

FALSE_ALARMS = 0.01
"""So many of the rows are above the line before anomalies are put in."""

KINDS = tuple(kind for kind in SERIES_KINDS if kind != "dropout")
"""What is put in; values that are missing have no score."""

EVENTS, SIZE, LENGTH, SEED = 5, 4.0, 48, 1
"""So many of each kind, so large, and at most so many rows long; the same ones for every algorithm."""

NEAR = 5
"""An alarm so many rows after an anomaly is still about it."""

MARGIN, ERRORS = 0.2, 3.0
"""Another algorithm than the first is taken if it catches so much more of them, and so many standard errors more."""


class Tried(NamedTuple):
    """An algorithm in the replay.

    Parameters
    ----------
    name : what it is called.
    recall : the share of the anomalies that it caught.
    better : how much more than the first one's share that is.
    error : the standard error of that difference.
    """

    name: str
    recall: float
    better: float
    error: float

    @property
    def is_clear(self) -> bool:
        """Whether it is clearly better than the first."""
        return self.better >= MARGIN and self.better >= ERRORS * self.error

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            **{name: round(value, 3) for name, value in self._asdict().items() if name != "name"},
            "name": self.name,
        }


def replay(candidates: Mapping[str, SeriesDetector], series: Series, season: int = 1) -> list[Tried]:
    """Fit each algorithm on the first half of the latest rows, and count what it catches in the second.

    Anomalies of each kind are put into the second half, the same for all. The line is where one row in a hundred of
    the second half lies above it as it was: so a model of the past that no longer fits pays with what it misses.

    Parameters
    ----------
    candidates : unfitted detectors; the first is the one that others have to beat.
    series : the past of one series, as detectors see it.
    season : rows of its longest season.

    Returns
    -------
    One for each, the first one first; none where there are too few rows, or nothing can be put in.
    """
    series = series[-MOST:]
    if len(series) < max(FEWEST, ROUNDS * season):
        return []
    half = len(series) // 2
    spoiled = list(_spoiled(series[half:]))
    if not spoiled:
        return []
    caught = {name: _caught(one.clone().fit(series[:half]), series[half:], spoiled) for name, one in candidates.items()}
    first = next(iter(caught.values()))
    return [
        Tried(name, float(one.mean()), float((one - first).mean()), float((one - first).std() / np.sqrt(len(one))))
        for name, one in caught.items()
    ]


def best_of(tried: list[Tried]) -> Tried:
    """The one to take: the first, unless another is clearly better."""
    return max([tried[0], *(one for one in tried if one.is_clear)], key=lambda one: one.recall)


def _spoiled(rows: Series) -> Iterator[tuple[Series, NDArray[np.bool_]]]:
    """The rows with anomalies of each kind that can be put in, and where they are."""
    for kind in KINDS:
        length = None if kind in {"spike", "drop"} else min(LENGTH, len(rows) // (8 * EVENTS))
        try:
            made = inject_series(rows, kind, events=EVENTS, size=SIZE, length=length, seed=SEED)
        except InputError:
            continue
        yield made.series, made.labels


def _caught(
    fitted: SeriesDetector, rows: Series, spoiled: list[tuple[Series, NDArray[np.bool_]]]
) -> NDArray[np.float64]:
    """(k,) 1 for each anomaly that has a row above the line, else 0."""
    line = _line(fitted.score(rows).score)
    line = _line(fitted.score(rows, line).score)
    found: list[float] = []
    for series, labels in spoiled:
        above = np.nan_to_num(fitted.score(series, line).score, nan=-np.inf) > line
        edges = np.diff(labels.astype(np.int8), prepend=0, append=0)
        ends = zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
        found += [float(above[start : end + NEAR].any()) for start, end in ends]
    return np.array(found)


def _line(score: NDArray[np.float64]) -> float:
    said = score[~np.isnan(score)]
    return float(np.quantile(said, 1.0 - FALSE_ALARMS)) if len(said) else np.inf
