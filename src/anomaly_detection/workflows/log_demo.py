"""The demonstration on a log: incidents that are known are looked for, and what was found is held against them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.evaluation.metrics import evaluate
from anomaly_detection.pipeline import silent
from anomaly_detection.sinks.texts import write_text
from anomaly_detection.sources.logs.generated import generate_logs, lines_of
from anomaly_detection.workflows.log_reading import LogReading
from anomaly_detection.workflows.log_scoring import LogScoringOutcome, LogScoringRequest, score_log

if TYPE_CHECKING:
    from pathlib import Path

    from anomaly_detection.evaluation.metrics import Evaluation
    from anomaly_detection.pipeline import Progress

QUIET = 0.4
"""The share of the lines that are learned from, without incidents."""

ANOMALIES = 0.04
"""The share of the lines that belong to an incident."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, and what was found of it.

    Parameters
    ----------
    kind, service : what happened to whom; see :func:`~anomaly_detection.sources.logs.generated.generate_logs`.
    first_line, lines : where it begins, and how many lines it has.
    found : how many of them are anomalies by their verdict.
    seen_after : at which of its lines it was seen; None where it was missed.
    """

    kind: str
    service: str
    first_line: int
    lines: int
    found: int
    seen_after: int | None


@dataclass(frozen=True, slots=True)
class LogDemoOutcome:
    """What the demonstration found.

    Parameters
    ----------
    data, report : the log, and the page on what was found in it.
    train_rows : how many lines were learned from.
    outcome : of the scoring.
    incidents : in order.
    evaluation : how well the verdicts on the lines agree with the labels.
    """

    data: Path
    report: Path
    train_rows: int
    outcome: LogScoringOutcome
    incidents: tuple[Incident, ...]
    evaluation: Evaluation

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "judged": self.outcome.judged,
            "anomaly_count": self.outcome.anomaly_count,
            "incidents": [asdict(each) for each in self.incidents],
            "evaluation": self.evaluation.to_dict(),
            "report": str(self.report),
        }


def demonstrate_logs(folder: Path, rows: int = 20_000, progress: Progress = silent) -> LogDemoOutcome:
    """Make a log with incidents in ``folder``, judge its later lines, and hold the verdicts against the labels."""
    data, report, verdicts = folder / "app.log", folder / "report.html", folder / "verdicts.parquet"
    progress("writing a log", 0, None)
    log = generate_logs(rows, anomaly_share=ANOMALIES, quiet_share=QUIET, seed=1)
    write_text(data, "\n".join(lines_of(log)) + "\n")
    log.select("line", "label", "kind").write_csv(folder / "labels.csv")
    train_rows = int(rows * QUIET)
    reading = LogReading(str(data))
    request = LogScoringRequest(reading, train_rows=train_rows, output=str(verdicts), report=str(report), top=5)
    outcome = score_log(request, progress)
    judged = pl.read_parquet(verdicts, columns=["line", "score", "is_anomaly"]).join(
        log.select("line", "label", "kind", "service"), on="line", maintain_order="left"
    )
    flags = judged["is_anomaly"].to_numpy()
    evaluation = evaluate(judged["label"], judged["score"].to_numpy(), flags)
    return LogDemoOutcome(data, report, train_rows, outcome, incidents_of(judged), evaluation)


def incidents_of(judged: pl.DataFrame) -> tuple[Incident, ...]:
    """The incidents among judged lines (``line``, ``service``, ``kind``, ``is_anomaly``), in order.

    An incident is all lines of a service with the same kind, up to a line of another kind.
    """
    found = []
    rows = judged.filter(pl.col("kind").is_not_null()).sort("service", "line").to_dicts()
    for (service, kind), group in groupby(rows, key=lambda row: (row["service"], row["kind"])):
        lines = list(group)
        flags = [row["is_anomaly"] for row in lines]
        seen = flags.index(True) + 1 if any(flags) else None
        found.append(Incident(kind, service, lines[0]["line"], len(lines), sum(flags), seen))
    return tuple(sorted(found, key=lambda one: one.first_line))
