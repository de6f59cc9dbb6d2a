"""The extended isolation forest written for reading: plain Python, one row and one node at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detectors.naive_forest import SplitMix, average_depth


@dataclass
class Leaf:
    rows: int


@dataclass
class Cut:
    columns: list[int]
    weights: list[float]
    low: float
    threshold: float
    high: float
    left: Cut | Leaf
    right: Cut | Leaf


def projection(row, columns, weights):
    total = 0.0
    for column, weight in zip(columns, weights, strict=True):
        total += weight * float(row[column])
    return total


def normal(random):
    total = -6.0
    for _ in range(12):
        total += random.share()
    return total


class Grower:
    def __init__(self, X, shares, *, max_samples, columns, seed):
        self.X, self.shares, self.columns, self.seed = X.astype(np.float64), shares, columns, seed
        self.n_rows = min(max_samples, len(X))
        self.depth = math.ceil(math.log2(self.n_rows))

    def tree(self, number):
        self.random = SplitMix(SplitMix(SplitMix(self.seed).draw() + number).draw())
        n, rows = len(self.X), []
        for last in range(n - self.n_rows, n):
            row = self.random.below(last + 1)
            rows.append(last if row in rows else row)
        self.features = list(range(self.X.shape[1]))
        return self.node(rows, len(self.features), 0)

    def node(self, rows, live, level):
        if len(rows) < 2 or level == self.depth:
            return Leaf(len(rows))
        columns, weights, live = self.plane(rows, live)
        values = {row: projection(self.X[row], columns, weights) for row in rows}
        low, high = min(values.values()), max(values.values())
        if low == high:
            return Leaf(len(rows))
        threshold = low + self.random.share() * (high - low)
        threshold = threshold if threshold < high else low
        left, right = part(rows, values, threshold)
        left_node = self.node(left, live, level + 1)
        return Cut(columns, weights, low, threshold, high, left_node, self.node(right, live, level + 1))

    def plane(self, rows, live):
        columns, weights, features = [], [], self.features
        while len(columns) < self.columns and len(columns) < live:
            at = len(columns) + self.random.below(live - len(columns))
            feature = features[at]
            if self.shares[feature] < 1 and self.random.share() >= self.shares[feature]:
                continue
            values = [self.X[row, feature] for row in rows]
            if max(values) > min(values):
                weights.append(normal(self.random) / (max(values) - min(values)))
                features[at], features[len(columns)] = features[len(columns)], feature
                columns.append(feature)
            else:
                live -= 1
                features[at], features[live] = features[live], feature
        return columns, weights, live


def part(rows, values, threshold):
    """Both sides, in the order in which two pointers that meet leave them."""
    rows = list(rows)
    i, j = 0, len(rows) - 1
    while i <= j:
        if values[rows[i]] > threshold:
            rows[i], rows[j] = rows[j], rows[i]
            j -= 1
        else:
            i += 1
    return rows[:i], rows[i:]


def grow(X, shares, *, n_estimators, max_samples, columns, seed):
    grower = Grower(X, shares, max_samples=max_samples, columns=columns, seed=seed)
    return [grower.tree(number) for number in range(n_estimators)]


def trees_of(forest):
    """The fitted trees, read back from the arrays."""
    splits, leaves, cuts = iter(forest.splits_), iter(forest.leaf_rows_), iter(range(len(forest.bounds_)))

    def node():
        if not next(splits):
            return Leaf(int(next(leaves)))
        cut = next(cuts)
        used = forest.weights_[cut] != 0
        columns, weights = forest.columns_[cut][used].tolist(), forest.weights_[cut][used].tolist()
        return Cut(columns, weights, *forest.bounds_[cut].tolist(), node(), node())

    trees = [node() for _ in range(forest.n_estimators)]
    assert next(splits, None) is next(leaves, None) is next(cuts, None) is None
    return trees


def score(trees, rows, *, sample_rows, ranges, shares):
    constant = ranges[0] == ranges[1]
    found = []
    for row in rows:
        changed = sum(share for share, is_new in zip(shares, constant & (row != ranges[0]), strict=True) if is_new)
        depths = [depth(tree, row, changed / sum(shares)) for tree in trees]
        found.append(2 ** -(sum(depths) / len(trees) / average_depth(sample_rows)))
    return found


def depth(node, row, novelty):
    """The expected number of cuts that a row faces from here on: it was cut off alone, or is still in."""
    if isinstance(node, Leaf):
        return average_depth(node.rows)
    value = projection(row, node.columns, node.weights)
    beyond = max(node.low - value, value - node.high, 0) / (node.high - node.low) + novelty
    return 1 + depth(node.right if value > node.threshold else node.left, row, novelty) / (1 + beyond)
