"""Why a line or a session of a log is an anomaly, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from anomaly_detection.logs import LogResult

WORDS = {
    "isolation_forest": "unusual features",
    "pca": "an unusual combination of features",
    "sliding_window": "unusual error rate, latency or volume of the service",
    "rare_templates": "a rare or new template",
    "template_rate": "a template at an unusual rate",
    "parameters": "an unusual parameter",
    "attributes": "an unusual level, service or status code",
    "sequences": "an unusual order of lines",
    "response_times": "slow answers",
    "service_rate": "a surge or silence of the service",
    "counts": "unusual counts of templates",
    "pairs": "rare pairs of lines",
    "pauses": "an unusual pause",
}
"""What a method sees, in words."""

ODDEST = "; oddest line: "
"""What stands between the reason of a session and its oddest line."""

MOST = 3
"""Methods that are named."""

LONGEST = 160
"""Characters of a message that are shown."""


def reasons_of_lines(result: LogResult) -> pl.Series:
    """One sentence for each anomaly, null for the others: what the methods see that find it the most unusual."""
    return pl.Series(_sentences(result), dtype=pl.String)


def reasons_of_sessions(result: LogResult, worst: pl.Series) -> pl.Series:
    """The same for sessions, with the message of their oddest line."""
    told = _sentences(result)
    shown = (message[:LONGEST] + "…" if message and len(message) > LONGEST else message or "" for message in worst)
    return pl.Series(
        [None if words is None else f"{words}{ODDEST}{text}" for words, text in zip(told, shown, strict=True)],
        dtype=pl.String,
    )


def _sentences(result: LogResult) -> list[str | None]:
    names = list(result.parts)
    p_values = np.array([result.parts[name] for name in names]).T.reshape(len(result), len(names))
    told: list[str | None] = [None] * len(result)
    for i in np.flatnonzero(result.is_anomaly).tolist():
        order = np.argsort(p_values[i], kind="stable")[:MOST]
        named = [k for k in order.tolist() if p_values[i, k] <= result.alpha] or order[:1].tolist()
        told[i] = ", ".join(WORDS[names[k]] for k in named)
    return told
