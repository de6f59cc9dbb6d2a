"""Scoring one row with values beyond the range seen in training; see :mod:`.isolation_forest` for the rule.

Had the row been among the rows of a node, some cuts would have parted it from all others. The chance that one of those
comes first follows from how far the row outgrows the node, and when it does not, the node is cut as it was. So the
expected number of cuts until the row is alone takes one walk down each tree, and no tree is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors._forest_walk_kernels import BLOCK, Forest, ends_of_row
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_U = np.uint64
_W = np.uint32
_NONE = -1
_FINEST = 2.0**-20
"""A node is taken to be at least this share of a feature's range wide: about where float32 ends."""


@kernel
def lies_beyond(row: NDArray[np.float32], ranges: NDArray[np.float32]) -> bool:
    """Whether any value lies outside its (low, high); missing values do not."""
    beyond = 0
    for k in range(len(row)):
        beyond += (row[k] < ranges[0, k]) | (row[k] > ranges[1, k])
    return beyond > 0


@kernel
def _find(row: NDArray[np.float32], forest: Forest, place_of: NDArray[np.int64], found: NDArray[np.float64]) -> int:
    """List the values beyond their range as (edge that was passed, range, share of cuts * distance from the edge).

    ``place_of`` gets the place in that list of each wide column, -1 for the others. A feature that was constant in
    training has no range to measure by: any other value counts as one range beyond.
    """
    count, at = 0, 0
    for k in range(len(row)):
        low, high, value = np.float64(forest.ranges[0, k]), np.float64(forest.ranges[1, k]), np.float64(row[k])
        place = _NONE
        if value < low or value > high:
            place = count
            count += 1
            edge = low if value < low else high
            found[place, 0] = edge
            found[place, 1] = high - low if high > low else 1.0
            found[place, 2] = forest.shares[k] * (abs(value - edge) if high > low else 1.0)
        for _ in range(forest.feature_widths[k]):
            place_of[at] = place
            at += 1
    return count


@kernel
def _cuts_faced(
    nodes: NDArray[np.void],
    depth: int,
    ends: NDArray[np.uint32],
    place_of: NDArray[np.int64],
    found: NDArray[np.float64],
    left: NDArray[np.float64],
) -> float:
    """Return the expected number of cuts, added up over the trees, which the row leaves at ``ends``.

    ``left`` is room for what is left of each range.
    """
    faced = 0.0
    for tree in range(len(ends)):
        root = _U(tree) << _U(depth + 1)
        end = _U(ends[tree])
        outgrown = 0.0
        for k in range(len(left)):
            left[k] = found[k, 1]
            outgrown += found[k, 2] / left[k]
        stay = 1.0 / (1.0 + outgrown)
        still_in, level = 1.0, 0
        while level < depth:
            node = nodes[root + (end >> _U(depth - level))]
            if node.value == np.inf:
                break
            faced += still_in
            still_in *= stay
            level += 1
            place = place_of[_U(node.offset // _W(BLOCK))]
            if place != _NONE:
                reach = max(abs(found[place, 0] - np.float64(node.value)), _FINEST * found[place, 1])
                if reach < left[place]:
                    outgrown += found[place, 2] / reach - found[place, 2] / left[place]
                    left[place] = reach
                    stay = 1.0 / (1.0 + outgrown)
        # A leaf of several rows stands for the cuts it would take to part them.
        ahead = np.float64(nodes[root + end].value) - level
        while ahead > 0.0:
            faced += still_in * min(ahead, 1.0)
            still_in *= stay
            ahead -= 1.0
    return faced


@kernel
def sum_beyond(row: NDArray[np.float32], wide: NDArray[np.float32], forest: Forest) -> float:
    """Return the expected number of cuts until a row is alone, added up over the trees.

    Parameters
    ----------
    row : (d,) the row as it is.
    wide : (width,) the same row, widened.
    forest : the trees, and the ranges to be beyond of.
    """
    place_of = np.empty(len(wide), np.int64)
    found = np.empty((len(row), 3))
    left = np.empty(_find(row, forest, place_of, found))
    ends = ends_of_row(forest.wide, forest.depth, wide)
    return _cuts_faced(forest.wide, forest.depth, ends, place_of, found, left)
