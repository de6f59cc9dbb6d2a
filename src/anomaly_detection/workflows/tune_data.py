"""The rows that trials are measured on, and what makes a study the one of a request."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from anomaly_detection.evaluation.rounds import Rounds
from anomaly_detection.settings import Settings
from anomaly_detection.version import __version__
from anomaly_detection.workflows.search_space import described

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.records import Schema
    from anomaly_detection.workflows.tune_request import TuneRequest

MOST_ROWS = 10_000
"""Trials are measured on at most so many rows; the result is fitted on all."""

ANEW = 2
"""The best are measured again in so many new sets of rounds."""


class Tuning:
    """One request and its data.

    Parameters
    ----------
    request : what was asked for.
    frame, schema, labels : all rows, which column is what, and (n,) true for an anomaly, where labels tell.
    """

    def __init__(
        self, request: TuneRequest, frame: pl.DataFrame, schema: Schema, labels: NDArray[np.bool_] | None
    ) -> None:
        self.request = request
        self.seed = request.fitting.random_state
        self.measure = request.measure or ("auroc" if labels is None else "average_precision")
        chosen = sampled_rows(len(frame), labels, self.seed)
        self.frame, self.schema = frame[chosen], schema
        self.labels = None if labels is None else labels[chosen]
        self.rounds = self.rounds_of(0)

    def rounds_of(self, number: int) -> Rounds:
        """A set of rounds: number 0 is for the search, the others to check what it found."""
        seed = self.seed * (ANEW + 1) + number
        return Rounds(self.frame, self.schema, self.labels, self.request.kinds, self.measure, seed)

    @property
    def objective(self) -> dict[str, Any]:
        """What a value is, as plain values."""
        return {
            "against": "injected anomalies" if self.labels is None else "labels",
            "measure": self.measure,
            "kinds": list(self.rounds.kinds),
            "folds": len(self.rounds.each),
            "rows": len(self.frame),
            "max_alarms": self.request.max_alarms,
        }

    def study(self, data: str) -> tuple[Path, dict[str, Any]]:
        """Where the study is, and what makes it this study and no other."""
        fitting = self.request.fitting
        what = {
            "version": __version__,
            "data": data,
            "columns": self.schema.to_dict(),
            "objective": self.objective,
            "search_space": described(self.request.names),
            "alarm_line": [fitting.contamination, fitting.threshold],
            "seed": self.seed,
        }
        digest = hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:12]
        usual = Settings().home / "studies" / f"{self.request.name}-{digest}.jsonl"
        return self.request.study or usual, what


def sampled_rows(n_rows: int, labels: NDArray[np.bool_] | None, seed: int) -> NDArray[np.int64]:
    """The rows that trials are measured on: all, or a random sample that keeps the anomalies, up to a tenth of it."""
    if n_rows <= MOST_ROWS:
        return np.arange(n_rows)
    order = np.random.default_rng(seed).permutation(n_rows)
    if labels is not None:
        drawn = labels[order]
        kept = max(MOST_ROWS // 10, int(drawn[:MOST_ROWS].sum()))
        order = np.concatenate([order[drawn][:kept], order[~drawn]])
    return np.sort(order[:MOST_ROWS])
