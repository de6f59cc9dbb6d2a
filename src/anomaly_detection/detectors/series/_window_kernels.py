"""Array loops of windows.py: how far the latest rows are from every earlier stretch, at several lengths at once.

Rows are whole numbers in float64, so that sums of squares are exact: squared distances are carried from row to row by
one addition and one subtraction for each lag, and never drift, however the rows come.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

NONE = 1e300
"""The squared distance of no stretch at all."""

BLOCK = 64
"""Lags that are looked at together, so that the compiler can use wide registers."""

KEPT_OUT, TAKEN_IN, BEGINS = 1, 2, 4
"""Marks of rows: above the line and not learned from; above it, and learned from since rows have been for so long that
this is normal now; the first of rows that do not follow those before them."""

LEAST = 3.0
"""The surprise (-ln p) of the 95 % quantile of normal distances."""


@kernel
def advance_windows(
    rows: NDArray[np.float64],
    barred: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    seen: int,
    squares: NDArray[np.float64],
    usual: NDArray[np.float64],
    line: float,
    begins: bool,
    release: int,
    nearest: NDArray[np.float64],
    score: NDArray[np.float64],
) -> None:
    """Score rows by their nearest earlier stretches, then take them in.

    Parameters
    ----------
    rows : (h + n,) whole numbers, the latest first: n fresh rows before h that were seen; h is lags + longest length.
    barred : (h + n,) marks of the rows, added up; filled in at the fresh ones.
    lengths : (w,) rows of a stretch, increasing.
    seen : how many of the h rows are real.
    squares : (w, lags) sums of squares of the differences between the latest rows and those a lag before; changed.
    usual : (w, 2, 2) quantile and scale of normal distances for each length, as they are and less their means; scale 0
        leaves a distance out.
    line : a row scoring above it is barred, unless as many rows as the longest stretch has were above it just before.
    begins : whether the first fresh row does not follow those before it: no stretch holds both.
    release : after so many rows, more than the longest stretch has, rows that were not learned from are.
    nearest : (w, 2, n) filled with the distances, NaN where there is no whole stretch, or no earlier one.
    score : (n,) filled; NaN where there is no distance.
    """
    n, lags = len(score), squares.shape[1]
    before = len(rows) - n
    sums = np.zeros((len(lengths), len(rows)))
    clear = np.zeros(len(rows), np.int64)
    lowest = np.empty((2, BLOCK))
    for p in range(len(rows) - 1, n - 1, -1):
        _note(rows, barred, lengths, p, sums, clear)
    above, together = 0, 0
    while above < seen and barred[n + above] & (KEPT_OUT | TAKEN_IN):
        above += 1
    while together < seen and (together == 0 or not barred[n + together - 1] & BEGINS):
        together += 1
    for i in range(n):
        p, total, parts = n - 1 - i, 0.0, 0
        barred[p] = BEGINS if begins and i == 0 else 0
        together = 1 if barred[p] else together + 1
        _note(rows, barred, lengths, p, sums, clear)
        _release(barred, p + release, lengths[-1], clear)
        known = min(seen + i, before)
        for k in range(len(lengths)):
            length = lengths[k]
            reach = min(known, lags)
            _carry(rows, p, length, min(reach, known), known, squares[k])
            whole = min(lags, known + 1 - length)
            _lowest(squares[k], sums[k], clear, p, length, whole if together >= length else 0, lowest)
            for c in range(2):
                least = lowest[c].min()
                nearest[k, c, i] = math.sqrt(max(least, 0.0)) if least < NONE else math.nan
                if least < NONE and usual[k, c, 1] > 0.0:
                    one = max(LEAST + (nearest[k, c, i] - usual[k, c, 0]) / usual[k, c, 1], 0.0)
                    total, parts = total + one * one, parts + 1
        score[i] = math.sqrt(total / parts) if parts else math.nan
        above = above + 1 if score[i] > line else 0
        if above > lengths[-1]:
            barred[p] |= TAKEN_IN
        elif above:
            barred[p] |= KEPT_OUT
            clear[p] = 0


@kernel
def squares_of(past: NDArray[np.float64], lengths: NDArray[np.int64], seen: int, squares: NDArray[np.float64]) -> None:
    """What :func:`advance_windows` would have made of rows that were seen: ``squares``, (w, lags), from zeros.

    Parameters
    ----------
    past : (h,) whole numbers, the latest first, of which ``seen`` are real.
    """
    total = np.zeros(squares.shape[1])
    k = 0
    for u in range(lengths[-1]):
        reach = min(len(total), seen - 1 - u)
        if reach > 0:
            earlier = past[u + 1 : u + 1 + reach]
            for j in range(reach):
                away = past[u] - earlier[j]
                total[j] += away * away
        if u + 1 == lengths[k]:
            squares[k] = total
            k += 1


@inlined
def _note(
    rows: NDArray[np.float64],
    barred: NDArray[np.uint8],
    lengths: NDArray[np.int64],
    p: int,
    sums: NDArray[np.float64],
    clear: NDArray[np.int64],
) -> None:
    """Sums over the stretches that end at a row, and how many rows up to it a stretch may hold."""
    last = len(rows) - 1
    clear[p] = 0 if barred[p] & KEPT_OUT else (clear[p + 1] + 1 if p < last and not barred[p] & BEGINS else 1)
    for k in range(len(lengths)):
        before = sums[k, p + 1] if p < last else 0.0
        sums[k, p] = before + rows[p] - (rows[p + lengths[k]] if p + lengths[k] <= last else 0.0)


@inlined
def _release(barred: NDArray[np.uint8], q: int, longest: int, clear: NDArray[np.int64]) -> None:
    """Learn from a row after all: stretches may hold it."""
    if q < len(barred) and barred[q] & KEPT_OUT:
        barred[q] ^= KEPT_OUT | TAKEN_IN
        for p in range(q, q - longest - 1, -1):
            goes_on = p + 1 < len(barred) and not barred[p] & BEGINS
            clear[p] = 0 if barred[p] & KEPT_OUT else (clear[p + 1] + 1 if goes_on else 1)


@inlined
def _carry(
    rows: NDArray[np.float64], p: int, length: int, reach: int, known: int, squares: NDArray[np.float64]
) -> None:
    """Add the newest difference at every lag, and take the oldest away."""
    newest, earlier = rows[p], rows[p + 1 : p + 1 + reach]
    for j in range(reach):
        away = newest - earlier[j]
        squares[j] += away * away
    whole = min(reach, known - length)
    if whole > 0:
        oldest, earlier = rows[p + length], rows[p + length + 1 : p + length + 1 + whole]
        for j in range(whole):
            away = oldest - earlier[j]
            squares[j] -= away * away


@inlined
def _lowest(
    squares: NDArray[np.float64],
    sums: NDArray[np.float64],
    clear: NDArray[np.int64],
    p: int,
    length: int,
    whole: int,
    lowest: NDArray[np.float64],
) -> None:
    """The smallest squared distances to whole stretches that do not overlap the latest and hold no barred row."""
    lowest[:] = NONE
    raw, level = lowest[0], lowest[1]
    latest, share = sums[p], 1.0 / length
    for start in range(length, whole + 1, BLOCK):
        size = min(BLOCK, whole + 1 - start)
        near, totals, rest = squares[start - 1 :], sums[p + start :], clear[p + start :]
        for b in range(size):
            apart = latest - totals[b]
            square = near[b] if rest[b] >= length else NONE
            level_free = square - apart * apart * share
            raw[b] = square if square < raw[b] else raw[b]  # noqa: FURB136  min() is not vectorised
            level[b] = level_free if level_free < level[b] else level[b]  # noqa: FURB136
