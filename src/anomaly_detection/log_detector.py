"""The Python door for logs: learn from a file or from records, judge lines as they come.

>>> steps = ["request accepted", "query took 12 ms", "reply sent"]
>>> lines = [{"service": "web", "level": "INFO", "message": steps[i % 3]} for i in range(900)]
>>> detector = LogDetector(contamination=0.01).fit(lines)
>>> detector.detect_one({"service": "web", "level": "ERROR", "message": "no space on device"}).is_anomaly
True
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from anomaly_detection.base import Choice, Configurable
from anomaly_detection.errors import InputError, NotFittedError, ParameterError, SchemaError
from anomaly_detection.logs import LogPipeline, SessionPipeline
from anomaly_detection.sources.logs import LogColumns, LogFormat
from anomaly_detection.sources.logs.records import frame_of, record_of
from anomaly_detection.workflows.log_models import (
    TrainedLog,
    load_log_model,
    read_log_model,
    register_log,
    save_log_model,
)
from anomaly_detection.workflows.log_reading import LogReading, read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import polars as pl

    from anomaly_detection.base import Constraint
    from anomaly_detection.logs import LogResult, LogVerdict
    from anomaly_detection.registry.base import ModelVersion


class LogDetector(Configurable):
    """Fit on a log, give calibrated verdicts on its next lines, or on sessions.

    A log is a file of any kind that ``logs score`` reads, a list of dicts, or a table (Polars, pandas, Arrow). A line
    is a dict with any of ``time``, ``level``, ``service``, ``message``, ``session``, ``response_time`` (milliseconds)
    and ``status_code``, under these or other usual names, such as ``timestamp`` or ``latency_ms``; other keys, and what
    no line of training had, are left out. What the detector remembers between lines is bounded, and any chunks of the
    same lines give the same bits (:class:`~anomaly_detection.logs.LogPipeline`).

    Parameters
    ----------
    contamination : α, the share of normal lines (or sessions) that may raise an alarm, in (0, 0.5], or ``"auto"``.
    by_session : judge sessions (:class:`~anomaly_detection.logs.SessionPipeline`) instead of lines.
    fields : which field holds what, such as ``{"message": "txt"}``; the others are told from their usual names.
    format : of log files; told from the first lines when not given.
    pattern : of log files, a regular expression with named groups.
    session_pattern : a regular expression for the session of a line, such as ``"request-[0-9]+"``, looked for in the
        field that ``fields`` names for ``session``, else in the message
        (:class:`~anomaly_detection.sources.logs.session_pattern.SessionPattern`).
    zone : of time stamps that name none; UTC.
    minutes : the length of the rolling windows, of lines.
    random_state : the seed of everything random.

    Attributes
    ----------
    pipeline_ : the fitted pipeline.
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {**LogPipeline.constraints, "by_session": Choice(False, True)}

    pipeline_: LogPipeline | SessionPipeline

    def __init__(
        self,
        contamination: float | str = "auto",
        *,
        by_session: bool = False,
        fields: Mapping[str, str | Sequence[str] | None] | None = None,
        format: str | LogFormat | None = None,
        pattern: str | None = None,
        session_pattern: str | None = None,
        zone: str | None = None,
        minutes: float = 5.0,
        random_state: int = 0,
    ) -> None:
        self.contamination = contamination
        self.by_session = by_session
        self.fields = fields
        self.format = format
        self.pattern = pattern
        self.session_pattern = session_pattern
        self.zone = zone
        self.minutes = minutes
        self.random_state = random_state

    def fit(self, log: Any) -> Self:
        """Learn what is normal from lines in order; some of them may be anomalies.

        Parameters
        ----------
        log : the path of a log file, a list of dicts, or a table.

        Raises
        ------
        InputError
            for a log that cannot be read, has values of other types, or has too few lines or sessions.
        """
        self.validate()
        fields = self.fields or {}
        reading = LogReading("", self.format, self.pattern, fields, self.zone, session_pattern=self.session_pattern)
        frame, told = self._read(log, reading, LogColumns.of(fields))
        pipeline = (
            SessionPipeline(self.contamination, random_state=self.random_state)
            if self.by_session
            else LogPipeline(self.contamination, self.minutes, self.random_state)
        )
        return self._take(TrainedLog.fit(pipeline, self._checked(frame), told))

    def detect(self, log: Any) -> LogResult:
        """Verdicts on the next lines, or on each session of them.

        Parameters
        ----------
        log : as for :meth:`fit`; where sessions are judged, all lines of a session at once.

        Raises
        ------
        InputError
            for a log that cannot be read, or has values of other types.
        """
        trained = self._fitted
        frame, _ = self._read(log, LogReading("").after(trained.reading))
        return trained.pipeline.detect(trained.known(self._checked(frame)))

    def detect_one(self, record: Mapping[str, Any]) -> LogVerdict:
        """The verdict on the next line; the same bits as in a batch.

        Raises
        ------
        InputError
            for what is no dict, has none of the fields of a log line, or a value of another type in one; where
            sessions are judged.
        """
        pipeline = self._of_lines("A single line has")
        line, columns = record_of(record, self._columns, self._zone), self._trained.columns
        if self._sessions is not None:
            line["session"] = self._sessions.of_one(line)
        return pipeline.detect_one({name: value for name, value in line.items() if name in columns})

    def detect_stream(self, records: Iterable[Mapping[str, Any]]) -> Iterator[LogVerdict]:
        """The verdict on each line as it comes; no line is taken before its verdict is asked for.

        Raises
        ------
        InputError
            as :meth:`detect_one`, when the line comes.
        """
        self._of_lines("A stream has")
        return map(self.detect_one, records)

    def stats(self, service: str | None) -> dict[str, str | float | int | None]:
        """What the window of a service holds, as of the last line; see :meth:`LogPipeline.stats`.

        Raises
        ------
        UnknownNameError
            for a service that is not known, with the nearest ones.
        InputError
            where sessions are judged.
        """
        return self._of_lines("Statistics have").stats(service)

    def templates(self) -> list[str]:
        """The templates that were learned, by id."""
        return self._fitted.pipeline.templates()

    def forget(self) -> None:
        """Begin with an empty memory, as after :meth:`fit`; sessions leave none."""
        pipeline = self._fitted.pipeline
        if isinstance(pipeline, LogPipeline):
            pipeline.forget()

    def register(self, name: str, *, aliases: Iterable[str] = (), registry: str | Path | None = None) -> ModelVersion:
        """Keep it as the next version of a model, without its memory; ``logs score --model`` takes it, too.

        Raises
        ------
        InputError
            if the name or an alias breaks the rule.
        RegistryError
            if it cannot be written; then nothing was.
        """
        return register_log(self._fitted, name, aliases, Path(registry) if registry else None)

    @classmethod
    def from_registry(cls, reference: str, registry: str | Path | None = None) -> Self:
        """Load a registered model of logs, such as ``"web@production"`` or ``"web@3"``; its memory is empty."""
        return cls._around(load_log_model(reference, Path(registry) if registry else None))

    def save(self, folder: str | Path) -> Path:
        """Write it with its memory into a folder of its own: JSON and arrays with checksums, no pickle."""
        return save_log_model(self._fitted, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what :meth:`save` wrote; it goes on where the other was, bit for bit.

        Raises
        ------
        ArtifactError
            if the model was changed, cut short, or is not one.
        """
        return cls._around(read_log_model(Path(folder)))

    @classmethod
    def _around(cls, trained: TrainedLog) -> Self:
        reading = trained.reading
        known = {**trained.pipeline.parameters(), "by_session": trained.by_session}
        chosen: dict[str, Any] = {name: known[name] for name in cls.parameter_names() if name in known}
        chosen |= {"format": reading.format, "zone": reading.zone, "session_pattern": reading.session_pattern}
        found = cls(**chosen, fields=reading.columns or None)
        return found._take(trained)

    def _take(self, trained: TrainedLog) -> Self:
        self.pipeline_, self._trained = trained.pipeline, trained
        self._columns, self._zone = trained.fields, trained.reading.zone
        self._sessions = trained.reading.sessions()
        return self

    def _read(self, log: Any, reading: LogReading, needed: LogColumns | None = None) -> tuple[pl.DataFrame, LogReading]:
        """A log frame, and how it was read."""
        if isinstance(log, (str, Path)):
            return read_file(str(log), reading)
        told = reading.format.innermost.columns if isinstance(reading.format, LogFormat) else LogColumns()
        columns, sessions = LogColumns.of({**told.as_dict(), **reading.columns}), reading.sessions()
        frame = frame_of(log, columns, reading.zone, needed)
        return frame if sessions is None else sessions.of(frame), reading

    def _checked(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self.by_session and "session" not in frame.columns:
            raise SchemaError(
                "No field says which session a line is of. Name it: fields={'session': NAME}; or say what the names of "
                "sessions look like in the message: session_pattern=REGEX."
            )
        if self.by_session and self.session_pattern is not None and not frame["session"].count():
            raise ParameterError(f"session_pattern={self.session_pattern!r} matches in no line. Give one that does.")
        return frame

    def _of_lines(self, what: str) -> LogPipeline:
        pipeline = self._fitted.pipeline
        if isinstance(pipeline, SessionPipeline):
            raise InputError(
                f"{what} no sessions, and this detector judges sessions: give all of their lines to detect(), or fit "
                "one with by_session=False."
            )
        return pipeline

    @property
    def _fitted(self) -> TrainedLog:
        if not hasattr(self, "_trained"):
            raise NotFittedError(f"{type(self).__name__} is not fitted. Call fit first, or load a trained model.")
        return self._trained
