"""A small autoencoder of rows: does a value fit all others of its row together?

Soft dependencies see one or two columns on the left. This sees all: values are hidden at random, and a network with one
hidden layer learns to restore them from the others of the row. A value that it finds improbable, measured by how
frequent it is in its column, speaks against the cell. Every cell of a conflict is as guilty as the others, so each gets
its part; a row whose parts add up does not fit together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from anomaly_detection.quality.rarity import NOTHING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.quality.columns import CodedColumn

    Floats = NDArray[np.float32]
    Codes = NDArray[np.int64]

MOST_GROUPS, MOST_UNITS = 40, 2_000
"""Groups of values that are told apart in a column, and in all columns together."""

BINS = 16
"""Groups of a column of many numbers, with as many rows each."""

HIDDEN, STEPS, BATCH = 64, 2_000, 256
SHARE_HIDDEN = 0.3
"""The share of values that have to be restored from the others."""

RATE, MEMORY = 5e-3, (0.9, 0.99)
"""The first step, and how long gradients and their squares are remembered (Adam)."""

LEAST = 1e-4
"""No value is held to be less probable than this."""

SAMPLE = 20_000
FEWEST = 50
"""Rows that are learned from, and the fewest that say anything."""


def reconstruction(columns: Sequence[CodedColumn], seed: int = 0) -> NDArray[np.float64]:
    """(n, columns) log odds that cells are wrong, from how badly they fit the others of their row.

    Parameters
    ----------
    columns : of the table.
    seed : of what is hidden, and of the first weights.

    References
    ----------
    Vincent et al.: Extracting and Composing Robust Features with Denoising Autoencoders. ICML 2008.
    """
    rows = columns[0].rows if columns else 0
    odds = np.full((rows, len(columns)), NOTHING)
    if rows < FEWEST or len(columns) < 2:
        return odds
    most = int(np.clip(MOST_UNITS // len(columns), 2, MOST_GROUPS))
    codes = np.column_stack([groups_of(column, most)[column.codes] for column in columns])
    network = Network.begin(codes, np.random.default_rng(seed))
    network.train(codes, np.random.default_rng(seed))
    for j, probability in enumerate(network.restored(codes)):
        usual = network.shares[j][codes[:, j]]
        odds[:, j] += np.log(usual / np.maximum(probability, LEAST))
    return odds


def groups_of(column: CodedColumn, most: int = MOST_GROUPS) -> Codes:
    """(u,) the group of each distinct value: frequent values are groups of their own, many numbers in order share some.

    Parameters
    ----------
    column : a column with u distinct values.
    most : how many groups there may be, besides those of the other values and of missing ones.
    """
    if column.is_numeric and column.distinct > most:
        inner = np.linspace(0, 1, min(BINS, most) + 1)[1:-1]
        edges = np.unique(np.nanquantile(column.numbers[column.codes], inner))
        found = np.where(np.isnan(column.numbers), most, np.searchsorted(edges, column.numbers))
    else:
        first = np.argsort(-column.counts, kind="stable")[:most]
        first = first[column.counts[first] > 1]
        found = np.full(len(column.counts), most)
        found[first] = np.arange(len(first))
    found = np.where(column.missing, most + 1, found)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


@dataclass(eq=False)
class Network:
    """One hidden layer between the groups of all columns and themselves.

    Parameters
    ----------
    shares : of each column, how frequent its groups are.
    begins : (d + 1,) where the units of each column begin.
    weights : from units to the hidden layer and its bias, and back.
    """

    shares: list[NDArray[np.float64]]
    begins: Codes
    weights: list[Floats]

    @classmethod
    def begin(cls, codes: Codes, rng: np.random.Generator) -> Network:
        """With small random weights, and the frequencies of groups as what it restores."""
        shares = [np.bincount(column) / len(column) for column in codes.T]
        begins = np.concatenate([[0], np.cumsum([len(each) for each in shares])])
        units, rows = int(begins[-1]), len(shares)
        into, out = rng.normal(0, rows**-0.5, (units, HIDDEN)), rng.normal(0, 0.5 * HIDDEN**-0.5, (HIDDEN, units))
        made = (into, np.zeros(HIDDEN), out, np.log(np.concatenate(shares) + LEAST))
        return cls(shares, begins, [each.astype(np.float32) for each in made])

    def train(self, codes: Codes, rng: np.random.Generator) -> None:
        """Learn to restore hidden values; steps of Adam that become smaller towards the end."""
        units = (codes + self.begins[:-1])[rng.permutation(len(codes))[:SAMPLE]]
        first, second = ([np.zeros_like(each) for each in self.weights] for _ in range(2))
        for step in range(1, STEPS + 1):
            gradients = self._gradients(units[rng.integers(0, len(units), BATCH)], rng)
            rate = RATE * min(1.0, 2 * (1 - step / STEPS) + 0.02)
            for i, gradient in enumerate(gradients):
                first[i] += (1 - MEMORY[0]) * (gradient - first[i])
                second[i] += (1 - MEMORY[1]) * (gradient * gradient - second[i])
                size = np.sqrt(second[i] / (1 - MEMORY[1] ** step)) + 1e-8
                self.weights[i] -= rate / (1 - MEMORY[0] ** step) * first[i] / size

    def _gradients(self, units: Codes, rng: np.random.Generator) -> tuple[NDArray[Any], ...]:
        """The gradients of the log loss of the values that are hidden from the input."""
        hidden = rng.random(units.shape) < SHARE_HIDDEN
        wide = np.repeat(hidden, np.diff(self.begins), axis=1)
        target = np.zeros(wide.shape, dtype=np.float32)
        np.put_along_axis(target, units, 1, axis=1)
        shown = np.where(wide, np.float32(0), target)
        into, bias, out, level = self.weights
        reached = shown @ into + bias
        active = np.maximum(reached, 0)
        told = active @ out + level
        for start, end in zip(self.begins[:-1].tolist(), self.begins[1:].tolist(), strict=True):
            told[:, start:end] = softmax(told[:, start:end], axis=1)
        off = np.where(wide, told - target, np.float32(0)) / np.float32(len(units))
        back = (off @ out.T) * (reached > 0)
        return shown.T @ back, back.sum(0), active.T @ off, off.sum(0)

    def restored(self, codes: Codes) -> list[NDArray[np.float64]]:
        """Of each column, (n,) how probable its values are by the others of their rows."""
        into, bias, out, level = self.weights
        units = codes + self.begins[:-1]
        whole = bias + sum(into[column] for column in units.T)
        found = []
        for j, (start, end) in enumerate(zip(self.begins[:-1].tolist(), self.begins[1:].tolist(), strict=True)):
            told = np.maximum(whole - into[units[:, j]], 0) @ out[:, start:end] + level[start:end]
            found.append(softmax(told.astype(np.float64), axis=1)[np.arange(len(codes)), codes[:, j]])
        return found
