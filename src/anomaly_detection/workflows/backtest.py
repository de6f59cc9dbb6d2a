"""Replay history before going live: alarms a week, incidents caught and how late, two configurations side by side."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.detectors.series import name_of
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation.backtest import (
    History,
    Plan,
    difference,
    incidents_of,
    replay,
)
from anomaly_detection.evaluation.injected_recall import injected_recall
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.features.series.clock import SECOND
from anomaly_detection.pipeline import silent
from anomaly_detection.reports.backtest_pages import BACKTEST_WRITERS
from anomaly_detection.sinks.texts import check_place, write_text
from anomaly_detection.workflows.fitting import Fitting
from anomaly_detection.workflows.incidents import read_incidents
from anomaly_detection.workflows.output import signature
from anomaly_detection.workflows.series_way import blank_series, is_for_series, schema_of_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.evaluation.backtest import Alarm, Difference, Incident, Replayed
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.series import SeriesPipeline
    from anomaly_detection.workflows.reading import Reading

BUCKETS = 240
"""The values of the judged rows are drawn in so many steps."""


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What to replay.

    Parameters
    ----------
    reading : the records; a time is named.
    fitting : the configuration.
    against : another one to hold beside it.
    incidents : a file of known incidents; else those of the label are known, if one is named.
    plan : how much is learned from first, and how often again.
    output : a page to write, ``.html``, ``.md`` or ``.json``.
    """

    reading: Reading
    fitting: Fitting
    against: Fitting | None = None
    incidents: str | None = None
    plan: Plan = Plan()  # noqa: RUF009  frozen
    output: str | None = None


def backtest(request: BacktestRequest, progress: Progress = silent) -> dict[str, Any]:
    """Replay a history with one configuration, or two.

    Returns
    -------
    Everything that was found, in plain values for JSON; the page says the same.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off, or the history is too short, with how much more it takes.
    SinkError
        if the page cannot be written; what was there before is untouched.
    """
    ending = _checked(request)
    fittings = [request.fitting, *([request.against] if request.against is not None else [])]
    pipelines = [blank_series(one) for one in fittings]
    for one in pipelines:
        _need_causal(one)
    with request.reading.open() as source:
        frame = source.read()
        fingerprint, notes = source.fingerprint(), list(source.notes)
    schema = schema_of_series(frame, request.reading)
    history = History.of(frame, schema, request.plan, request.fitting.series.zone)
    known = _known(request, history, frame)
    runs = [replay(one, history, request.plan, progress) for one in pipelines]
    injected = [
        injected_recall(blank_series(one), history, one.random_state, progress) if known is None else ()
        for one in fittings
    ]
    found = {
        "data": {"name": request.reading.name, "sha256": fingerprint},
        "history": _history(history, request.plan, frame),
        "incidents": None if known is None else [_incident(one, history) for one in known],
        "configurations": [
            {
                "settings": _settings(fitting),
                **_run(run, history, known),
                "injected": [asdict(x) for x in put],
            }
            for fitting, run, put in zip(fittings, runs, injected, strict=True)
        ],
        "difference": _difference(difference(*runs), history) if len(runs) == 2 else None,
        "notes": [*notes, *(note for note in runs[0].notes if note not in notes)],
        "made": signature(),
    }
    if request.output is not None and ending is not None:
        write_text(request.output, BACKTEST_WRITERS[ending](found))
    return found


def _checked(request: BacktestRequest) -> str | None:
    """The kind of page, once the wishes are found to make sense."""
    request.plan.check()
    if request.reading.timestamp is None:
        raise ParameterError("A backtest replays rows in order of time. Name the column of time with --timestamp.")
    for one in (request.fitting, request.against):
        if one is not None and one.algorithm != "auto" and not is_for_series(one.algorithm):
            raise ParameterError(
                f"--algorithm {one.algorithm} judges rows of a table. A backtest takes auto or an algorithm for "
                "series, such as ewma."
            )
        if one is not None and one.algorithm == "auto" and one.parameters:
            raise ParameterError(
                f"{next(iter(one.parameters))!r} is no setting of auto. Name an algorithm that has it."
            )
    if request.incidents is not None and request.reading.label is not None:
        raise ParameterError("--incidents and --label both say what happened. Give one of them.")
    if request.output is None:
        return None
    ending = request.output.rpartition(".")[2].lower()
    if ending not in BACKTEST_WRITERS:
        raise InputError(
            f"The format of {request.output!r} cannot be told from its name. End it in .html, .md or .json."
        )
    check_place(request.output, request.reading.data, f"backtest.{ending}")
    return ending


def _need_causal(pipeline: SeriesPipeline) -> None:
    detector = pipeline.detector
    if not isinstance(detector, str) and not detector.tags.causal:
        raise ParameterError(
            f"{name_of(detector)} looks at a whole file, and a backtest has no later rows, as there are none live. Use "
            f"{detector.instead}."
        )


