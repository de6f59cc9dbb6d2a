"""Kernel density: how few training rows lie within reach."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from anomaly_detection.base import SEED, AnyOf, Choice, Range
from anomaly_detection.detectors._block_kernels import LIMIT
from anomaly_detection.detectors._kde_kernels import negative_log_kernel_densities
from anomaly_detection.detectors._neighbours import in_blocks, sampled
from anomaly_detection.detectors._restored import require, require_rows, require_shapes
from anomaly_detection.detectors._robust import standardised
from anomaly_detection.detectors.base import Detector, Tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint


class KDE(Detector):
    """Kernel density: the negative log of the mean of normal densities around the training rows.

    Every kept training row is the centre of a normal density with one bandwidth per column: a share of the column's
    deviation, taken after values further than 30 robust deviations from the median have been moved in. The density is
    summed up in logarithms, so that rows are told apart however far away they are. A row is not its own neighbour: of
    reference rows that equal it, one is left out. So a training row is scored as if its density had been learned
    without it (the bandwidths stay), and calibration needs no other rows. One unit of a constant column counts as a
    deviation.

    Fitting takes milliseconds. Scoring a row takes its distances from all reference rows: with 5,000 of 30 columns,
    20 to 50 microseconds.

    Parameters
    ----------
    bandwidth : the bandwidth of each column in its deviations: ``"scott"`` for ``n ** (-1 / (d + 4))`` with n reference
        rows and d columns, ``"silverman"`` for ``(n (d + 2) / 4) ** (-1 / (d + 4))``, or a number.
    max_reference : of more training rows than this, so many are drawn at random and kept; time and memory grow with it.
    random_state : seed of that draw.

    Attributes
    ----------
    reference_ : (r, d) float32, the rows that were kept.
    centre_ : (d,) float64, their medians.
    bandwidths_ : (d,) float64, in the units of the columns.

    References
    ----------
    Parzen, "On estimation of a probability density function and mode", Annals of Mathematical Statistics 1962.
    Scott, "Multivariate density estimation", Wiley 1992.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(500, 2))
    >>> inside, beyond, far = KDE().fit(rows).score([[0.0, 0.0], [4.0, 4.0], [1e6, 1e6]])
    >>> bool(inside < beyond < far < np.inf)
    True
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "bandwidth": AnyOf(Range(1e-6, 1e6), Choice("scott", "silverman")),
        "max_reference": Range(2, integer=True),
        "random_state": SEED,
    }
    tags: ClassVar[Tags] = Tags(leave_one_out=True)
    learned: ClassVar[tuple[str, ...]] = ("reference_", "centre_", "bandwidths_")

    reference_: NDArray[np.float32]
    centre_: NDArray[np.float64]
    bandwidths_: NDArray[np.float64]

    def __init__(
        self,
        bandwidth: float | Literal["scott", "silverman"] = "scott",
        max_reference: int = 5_000,
        random_state: int = 0,
    ) -> None:
        self.bandwidth = bandwidth
        self.max_reference = max_reference
        self.random_state = random_state

    def _fit(self, X: NDArray[np.float32]) -> None:
        self.reference_ = sampled(X, int(self.max_reference), int(self.random_state)).copy()
        _, self.centre_, deviation = standardised(self.reference_)
        self.bandwidths_ = deviation * self._share()
        self._restored()

    def _share(self) -> float:
        """How much of a column's deviation its bandwidth is."""
        n, d = self.reference_.shape
        if self.bandwidth == "scott":
            return float(n ** (-1 / (d + 4)))
        if self.bandwidth == "silverman":
            return float((n * (d + 2) / 4) ** (-1 / (d + 4)))
        return float(self.bandwidth)

    def _restored(self) -> None:
        require_rows(self, "reference_", 2)
        n, d = self.reference_.shape
        require_shapes(self, {"centre_": (d,), "bandwidths_": (d,)})
        require(self, np.all(self.bandwidths_ > 0))
        scaled = np.clip((self.reference_ - self.centre_) / self.bandwidths_, -LIMIT, LIMIT).astype(np.float32)
        self._blocks, self._n = in_blocks(scaled), n
        self._constant = float(np.log(self.bandwidths_).sum() + 0.5 * d * math.log(2 * math.pi))

    def _score(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        scores = np.empty(len(X))
        negative_log_kernel_densities(X, self.centre_, self.bandwidths_, self._blocks, self._n, self._constant, scores)
        return scores
