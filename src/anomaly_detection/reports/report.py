"""What a report says, before anything is drawn or written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import InputError
from anomaly_detection.records import counted
from anomaly_detection.reports.columns import ColumnView, column_views
from anomaly_detection.reports.document import Made, Summary
from anomaly_detection.reports.groups import Group, groups_of
from anomaly_detection.reports.making import View, alarm_line, views_of
from anomaly_detection.reports.marks import outside, weights
from anomaly_detection.reports.notes import quality_notes
from anomaly_detection.reports.scores import score_chart
from anomaly_detection.reports.series_charts import SeriesView, series_view
from anomaly_detection.reports.timeline import time_charts, timeline_of
from anomaly_detection.reports.words import listed, number, percent, plain
from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from anomaly_detection.reports.charts import Chart
    from anomaly_detection.reports.document import Column, Document, Evaluation, Row
    from anomaly_detection.reports.marks import Mark

MOST_GROUPED = 5_000
"""So many anomalies are grouped, the most anomalous ones."""

MOST_LISTED = 500
"""So many further anomalies are listed in one line each."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of an anomaly's record; ``mark`` says what is unusual about it by itself."""

    column: str
    value: Any
    mark: str


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One anomaly: its verdict, its group if it is in one, and its record as far as that is known."""

    row: Row
    group: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a page shows.

    Parameters
    ----------
    title, lead : what it is about, and what was found, in one sentence each.
    rows, severities, alpha, evaluation : the counts, the alarm line, and how well labels agree.
    alarm : the alarm line in words: where it is, who drew it, and the raw score there.
    scores, times : charts.
    series : time series and their anomalies, where the rows are some.
    anomalies, further, left_out : told in full, listed, and how many are neither.
    explained : whether the results carry explanations.
    groups, grouped : anomalies that are alike, and how many are in a group.
    columns, columns_in_all : views, and how many columns were looked at.
    quality : notes on the data.
    made : how the results were made.
    views : the algorithms that were combined, with their weights, where it was several.
    """

    title: str
    lead: str
    rows: int
    severities: dict[str, int]
    alpha: float | None
    alarm: str
    evaluation: Evaluation | None
    scores: Chart
    times: tuple[Chart, ...]
    series: SeriesView | None
    anomalies: tuple[Anomaly, ...]
    further: tuple[Row, ...]
    left_out: int
    explained: bool
    groups: tuple[Group, ...]
    grouped: int
    columns: tuple[ColumnView, ...]
    columns_in_all: int
    quality: tuple[str, ...]
    made: Made
    views: tuple[View, ...]

    @property
    def anomaly_count(self) -> int:
        """How many rows are anomalies."""
        return self.rows - self.severities["normal"]


def report_of(document: Document, most: int = 50) -> Report:
    """Gather what a report says.

    Parameters
    ----------
    document : the results.
    most : how many anomalies are told in full.

    Raises
    ------
    InputError
        if there is no row.
    """
    if not document.results:
        raise InputError("There are no rows in the results, so there is nothing to report on.")
    summary, made = document.summary or Summary(), document.made or Made()
    apart = made.schema.key_columns  # what a record is about was not scored
    columns = [column for column in summary.columns if column.name not in apart]
    known = {column.name: column for column in columns}
    records = {
        one.row: {name: value for name, value in one.record.items() if name not in apart} for one in summary.anomalies
    }
    worst = sorted((row for row in document.results if row.is_anomaly), key=_most_anomalous)
    reasons = {row.row: weights(row, records.get(row.row, {}), known) for row in worst[:MOST_GROUPED]}
    groups = groups_of((row, reasons[row.row]) for row in worst[:MOST_GROUPED])
    group_of = {row.row: group.name for group in groups for row in group.rows}
    line, unread = timeline_of(document.results)
    alpha = summary.alpha if summary.alpha is not None else made.alpha
    severities: Counter[str] = Counter(row.severity if row.is_anomaly else "normal" for row in document.results)
    return Report(
        title=_title(made),
        lead=_lead(len(document.results), severities, groups),
        rows=len(document.results),
        severities={name: severities[name] for name in SEVERITIES},
        alpha=alpha,
        alarm=alarm_line(made, alpha, document.results),
        evaluation=summary.evaluation,
        scores=score_chart(document.results, alpha),
        times=time_charts(document.results, line),
        series=None if summary.series is None else series_view(summary.series),
        anomalies=tuple(
            Anomaly(row, group_of.get(row.row, ""), _cells(records.get(row.row, {}), known)) for row in worst[:most]
        ),
        further=tuple(worst[most : most + MOST_LISTED]),
        left_out=max(0, len(worst) - most - MOST_LISTED),
        explained=any(row.explanation is not None for row in worst),
        groups=groups,
        grouped=sum(len(group.rows) for group in groups),
        columns=column_views(columns, _strongest(reasons.values())),
        columns_in_all=max(summary.columns_in_all, len(columns)),
        quality=quality_notes(summary, made.schema, unread),
        made=made,
        views=views_of(made.evidence),
    )


def _most_anomalous(row: Row) -> tuple[float, float, int]:
    return (-row.anomaly_score, -(row.score or 0.0), row.row)


def _title(made: Made) -> str:
    name = made.data.name
    if not name or name == "-":
        return "Anomalies"
    return f"Anomalies in {plain(PurePath(name).name, 80)}"


def _lead(rows: int, severities: Counter[str], groups: Sequence[Group]) -> str:
    found = rows - severities["normal"]
    if not found:
        return f"None of {counted(rows, 'row')} is an anomaly."
    kinds = [name for name in reversed(SEVERITIES[1:]) if severities[name]]
    share = f"{found:,} of {counted(rows, 'row')} ({percent(found / rows)})"
    if found == 1:
        return f"{share} is an anomaly, of {kinds[0]} severity."
    lead = f"{share} are anomalies: {listed([f'{severities[name]:,} {name}' for name in kinds], 4)}."
    if groups and len(groups[0].rows) > 1:
        lead += f" The largest group, {number(len(groups[0].rows))} rows: {groups[0].name}."
    return lead


def _cells(record: Mapping[str, Any], known: Mapping[str, Column]) -> tuple[Cell, ...]:
    cells = []
    for name, value in record.items():
        mark = outside(name, value, known)
        how = "" if mark is None else "rare" if mark.how.startswith("= ") else mark.how
        cells.append(Cell(plain(name, 80), value, how))
    return tuple(cells)


def _strongest(reasons: Iterable[Mapping[Mark, float]]) -> dict[str, int]:
    """How many anomalies name each column as their strongest reason."""
    return Counter(min(one, key=lambda mark: (-one[mark], mark)).column for one in reasons if one)
