"""Half-space trees written for reading: boxes are explicit, every half-space counts its own rows.

It draws the same trees from the same seed as the kernels, and scores with the same numbers.
"""

from __future__ import annotations

import math
from collections import deque

from anomaly_detection.detectors.half_space_trees import seed_of
from detectors.naive_forest import SplitMix

CODES = 65_536


def work_range(values):
    """Where the range of sorted values begins and ends."""

    def quantile(share):
        place = share * (len(values) - 1)
        below = int(place)
        return values[below] + (place - below) * (values[min(below + 1, len(values) - 1)] - values[below])

    low, high = quantile(0.04), quantile(0.96)
    if low == high:
        low, high = values[0], values[-1]
    reach = 1.25 * ((high - low) or 0.1 * abs(low) + 1e-6)
    return (low + high) / 2 - reach, (low + high) / 2 + reach


class Space:
    """A half-space: the codes it covers of each feature, and the rows of both windows that fell into it."""

    def __init__(self, box):
        self.box = box
        self.reference = self.latest = 0
        self.feature = self.cut = None
        self.halves = ()

    def split(self, random):
        self.feature = random.below(len(self.box))
        low, high = self.box[self.feature]
        self.cut = max(low + int((high - low) * (0.5 + 0.7 * (random.share() - 0.5))), 1)
        cut = min(self.cut, high)
        self.halves = tuple(
            Space([side if k == self.feature else span for k, span in enumerate(self.box)])
            for side in ((low, cut), (cut, high))
        )

    def way(self, codes):
        """All half-spaces a row falls into, from the largest to the smallest."""
        space = self
        yield space
        while space.halves:
            space = space.halves[codes[space.feature] >= space.cut]
            yield space


class Trees:
    def __init__(self, rows, n_trees, depth, window_size, random_state):
        self.n_trees, self.depth, self.window, self.random_state = n_trees, depth, window_size, random_state
        self.plantings = -1
        self.begin(rows)

    def begin(self, rows):
        self.ranges = [work_range(sorted(float(value) for value in column)) for column in zip(*rows, strict=True)]
        self.seen, self.rows = 0, []
        self.plantings += 1
        random = SplitMix(int(seed_of(self.random_state, self.plantings)))
        self.roots = [self.plant(random, len(self.ranges), self.depth) for _ in range(self.n_trees)]

    def plant(self, random, width, depth):
        root = Space([(0, CODES)] * width)
        waiting = deque([(root, 0)])
        while waiting:
            space, level = waiting.popleft()
            if level < depth:
                space.split(random)
                waiting.extend((half, level + 1) for half in space.halves)
        return root

    def codes(self, row):
        places = [
            (float(value) - low) / (high - low) * CODES for value, (low, high) in zip(row, self.ranges, strict=True)
        ]
        return [int(min(max(place, 0), CODES - 1)) for place in places]

    def spaces(self):
        waiting = list(self.roots)
        while waiting:
            space = waiting.pop()
            yield space
            waiting.extend(space.halves)

    def learn(self, row):
        codes = self.codes(row)
        for root in self.roots:
            for space in root.way(codes):
                space.latest += 1
        self.seen += 1
        self.rows.append(row)
        if self.seen % self.window == 0:
            for space in self.spaces():
                space.reference, space.latest = space.latest, 0
            window, self.rows = self.rows, []
            beyond = [
                sum(not low <= float(value) <= high for value in column)
                for column, (low, high) in zip(zip(*window, strict=True), self.ranges, strict=True)
            ]
            if max(beyond) > 0.1 * self.window:
                sample = window[:: math.ceil(self.window / 64)]
                self.begin(sample)
                for kept in sample:
                    self.learn(kept)

    def score(self, row):
        full = self.seen >= self.window
        rows, codes = self.window if full else self.seen, self.codes(row)
        return sum(self.sparsity(root, codes, rows, full) for root in self.roots) / len(self.roots)

    @staticmethod
    def sparsity(root, codes, rows, full):
        for level, space in enumerate(root.way(codes)):
            mass = space.reference if full else space.latest
            if mass < 0.01 * rows or not space.halves:
                return math.log2(rows / ((mass + 0.25) * 2**level))
        raise AssertionError
