"""Measures that hold alarms against events as ranges of rows: range-based, affiliation, and the Numenta benchmark's."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.base import Choice
from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BIASES = ("flat", "front", "middle", "back")
"""Which part of a range counts more."""

NAB_PROFILES = {
    "standard": (1.0, 0.11, 1.0),
    "reward_low_fp": (1.0, 0.22, 1.0),
    "reward_low_fn": (1.0, 0.11, 2.0),
}
"""What a found event, a false alarm and a missed event weigh."""

FINE = 4
"""Quarters of a row: between multiples of them, all that is averaged over goes along straight lines."""


def events(label: ArrayLike) -> NDArray[np.int64]:
    """(k, 2) the first and the last row of each run of true rows.

    >>> events([0, 1, 1, 0, 1]).tolist()
    [[1, 2], [4, 4]]
    """
    edges = np.diff(np.concatenate([[False], np.asarray(label, dtype=np.bool_), [False]]).astype(np.int8))
    return np.column_stack([np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1])


def range_precision_recall(
    label: ArrayLike, flags: ArrayLike, *, alpha: float = 0.0, bias: str = "flat"
) -> tuple[float, float]:
    """Precision and recall of ranges of rows.

    The recall of an event is ``alpha`` if any of it is flagged, plus ``1 - alpha`` times the share of it that is,
    divided by the number of alarms that it takes; the precision of an alarm is the share of it that is right, divided
    by the number of events it runs over. Means over events and alarms; NaN of none.

    Parameters
    ----------
    label, flags : (n,) bool.
    alpha : what finding any of an event is worth, from 0 to 1.
    bias : one of :data:`BIASES`: rows at that part of a range count more.

    Raises
    ------
    ParameterError
        for an unknown bias.

    References
    ----------
    Tatbul et al.: Precision and Recall for Time Series. NeurIPS 2018.

    Examples
    --------
    >>> range_precision_recall([0, 1, 1, 1, 1, 0], [0, 1, 0, 1, 0, 0])
    (1.0, 0.25)
    """
    if problem := Choice(*BIASES).problem(bias):
        raise ParameterError(f"bias={bias!r} {problem}.")
    truth, marked = np.asarray(label, dtype=np.bool_), np.asarray(flags, dtype=np.bool_)
    precision = [_overlap(marked, run, truth, bias) for run in events(marked)]
    recall = [
        alpha * bool(marked[start : end + 1].any()) + (1.0 - alpha) * _overlap(truth, (start, end), marked, bias)
        for start, end in events(truth)
    ]
    return _mean(precision), _mean(recall)


def affiliation(label: ArrayLike, flags: ArrayLike) -> tuple[float, float]:
    """Affiliation precision and recall: how near flags are to events, and events to flags, next to random flags.

    Rows belong to the event that is nearest. Precision is the mean probability that a random place there would be
    farther from the event than a flag is, recall that a random flag would be farther from a row of the event than the
    nearest flag is. Means over events: for precision those that have flags, for recall all. NaN of none. Random flags
    have 0.5.

    Parameters
    ----------
    label, flags : (n,) bool; a row is as long as the step to the next.

    References
    ----------
    Huet, Navarro and Rossi: Local Evaluation of Time Series Anomaly Detection Algorithms. KDD 2022.

    Examples
    --------
    >>> affiliation([0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0])
    (1.0, 1.0)
    """
    truth, marked = np.asarray(label, dtype=np.bool_), np.asarray(flags, dtype=np.bool_)
    runs = _as_long_as_rows(events(truth))
    between = 0.5 * (runs[1:, 0] + runs[:-1, 1])
    zones = zip(np.append(0.0, between), np.append(between, float(len(truth))), strict=False)
    precision, recall = [], []
    places = (np.arange(FINE * len(truth)) + 0.5) / FINE
    fine = np.repeat(marked, FINE)
    for (start, end), (low, high) in zip(runs.tolist(), zones, strict=False):
        here = places[fine & (places > low) & (places < high)]
        if not len(here):
            recall.append(0.0)
            continue
        precision.append(_farther_from_event(here, start, end, low, high))
        recall.append(_farther_than_flags(marked, start, end, low, high))
    return _mean(precision), _mean(recall)


def nab_score(label: ArrayLike, flags: ArrayLike, profile: str = "standard") -> float:
    """The score of the Numenta anomaly benchmark: 100 is every event found on its first row, 0 nothing flagged.

    The first alarm within an event counts, the earlier the more; flags outside cost, those right after an event less.
    NaN where there is no event.

    Parameters
    ----------
    label : (n,) true within the windows that stand for the events.
    flags : (n,) bool; each flagged row counts.
    profile : one of :data:`NAB_PROFILES`.

    Raises
    ------
    ParameterError
        for an unknown profile.

    References
    ----------
    Lavin and Ahmad: Evaluating Real-Time Anomaly Detection Algorithms, the Numenta Anomaly Benchmark. ICMLA 2015.

    Examples
    --------
    >>> nab_score([0, 1, 1, 1, 0], [0, 1, 0, 0, 0]), nab_score([0, 1, 1, 1, 0], [0, 0, 0, 0, 0])
    (100.0, 0.0)
    """
    if problem := Choice(*NAB_PROFILES).problem(profile):
        raise ParameterError(f"profile={profile!r} {problem}.")
    found, false, missed = NAB_PROFILES[profile]
    truth, marked = np.asarray(label, dtype=np.bool_), np.asarray(flags, dtype=np.bool_)
    runs = events(truth)
    if not len(runs):
        return math.nan
    total = 0.0
    for start, end in runs.tolist():
        hits = np.flatnonzero(marked[start : end + 1])
        width = end - start + 1
        total += found * _falling((hits[0] - width) / width) / _falling(-1.0) if len(hits) else -missed
    for row in np.flatnonzero(marked & ~truth):
        total += false * _cost(int(row), runs)
    return 100.0 * (total + missed * len(runs)) / ((found + missed) * len(runs))


def _overlap(
    own: NDArray[np.bool_], run: tuple[int, int] | NDArray[np.int64], other: NDArray[np.bool_], bias: str
) -> float:
    """The weighted share of a run that the other ranges cover, divided by how many of them do."""
    start, end = int(run[0]), int(run[1])
    covered = other[start : end + 1] & own[start : end + 1]
    weights = _weights(end - start + 1, bias)
    return float(weights[covered].sum() / weights.sum()) / max(len(events(covered)), 1)


def _as_long_as_rows(runs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Runs of rows as stretches of time: each row goes on to the next."""
    stretches: NDArray[np.float64] = runs + np.array([0.0, 1.0])
    return stretches


