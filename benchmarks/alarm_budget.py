"""A budget of alarms on real series replayed row by row: how many alarms were raised for each that was allowed.

    python benchmarks/alarm_budget.py --data FOLDER [--families A,B] [--algorithm NAME] [--json FILE]

The folder has labelled series of monitored systems, of one channel and of many. Learned from is what each marks as
training, else the first 15 %; the rest is replayed. Held against fixed lines: the p-value equal to the budget, as
training calibrates it, and the line that would have flagged as many rows as we did, which only hindsight knows. A
budget of a share of rows counts flagged rows; a budget of alarms a week counts runs of flagged rows. A line that raises
as many runs in hindsight is told, too, but is no match: it lies low, and its runs are long. Series whose rows are only
numbered have no weeks; those where fewer than 5 alarms are due are left out. An event is caught by a flag within 5 rows
of it.
"""

from __future__ import annotations

from _timing import Report, options

# isort: split
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.series import SeriesPipeline
from anomaly_detection.thresholds import Budget, Spending

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

FOLDERS = ("ts_univariate", "ts_multivariate")
BUDGETS: tuple[str | float, ...] = (0.002, 0.005, 0.01, "5/week", "10/week", "2/day")
FEWEST_DUE = 5.0
FIRST = 0.15
NEAR = 5
LOW, HIGH = 0.8, 1.2


@dataclass(frozen=True, slots=True)
class Replayed:
    """P-values of the rows of a series, when they were, which are labelled, and the step; 0 without a clock."""

    p_value: NDArray[np.float64]
    score: NDArray[np.float64]
    time: NDArray[np.int64]
    labels: NDArray[np.bool_]
    step: int


@dataclass(frozen=True, slots=True)
class Held:
    """What was raised and caught on one series.

    Attributes
    ----------
    ours, fixed : alarms of ours and of training's line, for each one due.
    rows, runs_rows : the share of rows that we flag, and that the line with as many runs in hindsight does.
    recall, fixed_recall, rows_recall, runs_recall : the share of events caught by us, by training's line, and in
        hindsight by the lines with as many rows and with as many runs.
    """

    ours: float
    fixed: float
    rows: float
    runs_rows: float
    recall: float
    fixed_recall: float
    rows_recall: float
    runs_recall: float


def replayed(path: Path, algorithm: str) -> Replayed:
    """Learn from the first rows and judge the others."""
    frame = pl.read_parquet(path)
    columns = [name for name in frame.columns if name == "value" or (name[0] == "v" and name[1:].isdigit())]
    train = frame["is_train"].cast(pl.Boolean).to_numpy()
    if not train.any():
        train = np.arange(len(frame)) < FIRST * len(frame)
    rest = frame.filter(pl.Series(~train))
    fitted = SeriesPipeline(algorithm).fit(frame.filter(pl.Series(train)), timestamp="timestamp", columns=columns)
    found = fitted.detect(rest)
    step = next(iter(fitted.learned_.steps().values())) if fitted.clock_.is_clock else 0
    time = rest["timestamp"].cast(pl.Datetime("us")).to_physical() if step else pl.Series(np.arange(len(rest)))
    return Replayed(found.p_value, found.score, time.to_numpy(), rest["label"].to_numpy() == 1, step)


def held(one: Replayed, wish: str | float) -> Held | None:
    """One budget on one series; None where there are no weeks, or too few alarms are due."""
    budget = Budget.of(wish)
    if budget.period is not None and not one.step:
        return None
    share = budget.share(one.step)
    spending = Spending(budget, share)
    flags = spending.spend(one.p_value, one.time, one.step) <= share
    due = float(spending.totals_[2])
    if due < FEWEST_DUE:
        return None
    fixed = one.p_value <= share
    alarms = [runs(each) if budget.episodes else int(each.sum()) for each in (flags, fixed)]
    as_rows = hindsight(one.score, int(flags.sum()), episodes=False)
    as_runs = hindsight(one.score, runs(flags), episodes=True)
    recalls = [recall(each, one.labels) for each in (flags, fixed, as_rows, as_runs)]
    return Held(alarms[0] / due, alarms[1] / due, float(flags.mean()), float(as_runs.mean()), *recalls)


def hindsight(score: NDArray[np.float64], alarms: int, *, episodes: bool) -> NDArray[np.bool_]:
    """The rows above the lowest fixed line that raises at most so many alarms."""
    best = np.zeros(len(score), np.bool_)
    for line in np.unique(score)[::-1][: 20 * alarms + 20]:
        flags = score >= line
        if (runs(flags) if episodes else int(flags.sum())) > alarms:
            break
        best = flags
    return best


def runs(flags: NDArray[np.bool_]) -> int:
    """How many runs of flagged rows there are."""
    return int(np.count_nonzero(np.diff(flags.astype(np.int8), prepend=0) == 1))


def recall(flags: NDArray[np.bool_], labels: NDArray[np.bool_]) -> float:
    """The share of labelled events with a flag at or near them; NaN without any."""
    edges = np.flatnonzero(np.diff(labels.astype(np.int8), prepend=0, append=0))
    events = edges.reshape(-1, 2)
    caught = [flags[max(begin - NEAR, 0) : end + NEAR].any() for begin, end in events]
    return float(np.mean(caught)) if caught else float("nan")


def paths(folder: Path, families: str | None) -> Iterator[Path]:
    """The files of these families, or of all."""
    listed = pl.read_csv(folder / "series.csv")
    if families is not None:
        listed = listed.filter(pl.col("dataset").is_in(families.split(",")))
    for name in sorted(listed["file"]):
        if name.startswith(FOLDERS):
            yield folder / name


def events(report: Report, wish: str | float, found: list[Held]) -> None:
    """Events caught, against the fixed line that flags as many rows."""
    mean = {name: float(np.nanmean([getattr(one, name) for one in found])) for name in Held.__slots__}
    as_runs = f"one with as many runs, which flags {mean['runs_rows'] / mean['rows']:.1f} times the rows"
    report.add(
        f"budget {wish}: events caught",
        f"{mean['recall']:.3f}",
        f">= {mean['rows_recall']:.3f}, a fixed line that flags as many rows",
        holds=mean["recall"] >= mean["rows_recall"],
        check=f"training's fixed line, which holds no budget, {mean['fixed_recall']:.3f}; {as_runs}, "
        f"{mean['runs_recall']:.3f}",
    )


def main() -> int:
    """Measure and publish."""
    parser = options(__doc__)
    parser.add_argument("--families", help="values of the column dataset of series.csv, with commas; all if not given")
    parser.add_argument("--algorithm", default="auto", help="of the series")
    asked = parser.parse_args()
    report = Report(f"Alarm budgets ({asked.algorithm})")
    if asked.data is None:
        return report.publish(asked.json)
    every = [replayed(path, asked.algorithm) for path in paths(asked.data, asked.families)]
    for wish in BUDGETS:
        found = [one for one in (held(each, wish) for each in every) if one is not None]
        within = float(np.mean([LOW <= one.ours <= HIGH for one in found]))
        fixed = float(np.mean([LOW <= one.fixed <= HIGH for one in found]))
        report.add(
            f"budget {wish}: series with 0.8 to 1.2 alarms for each due",
            f"{within:.0%} of {len(found)} (a fixed line {fixed:.0%})",
            ">= 90 %",
            holds=within >= 0.9,
            check=f"a fixed line raises {np.mean([one.fixed for one in found]):.1f} for each due",
        )
        events(report, wish, found)
    return report.publish(asked.json)


if __name__ == "__main__":
    sys.exit(main())
