"""The isolation forest written for reading: plain Python, one row and one node at a time, no tricks.

It grows the same trees from the same seed as the kernels, and scores with them in float64. Rows with values beyond the
training range are scored in exact fractions, as one sum over the ways to become alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

WORD = 2**64
EULER_GAMMA = 0.5772156649015329
ROUNDS = 8
BEYOND_FINITE = float(np.finfo(np.float32).max)


@dataclass
class Leaf:
    rows: int


@dataclass
class Split:
    feature: int
    rank: int
    missing_right: bool
    threshold: float
    left: Split | Leaf
    right: Split | Leaf


class SplitMix:
    def __init__(self, seed):
        self.state = seed % WORD

    def draw(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) % WORD
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
        return z ^ (z >> 31)

    def below(self, bound):
        return (self.draw() >> 32) * bound >> 32

    def share(self):
        return (self.draw() >> 11) * 2.0**-53


def average_depth(rows):
    if rows <= 1:
        return 0.0
    return 1.0 if rows == 2 else 2 * (math.log(rows - 1) + EULER_GAMMA) - 2 * (rows - 1) / rows


def draw_ranks(n_categories, seed):
    """ranks[feature][round]: a random order of the feature's codes."""
    random = SplitMix(seed)
    ranks = [[] for _ in n_categories]
    for _ in range(ROUNDS):
        for feature, count in enumerate(n_categories):
            order = []
            for i in range(count):
                j = random.below(i + 1)
                order.append(i)
                order[i], order[j] = order[j], i
            ranks[feature].append(order)
    return ranks


def value_of(row, feature, rank, n_categories, ranks):
    """A number, the rank of a category, or None when missing or never seen."""
    value = float(row[feature])
    if math.isnan(value):
        return None
    if n_categories[feature] == 0:
        return value
    return ranks[feature][rank][int(value)] if 0 <= value < n_categories[feature] else None


def goes_right(value, threshold, missing_right):
    return missing_right if value is None else value > threshold


class Grower:
    def __init__(self, X, shares, n_categories, max_samples, max_features, seed):
        self.shares = shares
        self.X, self.n_categories, self.seed = X, n_categories, seed
        self.ranks = draw_ranks(n_categories, seed)
        self.n_rows = min(max_samples, len(X))
        self.n_features = max(1, int(max_features * X.shape[1]))
        self.depth = math.ceil(math.log2(self.n_rows))

    def tree(self, number):
        self.random = SplitMix(SplitMix(self.seed).draw() + number)
        self.random = SplitMix(self.random.draw())
        rows = self.sample()
        return self.node(rows, self.choose_features(), 0)

    def sample(self):
        n, chosen = len(self.X), []
        for last in range(n - self.n_rows, n):
            row = self.random.below(last + 1)
            chosen.append(last if row in chosen else row)
        return chosen

    def choose_features(self):
        features = list(range(self.X.shape[1]))
        if self.n_features < len(features):
            for k in range(self.n_features):
                j = k + self.random.below(len(features) - k)
                features[k], features[j] = features[j], features[k]
        self.features = features
        return self.n_features

    def node(self, rows, live, level):
        """``live``: how many of the first features may still vary here."""
        while level < self.depth and len(rows) > 1 and live > 0:
            k = self.random.below(live)
            feature = self.features[k]
            if self.shares[feature] < 1 and self.random.share() >= self.shares[feature]:
                continue
            rank = self.random.below(ROUNDS) if self.n_categories[feature] else 0
            values = {row: value_of(self.X[row], feature, rank, self.n_categories, self.ranks) for row in rows}
            present = [value for value in values.values() if value is not None]
            missing = len(rows) - len(present)
            if present and (min(present) < max(present) or missing):
                return self.split(rows, values, present, missing, feature, rank, live, level)
            live -= 1
            self.features[k], self.features[live] = self.features[live], self.features[k]
        return Leaf(len(rows))

    def split(self, rows, values, present, missing, feature, rank, live, level):
        low, high = min(present), max(present)
        if missing and (low == high or self.random.below(3) == 0):
            threshold, missing_right = BEYOND_FINITE, True
        else:
            threshold = float(np.float32(low + self.random.share() * (high - low)))
            threshold = threshold if threshold < high else low
            missing_right = bool(self.random.below(2)) if missing else True
        left, right = part(rows, values, threshold, missing_right)
        if not missing:
            missing_right = len(left) > len(right)
        left_node = self.node(left, live, level + 1)
        return Split(feature, rank, missing_right, threshold, left_node, self.node(right, live, level + 1))


