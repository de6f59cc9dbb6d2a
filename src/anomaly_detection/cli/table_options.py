"""Options of the checks of tables."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import typer

from anomaly_detection.errors import ParameterError

TABLE = "The table"
PAST = "Its past"
JUDGED = "What is judged"

Data = Annotated[
    str | None,
    typer.Argument(help="A file, or a directory of daily files; not with --url.", metavar="[FILE | DIRECTORY]"),
]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="A database: sqlite:///file.db, postgresql://user@host/database.",
        metavar="URL",
        rich_help_panel=TABLE,
    ),
]
Table = Annotated[
    str | None,
    typer.Option("--table", help="Its table; schema.table for another schema.", metavar="NAME", rich_help_panel=TABLE),
]
Timestamp = Annotated[
    str | None,
    typer.Option(
        "--timestamp",
        help="The column with the time of a row; each day is a run, and the latest is judged.",
        metavar="NAME",
        rich_help_panel=PAST,
    ),
]
Every = Annotated[
    str, typer.Option("--every", help="With --timestamp: day or hour.", metavar="STEP", rich_help_panel=PAST)
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--zone", help="The time zone of the days, such as Europe/Berlin.", metavar="NAME", rich_help_panel=PAST
    ),
]
History = Annotated[
    str | None,
    typer.Option(
        "--history",
        help="A folder of remembered runs, or of earlier daily files.",
        metavar="FOLDER",
        rich_help_panel=PAST,
    ),
]
Remember = Annotated[
    bool, typer.Option("--remember", help="Add this run to --history.", rich_help_panel=PAST, show_default=False)
]
Now = Annotated[
    str | None,
    typer.Option("--now", help="The present; what is later is left out.", metavar="TIME", rich_help_panel=PAST),
]
Segment = Annotated[
    list[str] | None,
    typer.Option(
        "--segment",
        help="Columns a,b whose values part the table, to say which part is guilty.",
        metavar="NAMES",
        rich_help_panel=JUDGED,
    ),
]
Alpha = Annotated[
    float,
    typer.Option(
        "--alpha", help="The share of normal runs that may raise an alarm.", metavar="SHARE", rich_help_panel=JUDGED
    ),
]
Direction = Annotated[
    str,
    typer.Option("--direction", help="both, rise or drop.", metavar="WHICH", rich_help_panel=JUDGED),
]
MinimumRelative = Annotated[
    float,
    typer.Option(
        "--minimum-relative",
        help="No alarm nearer to what was expected than this share of it.",
        metavar="SHARE",
        rich_help_panel=JUDGED,
    ),
]
Holidays = Annotated[
    list[str] | None,
    typer.Option(
        "--holiday", help="A day unlike others, 2026-12-25; repeatable.", metavar="DATE", rich_help_panel=JUDGED
    ),
]
Country = Annotated[
    str | None,
    typer.Option(
        "--country",
        help="Whose holidays are unlike other days: DE, US-CA.",
        metavar="CODE",
        rich_help_panel=JUDGED,
    ),
]


def moment(text: str) -> datetime:
    """A time as it was typed.

    Raises
    ------
    ParameterError
        for what is none.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ParameterError(f"{text!r} is no time. Write it like 2026-03-01 or 2026-03-01T06:30.") from None


def day(text: str) -> date:
    """A day as it was typed; raises as :func:`moment` does."""
    return moment(text).date()
