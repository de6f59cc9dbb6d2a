"""Slow twins of the one-feature-at-a-time detectors, written from their definitions, cell by cell."""

import math
from statistics import NormalDist, median

import numpy as np

FURTHEST = 10.0


def cells(column):
    return [None if math.isnan(value) else float(value) for value in column]


def surprise(count, n):
    return -math.log((count + 1) / (n + 1))


def category_surprise(column, code, n_categories):
    """How much rarer than the most common category, and how rare a value that is there; counts one higher than seen."""
    present = [value for value in column if value is not None]
    heights = [1 + sum(value == known for value in present) for known in range(n_categories)]
    mine = heights[int(code)] if code < n_categories else 1
    return surprise(len(present), len(column)) + math.log(max(heights) / mine)


def missing_surprise(column):
    return surprise(sum(value is None for value in column), len(column))


def tail_score(train, row, n_categories, side_of):
    total = 0.0
    for column, value, known in zip(map(cells, train.T), cells(row), n_categories, strict=True):
        if value is None:
            total += missing_surprise(column)
        elif known:
            total += category_surprise(column, value, known)
        else:
            present = [other for other in column if other is not None]
            left = surprise(sum(other <= value for other in present), len(column))
            right = surprise(sum(other >= value for other in present), len(column))
            total += side_of(present, left, right)
    return total


def ecod(train, row, n_categories):
    return tail_score(train, row, n_categories, lambda _, left, right: max(left, right))


def copod(train, row, n_categories):
    def larger(present, left, right):
        mean = sum(present) / len(present) if present else 0.0
        skew = sum((value - mean) ** 3 for value in present)
        return max(left if skew < 0 else right, (left + right) / 2)

    return tail_score(train, row, n_categories, larger)


def hbos(train, row, n_categories, n_bins):
    total = 0.0
    for column, value, known in zip(map(cells, train.T), cells(row), n_categories, strict=True):
        if value is None:
            total += missing_surprise(column)
            continue
        if known:
            total += category_surprise(column, value, known)
        else:
            present = [other for other in column if other is not None]
            total += surprise(len(present), len(column)) + number_in_bins(present, value, n_bins)
    return total


def number_in_bins(present, value, n_bins):
    low, high = (min(present), max(present)) if present else (0.0, 0.0)
    edges = np.linspace(low, high, n_bins + 1) if high > low else np.array([low, high])
    heights = 1 + np.histogram(present, edges if high > low else 1)[0]
    reach = high - low if high > low else 0.1 * abs(low) + 1e-6
    distance = max(low - value, value - high)
    if distance > 0:
        return math.log(heights.max() / 0.5) + math.log1p(min(distance / reach, FURTHEST))
    place = min(int(np.searchsorted(edges, value, side="right")) - 1, len(heights) - 1)
    return math.log(heights.max() / heights[place])


def as_deviation(surprise_):
    return abs(NormalDist().inv_cdf(math.exp(-surprise_) / 2))


def mad(train, row, n_categories, aggregation):
    found = [
        deviation(column, value, known)
        for column, value, known in zip(map(cells, train.T), cells(row), n_categories, strict=True)
    ]
    return max(found) if aggregation == "max" else sum(found) / len(found)


def deviation(column, value, known):
    if value is None:
        return as_deviation(missing_surprise(column))
    if known:
        return as_deviation(category_surprise(column, value, known))
    present = [other for other in column if other is not None]
    floor = as_deviation(surprise(len(present), len(column)))
    center = median(present) if present else 0.0
    away = [abs(other - center) for other in present]
    scale = (1.4826022185056018 * median(away) or 1.2533141373155001 * sum(away) / len(away)) if away else 0.0
    if scale:
        return max(floor, abs(value - center) / scale)
    return floor if value == center else max(floor, as_deviation(surprise(0, len(column))))
