"""The usual measures of detection against labels, each with a bootstrap interval.

Every measure is a function of counts over the rows in order of score. A bootstrap sample only changes how often each
row counts, so the rows are sorted once and each sample costs one pass over them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.evaluation._measure_kernels import measures
from anomaly_detection.evaluation.labels import parse_labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

    from anomaly_detection.evaluation.series_evaluation import SeriesEvaluation

METRICS = ("precision", "recall", "f1", "auroc", "average_precision", "false_positive_rate", "precision_at_n")
"""The names of the measures, in the order they are shown."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good verdicts are; a measure that is undefined (no anomaly, no flag, one class only) is None.

    Parameters
    ----------
    rows, anomalies : how many rows, and how many of them are anomalies by their label.
    precision : the share of flagged rows that are anomalies.
    recall : the share of anomalies that are flagged.
    f1 : the harmonic mean of precision and recall.
    auroc : the probability that an anomaly scores above a normal row, ties counting half.
    average_precision : precision averaged over the anomalies in order of score.
    false_positive_rate : the share of normal rows that are flagged.
    precision_at_n : the share of anomalies among the n highest scores; of ties, the expected share.
    n : the n of ``precision_at_n``; the number of anomalies unless given.
    intervals : the 95 % bootstrap interval of each measure.
    series : measures that know of time, where the rows are those of series.
    """

    rows: int
    anomalies: int
    precision: float | None
    recall: float | None
    f1: float | None
    auroc: float | None
    average_precision: float | None
    false_positive_rate: float | None
    precision_at_n: float | None
    n: int
    intervals: dict[str, Interval | None]
    series: SeriesEvaluation | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; ``series`` only where there is one."""
        return {name: value for name, value in asdict(self).items() if name != "series" or value is not None}


def evaluate(
    labels: ArrayLike | pl.Series,
    score: ArrayLike,
    is_anomaly: ArrayLike,
    *,
    at: int | None = None,
    bootstrap: int = 200,
    seed: int = 0,
) -> Evaluation:
    """Hold verdicts against labels.

    Parameters
    ----------
    labels : (n,) the truth, as :func:`parse_labels` takes it.
    score : (n,) raw scores, higher is more anomalous.
    is_anomaly : (n,) the flags.
    at : the n of ``precision_at_n``, at least 1; the number of anomalies when not given.
    bootstrap : how many samples of the rows the intervals are taken from; 0 for none.
    seed : decides the samples.

    Raises
    ------
    InputError
        if the lengths differ, there is no row, a score is NaN, or a label is not understood.
    ParameterError
        if ``at`` or ``bootstrap`` is out of range.

    Examples
    --------
    >>> found = evaluate([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9], [False, True, False, True])
    >>> found.precision, found.recall, found.auroc
    (0.5, 0.5, 0.75)
    """
    _check(at, bootstrap)
    truth = parse_labels(labels)
    ranked = Ranked.of(truth, score, is_anomaly, at)
    values = ranked.measure(once(len(truth)))
    samples = np.array([ranked.measure(counts) for counts in resamples(len(truth), bootstrap, seed)])
    anomalies = int(truth.sum())
    return Evaluation(
        rows=len(truth),
        anomalies=anomalies,
        **{name: defined(value) for name, value in zip(METRICS, values, strict=True)},
        n=min(at, len(truth)) if at else anomalies,
        intervals=dict(zip(METRICS, intervals(samples), strict=True)),
        series=None,
    )


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows in order of score, ready to be measured under many weightings.

    Parameters
    ----------
    order : (n,) row numbers, highest score first; the last of each group of equal scores as ``-1 - row``.
    anomalous, flagged : (n,) bool, by row.
    at : the n of ``precision_at_n``, or None for the number of anomalies.
    """

    order: NDArray[np.int64]
    anomalous: NDArray[np.bool_]
    flagged: NDArray[np.bool_]
    at: int | None

    @classmethod
    def of(cls, truth: NDArray[np.bool_], score: ArrayLike, is_anomaly: ArrayLike, at: int | None) -> Ranked:
        """Sort the rows.

        Raises
        ------
        InputError
            if the lengths differ, there is no row, or a score is NaN.
        """
        scores, flags = np.asarray(score, dtype=np.float64), np.array(is_anomaly, dtype=np.bool_)
        if not len(truth) == len(scores) == len(flags):
            raise InputError(
                f"{len(truth)} labels, {len(scores)} scores and {len(flags)} flags; a row has one of each."
            )
        if not len(truth):
            raise InputError("There is nothing to evaluate: no rows.")
        if np.isnan(scores).any():
            raise InputError(f"{int(np.isnan(scores).sum())} of {len(scores)} scores are NaN.")
        order = np.argsort(-scores, kind="stable")
        ends = np.append(np.diff(scores[order]) != 0.0, True)
        return cls(np.where(ends, -1 - order, order), np.array(truth), flags, at)

    def measure(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """The measures when row i counts ``counts[i]`` times; NaN where undefined.

        Returns
        -------
        (7,) float64, in the order of :data:`METRICS`.
        """
        found: NDArray[np.float64] = measures(counts, self.order, self.anomalous, self.flagged, self.at or 0)
        return found


def once(rows: int) -> NDArray[np.int64]:
    """Every row counted once."""
    return np.ones(rows, dtype=np.int64)


def resamples(rows: int, times: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """How often each row is drawn, for each of ``times`` bootstrap samples (Efron 1979)."""
    generator = np.random.default_rng(seed)
    for _ in range(times):
        yield np.bincount(generator.integers(0, rows, rows), minlength=rows)


def intervals(samples: NDArray[np.float64]) -> list[Interval | None]:
    """The middle 95 % of each column, of the samples where it is defined; None where it never is."""
    if not len(samples):
        return [None] * len(METRICS)
    known = [column[~np.isnan(column)] for column in samples.T]
    return [tuple(np.percentile(column, [2.5, 97.5]).tolist()) if len(column) else None for column in known]


def defined(value: float) -> float | None:
    """The value as a plain number, or None for NaN."""
    return None if np.isnan(value) else float(value)


def _check(at: int | None, bootstrap: int) -> None:
    for name, value, rule in (
        ("at", at, Range(1, integer=True, or_none=True)),
        ("bootstrap", bootstrap, Range(0, integer=True)),
    ):
        if problem := rule.problem(value):
            raise ParameterError(f"{name}={value!r} {problem}.")
