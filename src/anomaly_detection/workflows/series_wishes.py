"""What is asked of time series, as options."""

from __future__ import annotations

from dataclasses import dataclass, fields


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
        names = {"low": "--lower-bound", "high": "--upper-bound"}
        return [
            names.get(one.name, f"--{one.name.replace('_', '-')}")
            for one in fields(self)
            if getattr(self, one.name) != one.default
        ]
