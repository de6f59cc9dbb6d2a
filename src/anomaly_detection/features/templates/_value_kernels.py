"""Where the parameters of lines are, and what number each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.features.templates._alphabet import MASK
from anomaly_detection.features.templates._mask_kernels import DIGIT, SIGN, SPACE, byte_at, flags_at
from anomaly_detection.features.templates._scan_kernels import cut_shape
from anomaly_detection.features.templates._token_kernels import FIRST, KEY, START, STOP, TOKENS, tokens_of
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.features.templates._layout import Store

    Bytes = NDArray[Any]

ONE = np.uint64(1)


@kernel
def count_values(store: Store, per_id: Bytes) -> None:
    """How many parameters each live template has: one for an open token, else one for each mask in it."""
    table = np.empty((TOKENS, 4), np.int64)
    hashes, holes = np.empty(TOKENS, np.uint64), np.empty(TOKENS, np.uint64)
    for template in range(per_id.shape[0]):
        if store.into[template] != template:
            continue
        start = store.starts[template]
        width = tokens_of(store.text, start, start + store.lengths[template], table, hashes, holes)
        for i in range(width):
            if (store.opened[template] >> np.uint64(i)) & ONE:
                per_id[template] += 1
            else:
                for k in range(table[i, START], table[i, STOP]):
                    per_id[template] += store.text[k] == MASK


@kernel
def find_values(
    store: Store,
    data: Bytes,
    offsets: Bytes,
    ids: Bytes,
    first: Bytes,
    longest: int,
    out: Bytes,
    where: Bytes,
    begins: Bytes,
    ends: Bytes,
) -> None:
    """Where in ``data`` each parameter of each line begins and ends.

    Parameters
    ----------
    ids : (n,) the template of each line, -1 for none.
    first : (n + 1,) which of ``begins`` and ``ends`` are those of a line.
    """
    table = np.empty((TOKENS, 4), np.int64)
    hashes, holes = np.empty(TOKENS, np.uint64), np.empty(TOKENS, np.uint64)
    for r in range(ids.shape[0]):
        at, last = first[r], first[r + 1]
        if at == last:
            continue
        start, stop = offsets[r], offsets[r + 1]
        if ids[r] == 0:
            begins[at], ends[at] = start, stop
            continue
        n = cut_shape(data, start, stop, out, where, longest)
        width = tokens_of(out, FIRST, n, table, hashes, holes)
        opened = store.opened[ids[r]]
        for i in range(width):
            if (opened >> np.uint64(i)) & ONE:
                begins[at], ends[at] = where[table[i, START] + table[i, KEY]], where[table[i, STOP]]
                at += 1
                continue
            for k in range(table[i, START], table[i, STOP]):
                if out[k] == MASK and at < last:
                    begins[at], ends[at] = where[k], where[k + 1]
                    at += 1
        for k in range(first[r], last):
            while ends[k] > begins[k] and flags_at(data, ends[k] - 1) & SPACE:
                ends[k] -= 1


@kernel
def number_of(data: Bytes, start: int, end: int) -> float:
    """The number that a parameter is, sizes in bytes and durations in seconds; NaN if it is none."""
    at = start
    while at < end and flags_at(data, at) & SIGN and byte_at(data, at) != 45:
        at += 1
    negative = at < end and byte_at(data, at) == 45
    at += negative
    total, scale, digits, fraction = 0.0, 1.0, 0, False
    while at < end:
        byte = byte_at(data, at)
        if byte == 46 and not fraction:
            fraction = True
        elif flags_at(data, at) & DIGIT:
            total = total * 10.0 + (byte - 48.0)
            scale *= 10.0 if fraction else 1.0
            digits += 1
        else:
            break
        at += 1
    if digits == 0:
        return np.nan
    factor = factor_of(data, at, end)
    return (-total if negative else total) / scale * factor


@kernel
def factor_of(data: Bytes, at: int, end: int) -> float:
    """What a number is multiplied by for its unit; NaN where something else than a unit follows."""
    if at < end and byte_at(data, at) == 32:
        at += 1
    n = end - at
    if n == 0 or (n == 1 and byte_at(data, at) == 37):
        return 1.0
    a, b = byte_at(data, at), byte_at(data, at + 1) if n > 1 else 0
    if (n == 1 and (a == 66 or a == 98 or a == 115)) or (n >= 3 and (a == 98 or a == 66)) or (n >= 3 and a == 115):
        return 1.0 if n < 8 else np.nan  # B, s, bytes, seconds
    if n <= 3 and (b == 66 or (b == 105 and byte_at(data, end - 1) == 66)):  # KB, KiB
        return 1024.0 if a == 75 or a == 107 else 1048576.0 if a == 77 else 1073741824.0 if a == 71 else np.nan
    if n == 2 and b == 115:  # ms, us, ns
        return 1e-3 if a == 109 else 1e-6 if a == 117 else 1e-9 if a == 110 else np.nan
    if n >= 3 and a == 109 and b == 105:  # min
        return 60.0
    if a == 104 and n <= 5:  # h, hour
        return 3600.0
    return 86400.0 if a == 100 and n <= 4 and n >= 3 else np.nan


@kernel
def numbers(data: Bytes, begins: Bytes, ends: Bytes, out: Bytes) -> None:
    """The number of each parameter."""
    for k in range(begins.shape[0]):
        out[k] = number_of(data, begins[k], ends[k])
