"""How good the verdicts of a model are in use, from what people said of some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.store.feedback import LabelCounts

DRAWS = 20_000
LEVEL = (0.025, 0.975)
"""Intervals hold the true value with a probability of 95 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share and where it may lie."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LiveQuality:
    """What labels say about a version.

    Parameters
    ----------
    labels : how many labels are what.
    records, alarms : how many records the version judged, and raised an alarm for.
    precision : the share of alarms that are anomalies.
    recall : the share of anomalies that raise an alarm.
    false_positive_rate : the share of normal records that raise an alarm.
    missing : what has to be labelled for what is None.
    """

    labels: LabelCounts
    records: int
    alarms: int
    precision: Estimate | None
    recall: Estimate | None
    false_positive_rate: Estimate | None
    missing: tuple[str, ...]


def live_quality(labels: LabelCounts, records: int, alarms: int) -> LiveQuality:
    """Estimate quality from labels of some verdicts.

    Labels of alarms give the precision. Recall and false positive rate need labels of records without an alarm, too:
    their share of anomalies is taken to be that of all records without one, so they have to be chosen at random.
    The intervals are those of Jeffreys' prior, drawn 20,000 times.

    Parameters
    ----------
    labels : how many labels are what.
    records, alarms : how many records were judged, and how many of them raised an alarm.

    >>> from anomaly_detection.store.feedback import LabelCounts
    >>> found = live_quality(LabelCounts(hits=8, false_alarms=2), records=10_000, alarms=40)
    >>> found.precision.value, found.recall, len(found.missing)
    (0.8, None, 1)
    """
    of_alarms, of_others = labels.hits + labels.false_alarms, labels.misses + labels.quiet
    missing = []
    if not of_alarms:
        missing.append("No alarm was labelled: say of some whether they are anomalies.")
    if not of_others:
        missing.append("No record without an alarm was labelled: label some, chosen at random.")
    if not of_alarms:
        return LiveQuality(labels, records, alarms, None, None, None, tuple(missing))
    random = np.random.default_rng(0)
    right = _share(labels.hits, labels.false_alarms, random)
    precision = _estimate(right)
    if not of_others:
        return LiveQuality(labels, records, alarms, precision, None, None, tuple(missing))
    missed = _share(labels.misses, labels.quiet, random)
    flagged, others = max(alarms, of_alarms), max(records - alarms, of_others)
    recall = _ratio(flagged * right, others * missed)
    rate = _ratio(flagged * (1 - right), others * (1 - missed))
    return LiveQuality(labels, records, alarms, precision, _estimate(recall), _estimate(rate), ())


def _share(yes: int, no: int, random: np.random.Generator) -> NDArray[np.float64]:
    """The observed share, and draws of what it may truly be."""
    draws: NDArray[np.float64] = random.beta(yes + 0.5, no + 0.5, DRAWS)
    return np.concatenate([[yes / (yes + no)], draws])


def _ratio(part: NDArray[np.float64], rest: NDArray[np.float64]) -> NDArray[np.float64]:
    whole = part + rest
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _estimate(values: NDArray[np.float64]) -> Estimate:
    low, high = np.quantile(values[1:], LEVEL)
    value = float(values[0])
    return Estimate(value, min(value, float(low)), max(value, float(high)))
