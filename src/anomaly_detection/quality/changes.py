"""Tests of one column of a run against those of earlier runs, each with the size of the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, ndtr

from anomaly_detection.quality.expectation import Errors, Expectation, expect
from anomaly_detection.quality.table_profile import GRID, merge_sketches
from anomaly_detection.records import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from numpy.typing import NDArray

    from anomaly_detection.quality.table_profile import ColumnSketch

    Distance: TypeAlias = Callable[[ColumnSketch, ColumnSketch], tuple[float, float]]

BAND = 0.01
"""The share of normal runs outside of the ranges that are shown."""

LEAST = {"missing": 0.005, "distinct": 0.1, "mean": 0.1, "distribution": 0.05, "new values": 0.002, "lost values": 0.01}
"""The smallest change that matters: shares of rows; of distinct values; of a standard deviation; of the distance."""

UNMEASURED = {"missing": 0.03, "mean": 0.3, "distribution": 0.1}
"""The same where nobody knows how much runs differ, and chance alone is tested."""

FEW_RUNS = 5
"""With fewer runs than this nobody knows how much they differ."""


@dataclass(frozen=True, slots=True)
class Change:
    """One test of one column.

    Parameters
    ----------
    column, test : what was tested, and how.
    p : how probable a change at least as large is.
    effect, least : its size, and the smallest that matters.
    before, now : what was measured.
    expected_range : what it would normally be.
    message : what happened, without a full stop.
    """

    column: str
    test: str
    p: float
    effect: float
    least: float
    before: float
    now: float
    expected_range: tuple[float, float]
    message: str


def column_changes(name: str, now: ColumnSketch, past: Sequence[ColumnSketch]) -> list[Change]:
    """All tests of one column; ``past`` are earlier runs with the same type, the oldest first."""
    together = merge_sketches(past)
    found = [missing_change(name, now, past)]
    if not now.filled or not together.filled:
        return found
    known = [one for one in past if one.distinct]
    if now.distinct and known and together.type != "nested":
        found.append(distinct_change(name, now, known))
    if now.type == "number":
        found.append(mean_change(name, now, past, together))
        found.append(distance_change(name, now, past, together, of_quantiles))
    elif now.values and together.repeats:
        found.append(distance_change(name, now, past, together, of_values))
    if together.knows_all_values and together.repeats and now.values:
        found += value_changes(name, now, past, together)
    return found


def level(values: NDArray[np.float64], noise: NDArray[np.float64], noise_now: float, typical: float) -> Expectation:
    """What the next of some measurements may be; two predictors, the mean of all and of the latest three."""
    n = len(values)
    centre, doubt = np.empty((2, 2, n + 1))
    for place in range(1, n + 1):
        for row, memory in enumerate((n, 3)):
            part = values[max(place - memory, 0) : place]
            weights = 1.0 / (noise[max(place - memory, 0) : place] + 0.01 * typical**2)
            centre[row, place], doubt[row, place] = weights @ part / weights.sum(), 1.0 / len(part)
    off = values[1:] - centre[:, 1:-1]
    past = Errors(off, doubt[:, 1:-1], np.broadcast_to(noise[1:], off.shape))
    now = Errors(np.zeros((2, 1)), doubt[:, -1:], np.full((2, 1), noise_now + float(noise.mean()) / n))
    return expect(past, centre[:, -1], now, typical)


def missing_change(name: str, now: ColumnSketch, past: Sequence[ColumnSketch]) -> Change:
    """Missing values: the logarithm of the odds, with the noise of sampling."""
    logits, noise = np.array([_logit(one) for one in past]).T
    logit, noise_now = _logit(now)
    expectation = level(logits, noise, noise_now, 0.1)
    before = sum(one.missing for one in past) / max(sum(one.rows for one in past), 1)
    share = now.missing / now.rows
    low, high = (float(expit(expectation.quantile(q))) for q in (BAND / 2, 1 - BAND / 2))
    p, least = _sampling(now.missing, now.rows, past), UNMEASURED["missing"]
    if len(past) >= FEW_RUNS:
        p, least = max(p, expectation.p_value(logit)), LEAST["missing"]
    words = f"{name}: {share:.2%} missing, {before:.2%} before ({low:.2%} to {high:.2%} expected)"
    return Change(name, "missing", p, abs(share - before), least, before, share, (low, high), words)


def _logit(one: ColumnSketch) -> tuple[float, float]:
    missing, filled = one.missing + 0.5, one.filled + 0.5
    return float(np.log(missing / filled)), 1.0 / missing + 1.0 / filled


def _sampling(missing: int, rows: int, past: Sequence[ColumnSketch]) -> float:
    """How probable so many missing values are where only chance is at work."""
    before, total = sum(one.missing for one in past), sum(one.rows for one in past)
    from scipy.stats import betabinom  # noqa: PLC0415 - heavy, and seldom needed

    expected = betabinom(rows, before + 0.5, total - before + 0.5)
    return min(2 * float(min(expected.cdf(missing), expected.sf(missing - 1))), 1.0)


def distinct_change(name: str, now: ColumnSketch, past: Sequence[ColumnSketch]) -> Change:
    """How many different values there are."""
    counts = np.array([one.distinct for one in past], dtype=np.float64)
    filled = np.array([one.filled for one in past], dtype=np.float64)
    grows = float((counts / np.maximum(filled, 1)).mean()) > 0.5
    values = np.log1p(counts) - grows * np.log1p(filled)
    value = np.log1p(now.distinct) - grows * np.log1p(now.filled)
    noise = 0.5 / (1.0 + counts) if not grows else np.zeros(len(counts))
    expectation = level(values, noise, 0.5 / (1.0 + now.distinct) if not grows else 0.0, 0.1)
    back = np.log1p(now.filled) if grows else 0.0
    low, high = (float(np.expm1(expectation.quantile(q) + back)) for q in (BAND / 2, 1 - BAND / 2))
    middle = float(np.expm1(expectation.quantile(0.5) + back))
    effect = abs(now.distinct - middle) / max(middle, 1.0)
    words = f"{name}: {now.distinct:,} different values, {middle:,.0f} expected ({low:,.0f} to {high:,.0f})"
    p = expectation.p_value(value)
    return Change(name, "distinct", p, effect, LEAST["distinct"], middle, float(now.distinct), (low, high), words)


def mean_change(name: str, now: ColumnSketch, past: Sequence[ColumnSketch], together: ColumnSketch) -> Change:
    """The mean, in units of the usual standard deviation."""
    known = [one for one in past if one.mean is not None and one.deviation is not None]
    means = np.array([one.mean for one in known], dtype=np.float64)
    spread = float(np.median([one.deviation for one in known if one.deviation is not None]))
    unit = spread or max(abs(float(means.mean())), 1.0) * 1e-3
    filled = np.array([one.filled for one in known], dtype=np.float64)
    shift = float(together.mean or 0.0)
    deviation = max(float(now.deviation or 0.0), spread) / unit
    expectation = level((means - shift) / unit, 1.0 / filled, min(deviation, 3.0) ** 2 / now.filled, 0.05)
    value = (float(now.mean or 0.0) - shift) / unit
    low, high = (expectation.quantile(q) * unit + shift for q in (BAND / 2, 1 - BAND / 2))
    middle = expectation.quantile(0.5)
    p, least = (
        float(2 * ndtr(-abs(value) / np.sqrt(deviation**2 / now.filled + 1.0 / filled.sum()))),
        UNMEASURED["mean"],
    )
    if len(known) >= FEW_RUNS:
        p, least = expectation.p_value(value), LEAST["mean"]
    words = f"{name}: mean {now.mean:.4g}, {middle * unit + shift:.4g} expected ({low:.4g} to {high:.4g})"
    before = float(middle * unit + shift)
    return Change(name, "mean", p, abs(value - middle), least, before, float(now.mean or 0.0), (low, high), words)


def distance_change(
    name: str, now: ColumnSketch, past: Sequence[ColumnSketch], together: ColumnSketch, of: Distance
) -> Change:
    """The distance of a run from the earlier ones, held against sampling and against theirs from one another."""
    distance, sampled = of(now, together)
    high = least = UNMEASURED["distribution"]
    p = sampled
    filled = [one for one in past if one.filled]
    if len(filled) >= FEW_RUNS:
        others = [merge_sketches([*filled[:n], *filled[n + 1 :]]) for n in range(len(filled))]
        apart = np.array([of(one, other)[0] for one, other in zip(filled, others, strict=True)])
        values = np.log(np.maximum(apart, 1e-4))
        expectation = level(values, np.full(len(values), 0.05), 0.05, 0.3)
        high = float(np.exp(expectation.quantile(1 - BAND)))
        p = max(sampled, expectation.above(float(np.log(max(distance, 1e-4)))))
        least = LEAST["distribution"]
    words = f"{name}: distance {distance:.3f} from earlier runs, up to {high:.3f} expected"
    return Change(name, "distribution", max(p, 1e-300), distance, least, 0.0, distance, (0.0, high), words)


def of_quantiles(one: ColumnSketch, other: ColumnSketch) -> tuple[float, float]:
    """Kolmogorov's distance of two sketches, and how probable a larger one is by sampling."""
    points = np.unique(np.concatenate([one.quantiles, other.quantiles]))
    gaps = [_share_below(each.quantiles, points) for each in (one, other)]
    distance = max(float(np.abs(gaps[0] - gaps[1]).max()) - 1.0 / len(GRID), 0.0)
    rows = one.filled * other.filled / (one.filled + other.filled)
    from scipy.stats import kstwobign  # noqa: PLC0415 - heavy, and seldom needed

    return distance, float(kstwobign.sf(distance * (np.sqrt(rows) + 0.12 + 0.11 / np.sqrt(rows))))


