"""Are alarms on new normal rows of a series as frequent as asked for? Simulated series of many kinds.

    python benchmarks/series_false_alarms.py [--json FILE]

A ``SeriesPipeline`` learns from 3,000 rows and judges the 6,000 that follow, all of them normal; the share of alarms is
divided by α and averaged over seeds. Rows of a series depend on one another: a window with a spike in it scores high
for as many rows as it is long, so single series lie far apart, and their standard deviation is shown, too.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from _timing import Report, arguments

# isort: split

import numpy as np
import polars as pl
from scipy.signal import lfilter

from anomaly_detection.series import SeriesPipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Kind = Callable[[np.random.Generator, int], NDArray[np.float64]]

LEARNED, JUDGED, SEEDS = 3_000, 6_000, 16
ALPHAS = (0.01, 0.001)
BARS = {0.01: (0.85, 1.15), 0.001: (1 / 1.5, 1.5)}


class Setting(NamedTuple):
    """What judges, and how many channels there are."""

    told: str
    detector: str
    channels: int


SETTINGS = (
    Setting("auto, one channel", "auto", 1),
    Setting("auto, five channels", "auto", 5),
    Setting("ewma", "ewma", 1),
)


def main() -> int:
    """Measure the defaults; the mean over the kinds has to hold the bar."""
    given = arguments(__doc__)
    report = Report("False alarms on new normal rows of a series")
    for setting in SETTINGS:
        for alpha in ALPHAS:
            add(report, setting, alpha)
    return report.publish(given.json)


def add(report: Report, setting: Setting, alpha: float) -> None:
    """A line with the mean over the kinds, and each kind beside it."""
    found = {told: ratios(setting, kind, alpha) for told, kind in KINDS.items()}
    mean = float(np.mean([one.mean() for one in found.values()]))
    low, high = BARS[alpha]
    beside = ", ".join(f"{told} {one.mean():.2f} ± {one.std():.2f}" for told, one in found.items())
    what = f"{setting.told}, α = {alpha:g}"
    report.add(what, f"alarms / α: {mean:.2f}", f"{low:.2f} to {high:.2f}", holds=low <= mean <= high, check=beside)


def ratios(setting: Setting, kind: Kind, alpha: float) -> NDArray[np.float64]:
    """The share of alarms divided by α for each seed."""
    found = []
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        columns = {f"v{k}": kind(rng, LEARNED + JUDGED) for k in range(setting.channels)}
        frame = pl.DataFrame(columns).with_row_index("row")
        pipeline = SeriesPipeline(setting.detector, contamination=alpha).fit(frame[:LEARNED], timestamp="row")
        found.append(pipeline.detect(frame[LEARNED:]).is_anomaly.mean() / alpha)
    return np.array(found)


def autoregressive(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Each row 0.8 of the one before and something new."""
    rows: NDArray[np.float64] = lfilter([1.0], [1.0, -0.8], rng.normal(size=n + 200))[200:]
    return rows


def seasonal(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """A season of 24 rows, ten times as large as the noise."""
    found: NDArray[np.float64] = 10.0 * np.sin(np.arange(n) * 2.0 * np.pi / 24.0) + rng.normal(size=n)
    return found


def trending(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """A season of any length and phase on a slow trend."""
    period, phase, rows = rng.uniform(20.0, 60.0), rng.uniform(0.0, 2.0 * np.pi), np.arange(n)
    found: NDArray[np.float64] = 3.0 * np.sin(rows * 2.0 * np.pi / period + phase) + 0.0005 * rows + rng.normal(size=n)
    return found


KINDS: dict[str, Kind] = {
    "white": lambda rng, n: rng.normal(size=n),
    "autoregressive": autoregressive,
    "season": seasonal,
    "heavy tails": lambda rng, n: rng.standard_t(3.0, size=n),
    "counts": lambda rng, n: rng.poisson(5.0, size=n).astype(np.float64),
    "season and trend": trending,
}


if __name__ == "__main__":
    sys.exit(main())
