"""False-discovery control for a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def benjamini_hochberg(p: ArrayLike, q: float) -> tuple[NDArray[np.bool_], float]:
    """Flag records of a batch such that at most a share ``q`` of the flags is false, on average.

    Benjamini & Hochberg (1995); valid for the positively dependent p-values of one calibration sample (Bates, Candès,
    Lei, Romano & Sesia 2023).

    Parameters
    ----------
    p : (n,) p-values of the whole batch.
    q : in (0, 1), the share of false flags to allow.

    Returns
    -------
    flags : (n,) bool.
    alpha : the line these flags amount to: ``flags == (p <= alpha)``.

    Raises
    ------
    ParameterError
        if ``q`` is out of range.

    >>> benjamini_hochberg([0.01, 0.02, 0.9, 0.5], q=0.1)
    (array([ True,  True, False, False]), 0.05)
    """
    if problem := Range(0, 1, open_low=True, open_high=True).problem(q):
        raise ParameterError(f"q={q!r} {problem}.")
    values = np.asarray(p, dtype=np.float64)
    lines = q * (np.arange(1, len(values) + 1) / max(len(values), 1))
    met = np.flatnonzero(np.sort(values) <= lines)
    alpha = float(lines[met[-1] if len(met) else 0]) if len(lines) else q
    return values <= alpha, alpha
