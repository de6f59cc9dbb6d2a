"""What was found in a log that is held in memory: what a summary asks of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from anomaly_detection.workflows.judged_log import JudgedLog
from anomaly_detection.workflows.odd_lines import told_anomalies
from anomaly_detection.workflows.odd_templates import odd_templates
from anomaly_detection.workflows.odd_windows import odd_windows


class WholeLog(JudgedLog):
    """A log in memory; :class:`~anomaly_detection.workflows.line_tally.LineTally` says the same of its parts."""

    @property
    def alpha(self) -> float:
        """The p-value at and below which one is an anomaly."""
        return self.result.alpha

    @property
    def services_folded(self) -> int:
        """How many services are counted together: none."""
        return 0

    def counts(self, key: str) -> pl.DataFrame:
        """``bucket``, ``severity`` (code), ``service`` or ``template`` (id), ``lines`` and ``odd`` ones.

        What was judged is counted by severity and service (a session is of the one that begins it), lines by template.
        """
        if key == "template":
            lines = pl.DataFrame({"bucket": self.buckets, key: self.templates[0], "odd": 0}).filter(self.taken)
        else:
            services = self.frame["service"].gather(self.rows)
            names = self.result.severity_code if key == "severity" else services
            odd = self.result.is_anomaly.astype(np.int64)
            lines = pl.DataFrame({"bucket": self.buckets[self.rows], key: names, "odd": odd})
        return lines.group_by(key, "bucket", maintain_order=True).agg(
            pl.col("odd").sum(), lines=pl.len().cast(pl.Int64)
        )

    def odd_templates(self) -> pl.DataFrame:
        """Every template, the oddest first; see :func:`~anomaly_detection.workflows.odd_templates.odd_templates`."""
        return odd_templates(self)

    def odd_windows(self) -> pl.DataFrame:
        """Every window, the oddest first; see :func:`~anomaly_detection.workflows.odd_windows.odd_windows`."""
        return odd_windows(self)

    def anomalies(self, most: int) -> list[dict[str, Any]]:
        """The most anomalous; see :func:`~anomaly_detection.workflows.odd_lines.told_anomalies`."""
        return told_anomalies(self, most)

    def top(self, most: int) -> list[dict[str, Any]]:
        """The most anomalous as they are written."""
        return self.table[[place for place in self.result.top(most) if self.result.is_anomaly[place]]].to_dicts()
