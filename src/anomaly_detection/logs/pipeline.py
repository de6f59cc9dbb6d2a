"""Log lines in, calibrated verdicts out: the pipeline of logs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Configurable, Range
from anomaly_detection.calibration import check_rows
from anomaly_detection.errors import NotFittedError, UnknownNameError
from anomaly_detection.logs.batch import joined
from anomaly_detection.logs.combination import MOST_OF_ALL, calibrated, evenly, restored_calibrator, restored_line
from anomaly_detection.logs.intake import Intake
from anomaly_detection.logs.methods import WEIGHTS, Methods
from anomaly_detection.logs.statistics import statistics_of
from anomaly_detection.logs.tables import damaged, described
from anomaly_detection.logs.verdict import LogResult, LogVerdict, method_verdicts
from anomaly_detection.scorer import under
from anomaly_detection.thresholds import choose_alpha
from anomaly_detection.verdicts import judge, judge_one

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.calibration import Calibrator
    from anomaly_detection.results import Verdict

BLOCK_ROWS = 65_536
"""Lines whose features are held in memory at once."""

MOST_LINES = 200_000
"""Methods learn from the last so many lines; templates and words from all."""


class LogPipeline(Configurable):
    """Log lines in, one calibrated verdict each out, with what each of ten methods says.

    Lines come in order, in any chunks: the verdicts are the same bits. What the pipeline remembers between lines
    (windows, the last lines of each session) has a fixed size, however many services and sessions there are; where
    two fall on the same place, or one too many comes, the older begins anew.

    =================== =================================================================================
    method              what is odd
    =================== =================================================================================
    isolation_forest    the 78 features less those of windows, set apart early by random cuts
    pca                 the same, off the axes along which they usually vary
    sliding_window      error rate, latency or volume of the service in the last minutes
    rare_templates      a template that is rare or was never seen
    template_rate       a template that comes more often than usual, or after a longer pause
    parameters          a word that is new among a few, a number beyond those of training
    attributes          a level, a service or a status code that is rare for the template
    sequences           a line, and those before it, that do not follow from one another in the session or service
    response_times      an answer that is slower than usual for its template, or a service that becomes slower
    service_rate        a surge of a service within seconds, or the end of a silence, against its last half hour
    =================== =================================================================================

    Each method's score is calibrated on the later half of training, by methods that learned from what came before. The
    squared surprises, ``-ln p``, are added up with the weights of :data:`~anomaly_detection.logs.methods.WEIGHTS`. In
    logs without sessions a share of the latest roots of these sums is added (incidents come in runs). The result is
    calibrated once more.

    Lines of training that look like incidents, runs of odd lines of a service, are set aside first, so that what went
    wrong then is not normal later (:func:`~anomaly_detection.logs.cleaning.incidents`).

    Late lines count as of the latest time; without any times, time is the number of the line. A negative, infinite or
    missing response time is none. An unknown level is no error. A missing service is a service of its own.

    Parameters
    ----------
    contamination : alpha, the share of normal lines that may raise an alarm, in (0, 0.5], or ``"auto"``.
    minutes : the length of the rolling windows.
    random_state : the seed of the forest.

    Attributes
    ----------
    alpha_ : the p-value at and below which a line is an anomaly.
    rows_ : how many lines were given to learn from.
    set_aside_ : how many of them looked like incidents.

    Examples
    --------
    >>> import polars as pl
    >>> lines = pl.DataFrame({"service": ["web"] * 400, "message": ["GET /a took 5 ms", "cache hit"] * 200})
    >>> pipeline = LogPipeline(contamination=0.01).fit(lines)
    >>> verdict = pipeline.detect_one({"service": "web", "level": "ERROR", "message": "disk failed"})
    >>> verdict.is_anomaly, verdict.methods["rare_templates"].is_anomaly, verdict.template
    (True, True, None)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "contamination": AnyOf(Range(0, 0.5, open_low=True), Choice("auto")),
        "minutes": Range(0, 60 * 24 * 7, open_low=True),
        "random_state": Range(0, 2**31 - 1, integer=True),
    }

    alpha_: float
    rows_: int
    set_aside_: int
    calibrator_: Calibrator

    def __init__(self, contamination: float | str = "auto", minutes: float = 5.0, random_state: int = 0) -> None:
        self.contamination = contamination
        self.minutes = minutes
        self.random_state = random_state

    def fit(self, frame: pl.DataFrame) -> Self:
        """Learn what is normal from lines in order; some of them may be anomalies.

        Memories are empty afterwards: the next line that comes need not follow the last one of training.

        Parameters
        ----------
        frame : log lines with any of the columns ``time``, ``level``, ``service``, ``message``, ``session``,
            ``response_time`` and ``status_code``, as the log sources make them.

        Raises
        ------
        ParameterError
            if a parameter is out of range.
        InputError
            if there are fewer than 8 lines.
        """
        self.validate()
        check_rows(len(frame))
        self._intake = Intake(self.minutes).fit(frame)
        first = max(0, len(frame) - MOST_LINES)
        batch = joined([self._intake.take(frame[at : at + BLOCK_ROWS]) for at in range(first, len(frame), BLOCK_ROWS)])
        self._methods = self._blank()
        sample = self._methods.fit(batch)
        self.calibrator_ = calibrated(evenly(sample, MOST_OF_ALL))
        self.alpha_ = choose_alpha(self.contamination, self.calibrator_, sample)
        self.rows_, self.set_aside_ = len(frame), self._methods.set_aside_
        self._intake.forget()
        return self

    def detect(self, frame: pl.DataFrame, *, first_row: int = 0) -> LogResult:
        """Give verdicts on the next lines.

        Parameters
        ----------
        frame : log lines that follow those of the calls before.
        first_row : the number of the frame's first line in the input.
        """
        methods = self._fitted
        batches = (self._intake.take(frame[at : at + BLOCK_ROWS]) for at in range(0, max(len(frame), 1), BLOCK_ROWS))
        parts = [(batch.templates, *methods.score(batch)) for batch in batches]
        templates, scores, p_values = (np.concatenate([part[k] for part in parts]) for k in range(3))
        rows = np.arange(first_row, first_row + len(frame), dtype=np.int64)
        time = frame["time"] if "time" in frame.columns else None
        return self._judged(templates, scores, p_values, row=rows, time=time)

    def detect_records(self, records: Sequence[Mapping[str, Any]]) -> LogResult:
        """Give verdicts on the next lines, a few dicts, without building a frame; the same bits as in a batch.

        Parameters
        ----------
        records : lines as for :meth:`detect_one`, of values that have the types they should.
        """
        methods = self._fitted
        batch = self._intake.take_records(records)
        return self._judged(batch.templates, *methods.score(batch), time=batch.lines.moments())

    def _judged(
        self, templates: NDArray[np.int32], scores: NDArray[np.float64], p_values: NDArray[np.float64], **more: Any
    ) -> LogResult:
        result = judge(scores, self.calibrator_.p_value(scores), self.alpha_, self.calibrator_.n_)
        return LogResult.of(result, parts=dict(zip(WEIGHTS, p_values.T, strict=True)), templates=templates, **more)

    def detect_one(self, record: Mapping[str, Any]) -> LogVerdict:
        """Give the verdict on the next line; the same bits as in a batch, without building a frame.

        Parameters
        ----------
        record : a line as a dictionary with the names of the columns.

        Raises
        ------
        InputError
            for values of another type than the columns have.
        """
        methods = self._fitted
        batch = self._intake.take_one(record)
        scores, p_values = methods.score(batch)
        whole = self._verdict(float(scores[0]))
        told = method_verdicts(WEIGHTS, p_values[0], self.alpha_)
        told["sliding_window"].metrics.update(methods.metrics(batch))
        names, template = self._names, int(batch.templates[0])
        return LogVerdict(
            **{name: getattr(whole, name) for name in whole.__slots__},
            methods=told,
            template=names[template] if template >= 0 else None,
        )

    def detect_few(self, records: Sequence[Mapping[str, Any]]) -> list[tuple[Verdict, list[float]]]:
        """The same verdicts alone, each with the p-values of the methods in their order: less is said, and sooner.

        Parameters
        ----------
        records : lines as for :meth:`detect_records`; for more than some dozens that is faster.
        """
        methods, take = self._fitted, self._intake
        scores, p_values = methods.score(take.take_one(records[0]) if len(records) == 1 else take.take_records(records))
        return list(zip(map(self._verdict, scores.tolist()), p_values.tolist(), strict=True))

    def _verdict(self, score: float) -> Verdict:
        return judge_one(score, self.calibrator_.p_value_one(score), self.alpha_, self.calibrator_.n_)

    def stats(self, service: str | None) -> dict[str, str | float | int | None]:
        """What the window of a service holds, as of the last line of all services; None is the one without a name.

        Returns
        -------
        ``service``, ``window_minutes``, ``total_logs``, ``error_count``, ``error_rate``, and ``avg_latency``,
        ``max_latency``, ``min_latency`` in milliseconds, None where no line has one.

        Raises
        ------
        UnknownNameError
            for a service that wrote no line in training and is not in the memory, with the nearest ones.
        """
        self._fitted  # noqa: B018  an unfitted pipeline says so first
        if service is not None and not self._intake.knows(service):
            raise UnknownNameError("service", service, self._intake.services)
        return asdict(statistics_of(self._intake.windows, service, self.minutes))

    def forget(self) -> None:
        """Begin with empty memories, as after :meth:`fit`."""
        self._fitted.forget()
        self._intake.forget()

    def templates(self) -> list[str]:
        """The templates that were learned, by id."""
        self._fitted  # noqa: B018  an unfitted pipeline says so first
        return list(self._names)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned and is remembered: plain values for JSON, and arrays by name."""
        methods = self._fitted
        intake, arrays = self._intake.state()
        spec = {"logs": self.parameters(), "intake": intake, "alpha": self.alpha_, "rows": self.rows_}
        spec["set_aside"] = self.set_aside_
        parts = {"intake": arrays, "methods": methods.state(), "calibrator": self.calibrator_.state()}
        return spec, {f"{part}/{name}": array for part, state in parts.items() for name, array in state.items()}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`: the next lines get the same verdicts, bit for bit.

        Raises
        ------
        ArtifactError
            if something is damaged.
        """
        with described():
            pipeline = cls(**spec["logs"])
            pipeline.validate()
            pipeline._intake = Intake(pipeline.minutes).restore(spec["intake"], under("intake/", arrays))
            pipeline._methods = pipeline._blank().restore(under("methods/", arrays))
            pipeline.calibrator_ = restored_calibrator(arrays, "calibrator/")
            pipeline.alpha_, pipeline.rows_ = restored_line(spec)
            aside = spec["set_aside"]
            if not isinstance(aside, int) or not 0 <= aside <= pipeline.rows_:
                raise damaged("the lines set aside")
            pipeline.set_aside_ = aside
        return pipeline

    def _blank(self) -> Methods:
        self._names = self._intake.miner.templates()
        return Methods(self._intake.columns, self.minutes, self.random_state)

    @property
    def _fitted(self) -> Methods:
        if not hasattr(self, "_methods"):
            raise NotFittedError("The pipeline of logs is not fitted. Call fit first, or load a trained model.")
        return self._methods
