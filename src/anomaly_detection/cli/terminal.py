"""The terminal: tables, JSON, and progress for work that takes more than two seconds.

What users wrote (values, column names, paths) is never read as markup, and its control characters are shown, not
obeyed; styles come from :class:`rich.text.Text` only.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import JustifyMethod, OverflowMethod

    from anomaly_detection.pipeline import Progress

PATIENCE = 2.0
"""Seconds of work before a progress bar appears."""

SEVERITY_STYLES = {"normal": "green", "low": "yellow", "medium": "dark_orange", "high": "red", "critical": "bold red"}


@cache
def console() -> Console:
    """Where people read: standard output."""
    return Console(highlight=False, markup=False, emoji=False)


@cache
def side() -> Console:
    """Where notes and progress go: standard error."""
    return Console(stderr=True, highlight=False, markup=False, emoji=False)


def plain(text: object) -> str:
    r"""Text of a user with control characters shown instead of obeyed.

    >>> plain("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(each if each.isprintable() or each in "\n\t" else repr(each)[1:-1] for each in str(text))


def cut(text: object, most: int = 1_000) -> str:
    r"""Text in one line, shortened where it is longer than so many characters.

    >>> cut("GET  /a\nHost: b", 10)
    'GET /a Ho…'
    """
    words = " ".join(plain(text).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def say(text: str = "", style: str = "", *, screen: Console | None = None) -> None:
    """Print one paragraph, as it is."""
    (screen or console()).print(Text(plain(text), style=style), soft_wrap=not (screen or console()).is_terminal)


def show_table(
    title: str | None,
    columns: Iterable[str],
    rows: Iterable[Iterable[Any]],
    right: Iterable[str] = (),
    screen: Console | None = None,
    cut: Iterable[str] = (),
) -> None:
    """Print a plain table; the last column takes what is left.

    Those named in ``right`` are aligned to the right; those in ``cut`` have one line, cut to the width there is.
    """
    made = Table(header_style="bold", box=None, pad_edge=False)
    aligned, shortened = set(right), set(cut)
    for column in columns:
        how: OverflowMethod = "ellipsis" if column in shortened else "fold"
        justify: JustifyMethod = "right" if column in aligned else "left"
        made.add_column(Text(column), justify=justify, overflow=how, no_wrap=column in shortened)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    out = screen or console()
    if title:
        out.print(Text(plain(title), style="bold"))
    out.print(made)


def print_json(value: Any) -> None:
    """One JSON document on standard output; what JSON cannot say becomes null or text."""
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode() + "\n")


def severity(name: str, words: str = "") -> Text:
    """A severity, or words about it, in its colour."""
    return Text(words or name, style=SEVERITY_STYLES[name])


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """A progress bar on standard error with the time left, once the work takes longer than :data:`PATIENCE`."""
    if quiet or not side().is_terminal:
        yield lambda *_: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bars = Bars(*columns, console=side(), transient=True)
    task = bars.add_task("working", total=None)
    patience = Timer(PATIENCE, bars.start)
    patience.daemon = True

    def show(what: str, done: int, total: int | None) -> None:
        bars.update(task, description=what, completed=done, total=total)

    patience.start()
    try:
        yield show
    finally:
        patience.cancel()
        patience.join()
        bars.stop()
