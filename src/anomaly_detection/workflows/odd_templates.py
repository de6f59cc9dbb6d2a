"""Which templates of a log are odd: new, rare, at another rate, with other parameters, or those of odd sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import hypergeom

from anomaly_detection.workflows.log_reasons import WORDS
from anomaly_detection.workflows.odd_groups import LEAST, harmonic, with_verdicts

if TYPE_CHECKING:
    from anomaly_detection.workflows.judged_log import JudgedLog

METHODS = ("rare_templates", "template_rate", "parameters")
"""The methods that look at the template of a line."""

LONGEST = 1_000
"""The most characters of a template or an example."""


def odd_templates(log: JudgedLog) -> pl.DataFrame:
    """A row for each template, the oddest first.

    Of lines that were judged, a template's p-value is the harmonic mean of those that the methods of :data:`METHODS`
    give its lines. Of sessions it is Fisher's: how probable it is that at least so many sessions with this template are
    among the anomalous ones, if it had nothing to do with it.

    Returns
    -------
    ``id``, ``template``, ``new`` (training did not have it), ``lines``, ``anomalies`` (lines, or sessions that have
    it), ``first``, ``last``, ``first_line``, ``last_line``, ``example``, the columns of a verdict, ``reason``.
    """
    ids, names = log.templates
    lines = log.frame.select("line", "time", "message").with_columns(id=pl.Series(ids)).filter(pl.Series(log.taken))
    about = lines.group_by("id", maintain_order=True).agg(
        lines=pl.len(),
        first=pl.col("time").min(),
        last=pl.col("time").max(),
        first_line=pl.col("line").first(),
        last_line=pl.col("line").last(),
        example=pl.col("message").first().str.slice(0, LONGEST),
    )
    found = _of_lines(log, ids) if log.unit == "line" else _of_sessions(log, ids)
    short = pl.Series([name[:LONGEST] for name in names], dtype=pl.String)
    described = about.join(found, on="id", maintain_order="left").with_columns(
        template=short.gather(about["id"]), new=pl.col("id") >= len(log.learned_templates)
    )
    reasons = pl.when("new").then(pl.lit("new since training")).otherwise("reason")
    return with_verdicts(described.with_columns(reason=reasons), log.result.alpha)


def _of_lines(log: JudgedLog, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.DataFrame:
    parts = {name: log.result.parts[name] for name in METHODS}
    frame = pl.DataFrame({"id": ids, "odd": log.result.is_anomaly, **parts})
    found = frame.group_by("id", maintain_order=True).agg(
        anomalies=pl.col("odd").sum(),
        p_value=harmonic(METHODS),
        **{name: harmonic([name]) for name in METHODS},
    )
    told = [
        ", ".join(WORDS[name] for name in sorted(METHODS, key=row.__getitem__) if row[name] <= log.result.alpha)
        for row in found.select(METHODS).iter_rows(named=True)
    ]
    return found.drop(METHODS).with_columns(reason=pl.Series(told, dtype=pl.String))


def _of_sessions(log: JudgedLog, ids: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.DataFrame:
    odd = log.table.select("session", "is_anomaly")
    pairs = log.frame.select("session").with_columns(id=pl.Series(ids)).filter(pl.Series(log.taken)).unique()
    joined = pairs.join(odd, on="session", maintain_order="left")
    found = joined.group_by("id").agg(having=pl.len(), anomalies=pl.col("is_anomaly").sum())
    among, every = int(log.result.is_anomaly.sum()), len(log.table)
    having, anomalies = (found[name].to_numpy().astype(np.int64) for name in ("having", "anomalies"))
    p_values = np.clip(hypergeom.sf(anomalies - 1, every, among, having), LEAST, 1.0)
    words = pl.format(
        "in {} of {} anomalous sessions, in {} of all {}", "anomalies", pl.lit(among), "having", pl.lit(every)
    )
    return found.select("id", "anomalies", p_value=pl.Series(p_values), reason=words)
