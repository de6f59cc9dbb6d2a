"""HBOS: one histogram per feature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Range
from anomaly_detection.detectors._marginal_kernels import bins, bins_row
from anomaly_detection.detectors._marginals import category_surprises, joined, missing_surprise, present_surprise
from anomaly_detection.detectors._restored import require, require_shapes, require_stretches
from anomaly_detection.detectors.base import FAR, Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class HBOS(Detector):
    """Histogram-based outlier score: the sum over features of log(highest bin / this bin).

    A bin with ``count`` training rows has height count + 1, so an empty bin is finite. A value outside the training
    range has height 1/2, rarer than any bin, and adds log(1 + distance / range), the ratio at most 10: it grows by 2.4
    and no further. A category is a bin of its own and an unseen one has height 1. A missing value scores
    -log((missing + 1) / (n + 1)), and a value that is there -log((present + 1) / (n + 1)) on top of its bin.

    Parameters
    ----------
    n_bins : bins of equal width per feature; ``"auto"`` takes the square root of the number of training rows, as the
        authors advise, between 10 and 100 so that small samples have filled bins and large ones a small model.

    Notes
    -----
    Scoring is O(d) a row with no search, the cheapest of all detectors. Features are taken one at a time: rows that are
    odd only in combination are not seen.

    References
    ----------
    Goldstein, Dengel: Histogram-based Outlier Score (HBOS): A fast Unsupervised Anomaly Detection Algorithm. KI-2012.

    Examples
    --------
    >>> import numpy as np
    >>> detector = HBOS(n_bins=4).fit(np.float64([[0], [1], [1], [1], [4]]))
    >>> detector.score([[1.5], [3.5], [8.0]]).round(3).tolist()
    [0.0, 0.693, 2.773]
    """

    tags = Tags(missing=True, categories=True)
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "n_bins": AnyOf(Choice("auto"), Range(2, 100_000, integer=True)),
    }
    learned = ("lows_", "highs_", "widths_", "reaches_", "levels_", "stretches_")

    lows_: NDArray[np.float64]
    highs_: NDArray[np.float64]
    widths_: NDArray[np.float64]
    reaches_: NDArray[np.float64]
    levels_: NDArray[np.float64]
    stretches_: NDArray[np.int64]

    def __init__(self, n_bins: int | str = "auto") -> None:
        self.n_bins = n_bins

    def _fit(self, X: NDArray[np.float32]) -> None:
        n_bins = int(np.clip(np.sqrt(len(X)), 10, 100)) if self.n_bins == "auto" else int(self.n_bins)
        pairs = zip(X.T, self.features_.n_categories, strict=True)
        found = [_of_category(column, known) if known else _of_number(column, n_bins) for column, known in pairs]
        self.lows_, self.highs_, self.widths_, self.reaches_ = np.array(
            [(one.low, one.high, one.width, one.reach) for one in found]
        ).T.copy()
        self.levels_, self.stretches_ = joined([one.levels for one in found])
        self._restored()

    def _restored(self) -> None:
        d = len(self.features_)
        require_shapes(self, {**dict.fromkeys(("lows_", "highs_", "widths_", "reaches_"), (d,)), "levels_": (None,)})
        require_stretches(self, "stretches_", len(self.levels_), d, 3)
        require(self, np.all(self.widths_ >= 0) and np.all(self.lows_ <= self.highs_))
        lows, highs, widths, reaches, levels, stretches = (getattr(self, name) for name in self.learned)
        self._tables: tuple[Any, ...] = (lows, highs, widths, reaches, FAR, levels, stretches)

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = bins(X, *self._tables)
        return scores

    def score_row(self, row: NDArray[np.float32]) -> float:
        """Score one clean row: about a microsecond, and the same bits as in a batch."""
        return float(bins_row(row, *self._tables))


@dataclass(frozen=True, slots=True)
class _Histogram:
    levels: NDArray[np.float64]
    low: float = 0.0
    high: float = 0.0
    width: float = 0.0
    reach: float = 1.0


def _of_category(column: NDArray[np.float32], n_categories: int) -> _Histogram:
    return _Histogram(category_surprises(column, n_categories))


def _of_number(column: NDArray[np.float32], n_bins: int) -> _Histogram:
    values = column[~np.isnan(column)].astype(np.float64)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if high == low:
        counts, width = np.array([values.size]), 1.0
        reach = 0.1 * abs(low) + 1e-6
    else:
        width = (high - low) / n_bins
        places = np.minimum(((values - low) / width).astype(np.int64), n_bins - 1)
        counts, reach = np.bincount(places, minlength=n_bins), high - low
    return _Histogram(_levels(column, counts), low, high, width, reach)


def _levels(column: NDArray[np.float32], counts: NDArray[Any]) -> NDArray[np.float64]:
    heights = np.concatenate([counts + 1.0, [0.5]])
    present = present_surprise(column) + np.log(heights.max() / heights)
    return np.concatenate([[missing_surprise(column)], present])
