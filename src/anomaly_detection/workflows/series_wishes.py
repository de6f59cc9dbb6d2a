"""What is asked of time series, as options."""

from __future__ import annotations

from dataclasses import dataclass, fields

CALLED = {"low": "lower_bound", "high": "upper_bound"}
"""What users call a wish, where that is another name."""


@dataclass(frozen=True, slots=True)
class SeriesWishes:
    """What is asked of series beyond the algorithm; see :class:`~anomaly_detection.series.SeriesPipeline`."""

    direction: str = "both"
    minimum_change: float = 0.0
    minimum_share: float = 0.0
    low: float | None = None
    high: float | None = None
    offline: bool = False
    zone: str | None = None
    budget: str | None = None

    def typed(self) -> list[str]:
        """The options that say something."""
        return [
            f"--{name.replace('_', '-')}"
            for name, one in zip(OF_SERIES, fields(self), strict=True)
            if getattr(self, one.name) != one.default
        ]


OF_SERIES = tuple(CALLED.get(one.name, one.name) for one in fields(SeriesWishes))
"""All of them as users call them, in their order."""
