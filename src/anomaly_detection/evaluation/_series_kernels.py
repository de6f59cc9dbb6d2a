"""Array loops of series_metrics.py: what every threshold would give, in one pass over the rows in order of score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.kernels import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray


@kernel
def soft_labels(
    anomalous: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64], width: int
) -> NDArray[np.float64]:
    """Labels that fall from 1 as the square root, over half of ``width`` rows on either side of each event."""
    soft = anomalous.astype(np.float64)
    half = width // 2
    for event in range(len(starts)):
        for away in range(1, half + 1):
            near = math.sqrt(1.0 - away / width)
            if ends[event] + away < len(soft):
                soft[ends[event] + away] += near
            if starts[event] - away >= 0:
                soft[starts[event] - away] += near
    return np.minimum(soft, 1.0)


@kernel
def highest_near_events(
    score: NDArray[np.float64], starts: NDArray[np.int64], ends: NDArray[np.int64], half: int
) -> NDArray[np.float64]:
    """The highest score within ``half`` rows of each event, highest first; events that touch then count as one."""
    tops = np.empty(len(starts))
    count = 0
    for event in range(len(starts)):
        low, high = max(starts[event] - half, 0), min(ends[event] + half, len(score) - 1)
        top = score[low : high + 1].max()
        if event > 0 and ends[event - 1] + half >= starts[event] - half:
            tops[count - 1] = max(tops[count - 1], top)
        else:
            tops[count] = top
            count += 1
    return np.sort(tops[:count])[::-1]


@kernel
def volumes(
    order: NDArray[np.int64],
    score: NDArray[np.float64],
    anomalous: NDArray[np.bool_],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    buffer: int,
) -> NDArray[np.float64]:
    """The areas below the range-aware precision-recall and ROC curves, means over buffers of 0 to ``buffer`` rows.

    Parameters
    ----------
    order : (n,) row numbers, highest score first; the last of each group of equal scores as ``-1 - row``.
    score, anomalous : (n,) by row.
    starts, ends : first and last row of each event, at least one.
    """
    n, positives = len(score), float(anomalous.sum())
    areas = np.zeros(2)
    for width in range(buffer + 1):
        soft = soft_labels(anomalous, starts, ends, width)
        tops = highest_near_events(score, starts, ends, width // 2)
        hit, extra, flagged, found = 0.0, 0.0, 0.0, 0
        last_recall, last_false = 0.0, 0.0
        for entry in order:
            row = entry if entry >= 0 else -1 - entry
            hit += soft[row]
            extra += soft[row] - anomalous[row]
            flagged += 1.0
            if entry >= 0:
                continue
            while found < len(tops) and tops[found] >= score[row]:
                found += 1
            wanted = positives + 0.5 * extra
            recall = min(hit / wanted, 1.0) * found / len(tops)
            false = (flagged - hit) / (n - wanted) if n > wanted else 1.0
            areas[0] += (recall - last_recall) * hit / flagged
            areas[1] += 0.5 * (recall + last_recall) * (false - last_false)
            last_recall, last_false = recall, false
        areas[1] += 0.5 * (1.0 + last_recall) * (1.0 - last_false)
    return areas / (buffer + 1)


@kernel
def lowest_allowed_score(
    order: NDArray[np.int64],
    anomalous: NDArray[np.bool_],
    near: NDArray[np.bool_],
    alarms: int,
    normal_rows: float,
) -> tuple[int, int]:
    """Lower the threshold until false alarms or flagged normal rows are too many.

    Runs of flagged rows are kept by their two ends, so that a row costs the same however long they are.

    Parameters
    ----------
    order : (n,) row numbers, highest score first; the last of each group of equal scores as ``-1 - row``.
    anomalous : (n,) which rows are anomalies.
    near : (n,) which rows are in an event or near one; a run of flags without any of them is a false alarm.
    alarms : so many false alarms are allowed.
    normal_rows : so many normal rows may be flagged.

    Returns
    -------
    How many entries of ``order`` are flagged, and how many false alarms there are then.
    """
    n = len(order)
    other_end, is_flagged, is_hit = np.zeros(n, np.int64), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    false, flagged_normal, best, allowed = 0, 0, 0, 0
    for place in range(n):
        row = order[place] if order[place] >= 0 else -1 - order[place]
        start, end, hit = row, row, near[row]
        if row > 0 and is_flagged[row - 1]:
            start = other_end[row - 1]
            false -= not is_hit[row - 1]
            hit |= is_hit[row - 1]
        if row + 1 < n and is_flagged[row + 1]:
            end = other_end[row + 1]
            false -= not is_hit[row + 1]
            hit |= is_hit[row + 1]
        is_flagged[row] = True
        other_end[start], other_end[end] = end, start
        is_hit[start], is_hit[end] = hit, hit
        false += not hit
        flagged_normal += not anomalous[row]
        if order[place] >= 0:
            continue
        if false > alarms or flagged_normal > normal_rows:
            break
        best, allowed = place + 1, false
    return best, allowed
