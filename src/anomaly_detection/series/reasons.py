"""Why a row of a series is an anomaly, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.records import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anomaly_detection.detectors.series import SeriesScores
    from anomaly_detection.series.wishes import Wishes

MOST = 3
"""At most so many channels are named."""

Band = tuple["NDArray[np.float64]", "NDArray[np.float64]", "NDArray[np.float64]"]
"""Expected values, lower and upper ends, (n, d) each."""

ENOUGH = 0.3
"""A channel is named if it has at least so much to do with the score as the first."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of the rows of one series.

    Parameters
    ----------
    names : the channels.
    values : (n, d) as the detector saw them.
    scores : of the detector.
    line : the largest score that is no alarm.
    wishes : of the user.
    counters : (d,) channels whose values are what was added.
    """

    names: Sequence[str]
    values: NDArray[np.float64]
    scores: SeriesScores
    line: float
    wishes: Wishes
    counters: NDArray[np.bool_]
    _band: list[Band | None] = field(default_factory=list)

    def band(self) -> Band | None:
        """Expected value, lower and upper end of what is no alarm, (n, d) each; None where nothing is expected."""
        if not self._band:
            self._band.append(self._made_band())
        return self._band[0]

    def _made_band(self) -> Band | None:
        expected, scale = self.scores.expected, self.scores.scale
        if expected is None or scale is None or not np.isfinite(self.line):
            return None
        reach = np.maximum(self.line * scale, self.wishes.least(expected))
        return expected, expected - reach, expected + reach

    def at(self, rows: NDArray[np.int64]) -> Told:
        """The same of some of the rows, without the others in memory."""
        return Told(self.names, self.values[rows], self.scores[rows], self.line, self.wishes, self.counters)

    def reason(self, i: int) -> str:
        """Why row i is an anomaly: values beyond bounds, else outside their bands, now or lately, else the course."""
        if self.scores.why is not None and self.scores.why[i]:
            return str(self.scores.why[i])
        beyond = np.flatnonzero(self.wishes.beyond(self.values[i : i + 1])[0])
        if len(beyond):
            return "; ".join(self._beyond(i, int(k)) for k in beyond[:MOST])
        named = self.channels(i)
        outside = [k for k in named if self._is_outside(i, k)]
        if outside:
            return "; ".join(self._unexpected(i, k) for k in outside)
        return self._earlier(i) or self._course(i, named)

    def usual(self, i: int, k: int) -> str:
        """How a value compares with what was expected, where it is no anomaly."""
        band = self.band()
        if band is None or np.isnan(band[0][i, k]):
            return f"{self._named(i, k)} is no anomaly"
        expected, lower, upper = (part[i, k] for part in band)
        return f"{self._named(i, k)} is no anomaly (expected {expected:.4g}, {lower:.4g} to {upper:.4g})"

    def named(self, k: int) -> str:
        """A channel's name, with what is judged of it where that is what was added."""
        return f"{self.names[k]}{' added' if self.counters[k] else ''}"

    def channels(self, i: int, most: int = MOST) -> list[int]:
        """The channels that have most to do with the score of row i, the first one first."""
        if self.scores.contributions is None or len(self.names) == 1:
            return list(range(min(len(self.names), 1)))
        shares = self.scores.contributions[i]
        order = np.argsort(-shares, kind="stable")[:most]
        return [int(k) for k in order if shares[k] >= ENOUGH * shares[order[0]]]

    def _beyond(self, i: int, k: int) -> str:
        value = self.values[i, k]
        above = self.wishes.high is not None and value > self.wishes.high
        bound = self.wishes.high if above else self.wishes.low
        return f"{self._named(i, k)} is {'above' if above else 'below'} the bound {bound:.4g}"

    def _is_outside(self, i: int, k: int) -> bool:
        band = self.band()
        return band is not None and bool(self.values[i, k] < band[1][i, k] or self.values[i, k] > band[2][i, k])

    def _unexpected(self, i: int, k: int) -> str:
        """A value outside its band."""
        band = self.band()
        assert band is not None, "asked for values outside"  # noqa: S101  for the type checker
        expected, lower, upper = (float(part[i, k]) for part in band)
        side = "above" if self.values[i, k] > expected else "below"
        return f"{self._named(i, k)} is {side} the expected {expected:.4g} ({lower:.4g} to {upper:.4g})"

    def _earlier(self, i: int) -> str:
        """The value some rows before that was outside its band and has to do with the score; empty if none was."""
        if self.scores.about is None or self.scores.length is None or not np.isfinite(self.line):
            return ""
        value, expected, scale = (float(self.scores.about[name][i]) for name in ("value", "expected", "scale"))
        back, length = int(self.scores.about["back"][i]), int(self.scores.length[i])
        reach = max(self.line * scale, float(self.wishes.least(np.array([expected]))[0]))
        if not back or not abs(value - expected) > reach:
            return ""
        name, side = self.named(int(self.scores.about["channel"][i])), "above" if value > expected else "below"
        return (
            f"{name} {value:.4g}, {counted(back, 'row')} before, was {side} the expected {expected:.4g} ("
            f"{expected - reach:.4g} to {expected + reach:.4g}), and the last {length} rows with it are unlike any "
            "before"
        )

    def _course(self, i: int, named: Sequence[int]) -> str:
        """How rows are odd of which no value is."""
        length = 1 if self.scores.length is None else int(self.scores.length[i])
        names, values = (
            ", ".join(words) for words in zip(*((self.named(k), self._named(i, k)) for k in named), strict=True)
        )
        if length > 1:
            said = f"the last {length} rows of {names} are unlike any before"
        elif len(self.names) > 1 and self.scores.contributions is None:
            said = "the channels do not fit the rows before"
        else:
            said = f"{values} {'does' if len(named) == 1 else 'do'} not fit the rows before"
        band = self.band()
        if band is None or np.isnan(band[0][i, named]).any():
            return said
        ends = ", ".join(f"{band[1][i, k]:.4g} to {band[2][i, k]:.4g}" for k in named)
        return f"{said}; {values} by {'itself' if len(named) == 1 else 'themselves'} would be usual ({ends})"

    def _named(self, i: int, k: int) -> str:
        value = self.values[i, k]
        shown = "missing" if np.isnan(value) else f"{value:.4g}"
        return f"{self.named(k)} {shown}"
