"""Scoring one row with values beyond the range seen in training; see :mod:`.isolation_forest` for the rule.

Had the row been among the rows of a node, some cuts would have parted it from all others. The chance that one of those
comes first follows from how far the row outgrows the node, and when it does not, the node is cut as it was. So the
expected number of cuts until the row is alone takes one walk down each tree, and no tree is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NONE = -1
_FINEST = 2.0**-20
"""A node is taken to be at least this share of a feature's range wide: about where float32 ends."""


@numba.njit(cache=True, nogil=True, error_model="numpy")
def lies_beyond(row: NDArray[np.float32], ranges: NDArray[np.float32]) -> bool:
    """Whether any value lies outside its (low, high); missing values do not."""
    beyond = 0
    for k in range(len(row)):
        beyond += (row[k] < ranges[0, k]) | (row[k] > ranges[1, k])
    return beyond > 0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _find(
    row: NDArray[np.float32],
    ranges: NDArray[np.float32],
    shares: NDArray[np.float64],
    feature_widths: NDArray[np.int64],
    place_of: NDArray[np.int64],
    found: NDArray[np.float64],
) -> int:
    """List the values beyond their range as (edge that was passed, range, share of cuts * distance from the edge).

    ``place_of`` gets the place in that list of each wide column, -1 for the others. A feature that was constant in
    training has no range to measure by: any other value counts as one range beyond.
    """
    count, at = 0, 0
    for k in range(len(row)):
        low, high, value = np.float64(ranges[0, k]), np.float64(ranges[1, k]), np.float64(row[k])
        place = _NONE
        if value < low or value > high:
            place = count
            count += 1
            edge = low if value < low else high
            found[place, 0] = edge
            found[place, 1] = high - low if high > low else 1.0
            found[place, 2] = shares[k] * (abs(value - edge) if high > low else 1.0)
        for _ in range(feature_widths[k]):
            place_of[at] = place
            at += 1
    return count


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _cuts_faced(
    tree: NDArray[np.void],
    depth: int,
    block: int,
    wide: NDArray[np.float32],
    place_of: NDArray[np.int64],
    found: NDArray[np.float64],
    left: NDArray[np.float64],
) -> float:
    """Return the expected number of cuts in one tree; ``left`` is room for what is left of each range."""
    outgrown = 0.0
    for k in range(len(left)):
        left[k] = found[k, 1]
        outgrown += found[k, 2] / left[k]
    faced, still_in, at, level = 0.0, 1.0, 1, 0
    while level < depth and tree[at].value < np.inf:
        faced += still_in
        still_in /= 1.0 + outgrown
        column, threshold = tree[at].offset // block, np.float64(tree[at].value)
        at += at + (wide[column] > threshold)
        level += 1
        place = place_of[column]
        if place != _NONE:
            reach = max(abs(found[place, 0] - threshold), _FINEST * found[place, 1])
            if reach < left[place]:
                outgrown += found[place, 2] / reach - found[place, 2] / left[place]
                left[place] = reach
    # A leaf of several rows stands for the cuts it would take to part them.
    ahead = np.float64(tree[at << (depth - level)].value) - level
    while ahead > 0.0:
        faced += still_in * min(ahead, 1.0)
        still_in /= 1.0 + outgrown
        ahead -= 1.0
    return faced


@numba.njit(cache=True, nogil=True, error_model="numpy")
def sum_beyond(
    nodes: NDArray[np.void],
    depth: int,
    block: int,
    row: NDArray[np.float32],
    wide: NDArray[np.float32],
    ranges: NDArray[np.float32],
    shares: NDArray[np.float64],
    feature_widths: NDArray[np.int64],
) -> float:
    """Return the expected number of cuts until a row is alone, added up over the trees.

    Parameters
    ----------
    nodes : perfect trees that read the widened row.
    depth : levels of each tree.
    block : what a node's offset is a multiple of.
    row : (d,) the row as it is.
    wide : (width,) the widened row.
    ranges : (2, d) smallest and largest value in training; -inf and +inf where nothing lies beyond.
    shares : (d,) how often each feature is cut, adding up to 1.
    feature_widths : (d,) wide columns of each feature.
    """
    place_of = np.empty(len(wide), np.int64)
    found = np.empty((len(row), 3))
    left = np.empty(_find(row, ranges, shares, feature_widths, place_of, found))
    total = 0.0
    for start in range(0, len(nodes), 2 << depth):
        total += _cuts_faced(nodes[start : start + (2 << depth)], depth, block, wide, place_of, found, left)
    return total