def part(rows, values, threshold, missing_right):
    """Both sides, in the order in which two pointers that meet leave them."""
    rows = list(rows)
    i, j = 0, len(rows) - 1
    while i <= j:
        if goes_right(values[rows[i]], threshold, missing_right):
            rows[i], rows[j] = rows[j], rows[i]
            j -= 1
        else:
            i += 1
    return rows[:i], rows[i:]


def grow(X, shares, n_categories, *, n_estimators, max_samples, max_features=1.0, seed=0):
    grower = Grower(X, shares, list(map(int, n_categories)), max_samples, max_features, seed)
    return [grower.tree(number) for number in range(n_estimators)]


def trees_of(forest):
    """The trees of a fitted detector."""
    columns = [
        (feature, rank, side)
        for feature, count in enumerate(forest.features_.n_categories)
        for rank in range(ROUNDS if count else 1)
        for side in (False, True)
    ]
    splits, thresholds, leaves = iter(forest.splits_), iter(forest.thresholds_), iter(forest.leaf_rows_)

    def node():
        column = int(next(splits))
        if column == 0:
            return Leaf(int(next(leaves)))
        feature, rank, side = columns[column - 1]
        threshold = float(next(thresholds))
        left = node()
        return Split(feature, rank, side, threshold, left, node())

    return [node() for _ in range(forest.n_estimators)]


def depth_of(tree, row, n_categories, ranks):
    level = 0
    while isinstance(tree, Split):
        value = value_of(row, tree.feature, tree.rank, n_categories, ranks)
        tree = tree.right if goes_right(value, tree.threshold, tree.missing_right) else tree.left
        level += 1
    return level + average_depth(tree.rows)


def distances_beyond(row, ranges, n_categories):
    """{feature: (edge passed, distance from it, width of the range)} of the numbers beyond their range."""
    beyond = {}
    for feature, value in enumerate(map(float, row)):
        low, high = map(float, ranges[:, feature])
        if n_categories[feature] or math.isnan(value) or low > high or low <= value <= high:
            continue
        edge = low if value < low else high
        beyond[feature] = (Fraction(edge), abs(Fraction(value) - Fraction(edge)), Fraction(high) - Fraction(low))
    return beyond


def outgrown(beyond, thresholds, shares):
    """How much wider the row makes a node below these thresholds, next to 1 for what it is without the row."""
    total = Fraction(0)
    for feature, (edge, distance, width) in beyond.items():
        if width == 0:
            total += shares[feature]
            continue
        left = min([width, *(abs(edge - threshold) for threshold in thresholds.get(feature, ()))])
        total += shares[feature] * distance / max(left, width / 2**20)
    return float(total)


def expected_depth(tree, row, n_categories, ranks, beyond, shares):
    """Cuts until alone: the sum of (chance that a cut isolates) * (its number), and what the end of the path adds."""
    chances, thresholds = [], {}
    level = 0
    while isinstance(tree, Split):
        wider = outgrown(beyond, thresholds, shares)
        chances.append(wider / (1 + wider))
        value = value_of(row, tree.feature, tree.rank, n_categories, ranks)
        thresholds.setdefault(tree.feature, []).append(Fraction(tree.threshold))
        tree = tree.right if goes_right(value, tree.threshold, tree.missing_right) else tree.left
        level += 1
    wider = outgrown(beyond, thresholds, shares)
    ahead = average_depth(tree.rows)
    chances += [wider / (1 + wider)] * math.ceil(ahead)
    end = level + ahead
    depth, alive = 0.0, 1.0
    for number, chance in enumerate(chances, start=1):
        depth += alive * chance * min(number, end)
        alive *= 1 - chance
    return depth + alive * end


def score(trees, X, n_categories, *, sample_rows, seed=0, ranges=None, shares=None):
    """Scores; with the (2, d) training ``ranges`` and the features' ``shares``, values beyond the ranges count."""
    n_categories = list(map(int, n_categories))
    ranks = draw_ranks(n_categories, seed)
    norm = average_depth(sample_rows)
    if shares is not None:
        shares = [Fraction(float(share)) / sum(Fraction(float(each)) for each in shares) for share in shares]

    def depth(tree, row):
        beyond = {} if ranges is None else distances_beyond(row, ranges, n_categories)
        if not beyond:
            return depth_of(tree, row, n_categories, ranks)
        return expected_depth(tree, row, n_categories, ranks, beyond, shares)

    return np.array([2.0 ** (-np.mean([depth(tree, row) for tree in trees]) / norm) for row in X])
