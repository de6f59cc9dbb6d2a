"""The current rule of ``auto``: which detector judges a series, by what the series is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.detectors.series import create
from anomaly_detection.detectors.series.auto import SeriesAuto
from anomaly_detection.detectors.series.whole_windows import WholeWindows

if TYPE_CHECKING:
    from anomaly_detection.detectors.series import SeriesDetector
    from anomaly_detection.features.series.profile import SeriesProfile

AUTO = "auto"

SPAN = 100.0
"""The shortest memory that is chosen, in rows."""


def chosen(
    algorithm: str | SeriesDetector, profile: SeriesProfile, *, offline: bool = False
) -> tuple[SeriesDetector, str]:
    """An unfitted detector for a series like this, and why it is that one.

    ``auto`` looks for earlier windows in one channel and at several together; its expected values remember one
    season, and 100 rows at least. Where it may look at the whole file, one channel is compared with windows before and
    after.
    """
    if not isinstance(algorithm, str):
        return algorithm.clone(), "as asked"
    if algorithm != AUTO:
        return create(algorithm), "as asked"
    longest = max(SPAN, float(max(profile.seasons, default=0)))
    told = f"expected values from a control chart over {longest:g} rows"
    if len(profile.channels) > 1:
        return SeriesAuto(span=longest), f"joint, since there are {len(profile.channels)} channels; {told}"
    if offline:
        return WholeWindows(span=longest), f"windows before and after, since it is one channel; {told}"
    return SeriesAuto(span=longest), f"windows, since it is one channel; {told}"
