"""Forecasts against Prophet: bands for 1,000 series, and errors and coverage on generated and on real series.

    python benchmarks/forecasts.py [--data FOLDER] [--json FILE]

1,000 hourly series of 2,000 rows with daily and weekly seasons, a trend, noise and 1 % outliers; the 168 rows after
them are forecast with bands of 95 %. Prophet is fitted to 10 of them, its Stan processes counted in, and its CPU
seconds are those of a series times 1,000. Seasonal naive, the last day again, is the yardstick of errors (RMAE).

FOLDER holds ``series.csv`` (columns ``dataset, features, time_type, file``) and Parquet files with the columns
timestamp and value. Series of one feature with dates and 900 rows and more are taken in order of their names, without
those that say they are artificial: from ten of them, evenly chosen, and then from all of them, the last 168 rows are
held back, and up to 2,000 rows before them learned from.
RMAE is the geometric mean over the series, for one series must not decide. Ten windows are too few to tell coverage
(its standard error is 3 %), so that has a bar on all of them only.
"""

from __future__ import annotations

from _timing import Report, duration, options

# isort: split
import os
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.features.series import Series
from anomaly_detection.features.series.axis import step_of
from anomaly_detection.features.series.clock import DAY
from anomaly_detection.forecasters import create
from anomaly_detection.forecasters._peers import prophet_and_pandas, quiet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

SERIES, ROWS, AHEAD, HOUR = 1_000, 2_000, 168, DAY // 24
PEERS, WINDOWS, SHORTEST, BEGIN = 10, 10, 900, 1_700_000_000_000_000
FASTER, COVERED = 500.0, (0.93, 0.97)


@dataclass(frozen=True, slots=True)
class Band:
    """A forecast of (h, d) values."""

    mean: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


Method = "Callable[[Series, NDArray[np.int64]], Band]"


def ours(name: str, series: Series, ahead: NDArray[np.int64]) -> Band:
    """One of our forecasters; rows of the forecast are those nearest to the moments asked for."""
    steps = np.maximum(1, np.round((ahead - series.time[-1]) / series.step).astype(np.int64))
    found = create(name, horizon=int(steps[-1])).fit(series).predict(int(steps[-1]))
    return Band(found.mean[steps - 1], found.lower[steps - 1], found.upper[steps - 1])


def prophet(series: Series, ahead: NDArray[np.int64]) -> Band:
    """Prophet with its own bands, a model for each channel."""
    pandas, peer = prophet_and_pandas()
    parts = []
    frame = pandas.DataFrame({"ds": ahead.astype("datetime64[us]")})
    with quiet():
        for column in series.values.T:
            model = peer(interval_width=0.95)
            model.fit(pandas.DataFrame({"ds": series.time.astype("datetime64[us]"), "y": column}))
            parts.append(model.predict(frame)[["yhat", "yhat_lower", "yhat_upper"]].to_numpy())
    mean, lower, upper = np.stack(parts, axis=2).transpose(1, 0, 2)
    return Band(mean, lower, upper)


def yardstick(series: Series, count: int) -> NDArray[np.float64]:
    """The last day again."""
    day = min(len(series), max(1, round(DAY / series.step)))
    return series.values[-day:][np.arange(count) % day]


def generated(seed: int = 0) -> Series:
    """(ROWS + AHEAD, SERIES) values."""
    rng = np.random.default_rng(seed)
    hours = np.arange(ROWS + AHEAD)[:, None]
    day, week = rng.uniform(size=(2, SERIES))
    values = 50.0 + rng.uniform(2.0, 5.0, SERIES) * np.sin(2 * np.pi * (hours / 24 + day))
    values += rng.uniform(0.0, 3.0, SERIES) * np.sin(2 * np.pi * (hours / 168 + week))
    values += rng.normal(0.0, 0.002, SERIES) * hours + rng.normal(size=values.shape)
    spots = rng.random(values.shape) < 0.01
    spots[ROWS:] = False
    values[spots] += rng.choice([-1.0, 1.0], spots.sum()) * rng.uniform(5.0, 20.0, spots.sum())
    return Series.of(values, HOUR, start=BEGIN)


def cpu() -> float:
    """CPU seconds of this process and of those it started and that ended."""
    taken = os.times()
    return taken.user + taken.system + taken.children_user + taken.children_system


def timed(run: Callable[[], object], rounds: int = 5) -> float:
    """The median CPU seconds of a run, children counted in; once beforehand, to be warm."""
    run()
    found = []
    for _ in range(rounds):
        start = cpu()
        run()
        found.append(cpu() - start)
    return float(np.median(found))


