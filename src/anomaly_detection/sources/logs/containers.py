"""What Kubernetes (CRI) and Docker wrap around each line that a program in a container writes.

The program's own line may be JSON, logfmt or text; another decoder reads it. A long line comes in pieces, which are put
together again: CRI marks a piece with ``P``, Docker leaves out the line break at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from anomaly_detection.sources.logs._lines_kernels import chained, cri_parts, join_lines, trim_lines
from anomaly_detection.sources.logs._spans import Lines, Spans
from anomaly_detection.sources.logs.columns import LogColumns
from anomaly_detection.sources.logs.json_lines import JsonLines

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIECES = 500
"""Lines of the file that one line of a program may come in."""

PIECE_BYTES = 1 << 20
"""Bytes of the pieces of one line."""


class Unwrapped(NamedTuple):
    """What was in the wrapping.

    Attributes
    ----------
    ok : (lines,) which lines of the file are wrapped in this way.
    inner : the lines of the program.
    times : of the wrapping, one for each of them.
    open : the inner line that may go on in the next line of the file, -1 for none.
    """

    ok: NDArray[np.bool_]
    inner: Lines
    times: Spans
    open: int


class Envelope(Protocol):
    """Takes lines out of what is wrapped around them."""

    def unwrap(self, lines: Lines) -> Unwrapped:
        """The lines of the program."""
        ...


class Cri:
    """``2024-05-01T10:00:00.123456789Z stdout F message``, as containerd and CRI-O write it."""

    def unwrap(self, lines: Lines) -> Unwrapped:
        """The lines of the program."""
        spans = lines.spans
        parts = np.zeros((lines.size, 4), np.int64)
        cri_parts(spans.text, spans.starts, spans.ends, parts)
        ok = parts[:, 2] > 0
        found, at = lines.take(ok), parts[ok]
        times = found.spans._replace(ends=at[:, 0])
        pieces = found.spans._replace(starts=at[:, 1])
        return _unwrapped(ok, found, pieces, times, at[:, 3] == 1, at[:, 2])


class Docker:
    """``{"log":"message\\n","stream":"stdout","time":"2024-05-01T10:00:00.123456789Z"}``."""  # noqa: D301 - as it stands there

    def __init__(self) -> None:
        self._json = JsonLines(LogColumns(time=("time",), message=("log",), service=("stream",)))

    def unwrap(self, lines: Lines) -> Unwrapped:
        """The lines of the program."""
        ok, fields = self._json.decode(lines)
        log, times, stream = (fields[name].spans for name in ("message", "time", "service"))
        ok &= (log.starts >= 0) & (times.starts >= 0)
        found, log, stream = lines.take(ok), log.take(ok), stream.take(ok)
        filled = log.ends > log.starts
        whole = np.zeros(found.size, np.bool_)
        whole[filled] = log.text[log.ends[filled] - 1] == 10
        ends = log.ends - whole
        ends -= (ends > log.starts) & (_last_byte(log, ends) == 13)
        streams = np.where(stream.starts >= 0, stream.ends - stream.starts, 0) * 256
        named = stream.ends > stream.starts
        streams[named] += stream.text[stream.ends[named] - 1]  # stdout and stderr differ in their last letter
        return _unwrapped(ok, found, log._replace(ends=ends), times.take(ok), ~whole, streams)


def _last_byte(spans: Spans, ends: NDArray[np.int64]) -> NDArray[np.uint8]:
    return spans.text[np.maximum(ends - 1, 0)] if spans.text.size else np.zeros(ends.size, np.uint8)


def _unwrapped(
    ok: NDArray[np.bool_],
    lines: Lines,
    pieces: Spans,
    times: Spans,
    partial: NDArray[np.bool_],
    streams: NDArray[np.int64],
) -> Unwrapped:
    """Put pieces together."""
    owners = np.empty(lines.size, np.int64)
    lengths = pieces.ends - pieces.starts
    last = chained(partial, streams, lines.numbers, lengths, PIECES, PIECE_BYTES, owners)
    heads = owners == np.arange(owners.size)
    place = np.cumsum(heads) - 1
    joined = pieces if heads.all() else _joined(pieces, heads, place)
    counts = np.bincount(place, weights=lines.parts, minlength=int(heads.sum())).astype(np.int64)
    inner = Lines(_without_breaks(joined), lines.numbers[heads], counts)
    return Unwrapped(ok, inner, times.take(heads), int(place[last]) if last >= 0 else -1)


def _joined(pieces: Spans, heads: NDArray[np.bool_], place: NDArray[np.int64]) -> Spans:
    first, more = pieces.take(heads), pieces.take(~heads)
    out = np.empty(int((pieces.ends - pieces.starts).sum()), np.uint8)
    places = np.empty((first.starts.size, 2), np.int64)
    join_lines(
        pieces.text, first.starts, first.ends, place[~heads], more.starts, more.ends, PIECE_BYTES, -1, out, places
    )
    return Spans(out, places[:, 0].copy(), places[:, 1].copy())


def _without_breaks(spans: Spans) -> Spans:
    """The lines, those of blanks empty."""
    starts, ends = spans.starts.copy(), spans.ends.copy()
    trim_lines(spans.text, starts, ends)
    return Spans(spans.text, starts, ends)
