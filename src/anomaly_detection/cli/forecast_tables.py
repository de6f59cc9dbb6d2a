"""A forecast as a person reads it: a line of blocks, a table, and a sentence about the limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from anomaly_detection.cli.terminal import plain, say, show_table
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

    from anomaly_detection.series.forecasting import Outlook, Outlooks

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 48
"""Blocks for the history, and at most as many for the forecast."""

MOST_SERIES = 3
"""So many forecasts are shown in full; of the others only what is said of the limit."""

MOST_ROWS = 12
"""A table has at most so many rows, evenly chosen, the last one among them."""

MOST_SENTENCES = 20
"""What is said of the limit is said of at most so many series."""


def show_forecasts(found: Outlooks, screen: Console) -> None:
    """Print the first few forecasts, and when the limit will be crossed in all."""
    for one in found.outlooks[:MOST_SERIES]:
        _show(one, found.level, screen)
    left = len(found) - MOST_SERIES
    if left > 0:
        say(f"… and {counted(left, 'further forecast')}; --output writes all of them.", "dim", screen=screen)
    crossings = sorted(found.crossings(), key=lambda one: -one.probability)
    for crossing in crossings[:MOST_SENTENCES]:
        likely = crossing.beyond_now or crossing.expected is not None
        say(crossing.sentence(), "red" if likely else "", screen=screen)
    if len(crossings) > MOST_SENTENCES:
        say(f"… and {len(crossings) - MOST_SENTENCES:,} less probable ones.", "dim", screen=screen)


def _show(one: Outlook, level: float, screen: Console) -> None:
    title = f"{one.column} of {one.key}" if one.key else one.column
    screen.print(Text(plain(title), style="bold"), _line(one))
    rows = np.unique(np.linspace(0, len(one.mean) - 1, min(MOST_ROWS, len(one.mean))).round().astype(np.int64))
    band = f"{100 * level:g} % between"
    names = ["time", "expected", band, "and"] + (["beyond limit"] if one.probability is not None else [])
    cells = [_cells(one, int(row)) for row in rows]
    show_table(None, names, cells, right=names[1:], screen=screen)
    screen.print()


def _cells(one: Outlook, row: int) -> list[Any]:
    numbers = [_number(values[row]) for values in (one.mean, one.lower, one.upper)]
    chance = [] if one.probability is None else [f"{100 * one.probability[row]:.1f} %"]
    return [str(one.time[row]), *numbers, *chance]


def _number(value: float) -> str:
    """Four digits that count.

    >>> _number(1234567.8), _number(0.0123456), _number(float("nan"))
    ('1,234,568', '0.01235', '-')
    """
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def _line(one: Outlook) -> Text:
    """The end of the history, and the forecast, as blocks of the same scale."""
    share = min(WIDTH, len(one.mean))
    past, ahead = _thinned(one.history[-4 * len(one.mean) :], WIDTH), _thinned(one.mean, share)
    both = np.concatenate([past, ahead])
    low, high = float(np.nanmin(both)), float(np.nanmax(both))
    blocks = [_block(value, low, high) for value in both]
    return Text("".join(blocks[: len(past)]), style="dim") + Text("".join(blocks[len(past) :]), style="bold cyan")


def _thinned(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most so many values: the means of stretches, NaN where all is missing."""
    parts = np.array_split(values, min(most, len(values)))
    return np.array([np.nan if np.isnan(one).all() else np.nanmean(one) for one in parts])


def _block(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return " "
    return BLOCKS[min(7, int(8 * (value - low) / (high - low)))] if high > low else BLOCKS[3]
