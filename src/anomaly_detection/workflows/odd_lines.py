"""The most anomalous lines and sessions of a log with all that is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.workflows.odd_groups import plain_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    ids, names = log.templates
    lines = of_lines(log, ids, most)
    if log.unit == "line":
        return told_lines(lines, names)
    found = told_lines(lines.with_columns(template=pl.lit(None, pl.Int64)), names)
    for one, session in zip(found, lines["written"].struct.field("session"), strict=True):
        one["session"] = session
    inside = _inside(log, found)
    return [{**one, "lines": inside[one["session"]]} for one in found]


def of_lines(log: JudgedLog, ids: NDArray[np.int64], most: int) -> pl.DataFrame:
    """The most anomalous lines or sessions, at most so many, with all that is told of them.

    Parameters
    ----------
    log : what was judged.
    ids : the template of each line of its frame.
    most : how many.

    Returns
    -------
    ``line``, ``time``, ``service``, ``level``, ``message``, verdict and reason, ``template`` (its id), ``methods`` (the
    p-value of each), ``written`` (the row of the table).
    """
    chosen = [place for place in log.result.top(most).tolist() if log.result.is_anomaly[place]]
    rows = log.rows[chosen]
    lines = log.frame.select("line", "time", "service", "level", pl.col("message").str.slice(0, LONGEST))[rows]
    methods = pl.DataFrame({name: p_values[chosen] for name, p_values in log.result.parts.items()})
    written = log.table[chosen]
    return lines.hstack(written.select(VERDICT)).with_columns(
        template=pl.Series(ids[rows]), methods=methods.to_struct(), written=written.to_struct()
    )


def told_lines(lines: pl.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """Lines of :func:`of_lines` as plain values; ``names`` are the templates by id."""
    short = pl.Series([name[:LONGEST] for name in names], dtype=pl.String)
    told = lines.drop("methods", "written").with_columns(template=short.gather(lines["template"]))
    return [
        {**row, "methods": methods, "lines": []}
        for row, methods in zip(plain_rows(told), lines["methods"].to_list(), strict=True)
    ]


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
