"""What is kept of verdicts while they pass by: counts, the most anomalous records, labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.evaluation.metrics import Evaluation, evaluate
from anomaly_detection.results import SEVERITIES
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.explaining import SeriesResult
from anomaly_detection.workflows.series_evaluation import in_order

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
    explain : keep all that is said about a record, not only the reasons.
    """

    def __init__(
        self, pipeline: Pipeline | SeriesPipeline, most: int = 10, label: str | None = None, *, explain: bool = False
    ) -> None:
        self.pipeline = pipeline
        self.most = most
        self.label = label
        self.explain = explain
        self.rows = 0
        self.alpha = pipeline.alpha_
        self.anomaly_count = 0
        self.severities = np.zeros(len(SEVERITIES), dtype=np.int64)
        self._top: list[tuple[dict[str, Any], pl.DataFrame]] = []
        self._labelled: list[tuple[pl.Series, NDArray[np.float64], NDArray[np.bool_], pl.DataFrame]] = []

    def add(self, result: Result, frame: pl.DataFrame) -> None:
        """Take note of the verdicts on the rows of a frame."""
        self.rows += len(result)
        self.alpha = result.alpha
        self.anomaly_count += result.anomaly_count
        self.severities += np.bincount(result.severity_code, minlength=len(SEVERITIES))
        self._keep_top(result, frame)
        if self.label is not None:
            kept = self.pipeline.schema_
            when = frame.select([*kept.key_columns, *([kept.timestamp] if kept.timestamp in frame.columns else [])])
            self._labelled.append((frame[self.label], result.score, result.is_anomaly, when))

    def top(self) -> list[dict[str, Any]]:
        """The most anomalous of the anomalies, most anomalous first: verdict, record and reasons."""
        return [self._explained(verdict, frame) for verdict, frame in self._top]

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
        labels, scores, flags, when = zip(*self._labelled, strict=True)
        truth, score, flagged = pl.concat(labels), np.concatenate(scores), np.concatenate(flags)
        found = evaluate(truth, score, flagged)
        if not isinstance(self.pipeline, SeriesPipeline):
            return found
        return replace(found, series=in_order(self.pipeline, pl.concat(when), truth, score, flagged))

    def _keep_top(self, result: Result, frame: pl.DataFrame) -> None:
        top = result.top(min(self.most, result.anomaly_count))
        chosen = [int(i) for i in top if self._would_stay(float(result.score[i]))]
        found = [
            (
                {
                    "row": int(result.rows[i]),
                    **({} if result.key is None else {"key": result.key[i]}),
                    **({} if result.time is None else {"time": result.time[i]}),
                    **({} if result.level is None else {"level": result.level[i]}),
                    **result.verdict(i).to_dict(),
                    **self._of_series(result, i),
                },
                frame[[i]],
            )
            for i in chosen
        ]
        self._top = sorted([*self._top, *found], key=lambda one: (-one[0]["score"], one[0]["row"]))[: self.most]

    def _of_series(self, result: Result, i: int) -> dict[str, Any]:
        """What is said about a row of a series: it is known while the series is judged, and not later."""
        if not isinstance(result, SeriesResult) or result.reason is None:
            return {}
        why = result.explanations([i])[0]
        more = {"explanation": why.to_dict()} if self.explain else {}
        return {"reason": result.reason[i], "reasons": [reason.to_dict() for reason in why.reasons], **more}

    def _explained(self, verdict: dict[str, Any], frame: pl.DataFrame) -> dict[str, Any]:
        """A verdict with its record and the reasons for it; with all there is to say where that was asked for."""
        record = frame.row(0, named=True)
        if isinstance(self.pipeline, SeriesPipeline):
            return {**verdict, "reasons": verdict.get("reasons", []), "record": record}
        if self.pipeline.background_ is None:
            return {**verdict, "reasons": [], "record": record}
        why = self.pipeline.explain(frame, alpha=self.alpha, among=())[0]
        more = {"explanation": why.to_dict()} if self.explain else {}
        return {**verdict, "reasons": [reason.to_dict() for reason in why.reasons], **more, "record": record}

    def _would_stay(self, score: float) -> bool:
        return len(self._top) < self.most or score > self._top[-1][0]["score"]
