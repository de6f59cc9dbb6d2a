"""One view per column: what the anomalies have in it, beside all other rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from anomaly_detection.reports import charts as c
from anomaly_detection.reports.words import DAY, clock, moment, number, percent, plain, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anomaly_detection.reports.document import Bins, Column

OVERFLOW = 40
"""The room between the bins and those for values beyond them, in a chart of 1000."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How often one word comes in the anomalies and in the other rows."""

    words: str
    others: float
    anomalies: float


@dataclass(frozen=True, slots=True)
class ColumnView:
    """What one column holds.

    Parameters
    ----------
    name, kind : of the column.
    facts : what is normal, what is missing, and the like, one sentence each.
    chart : for numbers, times and lengths.
    bars : for words.
    """

    name: str
    kind: str
    facts: tuple[str, ...]
    chart: c.Chart | None
    bars: tuple[Bar, ...]


def column_views(columns: list[Column], named: Mapping[str, int]) -> tuple[ColumnView, ...]:
    """A view for each column: those that explain most anomalies first, then those in which the anomalies differ most.

    Parameters
    ----------
    columns : what they hold.
    named : how many anomalies name each column as their strongest reason.
    """
    order = sorted(columns, key=lambda one: (-named.get(one.name, 0), -one.difference, one.name))
    return tuple(_view(column, named.get(column.name, 0), f"column-{i}") for i, column in enumerate(order))


def _view(column: Column, named: int, name: str) -> ColumnView:
    chart = _histogram(column, column.bins, name) if column.bins is not None else None
    return ColumnView(plain(column.name, 80), column.kind, _facts(column, named), chart, _bars(column))


def _facts(column: Column, named: int) -> tuple[str, ...]:
    facts = []
    if named:
        facts.append(f"The strongest reason for {number(named)} of the explained anomalies.")
    if len(column.usual) == 2 and column.bins is not None:
        low, high = (_edge(column, column.bins, edge) for edge in column.usual)
        facts.append(f"The middle 90 %: {low} to {high}.")
    if column.lowest is not None and column.highest is not None and column.unit in ("number", "seconds"):
        facts.append(f"All values: {number(column.lowest)} to {number(column.highest)}.")
    if column.missing and not column.values:
        others, anomalies = _totals(column)
        anomalous = f", in {percent(column.missing_anomalies / anomalies)} of the anomalies" if anomalies else ""
        share = (column.missing - column.missing_anomalies) / others if others else 0.0
        facts.append(f"Missing in {percent(share)} of the other rows{anomalous}.")
    return tuple(facts)


def _bars(column: Column) -> tuple[Bar, ...]:
    if not column.values:
        return ()
    others, anomalies = _totals(column)
    found = [(plain(one.value, 60) or "(empty text)", one.rows, one.anomalies) for one in column.values]
    if column.others.rows:
        found.append(("all other values", column.others.rows, column.others.anomalies))
    if column.missing:
        found.append(("missing", column.missing, column.missing_anomalies))
    return tuple(Bar(words, (rows - odd) / max(1, others), odd / max(1, anomalies)) for words, rows, odd in found)


def _histogram(column: Column, bins: Bins, name: str) -> c.Chart:
    below, above = bool(bins.rows[0]), bool(bins.rows[-1])
    places = _places(len(bins.edges) - 1, below=below, above=above)
    kept = slice(0 if below else 1, None if above else -1)
    others, anomalies = _totals(column)
    normal = [(rows - odd) / max(1, others) for rows, odd in zip(bins.rows, bins.anomalies, strict=True)][kept]
    odd = [count / max(1, anomalies) for count in bins.anomalies][kept]
    top, levels = c.even_levels(100 * max(*normal, *odd, 0.001), " %")
    words = _bin_words(column, bins)[kept]
    return c.Chart(
        name=name,
        title=f"Values of {plain(column.name, 80)}" if column.unit != "characters" else "Length in characters",
        about="The share of the anomalies, and of all other rows, in each bin.",
        shapes=tuple(shape for shape in _shapes(places, normal, odd, top) if shape.path),
        ticks=_ticks(column, bins, places, below=below, above=above),
        levels=levels,
        edges=tuple(places),
        header=(column.unit if column.unit != "number" else "value", "other rows", "anomalies"),
        cells=tuple((word, percent(a), percent(b)) for word, a, b in zip(words, normal, odd, strict=True)),
    )


