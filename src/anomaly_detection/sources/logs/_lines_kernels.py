"""Where lines begin and end, and how texts are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.kernels import lean

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@lean
def trim_lines(text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
    """Take a carriage return from the end of each line, and everything from blank ones, which end where they start."""
    for i in range(starts.shape[0]):
        if ends[i] > starts[i] and text[ends[i] - 1] == 13:
            ends[i] -= 1
        at = starts[i]
        while at < ends[i] and text[at] in (32, 9, 11, 12, 13):
            at += 1
        if at == ends[i]:
            ends[i] = starts[i]


@lean
def put_together(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], mark: int, out: NDArray[np.uint8]
) -> None:
    """Write texts one after the other with a byte between them; ``out`` has just the room."""
    to = 0
    for i in range(starts.shape[0]):
        if i > 0:
            out[to] = mark
            to += 1
        for j in range(starts[i], ends[i]):
            out[to] = text[j]
            to += 1


@lean
def join_lines(
    text: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    owners: NDArray[np.int64],
    more_starts: NDArray[np.int64],
    more_ends: NDArray[np.int64],
    most: int,
    mark: int,
    out: NDArray[np.uint8],
    places: NDArray[np.int64],
) -> int:
    """Write texts, each with the lines that belong to it.

    Parameters
    ----------
    text : the bytes.
    starts, ends : (texts,) where each text stands; a start of -1 is a missing one.
    owners : (lines,) the text that each further line belongs to, ascending.
    more_starts, more_ends : (lines,) where the further lines stand.
    most : bytes after which a text takes no more.
    mark : the byte between lines, -1 for none.
    out : filled.
    places : (texts, 2) filled with where each stands in ``out``.

    Returns
    -------
    The number of bytes written.
    """
    to = 0
    line = 0
    for i in range(starts.shape[0]):
        places[i, 0] = to
        if starts[i] >= 0:
            for j in range(starts[i], ends[i]):
                out[to] = text[j]
                to += 1
        while line < owners.shape[0] and owners[line] == i:
            if to - places[i, 0] <= most:
                if mark >= 0 and to > places[i, 0]:
                    out[to] = mark
                    to += 1
                for j in range(more_starts[line], more_ends[line]):
                    out[to] = text[j]
                    to += 1
            line += 1
        places[i, 1] = to
    return to


@lean
def owners_of(
    ok: NDArray[np.bool_],
    may_join: NDArray[np.bool_],
    numbers: NDArray[np.int64],
    lengths: NDArray[np.int64],
    most_lines: int,
    most_bytes: int,
    owners: NDArray[np.int64],
) -> int:
    """Say which record each line belongs to.

    Parameters
    ----------
    ok : (lines,) which begin a record.
    may_join : (lines,) which may belong to the record before them.
    numbers : (lines,) their places in the file.
    lengths : (lines,) their bytes.
    most_lines, most_bytes : a record takes lines from among so many that follow it, and so many bytes of them.
    owners : (lines,) filled with the line that begins the record, -1 for a line that belongs to none.

    Returns
    -------
    The line that begins the record which the next line may still belong to, -1 if there is none.
    """
    head = -1
    room = 0
    for i in range(ok.shape[0]):
        if ok[i]:
            head = i
            room = most_bytes
            owners[i] = i
            continue
        room -= lengths[i]
        if head >= 0 and may_join[i] and room >= 0 and numbers[i] - numbers[head] <= most_lines:
            owners[i] = head
        else:
            owners[i] = -1
            head = -1
    return head


@lean
def chained(
    partial: NDArray[np.bool_],
    streams: NDArray[np.int64],
    numbers: NDArray[np.int64],
    lengths: NDArray[np.int64],
    most_lines: int,
    most_bytes: int,
    owners: NDArray[np.int64],
) -> int:
    """Say which lines go on in the next one.

    Parameters
    ----------
    partial : (lines,) which say that they go on.
    streams : (lines,) where each came from; a line goes on only in one from the same place.
    numbers, lengths, most_lines, most_bytes : as for records.
    owners : (lines,) filled with the first line of each chain.

    Returns
    -------
    The first line of the chain that the next line may still belong to, -1 if there is none.
    """
    head = -1
    room = 0
    for i in range(partial.shape[0]):
        room -= lengths[i]
        if head >= 0 and streams[i] == streams[head] and room >= 0 and numbers[i] - numbers[head] <= most_lines:
            owners[i] = head
        else:
            head = i
            owners[i] = i
            room = most_bytes - lengths[i]
        if not partial[i]:
            head = -1
    return head


@lean
def cri_parts(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], parts: NDArray[np.int64]
) -> None:
    """Find the parts of ``TIME stdout F MESSAGE``.

    Parameters
    ----------
    text, starts, ends : the lines.
    parts : (lines, 4) filled with where the time ends, where the message begins, 1 or 2 for the stream (0 for a line of
        another kind), and whether the message goes on in the next line.
    """
    for i in range(starts.shape[0]):
        parts[i, 2] = 0
        at, end = starts[i], ends[i]
        while at < end and text[at] != 32:
            at += 1
        parts[i, 0] = at
        length = at - starts[i]
        if length < 20 or length > 40 or at + 9 > end or text[starts[i] + 4] != 45 or text[starts[i] + 10] != 84:
            continue
        if text[at + 1] != 115 or text[at + 2] != 116 or text[at + 3] != 100 or text[at + 7] != 32:
            continue
        if text[at + 4] == 111 and text[at + 5] == 117 and text[at + 6] == 116:
            stream = 1
        elif text[at + 4] == 101 and text[at + 5] == 114 and text[at + 6] == 114:
            stream = 2
        else:
            continue
        at += 8
        flag = text[at]
        while at < end and text[at] != 32:
            at += 1
        if flag not in (70, 80):
            continue
        parts[i, 1] = min(at + 1, end)
        parts[i, 2] = stream
        parts[i, 3] = flag == 80
