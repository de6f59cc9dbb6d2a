"""Points that a series lacks, put in their places before it is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Fill = Literal["auto", "previous", "linear", "fixed", "zero", "notFill"]
"""How a missing point is guessed; ``auto`` is on the line between its neighbours."""


def filled(
    steps: NDArray[np.int64], values: NDArray[np.float64], how: Fill, fixed: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The values of all steps, and which of them were there.

    Parameters
    ----------
    steps : (n,) the numbers of the steps that have a point, rising.
    values : (n,) of the points.
    how, fixed : what stands at the others.

    Examples
    --------
    >>> steps, values = np.array([0, 1, 4]), np.array([1.0, 2.0, 8.0])
    >>> filled(steps, values, "linear")[0].tolist(), filled(steps, values, "previous")[0].tolist()
    ([1.0, 2.0, 4.0, 6.0, 8.0], [1.0, 2.0, 2.0, 2.0, 8.0])
    """
    every = np.arange(steps[0], steps[-1] + 1)
    there = np.isin(every, steps)
    if how == "previous":
        whole = values[np.searchsorted(steps, every, side="right") - 1]
    elif how in {"fixed", "zero"}:
        whole = np.full(len(every), fixed if how == "fixed" else 0.0)
    else:
        whole = np.interp(every, steps, values)
    whole[there] = values
    return whole, there
