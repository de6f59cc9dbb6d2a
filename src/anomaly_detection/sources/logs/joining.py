"""Lines that belong to the line before them: stack traces and messages of several lines.

A line belongs to the record before it if it has no head of its own and looks like part of a stack trace: it is
indented (and no broken JSON), or begins with ``Caused by``, ``Traceback``, ``at ``, ``...``, ``Suppressed:`` and the
like, or names an exception. In formats of text, whose heads are told apart well, every line without a head does. A
record takes lines from among the 500 that follow it, at most 1 MiB of them, up to the first that does not belong to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.sources.logs._lines_kernels import join_lines
from anomaly_detection.sources.logs._pattern import LINE_BYTES, cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.sources.logs._spans import Lines, Spans

JOINED_LINES = 500
"""A record takes lines from among so many that follow it."""

JOINED_BYTES = 1 << 20
"""A record takes so many bytes of further lines."""

MESSAGE_BYTES = 1 << 16
"""A message is cut after so many bytes."""

TRACE = (
    r"^(?:[ \t]+[^{ \t]|Caused by:|Traceback \(most recent|at [^\s]|\.\.\. [0-9]|Suppressed:|During handling of|"
    r"The above exception|Exception in thread|goroutine [0-9]|[A-Za-z_][\w.$]*(?:Error|Exception)(?::|$))"
)
"""How a line of a stack trace begins."""


def trace_like(lines: Spans) -> NDArray[np.bool_]:
    """(lines,) which look like part of a stack trace."""
    found: NDArray[np.bool_] = lines.series().str.contains(TRACE).to_numpy()
    return found


def may_join(lines: Lines, ok: NDArray[np.bool_], joins: str) -> NDArray[np.bool_]:
    """(lines,) which may belong to the record before them."""
    if joins == "any":
        return ~ok
    rest = np.flatnonzero(~ok)
    joining = np.zeros(lines.size, np.bool_)
    if rest.size:
        joining[rest] = trace_like(cut(lines.spans.take(rest), LINE_BYTES)[0])
    return joining


def joined(messages: Spans, owners: NDArray[np.int64], more: Spans) -> Spans:
    """Messages with the lines that belong to them, a line break between each.

    Parameters
    ----------
    messages : one a record.
    owners : (lines,) the record that each further line belongs to, ascending.
    more : the further lines.
    """
    if owners.size == 0:
        return messages
    rows = np.unique(owners)
    few = messages.take(rows)
    text, shift = np.concatenate([few.text, more.text]), few.text.size
    size = int((few.ends - few.starts).sum() + (more.ends - more.starts).sum()) + owners.size
    out, places = np.empty(size, np.uint8), np.empty((rows.size, 2), np.int64)
    owner = np.searchsorted(rows, owners)
    used = join_lines(
        text, few.starts, few.ends, owner, more.starts + shift, more.ends + shift, MESSAGE_BYTES, 10, out, places
    )
    return messages.placed(rows, out[:used], places)
