"""What the next value may be, told from how far off earlier predictions were.

Several predictors foretell every value of the past from what came before it. How well each did, and how far off it was,
gives a posterior over predictors, scales and tails; the mixture is the prediction. With hundreds of values it has the
width of the past errors; with three it is wide, because the posterior is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln, stdtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

FREEDOM = np.array([3.0, 5.0, 10.0, 30.0])
"""Degrees of freedom of the tails that are considered; none is preferred."""

SCALES, WIDEST, NARROWEST = 20, 3.0, 0.003
"""How many scales are considered, and the largest and smallest of them."""

SPREAD = 1.2
"""How sure the prior is of the typical scale: the standard deviation of its logarithm."""


class Errors(NamedTuple):
    """How far off m predictors were on n values.

    Parameters
    ----------
    off : (m, n) value less prediction.
    doubt : (m, n) variance of what the predictor knew, in units of the squared scale; 0 for one that knows all.
    noise : (m, n) variance that is there for the sampling of the value alone, such as 1 / count.
    """

    off: NDArray[np.float64]
    doubt: NDArray[np.float64]
    noise: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expectation:
    """A mixture of t distributions.

    Parameters
    ----------
    weight, centre, scale, freedom : (k,) of its parts; the weights add up to 1.
    """

    weight: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    freedom: NDArray[np.float64]

    def widened(self, scale: float) -> Expectation:
        """The same with another source of error, of this scale."""
        return Expectation(self.weight, self.centre, np.hypot(self.scale, scale), self.freedom)

    def below(self, value: float) -> float:
        """The probability of a value at most this large."""
        return float(self.weight @ stdtr(self.freedom, (value - self.centre) / self.scale))

    def above(self, value: float) -> float:
        """The probability of a value at least this large, precise where it is tiny."""
        return float(self.weight @ stdtr(self.freedom, (self.centre - value) / self.scale))

    def p_value(self, value: float) -> float:
        """How probable a value at least as far out is, on either side."""
        return max(min(2.0 * min(self.below(value), self.above(value)), 1.0), 1e-300)

    def quantile(self, share: float) -> float:
        """The value that a share of all is below."""
        reach = 10.0 * float(np.median(self.scale))
        low, high = float(self.centre.min()) - reach, float(self.centre.max()) + reach
        while self.below(low) > share or self.below(high) < share:
            reach *= 10.0
            low, high = low - reach, high + reach
        from scipy.optimize import brentq  # noqa: PLC0415 - heavy, and seldom needed

        return float(brentq(lambda value: self.below(value) - share, low, high, xtol=1e-7))


def expect(past: Errors, centre: NDArray[np.float64], now: Errors, typical: float) -> Expectation:
    """What the next value may be.

    Parameters
    ----------
    past : the errors of m predictors on earlier values; none at all leaves the prior.
    centre : (m,) what they predict now.
    now : (m, 1) of ``doubt`` and ``noise`` as they are now; ``off`` is not looked at.
    typical : the scale that is most probable before anything was seen.

    >>> import numpy as np
    >>> errors = np.random.default_rng(0).normal(0, 0.1, (1, 200))
    >>> still = Errors(errors, 0 * errors, 0 * errors)
    >>> made = expect(still, np.array([5.0]), Errors(*[np.zeros((1, 1))] * 3), 0.2)
    >>> bool(4.7 < made.quantile(0.005) < 4.8), bool(made.p_value(4.5) < 0.001)
    (True, True)
    """
    scales, freedom, counts, prior = _grid(typical)
    variance = scales[:, None] ** 2 * (1.0 + past.doubt[:, None, :]) + counts[:, None] * past.noise[:, None, :]
    weight = prior + _log_density(past.off[:, None, :], variance, freedom[:, None]).sum(axis=2)
    weight = np.exp(weight - weight.max())
    width = scales**2 * (1.0 + now.doubt) + counts * now.noise
    shape = weight.shape
    kept = weight.ravel() > 1e-6 * weight.max()
    return Expectation(
        weight=weight.ravel()[kept] / weight.ravel()[kept].sum(),
        centre=np.broadcast_to(centre[:, None], shape).ravel()[kept],
        scale=np.sqrt(width).ravel()[kept],
        freedom=np.broadcast_to(freedom, shape).ravel()[kept],
    )


def _grid(typical: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Scales, degrees of freedom, whether sampling adds to the variance, and the logarithm of the prior."""
    scales = np.geomspace(NARROWEST, WIDEST, SCALES)
    made = np.array([(s, f, c) for s in scales for f in FREEDOM for c in (0.0, 1.0)])
    prior = -0.5 * (np.log(made[:, 0] / typical) / SPREAD) ** 2
    return made[:, 0], made[:, 1], made[:, 2], prior


def _log_density(
    off: NDArray[np.float64], variance: NDArray[np.float64], freedom: NDArray[np.float64]
) -> NDArray[np.float64]:
    constant = gammaln(0.5 * (freedom + 1)) - gammaln(0.5 * freedom) - 0.5 * np.log(freedom * np.pi)
    density: NDArray[np.float64] = (
        constant - 0.5 * np.log(variance) - 0.5 * (freedom + 1) * np.log1p(off**2 / (freedom * variance))
    )
    return density
