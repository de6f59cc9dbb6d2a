"""Page-Hinkley: the sum of deviations from the mean so far, beyond what chance adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import Configurable, Range
from anomaly_detection.drift._drift_kernels import page_hinkley

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from anomaly_detection.base import Constraint


class PageHinkley(Configurable):
    """Says where the mean of a stream of numbers went up or down, and begins anew there.

    Parameters
    ----------
    fewest : values before anything is said.
    delta : deviations smaller than this do not count, in the unit of the values.
    line : a sum of deviations that is a change, in the unit of the values.
    forget : in (0, 1], what is left of the sum with each value.

    Attributes
    ----------
    state_ : (4,) float64, values seen, their mean, the sums up and down.

    References
    ----------
    Page: Continuous Inspection Schemes. Biometrika 41, 1954.

    Examples
    --------
    >>> values = np.concatenate([np.zeros(300), np.ones(300)])
    >>> np.flatnonzero(PageHinkley(line=20.0).follow(values))
    array([320])
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {
        "fewest": Range(1, integer=True),
        "delta": Range(0),
        "line": Range(0, open_low=True),
        "forget": Range(0, 1, open_low=True),
    }

    def __init__(self, fewest: int = 30, delta: float = 0.005, line: float = 50.0, forget: float = 0.9999) -> None:
        self.fewest = fewest
        self.delta = delta
        self.line = line
        self.forget = forget
        self.state_ = np.zeros(4)

    def follow(self, values: ArrayLike) -> NDArray[np.bool_]:
        """(n,) true where a change is noticed; NaN values are left out."""
        self.validate()
        numbers = np.ascontiguousarray(values, dtype=np.float64)
        drift = np.empty(len(numbers), np.bool_)
        settings = (float(self.fewest), float(self.delta), float(self.line), float(self.forget))
        page_hinkley(numbers, self.state_, *settings, drift)
        return drift
