"""The contract suite of sinks: one check for every promise a sink of results makes.

In the tests of a package that brings a sink of its own::

    import pytest
    from anomaly_detection.testing import sink_checks
    from my_package import MySink, read_back

    @pytest.mark.parametrize("check", sink_checks(), ids=str)
    def test_contract(check, tmp_path):
        check(lambda: MySink(tmp_path / "place"), lambda: read_back(tmp_path / "place"))

The first function makes a sink for one and the same place, the second gives the rows that are there now: None while
there never were results.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, Self

import polars as pl

from anomaly_detection.errors import SinkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Sink(Protocol):
    """What the checks need of a sink."""

    def made(self, how: Mapping[str, Any]) -> None:
        """Say how the results were made."""

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


Make = Callable[[], Sink]
Rows = Callable[[], pl.DataFrame | None]


@dataclass(frozen=True, slots=True)
class SinkCheck:
    """One promise. Call it with two functions; it raises AssertionError when the promise is broken."""

    promise: Callable[[Make, Rows], None]

    def __str__(self) -> str:
        return self.promise.__name__

    def __call__(self, make: Make, rows: Rows) -> None:
        """Check.

        Raises
        ------
        AssertionError
            saying how the promise is broken.
        """
        self.promise(make, rows)


def sink_checks() -> tuple[SinkCheck, ...]:
    """One check for every promise.

    >>> str(sink_checks()[0])
    'what_is_written_is_there_in_order'
    """
    return tuple(SinkCheck(promise) for promise in PROMISES)


def what_is_written_is_there_in_order(make: Make, rows: Rows) -> None:
    """All of it, whatever the sizes of the frames it came in."""
    whole = _results(100)
    with make() as sink:
        for start, size in ((0, 1), (1, 0), (1, 60), (61, 39)):
            sink.write(whole.slice(start, size))
    _equal(rows(), whole)


def missing_values_stay_missing(make: Make, rows: Rows) -> None:
    """In every column."""
    some = _results(10).with_columns(pl.when(pl.int_range(pl.len()) % 3 != 0).then(pl.all()))
    with make() as sink:
        sink.write(some)
    _equal(rows(), some)


def a_single_column_keeps_its_missing_values(make: Make, rows: Rows) -> None:
    """A row without any value is a row."""
    some = pl.DataFrame({"score": [0.5, None, 1.5, None]})
    with make() as sink:
        sink.write(some)
    _equal(rows(), some)


def numbers_that_are_not_finite_do_no_harm(make: Make, rows: Rows) -> None:
    """The rows can be read back, and the finite ones are as they were."""
    with make() as sink:
        sink.write(pl.DataFrame({"row": range(4), "score": [0.5, math.nan, math.inf, -math.inf]}))
    found = rows()
    if found is None or found["row"].to_list() != [0, 1, 2, 3] or found["score"][0] != 0.5:
        raise AssertionError(f"Rows with NaN and infinity came back as {found}.")


def text_comes_back_as_it_was(make: Make, rows: Rows) -> None:
    """Quotes, line breaks, separators, other alphabets, control characters, and what spreadsheets take for formulas."""
    texts = ['say "so"', "a,b;c\td", "two\nlines", "Größe 数 🙂", "\x1b[31mred", "=1+1", " blank ", "\\", "x" * 70_000]
    some = pl.DataFrame({"row": range(len(texts)), "a,b": texts, 'q"': texts[::-1]})
    with make() as sink:
        sink.write(some)
    _equal(rows(), some)


def nothing_is_there_before_the_end(make: Make, rows: Rows) -> None:
    """Nobody reads half of the results."""
    with make() as sink:
        sink.write(_results(10))
        if rows() is not None:
            raise AssertionError("Rows can be read before the last one was written.")


def an_error_leaves_nothing(make: Make, rows: Rows) -> None:
    """Nor does Ctrl-C."""
    for error in (RuntimeError("broken"), KeyboardInterrupt()):
        _interrupted(make, error)
        if rows() is not None:
            raise AssertionError(f"Rows are there after {type(error).__name__}.")


def an_error_leaves_what_was_there(make: Make, rows: Rows) -> None:
    """Nor does Ctrl-C take it away."""
    with make() as sink:
        sink.write(_results(3))
    for error in (RuntimeError("broken"), KeyboardInterrupt()):
        _interrupted(make, error)
        _equal(rows(), _results(3))


def the_next_results_replace_the_last(make: Make, rows: Rows) -> None:
    """They are not added to them."""
    for size in (9, 4):
        with make() as sink:
            sink.write(_results(size))
    _equal(rows(), _results(4))


def no_rows_are_a_result_too(make: Make, rows: Rows) -> None:
    """They replace what was there."""
    with make() as sink:
        sink.write(_results(3))
    with make() as sink:
        sink.write(_results(0))
    found = rows()
    if found is None or found.height:
        raise AssertionError(f"After a result without rows there are {found}.")


def how_they_were_made_may_be_said_at_any_time(make: Make, rows: Rows) -> None:
    """Before and after the rows, more than once, with values JSON does not know; the rows are the same."""
    with make() as sink:
        sink.made({"algorithm": "mad", "on": date(2024, 1, 1)})
        sink.write(_results(3))
        sink.made({"threshold": math.inf, "notes": ("a", {"b": math.nan})})
    _equal(rows(), _results(3))


def rows_with_other_columns_are_refused(make: Make, rows: Rows) -> None:
    """And nothing is written."""
    with _refused(), make() as sink:
        sink.write(_results(3))
        sink.write(_results(3).rename({"score": "points"}))
    if rows() is not None:
        raise AssertionError("Rows are there after some were refused.")


def a_sink_that_is_not_open_refuses_rows(make: Make, rows: Rows) -> None:
    """Neither before it was opened nor after it was closed."""
    with _refused():
        make().write(_results(3))
    with make() as sink:
        sink.write(_results(3))
    with _refused():
        sink.write(_results(3))
    _equal(rows(), _results(3))


PROMISES: tuple[Callable[[Make, Rows], None], ...] = (
    what_is_written_is_there_in_order,
    missing_values_stay_missing,
    a_single_column_keeps_its_missing_values,
    numbers_that_are_not_finite_do_no_harm,
    text_comes_back_as_it_was,
    nothing_is_there_before_the_end,
    an_error_leaves_nothing,
    an_error_leaves_what_was_there,
    the_next_results_replace_the_last,
    no_rows_are_a_result_too,
    how_they_were_made_may_be_said_at_any_time,
    rows_with_other_columns_are_refused,
    a_sink_that_is_not_open_refuses_rows,
)


def _results(rows: int) -> pl.DataFrame:
    counted = range(rows)
    return pl.DataFrame(
        {
            "row": pl.Series(counted, dtype=pl.Int64),
            "score": pl.Series([each / 7 for each in counted], dtype=pl.Float64),
            "is_anomaly": pl.Series([each % 5 == 0 for each in counted], dtype=pl.Boolean),
            "reason": pl.Series([f"amount is {each}, usually 2" for each in counted], dtype=pl.String),
        }
    )


def _interrupted(make: Make, error: BaseException) -> None:
    with suppress(type(error)), make() as sink:
        sink.write(_results(10))
        raise error


def _equal(found: pl.DataFrame | None, expected: pl.DataFrame) -> None:
    if found is None:
        raise AssertionError("No rows are there.")
    for what, one, other in (
        ("columns", found.columns, expected.columns),
        ("rows", found.height, expected.height),
        ("values", found.rows(), expected.rows()),
    ):
        if one != other:
            raise AssertionError(f"The {what} are {one!r:.500}, not {other!r:.500}.")


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except SinkError:
        return
    raise AssertionError("Not refused with a SinkError.")
