"""How odd a value is by itself: as a value, by its shape, its characters and its length, its number.

All evidence is odds in one currency: the share of a column's cells that errors of a kind may make up, against the
share of cells that are naturally as odd. A singleton is odd in a column whose other values repeat, and is not in a
column of names, where most values are singletons: the column's own variety says what to expect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.quality.markers import is_marker
from anomaly_detection.quality.shapes import LEVELS, MEASURES, kinds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.quality.columns import CodedColumn

    Odds = NDArray[np.float64]

EXPECTED = 0.01
"""The share of cells that are wrong in one way, before anything is known."""

DAMAGED = r"[\x{FFFD}\x00-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F]|[A-Za-z]\p{Mn}|Ã[\x{80}-\x{BF}]|â€"
UNTIDY = r"^\s|\s$|\s{2,}|''|,,|\.\.\B|\\"
DAMAGED_GAIN, UNTIDY_GAIN = 20.0, 3.0
"""How much more often characters of these kinds are wrong than what is merely rare."""

BAND = 5
"""Groups up to this many times as large say how many small ones are natural."""

MOST = 0.05
"""The share of cells above which a kind of oddity is the column's nature rather than an error."""

PLACEHOLDER = (
    r"(?i)^\s*(?:-?9{3,}(?:\.0+)?|0{3,}|-1(?:\.0+)?"
    r"|(?:1900|1970)-01-01.*|9999-12-31.*|x{2,}|tbd|tba|todo|dummy)\s*$"
)
FIXED = 0.95
"""The share of values of one exact shape from which on the number of digits is meant."""

FEWEST = 5
"""Different numbers from which on one can lie apart."""

FEW = 30
"""So many different numbers are a code at most; more are a quantity, of which a rare value is as good as any."""

NOTHING = float(np.log(EXPECTED))
"""Log odds of a cell of which nothing is odd."""


def value_odds(column: CodedColumn) -> Odds:
    """(u,) log odds of values that are rarer than the column's variety lets expect; 0 evidence where missing."""
    keep = ~column.missing
    out = np.full(len(keep), NOTHING)
    counts = column.counts[keep]
    if not len(counts) or (column.is_numeric and len(counts) > FEW):
        return out
    out[keep] = tail_odds(counts, counts)
    return out


def shape_odds(column: CodedColumn) -> Odds:
    """(u,) log odds by the rarest of the four levels of the value's shape, as far as the column has a usual one."""
    keep = np.flatnonzero(~column.missing)
    out = np.full(len(column.missing), NOTHING)
    texts, counts = column.texts.gather(keep), column.counts[keep]
    for level, make in LEVELS.items() if len(keep) else ():
        shapes = make(texts)
        if level == "exact" and is_counted(texts, shapes, counts):
            shapes = shapes.str.replace_all("9+", "9")
        sizes = group_sizes(shapes, counts)
        firm = min(1.0, 1.5 * sizes.max() / counts.sum())
        out[keep] = np.maximum(out[keep], NOTHING + firm * (tail_odds(sizes, counts) - NOTHING))
    return out


def is_counted(texts: pl.Series, shapes: pl.Series, counts: NDArray[np.int64]) -> bool:
    """Whether the digits are those of counts and amounts, so that how many there are is no shape.

    Codes have zeros in front, or nearly all as many digits.
    """
    padded = counts[texts.str.contains(r"(?:^|[^\d.,])0\d").to_numpy()].sum() > EXPECTED * counts.sum()
    measures = counts[kinds(texts).is_in(MEASURES).to_numpy()].sum() > 0.5 * counts.sum()
    return bool(not padded and (measures or group_sizes(shapes, counts).max() < FIXED * counts.sum()))


def missing_odds(column: CodedColumn) -> Odds:
    """(u,) log odds of missing values: high where the column is nearly always filled, and for markers in writing."""
    share = max(1.0 - column.filled / column.rows, 1e-9)
    out = np.full(len(column.missing), -np.inf)
    out[column.missing] = np.log(2 * EXPECTED / share)
    out[is_marker(column.values)] += np.log(4.0)
    return out


def placeholder_odds(column: CodedColumn) -> Odds:
    """(u,) log odds of values that are written for want of one: 9999, 1900-01-01, 000000, xxx.

    Among numbers, one of these has to lie apart from the others by more than the width of what is usual.
    """
    out = np.full(len(column.missing), NOTHING)
    found = column.texts.str.contains(PLACEHOLDER).to_numpy() & ~column.missing
    if column.is_numeric:
        found &= apart(column)
    share = column.counts[found].sum() / column.rows if found.any() else 0.0
    if 0 < share < 1:
        out[found] = np.clip(np.log(10 * EXPECTED * (1 - share) / share), NOTHING, 2.0)
    return out


