"""Any algorithm, one channel at a time: the channel that is farthest out counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from anomaly_detection.detectors.series import create, from_saved, saved
from anomaly_detection.detectors.series.base import SeriesDetector, SeriesScores, SeriesTags
from anomaly_detection.errors import ParameterError
from anomaly_detection.features.series.series import Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

USUAL = 0.9
"""The quantile of a channel's scores that makes the scores of channels comparable."""


class PerChannel(SeriesDetector):
    """A detector for each channel; the score of a row is that of the channel that is farthest out.

    Scores of a channel are divided by what 90 % of its training rows stay below: the second half of them, scored by a
    detector of the first half. A channel that scores above the line does not keep the others from learning the row.

    Parameters
    ----------
    detector : the name of a causal series algorithm.
    parameters : its own parameters.

    Attributes
    ----------
    units_ : (d,) float64, by what the scores of each channel are divided.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(300, 2)) * [1.0, 50.0]
    >>> values[250, 0] = 12.0
    >>> series = Series.of(values)
    >>> scores = PerChannel("ewma").fit(series[:200]).advance(series[200:])
    >>> int(scores.score.argmax()), int(scores.contributions[50].argmax())
    (50, 0)
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    learned: ClassVar[tuple[str, ...]] = ("units_",)

    units_: NDArray[np.float64]
    _parts: list[SeriesDetector]

    def __init__(self, detector: str = "ewma", parameters: Mapping[str, Any] | None = None) -> None:
        self.detector = detector
        self.parameters_of = parameters

    def parameters(self) -> dict[str, Any]:
        """The parameters as they were given."""
        return {"detector": self.detector, "parameters": self.parameters_of}

    def validate(self) -> None:
        """Check the parameters of the algorithm, and that it is causal.

        Raises
        ------
        UnknownNameError, ParameterError
            for an unknown algorithm or parameter, one out of range, or an algorithm that looks at whole files.
        """
        part = self._blank()
        if not part.tags.causal:
            raise ParameterError(f"PerChannel: detector={self.detector!r} looks at whole files. Use {part.instead}.")

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was learned: plain values for JSON, and arrays by name; enough for :meth:`from_state`."""
        spec, arrays = super().state()
        states = [saved(part) for part in self._parts]
        inner = {f"{k}/{name}": array for k, (_, found) in enumerate(states) for name, array in found.items()}
        return {**spec, "channels": [one for one, _ in states]}, {**arrays, **inner}

    @classmethod
    def from_state(cls, spec: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of :meth:`state`; it goes on alike, bit for bit."""
        detector = super().from_state(spec, arrays)
        detector._parts = [  # noqa: SLF001  its own class
            from_saved(
                one,
                {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(f"{k}/")},
            )
            for k, one in enumerate(spec["channels"])
        ]
        return detector

    def _blank(self) -> SeriesDetector:
        return create(self.detector, **(self.parameters_of or {}))

    def _fit(self, series: Series) -> None:
        channels = [_channel(series, k) for k in range(series.width)]
        self._parts = [self._blank().fit(channel) for channel in channels]
        self.units_ = np.array([self._unit(channel) for channel in channels])

    def _unit(self, channel: Series) -> float:
        first = len(channel) // 2
        if first < self._blank().fewest_rows:
            return 1.0
        score = self._blank().fit(channel[:first]).advance(channel[first:]).score
        usual = float(np.quantile(score[~np.isnan(score)], USUAL)) if (~np.isnan(score)).any() else 1.0
        return usual if usual > 0.0 else 1.0

    def interrupted(self) -> None:
        """The rows that come do not follow the last one, in any channel."""
        for part in self._parts:
            part.interrupted()

    def _advance(self, series: Series, line: float) -> SeriesScores:
        every = [
            part.advance(_channel(series, k), line * self.units_[k] if np.isfinite(line) else line)
            for k, part in enumerate(self._parts)
        ]
        parts = np.column_stack([one.score for one in every]) / self.units_
        ranked = np.where(np.isnan(parts), -np.inf, parts)
        best = ranked.argmax(axis=1)
        score = ranked[np.arange(len(best)), best]
        return SeriesScores(
            np.where(np.isinf(score), np.nan, score),
            _stacked([one.expected for one in every]),
            _stacked([None if one.scale is None else one.scale * self.units_[k] for k, one in enumerate(every)]),
            np.nan_to_num(np.maximum(parts, 0.0)),
            _sides(every, best),
        )

    def _restored(self) -> None:
        self._require_shapes(np.float64, (len(self.names_),), "units_")
        self._require((self.units_ > 0.0).all())
        self._parts = [part.twin() for part in getattr(self, "_parts", [])]


def _channel(series: Series, k: int) -> Series:
    values = np.ascontiguousarray(series.values[:, k : k + 1])
    return Series(values, series.time, series.step, series.names[k : k + 1], series.zone)


def _stacked(parts: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    found = [part for part in parts if part is not None]
    return np.concatenate(found, axis=1) if len(found) == len(parts) else None


def _sides(every: list[SeriesScores], best: NDArray[np.int64]) -> NDArray[np.int8] | None:
    """The side of the channel that counts, where all channels have one."""
    found = [one.side for one in every if one.side is not None]
    if len(found) < len(every):
        return None
    sides: NDArray[np.int8] = np.stack(found, axis=1)[np.arange(len(best)), best]
    return sides
