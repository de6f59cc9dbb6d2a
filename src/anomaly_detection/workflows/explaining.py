"""Explanations that go with written verdicts: all of them for a bounded number of anomalies, reasons for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.explaining import SeriesResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anomaly_detection.explain.explanation import Explanation
    from anomaly_detection.pipeline import Pipeline, Progress
    from anomaly_detection.results import Result

MOST_IN_FULL = 500
"""Anomalies that are explained in full; of those that come later, the contributions only."""

MOST_OTHERS = 1_000
"""Anomalies of a batch that similar ones are looked for among."""

AT_ONCE = 50
"""Anomalies between two words about progress."""


class Explaining:
    """Explains the anomalies of one input, a batch of verdicts at a time.

    Parameters
    ----------
    pipeline : explains.
    progress : is told how far it is.
    """

    def __init__(self, pipeline: Pipeline | SeriesPipeline, progress: Progress) -> None:
        self.pipeline = pipeline
        self.progress = progress
        self._left = MOST_IN_FULL

    def column(self, result: Result, frame: pl.DataFrame, *, as_objects: bool) -> pl.Series:
        """The column ``explanation``: an object for each anomaly, or one text, and nothing for the other rows."""
        found: list[Any] = [None] * len(result)
        for one in self._explanations(result, frame):
            if one.row is None:
                continue
            found[one.row] = _numbered(one, result) if as_objects else _in_words(one)
        return pl.Series("explanation", found, dtype=pl.Object if as_objects else pl.String)

    def _explanations(self, result: Result, frame: pl.DataFrame) -> Iterator[Explanation]:
        """The most anomalous rows of a batch in full while there is room for them."""
        order = result.top(result.anomaly_count).tolist()
        if isinstance(result, SeriesResult):
            yield from result.explanations(order)
        if isinstance(self.pipeline, SeriesPipeline):
            return
        among = sorted(order[:MOST_OTHERS])
        in_full = order[: self._left]
        self._left -= len(in_full)
        for first in range(0, len(order), AT_ONCE):
            for rows, brief in _parted(order, first, len(in_full)):
                yield from self.pipeline.explain(frame, rows, alpha=result.alpha, among=among, brief=brief)
            self.progress("explaining", min(first + AT_ONCE, len(order)), len(order))


def _in_words(one: Explanation) -> str:
    """One paragraph; where no column stands out, the recommendation says so, and the sentence would say it again."""
    return one.text() if one.reasons else one.text().removeprefix(f"{one.sentence}. ")


def _parted(order: list[int], first: int, in_full: int) -> list[tuple[list[int], bool]]:
    """The next rows, those that are explained in full before the others."""
    end = first + AT_ONCE
    middle = min(max(first, in_full), end)
    return [(rows, brief) for rows, brief in ((order[first:middle], False), (order[middle:end], True)) if rows]


def _numbered(one: Explanation, result: Result) -> dict[str, Any]:
    """Plain values, the similar rows by their numbers in the input."""
    return {**one.to_dict(), "similar": result.rows[np.asarray(one.similar, dtype=np.int64)].tolist()}
