"""How far the searches of explanations look: less far in very wide tables, where one score takes long."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

WIDE = 256
"""Features from which on less is looked at, in proportion."""


@dataclass(frozen=True, slots=True)
class Effort:
    """Bounds of the searches, each for one row.

    Parameters
    ----------
    players : columns, or groups of them, that contributions are found for.
    tried : columns tried in the first step, those that add most to the score first.
    values : values of each column that a search begins with.
    kept : attempts that are kept after each step, beside the one with the columns that add most.
    alone, shares : columns tried in the later steps: the best by themselves, and those that add most to the score.
    leaders : sets of columns that the second round looks at.
    together : normal rows whose values a set of columns takes all at once in the second round.
    finals : sets of columns whose values are refined at the end.
    fine : values tried in each changed column at the end.
    nearest : normal rows that a record is turned into where few columns are not enough.
    counts : numbers of columns that are tried then, evenly spread where there are more columns.
    taken_back : scorings for taking back changes that it does without.
    nearer : changed numbers that are moved back towards the record's own.
    """

    players: int = 256
    tried: int = 64
    values: int = 8
    kept: int = 3
    alone: int = 8
    shares: int = 6
    leaders: int = 4
    together: int = 64
    finals: int = 2
    fine: int = 32
    nearest: int = 8
    counts: int = 64
    taken_back: int = 2048
    nearer: int = 64


LEAST = Effort(
    players=64,
    tried=12,
    values=4,
    kept=1,
    alone=3,
    shares=3,
    leaders=2,
    together=16,
    finals=1,
    fine=8,
    nearest=2,
    counts=12,
    taken_back=64,
    nearer=4,
)
"""However wide the table is."""


@lru_cache(maxsize=64)
def effort_for(width: int) -> Effort:
    """What a table of so many features gets: in proportion to :data:`WIDE` / width, at least :data:`LEAST`.

    >>> effort_for(20) == Effort(), effort_for(512).tried, effort_for(1_000_000) == LEAST
    (True, 32, True)
    """
    part = min(1.0, WIDE / max(1, width))
    most = Effort()
    return Effort(
        **{one.name: max(getattr(LEAST, one.name), round(part * getattr(most, one.name))) for one in fields(Effort)}
    )
