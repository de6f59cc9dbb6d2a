"""Random cut trees written for reading: a node knows its rows, and everything else is worked out from them.

From the same seed it grows the same trees as the kernels. The expected displacement is worked out in fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from detectors.naive_forest import SplitMix


class Leaf:
    def __init__(self, row):
        self.rows = [row]

    def shape(self):
        return (self.rows[0], len(self.rows))


class Node:
    def __init__(self, feature, threshold, left, right):
        self.feature, self.threshold, self.halves = feature, threshold, [left, right]

    @property
    def rows(self):
        return [row for half in self.halves for row in half.rows]

    def side(self, row):
        return int(row[self.feature] > self.threshold)

    def shape(self):
        return (self.feature, self.threshold, *(half.shape() for half in self.halves))


def box(place):
    return [(min(values), max(values)) for values in zip(*place.rows, strict=True)]


def insert(place, row, random):
    """The place with a row more."""
    edges = box(place)
    spans = [max(high, value) - min(low, value) for (low, high), value in zip(edges, row, strict=True)]
    total = 0.0
    for span in spans:
        total += span
    if total == 0.0:
        place.rows.append(row)
        return place
    rest = random.share() * total
    for feature, span in enumerate(spans):  # noqa: B007
        if span > 0.0:
            if rest < span:
                break
            rest -= span
    (low, high), value = edges[feature], row[feature]
    threshold = float(np.float32(min(low, value) + rest))
    if value < low and threshold < low:
        return Node(feature, threshold, Leaf(row), place)
    if value > high and threshold >= high:
        return Node(feature, threshold if threshold < value else high, place, Leaf(row))
    side = place.side(row)
    place.halves[side] = insert(place.halves[side], row, random)
    return place


def forget(place, row):
    """The place with a row less; None when nothing is left."""
    if isinstance(place, Leaf):
        place.rows.pop()
        return place if place.rows else None
    side = place.side(row)
    place.halves[side] = forget(place.halves[side], row)
    return place if place.halves[side] else place.halves[1 - side]


class Tree:
    def __init__(self, sample_size, decay, seed):
        self.size, self.decay, self.random = sample_size, decay, SplitMix(seed)
        self.root, self.sample, self.seen = None, [], 0

    def show(self, row):
        row = tuple(float(value) for value in row)
        key = self.decay * self.seen - math.log(-math.log(self.random.share() + 2.0**-54))
        self.seen += 1
        if len(self.sample) == self.size:
            lowest = min(range(self.size), key=lambda slot: self.sample[slot][0])
            if key <= self.sample[lowest][0]:
                return
            self.root = forget(self.root, self.sample[lowest][1])
            self.sample[lowest] = (key, row)
        else:
            self.sample.append((key, row))
        self.root = insert(self.root, row, self.random) if self.root else Leaf(row)

    def expected_displacement(self, row):
        row = tuple(Fraction(float(value)) for value in row)
        return expected(self.root, row, Fraction(0)) / len(self.sample)


def expected(place, row, most):
    """The displacement expected of a row that has come down to a place with ``most`` on the way."""
    edges = [(Fraction(low), Fraction(high)) for low, high in box(place)]
    beyond = [max(low - value, value - high, Fraction(0)) for (low, high), value in zip(edges, row, strict=True)]
    apart = max(most, Fraction(len(place.rows)))
    if isinstance(place, Leaf):
        return apart if any(beyond) else most
    share = sum(beyond) / (sum(beyond) + sum(high - low for low, high in edges))
    side = place.side(row)
    ours, other = place.halves[side], place.halves[1 - side]
    further = max(most, Fraction(len(other.rows), len(ours.rows) + 1))
    return share * apart + (1 - share) * expected(ours, row, further)


def displacement(root, row):
    """The collusive displacement of a row that is in a tree."""
    place, most = root, 0.0
    while isinstance(place, Node):
        side = place.side(row)
        ours, other = place.halves[side], place.halves[1 - side]
        most, place = max(most, len(other.rows) / len(ours.rows)), ours
    return most


def shape_of(forest, t):
    """The same nested tuples as ``shape`` gives, from a forest's arrays."""

    def walk(place):
        if place < 0:
            return (tuple(forest.points_[t, -1 - place].tolist()), int(forest.counts_[t, -1 - place]))
        cut = (int(forest.splits_[t, place]), float(forest.thresholds_[t, place]))
        return (*cut, *(walk(child) for child in forest.children_[t, place].tolist()))

    return walk(int(forest.heads_[t, 0]))
