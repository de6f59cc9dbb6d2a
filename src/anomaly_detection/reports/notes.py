"""What to know about the data before trusting what was found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.records import counted
from anomaly_detection.reports.words import listed, number, percent, plain

if TYPE_CHECKING:
    from anomaly_detection.reports.document import Column, Schema, Summary

MUCH_MISSING = 0.2
"""A column that misses more than this share of its values is noted."""

NAMED = 8
"""How many columns a note names."""


def quality_notes(summary: Summary, schema: Schema, unread: str | None) -> tuple[str, ...]:
    """One sentence for each thing to know; ``unread`` says where times could not be read."""
    notes = [plain(note, 400) for note in summary.notes]
    for reason, names in _by_reason(schema).items():
        notes.append(f"Not looked at: {listed(names, NAMED)} ({reason}).")
    holes = [
        f"{plain(column.name, 80)} ({percent(share)})"
        for column in summary.columns
        if (share := column.missing / max(1, _rows(column))) >= MUCH_MISSING
    ]
    if holes:
        notes.append(f"Many values are missing in {listed(holes, NAMED)}.")
    if summary.repeated_rows:
        noun = "row repeats" if summary.repeated_rows == 1 else "rows repeat"
        among = f" among the first {counted(summary.repeated_among, 'row')}"
        notes.append(f"{number(summary.repeated_rows)} {noun} another one in every column that was looked at,{among}.")
    return (*notes, unread) if unread else tuple(notes)


def _by_reason(schema: Schema) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for column in schema.set_aside:
        found.setdefault(plain(column.reason), []).append(plain(column.name, 80))
    return found


def _rows(column: Column) -> int:
    counts = column.bins.rows if column.bins else [*(one.rows for one in column.values), column.others.rows]
    return sum(counts) + column.missing
