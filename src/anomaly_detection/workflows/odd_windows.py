"""Which windows of a service are odd: their errors, latency and volume against what is usual for the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from anomaly_detection.features.logs import Lines
from anomaly_detection.reports.words import number, percent
from anomaly_detection.workflows.odd_groups import inverse, mean_of, with_verdicts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anomaly_detection.workflows.judged_log import JudgedLog

METHOD = "sliding_window"

NOTABLE = 1.5
"""Times the usual from which on something is named."""

LEAN = 0.02
"""Added to error rates before they are divided."""


def odd_windows(log: JudgedLog) -> pl.DataFrame:
    """A row for each service and each window in which it says something, the oddest first; none without times.

    The p-value is the harmonic mean of those that the sliding window gives the lines. What is usual for a service is
    the median of its windows.

    Returns
    -------
    ``service``, ``start``, ``end``, ``lines``, ``errors``, ``error_rate``, ``latency`` (the median response time in
    milliseconds), the same with ``usual_`` but for the errors, ``anomalies`` (lines), the columns of a verdict,
    ``reason``.
    """
    if METHOD not in log.result.parts:
        return pl.DataFrame()
    return odd_of(medians(window_sums(log)), log.result.alpha, log.minutes)


def window_sums(log: JudgedLog) -> pl.DataFrame:
    """What :func:`odd_of` needs of some lines that were judged: it adds up over parts of a log (:func:`added`)."""
    lines = _described(log).filter(pl.col("time").is_not_null())
    return lines.group_by("service", start=pl.col("time").dt.truncate(every(log.minutes)), maintain_order=True).agg(
        at=pl.col("line").first(),
        lines=pl.len(),
        errors=pl.col("error").sum(),
        anomalies=pl.col("odd").sum(),
        inverse=inverse(METHOD),
        latency=pl.col("latency").drop_nulls(),
    )


def added(sums: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The sums of several parts of a log, in order."""
    return (
        pl.concat(sums)
        .group_by("service", "start", maintain_order=True)
        .agg(
            pl.col("at").first(),
            pl.col("lines", "errors", "anomalies", "inverse").sum(),
            pl.col("latency").explode().drop_nulls(),
        )
        .select(sums[0].columns)
    )


def medians(sums: pl.DataFrame) -> pl.DataFrame:
    """Sums of windows that are over, with the median of the latencies in place of all of them."""
    return sums.with_columns(pl.col("latency").list.median())


def joined(windows: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Windows that are over; what came late of one is counted, and does not change its median."""
    return (
        pl.concat(windows)
        .group_by("service", "start", maintain_order=True)
        .agg(pl.col("at", "latency").first(), pl.col("lines", "errors", "anomalies", "inverse").sum())
        .select(windows[0].columns)
        .sort("at", maintain_order=True)
    )


def odd_of(windows: pl.DataFrame, alpha: float, minutes: float) -> pl.DataFrame:
    """Windows with verdicts, the oddest first; see :func:`odd_windows`."""
    found = windows.with_columns(
        error_rate=pl.col("errors") / pl.col("lines"),
        p_value=mean_of([pl.col("inverse")], pl.col("lines")),
        end=pl.col("start").dt.offset_by(every(minutes)),
    )
    found = found.drop("at", "inverse").with_columns(**_usual())
    reasons = [_reason(row) for row in found.iter_rows(named=True)]
    return with_verdicts(found.with_columns(reason=pl.Series(reasons, dtype=pl.String)), alpha)


def every(minutes: float) -> str:
    """The length of a window in words of Polars."""
    return f"{max(1, round(minutes * 60e6))}us"


def _described(log: JudgedLog) -> pl.DataFrame:
    """The time, service, latency of each line, whether it is an error or an anomaly, and what the method says."""
    lines = Lines.of(log.frame)
    return log.frame.select("line", "time", "service").with_columns(
        error=pl.Series(lines.are_errors()),
        latency=pl.Series(lines.response_times, dtype=pl.Float64).fill_nan(None),
        odd=pl.Series(log.result.is_anomaly),
        **{METHOD: pl.Series(log.result.parts[METHOD])},
    )


def _usual() -> dict[str, pl.Expr]:
    return {f"usual_{name}": pl.col(name).median().over("service") for name in ("lines", "error_rate", "latency")}


def _reason(row: dict[str, Any]) -> str:
    """What of a window is unlike the others of its service, the most unlike first."""
    rate, usual = row["error_rate"], row["usual_error_rate"]
    told = [((rate + LEAN) / (usual + LEAN), f"{percent(rate)} errors (usually {percent(usual)})")]
    lines = row["lines"] / row["usual_lines"]
    told.append((max(lines, 1 / lines), f"{row['lines']:,} lines (usually {number(row['usual_lines'])})"))
    if row["latency"] is not None and row["usual_latency"]:
        words = f"{number(row['latency'])} ms (usually {number(row['usual_latency'])})"
        told.append((row["latency"] / row["usual_latency"], words))
    told.sort(reverse=True)
    return ", ".join(words for times, words in told if times >= NOTABLE) or told[0][1]
