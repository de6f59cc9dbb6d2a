"""One column's part in one verdict, and how values are shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Reason:
    """One column's part in one verdict.

    Parameters
    ----------
    column : the user's column.
    value : the record's value in it.
    contribution : the part of the score it accounts for, in units of the raw score.
    normal : what is normal in this column, in words.
    share : its part of all that the columns add to the score, in [0, 1].
    """

    column: str
    value: Any
    contribution: float
    normal: str
    share: float = 0.0

    def sentence(self) -> str:
        """One plain sentence.

        >>> Reason("amount", 9000.0, 0.2, "5 to 120").sentence()
        'amount is 9000 (normal: 5 to 120)'
        """
        return f"{self.column} is {shown(self.value)} (normal: {self.normal})"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {name: getattr(self, name) for name in ("column", "value", "contribution", "share", "normal")}


def shown(value: Any) -> str:
    """A value as a sentence has it.

    >>> shown(0.1 + 0.2), shown(None), shown("NL")
    ('0.3', 'missing', "'NL'")
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "missing"
    if isinstance(value, float):
        return f"{value:.{15 if 1e6 <= abs(value) < 1e15 else 6}g}"
    words = str(value)
    return repr(words if len(words) <= 40 else f"{words[:37]}...") if isinstance(value, str) else words


def listed(words: Sequence[str]) -> str:
    """Words in one sentence.

    >>> listed(["a", "b", "c"]), listed(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