def _share_below(quantiles: tuple[float, ...], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) the share of values at most as large as each point."""
    values = np.asarray(quantiles)
    last = np.searchsorted(values, points, side="right") - 1
    shares: NDArray[np.float64] = np.where(last < 0, 0.0, GRID[np.maximum(last, 0)])
    inside = (last >= 0) & (last < len(values) - 1)
    at = last[inside]
    width = values[at + 1] - values[at]
    shares[inside] += np.where(width > 0, (points[inside] - values[at]) / np.where(width > 0, width, 1), 0) / (
        len(GRID) - 1
    )
    return shares


def of_values(one: ColumnSketch, other: ColumnSketch) -> tuple[float, float]:
    """Total variation distance of frequent values and the rest; how probable a larger one is by sampling (G test)."""
    names = list({**one.values, **other.values})
    counts = np.array([[each.values.get(name, 0) for name in names] for each in (one, other)], dtype=np.float64)
    rest = np.array([[one.filled], [other.filled]]) - counts.sum(axis=1, keepdims=True)
    table = np.hstack([counts, np.maximum(rest, 0)])
    table = table[:, table.sum(axis=0) > 0]
    shares = table / table.sum(axis=1, keepdims=True)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    g = 2 * float((table * np.log(np.where(table > 0, table / expected, 1.0))).sum())
    from scipy.stats import chi2  # noqa: PLC0415 - heavy, and seldom needed

    return 0.5 * float(np.abs(shares[0] - shares[1]).sum()), float(chi2.sf(g, max(table.shape[1] - 1, 1)))


def value_changes(name: str, now: ColumnSketch, past: Sequence[ColumnSketch], together: ColumnSketch) -> list[Change]:
    """Values that were never there before, and values that are no longer there."""
    known, total = together.values, together.filled
    new = {value: count for value, count in now.values.items() if value not in known}
    lost = {value: count / total for value, count in known.items() if value not in now.values}
    once = sum(1 for count in known.values() if count == 1)
    rows = sum(new.values()) + (now.filled - sum(now.values.values()) if not now.knows_all_values else 0)
    from scipy.stats import betabinom  # noqa: PLC0415 - heavy, and seldom needed

    expected = betabinom(now.filled, once + 0.5, total - once + 0.5)
    share = rows / now.filled
    p = float(expected.sf(rows - 1)) if rows else 1.0
    most = float(expected.ppf(1 - BAND)) / now.filled
    words = f"{name}: {share:.2%} have values that were not there before: {quoted(new, 5)}"
    made = [Change(name, "new values", p, share, LEAST["new values"], 0.0, share, (0.0, most), words)] if rows else []
    always = {value: part for value, part in lost.items() if all(value in one.values for one in past if one.filled)}
    gone = sum(always.values())
    if always and now.knows_all_values:
        p = max((1 - gone) ** now.filled, 0.01 / (len(past) + 1) ** 2 * min(0.05 / gone, 1.0))
        words = f"{name}: values that made up {gone:.2%} are gone: {quoted(always, 5)}"
        made.append(
            Change(name, "lost values", p, gone, LEAST["lost values"], gone, 0.0, (LEAST["lost values"], 1.0), words)
        )
    return made
