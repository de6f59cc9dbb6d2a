"""What the results of a log say about all of it: enough for a report, and bounded however large the log is."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.reports.scores import BINS
from anomaly_detection.results import SEVERITIES
from anomaly_detection.workflows.odd_groups import plain_rows
from anomaly_detection.workflows.odd_lines import told_anomalies
from anomaly_detection.workflows.odd_templates import odd_templates
from anomaly_detection.workflows.odd_windows import odd_windows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from anomaly_detection.sources.logs.counts import LogCounts
    from anomaly_detection.workflows.judged_log import JudgedLog

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
    log : the lines or sessions, and their verdicts.
    """

    def __init__(self, log: JudgedLog) -> None:
        self.log = log

    @cached_property
    def templates(self) -> pl.DataFrame:
        """Every template, the oddest first; see :func:`~anomaly_detection.workflows.odd_templates.odd_templates`."""
        return odd_templates(self.log)

    @cached_property
    def windows(self) -> pl.DataFrame:
        """Every window, the oddest first; see :func:`~anomaly_detection.workflows.odd_windows.odd_windows`."""
        return odd_windows(self.log)

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
            "alpha": log.result.alpha,
            "notes": list(notes),
            "log": {
                "unit": log.unit,
                "judged": len(log.table),
                "learned": learned,
                "reading": _reading(counts, format_),
                "scores": self._scores(),
                "timeline": {"start": line.start, "step": line.step, "buckets": line.buckets, "timed": line.timed},
                "severities": {name: self._counts(log.result.severity_code == i) for i, name in enumerate(SEVERITIES)},
                "services": self._services(),
                "templates": self._templates(),
                "templates_in_all": len(self.templates),
                "new_templates": int(self.templates["new"].sum()),
                "odd_templates": self.odd_count(self.templates),
                "windows": plain_rows(self.windows.head(MOST_WINDOWS)) if self.windows.width else [],
                "windows_in_all": len(self.windows),
                "odd_windows": self.odd_count(self.windows),
                "window_minutes": log.minutes,
                "anomalies": told_anomalies(log, MOST_ANOMALIES),
            },
        }

    def _scores(self) -> dict[str, list[int]]:
        """How many have each severity, by the bin of their scores."""
        result = self.log.result
        bins = np.minimum((result.anomaly_score * BINS + 1e-9).astype(np.int64), BINS - 1)
        return {
            name: np.bincount(bins[result.severity_code == i], minlength=BINS).tolist()
            for i, name in enumerate(SEVERITIES)
        }

    def _counts(self, chosen: NDArray[np.bool_]) -> list[int]:
        """How many of some judged lines or sessions there are in each bucket."""
        buckets = self.log.buckets[self.log.rows][chosen]
        counts: list[int] = np.bincount(buckets, minlength=self.log.timeline.buckets).tolist()
        return counts

    def _services(self) -> list[dict[str, Any]]:
        """What was judged of each service, and how many anomalies there are; a session is of the one that begins it."""
        names = self.log.frame["service"].gather(self.log.rows)
        frame = pl.DataFrame({"name": names, "odd": self.log.result.is_anomaly}).with_row_index("at")
        each = frame.group_by("name", maintain_order=True).agg(anomalies=pl.col("odd").sum(), judged=pl.len(), at="at")
        ranked = each.sort("anomalies", "judged", descending=True, maintain_order=True)
        kept = ranked if len(ranked) <= MOST_SERVICES + 1 else ranked.head(MOST_SERVICES)
        places = [np.array(at, np.int64) for at in kept["at"]]
        told = list(zip(kept["name"].to_list(), places, [1] * len(places), strict=True))
        if len(kept) < len(ranked):
            rest = ranked[len(kept) :]
            told.append((None, rest["at"].explode().to_numpy().astype(np.int64), len(rest)))
        return [self._service(name, at, together) for name, at, together in told]

    def _service(self, name: str | None, at: NDArray[np.int64], together: int) -> dict[str, Any]:
        chosen = np.zeros(len(self.log.table), np.bool_)
        chosen[at] = True
        anomalies = self._counts(chosen & self.log.result.is_anomaly)
        return {"service": name, "services": together, "judged": self._counts(chosen), "anomalies": anomalies}

    def _templates(self) -> list[dict[str, Any]]:
        """The oddest templates with how many lines each has in every bucket."""
        written = self.templates.head(MOST_TEMPLATES)
        ids, size = self.log.templates[0], self.log.timeline.buckets
        place = np.full(int(ids.max(initial=-1)) + 2, -1)
        place[written["id"].to_numpy()] = np.arange(len(written))
        which, bucket = place[ids], self.log.buckets
        chosen = (which >= 0) & self.log.taken
        counts = np.bincount(which[chosen] * size + bucket[chosen], minlength=len(written) * size).reshape(-1, size)
        rows = plain_rows(written.drop("id"))
        return [{**row, "counts": each} for row, each in zip(rows, counts.tolist(), strict=True)]


def _reading(counts: LogCounts, format_: str) -> dict[str, Any]:
    kept = ("lines", "decoded", "joined", "blank", "aside")
    return {"format": format_, **{name: getattr(counts, name) for name in kept}}
