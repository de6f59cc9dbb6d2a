"""Scores of rows that the detector which scores them was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from anomaly_detection.base import Choice
from anomaly_detection.errors import InputError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

FEW_ROWS = 100
"""Up to this many rows are cross-fitted in :data:`MANY_FOLDS` folds."""

MANY_FOLDS = 20

FEWEST_ROWS = 8
"""Fewer rows than this cannot be both learned from and calibrated on."""


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

    Cross-fitting assumes that a detector fitted on all rows scores new ones like a detector fitted on the rows outside
    a fold. A detector that keeps its rows (nearest neighbours, local outlier factor) does not quite: with a fifth of
    the neighbours missing, distances grow and p-values with them. On real tables, 5 folds gave it four fifths of
    the false alarms asked for, 50 folds nine tenths (``benchmarks/calibration.py``), so give such a detector 50. With
    many more rows than ``most``, few are left out of any fit and 5 folds serve every detector. ``"split"`` is exact if
    the detector that scored is the one that is kept, but calibrates on fewer rows.

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


def check_rows(n_rows: int) -> None:
    """Refuse to learn from too few rows.

    Raises
    ------
    InputError
        naming how many there are and how many it takes.
    """
    if n_rows < FEWEST_ROWS:
        got = "1 sample (row)" if n_rows == 1 else f"{n_rows} rows"
        raise InputError(
            f"Learning what is normal takes at least {FEWEST_ROWS} rows; got {got}. "
            "Give more rows, or score with a trained model."
        )
