"""What earlier tables looked like, in a few kilobytes, and how a new one differs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anomaly_detection.errors import InputError
from anomaly_detection.quality.answer import Example, Finding, severity_of_share
from anomaly_detection.quality.column_profile import ColumnProfile, merged_columns, profiled
from anomaly_detection.quality.columns import CodedColumn, coded
from anomaly_detection.quality.findings import EXAMPLES, example_words
from anomaly_detection.quality.guilty_parts import blamed
from anomaly_detection.quality.shapes import runs
from anomaly_detection.records import counted, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from anomaly_detection.quality.guilty_parts import GuiltyParts

VERSION = 1
ALPHA = 0.001
"""How probable a false alarm is, for each thing that is looked at in each column."""

UNSEEN = 100.0
"""How many rows one table counts for when the share of missing values of the next is foretold."""


@dataclass(frozen=True)
class PatternProfile:
    """The columns of earlier tables.

    Parameters
    ----------
    tables : how many there were.
    columns : by name.
    time : when the latest was, microseconds since 1970 UTC; None if that is not known.
    """

    tables: int
    columns: dict[str, ColumnProfile]
    time: int | None = None

    @classmethod
    def fit(cls, tables: Iterable[pl.DataFrame]) -> Self:
        """Learn from tables that are right, but for a few cells; the oldest first.

        Raises
        ------
        InputError
            for no table.
        """
        return cls.merged([cls(1, {name: profiled(coded(one[name])) for name in one.columns}) for one in tables])

    @classmethod
    def merged(cls, profiles: Sequence[PatternProfile]) -> Self:
        """The profile of all tables that several profiles are of, the oldest first; columns are those of the last.

        Raises
        ------
        InputError
            for none.
        """
        if not profiles:
            raise InputError("There is no earlier table to learn from. Give at least one.")
        latest = profiles[-1]
        made = {
            name: merged_columns([one.columns[name] for one in profiles if name in one.columns])
            for name in latest.columns
        }
        return cls(sum(one.tables for one in profiles), made, latest.time)

    def check(self, frame: pl.DataFrame, tolerance: float = 0.0, parts: GuiltyParts | None = None) -> list[Finding]:
        """How a table differs, the most severe finding first.

        Parameters
        ----------
        frame : the table.
        tolerance : the share of rows of a column that may differ without an alarm.
        parts : the parts of the table one of which may be guilty.
        """
        found = self.schema_findings(frame)
        for name in frame.columns if len(frame) else ():
            if name in self.columns:
                found += column_findings(coded(frame[name]), self.columns[name], tolerance, parts)
        return sorted(found, key=lambda one: (not one.is_anomaly, -one.share))

    def schema_findings(self, frame: pl.DataFrame) -> list[Finding]:
        """Columns that were added, lost, or hold another type."""
        now = {name: coded(frame[name].head(0)).type for name in frame.columns}
        lost = [name for name in self.columns if name not in now]
        added = [name for name in now if name not in self.columns]
        other = [name for name in now if name in self.columns and now[name] != self.columns[name].type]
        said = [schema_finding(name, "lost column", "critical", f"The column {name!r} is gone.") for name in lost]
        said += [schema_finding(name, "added column", "low", f"The column {name!r} is new.") for name in added]
        for name in other:
            words = f"The column {name!r} holds {now[name]}, and held {self.columns[name].type}."
            said.append(schema_finding(name, "changed type", "high", words))
        return said

    def state(self) -> dict[str, Any]:
        """Everything learned, as plain values for JSON."""
        columns = {name: asdict(column) for name, column in self.columns.items()}
        return {"version": VERSION, "tables": self.tables, "time": self.time, "columns": columns}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The inverse of :meth:`state`.

        Raises
        ------
        InputError
            for what is no such state.
        """
        if not isinstance(state, dict) or state.get("version") != VERSION:
            found = state.get("version") if isinstance(state, dict) else None
            raise InputError(f"The profile has version {found!r}, not {VERSION}. Learn it again.")
        try:
            columns = {name: ColumnProfile(**column) for name, column in state["columns"].items()}
            restored = {name: _checked(column) for name, column in columns.items()}
            return cls(int(state["tables"]), restored, None if state.get("time") is None else int(state["time"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"This is no profile of patterns ({error}). Learn it again.") from error


def _checked(column: ColumnProfile) -> ColumnProfile:
    values = asdict(column)
    values["missing"] = tuple(float(one) for one in column.missing)
    for name in ("shapes", "values"):
        if values[name] is not None:
            values[name] = {str(key): int(count) for key, count in values[name].items()}
    return ColumnProfile(**values)


def schema_finding(column: str, kind: str, severity: str, message: str) -> Finding:
    """A finding about a column as a whole."""
    return Finding(column, kind, True, severity, 1.0, (0.0, 0.0), message, 0, 1.0)


def column_findings(
    column: CodedColumn, profile: ColumnProfile, tolerance: float, parts: GuiltyParts | None = None
) -> list[Finding]:
    """How a column differs from earlier ones."""
    found = [missing_finding(column, profile, tolerance, parts)]
    kept = ~column.missing
    if profile.shapes is not None:
        new = kept & ~runs(column.texts).is_in(list(profile.shapes)).to_numpy()
        words = "have a shape that was not there before"
        found.append(novelty(column, new, "new shape", words, profile.shapes, tolerance, parts))
    if (known := profile.known_values) is not None:
        new = kept & ~column.texts.is_in(list(known)).to_numpy()
        found.append(novelty(column, new, "new value", "were not there before", known, tolerance, parts))
        found.append(lost_finding(column, known))
    if profile.lowest is not None and profile.highest is not None and profile.width is not None:
        room = 0.5 * max(profile.width, 0.01 * max(abs(profile.lowest), abs(profile.highest)))
        low, high = profile.lowest - room, profile.highest + room
        words = f"lie outside of {low:g} to {high:g}"
        out = kept & ((column.numbers < low) | (column.numbers > high))
        found.append(novelty(column, out, "out of range", words, {"": profile.filled}, tolerance, parts))
    return [one for one in found if one is not None]


def novelty(
    column: CodedColumn,
    new: NDArray[np.bool_],
    kind: str,
    words: str,
    known: Mapping[str, int],
    tolerance: float,
    parts: GuiltyParts | None,
) -> Finding | None:
    """A finding where more values are new than the ones that had occurred once let expect."""
    rows = np.flatnonzero(new[column.codes])
    total = sum(known.values())
    once = sum(1 for count in known.values() if count == 1)
    from scipy.stats import betabinom  # noqa: PLC0415 - heavy, and seldom needed

    expected = betabinom(column.rows, once + 0.5, total - once + 0.5)
    return rate_finding(column, rows, kind, words, expected, tolerance, parts)


def missing_finding(
    column: CodedColumn, profile: ColumnProfile, tolerance: float, parts: GuiltyParts | None
) -> Finding | None:
    """A finding where more values are missing than in earlier tables."""
    rates = np.asarray(profile.missing)
    mean = float(rates.mean())
    spread = float(rates.var(ddof=1)) if len(rates) > 2 else 0.0
    weight = min(max(mean * (1 - mean) / spread - 1, 20.0), UNSEEN * len(rates)) if spread else UNSEEN * len(rates)
    from scipy.stats import betabinom  # noqa: PLC0415 - heavy, and seldom needed

    expected = betabinom(column.rows, mean * weight + 0.5, (1 - mean) * weight + 0.5)
    rows = np.flatnonzero(column.missing[column.codes])
    return rate_finding(column, rows, "missing", f"are missing, {mean:.1%} before", expected, tolerance, parts)


def rate_finding(
    column: CodedColumn,
    rows: NDArray[np.int64],
    kind: str,
    words: str,
    expected: Any,
    tolerance: float,
    parts: GuiltyParts | None,
) -> Finding | None:
    """A finding where a share of rows is larger than expected."""
    share = len(rows) / column.rows
    most = max(float(expected.ppf(1 - ALPHA)) / column.rows, tolerance)
    if share <= most:
        return None
    first = rows[np.sort(np.unique(column.codes[rows], return_index=True)[1])[:EXAMPLES]].tolist()
    examples = tuple(Example(row, column.values[int(column.codes[row])]) for row in first)
    shown = example_words(examples) if kind != "missing" else ""
    message = f"{column.name}: {counted(len(rows), 'value')} ({share:.1%}) {words}{shown}."
    sure = 1.0 - float(expected.sf(len(rows) - 1))
    severity = severity_of_share(share, most)
    made = Finding(column.name, kind, True, severity, sure, (0.0, most), message, len(rows), share, examples)
    return blamed(made, rows, parts)


def lost_finding(column: CodedColumn, known: Mapping[str, int]) -> Finding | None:
    """A finding where values that should have occurred many times do not."""
    total = sum(known.values())
    here = set(column.texts.to_list())
    lost = {value: count / total for value, count in known.items() if value not in here}
    lost = {value: share for value, share in lost.items() if share >= 0.01 and share * column.filled >= 20}
    if not lost:
        return None
    share = sum(lost.values())
    message = f"{column.name}: {quoted(lost)} made up {share:.1%} of the values before and do not occur any more."
    severity = severity_of_share(share, 0.01)
    sure = 1.0 - float((1 - share) ** column.filled)
    return Finding(column.name, "lost value", True, severity, sure, (0.01, 1.0), message, 0, share)
