"""When a forecast crosses a limit, and how probable that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Crossing:
    """What is known of a limit and a series.

    Parameters
    ----------
    key, column : whose series.
    limit, direction : what is crossed, and how: ``"rise"`` or ``"drop"``.
    beyond_now : whether the last value lies beyond already.
    earliest : when a value beyond is first within the band; None if never in the horizon.
    expected : when it is first more probable than not; None if never.
    probability : the highest of all times: that it is crossed at all is at least so probable.
    """

    key: str
    column: str
    limit: float
    direction: str
    beyond_now: bool
    earliest: Any
    expected: Any
    probability: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def sentence(self) -> str:
        """For people."""
        what = f"{self.column} of {self.key}" if self.key else self.column
        side = "above" if self.direction == "rise" else "below"
        if self.beyond_now:
            return f"{what} is {side} {self.limit:g} already."
        if self.earliest is None:
            return (
                f"{what} will not be {side} {self.limit:g}: at most {_percent(self.probability)} probable at any time."
            )
        likely = f"at least {_percent(self.probability)} probable"
        if self.expected is None:
            return f"{what} may be {side} {self.limit:g} from {self.earliest} on ({likely}), but is not expected to be."
        return f"{what} will be {side} {self.limit:g} at {self.expected} ({likely}; from {self.earliest} on possible)."


def crossing_of(
    key: str,
    column: str,
    limit: float,
    direction: str,
    level: float,
    probability: NDArray[np.float64],
    time: pl.Series,
    last: float,
) -> Crossing:
    """What (h,) probabilities of a value beyond the limit say about it."""
    possible = np.flatnonzero(probability > (1.0 - level) / 2.0)
    likely = np.flatnonzero(probability > 1.0 / 2.0)
    return Crossing(
        key,
        column,
        float(limit),
        direction,
        bool(last > limit if direction == "rise" else last < limit),
        time[int(possible[0])] if len(possible) else None,
        time[int(likely[0])] if len(likely) else None,
        float(np.nanmax(probability)),
    )


def _percent(share: float) -> str:
    return "less than 0.1 %" if share < 0.001 else f"{100.0 * share:.3g} %"
