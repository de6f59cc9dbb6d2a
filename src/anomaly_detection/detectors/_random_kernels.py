"""Random numbers that are the same on every machine, for kernels (SplitMix64: Steele, Lea, Flood 2014).

The state is an array of one uint64; any value is a good seed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32, _S11 = (np.uint64(bits) for bits in (27, 30, 31, 32, 11))


@kernel
def draw(state: NDArray[np.uint64]) -> np.uint64:
    """Return the next 64 random bits."""
    state[0] += _GAMMA
    z: np.uint64 = state[0]
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@kernel
def draw_below(state: NDArray[np.uint64], bound: int) -> np.int64:
    """Draw a whole number from 0 to ``bound`` - 1; the bound is below 2**32."""
    return np.int64(((draw(state) >> _S32) * np.uint64(bound)) >> _S32)


@kernel
def draw_share(state: NDArray[np.uint64]) -> float:
    """Draw a float64 from [0, 1)."""
    return np.float64(draw(state) >> _S11) * 2.0**-53


@kernel
def draw_normal(state: NDArray[np.uint64]) -> float:
    """Draw from nearly a standard normal distribution: twelve shares added up, less six.

    Sums alone, because logarithms and cosines differ in the last digit from one maths library to the next.
    """
    total = -6.0
    for _ in range(12):
        total += draw_share(state)
    return total
