"""How often each template comes in a session, against the sessions of training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.logs._pattern_kernels import density
from anomaly_detection.logs.tables import damaged, taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MOST_PATTERNS, MOST_NUMBERS, MOST_COLUMNS = 2_000, 100_000, 400
"""The most patterns, and numbers in them together, and templates with a column of their own: the most frequent."""

LEAST_SPREAD = 0.1
"""Logarithms of counts differ by this much at least."""


class Patterns:
    """A density over patterns: how often each template comes in a session.

    Sessions of a program repeat a few patterns. The score of a session is ``-ln`` of the sum of the shares of all
    training patterns, each less by ``exp(-distance)``: a pattern that came often is normal, one that came rarely is
    rare, one that never came is as far as it is from those that did. Distances are those of ``ln(1 + count)`` in
    spreads of training. Templates that training did not have share a column.
    """

    def fit(self, symbols: NDArray[np.int32], starts: NDArray[np.int64]) -> Self:
        """Learn from sessions that lie one behind the other; session i begins at ``starts[i]``."""
        frequent = np.bincount(symbols[symbols >= 0], minlength=1)
        columns = np.sort(np.argsort(-frequent, kind="stable")[:MOST_COLUMNS])
        self.columns_ = columns[frequent[columns] > 0].astype(np.int32)
        rows = self._counts(symbols, starts)
        patterns, counts = np.unique(rows, axis=0, return_counts=True)
        most = max(1, min(MOST_PATTERNS, MOST_NUMBERS // rows.shape[1]))
        kept = np.argsort(-counts, kind="stable")[:most]
        logs = np.log1p(patterns[kept].astype(np.float64))
        shares = counts[kept] / max(len(rows), 1)
        mean = (logs * shares[:, None]).sum(axis=0) / shares.sum()
        spread = np.sqrt((((logs - mean) ** 2) * shares[:, None]).sum(axis=0) / shares.sum())
        return self._take(self.columns_, patterns[kept], shares, np.maximum(spread, LEAST_SPREAD))

    def score(self, symbols: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """(s,) ``-ln`` of the density of each session; equal patterns are looked at once."""
        if len(starts) == 1:
            return np.empty(0)
        rows, code = np.unique(self._counts(symbols, starts), axis=0, return_inverse=True)
        out = np.empty(len(rows))
        density(self._scaled(rows), self._known, self.shares_, out)
        found: NDArray[np.float64] = out[code.ravel()]
        return found

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name."""
        names = ("columns_", "patterns_", "shares_", "spread_")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take it back; raises ArtifactError if it is damaged."""
        columns = taken(state, "columns_", np.int32, None)
        patterns = taken(state, "patterns_", np.uint16, None, len(columns) + 1)
        shares = taken(state, "shares_", np.float64, len(patterns))
        spread = taken(state, "spread_", np.float64, len(columns) + 1)
        if not len(patterns) or (shares <= 0).any() or (spread <= 0).any() or (np.diff(columns) <= 0).any():
            raise damaged("patterns of sessions")
        return self._take(columns, patterns, shares, spread)

    def _take(
        self,
        columns: NDArray[np.int32],
        patterns: NDArray[np.uint16],
        shares: NDArray[np.float64],
        spread: NDArray[np.float64],
    ) -> Self:
        self.columns_, self.patterns_, self.shares_, self.spread_ = columns, patterns, shares, spread
        self._known = self._scaled(patterns)
        return self

    def _scaled(self, counts: NDArray[np.uint16]) -> NDArray[np.float32]:
        return (np.log1p(counts.astype(np.float64)) / self.spread_).astype(np.float32)

    def _counts(self, symbols: NDArray[np.int32], starts: NDArray[np.int64]) -> NDArray[np.uint16]:
        """(s, c + 1) how often each template comes in each session, others last."""
        width, sessions = len(self.columns_) + 1, len(starts) - 1
        place = np.searchsorted(self.columns_, symbols)
        there = place < width - 1
        there[there] = self.columns_[place[there]] == symbols[there]
        place[~there] = width - 1
        session = np.repeat(np.arange(sessions), np.diff(starts))
        flat = np.bincount(session * width + place, minlength=sessions * width)
        return np.minimum(flat, np.iinfo(np.uint16).max).astype(np.uint16).reshape(sessions, width)
