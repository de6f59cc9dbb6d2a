"""LODA: histograms of sparse random projections."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import SEED, AnyOf, Choice, Range
from anomaly_detection.detectors._loda_kernels import BINS, count_cells, project_all, surprises
from anomaly_detection.detectors._marginals import joined
from anomaly_detection.detectors._restored import require, require_shapes, require_stretches
from anomaly_detection.detectors.base import Detector
from anomaly_detection.detectors.isolation_forest import narrowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint

CELLS = 720
"""Values are counted in so many cells once; every histogram tried joins whole cells, so its bins divide this number."""

MOST_BINS = 144

LEAST = 1e-4
"""The density of an empty bin, per standard deviation: the same for any number of rows, and half of it beyond all."""


class LODA(Detector):
    """Lightweight on-line detector of anomalies: the mean surprise of a row in histograms of random projections.

    A projection is a sum of about the square root of d columns with standard normal weights. Every column is used about
    equally often: the columns are dealt out like cards. The surprise of a bin is ``-log(density + 0.0001)``, the
    density per standard deviation of the projection, so that it does not depend on how many rows or bins there are.
    That of a value beyond all training values is ``-log(0.00005) + log(1 + distance / standard deviation)``: it grows
    without end.

    Parameters
    ----------
    n_projections : how many.
    n_bins : bins of equal width per projection; ``"auto"`` takes, of the numbers that divide 720 up to 144, the one of
        the largest penalised likelihood (Birgé and Rozenholc), as the paper does.
    random_state : seed of the projections.

    Attributes
    ----------
    columns_ : (m, k) unsigned, the columns of each projection.
    weights_ : (m, k) float64, their weights.
    histograms_ : (4, m) float64, each histogram's lowest and highest value, the width of a bin, and the unit of
        distances beyond: the standard deviation.
    levels_ : float64, for each projection the surprise of a value beyond and those of its bins.
    stretches_ : (m + 1,) where in ``levels_`` each projection begins.

    Notes
    -----
    Fitting costs n times the projections: 20,000 rows of 100 columns take about 0.1 s, a million rows about 5 s.
    Columns are taken in the units they come in; a pipeline scales them, and fills in and marks missing values: leaving
    out the projections that need one, as the paper offers, finds less.

    References
    ----------
    T. Pevný, "Loda: Lightweight on-line detector of anomalies", Machine Learning 102, 2016.
    L. Birgé, Y. Rozenholc, "How many bins should be put in a regular histogram", ESAIM: P&S 10, 2006.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> base = rng.normal(size=(500, 1))
    >>> together = base + 0.1 * rng.normal(size=(500, 3))
    >>> usual, odd, far = LODA().fit(together).score([[1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 9.0, 1.0]])
    >>> bool(usual < odd < far)
    True
    """

    learned: ClassVar[tuple[str, ...]] = ("columns_", "weights_", "histograms_", "levels_", "stretches_")
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_projections": Range(1, 10_000, integer=True),
        "n_bins": AnyOf(Choice("auto"), Range(2, 10_000, integer=True)),
        "random_state": SEED,
    }

    columns_: NDArray[np.unsignedinteger]
    weights_: NDArray[np.float64]
    histograms_: NDArray[np.float64]
    levels_: NDArray[np.float64]
    stretches_: NDArray[np.int64]

    def __init__(self, n_projections: int = 100, n_bins: int | str = "auto", random_state: int = 0) -> None:
        self.n_projections = n_projections
        self.n_bins = n_bins
        self.random_state = random_state

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row of the fitted width without checking it, in about three microseconds."""
        return float(surprises(row[None, :], *self._tables)[0])

    def _fit(self, X: NDArray[np.float32]) -> None:
        columns, self.weights_ = _directions(X.shape[1], int(self.n_projections), int(self.random_state))
        found = [self._histogram(X, *direction) for direction in zip(columns, self.weights_, strict=True)]
        self.columns_ = narrowed(columns.astype(np.uint32))
        self.histograms_ = np.array([(one.low, one.high, one.width, one.reach) for one in found]).T.copy()
        self.levels_, self.stretches_ = joined([one.levels for one in found])
        self._restored()

    def _histogram(self, X: NDArray[np.float32], columns: NDArray[np.int32], weights: NDArray[np.float64]) -> Histogram:
        values, low, high = project_all(X, columns, weights)
        if low >= high:
            return _of_one_value(low, len(X))
        if self.n_bins == "auto":
            counts = best_histogram(count_cells(values, low, high, CELLS))
        else:
            counts = count_cells(values, low, high, int(self.n_bins))
        width, spread = (high - low) / len(counts), float(values.std())
        return Histogram(low, high, width, spread, _levels(counts, spread / width))

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = surprises(X, *self._tables)
        return scores

    def _restored(self) -> None:
        self._refuse_foreign()
        self._tables: tuple[Any, ...] = (
            self.columns_.astype(np.int32),
            self.weights_,
            *self.histograms_.copy(),
            self.levels_,
            self.stretches_.astype(np.int64),
        )

    def _refuse_foreign(self) -> None:
        """Make sure restored arrays are histograms: the kernels trust them."""
        width, m = len(self.features_), int(self.n_projections)
        each = _columns_each(width)
        require_shapes(self, {"columns_": (m, each), "weights_": (m, each)})
        require_shapes(self, {"histograms_": (4, m), "levels_": (None,)})
        require_stretches(self, "stretches_", len(self.levels_), m, BINS + 1)
        require(self, self.columns_.min() >= 0 and self.columns_.max() < width)
        require(self, np.all(self.histograms_[2:] > 0) and np.all(self.histograms_[0] <= self.histograms_[1]))


@dataclass(frozen=True, slots=True)
class Histogram:
    """One projection's histogram: its ends, the width of a bin, the unit beyond, and the surprises."""

    low: float
    high: float
    width: float
    reach: float
    levels: NDArray[np.float64]


def best_histogram(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """The counts of the histogram, its bins made of equally many cells, with the largest penalised likelihood.

    >>> best_histogram(np.repeat([5, 0, 0, 80, 0, 15], 120)).tolist()[:3]
    [600, 0, 0]
    """
    n = cells.sum()
    best, largest = cells, -math.inf
    for bins in (bins for bins in range(1, MOST_BINS + 1) if CELLS % bins == 0):
        counts = cells.reshape(bins, -1).sum(axis=1)
        filled = counts[counts > 0]
        worth = float(np.sum(filled * np.log(filled * bins / n))) - (bins - 1) - math.log(bins) ** 2.5
        if worth > largest:
            best, largest = counts, worth
    return best


def _of_one_value(value: float, count: int) -> Histogram:
    """All values are the same."""
    return Histogram(value, value, 1.0, 0.1 * abs(value) + 1e-6, _levels(np.array([count]), 1.0))


def _levels(counts: NDArray[np.int64], bins_a_unit: float) -> NDArray[np.float64]:
    densities = counts * (bins_a_unit / counts.sum())
    levels: NDArray[np.float64] = -np.log(np.concatenate([[LEAST / 2], densities + LEAST]))
    return levels


def _columns_each(width: int) -> int:
    """How many columns a projection has."""
    return max(1, round(math.sqrt(width)))


def _directions(width: int, count: int, seed: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """(count, k) columns, dealt out hand by hand and shuffled when too few are left, and (count, k) normal weights."""
    random = np.random.default_rng(seed)
    each = _columns_each(width)
    hands = width // each
    deals = [random.permutation(width)[: hands * each].reshape(hands, each) for _ in range(-(-count // hands))]
    return np.concatenate(deals)[:count].astype(np.int32), random.normal(size=(count, each))
