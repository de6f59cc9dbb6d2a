"""Which templates of a log are odd: new, rare, at another rate, with other parameters, or those of odd sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from anomaly_detection.workflows.log_reasons import WORDS
from anomaly_detection.workflows.odd_groups import LEAST, inverse, mean_of, with_verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.workflows.judged_log import JudgedLog

Ids: TypeAlias = "NDArray[np.int64]"

METHODS = ("rare_templates", "template_rate", "parameters")
"""The methods that look at the template of a line."""

LONGEST = 1_000
"""The most characters of a template or an example."""

DESCRIBED = {
    "lines": pl.len(),
    "first": pl.col("time").min(),
    "last": pl.col("time").max(),
    "first_line": pl.col("line").first(),
    "last_line": pl.col("line").last(),
    "example": pl.col("message").first().str.slice(0, LONGEST),
}
"""What is said of the lines of a template."""


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
    if log.unit == "line":
        return odd_of(template_sums(log, ids), names, len(log.learned_templates), log.result.alpha)
    about = _about(log, ids).group_by("id", maintain_order=True).agg(**DESCRIBED)
    found = about.join(_of_sessions(log, ids), on="id", maintain_order="left")
    return _told(found, names, len(log.learned_templates), log.result.alpha)


def template_sums(log: JudgedLog, ids: Ids) -> pl.DataFrame:
    """What :func:`odd_of` needs of some lines that were judged: it adds up over parts of a log (:func:`added`)."""
    parts = {name: pl.Series(log.result.parts[name]) for name in METHODS}
    frame = _about(log, ids).with_columns(odd=pl.Series(log.result.is_anomaly), **parts)
    sums = {name: inverse(name) for name in METHODS}
    return frame.group_by("id", maintain_order=True).agg(**DESCRIBED, anomalies=pl.col("odd").sum(), **sums)


def added(sums: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The sums of several parts of a log, in order."""
    firsts, lasts = ("first_line", "example"), ("last_line",)
    return (
        pl.concat(sums)
        .group_by("id", maintain_order=True)
        .agg(
            pl.col("lines", "anomalies", *METHODS).sum(),
            pl.col("first").min(),
            pl.col("last").max(),
            pl.col(firsts).first(),
            pl.col(lasts).last(),
        )
        .select(sums[0].columns)
    )


def odd_of(sums: pl.DataFrame, names: list[str], learned: int, alpha: float) -> pl.DataFrame:
    """The templates of lines that were judged, from their sums; see :func:`odd_templates`.

    Parameters
    ----------
    sums : of :func:`template_sums` or :func:`added`.
    names : the templates by id.
    learned : so many of them training had.
    alpha : the line.
    """
    found = sums.with_columns(
        p_value=mean_of([pl.col(name) for name in METHODS], pl.col("lines")),
        **{name: mean_of([pl.col(name)], pl.col("lines")) for name in METHODS},
    )
    told = [
        ", ".join(WORDS[name] for name in sorted(METHODS, key=row.__getitem__) if row[name] <= alpha)
        for row in found.select(METHODS).iter_rows(named=True)
    ]
    return _told(found.drop(METHODS).with_columns(reason=pl.Series(told, dtype=pl.String)), names, learned, alpha)


def _about(log: JudgedLog, ids: Ids) -> pl.DataFrame:
    """The lines that were judged, with their templates."""
    lines = log.frame.select("line", "time", "message").with_columns(id=pl.Series(ids))
    return lines.filter(pl.Series(log.taken))


def _told(found: pl.DataFrame, names: list[str], learned: int, alpha: float) -> pl.DataFrame:
    short = pl.Series([name[:LONGEST] for name in names], dtype=pl.String)
    described = found.with_columns(template=short.gather(found["id"]), new=pl.col("id") >= learned)
    reasons = pl.when("new").then(pl.lit("new since training")).otherwise("reason")
    return with_verdicts(described.with_columns(reason=reasons), alpha)


def _of_sessions(log: JudgedLog, ids: Ids) -> pl.DataFrame:
    odd = log.table.select("session", "is_anomaly")
    pairs = log.frame.select("session").with_columns(id=pl.Series(ids)).filter(pl.Series(log.taken)).unique()
    joined = pairs.join(odd, on="session", maintain_order="left")
    found = joined.group_by("id").agg(having=pl.len(), anomalies=pl.col("is_anomaly").sum())
    among, every = int(log.result.is_anomaly.sum()), len(log.table)
    having, anomalies = (found[name].to_numpy().astype(np.int64) for name in ("having", "anomalies"))
    from scipy.stats import hypergeom  # noqa: PLC0415 - heavy, and seldom needed

    p_values = np.clip(hypergeom.sf(anomalies - 1, every, among, having), LEAST, 1.0)
    words = pl.format(
        "in {} of {} anomalous sessions, in {} of all {}", "anomalies", pl.lit(among), "having", pl.lit(every)
    )
    return found.select("id", "anomalies", p_value=pl.Series(p_values), reason=words)
