"""The current rule of ``auto``: which detector judges a series, by what the series is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.detectors.series import create
from anomaly_detection.detectors.series.auto import SeriesAuto
from anomaly_detection.detectors.series.whole_windows import WholeWindows
from anomaly_detection.records import quoted

if TYPE_CHECKING:
    from anomaly_detection.detectors.series import SeriesDetector
    from anomaly_detection.features.series.profile import SeriesProfile

AUTO = "auto"

SPAN = 100.0
"""The shortest memory that is chosen, in rows."""

ROUNDS = 4
"""Expected values have a season if the training rows go round it so often: each half of them, twice."""

PLACES = 20_000
"""A season has at most so many rows times channels."""


def chosen(
    algorithm: str | SeriesDetector, profile: SeriesProfile, *, offline: bool = False
) -> tuple[SeriesDetector, str]:
    """An unfitted detector for a series like this, and why it is that one.

    ``auto`` looks for earlier windows in one channel and at several together; its expected values follow the season, or
    remember 100 rows where there is none. Where it may look at the whole file, one channel is compared with windows
    before and after.
    """
    if not isinstance(algorithm, str):
        return algorithm.clone(), "as asked"
    if algorithm != AUTO:
        return create(algorithm), "as asked"
    span, period = max(SPAN, float(max(profile.seasons, default=0))), season_of(profile)
    told = f"expected values from a control chart over {span:g} rows"
    told += f" with a season of {period}" if period > 1 else ""
    if len(profile.channels) > 1:
        follow = [channel.name for channel in profile.channels if channel.has_steady_trend]
        told += f"; follows the trend of {quoted(follow)}" if follow else ""
        return SeriesAuto(span, period, follow), f"joint, since there are {len(profile.channels)} channels; {told}"
    if offline:
        return WholeWindows(span=span, period=period), f"windows before and after, since it is one channel; {told}"
    return SeriesAuto(span, period), f"windows, since it is one channel; {told}"


def season_of(profile: SeriesProfile) -> int:
    """The rows of the season that expected values follow, 1 for none: the strongest, or one that holds it whole."""
    most = min(profile.rows // ROUNDS, PLACES // max(len(profile.channels), 1))
    long = [length for length in profile.seasons if length <= most]
    return max((length for length in long if length % long[0] == 0), default=1)
