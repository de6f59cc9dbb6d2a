"""The reference rows of the neighbour detectors, arranged for exact search."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from anomaly_detection.detectors._block_kernels import LANES, LIMIT
from anomaly_detection.detectors._neighbour_kernels import UNDERFLOW, search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)

CHUNK = 1 << 15
"""Rows searched for at a time, so that memory does not grow with a batch."""

NO_SKIP = np.empty(0, dtype=np.int64)


class Reference:
    """Rows to measure distances to, with Euclidean distances exact to float32 resolution.

    Distances between float32 rows are added up in float32, 32 columns at a time, in a fixed order: they are within
    1e-5 of the true ones, relatively, and equal bit for bit however the rows are batched. The rows are scaled by a
    power of two, so that neither tiny nor huge units lose digits; a value more than 2**50 scaled units from zero counts
    as lying there.

    Parameters
    ----------
    rows : (n, d) float32, best in the order of :func:`arranged`: rows near each other in space are then near each
        other in memory, and most blocks of 64 are skipped by the distance to their centre.
    """

    def __init__(self, rows: NDArray[np.float32]) -> None:
        n, d = rows.shape
        self.scale = power_of_two(rows)
        self.slack = np.float32((d + 8) * 2.0**-23)
        scaled = np.clip(rows * np.float64(self.scale), -LIMIT, LIMIT).astype(np.float32)
        starts = np.arange(0, n, LANES)
        counts = np.minimum(n - starts, LANES)
        centres = (np.add.reduceat(scaled, starts, axis=0, dtype=np.float64) / counts[:, None]).astype(np.float32)
        self.blocks = in_blocks(scaled)
        self.centres = in_blocks(centres)
        self.radii = _radii(scaled, centres, float(self.slack))

    def nearest(
        self, X: NDArray[np.float32], k: int, skips: NDArray[np.int64] = NO_SKIP
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Find the k nearest reference rows, nearest first; of equally near ones, the first in the reference.

        Parameters
        ----------
        X : (m, d) rows without NaN.
        k : at most the number of reference rows, less one when rows are skipped.
        skips : (m,) the position that each row must not find, such as its own.

        Returns
        -------
        ``(m, k)`` distances and ``(m, k)`` positions in the reference.
        """
        found = np.empty((len(X), k))
        where = np.empty((len(X), k), dtype=np.int64)
        search(X, self.blocks, self.centres, self.radii, self.scale, self.slack, skips, found, where)
        return found, where

    def nearest_others(self, X: NDArray[np.float32], k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Find the k nearest reference rows, one that equals the row left out: it counts as the row itself.

        A training row is then scored as if it had been left out of the reference, and so is its double.

        Parameters
        ----------
        X : (m, d) rows without NaN.
        k : less than the number of reference rows.

        Returns
        -------
        As :meth:`nearest`.
        """
        found, where = self.nearest(X, k + 1)
        itself = found[:, :1] == 0.0
        return np.where(itself, found[:, 1:], found[:, :-1]), np.where(itself, where[:, 1:], where[:, :-1])


def arranged(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same rows, halved again and again along their widest column until they fill blocks."""
    return np.ascontiguousarray(rows[np.concatenate(list(_leaves(rows, np.arange(len(rows)))))])


def sampled(rows: NDArray[np.float32], most: int, random_state: int) -> NDArray[np.float32]:
    """All rows, or ``most`` of them drawn without replacement, in their order."""
    if len(rows) <= most:
        return rows
    drawn = np.random.default_rng(random_state).choice(len(rows), most, replace=False, shuffle=False)
    return rows[np.sort(drawn)]


def small_samples(n_rows: int, count: int, size: int, random_state: int) -> NDArray[np.int64]:
    """(count, at most size) the row numbers of many samples, each drawn from all rows without replacement."""
    rng = np.random.default_rng(random_state)
    draws = [rng.choice(n_rows, min(size, n_rows), replace=False, shuffle=False) for _ in range(count)]
    return np.array(draws, dtype=np.int64)


def chunks(X: NDArray[np.float32]) -> Iterator[slice]:
    """Slices of a batch, each small enough to search for at a time."""
    for start in range(0, len(X), CHUNK):
        yield slice(start, start + CHUNK)


def _leaves(rows: NDArray[np.float32], members: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    if len(members) <= LANES:
        yield members
        return
    here = rows[members]
    values = here[:, np.argmax(here.max(axis=0) / 2 - here.min(axis=0) / 2)]
    half = -(-len(members) // LANES) // 2 * LANES
    order = np.argsort(values, kind="stable")
    yield from _leaves(rows, np.sort(members[order[:half]]))
    yield from _leaves(rows, np.sort(members[order[half:]]))


def power_of_two(rows: NDArray[np.float32]) -> float:
    """What brings the range of the widest column, or the largest value of constant ones, to between a half and 1."""
    spread = float((rows.max(axis=0).astype(np.float64) - rows.min(axis=0)).max())
    size = spread or float(np.abs(rows).max()) or 1.0
    return math.ldexp(1.0, -math.frexp(size)[1])


def in_blocks(rows: NDArray[Real], filling: float = math.inf) -> NDArray[Real]:
    """(b, d, LANES): the rows in blocks, one column after the other, the last filled up with far or empty rows."""
    n, d = rows.shape
    count = -(-n // LANES)
    filled = np.full((count * LANES, d), filling, dtype=rows.dtype)
    filled[:n] = rows
    return np.ascontiguousarray(filled.reshape(count, LANES, d).transpose(0, 2, 1))


def _radii(rows: NDArray[np.float32], centres: NDArray[np.float32], slack: float) -> NDArray[np.float32]:
    radii = np.zeros(-(-len(centres) // LANES) * LANES)
    for at, centre in enumerate(centres.astype(np.float64)):
        members = rows[at * LANES : (at + 1) * LANES]
        radii[at] = np.sqrt(((members - centre) ** 2).sum(axis=1).max())
    return (radii * (1.0 + slack) + UNDERFLOW).astype(np.float32)
