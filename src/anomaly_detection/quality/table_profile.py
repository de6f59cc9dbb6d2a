"""What one run of a table was like, in a few kilobytes, and what several were like together."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError
from anomaly_detection.features._reading import read_words
from anomaly_detection.quality.columns import as_text, type_words
from anomaly_detection.quality.segments import Segments, merged_segments, segments_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

VERSION = 1
MOST_VALUES, MOST_HASHES = 100, 256
LONGEST_VALUE = 200
LARGEST = 1e140
"""Numbers from here on are as good as infinite: their squares could not be added up."""

GRID = np.linspace(0.0, 1.0, 101)
"""The shares at which quantiles are kept."""


@dataclass(frozen=True, slots=True)
class ColumnSketch:
    """One column of one run.

    Parameters
    ----------
    type : ``number``, ``text``, ``time``, ``boolean`` or ``nested``.
    rows, missing : how many rows there were, and how many had no value.
    distinct : how many different values there were; an estimate within 6 % where there are many and runs were merged;
        0 where a database would not count them.
    mean, deviation, low, high : of numbers, in their own unit; of times in seconds since 1970; None for others.
    quantiles : (101,) of numbers, from the lowest to the highest; empty for others.
    values : the most frequent values of texts, booleans and numbers with few of them, with their counts.
    hashes : the smallest 256 of the hashes of all values, which tell how many values several runs have together.
    """

    type: str
    rows: int
    missing: int
    distinct: int
    mean: float | None = None
    deviation: float | None = None
    low: float | None = None
    high: float | None = None
    quantiles: tuple[float, ...] = ()
    values: dict[str, int] = field(default_factory=dict)
    hashes: tuple[int, ...] = ()

    @property
    def filled(self) -> int:
        """How many rows had a value."""
        return self.rows - self.missing

    @property
    def repeats(self) -> bool:
        """Whether values occur again and again, so that their shares say something."""
        return bool(self.values) and 3 * self.distinct <= self.filled

    @property
    def knows_all_values(self) -> bool:
        """Whether ``values`` are all there were."""
        return bool(self.values) and sum(self.values.values()) >= self.filled


@dataclass(frozen=True, slots=True)
class TableProfile:
    """One run of a table.

    Parameters
    ----------
    rows : how many there were.
    columns : what is kept of each.
    time : when the run was, microseconds since 1970 UTC; None if that is not known.
    name : what the run was read from.
    segments : parts of the table by the values of a column, where such were asked for.
    """

    rows: int
    columns: dict[str, ColumnSketch]
    time: int | None = None
    name: str = ""
    segments: Segments = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`to_dict`.

        Raises
        ------
        InputError
            for what is no such profile.
        """
        if not isinstance(state, dict) or state.get("version") != VERSION:
            found = state.get("version") if isinstance(state, dict) else None
            raise InputError(f"This is no profile of a table: its version is {found!r}, not {VERSION}. Make it again.")
        try:
            columns = {str(name): _sketch(each) for name, each in state["columns"].items()}
            time = None if state.get("time") is None else int(state["time"])
            return cls(int(state["rows"]), columns, time, str(state.get("name", "")), dict(state.get("segments", {})))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"This is no profile of a table ({error}). Make it again.") from error


def _sketch(state: Mapping[str, Any]) -> ColumnSketch:
    numbers = {name: int(state[name]) for name in ("rows", "missing", "distinct")}
    if min(numbers.values()) < 0 or numbers["missing"] > numbers["rows"]:
        raise ValueError(f"counts {numbers}")
    floats: dict[str, Any] = {
        name: None if state[name] is None else float(state[name]) for name in ("mean", "deviation", "low", "high")
    }
    quantiles = tuple(float(one) for one in state["quantiles"])
    if len(quantiles) not in (0, len(GRID)):
        raise ValueError(f"{len(quantiles)} quantiles")
    values = {str(name): int(count) for name, count in state["values"].items()}
    hashes = tuple(int(one) for one in state["hashes"])
    return ColumnSketch(str(state["type"]), **numbers, **floats, quantiles=quantiles, values=values, hashes=hashes)


def profile_table(
    frame: pl.DataFrame, time: int | None = None, name: str = "", segments: Sequence[str] = ()
) -> TableProfile:
    """Keep what matters of a table.

    Parameters
    ----------
    frame : the table; text that is all numbers is text.
    time : when the run was, microseconds since 1970 UTC.
    name : what it was read from.
    segments : columns whose values part the table.

    >>> made = profile_table(pl.DataFrame({"price": [1.0, 2.0, None], "kind": ["a", "b", "a"]}))
    >>> made.rows, made.columns["price"].missing, made.columns["kind"].values
    (3, 1, {'a': 2, 'b': 1})
    """
    columns = {name: sketch(frame[name]) for name in frame.columns}
    return TableProfile(len(frame), columns, time, name, segments_of(frame, segments))


def sketch(series: pl.Series) -> ColumnSketch:
    """What is kept of a column."""
    kind = type_words(series.dtype)
    numbers = as_numbers(series) if kind in ("number", "time") else None
    filled = series.filter(numbers.is_not_null() if numbers is not None else as_text(series) != "")
    values = filled if numbers is not None else as_text(filled)
    distinct = values.n_unique()
    return ColumnSketch(
        type=kind,
        rows=len(series),
        missing=len(series) - len(values),
        distinct=distinct,
        **_of_numbers(numbers),
        values=top_values(values, distinct) if numbers is None or distinct <= MOST_VALUES // 2 else {},
        hashes=hashes_of(values) if kind != "nested" else (),
    )