def speed(report: Report) -> None:
    """CPU seconds for 1,000 series, and errors and coverage on them."""
    whole = generated()
    past, future = whole[:ROWS], whole[ROWS:]
    few = Series.of(past.values[:, :PEERS], HOUR, start=BEGIN)
    seconds = {"ours": timed(partial(ours, "fourier", past, future.time))}
    start = time.process_time()
    ours("fourier", past, future.time)
    alone = time.process_time() - start
    seconds["Prophet"] = timed(partial(prophet, few, future.time), 3) / PEERS * SERIES
    mine, theirs = ours("fourier", past, future.time), prophet(few, future.time)
    base = np.abs(future.values - yardstick(past, AHEAD)).mean(axis=0)
    errors = [np.abs(future.values[:, : one.mean.shape[1]] - one.mean).mean(axis=0) for one in (mine, theirs)]
    rmae = [float((error / base[: len(error)]).mean()) for error in (errors[0][:PEERS], errors[1], errors[0])]
    same = f"RMAE {rmae[0]:.3f} (Prophet {rmae[1]:.3f}) on the same {PEERS}"
    check = f"{same}; {rmae[2]:.3f} on all; without children {duration(alone)}"
    report.ratio(
        f"{SERIES:,} series x {ROWS:,} rows, {AHEAD} ahead", seconds, "ours", "Prophet", at_least=FASTER, check=check
    )
    report.add(
        "error on generated series",
        f"RMAE {rmae[0]:.3f} (Prophet {rmae[1]:.3f})",
        "<= Prophet + 0.01",
        holds=rmae[0] <= rmae[1] + 0.01,
    )
    covered(report, f"95 % bands on {SERIES:,} generated series", [inside(mine, future.values)])


def inside(band: Band, values: NDArray[np.float64]) -> float:
    """The share of values within the bounds."""
    return float(((values >= band.lower) & (values <= band.upper)).mean())


def covered(report: Report, what: str, shares: list[float], beside: str = "", *, bar: bool = True) -> None:
    """Coverage against its bar."""
    share = float(np.mean(shares))
    holds = COVERED[0] <= share <= COVERED[1] or not bar
    report.add(
        what,
        f"{share:.1%} of the values{beside}",
        f"{COVERED[0]:.0%} to {COVERED[1]:.0%}" if bar else "none set",
        holds=holds,
    )


def real(folder: Path) -> list[tuple[Series, Series]]:
    """Past and held-back end of each real series."""
    every = pl.read_csv(folder / "series.csv", infer_schema_length=None)
    chosen = every.filter((pl.col("features") == 1) & (pl.col("time_type") == "datetime"))
    found = []
    for file in sorted(chosen["file"]):
        frame = pl.read_parquet(folder / file)
        if "artificial" in file.lower() or not {"timestamp", "value"} <= set(frame.columns):
            continue
        frame = frame.select("timestamp", "value").drop_nulls().unique("timestamp", keep="last").sort("timestamp")
        if frame["timestamp"].dtype.is_temporal() and len(frame) >= SHORTEST and frame["value"].n_unique() > 1:
            found.append(split(frame[-(ROWS + AHEAD) :]))
    return found


def split(frame: pl.DataFrame) -> tuple[Series, Series]:
    """The rows to learn from, and the last ones."""
    stamps = frame["timestamp"].cast(pl.Datetime("us")).cast(pl.Int64).to_numpy()
    values = frame["value"].cast(pl.Float64).to_numpy()[:, None]
    whole = Series(np.ascontiguousarray(values), stamps, step_of(stamps[:-AHEAD]), ("value",))
    return whole[:-AHEAD], whole[-AHEAD:]


def held_back(report: Report, windows: list[tuple[Series, Series]], what: str, *, bars: bool) -> None:
    """RMAE and coverage of several methods on held-back ends."""
    methods = {"fourier": partial(ours, "fourier"), "auto": partial(ours, "auto"), "Prophet": prophet}
    rmae: dict[str, list[float]] = {name: [] for name in methods}
    shares: dict[str, list[float]] = {name: [] for name in methods}
    for past, future in windows:
        base = float(np.abs(future.values - yardstick(past, len(future))).mean())
        for name, method in methods.items():
            band = method(past, future.time)
            rmae[name].append(float(np.abs(future.values - band.mean).mean()) / max(base, 1e-12))
            shares[name].append(inside(band, future.values))
    middle = {name: float(np.exp(np.log(np.maximum(ratios, 1e-3)).mean())) for name, ratios in rmae.items()}
    for name in ("fourier", "auto"):
        beside = f" (Prophet {middle['Prophet']:.3f})"
        holds = middle[name] <= middle["Prophet"]
        report.add(f"error on {what}, {name}", f"RMAE {middle[name]:.3f}{beside}", "<= Prophet", holds=holds)
        beside = f" (Prophet {np.mean(shares['Prophet']):.1%})"
        covered(report, f"95 % bands on {what}, {name}", shares[name], beside, bar=bars)


def main() -> int:
    """Run all and print the table."""
    given = options(__doc__).parse_args()
    report = Report("Forecasts")
    speed(report)
    if given.data is not None:
        every = real(given.data)
        some = [every[k] for k in np.linspace(0, len(every) - 1, WINDOWS).round().astype(int)]
        held_back(report, some, f"{WINDOWS} real series", bars=False)
        held_back(report, every, f"all {len(every)} real series", bars=True)
    return report.publish(given.json)


if __name__ == "__main__":
    raise SystemExit(main())
