"""Are alarms on new normal records as frequent as asked for? Every algorithm, real tables.

    python benchmarks/false_alarms.py --data FOLDER [--json FILE]

FOLDER holds ``manifest.csv`` (columns ``kind, file``) and Parquet files of features and a ``label``. A pipeline is
fitted on a random half of the normal rows of each table with at least 2,000 of them, and gives verdicts on the other
half. The table shows the share of alarms divided by α, averaged over the tables.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from _timing import Report, arguments

# isort: split

import numpy as np
import polars as pl

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

ALPHAS = (0.01, 0.05)
FEWEST = 2_000
TOLERANCE = 0.15


def main() -> int:
    """Measure every algorithm; the default one has to hold the bar."""
    given = arguments(__doc__)
    report = Report("False alarms on held-back normal records")
    if given.data is None:
        print("Left out: it needs labelled tables, --data FOLDER (make bench DATA=folder).")
        return 2
    halves = list(split_tables(given.data))
    for entry in (one for one in DETECTORS.entries() if one.extra is None):
        ratios = np.mean([alarm_ratios(entry.name, *half) for half in halves], axis=0)
        holds = bool(np.abs(ratios - 1).max() <= TOLERANCE)
        shown = ", ".join(f"{ratio:.2f} at α = {alpha:g}" for ratio, alpha in zip(ratios, ALPHAS, strict=True))
        report.add(entry.name, f"alarms / α: {shown}", "0.85 to 1.15", holds=holds, check=f"{len(halves)} tables")
    return report.publish(given.json)


def split_tables(folder: Path) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """The two halves of the normal rows of each table that has enough of them."""
    manifest = pl.read_csv(folder / "manifest.csv").filter(pl.col("kind") == "tabular")
    for name in manifest["file"]:
        frame = pl.read_parquet(folder / name).filter(pl.col("label") == 0)
        if len(frame) >= FEWEST:
            columns = [column for column in frame.columns if column.startswith("f") and column[1:].isdigit()]
            shuffled = frame.select(columns)[np.random.default_rng(0).permutation(len(frame))]
            yield shuffled[: len(frame) // 2], shuffled[len(frame) // 2 :]


def alarm_ratios(algorithm: str, train: pl.DataFrame, test: pl.DataFrame) -> NDArray[np.float64]:
    """The share of alarms on ``test`` divided by each α."""
    pipeline = Pipeline(algorithm).fit(train)
    p_values = pipeline.calibrator_.p_value(pipeline.score(test))
    return np.array([(p_values <= alpha).mean() / alpha for alpha in ALPHAS])


if __name__ == "__main__":
    sys.exit(main())
