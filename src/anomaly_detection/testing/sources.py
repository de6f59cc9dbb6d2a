"""The contract suite of sources: one check for every promise a source of records makes.

In the tests of a package that brings a source of its own::

    import pytest
    from anomaly_detection.testing import source_checks
    from my_package import MySource

    @pytest.mark.parametrize("check", source_checks(), ids=str)
    def test_contract(check, tmp_path):
        def hold(frame):
            place = my_package.store(frame)
            return lambda: MySource(place)

        check(hold)

Each check brings its own records: ``hold`` puts them where the source reads from, and gives a function that opens it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol, Self

import polars as pl

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Source(Protocol):
    """What the checks need of a source."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """The type of each column."""

    def with_dtypes(self, dtypes: Mapping[str, pl.DataType | type[pl.DataType]]) -> Self:
        """Read these columns as these types."""

    def read(self, rows: int | None = None) -> pl.DataFrame:
        """All records, or the first ``rows`` of them."""

    def batches(self, rows: int = ...) -> Iterator[pl.DataFrame]:
        """The records in order, ``rows`` at a time."""

    def fingerprint(self) -> str:
        """What changes when the records do."""

    def close(self) -> None:
        """Let go of what is held."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


Open = Callable[[], Source]
Hold = Callable[[pl.DataFrame], Open]


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """One promise. Call it with a function that holds records; it raises AssertionError when the promise is broken."""

    promise: Callable[[Hold], None]

    def __str__(self) -> str:
        return self.promise.__name__

    def __call__(self, hold: Hold) -> None:
        """Check.

        Raises
        ------
        AssertionError
            saying how the promise is broken.
        """
        self.promise(hold)


def source_checks() -> tuple[SourceCheck, ...]:
    """One check for every promise.

    >>> str(source_checks()[0])
    'values_and_types_come_out_as_they_were_put_in'
    """
    return tuple(SourceCheck(promise) for promise in PROMISES)


def values_and_types_come_out_as_they_were_put_in(hold: Hold) -> None:
    """Numbers, yes and no, text, dates and times, in order, under their names."""
    with hold(_records())() as source:
        _equal(source.columns, _records().columns, "columns")
        _equal_frames(source.read(), _records(), "read()")


def missing_values_are_missing(hold: Hold) -> None:
    """In columns of every type, and never NaN."""
    some = _records().with_columns(pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.all()))
    with hold(some)() as source:
        _equal_frames(source.read(), some, "read() of records with missing values")


def reading_twice_gives_the_same(hold: Hold) -> None:
    """From one source, and from another one on the same records."""
    opened = hold(_records())
    with opened() as source:
        first = source.read()
        _equal_frames(source.read(), first, "the second read()")
    with opened() as again:
        _equal_frames(again.read(), first, "read() after opening again")


def batches_of_any_size_give_what_reading_gives(hold: Hold) -> None:
    """Every batch is full but the last one, and none is empty."""
    with hold(_records())() as source:
        whole = source.read()
        for rows in (1, 2, 5, whole.height - 1, whole.height, whole.height + 1):
            parts = list(source.batches(rows))
            full, left = divmod(whole.height, rows)
            _equal([part.height for part in parts], [rows] * full + [left] * (left > 0), f"sizes of batches({rows})")
            _equal_frames(pl.concat(parts), whole, f"batches({rows})")


def two_readers_do_not_disturb_each_other(hold: Hold) -> None:
    """Batches may be taken from one iterator while another is open."""
    with hold(_records())() as source:
        one, other = source.batches(3), source.batches(3)
        for _ in range(2):
            _equal_frames(next(one), next(other), "a batch of the second reader")


def the_first_rows_are_those_of_the_whole(hold: Hold) -> None:
    """``read(rows)`` is the head of ``read()``, of the same types."""
    with hold(_records())() as source:
        whole = source.read()
        for rows in (0, 1, 3, whole.height, whole.height + 9):
            _equal_frames(source.read(rows), whole.head(rows), f"read({rows})")


def types_are_told_from_every_record(hold: Hold) -> None:
    """The last value counts as the first: no batch has another type than the source says."""
    late = pl.DataFrame({"x": [*map(float, range(30)), 0.5], "y": [None] * 30 + ["text"]})
    with hold(late)() as source:
        said = source.dtypes
        _equal(said, dict(late.schema), "dtypes")
        for part in source.batches(4):
            _equal(dict(part.schema), said, "the types of a batch")


