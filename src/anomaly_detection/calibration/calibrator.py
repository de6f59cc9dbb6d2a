"""The calibrator: raw scores → p-values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Configurable, Constraint, Range
from anomaly_detection.calibration._p_value_kernels import many_p_values, one_p_value
from anomaly_detection.calibration.tail import fit_tail, no_tail
from anomaly_detection.errors import InputError, NotFittedError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray


class Calibrator(Configurable):
    """Turn raw scores into p-values.

    In the body the p-value is conformal: ``(1 + #{calibration >= s}) / (n + 1)``. On exchangeable rows a share of at
    most α gets a p-value of α or less, whatever the score's distribution. Tied scores get the largest p-value of the
    tie, so discrete scores keep that promise and flag fewer rows than α, never more.

    Above all but the five largest calibration scores the p-value follows a generalised-Pareto tail, continued from the
    conformal value there. Its scale and shape come from the probability-weighted moments (Hosking & Wallis 1987) of
    the largest ``tail_share`` of the scores. The shape is always positive, so the tail has no end point and p never
    reaches 0. Without any spread in the scores there is no scale, hence no tail.

    Parameters
    ----------
    tail : continue beyond the data with a generalised-Pareto tail; without it p stays at ``1 / (n + 1)`` or above.
    tail_share : in (0, 0.5], the share of the largest scores the tail is fitted on.

    Attributes
    ----------
    ordered_ : (n,) float64, the calibration scores, ascending.
    tail_ : (4,) float64, where the tail begins, the p-value there, its scale and its shape; begins at inf if none.
    n_ : how many scores it was calibrated on.
    resolution_ : the smallest p-value the scores resolve without a tail, ``1 / (n + 1)``.

    Examples
    --------
    >>> import numpy as np
    >>> calibrator = Calibrator().fit(np.arange(99.0))
    >>> calibrator.p_value([0.0, 49.0, 1000.0]) <= [1.0, 0.51, 1e-9]
    array([ True,  True,  True])
    >>> calibrator.p_value_one(80.0), calibrator.resolution_
    (0.2, 0.01)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"tail_share": Range(0, 0.5, open_low=True)}

    def __init__(self, tail: bool = True, tail_share: float = 0.1) -> None:
        self.tail = tail
        self.tail_share = tail_share

    def fit(self, scores: ArrayLike) -> Self:
        """Learn the distribution of normal scores.

        Parameters
        ----------
        scores : (n,) raw scores of rows the detector was not fitted on, n >= 1.

        Raises
        ------
        ParameterError
            if a parameter is outside its range.
        InputError
            if there is no score, or one is NaN.
        """
        self.validate()
        ordered = np.sort(np.asarray(scores, dtype=np.float64).ravel())
        if not len(ordered):
            raise InputError("Calibration needs at least one score; got none.")
        if np.isnan(ordered[-1]):
            missing = int(np.isnan(ordered).sum())
            raise InputError(f"Calibration takes numbers; {missing} of {len(ordered)} scores are NaN.")
        self._set(ordered, fit_tail(ordered, self.tail_share) if self.tail else no_tail())
        return self

    def p_value(self, scores: ArrayLike) -> NDArray[np.float64]:
        """The p-values of raw scores.

        Parameters
        ----------
        scores : (n,) raw scores; an infinite one gets the smallest or largest p-value.

        Returns
        -------
        (n,) float64 in (0, 1], non-increasing in the score and strictly decreasing in the tail.

        Raises
        ------
        NotFittedError
            before ``fit``.
        InputError
            if a score is NaN.
        """
        self._check_fitted()
        p: NDArray[np.float64] = many_p_values(
            np.ascontiguousarray(scores, dtype=np.float64), self.ordered_, self.tail_
        )
        if np.isnan(p).any():
            raise InputError(f"{int(np.isnan(p).sum())} of {len(p)} scores are NaN; a score has to be a number.")
        return p

    def p_value_one(self, score: float) -> float:
        """The p-value of one raw score, unchecked; bit for bit that of :meth:`p_value`, NaN for NaN."""
        p: float = one_p_value(score, self.ordered_, self.tail_)
        return p

    def line(self, alpha: float) -> float:
        """The largest raw score whose p-value is above ``alpha``; inf where none is as low as that.

        >>> round(Calibrator(tail=False).fit(np.arange(99.0)).line(0.1))
        89
        """
        low, high = -1.0, 1.0
        while self.p_value_one(low) <= alpha and low > -math.inf:
            low *= 2
        while self.p_value_one(high) > alpha:
            if high == math.inf:
                return high
            high *= 2
        while low < (middle := 0.5 * low + 0.5 * high) < high:
            low, high = (low, middle) if self.p_value_one(middle) <= alpha else (middle, high)
        return low

    @property
    def is_fitted(self) -> bool:
        """Whether ``fit`` or ``restore`` has been called."""
        return hasattr(self, "ordered_")

    def check_alpha(self, alpha: float) -> None:
        """Refuse an alarm line the calibration sample cannot resolve.

        Raises
        ------
        NotFittedError
            before ``fit``.
        ParameterError
            if no p-value can be as low as ``alpha``; says how many rows it would take.
        """
        self._check_fitted()
        if self.tail or alpha >= self.resolution_:
            return
        raise ParameterError(
            f"alpha={alpha:g} is below {self.resolution_:.3g}, the smallest p-value that {self.n_} calibration rows "
            f"resolve. Calibrate on at least {math.ceil(1.0 / alpha) - 1} rows, raise alpha, or use tail=True."
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """What was learned, as arrays by name; enough for :meth:`restore`."""
        self._check_fitted()
        return {"ordered_": self.ordered_, "tail_": self.tail_}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take back what :meth:`state` handed out; p-values are equal afterwards."""
        self._set(np.array(state["ordered_"], dtype=np.float64), np.array(state["tail_"], dtype=np.float64))
        return self

    def _set(self, ordered: NDArray[np.float64], tail: NDArray[np.float64]) -> None:
        self.ordered_ = ordered
        self.tail_ = tail
        self.n_ = len(ordered)
        self.resolution_ = 1.0 / (self.n_ + 1.0)

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"{self!r} is not fitted. Call fit first.")