def _known(request: BacktestRequest, history: History, frame: pl.DataFrame) -> list[Incident] | None:
    if request.incidents is not None:
        begin, end = int(history.time[history.cut]), int(history.time[-1])
        every = read_incidents(request.incidents, history.clock)
        return [one for one in every if one.end >= begin and one.start <= end]
    if request.reading.label is not None:
        return incidents_of(history, parse_labels(frame[request.reading.label]))
    return None


def _history(history: History, plan: Plan, frame: pl.DataFrame) -> dict[str, Any]:
    tracks = history.tracks()
    longest = max(tracks, key=lambda one: len(one.series))
    return {
        "rows": len(frame),
        "learned_rows": history.cut,
        "judged_rows": len(frame) - history.cut,
        "from": _when(int(history.time[history.cut]), history),
        "to": _when(int(history.time[-1]), history),
        "keys": len(tracks),
        "channels": list(history.schema.feature_names),
        "timed": history.clock.is_clock,
        "weeks": history.weeks,
        "unit": history.unit,
        "train_share": plan.train_share,
        "refits": plan.refits,
        "series": {
            "key": longest.key,
            "channel": longest.series.names[0],
            "values": _drawn(history, longest.series.time, longest.series.values[:, 0]),
        },
    }


def _drawn(history: History, time: np.ndarray[Any, np.dtype[np.int64]], values: np.ndarray[Any, Any]) -> list[Any]:
    """The middle, the lowest and the highest value of each of some steps of time."""
    begin, end = int(history.time[history.cut]), int(history.time[-1])
    place = np.minimum((time - begin) * BUCKETS // max(1, end - begin + 1), BUCKETS - 1)
    found = []
    for i in range(BUCKETS):
        there = values[(place == i) & ~np.isnan(values)]
        if len(there):
            at = begin + (i + 0.5) * (end - begin) / BUCKETS
            found.append([_seconds(at, history), float(np.median(there)), float(there.min()), float(there.max())])
    return found


def _settings(fitting: Fitting) -> dict[str, Any]:
    """What was asked for, without what is as usual."""
    wishes, usual = fitting.series, Fitting().series
    line = {"budget": wishes.budget} if wishes.budget else {"contamination": fitting.contamination}
    if fitting.threshold is not None:
        line = {"threshold": fitting.threshold}
    own = {name: getattr(wishes, name) for name in usual.__slots__ if name != "budget"}
    asked = {name: value for name, value in own.items() if value != getattr(usual, name)}
    return {"algorithm": fitting.algorithm, **fitting.parameters, **line, **asked}


def _run(run: Replayed, history: History, known: Sequence[Incident] | None) -> dict[str, Any]:
    low, high = run.expected()
    found: dict[str, Any] = {
        "alarms": len(run.alarms),
        "flagged_rows": int(run.result.is_anomaly.sum()),
        "alarms_per_week": run.rate,
        "next_week": {"low": low, "high": high, "mean": run.rate},
        "fits": [_when(int(history.time[row]), history) for row in run.fits],
        "list": [_alarm(one, history) for one in run.alarms],
        "notes": list(run.notes),
    }
    if known is not None:
        caught = run.caught(known)
        late = [one.late for one in caught if one.late is not None]
        found["incidents"] = {
            "known": len(known),
            "caught": len(late),
            "late": [None if one.late is None else _seconds(one.late, history) for one in caught],
            "median_late": _seconds(statistics.median(late), history) if late else None,
            "false_alarms": run.false(known),
        }
    return found


def _difference(found: Difference, history: History) -> dict[str, Any]:
    parts = {"both": found.both, "only_first": found.only_first, "only_second": found.only_second}
    return {name: [_alarm(one, history) for one in alarms] for name, alarms in parts.items()}


def _alarm(one: Alarm, history: History) -> dict[str, Any]:
    return {
        "key": one.key or None,
        "start": _when(one.start, history),
        "end": _when(one.end, history),
        "at": _seconds(one.start, history),
        "row": one.row,
        "rows": one.rows,
        "anomaly_score": one.anomaly_score,
        "severity": one.severity,
        "reason": one.reason,
    }


def _incident(one: Incident, history: History) -> dict[str, Any]:
    times = {"start": _when(one.start, history), "end": _when(one.end, history)}
    places = {"at": _seconds(one.start, history), "until": _seconds(one.end, history)}
    return {"name": one.name or None, "key": one.key or None, **times, **places}


def _when(at: int, history: History) -> str | int:
    """A time as text, or the number of a row."""
    if not history.clock.is_clock:
        return at
    return str(pl.Series([at]).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ")[0])


def _seconds(at: float, history: History) -> float:
    """Microseconds as seconds; numbers of rows as they are."""
    return at / SECOND if history.clock.is_clock else float(at)
