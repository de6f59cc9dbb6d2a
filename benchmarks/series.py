"""How well do our detectors find the labelled events of real time series, and at what cost?

    python benchmarks/series.py --data FOLDER --eval FOLDER [--json FILE] [--only FAMILY ...] [--offline]

``--eval`` holds ``series_slices.py`` (which rows of which series: ``select``, ``cut`` and ``columns``) and
``results/series_peers_dev.csv``, what peers reach on them. Each series goes through ``SeriesPipeline`` as ``detection
run`` would take it: fitted on the training rows with default settings, then the rows that follow are judged one after
the other. No label is ever seen. The metrics are those of ``evaluation.series_metrics``: VUS-PR, and the share of the
events that are found with one false alarm per 1,000 normal rows. With ``--offline``, the whole file may be looked at.
"""

from __future__ import annotations

import csv
import importlib.util
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from _timing import Report, duration, options

# isort: split

import numpy as np
import polars as pl

from anomaly_detection.evaluation.series_metrics import event_recall, vus
from anomaly_detection.series import SeriesPipeline

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import NDArray

CAUSAL = {
    "ts_univariate": (0.32, 0.70),
    "ts_univariate_ucr": (0.62, 0.95),
    "ts_multivariate": (0.65, 0.77),
}
"""VUS-PR and event recall that the default is to reach."""

OFFLINE = {**CAUSAL, "ts_univariate": (0.38, 0.70), "ts_univariate_ucr": (0.74, 1.0)}
"""The same where the whole file may be looked at."""


TOLD = {"ts_univariate": "one channel", "ts_univariate_ucr": "one channel, UCR", "ts_multivariate": "several channels"}
SHOWN = ("VUS-PR", "event recall")


class Task(NamedTuple):
    """The rows of one series: values with their row numbers, how many are trained on, and which count."""

    family: str
    frame: pl.DataFrame
    train: int
    scored: NDArray[np.bool_]
    label: NDArray[np.bool_]


class Found(NamedTuple):
    """What was reached on one series."""

    family: str
    vus_pr: float
    recall: float
    seconds: float
    rows: int


def main() -> int:
    """Measure, and say whether the bars hold."""
    given = _arguments()
    if given.data is None or given.eval is None:
        print("Left out: it needs labelled series, --data FOLDER, and what says which rows count, --eval FOLDER.")
        return 2
    report = Report("Time series")
    found = []
    for task in tasks(given):
        found.append(measured(task, offline=given.offline))
        print(f"{task.family} series {len(found)}: {words(found[-1])}", file=sys.stderr, flush=True)
    for family in given.only:
        ours = [one for one in found if one.family == family]
        best = peers(given.eval / "results" / "series_peers_dev.csv", family, offline=given.offline)
        add_bars(report, family, ours, best, OFFLINE if given.offline else CAUSAL)
    return report.publish(given.json)


def words(one: Found) -> str:
    """What was reached, for the progress."""
    return f"VUS-PR {one.vus_pr:.3f}, event recall {one.recall:.3f}, {duration(one.seconds)}"


def add_bars(
    report: Report,
    family: str,
    ours: list[Found],
    best: dict[str, tuple[str, float]],
    bars: dict[str, tuple[float, float]],
) -> None:
    """The means over the series of a family, with the best peer beside them, and the slowest series."""
    for measure_name, bar, shown in zip(("vus_pr", "recall"), bars[family], SHOWN, strict=True):
        value = float(np.mean([getattr(one, measure_name) for one in ours]))
        peer, reached = best[measure_name]
        check = f"{len(ours)} series; best peer {reached:.3f} ({peer})"
        report.add(f"{TOLD[family]}: {shown}", f"{value:.3f}", f">= {bar}", holds=value >= bar, check=check)
    slowest = max(ours, key=lambda one: one.seconds)
    spent = f"{duration(slowest.seconds)} for {slowest.rows:,} rows"
    report.add(f"{TOLD[family]}: slowest series", spent, "none set", holds=True)


def tasks(arguments: argparse.Namespace) -> Iterator[Task]:
    """The rows that the peers were measured on."""
    slices = _module(arguments.eval / "series_slices.py")
    for family, _, _, frame, bounds in slices.select(arguments.data, arguments.only):
        rows, columns = slices.cut(frame, bounds), slices.columns(frame)
        values = rows[columns].to_numpy(dtype=np.float64)
        table = pl.DataFrame({name: values[:, k] for k, name in enumerate(columns)}).with_row_index("row")
        counted = rows["scored"].to_numpy()
        if "is_ignored" in rows:
            counted = counted & (rows["is_ignored"].to_numpy() == 0)
        label = rows["label"].to_numpy() > 0
        yield Task(family, table, int(rows["is_train"].sum()), counted, label)


def measured(task: Task, *, offline: bool) -> Found:
    """One series through the default pipeline."""
    start = time.process_time()
    pipeline = SeriesPipeline(offline=offline).fit(task.frame[: task.train], timestamp="row")
    score = pipeline.detect(task.frame[task.train :]).score
    seconds = time.process_time() - start
    counted, label = task.scored[task.train :], task.label[task.train :]
    score = np.nan_to_num(score, nan=np.nanmin(score))[counted]
    recall = event_recall(label[counted], score).recall
    return Found(task.family, vus(label[counted], score)[0], recall, seconds, len(task.frame))


def peers(file: Path, family: str, *, offline: bool) -> dict[str, tuple[str, float]]:
    """The best peer by each measure, causal unless offline: its name and mean; one that fails counts 0 there."""
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["family"] == family and (offline or row["causal"] == "1")]
    series = len({(row["dataset"], row["series"]) for row in rows})
    best = {}
    for ours, measure in (("vus_pr", "vus_pr"), ("recall", "event_recall")):
        by_peer: dict[str, list[float]] = {}
        for row in rows:
            by_peer.setdefault(row["peer"], []).append(float(row[measure] or 0.0))
        means = {name: float(np.mean(values)) for name, values in by_peer.items() if len(values) == series}
        means.pop("random", None)
        name = max(means, key=means.__getitem__)
        best[ours] = name, means[name]
    return best


def _arguments() -> argparse.Namespace:
    parser = options(__doc__)
    parser.add_argument("--eval", type=Path, help="folder with series_slices.py and the peers' results")
    parser.add_argument("--only", nargs="+", choices=CAUSAL, default=list(CAUSAL), metavar="FAMILY")
    parser.add_argument("--offline", action="store_true", help="look at the whole file")
    return parser.parse_args()


def _module(file: Path) -> ModuleType:
    """A module by its file; what lies beside it can be imported by it."""
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