def _shapes(places: list[int], normal: list[float], odd: list[float], top: float) -> tuple[c.Shape, ...]:
    return (
        c.Shape("others", c.bars(places, [100 * share / top for share in normal])),
        c.Shape("odd", _narrow(places, [100 * share / top for share in odd])),
    )


def _narrow(places: list[int], heights: list[float]) -> str:
    """Bars of half the width, in front of the others."""
    parts = []
    for left, right, height in zip(places, places[1:], heights, strict=False):
        quarter = (right - left) / 4
        parts.append(c.bars([left + quarter, right - quarter], [height]))
    return "".join(parts)


def _places(bins: int, *, below: bool, above: bool) -> list[int]:
    """Where the bins begin and end; those beyond the others stand somewhat apart by being narrower."""
    left, right = (OVERFLOW if below else 0), (c.SIDE - OVERFLOW if above else c.SIDE)
    inner = [round(left + (right - left) * i / bins) for i in range(bins + 1)]
    return [*([0] if below else []), *inner, *([c.SIDE] if above else [])]


def _ticks(column: Column, bins: Bins, places: list[int], *, below: bool, above: bool) -> tuple[c.Tick, ...]:
    """Words below the edges, or below the bins where each is a whole number; the bins beyond say so."""
    inner = places[(1 if below else 0) : (-1 if above else None)]
    whole = _is_whole(bins)
    words = [number(edge + 0.5) if whole else _edge(column, bins, edge) for edge in bins.edges]
    if whole:
        inner = [(a + b) // 2 for a, b in pairwise(inner)]
        words.pop()
    ends = [c.Tick(OVERFLOW // 2, f"< {words[0]}", kept=True)] if below else []
    ends += [c.Tick(c.SIDE - OVERFLOW // 2, f"> {words[-1]}", kept=True)] if above else []
    room = [(at, word) for at, word in zip(inner, words, strict=True) if all(abs(at - end.at) > 160 for end in ends)]
    return (*c.spread(room, 4), *ends)


def _bin_words(column: Column, bins: Bins) -> list[str]:
    words = [_edge(column, bins, edge) for edge in bins.edges]
    if _is_whole(bins):
        inner = [number(edge + 0.5) for edge in bins.edges[:-1]]
        return [f"below {inner[0]}", *inner, f"above {inner[-1]}"]
    inner = [f"{a} to {b}" for a, b in pairwise(words)]
    return [f"below {words[0]}", *inner, f"above {words[-1]}"]


def _edge(column: Column, bins: Bins, edge: float) -> str:
    if column.unit == "time":
        return moment(edge, min(DAY, bins.edges[1] - bins.edges[0]))
    return clock(edge) if column.unit == "clock" else shown(edge)


def _is_whole(bins: Bins) -> bool:
    """Whether each bin holds one whole number."""
    return all(edge % 1 == 0.5 for edge in bins.edges) and bins.edges[-1] - bins.edges[0] == len(bins.edges) - 1


def _totals(column: Column) -> tuple[int, int]:
    """How many other rows and how many anomalies there are."""
    if column.bins is not None:
        rows, odd = sum(column.bins.rows), sum(column.bins.anomalies)
    else:
        rows = sum(one.rows for one in column.values) + column.others.rows
        odd = sum(one.anomalies for one in column.values) + column.others.anomalies
    return rows + column.missing - odd - column.missing_anomalies, odd + column.missing_anomalies
