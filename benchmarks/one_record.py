"""From one dict to its verdict through the whole pipeline: 20 mixed columns, against PyOD on numbers alone.

python benchmarks/one_record.py [--json FILE]
"""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from _timing import Report, arguments, duration

# isort: split

import numpy as np
import polars as pl
from pyod.models.iforest import IForest

from anomaly_detection.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = 5_000


def main() -> int:
    """Time single records and compare the verdicts with those of the batch."""
    given = arguments(__doc__)
    report = Report("One record, dict in, verdict out")
    frame = mixed_table()
    records = frame.head(2_000).to_dicts()
    for algorithm in ("isolation_forest", "ecod", "hbos", "knn", "tail_probability"):
        pipeline = Pipeline(algorithm, contamination=0.01).fit(frame)
        same = [pipeline.detect_one(record) for record in records] == list(pipeline.detect(frame.head(2_000)))
        p50, p99 = percentiles(pipeline.detect_one, records)
        bar = 100e-6 if algorithm == "isolation_forest" else 500e-6
        check = "equal to the batch, bit for bit" if same else "DIFFERS from the batch"
        shown = f"p50 {duration(p50)}, p99 {duration(p99)}"
        what, limit = f"{algorithm}, 20 mixed columns", f"p50 <= {duration(bar)}"
        report.add(what, shown, limit, holds=same and p50 <= bar, check=check)
    add_peer(report, frame)
    return report.publish(given.json)


def mixed_table(seed: int = 0) -> pl.DataFrame:
    """12 numbers, 5 categories, 2 booleans and a time."""
    rng = np.random.default_rng(seed)
    start = datetime(2026, 1, 1)  # noqa: DTZ001
    columns: dict[str, Any] = {f"number{i}": rng.normal(size=ROWS) * 10 ** (i % 4) for i in range(12)}
    columns |= {f"word{i}": rng.choice([f"v{j}" for j in range(3 + 5 * i)], ROWS) for i in range(5)}
    columns |= {f"flag{i}": rng.random(ROWS) < 0.3 for i in range(2)}
    columns["when"] = [start + timedelta(minutes=int(minutes)) for minutes in rng.integers(0, 500_000, ROWS)]
    return pl.DataFrame(columns)


def percentiles(call: Callable[[Any], object], items: Sequence[Any], rounds: int = 3) -> tuple[float, float]:
    """The median and the 99th percentile of the wall seconds of single calls, warm."""
    call(items[0])
    taken = []
    for item in list(items) * rounds:
        began = time.perf_counter()
        call(item)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken)), float(np.percentile(taken, 99))


def add_peer(report: Report, frame: pl.DataFrame) -> None:
    """PyOD's forest on the twelve number columns, one row at a time."""
    numbers = frame.select(pl.col("^number.*$"))
    peer = IForest(random_state=0).fit(numbers.to_numpy())
    ours = Pipeline("isolation_forest", contamination=0.01).fit(numbers)
    rows = [numbers.row(i) for i in range(50)]
    theirs, _ = percentiles(lambda row: peer.decision_function(np.array([row])), rows, rounds=1)
    mine, _ = percentiles(ours.detect_one, [dict(zip(numbers.columns, row, strict=True)) for row in rows], rounds=20)
    agreement = np.corrcoef(peer.decision_scores_, ours.score(numbers))[0, 1]
    report.add(
        "12 numbers, against PyOD's forest",
        f"{theirs / mine:,.0f}x PyOD ({duration(mine)} against {duration(theirs)})",
        ">= 33x",
        holds=theirs / mine >= 33,
        check=f"correlation of the scores {agreement:.3f}",
    )


if __name__ == "__main__":
    sys.exit(main())
