"""Log lines put together by session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.logs._markov_kernels import END

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.logs.batch import LogBatch

LONG_PAUSE = 0.99
"""A session that was quiet for less than this quantile of the pauses in sessions may go on."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The lines of s sessions, one session behind the other, each in order.

    Parameters
    ----------
    batch : the lines.
    starts : (s + 1,) where each session begins.
    rows : (n,) the place of each line in the frame.
    pauses : (n,) seconds since the line before in the session; NaN for first lines and without times.
    quiet : (s,) seconds from the last line of a session to the end of the data; inf without times.
    """

    batch: LogBatch
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]
    pauses: NDArray[np.float64]
    quiet: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def symbols(self) -> NDArray[np.int32]:
        """(n,) template ids."""
        return self.batch.templates

    @property
    def owners(self) -> NDArray[np.int64]:
        """(n,) the session of each line."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    def chosen(self, sessions: NDArray[np.int64]) -> Sessions:
        """Some of the sessions, in ascending order."""
        inside = np.zeros(len(self), np.bool_)
        inside[sessions] = True
        lines = np.flatnonzero(inside[self.owners])
        starts = np.concatenate([[0], np.cumsum(np.diff(self.starts)[sessions])]).astype(np.int64)
        return Sessions(self.batch.rows(lines), starts, self.rows[lines], self.pauses[lines], self.quiet[sessions])

    def largest(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """(s,) the place of the first line of each session that has the largest value."""
        by = np.lexsort((np.arange(len(values)), -values, self.owners))
        return by[self.starts[:-1]]

    def with_ends(self, unfinished: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Template ids with an end after each session that is finished, and the session of each."""
        ends = self.starts[1:][~unfinished]
        symbols = np.insert(self.symbols, ends, END).astype(np.int32)
        return symbols, np.insert(self.owners, ends, np.flatnonzero(~unfinished))


def grouped(batch: LogBatch, seconds: NDArray[np.float64], now: float | None) -> tuple[Sessions, NDArray[np.int64]]:
    """The lines of a batch by session, sessions in order of appearance; and the first line of each.

    Parameters
    ----------
    seconds : (n,) times, NaN where there is none.
    now : the end of the data; the latest time when not given.
    """
    _, first, code = np.unique(batch.sessions, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    code = rank[code.ravel()]
    order = np.argsort(code, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=len(first)))]).astype(np.int64)
    ordered = seconds[order]
    pauses = np.diff(ordered, prepend=np.nan)
    pauses[starts[:-1]] = np.nan
    quiet = np.full(len(first), np.inf)
    timed = ordered[np.isfinite(ordered)]
    if len(timed):
        latest = np.fmax.reduceat(ordered, starts[:-1])
        end = float(timed.max()) if now is None else now
        quiet = np.where(np.isfinite(latest), end - latest, np.inf)
    return Sessions(batch.rows(order), starts, order, np.maximum(pauses, 0.0), quiet), np.sort(first)


def long_pause(sessions: Sessions) -> float:
    """Seconds after which a quiet session is taken for finished; 0 without times."""
    pauses = sessions.pauses[np.isfinite(sessions.pauses) & (sessions.pauses > 0)]
    return float(np.quantile(pauses, LONG_PAUSE)) if len(pauses) else 0.0
