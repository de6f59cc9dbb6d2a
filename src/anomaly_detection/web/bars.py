"""Bars over time, drawn on the server, with the table that says the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anomaly_detection.results import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 1000, 160


@dataclass(frozen=True, slots=True)
class Bar:
    """One block of a bar."""

    style: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A drawing of ``WIDTH`` by ``HEIGHT``, and its table.

    Parameters
    ----------
    blocks : what is drawn.
    most : the highest bar.
    header, cells : the table.
    """

    blocks: tuple[Bar, ...]
    most: int
    header: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


def stacked(counts: Sequence[Mapping[str, int]], names: Sequence[str]) -> Bars:
    """Bars of anomalies, each class of severity upon the lower one.

    Parameters
    ----------
    counts : for each part of the time, how many of each severity.
    names : of the parts.

    Examples
    --------
    >>> stacked([{"low": 1}, {"low": 1, "high": 3}], ["a", "b"]).most
    4
    """
    kinds = SEVERITIES[1:]
    most = max((sum(one.values()) for one in counts), default=0)
    step = WIDTH / max(len(counts), 1)
    blocks = []
    for i, one in enumerate(counts):
        below = 0
        for kind in kinds:
            height = HEIGHT * one.get(kind, 0) / max(most, 1)
            if height:
                below += one[kind]
                y = HEIGHT - HEIGHT * below / most
                blocks.append(Bar(kind, round(i * step + 1, 2), round(y, 2), round(step - 2, 2), round(height, 2)))
    filled = [(name, one) for name, one in zip(names, counts, strict=True) if one]
    cells = tuple((name, *(str(one.get(kind, 0)) for kind in reversed(kinds))) for name, one in filled)
    return Bars(tuple(blocks), most, ("time", *reversed(kinds)), cells)
