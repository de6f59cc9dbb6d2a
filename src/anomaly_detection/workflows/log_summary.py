"""What the results of a log say about all of it: enough for a report, and bounded however large the log is."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.results import SEVERITIES
from anomaly_detection.workflows.line_tally import FOLDED
from anomaly_detection.workflows.odd_groups import plain_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anomaly_detection.sources.logs.counts import LogCounts
    from anomaly_detection.workflows.line_tally import LineTally
    from anomaly_detection.workflows.whole_log import WholeLog

MOST_SERVICES = 11
"""So many services have a timeline of their own, those with the most anomalies; the others share one."""

MOST_TEMPLATES = 100
"""So many templates are written, the oddest."""

MOST_WINDOWS = 50
"""So many windows are written, the oddest."""

MOST_ANOMALIES = 200
"""So many anomalies are written with all that is known of them."""


class LogSummary:
    """What was found in a log, made when it is first asked for.

    Parameters
    ----------
    log : the lines or sessions that were judged; lines block by block where they are many.
    """

    def __init__(self, log: WholeLog | LineTally) -> None:
        self.log = log

    @cached_property
    def templates(self) -> pl.DataFrame:
        """Every template, the oddest first; see :func:`~anomaly_detection.workflows.odd_templates.odd_templates`."""
        return self.log.odd_templates()

    @cached_property
    def windows(self) -> pl.DataFrame:
        """Every window, the oddest first; see :func:`~anomaly_detection.workflows.odd_windows.odd_windows`."""
        return self.log.odd_windows()

    @property
    def severities(self) -> dict[str, int]:
        """How many have each severity."""
        return dict(zip(SEVERITIES, self.log.bins.sum(axis=1).tolist(), strict=True))

    def odd(self, which: pl.DataFrame, most: int) -> tuple[dict[str, Any], ...]:
        """The first so many groups that are anomalies, as plain values."""
        return tuple(plain_rows(which.filter("is_anomaly").head(most))) if which.width else ()

    def odd_count(self, which: pl.DataFrame) -> int:
        """How many groups are anomalies."""
        return int(which["is_anomaly"].sum()) if which.width else 0

    def to_dict(self, learned: int, counts: LogCounts, format_: str, notes: Iterable[str]) -> dict[str, Any]:
        """Plain values, for JSON; ``learned``, ``counts``, ``format_`` and ``notes`` say how the log was read."""
        log = self.log
        line = log.timeline
        return {
            "alpha": log.alpha,
            "notes": list(notes),
            "log": {
                "unit": log.unit,
                "judged": log.judged,
                "learned": learned,
                "reading": _reading(counts, format_),
                "scores": dict(zip(SEVERITIES, log.bins.tolist(), strict=True)),
                "timeline": {"start": line.start, "step": line.step, "buckets": line.buckets, "timed": line.timed},
                "severities": self._severities(),
                "services": self._services(),
                "templates": self._templates(),
                "templates_in_all": len(self.templates),
                "new_templates": int(self.templates["new"].sum()),
                "odd_templates": self.odd_count(self.templates),
                "windows": plain_rows(self.windows.head(MOST_WINDOWS)) if self.windows.width else [],
                "windows_in_all": len(self.windows),
                "odd_windows": self.odd_count(self.windows),
                "window_minutes": log.minutes,
                "anomalies": log.anomalies(MOST_ANOMALIES),
            },
        }

    def _severities(self) -> dict[str, list[int]]:
        """How many of each severity there are in each bucket."""
        codes = pl.Series(range(len(SEVERITIES)))
        return dict(zip(SEVERITIES, self._over_time(self.log.counts("severity"), codes), strict=True))

    def _services(self) -> list[dict[str, Any]]:
        """What was judged of each service, and how many anomalies there are; a session is of the one that begins it."""
        counts = self.log.counts("service")
        each = counts.group_by("service", maintain_order=True).agg(pl.col("lines", "odd").sum())
        known = each.filter(pl.col("service").ne_missing(FOLDED))
        ranked = known.sort("odd", "lines", descending=True, maintain_order=True)["service"]
        kept = ranked if len(each) <= MOST_SERVICES + 1 else ranked.head(MOST_SERVICES)
        told = [self._service(name, 1, counts.filter(pl.col("service").eq_missing(name))) for name in kept]
        together = len(ranked) - len(kept) + self.log.services_folded
        rest = counts.join(kept.to_frame(), on="service", how="anti", nulls_equal=True)
        return [*told, self._service(None, together, rest)] if together else told

    def _service(self, name: str | None, together: int, counts: pl.DataFrame) -> dict[str, Any]:
        judged, anomalies = self._total(counts, "lines"), self._total(counts, "odd")
        return {"service": name, "services": together, "judged": judged, "anomalies": anomalies}

    def _templates(self) -> list[dict[str, Any]]:
        """The oddest templates with how many lines each has in every bucket."""
        written = self.templates.head(MOST_TEMPLATES)
        counts = self._over_time(self.log.counts("template"), written["id"])
        return [{**row, "counts": each} for row, each in zip(plain_rows(written.drop("id")), counts, strict=True)]

    def _total(self, counts: pl.DataFrame, what: str) -> list[int]:
        """(buckets,) the sum of some counts in each bucket."""
        found = np.bincount(counts["bucket"], counts[what], minlength=self.log.timeline.buckets)
        totals: list[int] = found.astype(np.int64).tolist()
        return totals

    def _over_time(self, counts: pl.DataFrame, keys: pl.Series) -> list[list[int]]:
        """The lines in each bucket, for each of some codes."""
        parts = counts.partition_by(counts.columns[0], as_dict=True)
        return [self._total(parts[(key,)], "lines") if (key,) in parts else self._none() for key in keys]

    def _none(self) -> list[int]:
        return [0] * self.log.timeline.buckets


def _reading(counts: LogCounts, format_: str) -> dict[str, Any]:
    kept = ("lines", "decoded", "joined", "blank", "aside")
    return {"format": format_, **{name: getattr(counts, name) for name in kept}}