def _weights(length: int, bias: str) -> NDArray[np.float64]:
    rising = np.arange(1.0, length + 1.0)
    middle: NDArray[np.float64] = np.minimum(rising, rising[::-1])
    return {"flat": np.ones(length), "front": rising[::-1], "middle": middle, "back": rising}[bias]


def _farther_from_event(places: NDArray[np.float64], start: float, end: float, low: float, high: float) -> float:
    """The mean probability that a random place of the zone is at least as far from the event as each of these."""
    away = np.maximum(np.maximum(start - places, places - end), 0.0)
    nearer = np.minimum(away, start - low) + np.minimum(away, high - end) + (end - start)
    return float(np.mean(np.where(away > 0.0, 1.0 - nearer / (high - low), 1.0)))


def _farther_than_flags(marked: NDArray[np.bool_], start: float, end: float, low: float, high: float) -> float:
    """The mean probability that a random place of the zone is at least as far from a row of the event as its flags."""
    flagged = np.clip(_as_long_as_rows(events(marked)), low, high)
    flagged = flagged[flagged[:, 1] > flagged[:, 0]]
    places = start + (np.arange(round(FINE * (end - start))) + 0.5) / FINE
    next_one = np.minimum(np.searchsorted(flagged[:, 1], places), len(flagged) - 1)
    ahead, behind = flagged[next_one], flagged[np.maximum(next_one - 1, 0)]
    to_next = np.maximum(np.maximum(ahead[:, 0] - places, places - ahead[:, 1]), 0.0)
    away = np.minimum(to_next, np.maximum(np.maximum(behind[:, 0] - places, places - behind[:, 1]), 0.0))
    nearer = np.minimum(away, places - low) + np.minimum(away, high - places)
    return float(np.mean(1.0 - nearer / (high - low)))


def _falling(place: float) -> float:
    """The benchmark's weight of a flag: nearly 1 at place -1, 0 at 0, nearly -1 at 1."""
    return 2.0 / (1.0 + math.exp(5.0 * place)) - 1.0


def _cost(row: int, runs: NDArray[np.int64]) -> float:
    """What a flag outside of all events costs, from 0 right after one to -1."""
    before = runs[runs[:, 1] < row]
    if not len(before):
        return -1.0
    start, end = before[-1].tolist()
    place = (row - end) / (end - start) if end > start else math.inf
    return -1.0 if place > 3.0 else _falling(place)


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else math.nan
