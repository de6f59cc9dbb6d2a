"""Slow twins of what a keyed pipeline computes in compiled loops, written from the definitions."""

from __future__ import annotations

import math
from statistics import median

SMALLEST = 2.2250738585072014e-308


def p_value(score, calibration):
    """Conformal, without a tail."""
    return (1 + sum(known >= score for known in calibration)) / (1 + len(calibration))


def against_its_past(surprise, past, calibration, share):
    """The mean of the p-value among all keys and that among the key's own rows, weighted by reliability."""
    among_all = p_value(surprise, calibration)
    if not past or share <= 0:
        return -math.log(among_all)
    reached = sum(known >= surprise for known in past)
    beyond = min(among_all / p_value(max(past), calibration), 1.0)
    among_own = (1 + reached if reached else beyond) / (len(past) + 1)
    weight = len(past) * share / (1 + (len(past) - 1) * share)
    return -math.log(max((1 - weight) * among_all + weight * among_own, SMALLEST))


def without_itself(place, past, calibration, share):
    return against_its_past(past[place], past[:place] + past[place + 1 :], calibration, share)


def middle_of_others(values, place):
    others = values[:place] + values[place + 1 :]
    return median(others) if others else math.nan


def intraclass(groups):
    """One-way analysis of variance, groups of unequal size."""
    groups = [group for group in groups if group]
    values = [value for group in groups for value in group]
    n, k = len(values), len(groups)
    if k < 2 or n <= k:
        return 0.0
    mean = sum(values) / n
    between = sum(len(group) * (sum(group) / len(group) - mean) ** 2 for group in groups) / (k - 1)
    within = sum((value - sum(group) / len(group)) ** 2 for group in groups for value in group) / (n - k)
    size = (n - sum(len(group) ** 2 for group in groups) / n) / (k - 1)
    total = between + (size - 1) * within
    return min(max((between - within) / total, 0.0), 1.0) if total > 0 else 0.0
