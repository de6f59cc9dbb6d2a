"""Spectral residual: what catches the eye at the end of a window, once the usual of its spectrum is taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anomaly_detection.base import AnyOf, Choice, Range
from anomaly_detection.detectors.series._windowed import LONGEST, Windowed
from anomaly_detection.detectors.series.base import SeriesScores, SeriesTags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anomaly_detection.base import Constraint
    from anomaly_detection.features.series.series import Series

SMOOTH = 3
"""The spectrum is held against its mean over so many frequencies."""

BEFORE = 21
"""The saliency of a row is held against the mean of so many rows before it."""

AHEAD = 5
"""The window is continued by so many rows, along the mean slope of as many rows before its last."""

FEWEST = 32
"""Rows of the shortest window."""

SEASONS = 4
"""Seasons in a window that is chosen."""

CHOSEN = (128, 1024)
"""A window that is chosen has so many rows: at least, at most."""

STILL = 1e-8
"""An amplitude below this share of the mean one is rounding."""

MOST = 1_000.0
"""The highest score."""

CELLS = 1 << 20
"""So many values are transformed at a time."""


class SpectralResidual(Windowed):
    """How much the last row of a window stands out, by the residual of its logarithmic spectrum.

    The logarithm of the window's amplitudes less its own moving mean, turned back with the phases as they are, is the
    saliency: high where the window does not go on as most of it goes. The score is the saliency of the last row less
    the mean of the 21 rows before, over that mean. The window is continued along its slope beforehand, as the end of a
    window says little of its last row. Nothing is learned; no season has to be known. Of several channels, the one that
    is farthest out counts.

    Parameters
    ----------
    window : rows of a window, at least 32; ``"auto"`` is four seasons in training, from 128 to 1024 rows.

    References
    ----------
    Ren et al.: Time-Series Anomaly Detection Service at Microsoft. KDD 2019.

    Examples
    --------
    >>> from anomaly_detection.features.series import Series
    >>> values = np.sin(np.arange(600) * 2 * np.pi / 24) + np.random.default_rng(0).normal(0.0, 0.05, size=600)
    >>> values[500] += 1.5
    >>> scores = SpectralResidual().fit(Series.of(values[:400])).advance(Series.of(values)[400:])
    >>> int(np.argmax(scores.score)), scores.side[100]
    (100, np.int8(1))
    """

    tags: ClassVar[SeriesTags] = SeriesTags()
    lacking: ClassVar[float] = 0.5
    constraints: ClassVar[Mapping[str, Constraint]] = {
        "window": AnyOf(Choice("auto"), Range(FEWEST, LONGEST, integer=True)),
    }

    def __init__(self, window: int | str = "auto") -> None:
        self.window = window

    def _rows_for(self, series: Series) -> int:
        if not isinstance(self.window, str):
            return int(self.window)
        room = max(FEWEST, len(series) // 2)
        return min(max(CHOSEN[0], SEASONS * super()._rows_for(series)), CHOSEN[1], room)

    def _learn(self, windows: NDArray[np.float64]) -> None:
        """Windows are held against themselves."""

    def _judge(self, windows: NDArray[np.float64]) -> SeriesScores:
        n, d, w = windows.shape
        at_once = max(1, CELLS // (d * w))
        parts = [_standing_out(windows[start : start + at_once]) for start in range(0, n, at_once)]
        each = np.concatenate(parts) if parts else np.empty((0, d))
        best = each.argmax(axis=1)[:, None]
        away = windows[:, :, -1] - windows[:, :, -1 - AHEAD : -1].mean(axis=2)
        side = np.sign(np.take_along_axis(away, best, axis=1)[:, 0]).astype(np.int8)
        return SeriesScores(each.max(axis=1), contributions=np.maximum(each, 0.0), side=side)


def _standing_out(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d) how much the last row of each of (n, d, w) windows stands out."""
    saliency = _saliency(_continued(windows))[:, :, : windows.shape[2]]
    last, before = saliency[:, :, -1], saliency[:, :, -1 - BEFORE : -1].mean(axis=2)
    usual = np.maximum(before, last / MOST)
    return np.where(usual > 0.0, (last - before) / np.where(usual > 0.0, usual, 1.0), 0.0)


def _continued(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d, w + 5) windows about their median, with what would come if the slopes before the last row went on."""
    past = windows[:, :, -2 - AHEAD : -1]
    slopes = (past[:, :, -1:] - past[:, :, :-1]) / np.arange(AHEAD, 0, -1)
    ahead = past[:, :, 1:2] + slopes.sum(axis=2, keepdims=True)
    whole = np.concatenate([windows, np.repeat(ahead, AHEAD, axis=2)], axis=2)
    return whole - np.median(windows, axis=2, keepdims=True)


def _saliency(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, d, m) where rows do not go on as their spectrum says; 0 where all values are equal."""
    spectrum = np.fft.fft(rows, axis=2)
    amplitude = np.abs(spectrum)
    mean = amplitude.mean(axis=2, keepdims=True)
    least = np.maximum(STILL * mean, np.finfo(np.float64).tiny)
    logs = np.log(np.maximum(amplitude, least))
    padded = np.concatenate([logs[:, :, -1:], logs, logs[:, :, :1]], axis=2)
    smooth = (padded[:, :, :-2] + padded[:, :, 1:-1] + padded[:, :, 2:]) / SMOOTH
    turned = np.where(amplitude > least, spectrum / np.maximum(amplitude, least), 0.0)
    found: NDArray[np.float64] = np.abs(np.fft.ifft(np.exp(logs - smooth) * turned, axis=2))
    return found
