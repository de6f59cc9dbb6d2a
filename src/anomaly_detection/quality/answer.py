"""What every check of a table answers, and one thing that is wrong with it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import asdict, dataclass
from math import log10
from typing import Any

from anomaly_detection.results import SEVERITIES, SEVERITY_LINES


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a check, in the form that all four have.

    Parameters
    ----------
    is_anomaly : whether the table is not as expected.
    severity : ``normal``, ``low``, ``medium``, ``high`` or ``critical``.
    confidence : in [0, 1], how sure the answer is.
    expected_range : the lowest and the highest value that would have been no anomaly, of what the check measures;
        times are text.
    message : one sentence for people.
    """

    is_anomaly: bool
    severity: str
    confidence: float
    expected_range: tuple[float, float] | tuple[str, str]
    message: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Example:
    """A cell that shows what is wrong.

    Parameters
    ----------
    row : its number in the table, from 0.
    value : as it is.
    expected : what should have been there, None where that cannot be told.
    """

    row: int
    value: str
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of problem in one column.

    Parameters
    ----------
    column : its name; "" for the table as a whole.
    kind : what is wrong, in a few fixed words.
    is_anomaly, severity, confidence, expected_range, message : as in :class:`Answer`; the range is of shares of rows.
    rows : how many rows have the problem.
    share : the same as a share of all rows.
    examples : a few of them.
    guilty : in words, which part of the table has most of them; empty where none does, or none was asked for.
    """

    column: str
    kind: str
    is_anomaly: bool
    severity: str
    confidence: float
    expected_range: tuple[float, float]
    message: str
    rows: int
    share: float
    examples: tuple[Example, ...] = ()
    guilty: str = ""


def severity_of_share(share: float, most: float) -> str:
    """How severe it is that a share of rows is wrong where at most another one is expected.

    Every half decade above the expected share is one class, as half a decade of p-values below the alarm line is.

    >>> [severity_of_share(share, 0.001) for share in (0.001, 0.002, 0.005, 0.02, 0.5)]
    ['normal', 'low', 'medium', 'high', 'critical']
    """
    if share <= most:
        return SEVERITIES[0]
    score = 0.6 + 0.2 * log10(share / most) if most > 0 else 1.0
    return SEVERITIES[max(bisect_right(SEVERITY_LINES, score), 1)]
