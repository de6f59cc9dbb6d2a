"""What is kept of verdicts while they pass by: counts, the most anomalous records, labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.evaluation.metrics import Evaluation, evaluate
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.results import Result


class Tally:
    """Counts verdicts, keeps the most anomalous records with their reasons, and evaluates against a label.

    Parameters
    ----------
    pipeline : gives the reasons.
    most : how many records to keep.
    label : the label's column, if there is one.
    """

    def __init__(self, pipeline: Pipeline, most: int = 10, label: str | None = None) -> None:
        self.pipeline = pipeline
        self.most = most
        self.label = label
        self.rows = 0
        self.alpha = pipeline.alpha_
        self.anomaly_count = 0
        self.severities = np.zeros(len(SEVERITIES), dtype=np.int64)
        self._top: list[dict[str, Any]] = []
        self._labelled: list[tuple[pl.Series, NDArray[np.float64], NDArray[np.bool_]]] = []

    def add(self, result: Result, frame: pl.DataFrame) -> None:
        """Take note of the verdicts on the rows of a frame."""
        self.rows += len(result)
        self.alpha = result.alpha
        self.anomaly_count += result.anomaly_count
        self.severities += np.bincount(result.severity_code, minlength=len(SEVERITIES))
        self._keep_top(result, frame)
        if self.label is not None:
            self._labelled.append((frame[self.label], result.score, result.is_anomaly))

    def top(self) -> list[dict[str, Any]]:
        """The most anomalous of the anomalies, most anomalous first: verdict, record and reasons."""
        return self._top

    def severity_counts(self) -> dict[str, int]:
        """How many records are of each severity."""
        return {name: int(count) for name, count in zip(SEVERITIES, self.severities, strict=True)}

    def evaluation(self) -> Evaluation | None:
        """How well flags and scores agree with the label, if there is one.

        Raises
        ------
        InputError
            if a label is missing or not understood.
        """
        if not self._labelled:
            return None
        labels, scores, flags = zip(*self._labelled, strict=True)
        return evaluate(pl.concat(labels), np.concatenate(scores), np.concatenate(flags))

    def _keep_top(self, result: Result, frame: pl.DataFrame) -> None:
        top = result.top(min(self.most, result.anomaly_count))
        chosen = [int(i) for i in top if self._would_stay(float(result.score[i]))]
        if not chosen:
            return
        part = frame[chosen]
        described = zip(chosen, part.iter_rows(named=True), self.pipeline.explain(part), strict=True)
        found = [
            {
                "row": int(result.rows[i]),
                **({} if result.key is None else {"key": result.key[i]}),
                **({} if result.time is None else {"time": result.time[i]}),
                **result.verdict(i).to_dict(),
                "reasons": [reason.to_dict() for reason in why],
                "record": record,
            }
            for i, record, why in described
        ]
        self._top = sorted([*self._top, *found], key=lambda one: (-one["score"], one["row"]))[: self.most]

    def _would_stay(self, score: float) -> bool:
        return len(self._top) < self.most or score > self._top[-1]["score"]
