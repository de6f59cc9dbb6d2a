"""A bet against p-values that grows where they are too small: a test that may be looked at after every row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.base import Configurable, Range
from anomaly_detection.drift._drift_kernels import bet
from anomaly_detection.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from anomaly_detection.base import Constraint

POWERS = (1.0, 0.8, 0.6, 0.4, 0.2)
"""What is bet on: p-values that are these powers of what they should be; at 1 nothing is."""


class Martingale(Configurable):
    """The capital of someone who bets that p-values are smaller than promised.

    It begins with 1 and is multiplied, row by row, by a fair bet. While p-values are independent and as promised, or
    larger, the chance that the capital ever reaches c is at most 1 / c, however long and however often it is looked at
    (Ville's inequality). Five bettors share the capital; a little of it changes hands before each bet, so that a
    change is noticed whenever it comes (Vovk, Petej, Nouretdinov, Ahlberg, Carlsson & Gammerman 2021).

    Only p-values that are too small are bet on, so ties and scores that went down raise no alarm.

    Parameters
    ----------
    jump : in [0, 1], the part of the capital that changes hands.

    Attributes
    ----------
    shares_ : (5,) float64, the parts of the capital.
    totals_ : (2,) float64, the natural logarithm of the capital now, and of the highest it was.
    rows_ : p-values so far.

    Examples
    --------
    >>> p = np.random.default_rng(0).random(1000)
    >>> Martingale().follow(p).max() < 2, Martingale().follow(p**3)[-1] > 20
    (np.True_, np.True_)
    """

    constraints: ClassVar[Mapping[str, Constraint]] = {"jump": Range(0, 1)}

    def __init__(self, jump: float = 0.001) -> None:
        self.jump = jump
        self.restart()

    def restart(self) -> None:
        """Begin again with a capital of 1."""
        self.shares_ = np.full(len(POWERS), 1.0 / len(POWERS))
        self.totals_ = np.zeros(2)
        self.rows_ = 0

    def follow(self, p_value: ArrayLike) -> NDArray[np.float64]:
        """(n,) the decimal logarithm of the capital after each p-value; NaN ones are not bet on."""
        p = np.ascontiguousarray(p_value, dtype=np.float64)
        self.validate()
        path = np.empty(len(p))
        bet(np.where(np.isnan(p), 1.0, p), np.array(POWERS), float(self.jump), self.shares_, self.totals_, path)
        self.rows_ += len(p)
        return path / math.log(10.0)

    @property
    def highest(self) -> float:
        """The decimal logarithm of the highest capital so far."""
        return float(self.totals_[1]) / math.log(10.0)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values for JSON, and arrays by name."""
        spec = {"parameters": self.parameters(), "rows": self.rows_}
        return spec, {"shares": self.shares_.copy(), "totals": self.totals_.copy()}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`.

        Raises
        ------
        ArtifactError
            if the arrays are not those of a martingale.
        """
        found = cls(**spec["parameters"])
        if [np.shape(arrays.get(name, 0)) for name in ("shares", "totals")] != [(len(POWERS),), (2,)]:
            raise ArtifactError("The saved martingale lacks its capital. Train the model again.")
        found.shares_, found.totals_ = (np.array(arrays[name], float) for name in ("shares", "totals"))
        found.rows_ = int(spec["rows"])
        return found
