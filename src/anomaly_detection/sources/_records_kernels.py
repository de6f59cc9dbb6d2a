"""Where the records of CSV text end: one pass over the bytes, quotes as in RFC 4180."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIELD_START, PLAIN, QUOTED, AFTER_QUOTE = 0, 1, 2, 3


@kernel
def split_records(
    text: NDArray[np.uint8],
    delimiter: int,
    final: bool,
    ends: NDArray[np.int64],
    fields: NDArray[np.int64],
    stray: NDArray[np.bool_],
) -> int:
    """Find the records of a text that starts at the start of one.

    Parameters
    ----------
    text : the bytes.
    delimiter : the byte between fields.
    final : whether the text ends the file, so that its last record needs no line break.
    ends : (records,) filled with the position after each record and its line break.
    fields : (records,) filled with each record's number of fields, 0 for a blank line, -1 where a NUL byte is in it,
        -2 where a quoted field is still open at the end of the file.
    stray : (records,) set where a quote stands at a place where RFC 4180 has none.

    Returns
    -------
    The number of records that end in the text.
    """
    count = 0
    start = 0
    found = 1
    state = FIELD_START
    odd = False
    nul = False
    for i in range(text.shape[0]):
        byte = text[i]
        if byte == 34:
            if state in (FIELD_START, AFTER_QUOTE):
                state = QUOTED
            elif state == QUOTED:
                state = AFTER_QUOTE
            else:
                odd = True
        elif state == QUOTED:
            if byte == 0:
                nul = True
        elif byte == 10:
            blank = i == start or (i == start + 1 and text[start] == 13)
            ends[count] = i + 1
            fields[count] = -1 if nul else (0 if blank else found)
            stray[count] = odd
            count += 1
            start = i + 1
            found = 1
            state = FIELD_START
            odd = False
            nul = False
        elif byte == delimiter:
            found += 1
            state = FIELD_START
        else:
            if byte == 0:
                nul = True
            if state == AFTER_QUOTE and byte != 13:
                odd = True
            if state == FIELD_START or byte != 13:
                state = PLAIN
    if final and start < text.shape[0]:
        ends[count] = text.shape[0]
        fields[count] = -2 if state == QUOTED else (-1 if nul else found)
        stray[count] = odd
        count += 1
    return count
