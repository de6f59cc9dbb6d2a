"""A few normal training rows: what explanations replace a record's values with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.errors import ArtifactError
from anomaly_detection.explain.effort import Effort, effort_for
from anomaly_detection.explain.normal import normal_ranges, reference_row
from anomaly_detection.features.nesting import flatten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.features.space import FeatureSpace
    from anomaly_detection.records import Schema

    Score = Callable[[NDArray[np.float32]], NDArray[np.float64]]
    """Scores the rows of an (m, d) native matrix."""

MOST_ROWS = 256
"""Normal rows that are kept."""

FEWEST_ROWS = 32
"""Normal rows that are kept of a very wide table."""

MOST_VALUES = 200_000
"""The most values that are kept, where that leaves at least :data:`FEWEST_ROWS` rows."""

NORMAL_SHARE = 0.75
"""The share of the training rows, by their scores, that the normal rows are drawn from."""

MOST_LIMIT_ROWS = 10_000
"""The most rows that the limits of normal values are taken from."""

LONGEST = 200
"""The most characters of a text that are kept."""

REFERENCES = 8
"""Normal rows that contributions are held against."""


@dataclass(frozen=True)
class Background:
    """Normal rows of the training data, at most :data:`MOST_ROWS`.

    Parameters
    ----------
    space : what the d features mean.
    rows : (k, d) float32, native rows drawn from those with low scores.
    values : for each of the user's columns, the k values it has in these rows.
    reference : (d,) the middle of every column, or the most normal row where that is unusual.
    limits : (2, d) float32, between which the middle 90 % of each number lie.
    normal : what is normal in each column, in words.
    typical : the median score of the calibration rows.
    """

    space: FeatureSpace
    rows: NDArray[np.float32]
    values: Mapping[str, list[Any]]
    reference: NDArray[np.float32]
    limits: NDArray[np.float32]
    normal: Mapping[str, str]
    typical: float

    @classmethod
    def learn(
        cls,
        frame: pl.DataFrame,
        schema: Schema,
        X: NDArray[np.float32],
        scores: NDArray[np.float64],
        space: FeatureSpace,
        score: Score,
        seed: int = 0,
    ) -> Self:
        """Choose the rows.

        Parameters
        ----------
        frame, X : the training rows, as they came and as an (n, d) native matrix.
        scores : (n,) their scores by models fitted without them, NaN where there is none.
        score : scores native rows.
        seed : which rows are drawn.
        """
        chosen = _normal_rows(scores, len(space.columns()), seed)
        part = flatten(frame)[chosen]
        typical = float(np.nanmedian(scores))
        return cls(
            space=space,
            rows=X[chosen],
            values={name: [_plain(value) for value in part[name]] for name in space.columns()},
            reference=_reference(X, scores, space, score, typical),
            limits=_limits(X),
            normal=normal_ranges(frame, schema),
            typical=typical,
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The user's columns, in the order of contributions."""
        return tuple(self.space.columns())

    @cached_property
    def column_of(self) -> NDArray[np.int64]:
        """(d,) the position of each feature's column."""
        return columns_of(self.space)

    @property
    def effort(self) -> Effort:
        """How far to look in a table of this width."""
        return effort_for(len(self.space))

    @cached_property
    def references(self) -> NDArray[np.float32]:
        """(r, d) the rows that contributions are held against."""
        return np.concatenate([self.reference[None, :], self.rows[: REFERENCES - 1]])

    @cached_property
    def choices(self) -> list[NDArray[np.int64]]:
        """For each column the normal rows with one each of its values, from the smallest to the largest number."""
        groups = self.space.columns().values()
        return [_distinct(self.rows[:, group]) for group in groups]

    @cached_property
    def moves(self) -> NDArray[np.int64]:
        """(m, 2) pairs of a column and a normal row: a few values of each column, evenly spread."""
        few = [spread(places, self.effort.values) for places in self.choices]
        columns = np.repeat(np.arange(len(few)), [len(places) for places in few])
        return np.stack([columns, np.concatenate(few)], axis=1)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name; enough for :meth:`restore`."""
        plain = {"values": dict(self.values), "normal": dict(self.normal), "typical": self.typical}
        return plain, {"rows": self.rows, "reference": self.reference, "limits": self.limits}

    @classmethod
    def restore(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], space: FeatureSpace) -> Self:
        """The inverse of :meth:`state`.

        Raises
        ------
        ArtifactError
            if values and arrays do not belong together.
        """
        try:
            found = cls(
                space=space,
                rows=arrays["rows"],
                values=spec["values"],
                reference=arrays["reference"],
                limits=arrays["limits"],
                normal=spec["normal"],
                typical=spec["typical"],
            )
        except KeyError as error:
            raise ArtifactError(f"The saved normal rows lack their {error}. Fit the model again.") from error
        count, width = len(found.rows), len(space)
        fits = (
            found.rows.shape == (count, width)
            and found.limits.shape == (2, width)
            and found.reference.shape == (width,)
            and all(len(found.values.get(name, ())) == count for name in found.names)
        )
        if not fits or not count:
            raise ArtifactError(f"The saved normal rows are not {count} rows of {width} features. Fit the model again.")
        return found


def columns_of(space: FeatureSpace) -> NDArray[np.int64]:
    """(d,) the position of each feature's column among the user's columns."""
    found = np.empty(len(space), dtype=np.int64)
    for position, group in enumerate(space.columns().values()):
        found[group] = position
    return found


def differ(
    one: NDArray[np.float32], other: NDArray[np.float32], column_of: NDArray[np.int64], n: int
) -> NDArray[np.bool_]:
    """(m, columns) whether anything differs in each of the n columns; missing equals missing."""
    features: NDArray[np.bool_] = (one != other) & ~(np.isnan(one) & np.isnan(other))
    if n == len(column_of):
        return features
    order = np.argsort(column_of, kind="stable")
    firsts = np.searchsorted(column_of[order], np.arange(n))
    found: NDArray[np.bool_] = np.logical_or.reduceat(features[..., order], firsts, axis=-1)
    return found


def spread(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most so many of them, evenly spread."""
    return places if len(places) <= most else places[np.linspace(0, len(places) - 1, most).round().astype(np.int64)]


