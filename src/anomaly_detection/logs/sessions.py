"""Groups of log lines in, calibrated verdicts out: the pipeline of sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from anomaly_detection.base import AnyOf, Choice, Configurable, Range
from anomaly_detection.calibration import check_rows
from anomaly_detection.calibration.held_out import held_out
from anomaly_detection.errors import NotFittedError, SchemaError
from anomaly_detection.features.logs.lines import microseconds
from anomaly_detection.features.templates import TemplateMiner
from anomaly_detection.logs.combination import (
    MOST_OF_ALL,
    Combination,
    calibrated,
    evenly,
    restored_calibrator,
    restored_line,
)
from anomaly_detection.logs.grouping import Sessions, grouped
from anomaly_detection.logs.intake import Intake, seconds_of
from anomaly_detection.logs.session_model import WAYS, SessionModel
from anomaly_detection.logs.tables import described
from anomaly_detection.logs.verdict import LogResult
from anomaly_detection.scorer import under
from anomaly_detection.thresholds import choose_alpha
from anomaly_detection.verdicts import judge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.calibration import Calibrator

WEIGHTS = dict(zip(WAYS, (0.5, 1.0, 0.25, 0.5, 0.25, 1.0, 1.0, 0.1), strict=True))
"""How much the surprise of each way of looking at a session counts."""

FOLDS = 5


class SessionPipeline(Configurable):
    """Sessions of log lines in, one calibrated verdict each out.

    A session is all lines with the same value of a column: a request, a job, a block, an instance. It is looked at in
    eight ways, each calibrated on training sessions that it was not fitted on; their surprises, ``-ln p``, are added up
    and calibrated again:

    - ``counts``: how often each template comes (:class:`~anomaly_detection.logs.patterns.Patterns`);
    - ``pairs``: how rare its pairs of neighbouring lines are among all pairs, on average;
    - ``sequences``: how well each line follows from the three before (:class:`~anomaly_detection.logs.markov.Markov`),
      and whether a session ends like this, on average;
    - ``rare_templates``: how rare its templates are (:class:`~anomaly_detection.logs.rarity.Rarity`), on average;
    - ``parameters``: its oddest word or number (:class:`~anomaly_detection.logs.values.Values`);
    - ``attributes``: its oddest level, service or status code for a template
      (:class:`~anomaly_detection.logs.attributes.Attributes`);
    - ``response_times``: its slowest answer for a template, or several slow ones in a row
      (:class:`~anomaly_detection.logs.responses.ResponseTimes`);
    - ``pauses``: its longest pause between lines, for the template that ended it.

    A session whose last line lies less than a usual pause before the end of the data may go on: its ending and its
    counts are not held against it. Without times, every session is finished.

    Parameters
    ----------
    contamination : alpha, the share of normal sessions that may raise an alarm, in (0, 0.5], or ``"auto"``.
    session : the column that says which session a line is of; lines without a value are left out.
    random_state : the seed of the calibration's folds.

    Attributes
    ----------
    alpha_ : the p-value at and below which a session is an anomaly.
    rows_ : how many sessions were learned from.

    Examples
    --------
    >>> import polars as pl
    >>> steps = ["open file", "read block", "close file"]
    >>> lines = [{"session": f"s{i}", "message": step} for i in range(60) for step in steps]
    >>> pipeline = SessionPipeline(contamination=0.05).fit(pl.DataFrame(lines))
    >>> new = [{"session": "new", "message": step} for step in ["open file", "disk failed", "read block"]]
    >>> result = pipeline.detect(pl.DataFrame(new))
    >>> result.is_anomaly.tolist(), result.worst.tolist()
    ([True], [1])
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "contamination": AnyOf(Range(0, 0.5, open_low=True), Choice("auto")),
        "random_state": Range(0, 2**31 - 1, integer=True),
    }

    alpha_: float
    rows_: int
    calibrator_: Calibrator

    def __init__(self, contamination: float | str = "auto", session: str = "session", random_state: int = 0) -> None:
        self.contamination = contamination
        self.session = session
        self.random_state = random_state

    def fit(self, frame: pl.DataFrame) -> Self:
        """Learn from the lines of many sessions.

        Parameters
        ----------
        frame : log lines in order, with a column for the session, as the log sources make them.

        Raises
        ------
        ParameterError
            if a parameter is out of range.
        SchemaError
            if the column of the session is not there.
        InputError
            if there are fewer than 8 sessions.
        """
        self.validate()
        frame = self._with_session(frame)[0]
        self._intake = Intake().learn_templates(frame)
        sessions = self._grouped(frame, None)[0]
        check_rows(len(sessions))
        self._combination = Combination(list(WEIGHTS.values()))
        sample = self._held_out(sessions)
        self.calibrator_ = calibrated(evenly(sample, MOST_OF_ALL))
        self.alpha_ = choose_alpha(self.contamination, self.calibrator_, sample)
        self._model = SessionModel().fit(sessions)
        self.rows_ = len(sessions)
        return self

    def detect(self, frame: pl.DataFrame, *, now: datetime | None = None) -> LogResult:
        """Give a verdict on each session, in order of appearance.

        Parameters
        ----------
        frame : lines of whole sessions; in chunks, all lines of a session in one.
        now : the end of the data, which says which sessions may go on; the latest time of the frame when not given.

        Returns
        -------
        One verdict per session: ``key`` is the session, ``row`` its first line, ``worst`` its oddest line,
        ``line_scores`` how odd each line of the frame is (NaN without a session).
        """
        model = self._fitted
        frame, rows = self._with_session(frame)
        sessions, first = self._grouped(frame, now)
        scores, line_scores = model.score(sessions)
        p_values = self._combination.p_values(list(scores.T))
        total = self._combination.score(p_values, self._combination.memory())
        result = judge(total, self.calibrator_.p_value(total), self.alpha_, self.calibrator_.n_)
        of_lines = np.full(int(rows[-1]) + 1 if len(rows) else 0, np.nan)
        of_lines[rows[sessions.rows]] = line_scores
        templates = np.full(len(of_lines), -1, np.int32)
        templates[rows[sessions.rows]] = sessions.symbols
        return LogResult.of(
            result,
            parts=dict(zip(WEIGHTS, p_values.T, strict=True)),
            key=frame[self.session][first].alias("session"),
            row=rows[first],
            worst=rows[sessions.rows[sessions.largest(line_scores)]],
            line_scores=of_lines,
            line_templates=templates,
        )

    def templates(self) -> list[str]:
        """The templates that were learned, by id."""
        self._fitted  # noqa: B018  an unfitted pipeline says so first
        return self._intake.miner.templates()

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        model = self._fitted
        miner, arrays = self._intake.miner.state()
        spec = {"sessions": self.parameters(), "miner": miner, "alpha": self.alpha_, "rows": self.rows_}
        parts = {"miner": arrays, "model": model.state(), "each": self._combination.state()}
        parts["calibrator"] = self.calibrator_.state()
        return spec, {f"{part}/{name}": array for part, state in parts.items() for name, array in state.items()}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; scores are equal, bit for bit.

        Raises
        ------
        ArtifactError
            if something is damaged.
        """
        with described():
            pipeline = cls(**spec["sessions"])
            pipeline._intake = Intake()
            pipeline._intake.miner = TemplateMiner.from_state(spec["miner"], under("miner/", arrays))
            pipeline._model = SessionModel().restore(under("model/", arrays))
            pipeline._combination = Combination(list(WEIGHTS.values())).restore(under("each/", arrays))
            pipeline.calibrator_ = restored_calibrator(arrays, "calibrator/")
            pipeline.alpha_, pipeline.rows_ = restored_line(spec)
        return pipeline

    def _held_out(self, sessions: Sessions) -> NDArray[np.float64]:
        parts = held_out(len(sessions), folds=FOLDS, most=len(sessions), seed=self.random_state)
        scores = np.empty((len(sessions), len(WEIGHTS)))
        for part in parts:
            others = np.setdiff1d(np.arange(len(sessions)), part)
            scores[part] = SessionModel().fit(sessions.chosen(others)).score(sessions.chosen(part))[0]
        p_values = self._combination.fit(scores).p_values(list(scores.T))
        return self._combination.score(p_values, self._combination.memory())

    def _with_session(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, NDArray[np.int64]]:
        """The lines that have a session, and their rows."""
        if self.session not in frame.columns:
            raise SchemaError(
                f"There is no column {self.session!r} that says which session a line is of; there are "
                f"{', '.join(frame.columns)}. Name it with session=."
            )
        named = frame.with_columns(pl.col(self.session).cast(pl.String))
        rows = np.flatnonzero(named[self.session].is_not_null().to_numpy())
        return named[rows], rows

    def _grouped(self, frame: pl.DataFrame, now: datetime | None) -> tuple[Sessions, NDArray[np.int64]]:
        batch = self._intake.take_plain(frame, self.session)
        end = None if now is None else microseconds(now) / 1e6
        return grouped(batch, seconds_of(batch.lines.times), end)

    @property
    def _fitted(self) -> SessionModel:
        if not hasattr(self, "_model"):
            raise NotFittedError("The pipeline of sessions is not fitted. Call fit first, or load a trained model.")
        return self._model
