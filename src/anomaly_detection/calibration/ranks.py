"""p-values of rows that were all learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.calibration.calibrator import Calibrator

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Ranks:
    """The share of the rows that score at least as high: the p-values of rows among themselves.

    An α of less than one row leaves nothing to flag, however far a row lies from the others. Then the largest scores
    get the p-values of the tail instead, which go on below 1 / n; the share flagged is α on average over tables.

    Parameters
    ----------
    scores : (n,) the scores of the rows.
    tail : whether there is a tail; see :class:`Calibrator`.

    Examples
    --------
    >>> scores = np.append(np.arange(19.0), 500.0)
    >>> ranks = Ranks(scores)
    >>> ranks.p_value(scores, alpha=0.05)[-2:].tolist()
    [0.1, 0.05]
    >>> bool(ranks.p_value(scores, alpha=0.01)[-1] < 0.01)
    True
    """

    def __init__(self, scores: NDArray[np.float64], *, tail: bool = True) -> None:
        self._ordered = np.sort(scores)
        self._beyond = Calibrator(tail=tail).fit(scores)

    def p_value(self, scores: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
        """(m,) the p-values to hold against ``alpha``."""
        shares = self._shares(scores)
        return shares if alpha * len(self._ordered) >= 1.0 else np.minimum(shares, self._beyond.p_value(scores))

    def p_value_one(self, score: float) -> float:
        """The share of rows at ``score`` or above; where there is none, the p-value of the tail."""
        return float(self._shares(np.array([score]))[0]) or self._beyond.p_value_one(score)

    def check_alpha(self, alpha: float) -> None:
        """Refuse an alpha that the rows cannot resolve; see :meth:`Calibrator.check_alpha`."""
        self._beyond.check_alpha(alpha)

    def _shares(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        at_least = len(self._ordered) - np.searchsorted(self._ordered, scores, side="left")
        shares: NDArray[np.float64] = at_least / len(self._ordered)
        return shares
