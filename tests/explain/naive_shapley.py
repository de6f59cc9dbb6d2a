"""Shapley values by their definition: the mean over every order of putting the columns in."""

from __future__ import annotations

from itertools import permutations

import numpy as np


def shapley(score, row, references, groups):
    """(columns,) from all orders, one scoring at a time, on average over the normal rows."""
    orders = list(permutations(range(len(groups))))
    found = np.zeros(len(groups))
    for reference in references:
        for order in orders:
            altered = reference.copy()
            before = score(altered[None])[0]
            for column in order:
                altered[groups[column]] = row[groups[column]]
                after = score(altered[None])[0]
                found[column] += after - before
                before = after
    return found / (len(orders) * len(references))