def as_numbers(series: pl.Series) -> pl.Series:
    """A column of numbers or times as Float64, times in seconds; what is not finite, or as large, is missing."""
    if series.dtype == pl.Date:
        series = series.cast(pl.Datetime("us"))
    if series.dtype == pl.Datetime:
        return series.dt.epoch("us").cast(pl.Float64) / 1e6
    if series.dtype.is_temporal():
        return series.to_physical().cast(pl.Float64) / 1e9
    numbers = series.cast(pl.Float64)
    return numbers.set(~(numbers.abs() < LARGEST).fill_null(value=False), None)


def _of_numbers(numbers: pl.Series | None) -> dict[str, Any]:
    if numbers is None or numbers.null_count() == len(numbers):
        return {}
    values = numbers.drop_nulls().to_numpy()
    scale = max(float(np.abs(values).max()), 1.0)
    return {
        "mean": float((values / scale).mean() * scale),
        "deviation": float((values / scale).std() * scale),
        "low": float(values.min()),
        "high": float(values.max()),
        "quantiles": tuple(np.quantile(values, GRID, method="inverted_cdf").tolist()),
    }


def top_values(values: pl.Series, distinct: int) -> dict[str, int]:
    """The most frequent values; none where hardly any occurs twice."""
    if distinct > MOST_VALUES and distinct > 0.5 * len(values):
        return {}
    texts = (read_words if values.dtype.is_float() else as_text)(values).rename("value").str.head(LONGEST_VALUE)
    counts = texts.value_counts(name="count").sort("count", "value", descending=[True, False]).head(MOST_VALUES)
    return dict(zip(counts["value"].to_list(), counts["count"].to_list(), strict=True))


def hashes_of(values: pl.Series) -> tuple[int, ...]:
    """The smallest hashes of the values, the same on every machine."""
    distinct = values.unique()
    if distinct.dtype.is_numeric():
        bits = distinct.cast(pl.Float64).to_numpy().astype(np.float64) + 0.0
        hashes = _mixed(bits.view(np.uint64))
    else:
        made = [int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little") for text in as_text(distinct)]
        hashes = np.array(made, dtype=np.uint64)
    return tuple(np.sort(hashes)[:MOST_HASHES].tolist())


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread bit patterns evenly over 64 bits (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return bits ^ (bits >> np.uint64(31))


def merge_profiles(profiles: Sequence[TableProfile]) -> TableProfile:
    """What several runs, or parts of one, were like together; columns are those of the last.

    Raises
    ------
    InputError
        for none.
    """
    if not profiles:
        raise InputError("There is no run to learn from. Give at least one.")
    latest = profiles[-1]
    columns = {
        name: merge_sketches(
            [one.columns[name] for one in profiles if name in one.columns and _alike(one, latest, name)]
        )
        for name in latest.columns
    }
    rows = sum(one.rows for one in profiles)
    return TableProfile(rows, columns, latest.time, latest.name, merged_segments([one.segments for one in profiles]))


def _alike(one: TableProfile, other: TableProfile, name: str) -> bool:
    return one.columns[name].type == other.columns[name].type


def merge_sketches(parts: Sequence[ColumnSketch]) -> ColumnSketch:
    """What is kept of a column that came in parts of one type."""
    if len(parts) == 1:
        return parts[0]
    hashes = _merged_hashes(parts)
    return ColumnSketch(
        type=parts[-1].type,
        rows=sum(part.rows for part in parts),
        missing=sum(part.missing for part in parts),
        distinct=max(_estimated(hashes), len({*chain(*(part.values for part in parts))}), *(p.distinct for p in parts)),
        **_merged_numbers([part for part in parts if part.mean is not None]),
        values=_merged_values(parts),
        hashes=hashes,
    )


def _merged_hashes(parts: Sequence[ColumnSketch]) -> tuple[int, ...]:
    if any(part.filled and not part.hashes for part in parts):
        return ()
    return tuple(sorted({one for part in parts for one in part.hashes})[:MOST_HASHES])


def _estimated(hashes: tuple[int, ...]) -> int:
    """How many values have hashes of which these are the smallest."""
    if len(hashes) < MOST_HASHES:
        return len(hashes)
    return round((MOST_HASHES - 1) / ((hashes[-1] + 1) / 2**64))


def _merged_values(parts: Sequence[ColumnSketch]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for value, count in part.values.items():
            total[value] = total.get(value, 0) + count
    first = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]
    return dict(first)


def _merged_numbers(parts: Sequence[ColumnSketch]) -> dict[str, Any]:
    if not parts:
        return {}
    weight = np.array([part.filled for part in parts], dtype=np.float64)
    mean = np.array([part.mean for part in parts])
    middle = float(weight @ mean / weight.sum())
    spread = weight @ (np.array([part.deviation for part in parts]) ** 2 + (mean - middle) ** 2) / weight.sum()
    return {
        "mean": middle,
        "deviation": float(np.sqrt(spread)),
        "low": min(part.low for part in parts if part.low is not None),
        "high": max(part.high for part in parts if part.high is not None),
        "quantiles": merged_quantiles([part.quantiles for part in parts], weight),
    }


def merged_quantiles(quantiles: Iterable[Sequence[float]], weight: NDArray[np.float64]) -> tuple[float, ...]:
    """(101,) the quantiles of all values together, from those of parts that have so many values each."""
    made = [
        (np.asarray(each), np.full(len(each), w / len(each)))
        for each, w in zip(quantiles, weight, strict=True)
        if len(each)
    ]
    if not made:
        return ()
    values = np.concatenate([each[0] for each in made])
    order = np.argsort(values, kind="stable")
    share = np.cumsum(np.concatenate([each[1] for each in made])[order])
    place = np.searchsorted(share, GRID * share[-1] - 1e-9)
    return tuple(values[order][np.minimum(place, len(values) - 1)].tolist())
