"""How a stretch of one channel is made anomalous, one function a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.features.series._undisturbed import (
    moving_mean,
    robust_scale,
    season_length,
    without_gaps,
    without_season,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One column of a series, and what is usual in it.

    Parameters
    ----------
    values : (n,) NaN where missing.
    whole : (n,) the same, gaps on a line between their neighbours.
    season : rows of its season; 0 for none.
    scale : how far values usually are from level and season; above 0.
    """

    values: NDArray[np.float64]
    whole: NDArray[np.float64]
    season: int
    scale: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Channel:
        """Look at a column."""
        whole = without_gaps(values)
        season = season_length(whole)
        calm = without_season(whole, season)
        rest = calm - moving_mean(calm, max(season, 5)) if len(calm) > 2 * max(season, 5) else calm - np.median(calm)
        scales = (robust_scale(rest), float(rest.std()), robust_scale(whole), float(whole.std()), 1.0)
        return cls(values, whole, season, next(scale for scale in scales if scale > 0.0))

    def level(self, rows: slice) -> float:
        """The mean around some rows."""
        length = max(rows.stop - rows.start, self.season)
        return float(self.whole[max(rows.start - length, 0) : rows.stop + length].mean())


@dataclass(frozen=True, slots=True)
class Spoiler:
    """How a kind is made.

    Parameters
    ----------
    about : what it is.
    spoil : (channel, rows, size in scales, random numbers) -> the new values of the rows.
    short : it takes 1 to 3 rows, not a stretch.
    """

    about: str
    spoil: Callable[[Channel, slice, float, np.random.Generator], NDArray[np.float64]]
    short: bool = False


def _sign(rng: np.random.Generator) -> float:
    return 1.0 if rng.random() < 0.5 else -1.0


def _moved(channel: Channel, rows: slice, scales: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The rows, moved by so many scales."""
    moved: NDArray[np.float64] = channel.values[rows] + channel.scale * scales
    return moved


def _spike(channel: Channel, rows: slice, size: float, _: np.random.Generator) -> NDArray[np.float64]:
    return _moved(channel, rows, size)


def _drop(channel: Channel, rows: slice, size: float, _: np.random.Generator) -> NDArray[np.float64]:
    return _moved(channel, rows, -size)


def _level_shift(channel: Channel, rows: slice, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    return _moved(channel, rows, _sign(rng) * size)


def _drift(channel: Channel, rows: slice, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    length = rows.stop - rows.start
    return _moved(channel, rows, _sign(rng) * size * np.arange(1, length + 1) / length)


def _trend_break(channel: Channel, rows: slice, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    rising = np.arange(1.0, rows.stop - rows.start + 1.0)
    tent: NDArray[np.float64] = np.minimum(rising, rising[::-1])
    return _moved(channel, rows, _sign(rng) * size * tent / tent.max())


def _flatline(channel: Channel, rows: slice, _: float, __: np.random.Generator) -> NDArray[np.float64]:
    return np.full(rows.stop - rows.start, channel.whole[max(rows.start - 1, 0)])


def _noise(channel: Channel, rows: slice, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    return _moved(channel, rows, 0.5 * size * rng.normal(size=rows.stop - rows.start))


def _season_break(channel: Channel, rows: slice, _: float, __: np.random.Generator) -> NDArray[np.float64]:
    upside_down: NDArray[np.float64] = 2.0 * channel.level(rows) - channel.values[rows]
    return upside_down


def _amplitude(channel: Channel, rows: slice, size: float, rng: np.random.Generator) -> NDArray[np.float64]:
    level, factor = channel.level(rows), 1.0 + 0.25 * size
    swings: NDArray[np.float64] = channel.values[rows] - level
    return level + swings * (factor if rng.random() < 0.5 else 1.0 / factor)


def _dropout(_: Channel, rows: slice, __: float, ___: np.random.Generator) -> NDArray[np.float64]:
    return np.full(rows.stop - rows.start, np.nan)


def _time_shift(channel: Channel, rows: slice, _: float, rng: np.random.Generator) -> NDArray[np.float64]:
    cycle = channel.season or rows.stop - rows.start
    shift = max(1, round(cycle * rng.uniform(0.25, 0.5)))
    return _taken_from(channel, rows, rows.start + (shift if rows.stop + shift <= len(channel.values) else -shift))


def _swap(channel: Channel, rows: slice, _: float, rng: np.random.Generator) -> NDArray[np.float64]:
    return _taken_from(channel, rows, int(rng.integers(0, len(channel.values) - (rows.stop - rows.start) + 1)))


def _taken_from(channel: Channel, rows: slice, start: int) -> NDArray[np.float64]:
    """The rows of the same channel that begin elsewhere."""
    return channel.whole[max(start, 0) :][: rows.stop - rows.start]


SPOILERS = {
    "spike": Spoiler("one to three values far up", _spike, short=True),
    "drop": Spoiler("one to three values far down", _drop, short=True),
    "level_shift": Spoiler("a stretch on another level", _level_shift),
    "drift": Spoiler("a stretch that moves away little by little", _drift),
    "trend_break": Spoiler("a stretch along another slope, and back", _trend_break),
    "flatline": Spoiler("a stretch that keeps its last value", _flatline),
    "noise": Spoiler("a stretch that scatters more", _noise),
    "season_break": Spoiler("a stretch upside down", _season_break),
    "amplitude": Spoiler("a stretch that swings more, or less", _amplitude),
    "dropout": Spoiler("a stretch without values", _dropout),
    "time_shift": Spoiler("a stretch that comes early or late by a part of the season", _time_shift),
    "swap": Spoiler("a stretch from elsewhere: usual values at the wrong time", _swap),
}
"""The kinds of injected anomalies."""
