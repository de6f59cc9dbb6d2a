"""Options of the commands on logs."""

from __future__ import annotations

from typing import Annotated

import typer

from anomaly_detection.errors import ParameterError

RECORDS = "The log"
ROLES = "Which field holds what (told from usual names by default)"
WRITTEN = "What comes out"

File = Annotated[str, typer.Argument(help="The log file, .gz and .zst too; - is standard input.", metavar="FILE")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="auto, json, logfmt, syslog, syslog5424, common, combined, text, cri, docker, csv, parquet, plain, …",
        metavar="FORMAT",
        rich_help_panel=RECORDS,
    ),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        help="A regular expression with named groups: '(?<time>\\S+) (?<message>.*)'.",
        metavar="REGEX",
        rich_help_panel=RECORDS,
    ),
]
Aside = Annotated[
    str | None,
    typer.Option(
        "--aside", help="Keep lines that cannot be decoded in this file.", metavar="FILE", rich_help_panel=RECORDS
    ),
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--zone", help="Time zone of time stamps that name none; UTC.", metavar="NAME", rich_help_panel=RECORDS
    ),
]
Time = Annotated[str | None, typer.Option("--time", help="When.", metavar="NAME", rich_help_panel=ROLES)]
Level = Annotated[str | None, typer.Option("--level", help="How severe.", metavar="NAME", rich_help_panel=ROLES)]
Service = Annotated[str | None, typer.Option("--service", help="Who wrote it.", metavar="NAME", rich_help_panel=ROLES)]
Session = Annotated[
    str | None,
    typer.Option(
        "--session", help="Which session a line is of: judge sessions.", metavar="NAME", rich_help_panel=ROLES
    ),
]
SessionPattern = Annotated[
    str | None,
    typer.Option(
        "--session-pattern",
        help="Sessions by what their names look like in the message, or in the field of --session: 'blk_-?\\d+'.",
        metavar="REGEX",
        rich_help_panel=ROLES,
    ),
]
Sessions = Annotated[
    bool,
    typer.Option("--sessions", help="Judge sessions, of a field with a usual name.", rich_help_panel=ROLES),
]
ResponseTime = Annotated[
    str | None, typer.Option("--response-time", help="How long it took.", metavar="NAME", rich_help_panel=ROLES)
]
Status = Annotated[str | None, typer.Option("--status", help="The status code.", metavar="NAME", rich_help_panel=ROLES)]
TrainRows = Annotated[
    int | None,
    typer.Option(
        "--train-rows",
        min=1,
        help="Learn from the first rows, judge the others.",
        metavar="NUMBER",
        rich_help_panel="The verdicts",
    ),
]
Minutes = Annotated[
    float,
    typer.Option("--minutes", help="The length of the window.", metavar="NUMBER", rich_help_panel=WRITTEN),
]
Message = Annotated[str | None, typer.Option("--message", help="The text.", metavar="NAME", rich_help_panel=ROLES)]
Mask = Annotated[
    list[str] | None,
    typer.Option(
        "--mask", help="A further kind of parameter: order=ORD-[A-Z]+", metavar="NAME=REGEX", rich_help_panel=RECORDS
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="Write a row for each line: .csv .json .jsonl .parquet, .gz and .zst too; - is standard output.",
        metavar="FILE",
        rich_help_panel=WRITTEN,
    ),
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--output-format", help="When the name of --output does not tell.", metavar="FORMAT", rich_help_panel=WRITTEN
    ),
]
Report = Annotated[
    str | None,
    typer.Option(
        "--report",
        help="Write a report for people: .html (one page that opens anywhere), .md or .json.",
        metavar="FILE",
        rich_help_panel=WRITTEN,
    ),
]
Top = Annotated[
    int, typer.Option("--top", min=0, max=10_000, help="How many to show.", metavar="NUMBER", rich_help_panel=WRITTEN)
]


def fields(**given: str | None) -> dict[str, str]:
    """The fields that were named."""
    return {column: name for column, name in given.items() if name is not None}


def masks(given: list[str] | None) -> dict[str, str]:
    """Masks by name.

    Raises
    ------
    ParameterError
        for one without a name or a regular expression.
    """
    pairs = [text.partition("=") for text in given or ()]
    wrong = next((name for name, _, regex in pairs if not name or not regex), None)
    if wrong is not None:
        raise ParameterError(f"--mask {wrong!r} needs a name and a regular expression: --mask order=ORD-[A-Z]+")
    return {name: regex for name, _, regex in pairs}
