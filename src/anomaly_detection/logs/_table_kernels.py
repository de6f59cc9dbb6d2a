"""Array loops of tables.py: counts by hash, found by open addressing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import inlined, lean

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_S29, _S32 = np.uint64(29), np.uint64(32)


@inlined
def mixed(value: np.uint64, with_value: np.uint64) -> np.uint64:
    """A hash of two values; their order counts."""
    value = ((value * _PRIME) ^ (with_value + _PRIME)) * _PRIME
    value = (value ^ (value >> _S32)) * _PRIME
    return np.uint64(value ^ (value >> _S29))


@lean
def place_all(keys: NDArray[np.uint64], slots: NDArray[np.int32]) -> None:
    """Fill ``slots`` (2 ** k,) with the places of the keys; -1 where there is none."""
    last = np.uint64(len(slots) - 1)
    slots[:] = -1
    for place in range(len(keys)):
        slot = np.int64(keys[place] & last)
        while slots[slot] >= 0:
            slot = (slot + 1) & np.int64(last)
        slots[slot] = place


@inlined
def place_of(keys: NDArray[np.uint64], slots: NDArray[np.int32], key: np.uint64) -> int:
    """The place of a key, or -1."""
    last = np.int64(len(slots) - 1)
    slot = np.int64(key & np.uint64(last))
    while slots[slot] >= 0:
        if keys[slots[slot]] == key:
            return int(slots[slot])
        slot = (slot + 1) & last
    return -1


@lean
def find_all(
    keys: NDArray[np.uint64], slots: NDArray[np.int32], wanted: NDArray[np.uint64], out: NDArray[np.int64]
) -> None:
    """Fill ``out`` (n,) with the place of each wanted key, or -1."""
    for i in range(len(wanted)):
        out[i] = place_of(keys, slots, wanted[i])
