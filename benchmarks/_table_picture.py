"""The picture of ``tables.py``: quality against CPU seconds, a panel for each measure and protocol, as SVG."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

WIDTH, PANEL_WIDTH, PANEL_HEIGHT = 768, 312, 210
LEFT, TOP, ACROSS, DOWN = 52, 110, 376, 286
TITLE = "Quality against time"


class Point(NamedTuple):
    """One algorithm: its name, whether it is ours, the CPU seconds on all tables, and its means."""

    name: str
    ours: bool
    seconds: float
    auroc: float
    precision: float


class Axis(NamedTuple):
    """Numbers from ``low`` to ``high`` onto pixels from ``start`` to ``stop``."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """The pixel of a number."""
        return round(self.start + (self.stop - self.start) * (value - self.low) / (self.high - self.low), 1)


class Box(NamedTuple):
    """A rectangle that is taken."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: Box) -> bool:
        """Whether the two share a pixel.

        >>> Box(0, 0, 2, 2).meets(Box(1, 1, 5, 5)), Box(0, 0, 2, 2).meets(Box(3, 0, 2, 2))
        (True, False)
        """
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height


def drawing(protocols: Mapping[str, Sequence[Point]], n_tables: int) -> str:
    """The picture of the points of each protocol, by the words for it."""
    parts = [
        part
        for row, (words, points) in enumerate(protocols.items())
        for part in (
            f'<text class="small strong" x="{LEFT}" y="{TOP - 24 + row * DOWN}">{escape(words.capitalize())}</text>',
            *panel(points, "AUROC", [one.auroc for one in points], LEFT, TOP + row * DOWN),
            *panel(points, "average precision", [one.precision for one in points], LEFT + ACROSS, TOP + row * DOWN),
        )
    ]
    height = TOP + len(protocols) * DOWN - 40
    said = described(protocols, n_tables)
    return FRAME.format(
        width=WIDTH, height=height, title=TITLE, said=escape(said), key=key(n_tables), parts="\n".join(parts)
    )


def described(protocols: Mapping[str, Sequence[Point]], n_tables: int) -> str:
    """The text alternative."""
    return f"{TITLE}: means over {n_tables} tables against CPU seconds. " + " ".join(
        f"{words.capitalize()}: {'; '.join(_of_measure(points, place) for place in (3, 4))}."
        for words, points in protocols.items()
    )


def _of_measure(points: Sequence[Point], place: int) -> str:
    auto = next(one for one in points if one.name == "auto")
    peer = max((one for one in points if not one.ours), key=lambda one: one[place])
    measure = "AUROC" if place == 3 else "average precision"
    return (
        f"{measure} {auto[place]:.3f} of auto in {auto.seconds:.0f} s, "
        f"{peer[place]:.3f} of the best of PyOD, {peer.name.removeprefix('PyOD ')}, in {peer.seconds:.0f} s"
    )


def panel(points: Sequence[Point], measure: str, values: Sequence[float], left: int, top: int) -> list[str]:
    """One panel: grid, marks, and the names of those that nothing quicker beats."""
    x = Axis(*_log_range([one.seconds for one in points]), left, left + PANEL_WIDTH)
    step = 0.05
    low, high = math.floor(min(values) / step) * step, math.ceil((max(values) + 0.1 * step) / step) * step
    y = Axis(low, high, top + PANEL_HEIGHT, top)
    places = [(x(math.log10(one.seconds)), y(value)) for one, value in zip(points, values, strict=True)]
    order = sorted(range(len(points)), key=lambda i: (points[i].name == "auto", points[i].ours))
    return [
        *_grid(x, y, step, measure),
        *_names(points, values, places, Box(left, top, PANEL_WIDTH, PANEL_HEIGHT)),
        *(_mark(points[i], *places[i]) for i in order),
    ]


def _log_range(seconds: Iterable[float]) -> tuple[float, float]:
    logs = [math.log10(one) for one in seconds]
    return min(logs) - 0.1, max(logs) + 0.15


def _grid(x: Axis, y: Axis, step: float, measure: str) -> list[str]:
    left, right, bottom = x.start, x.stop, y.start
    heights = [y.low + step * i for i in range(round((y.high - y.low) / step) + 1)]
    seconds = [10.0**i for i in range(math.ceil(x.low), math.floor(x.high) + 1)]
    return [
        f'<text class="small" x="{left}" y="{y.stop - 6}">{measure}</text>',
        *(f'<path class="grid" d="M{left} {y(v)}H{right}"/>' for v in heights),
        *(f'<text class="small" x="{left - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:.2f}</text>' for v in heights),
        *(f'<path class="grid" d="M{x(math.log10(s))} {y.stop}V{bottom}"/>' for s in seconds),
        *(
            f'<text class="small" x="{x(math.log10(s))}" y="{bottom + 17}" text-anchor="middle">{s:g} s</text>'
            for s in seconds
        ),
        f'<path class="axis" d="M{left} {bottom}H{right}"/>',
    ]


