"""Syslog, old (RFC 3164) and new (RFC 5424)."""

from __future__ import annotations

import polars as pl

from anomaly_detection.sources.logs._pattern import Patterns
from anomaly_detection.sources.logs._stamps import SYSLOG
from anomaly_detection.sources.logs.columns import LogColumns

COLUMNS = LogColumns(time=("time",), level=("severity",), service=("program",), message=("message",))

NEW = (
    r"^<(?<priority>[0-9]{1,3})>[0-9]{1,2} (?<time>\S+) (?<host>\S+) (?<program>\S+) (?<process>\S+) (?<id>\S+) "
    r'(?<data>-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+)(?: \x{FEFF}?(?<message>.*))?$'
)
QUICK = (
    r"^(?:<(?<priority>[0-9]{1,3})>)?(?<time>[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}) (?<host>[^\s:]+) "
    r"(?<program>[^\s\[:]+)(?:\[(?<process>[^\]\s]*)\])?: (?<message>.*)$"
)
"""Most old lines: without ambiguity, and so three times as quick."""

OLD = (
    rf"^(?:<(?<priority>[0-9]{{1,3}})>)?(?<time>{SYSLOG}) (?<host>[^\s:]+) "
    r"(?:(?<program>[^\s\[:]+)(?:\[(?<process>[^\]\s]*)\])?: ?)?(?<message>.*)$"
)


class Syslog(Patterns):
    """``<34>Oct 11 22:14:15 host program[1]: message`` and ``<34>1 2024-10-11T22:14:15Z host program 1 - - message``.

    The program is the service. The level is the severity in the priority (``<34>``: 34 % 8 = 2, CRITICAL); a file that
    syslog wrote itself has none. Lines with a whole time stamp and no priority, as rsyslog may write them, are read as
    text. The groups are priority, severity, time, host, program, process, id, data, message.
    """

    needs = ("priority",)

    def prepared(self, groups: pl.DataFrame) -> pl.DataFrame:
        """Add the severity; ``-`` stands for a missing value."""
        known = groups.with_columns(
            pl.when(pl.col(name) != "-").then(pl.col(name)).alias(name)
            for name in ("host", "program", "process")
            if name in groups.columns
        )
        priority = pl.col("priority").cast(pl.Int64, strict=False)
        return known.with_columns(severity=pl.when(priority <= 191).then(priority % 8).cast(pl.String))
