"""The fields of logfmt lines (``level=info msg="a b"``), found in one pass over the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.kernels import inlined, lean
from anomaly_detection.sources.logs._scan_kernels import ABSENT, ESCAPED, PLAIN, child_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@inlined
def is_name(byte: int) -> bool:
    """Whether a byte may stand in the name of a field: letters, digits, ``_ - . / @ :``."""
    return 48 <= byte <= 58 or 97 <= (byte | 32) <= 122 or byte in (95, 45, 46, 47, 64)


@inlined
def starts_name(byte: int) -> bool:
    """Whether a byte may begin the name of a field: letters, ``_ @``."""
    return 97 <= (byte | 32) <= 122 or byte in (95, 64)


@lean
def logfmt_line(
    text: NDArray[np.uint8], at: int, end: int, nodes: NDArray[np.int64], keys: NDArray[np.int64],
    names: NDArray[np.uint8], spans: NDArray[np.int64], kinds: NDArray[np.uint8],
) -> bool:  # fmt: skip
    """Find the wanted fields of one line; False where it does not begin with a pair or a quote is not closed."""
    pairs = 0
    while True:
        while at < end and text[at] in (32, 9):
            at += 1
        if at == end:
            return pairs > 0
        begin = at
        while at < end and is_name(text[at]):
            at += 1
        named = at > begin and starts_name(text[begin]) and at < end and text[at] == 61
        if not named:
            if pairs == 0:
                return False
            while at < end and text[at] not in (32, 9):
                at += 1
            continue
        pairs += 1
        child = child_of(text, begin, at, 0, nodes, keys, names)
        slot = keys[child, 3] if child >= 0 else -1
        at += 1
        kind = PLAIN
        begin = at
        if at < end and text[at] == 34:
            begin = at + 1
            at += 1
            while at < end and text[at] != 34:
                if text[at] == 92:
                    kind = ESCAPED
                    at += 1
                at += 1
            if at >= end:
                return False
            after = at
            at += 1
        else:
            while at < end and text[at] not in (32, 9):
                at += 1
            after = at
        if slot >= 0:
            kinds[slot] = kind
            spans[slot, 0] = begin
            spans[slot, 1] = after


@lean
def scan_logfmt(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], nodes: NDArray[np.int64],
    keys: NDArray[np.int64], names: NDArray[np.uint8], spans: NDArray[np.int64], kinds: NDArray[np.uint8],
    plain: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Find the wanted fields of logfmt lines; the arrays are those of ``scan_json``, of a tree of one level.

    Of a name that occurs twice in a line, the last value counts. Words that are no pair are passed over.
    """
    for i in range(starts.shape[0]):
        kinds[i, :] = ABSENT
        plain[i] = logfmt_line(text, starts[i], ends[i], nodes, keys, names, spans[i], kinds[i])