def _normal_rows(scores: NDArray[np.float64], width: int, seed: int) -> NDArray[np.int64]:
    most = int(np.clip(MOST_VALUES // max(1, width), FEWEST_ROWS, MOST_ROWS))
    usual = np.flatnonzero(scores <= np.nanquantile(scores, NORMAL_SHARE))
    return np.random.default_rng(seed).permutation(usual)[:most]


def _reference(
    X: NDArray[np.float32], scores: NDArray[np.float64], space: FeatureSpace, score: Score, typical: float
) -> NDArray[np.float32]:
    """(d,) the middle of every column, unless that lies between the crowds: then the most normal row."""
    middle = reference_row(X, space)
    return middle if score(middle[None, :])[0] <= typical else X[int(np.nanargmin(scores))].copy()


def _limits(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, d) the middle 90 % of each feature; NaN where there are no values."""
    ordered = np.sort(X[:: -(-len(X) // MOST_LIMIT_ROWS)], axis=0)
    present = np.count_nonzero(~np.isnan(ordered), axis=0)
    places = [(share * np.maximum(present - 1, 0)).round().astype(np.int64) for share in (0.05, 0.95)]
    return np.stack([np.take_along_axis(ordered, place[None, :], axis=0)[0] for place in places])


def _distinct(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The first row with each value, in the order of the values."""
    places: NDArray[np.int64] = np.unique(values, axis=0, return_index=True)[1]
    return places


def _plain(value: Any) -> Any:
    """A value that JSON knows, and that is read as the same."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
    if value is None or isinstance(value, bool | int | float):
        return None if isinstance(value, float) and not np.isfinite(value) else value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
