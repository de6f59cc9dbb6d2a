"""Log lines as every method sees them: arrays, template ids, features, all made once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.logs import Lines


ARRAYS = ("templates", "sessions", "clock", "features", "windows")


@dataclass(frozen=True, slots=True)
class LogBatch:
    """n log lines in the order in which they came.

    Parameters
    ----------
    lines : the lines.
    templates : (n,) int32 template ids, -1 for a template that training did not have.
    sessions : (n,) hashes of the sessions, or of the services where there are none.
    clock : (n,) float64 seconds; the latest time so far where a line has none or comes late; the number of the line
        where no time is known.
    features : (n, 78) float32; NaN for what says nothing yet: windows until a whole one has gone by, and parts of the
        calendar that training has not gone round three times.
    windows : (n, 2) float32, error rate (NaN where no time is known) and lines of the window of each line's service.
    """

    lines: Lines
    templates: NDArray[np.int32]
    sessions: NDArray[np.uint64]
    clock: NDArray[np.float64]
    features: NDArray[np.float32]
    windows: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.templates)

    def part(self, rows: slice) -> LogBatch:
        """The lines from one to another."""
        return self._at(rows)

    def rows(self, chosen: NDArray[np.int64]) -> LogBatch:
        """Some of the lines, in any order."""
        return self._at(chosen)

    def _at(self, rows: Any) -> LogBatch:
        names = [one.name for one in fields(self.lines) if one.init]
        lines = type(self.lines)(**{name: getattr(self.lines, name)[rows] for name in names})
        others = {name: getattr(self, name)[rows] for name in ARRAYS}
        return LogBatch(lines=lines, **others)


def joined(batches: list[LogBatch]) -> LogBatch:
    """Lines that come one batch after the other."""
    first = batches[0]
    if len(batches) == 1:
        return first
    names = [one.name for one in fields(first.lines) if one.init and one.name != "text"]
    arrays: dict[str, Any] = {name: np.concatenate([getattr(one.lines, name) for one in batches]) for name in names}
    text = first.lines.text.clone()  # type: ignore[union-attr]
    for one in batches[1:]:
        text.append(one.lines.text)  # type: ignore[arg-type]
    others: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in batches]) for name in ARRAYS}
    return LogBatch(lines=type(first.lines)(**arrays, text=text), **others)