def given_types_are_kept(hold: Hold) -> None:
    """Also for what would be read as another; names that are not there do not matter."""
    with hold(_records())() as source:
        frame = source.with_dtypes({"whole": pl.Float64, "other": pl.Int64}).read()
        expected = _records().with_columns(pl.col("whole").cast(pl.Float64))
        _equal_frames(frame, expected, "read() with a given type")


def a_value_of_another_type_is_refused(hold: Hold) -> None:
    """With its column; nothing becomes missing unsaid."""
    with hold(_records())() as source, _refused("'text'"):
        source.with_dtypes({"text": pl.Float64}).read()


def names_are_kept_as_they_are(hold: Hold) -> None:
    """With blanks inside, signs, quotes, other alphabets, digits only, and however long."""
    names = ["a b", "x,y;z", 'say "so"', "Größe", "数", "1", "-", "null", "data", "a.b", "n" * 10_000]
    with hold(pl.DataFrame({name: [1, 2] for name in names}))() as source:
        _equal(source.columns, names, "columns")
        _equal(source.read().columns, names, "the columns of read()")


def batches_without_rows_are_refused(hold: Hold) -> None:
    """They would never come to an end."""
    with hold(_records())() as source:
        for rows in (0, -1):
            with _refused(str(rows)):
                next(source.batches(rows))


def the_fingerprint_changes_with_the_records(hold: Hold) -> None:
    """Equal records have an equal one, and a changed value another."""
    changed = _records().with_columns(number=pl.col("number") + 1)
    prints = []
    for frame in (_records(), _records(), changed):
        with hold(frame)() as source:
            prints.append(source.fingerprint())
            _equal(source.fingerprint(), prints[-1], "the fingerprint, asked for again")
    _equal(prints[1], prints[0], "the fingerprint of equal records")
    if prints[2] == prints[0]:
        raise AssertionError("The fingerprint is the same after a value changed.")


def closing_twice_is_fine(hold: Hold) -> None:
    """Also after nothing was read."""
    source = hold(_records())()
    source.close()
    source.close()


PROMISES: tuple[Callable[[Hold], None], ...] = (
    values_and_types_come_out_as_they_were_put_in,
    missing_values_are_missing,
    reading_twice_gives_the_same,
    batches_of_any_size_give_what_reading_gives,
    two_readers_do_not_disturb_each_other,
    the_first_rows_are_those_of_the_whole,
    types_are_told_from_every_record,
    given_types_are_kept,
    a_value_of_another_type_is_refused,
    names_are_kept_as_they_are,
    batches_without_rows_are_refused,
    the_fingerprint_changes_with_the_records,
    closing_twice_is_fine,
)


def _records() -> pl.DataFrame:
    rows = range(11)
    return pl.DataFrame(
        {
            "whole": [2**62 - each for each in rows],
            "number": [0.1 * each - 1e-300 for each in rows],
            "yes": [each % 3 == 0 for each in rows],
            "text": [f'{each}, "quoted"\nand é' for each in rows],
            "code": [f"{each:03}x" for each in rows],
            "day": [date(2024, 2, 20 + each % 10) for each in rows],
            "at": [datetime.fromisoformat(f"2024-01-01T12:{each:02}:00.00{each:02}") for each in rows],
        }
    )


def _equal(found: object, expected: object, what: str) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {found!r:.500}, not {expected!r:.500}.")


def _equal_frames(found: pl.DataFrame, expected: pl.DataFrame, what: str) -> None:
    _equal(dict(found.schema), dict(expected.schema), f"{what}, the types")
    _equal(found.height, expected.height, f"{what}, the rows")
    for name in expected.columns:
        _equal(found[name].to_list(), expected[name].to_list(), f"{what}, the column {name!r}")


@contextmanager
def _refused(hint: str) -> Iterator[None]:
    try:
        yield
    except InputError as raised:
        if hint not in str(raised):
            raise AssertionError(f"The refusal does not name {hint}: {raised}") from raised
    else:
        raise AssertionError(f"Not refused with an InputError naming {hint}.")
