"""The most anomalous lines and sessions of a log with all that is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.workflows.odd_groups import plain_rows

if TYPE_CHECKING:
    from anomaly_detection.workflows.judged_log import JudgedLog

LONGEST = 2_000
"""The most characters of a message."""

MOST_LINES = 12
"""So many lines of a session are told, the oddest."""

VERDICT = ("score", "p_value", "anomaly_score", "is_anomaly", "severity", "confidence", "reason")


def told_anomalies(log: JudgedLog, most: int) -> list[dict[str, Any]]:
    """The most anomalous lines or sessions, at most so many, as plain values.

    Each has its line, time, service, level, message, template, verdict, reason, and the p-value of each method by
    name; a session (whose line is its first) also has its name and its oddest lines in order.
    """
    chosen = [place for place in log.result.top(most).tolist() if log.result.is_anomaly[place]]
    rows = log.rows[chosen]
    ids, names = log.templates
    lines = log.frame.select("line", "time", "service", "level", pl.col("message").str.slice(0, LONGEST))[rows]
    told = lines.hstack(log.table.select(VERDICT)[chosen])
    if log.unit == "session":
        told = told.with_columns(log.table["session"].gather(chosen), template=pl.lit(None))
    else:
        told = told.with_columns(template=pl.Series([names[i][:LONGEST] for i in ids[rows]], dtype=pl.String))
    found = plain_rows(told)
    inside = _inside(log, found) if log.unit == "session" else {}
    for place, one in zip(chosen, found, strict=True):
        one["methods"] = {name: float(p_values[place]) for name, p_values in log.result.parts.items()}
        one["lines"] = inside.get(one.get("session", ""), [])
    return found


def _inside(log: JudgedLog, found: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The oddest lines of some sessions, in order, each with a share of the oddness of the oddest."""
    scores = log.result.line_scores
    if scores is None:
        return {}
    odd = np.full(len(log.frame), np.nan)
    odd[: len(scores)] = scores
    columns = ("session", "line", "time", "service", "level", pl.col("message").str.slice(0, LONGEST))
    lines = log.frame.select(*columns, odd=pl.Series(odd)).filter(
        pl.col("session").is_in([one["session"] for one in found])
    )
    most = pl.col("odd").max().over("session")
    ranked = lines.with_columns(
        oddness=pl.when(most > 0).then((pl.col("odd") / most).clip(0, 1)).otherwise(0.0),
        rank=pl.col("odd").rank("ordinal", descending=True).over("session"),
        lines=pl.len().over("session"),
    )
    kept = ranked.filter(pl.col("rank") <= MOST_LINES).drop("odd", "rank")
    parts = kept.partition_by("session", as_dict=True, include_key=False, maintain_order=True)
    return {str(session): plain_rows(part) for (session,), part in parts.items()}
