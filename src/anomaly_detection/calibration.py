"""Raw score → p-value: how probable is a score at least this high for a normal record?

A conformal p-value (Vovk, Gammerman & Shafer 2005) needs nothing but exchangeability: with n scores of normal rows the
detector was not fitted on, ``(1 + #{calibration >= s}) / (n + 1)``. It cannot go below ``1 / (n + 1)``, so all extreme
rows look alike. Beyond the largest few calibration scores a generalised-Pareto tail (Pickands 1975) takes over.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from anomaly_detection._calibration_kernels import many_p_values, one_p_value
from anomaly_detection.base import Choice, Configurable, Constraint, Range
from anomaly_detection.errors import InputError, NotFittedError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

BEYOND = 10
"""The tail takes over above all but this many calibration scores; the guarantee below needs no model."""

FEWEST_EXCESSES = 10
"""The tail is fitted on at least this many scores, as long as that is at most half of them."""

SAME = 1e-12
"""Scores that differ by less than this share of their size count as equal: the tail has no scale then."""

FEW_ROWS = 100
"""Up to this many rows are cross-fitted in :data:`MANY_FOLDS` folds."""

MANY_FOLDS = 20


class Calibrator(Configurable):
    """Turn raw scores into p-values.

    In the body the p-value is conformal: ``(1 + #{calibration >= s}) / (n + 1)``. On exchangeable rows a share of at
    most α gets a p-value of α or less, whatever the score's distribution. Tied scores get the largest p-value of the
    tie, so discrete scores keep that promise and flag fewer rows than α, never more.

    Above all but the ten largest calibration scores the p-value follows a generalised-Pareto tail, continued from the
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


def no_tail() -> NDArray[np.float64]:
    """The ``tail_`` of a calibrator that has none."""
    return np.array([np.inf, 0.0, 1.0, 0.0])


def fit_tail(ordered: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Fit a generalised-Pareto tail to the largest scores and carry it to where the data end.

    A generalised-Pareto excess over one level is again generalised-Pareto over a higher one, with the scale grown by
    the shape times the distance, so the tail can be fitted on many scores and joined where only few remain. A tail
    with an end point is replaced by an exponential one of the same mean beyond the join. The scale is itself estimated
    from k excesses, which fattens what is to be expected of the next one: for exponential excesses it is
    generalised-Pareto with shape 1 / k exactly, so 1 / k is added to the shape.

    Parameters
    ----------
    ordered : (n,) scores, ascending.
    share : the share of the largest scores to fit on.

    Returns
    -------
    (4,) float64: join, level, scale, shape; :func:`no_tail` where the scores have no spread.
    """
    n = len(ordered)
    most = min(max(math.ceil(share * n), FEWEST_EXCESSES), max(n // 2, 1), n - 1)
    base = _below(ordered, ordered[n - 1 - most])
    with np.errstate(over="ignore", invalid="ignore"):
        excesses = ordered[ordered > base] - base
    if not len(excesses) or not np.isfinite(excesses[-1]) or excesses[-1] <= SAME * np.abs(ordered[[0, -1]]).max():
        return no_tail()
    scale, shape = weighted_moments(excesses)
    join = float(ordered[n - 1 - min(BEYOND, most)])
    beyond = ordered[ordered > join] - join
    scale += shape * (join - base)
    if shape < 0.0:
        scale = max(scale / (1.0 - shape), float(beyond.mean() if len(beyond) else excesses.mean()))
    return np.array([join, (1.0 + len(beyond)) / (1.0 + n), scale, max(shape, 0.0) + 1.0 / len(excesses)])


def _below(ordered: NDArray[np.float64], level: float) -> float:
    """The level itself, or the next lower score when nothing lies above it."""
    if level < ordered[-1]:
        return float(level)
    first = int(np.searchsorted(ordered, level, side="left"))
    return float(ordered[max(first - 1, 0)])


def weighted_moments(excesses: NDArray[np.float64]) -> tuple[float, float]:
    """Scale and shape of a generalised-Pareto distribution by probability-weighted moments (Hosking & Wallis 1987).

    Parameters
    ----------
    excesses : (k,) positive, ascending, k >= 1.

    Returns
    -------
    scale, shape : the shape is below 1; a negative one means that the excesses have an end point.
    """
    unit = excesses[-1]
    relative = excesses / unit
    k = len(relative)
    mean = relative.mean()
    weighted = (relative * (1.0 - (np.arange(1, k + 1) - 0.35) / k)).mean()
    spread = mean - 2.0 * weighted
    return float(2.0 * mean * weighted / spread * unit), float(2.0 - mean / spread)


def calibration_scores(
    fit_and_score: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.float64]],
    n_rows: int,
    *,
    method: Literal["cross", "split"] = "cross",
    folds: int = 5,
    most: int = 10_000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Score rows with detectors that were not fitted on them.

    Parameters
    ----------
    fit_and_score : given the numbers of the rows to fit on and of those to score, returns the scores of the latter,
        from a fresh detector.
    n_rows : how many rows there are, at least 2.
    method : ``"cross"``: the scored rows are divided into folds, and each fold is scored by a detector fitted on all
        rows outside it; ``"split"``: one detector scores one such fold, which then has up to ``most`` rows.
    folds : at least 2; rises to 20 where there are at most 100 rows, since every row counts there.
    most : at most so many rows are scored, chosen by ``seed``.
    seed : decides which row is in which fold.

    Returns
    -------
    (m,) float64, m <= ``most``, in no particular order.

    Raises
    ------
    ParameterError
        if ``method``, ``folds`` or ``most`` is out of range.
    InputError
        if there are fewer than 2 rows.
    """
    if problem := Choice("cross", "split").problem(method):
        raise ParameterError(f"method={method!r} {problem}.")
    parts = held_out(n_rows, folds=folds, most=most if method == "cross" else most * folds, seed=seed)
    used = parts if method == "cross" else parts[:1]
    return np.concatenate([fit_and_score(_others(n_rows, part), part) for part in used])


def held_out(n_rows: int, *, folds: int = 5, most: int = 10_000, seed: int = 0) -> list[NDArray[np.int64]]:
    """The row numbers of each fold, ascending; see :func:`calibration_scores`."""
    if n_rows < 2:
        raise InputError(f"Calibration needs at least 2 rows; got {n_rows}.")
    if folds < 2 or most < 2:
        raise ParameterError(f"folds={folds!r} and most={most!r} must be at least 2.")
    chosen = np.random.default_rng(seed).permutation(n_rows)[:most]
    wanted = max(folds, MANY_FOLDS) if n_rows <= FEW_ROWS else folds
    return [np.sort(part) for part in np.array_split(chosen, min(wanted, len(chosen)))]


def _others(n_rows: int, part: NDArray[np.int64]) -> NDArray[np.int64]:
    outside = np.ones(n_rows, dtype=np.bool_)
    outside[part] = False
    return np.flatnonzero(outside)
