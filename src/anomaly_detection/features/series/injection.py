"""Synthetic anomalies for series: rows made anomalous in a known way, so that detectors can be held against them.

Every row that is not labelled stays as it is, bit for bit, every labelled one is changed, and what is missing stays
missing. Sizes are in scales of the series: how far its values usually are from level and season.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.base import SEED, Choice, Range
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.features.series._spoiling import SPOILERS, Channel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.series.series import Series

SERIES_KINDS = {name: spoiler.about for name, spoiler in SPOILERS.items()}
"""The kinds of injected anomalies, and what each is."""

USUAL_LENGTH = 24
"""Rows of a stretch in a series without a season."""

SHORT = 3
"""A spike takes so many rows at most."""


@dataclass(frozen=True, slots=True, eq=False)
class InjectedSeries:
    """A series with injected anomalies.

    Parameters
    ----------
    kind : what kind they are.
    series : the rows, some of them changed.
    labels : (n,) bool, true for the changed rows.
    """

    kind: str
    series: Series
    labels: NDArray[np.bool_]


def inject_series(
    series: Series,
    kind: str,
    *,
    events: int = 1,
    size: float = 5.0,
    length: int | None = None,
    start: int = 0,
    seed: int = 0,
) -> InjectedSeries:
    """Make some stretches of a series anomalous.

    Parameters
    ----------
    series : at least twice as many rows as the events take; it is not changed.
    kind : one of :data:`SERIES_KINDS`.
    events : how many stretches, apart from one another.
    size : how far values are moved, in scales of their channel; for ``amplitude`` a swing is ``1 + size / 4`` times as
        wide, or as narrow.
    length : rows of each; 1 to 3 for spikes and drops, else a season, or 24 rows, when not given.
    start : rows before this one are left alone.
    seed : decides where, how, and in which channels (at least one); the same seed gives the same series.

    Raises
    ------
    ParameterError
        for an unknown kind or a number out of range.
    InputError
        if there are too few rows, or this kind changes nothing, such as a swap within a constant series.

    Examples
    --------
    >>> from anomaly_detection.features.series.series import Series
    >>> rows = Series.of(np.sin(np.arange(200) * 2 * np.pi / 20))
    >>> found = inject_series(rows, "flatline", length=10, start=100)
    >>> int(found.labels.sum()), bool(found.labels[:100].any())
    (10, False)
    """
    _check(kind, events, size, length, start, seed)
    rng = np.random.default_rng([seed, list(SERIES_KINDS).index(kind)])
    channels = [Channel.of(column) for column in series.values.T]
    values = series.values.copy()
    for rows in _stretches(len(series), start, _lengths(channels, kind, events, length, rng), rng):
        for place in _chosen(len(channels), rng):
            new = SPOILERS[kind].spoil(channels[place], rows, float(size), rng)
            values[rows, place] = np.where(np.isnan(values[rows, place]), np.nan, new)
    changed = (values != series.values) & ~(np.isnan(values) & np.isnan(series.values))
    if not changed.any():
        raise InputError(f"An anomaly of the kind {kind!r} changes nothing in these rows: {SERIES_KINDS[kind]}.")
    return InjectedSeries(kind, series.with_values(values), changed.any(axis=1))


def _lengths(
    channels: list[Channel], kind: str, events: int, length: int | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """(events,) how many rows each takes."""
    if length is not None:
        return np.full(events, length)
    if SPOILERS[kind].short:
        return rng.integers(1, SHORT + 1, events)
    return np.full(events, max([channel.season for channel in channels if channel.season], default=USUAL_LENGTH))


def _stretches(n: int, start: int, lengths: NDArray[np.int64], rng: np.random.Generator) -> list[slice]:
    """Where the events are: one in each of as many equal parts of the rows from ``start`` on."""
    need = 2 * int(lengths.max()) * len(lengths)
    if n - start < need:
        raise InputError(
            f"{len(lengths)} anomalies of {int(lengths.max())} rows need {need} rows from row {start} on; there are "
            f"{max(n - start, 0)}. Take fewer or shorter ones."
        )
    bounds = np.linspace(start, n, len(lengths) + 1).astype(np.int64)
    places = [int(rng.integers(a, b - k)) for a, b, k in zip(bounds, bounds[1:], lengths, strict=False)]
    return [slice(place, place + int(k)) for place, k in zip(places, lengths, strict=True)]


def _chosen(channels: int, rng: np.random.Generator) -> list[int]:
    """Some of the channels, at least one."""
    return sorted(rng.permutation(channels)[: int(rng.integers(1, channels + 1))].tolist())


def _check(kind: str, events: int, size: float, length: int | None, start: int, seed: int) -> None:
    for name, value, rule in (
        ("kind", kind, Choice(*SERIES_KINDS)),
        ("events", events, Range(1, integer=True)),
        ("size", size, Range(0, 1e6, open_low=True)),
        ("length", length, Range(1, integer=True, or_none=True)),
        ("start", start, Range(0, integer=True)),
        ("seed", seed, SEED),
    ):
        if problem := rule.problem(value):
            raise ParameterError(f"{name}={value!r} {problem}.")
