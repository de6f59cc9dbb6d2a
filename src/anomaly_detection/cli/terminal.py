"""The terminal: tables, JSON, and progress for work that takes more than two seconds."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from anomaly_detection.pipeline import Progress

PATIENCE = 2.0
"""Seconds of work before a progress bar appears."""

SEVERITY_STYLES = {"normal": "green", "low": "yellow", "medium": "dark_orange", "high": "red", "critical": "bold red"}


@cache
def console() -> Console:
    """Where people read: standard output."""
    return Console(highlight=False)


@cache
def side() -> Console:
    """Where notes and progress go: standard error."""
    return Console(stderr=True, highlight=False)


def table(title: str | None, columns: Iterable[str], rows: Iterable[Iterable[Any]], right: Iterable[str] = ()) -> Table:
    """A plain table; the columns named in ``right`` are aligned to the right."""
    made = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    aligned = set(right)
    for column in columns:
        made.add_column(column, justify="right" if column in aligned else "left", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def print_json(value: Any) -> None:
    """One JSON document on standard output; what JSON cannot say becomes null or text."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode() + "\n")


def styled_severity(severity: str) -> str:
    """A severity in its colour."""
    return f"[{SEVERITY_STYLES[severity]}]{severity}[/]"


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error with the time left, once the work takes longer than :data:`PATIENCE`."""
    if quiet or not side().is_terminal:
        yield lambda *_: None
        return
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=side(),
        transient=True,
    )
    began = time.monotonic()
    task = bars.add_task("", total=None)

    def show(what: str, done: int, total: int | None) -> None:
        bars.update(task, description=what, completed=done, total=total)
        if time.monotonic() - began > PATIENCE:
            bars.start()

    try:
        yield show
    finally:
        bars.stop()