def apart(column: CodedColumn) -> NDArray[np.bool_]:
    """(u,) numbers whose nearest neighbour is farther away than the middle 90 % of the numbers are wide."""
    out = np.zeros(len(column.missing), dtype=bool)
    known = np.flatnonzero(~np.isnan(column.numbers))
    if len(known) > FEWEST:
        order = known[np.argsort(column.numbers[known], kind="stable")]
        gaps = np.diff(column.numbers[order], prepend=-np.inf, append=np.inf)
        low, high = weighted_quantiles(column.numbers[known], column.counts[known], (0.05, 0.95))
        out[order] = np.minimum(gaps[:-1], gaps[1:]) > high - low
    return out


def character_odds(column: CodedColumn) -> Odds:
    """(u,) log odds by characters that do not belong: damaged ones, and marks that few other values have."""
    out = np.full(len(column.missing), NOTHING)
    damaged = column.texts.str.contains(DAMAGED).to_numpy()
    odd = column.texts.str.contains(UNTIDY).to_numpy()
    for found, gain in ((damaged, DAMAGED_GAIN), (odd, UNTIDY_GAIN)):
        share = column.counts[found].sum() / column.rows
        if share:
            out[found] = np.maximum(out[found], np.log(max(gain * EXPECTED * (1 - share) / share, EXPECTED)))
    return out


def number_odds(column: CodedColumn) -> Odds:
    """(u,) log odds of numbers far from the others, on the plain or the logarithmic scale, whichever is milder."""
    out = np.full(len(column.missing), NOTHING)
    if not column.is_numeric or column.distinct < 3:
        return out
    known = ~np.isnan(column.numbers)
    values, counts = column.numbers[known], column.counts[known]
    far = distance(values, counts)
    if (values > 0).all():
        far = np.minimum(far, distance(np.log(values), counts))
    out[known] = np.clip(NOTHING + 2.5 * np.log(np.maximum(far, 2.0) / 2.0), NOTHING, 2.0)
    return out


def distance(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Distance from the median in widths of the middle 90 % on the same side, scaled to deviations of a Gaussian."""
    low, middle, high = weighted_quantiles(values, counts, (0.05, 0.5, 0.95))
    up, down = max(high - middle, 1e-12), max(middle - low, 1e-12)
    wide = max(up, down)
    up, down = max(up, wide / 10), max(down, wide / 10)
    off = values - middle
    return np.asarray(1.645 * np.where(off >= 0, off / up, -off / down))


def weighted_quantiles(
    values: NDArray[np.float64], counts: NDArray[np.int64], at: tuple[float, ...]
) -> NDArray[np.float64]:
    """Quantiles of values that occur several times."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(counts[order])
    places = np.searchsorted(reached, np.asarray(at) * reached[-1])
    return np.asarray(values[order][np.minimum(places, len(values) - 1)])


def group_sizes(groups: pl.Series, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """(u,) how many cells share the group of each value."""
    frame = pl.DataFrame({"group": groups, "count": counts})
    return frame.select(pl.col("count").sum().over("group"))["count"].to_numpy()


def tail_odds(sizes: NDArray[np.int64], counts: NDArray[np.int64]) -> Odds:
    """(u,) log of the expected share of errors over the share of cells that are naturally in groups as small.

    What is natural is told from the groups that are up to five times as large: where sizes taper off smoothly, small
    groups are the end of the taper; where nothing lies between the usual sizes and the small ones, these stand apart.

    Parameters
    ----------
    sizes : (u,) how many cells are in the group of each value.
    counts : (u,) how many cells have each value.
    """
    if len(sizes) == 0:
        return np.empty(0)
    levels, place = np.unique(sizes, return_inverse=True)
    reached = np.cumsum(np.bincount(place, weights=counts.astype(np.float64)))
    total = reached[-1]
    up_to = reached / total
    band = reached[np.searchsorted(levels, BAND * levels, side="right") - 1] / total - up_to
    natural = np.maximum.reduce([band, (levels - 1) / total, up_to**2 / (up_to + MOST)])
    odds = np.log(EXPECTED) - np.log(natural + EXPECTED / 20)
    return np.asarray(np.maximum(odds, NOTHING)[place])
