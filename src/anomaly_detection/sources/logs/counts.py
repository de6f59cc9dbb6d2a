"""What became of the lines of a log, and how many undecodable ones are too many."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from anomaly_detection.errors import ParameterError
from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = 5
"""Undecodable lines that are shown."""

SHOWN_CHARACTERS = 120
"""Characters of each that are shown."""


@dataclass(frozen=True, slots=True)
class LogCounts:
    """What became of the lines of a log: ``lines == decoded + joined + blank + aside``.

    Parameters
    ----------
    lines : of the file; of a table, its records.
    decoded : lines that are now a row.
    joined : lines that belong to the row before them.
    blank : lines with nothing on them.
    aside : lines that could not be decoded.
    replaced : lines with bytes that are no UTF-8, or NUL; these are U+FFFD now.
    shortened : messages that were cut, and lines that were longer than is read.
    unknown_levels : levels that are none known here, now null.
    unreadable_times : time stamps of an unknown kind, now null.
    unusable_values : response times below 0, NaN, infinite or no number, status codes that are no number; now null.
    first_aside : the numbers of the first undecodable lines, and their beginnings.
    """

    lines: int = 0
    decoded: int = 0
    joined: int = 0
    blank: int = 0
    aside: int = 0
    replaced: int = 0
    shortened: int = 0
    unknown_levels: int = 0
    unreadable_times: int = 0
    unusable_values: int = 0
    first_aside: tuple[tuple[int, str], ...] = ()

    def __add__(self, other: LogCounts) -> LogCounts:
        """The counts of both, one after the other."""
        names = [each.name for each in fields(self) if each.name != "first_aside"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return LogCounts(**sums, first_aside=(self.first_aside + other.first_aside)[:SHOWN])

    def since(self, earlier: LogCounts) -> LogCounts:
        """The counts without those of an earlier moment."""
        names = [each.name for each in fields(self) if each.name != "first_aside"]
        rest = {name: getattr(self, name) - getattr(earlier, name) for name in names}
        return LogCounts(**rest, first_aside=self.first_aside[len(earlier.first_aside) :])

    def notes(self) -> list[str]:
        """What the user should know, in words."""
        return list(self._notes())

    def _notes(self) -> Iterator[str]:
        if self.aside:
            places = "; ".join(f"line {number:,}: {text!r}" for number, text in self.first_aside)
            yield f"not decoded: {counted(self.aside, 'line')} ({places})"
        if self.joined:
            yield f"joined to the line before, such as stack traces: {counted(self.joined, 'line')}"
        if self.replaced:
            yield f"with bytes that are no UTF-8 or NUL, now U+FFFD: {counted(self.replaced, 'line')}"
        if self.shortened:
            yield f"cut because they were long: {counted(self.shortened, 'line')}"
        if self.unreadable_times:
            yield f"missing because they could not be read: {counted(self.unreadable_times, 'time stamp')}"
        if self.unknown_levels:
            yield f"missing because they are unknown: {counted(self.unknown_levels, 'level')}"
        if self.unusable_values:
            yield f"missing because they are no numbers from 0 on: {counted(self.unusable_values, 'value')}"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many undecodable lines stop the reading of a log.

    Parameters
    ----------
    lines : more than so many.
    share : more than this share of the lines, looked at after every 65,536 lines and at the end.
    always : so many are always fine, whatever the share.
    """

    lines: int = 100_000
    share: float = 0.1
    always: int = 10

    def __post_init__(self) -> None:
        if self.lines < 0 or self.always < 0 or not 0 <= self.share <= 1:
            raise ParameterError(f"A tolerance is a number of lines from 0 on and a share from 0 to 1, not {self}.")

    def exceeded(self, aside: int, lines: int) -> bool:
        """Whether so many undecodable lines among so many lines are too many."""
        return aside > max(self.always, self.share * lines)


def shown(text: bytes) -> str:
    """The beginning of a line, for a message."""
    characters = text[: 4 * SHOWN_CHARACTERS].decode(errors="replace")
    return characters[:SHOWN_CHARACTERS] + ("…" if len(characters) > SHOWN_CHARACTERS else "")
