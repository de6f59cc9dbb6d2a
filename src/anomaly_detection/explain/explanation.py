"""All that is said about one row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anomaly_detection.explain.counterfactuals import Counterfactual
    from anomaly_detection.explain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a row scored as it did, and what would make it normal.

    Parameters
    ----------
    row : its 0-based number in the frame; None for a single record.
    reasons : the columns that carry the score together, those that add most first.
    sentence : the same in one sentence.
    recommendation : what to check, in one sentence.
    removed : the share of the score's excess over the typical score that goes away when the named columns have normal
        values, at most 1; None where the score has no excess.
    counterfactual : the smallest change that makes the row normal; None where there is none.
    no_counterfactual : why there is none.
    similar : numbers of the rows of the frame that are most like it in the columns that make it anomalous.
    """

    row: int | None
    reasons: tuple[Reason, ...]
    sentence: str
    recommendation: str
    removed: float | None = None
    counterfactual: Counterfactual | None = None
    no_counterfactual: str | None = None
    similar: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON: the ``explanation`` of JSON results."""
        return {
            "sentence": self.sentence,
            "recommendation": self.recommendation,
            "columns": [reason.to_dict() for reason in self.reasons],
            "removed": self.removed,
            "counterfactual": None if self.counterfactual is None else self.counterfactual.to_dict(),
            "similar": list(self.similar),
        }

    def text(self) -> str:
        """All of it as one paragraph, for tables.

        >>> Explanation(0, (), "x is 9 (normal: 0 to 1)", "Check x: it lies above what is normal.").text()
        'x is 9 (normal: 0 to 1). Check x: it lies above what is normal.'
        """
        change = [] if self.counterfactual is None else [self.counterfactual.sentence()]
        return " ".join([f"{self.sentence}.", self.recommendation, *change])
