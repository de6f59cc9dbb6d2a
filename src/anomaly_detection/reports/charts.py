"""Charts as plain shapes: paths in a square of 1000 by 1000, words beside it, and the numbers as a table.

The square is stretched to the room there is, so the same drawing fits a phone, a screen and paper. The table says the
same to those who cannot see the drawing, and is what a pointer or the keyboard reads out, row by row.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anomaly_detection.reports.words import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SIDE = 1000
"""The width and the height of the square."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Marks of one kind; ``style`` is their class in the style sheet."""

    style: str
    path: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Words below a place; minor ones appear when there is room for them, kept ones are never left out."""

    at: int
    words: str
    major: bool = True
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line and what it stands for."""

    at: int
    words: str
    style: str = "grid"


@dataclass(frozen=True, slots=True)
class Chart:
    """One drawing.

    Parameters
    ----------
    name : its id in the page.
    title, about : what it shows, and how to read it.
    shapes, ticks, levels : what is drawn.
    lines : vertical lines with words.
    legend : styles and what they stand for.
    edges : where the cells begin and end that can be read, in rising order.
    header, cells : the table; one row for each cell.
    """

    name: str
    title: str
    about: str
    shapes: tuple[Shape, ...]
    ticks: tuple[Tick, ...]
    levels: tuple[Level, ...]
    edges: tuple[int, ...]
    header: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    lines: tuple[Tick, ...] = ()
    legend: tuple[tuple[str, str], ...] = field(default=())

    def to_dict(self) -> dict[str, object]:
        """The numbers, for JSON."""
        return {"title": self.title, "columns": self.header, "rows": self.cells}


def bars(edges: Sequence[float], heights: Iterable[float], floors: Iterable[float] | None = None) -> str:
    """A path of upright bars between edges; heights and floors in [0, 1], those of no height are left out.

    >>> bars([0, 500, 1000], [0.5, 0.0])
    'M3 1000V500H497V1000Z'
    """
    every = list(heights)
    below = [0.0] * len(every) if floors is None else list(floors)
    parts = []
    for left, right, height, floor in zip(edges, edges[1:], every, below, strict=False):
        if height <= floor:
            continue
        gap = min(3.0, 0.12 * (right - left))
        bottom, top = _down(floor), _down(height)
        parts.append(f"M{left + gap:.4g} {bottom}V{min(top, bottom - 4)}H{right - gap:.4g}V{bottom}Z")
    return "".join(parts)


def polyline(points: Iterable[tuple[float, float] | None]) -> str:
    """A path through points whose second part is in [0, 1]; None breaks it.

    >>> polyline([(0, 0.0), (500, 1.0), None, (900, 0.5)])
    'M0 1000L500 0M900 500h0'
    """
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is not None:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return "".join(_run(run) for run in runs if run)


def dots(points: Iterable[tuple[float, float]]) -> str:
    """A path of dots, to be drawn with round ends."""
    return "".join(f"M{x:.4g} {_down(y)}h0" for x, y in points)


def logarithmic(count: float, most: float) -> float:
    """How high a count stands where the scale is logarithmic and begins just below one; 0 for none.

    >>> logarithmic(0, 100), logarithmic(100, 100)
    (0.0, 1.0)
    """
    return 0.0 if count <= 0 else (math.log10(count) + 0.3) / (math.log10(max(most, 1)) + 0.3)


def count_levels(most: int) -> tuple[Level, ...]:
    """Levels at 1, 10, 100 … of a logarithmic scale."""
    return tuple(
        Level(_down(logarithmic(10**power, most)), number(10**power)) for power in range(len(str(max(most, 1))))
    )


def even_levels(most: float, unit: str = "", *, whole: bool = False) -> tuple[float, tuple[Level, ...]]:
    """The top of an even scale for values up to ``most``, and a few levels in it, at whole numbers if asked for.

    >>> top, levels = even_levels(45.0, " %")
    >>> top, [level.words for level in levels]
    (60.0, ['20 %', '40 %', '60 %'])
    """
    power = 10.0 ** math.floor(math.log10(most)) if most > 0 else 1.0
    step = next(each * power for each in (0.25, 0.5, 1.0, 2.0, 5.0) if most <= 3 * each * power or each == 5.0)
    step = float(max(1, math.ceil(step))) if whole else step
    count = max(1, math.ceil(most / step))
    return step * count, tuple(Level(_down(i / count), number(step * i) + unit) for i in range(1, count + 1))


def spread(words: Sequence[tuple[int, str]], most: int = 5) -> tuple[Tick, ...]:
    """Ticks of which at most ``most``, evenly chosen, are major."""
    step = max(1, math.ceil((len(words) - 1) / max(1, most - 1)))
    return tuple(Tick(at, label, i % step == 0) for i, (at, label) in enumerate(words))


def _run(run: list[tuple[float, float]]) -> str:
    first, *others = [f"{x:.4g} {_down(y)}" for x, y in run]
    return f"M{first}L{' '.join(others)}" if others else f"M{first}h0"


def _down(share: float) -> int:
    """The height of a share, counted from the top as SVG does."""
    return round(SIDE * (1 - min(1.0, max(0.0, share))))