def _mark(point: Point, x: float, y: float) -> str:
    if point.name == "auto":
        return f'<circle class="ours auto" cx="{x}" cy="{y}" r="7"/>'
    if point.ours:
        return f'<circle class="ours" cx="{x}" cy="{y}" r="4"/>'
    return f'<path class="peer" d="M{x} {y - 5:.1f}l5 5-5 5-5-5z"/>'


def _names(
    points: Sequence[Point], values: Sequence[float], places: Sequence[tuple[float, float]], frame: Box
) -> list[str]:
    """The names that find room, the most important ones first."""
    marks = [Box(x - 9, y - 5, 18, 10) for x, y in places]
    taken: list[Box] = []
    out = []
    for i in _worth_naming(points, values):
        name, (x, y) = points[i].name.removeprefix("PyOD "), places[i]
        width = (9 if name == "auto" else 7.5) * len(name)
        spots = {
            Box(x + 9, y - 7, width, 14): ("start", x + 9),
            Box(x - 9 - width, y - 7, width, 14): ("end", x - 9),
            Box(x - width / 2, y - 22, width, 14): ("middle", x),
            Box(x - width / 2, y + 8, width, 14): ("middle", x),
            Box(x + 5 - width, y - 22, width, 14): ("end", x + 5),
        }
        others = [*taken, *marks[:i], *marks[i + 1 :]]
        free = [spot for spot in spots if _inside(spot, frame) and not any(spot.meets(other) for other in others)]
        if free:
            taken.append(free[0])
            anchor, at = spots[free[0]]
            kind = "small strong" if name == "auto" else "small"
            where = f'x="{at:.1f}" y="{free[0].y + 11:.1f}" text-anchor="{anchor}"'
            out.append(f'<text class="{kind}" {where}>{escape(name)}</text>')
    return out


def _inside(spot: Box, frame: Box) -> bool:
    across = frame.x <= spot.x and spot.x + spot.width <= frame.x + frame.width
    return across and frame.y <= spot.y + 2 and spot.y + spot.height <= frame.y + frame.height


def _worth_naming(points: Sequence[Point], values: Sequence[float]) -> list[int]:
    """``auto``, the best of either kind, those that nothing quicker beats among their kind, and the slowest peer."""
    order = sorted(range(len(points)), key=lambda i: -values[i])
    kinds = [[i for i in order if points[i].ours], [i for i in order if not points[i].ours]]
    fronts = [i for kind in kinds for i in _front(kind, points)]
    first = [i for i in order if points[i].name == "auto"] + [kind[0] for kind in kinds]
    return list(dict.fromkeys([*first, *fronts, max(kinds[1], key=lambda i: points[i].seconds)]))


def _front(order: Sequence[int], points: Sequence[Point]) -> list[int]:
    """Of algorithms from the best to the worst those that are quicker than all better ones."""
    quickest = [min(points[i].seconds for i in order[: n + 1]) for n in range(len(order))]
    return [order[0], *(order[n + 1] for n, (before, now) in enumerate(pairwise(quickest)) if now < before)]


def key(n_tables: int) -> str:
    """What the marks mean."""
    return (
        f'<text class="title" x="{LEFT}" y="30">{TITLE}</text>'
        f'<circle class="ours" cx="{LEFT + 206}" cy="25" r="4"/><text class="small" x="{LEFT + 216}" y="30">ours</text>'
        f'<path class="peer" d="M{LEFT + 270} 20l5 5-5 5-5-5z"/><text class="small" x="{LEFT + 280}" y="30">PyOD</text>'
        f'<text class="small" x="{LEFT}" y="50">Means over {n_tables} tables against the CPU seconds of all of them; '
        "the upper left is best</text>"
    )


FRAME = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
aria-labelledby="title said">
<title id="title">{title}</title>
<desc id="said">{said}</desc>
<style>
text {{ font-family: system-ui, sans-serif; fill: #1f2328; stroke: #ffffff; stroke-width: 3; paint-order: stroke }}
.title {{ font-size: 16px; font-weight: 600 }}
.small {{ font-size: 12px; fill: #57606a }}
.strong {{ font-weight: 600; fill: #1f2328 }}
.card {{ fill: #ffffff; stroke: #d0d7de }}
.ours {{ fill: #2f6fbf; stroke: #ffffff }}
.peer {{ fill: #ffffff; stroke: #d9480f; stroke-width: 1.6 }}
.grid {{ stroke: #e4e8ec }}
.axis {{ stroke: #57606a }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3; stroke: #161b22 }}
.small {{ fill: #9da7b3 }}
.strong {{ fill: #e6edf3 }}
.card {{ fill: #161b22; stroke: #3d444d }}
.ours {{ fill: #6cb0ff; stroke: #161b22 }}
.peer {{ fill: #161b22; stroke: #ff9a5c }}
.grid {{ stroke: #2a313a }}
.axis {{ stroke: #9da7b3 }}
}}
</style>
<rect class="card" width="{width}" height="{height}" rx="8"/>
{key}
{parts}
</svg>
"""
