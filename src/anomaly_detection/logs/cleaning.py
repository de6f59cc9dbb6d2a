"""Incidents among the lines of training: runs of odd lines, which are set aside."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ODD = 0.1
"""The share of training lines that are taken for odd: those with the highest scores."""

IN_RUN = 0.5
"""The share of odd lines in a run."""


def incidents(scores: NDArray[np.float64], services: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(n,) which lines are odd and in a run of odd lines of their service.

    Rare lines that are normal come one by one; incidents come in runs. So the evidence for a run is added up line by
    line, and never below nothing (a cumulative sum test, Page 1954). Scores that come in random order reach ``x`` by
    chance with probability ``exp(-x)`` from any line (Wald), so with ``2 ln n`` a run is seen by chance in one of n
    logs, and the lines of a clean log stay. Services with many odd lines need more evidence: a line weighs by the
    logarithm of how much more likely it is in a run than in its service at large. A run goes from its first line to the
    one with the most evidence.

    Parameters
    ----------
    scores : (n,) how odd each line is, by methods that did not learn from it.
    services : (n,) hashes.
    """
    odd = scores > np.quantile(scores, 1.0 - ODD)
    found, enough = np.zeros(len(scores), np.bool_), 2.0 * math.log(len(scores))
    code = np.unique(services, return_inverse=True)[1]
    many = np.flatnonzero(np.bincount(code[odd]) * math.log(IN_RUN / ODD) >= enough)
    order = np.argsort(code, kind="stable")
    begins = np.searchsorted(code[order], many)
    ends = np.searchsorted(code[order], many, side="right")
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        rows = order[begin:end]
        found[rows] = odd[rows] & _in_runs(odd[rows], enough)
    return found


def _in_runs(odd: NDArray[np.bool_], enough: float) -> NDArray[np.bool_]:
    """(n,) which lines of a service are in a run."""
    usual = max(ODD, float(odd.mean()))
    gain, loss = math.log(IN_RUN / usual), math.log((1.0 - IN_RUN) / (1.0 - min(usual, IN_RUN)))
    total = np.cumsum(np.where(odd, gain, loss))
    level = total - np.minimum.accumulate(np.minimum(total, 0.0))
    edges = np.append(np.flatnonzero(level == 0.0), len(level))
    begins = np.append(0, edges[:-1] + 1)
    inside = np.zeros(len(odd), np.bool_)
    for begin, end in zip(begins.tolist(), edges.tolist(), strict=True):
        if (end - begin) * gain >= enough and level[begin:end].max() >= enough:
            inside[begin : begin + int(level[begin:end].argmax()) + 1] = True
    return inside
