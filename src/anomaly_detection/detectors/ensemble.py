"""Ensembles: several detectors, one score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import Range
from anomaly_detection.detectors._ensemble_base import DEFAULT_MEMBERS, Ensemble
from anomaly_detection.detectors._marginals import joined, tails_of
from anomaly_detection.detectors._restored import require_shapes, require_stretches
from anomaly_detection.detectors._robust import center_and_scale
from anomaly_detection.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.detectors._ensemble_base import Member


class StandardisedEnsemble(Ensemble):
    """The base of ensembles that measure every member's score from its median, in robust deviations, on training rows.

    Attributes
    ----------
    centers_, scales_ : (m,) median and 1.4826 median absolute deviations of each member's training scores; 1 for a
        member that gave every training row the same score.
    """

    learned = ("centers_", "scales_")

    centers_: NDArray[np.float64]
    scales_: NDArray[np.float64]

    def _learn(self, scores: list[NDArray[np.float64]]) -> None:
        measured = np.array([center_and_scale(one) for one in scores])
        self.centers_ = measured[:, 0].copy()
        self.scales_ = np.where(np.isinf(measured[:, 1]), 1.0, measured[:, 1])

    def _restored(self) -> None:
        m = len(self.members_)
        require_shapes(self, {"centers_": (m,), "scales_": (m,)}, finite=False)
        self._measures = list(zip(self.centers_.tolist(), self.scales_.tolist(), strict=True))

    def _standardised(self, scores: Sequence[Any]) -> list[Any]:
        pairs = zip(scores, self._measures, strict=True)
        return [(score - center) / scale for score, (center, scale) in pairs]


class AverageEnsemble(StandardisedEnsemble):
    """Mean of the members' standardised scores: steadier than any of them.

    Parameters
    ----------
    detectors : the members: names, detectors, or ``{"name": …, "parameters": {…}}``. Detectors are copied, not fitted.
    random_state : seed from which every member that has one gets its own; None leaves the members' seeds alone.

    Notes
    -----
    Missing values and categories reach the members only where all of them take them; a pipeline feeds the others
    numbers throughout.

    References
    ----------
    Aggarwal, Sathe: Theoretical Foundations and Algorithms for Outlier Ensembles. SIGKDD Explorations, 2015.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(200, 2))
    >>> ensemble = AverageEnsemble(["ecod", "mad"]).fit(rows)
    >>> crowd, far = ensemble.score([[0.0, 0.0], [9.0, 9.0]])
    >>> bool(far > 3 > crowd)
    True
    """

    def _combined(self, scores: Sequence[Any]) -> Any:
        return sum(self._standardised(scores)) / len(scores)


class MaximumEnsemble(StandardisedEnsemble):
    """Largest of the members' standardised scores: an anomaly to any of them is an anomaly.

    Parameters
    ----------
    detectors, random_state : as in :class:`AverageEnsemble`.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(200, 2))
    >>> ensemble = MaximumEnsemble(["ecod", {"name": "mad", "parameters": {"aggregation": "mean"}}]).fit(rows)
    >>> ensemble.score(rows).shape
    (200,)
    """

    def _combined(self, scores: Sequence[Any]) -> Any:
        largest, *others = self._standardised(scores)
        for other in others:
            largest = np.maximum(largest, other)
        return largest


class _Weights:
    """The rule for ``weights``."""

    def problem(self, value: Any) -> str | None:
        """Say what has to hold, or None when the value is fine."""
        if value is None:
            return None
        numbers = list(value) if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str) else []
        rule = Range(0, math.inf, open_high=True)
        sound = all(rule.problem(one) is None for one in numbers)
        return None if sound and sum(numbers) > 0 else "must be numbers of at least 0, one of them above 0"


class WeightedEnsemble(StandardisedEnsemble):
    """Weighted mean of the members' standardised scores.

    Parameters
    ----------
    detectors, random_state : as in :class:`AverageEnsemble`.
    weights : one per member, at least 0, in any unit; equal when None.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(200, 2))
    >>> ensemble = WeightedEnsemble(["ecod", "mad"], weights=[3, 1]).fit(rows)
    >>> ensemble.score(rows).shape
    (200,)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {**Ensemble.constraints, "weights": _Weights()}

    def __init__(
        self,
        detectors: Sequence[Member] = DEFAULT_MEMBERS,
        weights: Sequence[float] | None = None,
        random_state: int | None = None,
    ) -> None:
        super().__init__(detectors, random_state)
        self.weights = weights

    def validate(self) -> None:
        """Check the parameters, and that there are as many weights as members.

        Raises
        ------
        ParameterError, UnknownNameError
            naming what is wrong.
        """
        super().validate()
        if self.weights is not None and len(self.weights) != len(self.detectors):
            raise ParameterError(
                f"{type(self).__name__}: {len(self.weights)} weights for {len(self.detectors)} detectors. "
                "Give one weight per detector."
            )

    def _restored(self) -> None:
        super()._restored()
        weights = [1.0] * len(self.members_) if self.weights is None else [float(one) for one in self.weights]
        self._shares = [weight / sum(weights) for weight in weights]

    def _combined(self, scores: Sequence[Any]) -> Any:
        pairs = zip(self._shares, self._standardised(scores), strict=True)
        return sum(share * score for share, score in pairs)


