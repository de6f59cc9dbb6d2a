"""Measures of detection in time series: events instead of rows, and a little early or late is not wrong.

Each function takes the truth and scores or flags of the same rows in order of time. An *event* is a run of anomalous
rows, an *alarm* a run of flagged ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.errors import InputError
from anomaly_detection.evaluation._series_kernels import lowest_allowed_score, volumes
from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.evaluation.metrics import METRICS, Ranked, defined, once
from anomaly_detection.evaluation.series_evaluation import SeriesEvaluation
from anomaly_detection.evaluation.series_ranges import affiliation, events, nab_score, range_precision_recall

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import ArrayLike, NDArray

BUFFER = 100
"""VUS looks at so many rows around events at most, and at a tenth of the rows."""

TOLERANCE = 5
"""An alarm so many rows before or after an event is not false."""

ROWS_PER_FALSE_ALARM = 1_000
"""One false alarm is allowed for so many normal rows."""

NORMAL_SHARE = 0.05
"""No more than this share of the normal rows may be flagged within the budget."""


@dataclass(frozen=True, slots=True)
class EventRecall:
    """The best that scores can do within a budget of false alarms.

    Parameters
    ----------
    recall : the share of events that have an alarm.
    delay : rows from the start of an event to its alarm, the mean over events that have one; None if none has.
    threshold : the lowest score that may be flagged; infinite if none may.
    false_alarms, budget : how many there are then, and how many are allowed.
    """

    recall: float
    delay: float | None
    threshold: float
    false_alarms: int
    budget: int


def evaluate_series(
    label: ArrayLike | pl.Series,
    score: ArrayLike,
    flags: ArrayLike,
    ignored: ArrayLike | None = None,
    step: int | None = None,
) -> SeriesEvaluation:
    """Hold verdicts on a series against labels.

    Parameters
    ----------
    label : (n,) the truth in order of time, as :func:`~anomaly_detection.evaluation.labels.parse_labels` takes it.
    score : (n,) raw scores, higher is more anomalous; NaN, where nothing was said, counts as the lowest.
    flags : (n,) the verdicts.
    ignored : (n,) rows that are left out, such as those that were learned from; none when not given.
    step : the distance of two rows in microseconds, for delays in seconds.

    Raises
    ------
    InputError
        if the lengths differ, there is no row, or a label is not understood.

    Examples
    --------
    >>> found = evaluate_series([0, 0, 1, 1, 1, 0, 0, 0], [0, 0, 0, 9, 9, 0, 0, 0], [0, 0, 0, 1, 1, 0, 0, 0])
    >>> found.events, found.event_recall, found.mean_delay, round(found.range_recall, 3)
    (1, 1.0, 1.0, 0.667)
    """
    truth, ranks, marked = _judged_rows(label, score, flags, ignored)
    ranked = Ranked.of(truth, ranks, marked, None)
    rows = {name: defined(value) for name, value in zip(METRICS, ranked.measure(once(len(truth))), strict=True)}
    found = events(truth)
    at_best = event_recall(truth, ranks) if len(found) else None
    as_flagged = alarms(truth, marked)
    return SeriesEvaluation(
        rows=len(truth),
        anomalies=int(truth.sum()),
        events=len(found),
        **dict(zip(("vus_pr", "vus_roc"), _volumes_of(truth, ranks), strict=True)),
        **{name: rows[name] for name in METRICS if name != "precision_at_n"},
        **_of_ranges(truth, marked),
        event_recall=at_best.recall if at_best else None,
        mean_delay=at_best.delay if at_best else None,
        mean_delay_seconds=at_best.delay * step / 1e6 if step and at_best and at_best.delay is not None else None,
        false_alarms=at_best.false_alarms if at_best else 0,
        false_alarm_budget=int((~truth).sum()) // ROWS_PER_FALSE_ALARM,
        flagged_event_recall=defined(as_flagged[0]),
        flagged_delay=defined(as_flagged[1]),
        flagged_false_alarms=as_flagged[2],
    )


def vus(label: ArrayLike, score: ArrayLike, buffer: int = BUFFER) -> tuple[float, float]:
    """Volume under the surface of range-aware curves over buffers of 0 to ``buffer`` rows: (VUS-PR, VUS-ROC).

    Rows around an event count in part, the less the farther away, and recall is multiplied by the share of events with
    any flag. Every distinct score is a threshold. NaN where there is no event.

    Parameters
    ----------
    label : (n,) true for anomalous rows.
    score : (n,) without NaN.
    buffer : rows; a common choice is 100.

    References
    ----------
    Paparrizos et al.: Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly Detection.
    PVLDB 15(11), 2022.

    Examples
    --------
    >>> vus([0, 0, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0], buffer=0)
    (1.0, 1.0)
    """
    truth = np.asarray(label, dtype=np.bool_)
    ranked = Ranked.of(truth, score, truth, None)
    runs = events(truth)
    if not len(runs):
        return math.nan, math.nan
    values = np.ascontiguousarray(score, dtype=np.float64)
    found = volumes(ranked.order, values, ranked.anomalous, runs[:, 0].copy(), runs[:, 1].copy(), int(buffer))
    return float(found[0]), float(found[1])


def event_recall(
    label: ArrayLike,
    score: ArrayLike,
    *,
    tolerance: int = TOLERANCE,
    rows_per_false_alarm: int = ROWS_PER_FALSE_ALARM,
    normal_share: float = NORMAL_SHARE,
) -> EventRecall:
    """The share of events found by the lowest threshold that a budget of false alarms allows.

    The threshold is lowered from the top, and stays where one more step would make false alarms more than the normal
    rows allow, or flag more than a share of these. An alarm within ``tolerance`` rows of an event is not false.

    Parameters
    ----------
    label : (n,) true for anomalous rows, some of them.
    score : (n,) without NaN.
    tolerance : rows.
    rows_per_false_alarm : one false alarm is allowed for so many normal rows, in whole numbers.
    normal_share : the share of normal rows that may be flagged at most.
    """
    truth, values = np.asarray(label, dtype=np.bool_), np.asarray(score, dtype=np.float64)
    ranked = Ranked.of(truth, values, truth, None)
    normal = int((~truth).sum())
    budget = normal // rows_per_false_alarm
    best, false = lowest_allowed_score(
        ranked.order, ranked.anomalous, near_events(truth, tolerance), budget, normal_share * normal
    )
    entry = int(ranked.order[best - 1]) if best else 0
    threshold = float(values[-1 - entry]) if best else math.inf
    recall, delay, _ = alarms(truth, values >= threshold, tolerance)
    return EventRecall(recall, defined(delay), threshold, int(false), budget)


def alarms(label: ArrayLike, flags: ArrayLike, tolerance: int = TOLERANCE) -> tuple[float, float, int]:
    """The share of events that have an alarm, the mean delay of those in rows, and how many alarms are false.

    Parameters
    ----------
    label, flags : (n,) bool.
    tolerance : an alarm within so many rows of an event is its alarm; an early one has no delay.

    Returns
    -------
    NaN for a share or a mean of nothing.
    """
    truth, marked = np.asarray(label, dtype=np.bool_), np.asarray(flags, dtype=np.bool_)
    near = near_events(truth, tolerance)
    false = sum(not near[start : end + 1].any() for start, end in events(marked).tolist())
    runs, delays = events(truth).tolist(), []
    for start, end in runs:
        first = max(start - tolerance, 0)
        hits = np.flatnonzero(marked[first : end + tolerance + 1])
        if len(hits):
            delays.append(max(first + int(hits[0]) - start, 0))
    return len(delays) / len(runs) if runs else math.nan, float(np.mean(delays)) if delays else math.nan, false


def near_events(label: NDArray[np.bool_], tolerance: int) -> NDArray[np.bool_]:
    """(n,) which rows are in an event, or within ``tolerance`` rows of one."""
    change = np.zeros(len(label) + 1, dtype=np.int64)
    runs = events(label)
    np.add.at(change, np.maximum(runs[:, 0] - tolerance, 0), 1)
    np.add.at(change, np.minimum(runs[:, 1] + tolerance + 1, len(label)), -1)
    return np.cumsum(change[:-1]) > 0


def _judged_rows(
    label: ArrayLike | pl.Series, score: ArrayLike, flags: ArrayLike, ignored: ArrayLike | None
) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.bool_]]:
    truth, values, marked = parse_labels(label), np.array(score, dtype=np.float64), np.asarray(flags, dtype=np.bool_)
    left_out = np.zeros(len(truth), np.bool_) if ignored is None else np.asarray(ignored, dtype=np.bool_)
    if not len(truth) == len(values) == len(marked) == len(left_out):
        raise InputError(
            f"{len(truth)} labels, {len(values)} scores, {len(marked)} flags and {len(left_out)} marks of rows to "
            "ignore; a row has one of each."
        )
    kept = ~left_out
    values = values[kept]
    said = values[np.isfinite(values)]
    lowest = float(said.min()) if len(said) else 0.0
    return truth[kept], np.nan_to_num(values, nan=lowest, posinf=1e30, neginf=-1e30), marked[kept]


def _volumes_of(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> tuple[float | None, float | None]:
    found = vus(truth, score, min(BUFFER, len(truth) // 10))
    return defined(found[0]), defined(found[1])


def _of_ranges(truth: NDArray[np.bool_], marked: NDArray[np.bool_]) -> dict[str, float | None]:
    pairs = {"range": range_precision_recall(truth, marked), "affiliation": affiliation(truth, marked)}
    found = {
        f"{kind}_{name}": defined(value)
        for kind, pair in pairs.items()
        for name, value in zip(("precision", "recall"), pair, strict=True)
    }
    scores = {name: nab_score(truth, marked, name) for name in ("standard", "reward_low_fp", "reward_low_fn")}
    return found | {f"nab_{name}": defined(value) for name, value in scores.items()}
