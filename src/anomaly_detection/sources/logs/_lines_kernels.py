"""Where lines begin and end, and how texts are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@kernel
def trim_lines(text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
    """Take a carriage return from the end of each line, and everything from blank ones, which then end where they start."""
    for i in range(starts.shape[0]):
        if ends[i] > starts[i] and text[ends[i] - 1] == 13:
            ends[i] -= 1
        at = starts[i]
        while at < ends[i] and text[at] in (32, 9, 11, 12, 13):
            at += 1
        if at == ends[i]:
            ends[i] = starts[i]


@kernel
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


@kernel
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
