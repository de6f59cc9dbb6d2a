"""How the anomaly scores are spread."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from anomaly_detection.reports import charts as c
from anomaly_detection.reports.words import number
from anomaly_detection.results import SEVERITIES, SEVERITY_LINES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from anomaly_detection.reports.document import Row

BINS = 50
"""How many bins the scores from 0 to 1 fall into; every severity begins with one."""


def score_chart(rows: Iterable[Row], alpha: float | None) -> c.Chart:
    """A histogram of the anomaly scores, by severity, with the alarm line."""
    counts: Counter[tuple[int, str]] = Counter((_bin(row.anomaly_score), row.severity) for row in rows)
    return chart_of_counts(counts, alpha)


def chart_of_counts(counts: Mapping[tuple[int, str], int], alpha: float | None, unit: str = "row") -> c.Chart:
    """The same, of how many of what was judged have each bin and severity; ``unit`` is what was judged."""
    totals = [sum(counts.get((i, name), 0) for name in SEVERITIES) for i in range(BINS)]
    most = max(totals)
    edges = [round(c.SIDE * i / BINS) for i in range(BINS + 1)]
    shapes = tuple(_shape(name, counts, edges, most) for name in SEVERITIES)
    line = round(c.SIDE * SEVERITY_LINES[0])
    words = "alarm line" if alpha is None else f"alarm line, p = {number(alpha)}"
    units = f"{unit}s"
    return c.Chart(
        name="scores",
        title="How the anomaly scores are spread",
        about=f"{units.capitalize()} by anomaly score, on a logarithmic scale. {units.capitalize()} at or right of the "
        "alarm line are anomalies.",
        shapes=tuple(shape for shape in shapes if shape.path),
        ticks=tuple(c.Tick(edge, f"{i / BINS:g}", i % 10 == 0) for i, edge in enumerate(edges)),
        levels=c.count_levels(most),
        edges=tuple(edges),
        header=("anomaly score", units),
        cells=tuple((f"{i / BINS:.2f} to {(i + 1) / BINS:.2f}", number(total)) for i, total in enumerate(totals)),
        lines=(c.Tick(line, words),),
        legend=tuple((name, name) for name, shape in zip(SEVERITIES, shapes, strict=True) if shape.path),
    )


def _bin(score: float) -> int:
    return min(int(score * BINS + 1e-9), BINS - 1)


def _shape(name: str, counts: Mapping[tuple[int, str], int], edges: list[int], most: int) -> c.Shape:
    """The bars of one severity; a bin that holds two severities shows the milder one below."""
    below = SEVERITIES[: SEVERITIES.index(name)]
    floors = [sum(counts.get((i, other), 0) for other in below) for i in range(BINS)]
    tops = [floor + counts.get((i, name), 0) for i, floor in enumerate(floors)]
    heights = [c.logarithmic(top, most) for top in tops]
    return c.Shape(name, c.bars(edges, heights, [c.logarithmic(floor, most) for floor in floors]))
