"""What was found in the lines of a log, block by block: enough for a summary, however long the log is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.features.templates import TemplateMiner
from anomaly_detection.features.templates.batch import MOST_BYTES, MOST_TEMPLATES
from anomaly_detection.reports.scores import BINS
from anomaly_detection.results import SEVERITIES
from anomaly_detection.workflows import odd_templates, odd_windows
from anomaly_detection.workflows.judged_log import JudgedLog
from anomaly_detection.workflows.odd_lines import of_lines, told_lines
from anomaly_detection.workflows.timed_counts import TimedCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.logs import LogResult
    from anomaly_detection.reports.timeline import Timeline

MOST_SERVICES = 10_000
"""When there are twice as many services, those with the fewest anomalies and lines are counted together."""

MOST_WINDOWS = 500_000
"""When there are more windows that are over, the less odd half is dropped."""

FOLDED = "\0"
"""Stands for the services that are counted together; no name has it."""


class LineTally:
    """Counts and extremes of judged lines: what a :class:`~anomaly_detection.workflows.log_summary.LogSummary` asks.

    It grows with templates, services and windows up to a limit, not with lines. New templates are mined as their lines
    come. What comes of a window more than a window's length after its end is counted, and its median stays.

    Parameters
    ----------
    learned_templates : the templates that training had, by id.
    alpha : the p-value at and below which a line is an anomaly.
    minutes : the length of a window.
    most : so many of the most anomalous lines are kept.
    """

    unit = "line"

    def __init__(self, learned_templates: list[str], alpha: float, minutes: float, most: int) -> None:
        self.learned_templates, self.alpha, self.minutes, self.most = learned_templates, alpha, minutes, most
        self.judged = 0
        self.services_folded = 0
        self.bins = np.zeros((len(SEVERITIES), BINS), np.int64)
        self._miner = TemplateMiner(MOST_TEMPLATES, MOST_BYTES)
        self._times = TimedCounts()
        self._templates: list[pl.DataFrame] = []
        self._open: list[pl.DataFrame] = []
        self._over: list[pl.DataFrame] = []
        self._lines: list[pl.DataFrame] = []

    def add(self, frame: pl.DataFrame, table: pl.DataFrame, result: LogResult) -> None:
        """Take in the next lines.

        Parameters
        ----------
        frame : the log frame.
        table : the verdicts as they are written.
        result : the same verdicts as arrays.
        """
        log = JudgedLog("line", frame, table, result, self.learned_templates, self.minutes)
        ids = self._ids(frame["message"], result)
        self.judged += log.judged
        self.bins += log.bins
        keys = {"severity": result.severity_code, "service": frame["service"], "template": ids}
        numbers = frame["line"].cast(pl.Float64).to_numpy()
        self._times.add(log.seconds, numbers, pl.DataFrame({**keys, "odd": result.is_anomaly}))
        self._fold_services()
        self._templates = [odd_templates.added([*self._templates, odd_templates.template_sums(log, ids)])]
        self._add_windows(odd_windows.window_sums(log))
        self._add_lines(of_lines(log, ids, self.most))

    @property
    def timeline(self) -> Timeline:
        """Buckets over the times of the lines, over their numbers where none has a time."""
        return self._times.timeline()

    def counts(self, key: str) -> pl.DataFrame:
        """``bucket``, ``severity`` (code), ``service`` or ``template`` (id), ``lines`` and ``odd`` ones."""
        found = self._times.by(key)
        if key == "template":
            found = found.with_columns(template=self._canonical(found["template"]))
            found = found.group_by("template", "bucket", maintain_order=True).agg(pl.col("lines", "odd").sum())
        return found

    def odd_templates(self) -> pl.DataFrame:
        """Every template, the oddest first; see :func:`~anomaly_detection.workflows.odd_templates.odd_templates`."""
        sums = [one.with_columns(id=self._canonical(one["id"])) for one in self._templates]
        return odd_templates.odd_of(odd_templates.added(sums), self._names, len(self.learned_templates), self.alpha)

    def odd_windows(self) -> pl.DataFrame:
        """Every window, the oddest first; see :func:`~anomaly_detection.workflows.odd_windows.odd_windows`."""
        windows = odd_windows.joined([*self._over, *map(odd_windows.medians, self._open)])
        return odd_windows.odd_of(windows, self.alpha, self.minutes)

    def anomalies(self, most: int) -> list[dict[str, Any]]:
        """The most anomalous lines; see :func:`~anomaly_detection.workflows.odd_lines.told_anomalies`."""
        kept = self._lines[0].head(most)
        return told_lines(kept.with_columns(template=self._canonical(kept["template"])), self._names)

    def top(self, most: int) -> list[dict[str, Any]]:
        """The most anomalous lines as they are written."""
        return [one["written"] for one in self._lines[0].head(most).select("written").to_dicts()]

    @property
    def _names(self) -> list[str]:
        return [*self.learned_templates, *self._miner.templates()]

    def _ids(self, messages: pl.Series, result: LogResult) -> NDArray[np.int64]:
        """(n,) the template of each line: those of training first, then the new ones."""
        ids = np.array(result.templates, dtype=np.int64)
        new = np.flatnonzero(ids < 0)
        ids[new] = len(self.learned_templates) + self._miner.update(messages.gather(new))
        return ids

    def _canonical(self, ids: pl.Series) -> pl.Series:
        """The templates by now: some that were new may have become one."""
        found, learned = ids.to_numpy().copy(), len(self.learned_templates)
        new = found >= learned
        found[new] = learned + self._miner.canonical(found[new] - learned)
        return pl.Series(found)

    def _fold_services(self) -> None:
        if self._times.size("service") > 2 * MOST_SERVICES:
            each = self._times.by("service").group_by("service").agg(pl.col("lines", "odd").sum())
            known = each.filter(pl.col("service").ne_missing(FOLDED))
            gone = known.sort("odd", "lines", "service", descending=True)["service"][MOST_SERVICES:]
            self.services_folded += len(gone)
            self._times.fold("service", gone, FOLDED)

    def _add_windows(self, sums: pl.DataFrame) -> None:
        windows = odd_windows.added([*self._open, sums])
        length = pl.duration(microseconds=2 * round(self.minutes * 60e6))
        is_over = pl.col("start") + length <= pl.col("start").max()
        self._open = [windows.filter(is_over.not_())]
        self._over.append(odd_windows.medians(windows.filter(is_over)))
        if sum(map(len, self._over)) > MOST_WINDOWS:
            ranked = odd_windows.joined(self._over).sort(pl.col("inverse") / pl.col("lines"), descending=True)
            self._over = [ranked.head(MOST_WINDOWS // 2)]

    def _add_lines(self, lines: pl.DataFrame) -> None:
        every = pl.concat([*self._lines, lines])
        ranked = every.sort("p_value", "score", descending=[False, True], maintain_order=True)
        self._lines = [ranked.head(self.most)]
