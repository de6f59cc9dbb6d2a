"""Where the alarm line of a pipeline should lie, and how many alarms it raises, from scores of held-out rows.

The scores of each fold are held against a calibrator that was fitted on those of the other folds, so that the alarms
are counted as they would come on new rows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.calibration import Calibrator
from anomaly_detection.thresholds import choose_alpha

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SHARES: tuple[float | str, ...] = ("auto", 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""The lines that are tried where none is given; on equal terms the first is taken."""


@dataclass(frozen=True, slots=True)
class Line:
    """One alarm line, and what it does on held-out rows.

    Parameters
    ----------
    wish : the share or the name of a threshold.
    alarms : the share of normal rows that raise an alarm.
    f1 : against the labels; None without labels.
    """

    wish: float | str
    alarms: float
    f1: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def best_line(
    scores: Sequence[NDArray[np.float64]],
    folds: Sequence[NDArray[np.int64]],
    labels: NDArray[np.bool_] | None,
    wishes: Sequence[float | str],
    most_alarms: float | None,
) -> Line:
    """The best of several lines.

    Of those within the allowed alarms, the one with the best F1 against the labels, or without labels the one that
    uses most of what is allowed; the first wish where nothing is allowed or asked. If none is within them, the one
    with the fewest alarms.

    Parameters
    ----------
    scores, folds : for each fold the raw scores and the row numbers of its held-out rows.
    labels : (n,) the truth, if it is known.
    wishes : shares or names of thresholds.
    most_alarms : the largest share of normal rows that may raise an alarm.
    """
    lines = [_line(wish, scores, folds, labels) for wish in wishes]
    allowed = lines if most_alarms is None else [line for line in lines if line.alarms <= most_alarms]
    if not allowed:
        return min(lines, key=lambda line: line.alarms)
    if labels is not None:
        return max(allowed, key=lambda line: line.f1 or 0.0)
    return allowed[0] if most_alarms is None else max(allowed, key=lambda line: line.alarms)


def _line(
    wish: float | str,
    scores: Sequence[NDArray[np.float64]],
    folds: Sequence[NDArray[np.int64]],
    labels: NDArray[np.bool_] | None,
) -> Line:
    flags = np.zeros(sum(map(len, folds)), dtype=np.bool_)
    for i, (own, rows) in enumerate(zip(scores, folds, strict=True)):
        others = np.concatenate([one for j, one in enumerate(scores) if j != i])
        calibrator = Calibrator().fit(others)
        flags[rows] = calibrator.p_value(own) <= choose_alpha(wish, calibrator, others)
    if labels is None:
        return Line(wish, float(flags.mean()), None)
    hits = int((flags & labels).sum())
    return Line(wish, float(flags[~labels].mean()), 2.0 * hits / max(1, int(flags.sum()) + int(labels.sum())))
