"""Log lines in, calibrated verdicts out: the pipeline of logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Configurable, Range
from anomaly_detection.calibration import Calibrator
from anomaly_detection.errors import InputError, NotFittedError
from anomaly_detection.features.logs import Lines, LogFeatures
from anomaly_detection.features.logs.lines import hash_name
from anomaly_detection.features.templates.miner import TemplateMiner
from anomaly_detection.logs.batch import LogBatch, joined
from anomaly_detection.logs.combination import MOST_OF_ALL, Combination, evenly
from anomaly_detection.logs.forest import Forest
from anomaly_detection.logs.intake import Intake, hashed
from anomaly_detection.logs.rarity import Rarity
from anomaly_detection.logs.rates import Rates
from anomaly_detection.logs.sequences import Sequences
from anomaly_detection.logs.values import Values
from anomaly_detection.logs.verdict import LogResult, LogVerdict, MethodVerdict
from anomaly_detection.logs.windows import SlidingWindow
from anomaly_detection.pipeline import check_rows
from anomaly_detection.thresholds import choose_alpha
from anomaly_detection.verdicts import judge, judge_one

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.logs.method import Memory, Method

WEIGHTS = {
    "isolation_forest": 0.5,
    "sliding_window": 0.5,
    "rare_templates": 1.0,
    "template_rate": 0.5,
    "parameters": 0.5,
    "sequences": 1.0,
}
"""How much each method counts in the sum."""

SHARE = 1.0
"""How much of a session's latest surprise is added."""

BLOCK_ROWS = 65_536
"""Lines whose features are held in memory at once."""

MOST_LINES = 200_000
"""Methods learn from the last so many lines; templates and words from all."""

FOLDS = 3
"""Lines are calibrated in so many stretches, each by methods that learned from the others."""


class LogPipeline(Configurable):
    """Templates, the 78 features, six methods and one calibrated verdict for every log line.
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "contamination": AnyOf(Range(0, 0.5, open_low=True), Choice("auto")),
        "minutes": Range(0, 60 * 24 * 7, open_low=True),
        "random_state": Range(0, 2**31 - 1, integer=True),
    }

    alpha_: float
    rows_: int
    calibrator_: Calibrator

    def __init__(self, contamination: float | str = "auto", minutes: float = 5.0, random_state: int = 0) -> None:
        self.contamination = contamination
        self.minutes = minutes
        self.random_state = random_state

    def fit(self, frame: pl.DataFrame) -> Self:
        self.validate()
        check_rows(len(frame))
        self.intake_ = Intake(self.minutes).fit(frame)
        first = max(0, len(frame) - MOST_LINES)
        parts = [self.intake_.take(frame[at : at + BLOCK_ROWS]) for at in range(first, len(frame), BLOCK_ROWS)]
        batch = joined(parts)
        self.combination_ = Combination(list(WEIGHTS.values()), SHARE)
        sample = self._held_out(batch)
        self.calibrator_ = Calibrator().fit(evenly(sample, MOST_OF_ALL))
        self.alpha_ = choose_alpha(self.contamination, self.calibrator_, sample)
        self.methods_ = [method.fit(batch) for method in self._methods()]
        self.rows_ = len(frame)
        self.reset()
        return self

    def _held_out(self, batch: LogBatch) -> NDArray[np.float64]:
        edges = np.linspace(0, len(batch), FOLDS + 1).astype(np.int64)
        stretches = [slice(int(a), int(b)) for a, b in zip(edges[:-1], edges[1:], strict=True)]
        scores = np.empty((len(batch), len(WEIGHTS)))
        for rows in stretches:
            others = joined([batch.part(slice(0, rows.start)), batch.part(slice(rows.stop, len(batch)))])
            for k, method in enumerate(self._methods()):
                scores[rows, k] = method.fit(others).score(batch.part(rows), method.memory())
        self.held_out_scores_ = scores
        combination = self.combination_.fit(scores)
        p_values = combination.p_values(list(scores.T))
        return np.concatenate([
            combination.score(p_values[rows], batch.sessions[rows], combination.memory()) for rows in stretches
        ])

    def _methods(self) -> list[Method]:
        return [
            Forest(self.random_state), SlidingWindow(self.intake_.window_columns), Rarity(), Rates(self.minutes), Values(), Sequences(),
        ]

    def reset(self):
        self.intake_.reset()
        self._memories = [method.memory() for method in self.methods_]
        self._recent = self.combination_.memory()

    def detect(self, frame: pl.DataFrame) -> LogResult:
        parts, ids = [], []
        for at in range(0, len(frame), BLOCK_ROWS):
            batch = self.intake_.take(frame[at : at + BLOCK_ROWS])
            parts.append(self._scored(batch))
            ids.append(batch.templates)
        p_values = np.concatenate([p for p, _ in parts]) if parts else np.empty((0, 6))
        scores = np.concatenate([s for _, s in parts]) if parts else np.empty(0)
        result = judge(scores, self.calibrator_.p_value(scores), self.alpha_, self.calibrator_.n_)
        own = {name: getattr(result, name) for name in result.__slots__}
        return LogResult(**own, parts=dict(zip(WEIGHTS, p_values.T)), templates=np.concatenate(ids) if ids else None)

    def _scored(self, batch):
        scores = [m.score(batch, memory) for m, memory in zip(self.methods_, self._memories, strict=True)]
        p_values = self.combination_.p_values(scores)
        return p_values, self.combination_.score(p_values, batch.sessions, self._recent)
