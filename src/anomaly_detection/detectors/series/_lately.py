"""The latest rows and what was expected of them: which of them makes a stretch odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.detectors.series._lately_kernels import find_oddest
from anomaly_detection.detectors.series.base import ABOUT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.detectors.series.base import SeriesScores

VALUE, EXPECTED, SCALE = range(3)


def blank(rows: int, width: int) -> NDArray[np.float64]:
    """(rows, 3, width) values, what was expected, and scales: nothing yet."""
    return np.full((rows, 3, width), np.nan)


def about(
    past: NDArray[np.float64], values: NDArray[np.float64], told: SeriesScores, lengths: NDArray[np.int64]
) -> tuple[NDArray[np.void], NDArray[np.int8], NDArray[np.float64]]:
    """Which of the latest rows is the oddest of those that each score tells of, and on which side they are.

    A row is on the side of the oddest of these rows, unless it is itself on the other one: then it is on none.

    Parameters
    ----------
    past : the rows before these, as :func:`blank` has them.
    values : (n, d) the rows.
    told : what a control chart says about them.
    lengths : (n,) of how many of the latest rows each score tells.

    Returns
    -------
    (n,) of :data:`ABOUT`, (n,) sides, and the latest rows from now on.
    """
    rows = np.concatenate([past, np.stack([values, _part(told.expected), _part(told.scale)], axis=1)])
    rows[np.isinf(rows)] = np.nan
    deviation = rows[:, VALUE] - rows[:, EXPECTED]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        away = np.where(deviation == 0.0, 0.0, np.abs(deviation) / rows[:, SCALE])
    n = len(values)
    back, channel = np.zeros(n, np.int64), np.zeros(n, np.int64)
    find_oddest(away, lengths, back, channel)
    own = len(past) + np.arange(n)
    found = np.zeros(n, ABOUT)
    found["back"], found["channel"] = back, channel
    for part, name in ((VALUE, "value"), (EXPECTED, "expected"), (SCALE, "scale")):
        found[name] = rows[own - back, part, channel]
    side, here = (np.nan_to_num(np.sign(deviation[at, channel])).astype(np.int8) for at in (own - back, own))
    side[here == -side] = 0
    return found, side, rows[len(rows) - len(past) :].copy()


def _part(values: NDArray[np.float64] | None) -> NDArray[np.float64]:
    assert values is not None, "a control chart gives expected values and scales"  # noqa: S101  for the type checker
    return values
