"""Lines or sessions of a log beside their verdicts, in the columns that summaries are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features.templates import mine
from anomaly_detection.reports.scores import BINS
from anomaly_detection.reports.timeline import Timeline
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.logs import LogResult


@dataclass(frozen=True)
class JudgedLog:
    """A log and what was found in it.

    Parameters
    ----------
    unit : what was judged: ``"line"`` or ``"session"``.
    frame : (n lines) the log frame that was judged.
    table : the verdicts as they are written, one row for each line or session.
    result : the same verdicts as arrays.
    learned_templates : the templates that training had, by id.
    minutes : the length of a window.
    """

    unit: str
    frame: pl.DataFrame
    table: pl.DataFrame
    result: LogResult
    learned_templates: list[str]
    minutes: float = 5.0

    @property
    def judged(self) -> int:
        """How many lines or sessions were judged."""
        return len(self.table)

    @property
    def bins(self) -> NDArray[np.int64]:
        """(severities, bins) how many have each severity, by the bin of their scores."""
        bins = np.minimum((self.result.anomaly_score * BINS + 1e-9).astype(np.int64), BINS - 1)
        flat = np.bincount(self.result.severity_code * np.int64(BINS) + bins, minlength=len(SEVERITIES) * BINS)
        return flat.reshape(len(SEVERITIES), BINS)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """The row in the frame of each line that was judged, or of the first line of each session."""
        return np.arange(len(self.table)) if self.unit == "line" else self.result.rows

    @cached_property
    def seconds(self) -> NDArray[np.float64]:
        """(n,) the time of each line in seconds since 1970, NaN without one."""
        micros = self.frame["time"].dt.timestamp("us").cast(pl.Float64) / 1e6
        return micros.fill_null(np.nan).to_numpy()

    @cached_property
    def timeline(self) -> Timeline:
        """Buckets over the times of the lines, over their numbers where none has a time."""
        timed = bool(np.isfinite(self.seconds).any())
        places = self.seconds if timed else self.frame["line"].cast(pl.Float64).to_numpy()
        return Timeline.of(places, timed=timed)

    @cached_property
    def buckets(self) -> NDArray[np.int64]:
        """(n,) the bucket of each line; that of the line before where it has no time, or else of the first that has."""
        found = pl.Series(self.timeline.bucket())
        return found.set(found < 0, None).forward_fill().backward_fill().fill_null(0).to_numpy()

    @cached_property
    def taken(self) -> NDArray[np.bool_]:
        """(n,) whether a line was judged, by itself or in its session."""
        if self.unit == "line":
            return np.ones(len(self.frame), np.bool_)
        return self.frame["session"].is_not_null().to_numpy()

    @cached_property
    def templates(self) -> tuple[NDArray[np.int64], list[str]]:
        """(n,) the template of each line, and the templates by id: those of training first, then the new ones.

        A line without a session has none, -1, where sessions were judged.
        """
        found = self.result.templates if self.unit == "line" else self.result.line_templates
        ids = np.full(len(self.frame), -1)
        if found is not None:
            ids[: len(found)] = found
        new = np.flatnonzero(self.taken & (ids < 0))
        if not len(new):
            return ids, self.learned_templates
        places, names = mine(self.frame["message"].gather(new))
        ids[new] = len(self.learned_templates) + places
        return ids, [*self.learned_templates, *names]
