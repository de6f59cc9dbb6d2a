"""How results were made, in words: the alarm line, the models, the views that were combined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anomaly_detection.reports import words as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from anomaly_detection.reports.document import Levels, Made, Row

MOST_VIEWS = 50
"""So many views are listed."""

LONGEST = 2_000
"""The most characters of one entry."""


@dataclass(frozen=True, slots=True)
class View:
    """One algorithm of several that looked at the same rows.

    Parameters
    ----------
    name, parameters : the algorithm, in words.
    weight : its part in the score, 1 on average; None where nothing is said of it.
    agreement : 1 where it ranks highest what the others find most anomalous, 0 where it ranks that like any rows.
    """

    name: str
    parameters: str
    weight: float | None
    agreement: float | None


def alarm_line(made: Made, alpha: float | None, rows: Iterable[Row]) -> str:
    """Where the line lies, who drew it, and from which raw score on rows lie beyond it; empty if nothing is known."""
    lowest = min((row.score for row in rows if row.is_anomaly and row.score is not None), default=None)
    parts = [
        f"p ≤ {w.number(alpha)}" if alpha is not None else "",
        _drawn_by(made),
        f"raw scores from {w.number(lowest)} on" if lowest is not None else "",
    ]
    return "; ".join(part for part in parts if part)


def views_of(evidence: Mapping[str, Any]) -> tuple[View, ...]:
    """The views that an algorithm says it combined; none where it says nothing, or something else."""
    members = evidence.get("members")
    if not isinstance(members, list):
        return ()
    return tuple(
        _view(one) for one in members[:MOST_VIEWS] if isinstance(one, dict) and isinstance(one.get("name"), str)
    )


def how_made(made: Made, alarm: str) -> list[tuple[str, str]]:
    """What there is to say about it, by name."""
    every = {**made.algorithm.parameters, **made.parameters}
    told = [
        ("Algorithm", made.algorithm.name if made.algorithm.name != "unknown" else None),
        ("Model", made.model),
        ("Parameters", _listed({name: value for name, value in every.items() if name != "key"})),
        ("Key", w.joined(made.schema.key)),
        ("Models per key", _models(made.levels)),
        ("Learned from", f"{w.number(made.trained_on_rows)} rows" if made.trained_on_rows is not None else None),
        ("Calibrated on", f"{w.number(made.calibration_rows)} rows" if made.calibration_rows is not None else None),
        ("Alarm line α", alarm),
        ("Views for", _judged(made.evidence)),
        ("Data", made.data.name),
        ("SHA-256 of the data", made.data.sha256),
        ("Versions", ", ".join(f"{name} {version}" for name, version in made.versions.items())),
        ("Made", made.created),
    ]
    return [(name, w.plain(value, LONGEST)) for name, value in told if value]


def _drawn_by(made: Made) -> str:
    threshold, contamination = made.parameters.get("threshold"), made.parameters.get("contamination")
    if made.fdr is not None:
        return f"so that at most {w.percent(made.fdr)} of the alarms are false"
    if threshold is not None:
        return f"drawn by the estimator {w.shown(threshold, 80)}"
    if contamination is None:
        return ""
    return "found in the scores (contamination auto)" if contamination == "auto" else "as asked for"


def _judged(evidence: Mapping[str, Any]) -> str | None:
    known = {"own": "the rows that were learned from", "new": "new rows"}
    judged = evidence.get("judged")
    return known.get(judged) if isinstance(judged, str) and views_of(evidence) else None


def _view(member: Mapping[str, Any]) -> View:
    parameters = member.get("parameters")
    return View(
        w.plain(member["name"], 80),
        _listed(parameters) if isinstance(parameters, dict) else "",
        _number(member.get("weight")),
        _number(member.get("agreement")),
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e15 else None


def _listed(parameters: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in parameters.items() if value not in (None, [], {}, "")}
    return w.plain(", ".join(f"{name} = {w.shown(value, 60)}" for name, value in kept.items()), LONGEST)


def _models(levels: Levels | None) -> str | None:
    if levels is None:
        return None
    own, keys = w.number(levels.own_models), w.number(levels.keys)
    return f"{own} of {keys} keys, coarser ones included, have a model of their own; the others share one"
