"""The current rule of ``auto``: what judges a series, by what the series is like and by what it would have caught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anomaly_detection.detectors.series import create
from anomaly_detection.detectors.series.auto import SeriesAuto
from anomaly_detection.detectors.series.ewma import EWMA
from anomaly_detection.detectors.series.per_channel import PerChannel
from anomaly_detection.detectors.series.seasonal_ewma import SeasonalEWMA
from anomaly_detection.detectors.series.whole_windows import WholeWindows
from anomaly_detection.records import quoted
from anomaly_detection.series.replay import FEWEST, Tried, best_of, replay

if TYPE_CHECKING:
    from anomaly_detection.detectors.series import SeriesDetector
    from anomaly_detection.features.series.profile import SeriesProfile
    from anomaly_detection.features.series.series import Series

AUTO = "auto"

SPAN = 100.0
"""The shortest memory that is chosen, in rows."""

ROUNDS = 4
"""Expected values have a season if the training rows go round it so often: each half of them, twice."""

PLACES = 20_000
"""A season has at most so many rows times channels."""

MOST_CHANNELS = 50
"""With more channels nothing is replayed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which detector judges a series.

    Parameters
    ----------
    detector : unfitted.
    why : in words.
    tried : what else was tried on its past, the default first; empty where nothing was.
    """

    detector: SeriesDetector
    why: str
    tried: tuple[Tried, ...] = ()


def chosen(
    algorithm: str | SeriesDetector, profile: SeriesProfile, past: Series | None = None, *, offline: bool = False
) -> Choice:
    """An unfitted detector for a series like this, and why it is that one.

    ``auto`` looks for earlier windows in one channel and at several together; its expected values follow the season, or
    remember 100 rows where there is none. Given the past, it is held against control charts there, and makes way for
    one that catches clearly more. Where it may look at the whole file, one channel is compared with windows before and
    after.

    Parameters
    ----------
    algorithm : a name, or an unfitted detector.
    profile : what the series is like.
    past : its rows as detectors see them; None to choose by the profile alone.
    offline : detectors may look at whole files.
    """
    if not isinstance(algorithm, str):
        return Choice(algorithm.clone(), "as asked")
    if algorithm != AUTO:
        return Choice(create(algorithm), "as asked")
    span, period = max(SPAN, float(max(profile.seasons, default=0))), season_of(profile)
    several = len(profile.channels) > 1
    told = f"expected values from a control chart over {span:g} rows"
    told += f" with a season of {period}" if period > 1 else ""
    if offline and not several:
        why = f"windows before and after, since it is one channel; {told}"
        return Choice(WholeWindows(span=span, period=period), why)
    follow = followed(profile) if several else []
    told += f"; follows the trend of {quoted(follow)}" if follow else ""
    default = SeriesAuto(span, period, follow)
    usual, why = (
        ("joint", f"there are {len(profile.channels)} channels") if several else ("windows", "it is one channel")
    )
    if past is None or len(profile.channels) > MOST_CHANNELS:
        return Choice(default, f"{usual}, since {why}; {told}")
    charts: dict[str, SeriesDetector] = {"ewma": EWMA(span)}
    charts |= {"seasonal_ewma": SeasonalEWMA(period, span)} if period > 1 else {}
    if several:
        charts = {name: PerChannel(name, chart.parameters()) for name, chart in charts.items()}
    tried = replay({usual: default, **charts}, past, max(profile.seasons, default=1))
    best = best_of(tried) if tried else None
    if best is None or best.name == usual:
        return Choice(default, f"{usual}, since {why}{_shares(tried)}; {told}", tuple(tried))
    why = f"chosen by auto, since {why} and it catches clearly more than {usual}{_shares(tried)}"
    return Choice(charts[best.name], why, tuple(tried))


def season_of(profile: SeriesProfile) -> int:
    """The rows of the season that expected values follow, 1 for none: the strongest, or one that holds it whole."""
    most = min(profile.rows // ROUNDS, PLACES // max(len(profile.channels), 1))
    long = [length for length in profile.seasons if length <= most]
    return max((length for length in long if length % long[0] == 0), default=1)


def followed(profile: SeriesProfile) -> list[str]:
    """The channels with a steady trend; in few rows, a trend may be the flank of a wave."""
    if profile.rows < FEWEST:
        return []
    return [channel.name for channel in profile.channels if channel.has_steady_trend]


def _shares(tried: list[Tried]) -> str:
    """What was caught in the replay, in words."""
    if not tried:
        return ""
    shares = ", ".join(f"{one.name} {one.recall:.0%}" for one in tried)
    return f" (anomalies put into its past and caught: {shares})"
