"""Forecasts against Prophet: bands for 1,000 series, and errors and coverage on generated and on real series.

    python benchmarks/forecasts.py [--data FOLDER] [--json FILE]

1,000 hourly series of 2,000 rows with daily and weekly seasons, a trend, noise and 1 % outliers; the 168 rows after
them are forecast with bands of 95 %. Prophet is fitted to 10 of them, its Stan processes counted in, and its CPU
seconds are those of a series times 1,000. Seasonal naive, the last day again, is the yardstick of errors (RMAE).

FOLDER holds ``series.csv`` (columns ``dataset, features, time_type, file``) and Parquet files with the columns
timestamp and value. Series of one feature with dates and 900 rows and more are taken, without those that say they are
artificial. A family is a dataset, or the part of it that the name of the file begins with, before ``__``. A window is
168 rows that are held back, and up to 2,000 rows before them to learn from: ten of each family, evenly chosen from all
that its series have without overlap, and then the end of each series. RMAE is the geometric mean over windows, for one
must not decide. Ten windows are too few to tell coverage (its standard error is 3 %), so its bar is on all of them.
"""

from __future__ import annotations

from _timing import Report, duration, options

# isort: split
import os
import time
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
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


def covered(report: Report, what: str, shares: list[float], beside: str = "") -> None:
    """Coverage against its bar."""
    share = float(np.mean(shares))
    holds = COVERED[0] <= share <= COVERED[1]
    report.add(what, f"{share:.1%} of the values{beside}", f"{COVERED[0]:.0%} to {COVERED[1]:.0%}", holds=holds)


def real(folder: Path) -> dict[str, list[pl.DataFrame]]:
    """The real series of each family."""
    every = pl.read_csv(folder / "series.csv", infer_schema_length=None)
    chosen = every.filter((pl.col("features") == 1) & (pl.col("time_type") == "datetime"))
    found: dict[str, list[pl.DataFrame]] = {}
    for dataset, file in sorted(chosen.select("dataset", "file").iter_rows()):
        frame = pl.read_parquet(folder / file)
        if "artificial" in file.lower() or not {"timestamp", "value"} <= set(frame.columns):
            continue
        frame = frame.select("timestamp", "value").drop_nulls().unique("timestamp", keep="last").sort("timestamp")
        if frame["timestamp"].dtype.is_temporal() and len(frame) >= SHORTEST and frame["value"].n_unique() > 1:
            part, divided, _ = Path(file).stem.partition("__")
            found.setdefault(part if divided else dataset, []).append(frame)
    return found


def windows_of(frames: list[pl.DataFrame]) -> list[tuple[Series, Series]]:
    """Ten windows of a family, evenly chosen from all."""
    every = [(frame, end) for frame in frames for end in range(len(frame), SHORTEST - 1, -AHEAD)]
    return [split(*every[k]) for k in np.linspace(0, len(every) - 1, WINDOWS).round().astype(int)]


def split(frame: pl.DataFrame, end: int) -> tuple[Series, Series]:
    """The rows to learn from, and the last ones before a row."""
    frame = frame[max(0, end - ROWS - AHEAD) : end]
    stamps = frame["timestamp"].cast(pl.Datetime("us")).cast(pl.Int64).to_numpy()
    values = frame["value"].cast(pl.Float64).to_numpy()[:, None]
    whole = Series(np.ascontiguousarray(values), stamps, step_of(stamps[:-AHEAD]), ("value",))
    return whole[:-AHEAD], whole[-AHEAD:]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a method reached on a window: its error over that of the yardstick, and the share of values inside."""

    rmae: float
    inside: float


METHODS: dict[str, Callable[[Series, NDArray[np.int64]], Band]] = {
    "fourier": partial(ours, "fourier"),
    "auto": partial(ours, "auto"),
    "Prophet": prophet,
}


def measured(past: Series, future: Series) -> dict[str, Measured]:
    """Each method on a window."""
    base = max(float(np.abs(future.values - yardstick(past, len(future))).mean()), 1e-12)
    bands = {name: method(past, future.time) for name, method in METHODS.items()}
    return {
        name: Measured(float(np.abs(future.values - band.mean).mean()) / base, inside(band, future.values))
        for name, band in bands.items()
    }


def told(report: Report, found: list[dict[str, Measured]], what: str, *, bands: bool) -> None:
    """Errors, and where bands says so the coverage, against their bars."""
    errors = {name: np.maximum([one[name].rmae for one in found], 1e-3) for name in METHODS}
    mean = {name: float(np.exp(np.log(error).mean())) for name, error in errors.items()}
    shares = {name: [one[name].inside for one in found] for name in METHODS}
    for name in ("fourier", "auto"):
        check = "" if bands else f"{np.mean(shares[name]):.1%} of the values in bands of 95 %"
        shown = f"RMAE {mean[name]:.3f} (Prophet {mean['Prophet']:.3f})"
        report.add(f"error on {what}, {name}", shown, "<= Prophet", holds=mean[name] <= mean["Prophet"], check=check)
        if bands:
            beside = f" (Prophet {np.mean(shares['Prophet']):.1%})"
            covered(report, f"95 % bands on {what}, {name}", shares[name], beside)


def main() -> int:
    """Run all and print the table."""
    given = options(__doc__).parse_args()
    report = Report("Forecasts")
    speed(report)
    if given.data is not None:
        families = real(given.data)
        each = [[measured(*window) for window in windows_of(frames)] for frames in families.values()]
        for number, found in enumerate(each, 1):
            told(report, found, f"{WINDOWS} windows of real family {number}", bands=False)
        told(report, list(chain(*each)), f"the windows of all {len(each)} families", bands=True)
        ends = [measured(*split(frame, len(frame))) for frames in families.values() for frame in frames]
        told(report, ends, f"the ends of all {len(ends)} real series", bands=True)
    return report.publish(given.json)


if __name__ == "__main__":
    raise SystemExit(main())
