"""Options about time series that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from anomaly_detection.workflows.series_wishes import OF_SERIES, SeriesWishes

SERIES = "Time series (with --timestamp and columns of numbers)"

Direction = Annotated[
    str,
    typer.Option("--direction", help="What is an anomaly: rise, drop or both.", metavar="SIDE", rich_help_panel=SERIES),
]
MinimumChange = Annotated[
    float,
    typer.Option(
        "--minimum-change",
        help="A value nearer to the expected one is none; in its unit.",
        metavar="NUMBER",
        rich_help_panel=SERIES,
    ),
]
MinimumShare = Annotated[
    float,
    typer.Option(
        "--minimum-share",
        help="The same as a share of the expected value: 0.1.",
        metavar="SHARE",
        rich_help_panel=SERIES,
    ),
]
LowerBound = Annotated[
    float | None,
    typer.Option("--lower-bound", help="A value below is one.", metavar="NUMBER", rich_help_panel=SERIES),
]
UpperBound = Annotated[
    float | None,
    typer.Option("--upper-bound", help="A value above is one.", metavar="NUMBER", rich_help_panel=SERIES),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Let a verdict use later rows, too.", rich_help_panel=SERIES),
]
Zone = Annotated[
    str | None,
    typer.Option("--zone", help="Time zone of the calendar: Europe/Berlin.", metavar="NAME", rich_help_panel=SERIES),
]
Budget = Annotated[
    str | None,
    typer.Option(
        "--budget",
        help="Hold this many alarms: 5/week, 5/week/key, or a share of rows, 0.002.",
        metavar="ALARMS",
        rich_help_panel=SERIES,
    ),
]

SET_BY_A_MODEL = OF_SERIES
"""Options that say what to fit, and so have no meaning beside a model that is fitted."""


def wishes(
    direction: str,
    change: float,
    share: float,
    low: float | None,
    high: float | None,
    zone: str | None,
    budget: str | None = None,
    *,
    offline: bool,
) -> SeriesWishes:
    """What is asked of series, from the options as they were typed."""
    return SeriesWishes(direction, change, share, low, high, offline, zone, budget)