TAIL_POINTS = 1024
"""How many training scores are kept per member, at most."""

TAIL_SHARE = 0.1
"""The share of training scores that says how fast the tail falls beyond the largest."""


class TailEnsemble(Ensemble):
    """Mean of the members' surprise, -log of the share of training scores at least as high.

    Ranks make the members comparable whatever the shape of their scores. Beyond the largest training score the tail
    falls exponentially, with the mean excess of the highest tenth as its scale, so that scores keep growing.

    Parameters
    ----------
    detectors, random_state : as in :class:`AverageEnsemble`.

    Attributes
    ----------
    knots_, surprises_ : kept training scores of all members end to end, and the surprise of each and beyond;
        ``bounds_`` says where each member's scores begin.
    falls_ : (m,) scale of each tail.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(200, 2))
    >>> ensemble = TailEnsemble(["ecod", "mad"]).fit(rows)
    >>> crowd, far = ensemble.score([[0.0, 0.0], [9.0, 9.0]])
    >>> bool(crowd < 1 and far > np.log(200))
    True
    """

    learned = ("knots_", "surprises_", "bounds_", "falls_")

    knots_: NDArray[np.float64]
    surprises_: NDArray[np.float64]
    bounds_: NDArray[np.int64]
    falls_: NDArray[np.float64]

    def _learn(self, scores: list[NDArray[np.float64]]) -> None:
        found = [tails_of(one, TAIL_POINTS) for one in scores]
        self.knots_, self.bounds_ = joined([one.knots for one in found])
        self.surprises_, _ = joined([one.right for one in found])
        self.falls_ = np.array([mean_excess(one) for one in scores])

    def _restored(self) -> None:
        m, k = len(self.members_), np.size(self.knots_)
        require_shapes(self, {"knots_": (k,), "surprises_": (k + m,), "falls_": (m,)}, finite=False)
        require_stretches(self, "bounds_", k, m)
        spans = zip(self.bounds_[:-1].tolist(), self.bounds_[1:].tolist(), self.falls_.tolist(), strict=True)
        self._tails = [
            (self.knots_[start:stop], self.surprises_[start + place : stop + place + 1], fall)
            for place, (start, stop, fall) in enumerate(spans)
        ]

    def _combined(self, scores: Sequence[Any]) -> Any:
        pairs = zip(scores, self._tails, strict=True)
        return sum(_surprise(score, *tail) for score, tail in pairs) / len(scores)


def mean_excess(scores: NDArray[np.float64]) -> float:
    """How far the highest tenth lies above its lower end on average; 1 where all scores are equal.

    >>> mean_excess(np.arange(101.0))
    5.5
    """
    line = np.quantile(scores, 1 - TAIL_SHARE)
    above = scores[scores > line]
    if above.size:
        return float(np.mean(above - line))
    _, scale = center_and_scale(scores)
    return scale if math.isfinite(scale) else 1.0


def _surprise(score: Any, knots: NDArray[np.float64], surprises: NDArray[np.float64], fall: float) -> Any:
    beyond = np.maximum(score - knots[-1], 0.0) / fall
    return surprises[np.searchsorted(knots, score, side="left")] + beyond
