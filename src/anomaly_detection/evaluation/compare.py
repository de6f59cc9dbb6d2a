"""Two models held against each other: on the same rows, or by the measures stored with them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from anomaly_detection.evaluation.labels import parse_labels
from anomaly_detection.evaluation.metrics import METRICS, Interval, Ranked, defined, intervals, once, resamples

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import ArrayLike, NDArray

LOWER_IS_BETTER = frozenset({"false_positive_rate"})
"""The measures of which less is better; of the others, more is."""


class Scored(Protocol):
    """Verdicts on rows, such as a :class:`~anomaly_detection.results.Result`."""

    @property
    def score(self) -> NDArray[np.float64]:
        """(n,) raw scores."""

    @property
    def is_anomaly(self) -> NDArray[np.bool_]:
        """(n,) flags."""


@dataclass(frozen=True, slots=True)
class Change:
    """One measure of two models.

    Parameters
    ----------
    first, second : its values; None where it is undefined.
    difference : ``second - first``, or None.
    better : whether the second model is better by it; None where it is undefined or equal.
    """

    first: float | None
    second: float | None
    difference: float | None
    better: bool | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference(Change):
    """One measure of two models on the same rows.

    Parameters
    ----------
    interval : the 95 % bootstrap interval of the difference, both models on the same samples of the rows.
    clear : whether the interval leaves out 0.
    """

    interval: Interval | None
    clear: bool


def compare(
    labels: ArrayLike | pl.Series, first: Scored, second: Scored, *, bootstrap: int = 200, seed: int = 0
) -> dict[str, Difference]:
    """Compare two models on the same rows.

    Parameters
    ----------
    labels : (n,) the truth, as :func:`parse_labels` takes it.
    first, second : the models' results on these rows.
    bootstrap : how many samples of the rows the intervals are taken from.
    seed : decides the samples.

    Returns
    -------
    A difference for each name in :data:`METRICS`.

    Raises
    ------
    InputError
        as :func:`evaluate` does.

    Examples
    --------
    >>> from anomaly_detection.verdicts import judge
    >>> one = judge([1.0, 2.0, 3.0, 4.0], [0.9, 0.5, 0.2, 0.01], 0.05, 100)
    >>> two = judge([4.0, 2.0, 3.0, 1.0], [0.01, 0.5, 0.2, 0.9], 0.05, 100)
    >>> compare([0, 0, 0, 1], one, two)["auroc"].difference
    -1.0
    """
    truth = parse_labels(labels)
    ranked = [Ranked.of(truth, result.score, result.is_anomaly, at=None) for result in (first, second)]
    values = [model.measure(once(len(truth))) for model in ranked]
    samples = [
        ranked[1].measure(counts) - ranked[0].measure(counts) for counts in resamples(len(truth), bootstrap, seed)
    ]
    spans = intervals(np.array(samples))
    return {name: _difference(name, values[0][i], values[1][i], spans[i]) for i, name in enumerate(METRICS)}


def compare_metrics(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Change]:
    """Compare the measures stored with two models, such as two ``Evaluation.to_dict()``.

    They may come from different rows, so nothing is said about chance.

    Parameters
    ----------
    first, second : measures by name; names that only one has, and entries that are not measures, are left out.

    >>> compare_metrics({"f1": 0.5, "rows": 9}, {"f1": 0.75})["f1"]
    Change(first=0.5, second=0.75, difference=0.25, better=True)
    """
    return {name: _change(name, first[name], second[name]) for name in METRICS if name in first and name in second}


def _change(name: str, first: float | None, second: float | None) -> Change:
    difference = None if first is None or second is None else second - first
    better = None if not difference else (difference > 0.0) != (name in LOWER_IS_BETTER)
    return Change(first, second, difference, better)


def _difference(name: str, first: float, second: float, interval: Interval | None) -> Difference:
    change = _change(name, defined(first), defined(second))
    clear = interval is not None and not interval[0] <= 0.0 <= interval[1]
    return Difference(change.first, change.second, change.difference, change.better, interval, clear)
