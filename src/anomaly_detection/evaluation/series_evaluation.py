"""What is measured of verdicts on series."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SeriesEvaluation:
    """How good verdicts on a series are; what is undefined (no event, no flag, one class only) is None.

    Parameters
    ----------
    rows, anomalies, events : how many rows were judged, are anomalous, and in how many runs.
    vus_pr, vus_roc : volume under the range-aware precision-recall and ROC surface.
    auroc, average_precision : of single rows, by score.
    precision, recall, f1, false_positive_rate : of single rows, by flag.
    range_precision, range_recall : the mean over alarms of how much of each is right, and over events of how much of
        each is found; in several pieces counts less.
    affiliation_precision, affiliation_recall : how near flags are to events, and events to flags, next to chance.
    event_recall : the share of events found when the threshold is lowered as far as the budget of false alarms allows.
    mean_delay, mean_delay_seconds : how long after an event's first row its alarm is then; seconds where the step of
        the series is known.
    false_alarms, false_alarm_budget : within that budget of one in 1,000 normal rows.
    flagged_event_recall, flagged_delay, flagged_false_alarms : the same for the flags as they are.
    nab_standard, nab_reward_low_fp, nab_reward_low_fn : the score of the Numenta benchmark, 100 at best.
    """

    rows: int
    anomalies: int
    events: int
    vus_pr: float | None
    vus_roc: float | None
    auroc: float | None
    average_precision: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    false_positive_rate: float | None
    range_precision: float | None
    range_recall: float | None
    affiliation_precision: float | None
    affiliation_recall: float | None
    event_recall: float | None
    mean_delay: float | None
    mean_delay_seconds: float | None
    false_alarms: int
    false_alarm_budget: int
    flagged_event_recall: float | None
    flagged_delay: float | None
    flagged_false_alarms: int
    nab_standard: float | None
    nab_reward_low_fp: float | None
    nab_reward_low_fn: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)
