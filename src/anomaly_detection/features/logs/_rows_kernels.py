"""Array loops of features.py: names to numbers, and the columns that need no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.logs._terms_kernels import SMALL
from anomaly_detection.features.logs._window_kernels import NO_TIME
from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAY = 86_400_000_000
"""Microseconds."""

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_S29, _S32 = np.uint64(29), np.uint64(32)


@kernel
def hash_names(data: NDArray[np.uint8], offsets: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """Fill ``out`` (n,) with hashes of names that are bytes one behind the other; capitals count."""
    for i in range(len(out)):
        value = _BASIS
        for at in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(data[at])) * _PRIME
        value = (value ^ (value >> _S32)) * _MIX
        out[i] = value ^ (value >> _S29)


@kernel
def level_codes(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], known: NDArray[np.uint64], out: NDArray[np.int64]
) -> None:
    """Fill ``out`` (n,) with the place of each level among the hashes of those that are known, -1 for others."""
    for i in range(len(out)):
        value = _BASIS
        for at in range(offsets[i], offsets[i + 1]):
            value = (value ^ np.uint64(SMALL[data[at]])) * _PRIME
        out[i] = -1
        for k in range(len(known)):
            if known[k] == value:
                out[i] = k


@kernel
def fill_calendar(times: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """Fill ``out`` (n, 4) with sine and cosine of the time of day, and of the day of the week; NaN without a time."""
    for i in range(len(times)):
        if times[i] == NO_TIME:
            out[i, :] = np.nan
            continue
        turn = 2 * np.pi * (times[i] % DAY) / DAY
        out[i, 0], out[i, 1] = np.sin(turn), np.cos(turn)
        turn = 2 * np.pi * ((times[i] // DAY + 3) % 7) / 7  # 1 January 1970 was a Thursday; Monday is 0
        out[i, 2], out[i, 3] = np.sin(turn), np.cos(turn)


@kernel
def fill_one_hot(codes: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """Fill ``out`` (n, c) with 1 in the column of each code, 0 elsewhere; a code below 0 has none."""
    for i in range(len(codes)):
        for k in range(out.shape[1]):
            out[i, k] = 1.0 if codes[i] == k else 0.0


@kernel
def fill_matches(names: NDArray[np.uint64], known: NDArray[np.uint64], out: NDArray[np.float32]) -> None:
    """Fill ``out`` (n, c) with 1 in the column of each name that is known, 0 elsewhere."""
    for i in range(len(names)):
        for k in range(out.shape[1]):
            out[i, k] = 1.0 if k < len(known) and names[i] == known[k] else 0.0
