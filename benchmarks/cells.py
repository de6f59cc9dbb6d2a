"""Wrong cells in dirty tables: average precision of cell scores, beside peers that see no more than the table.

    python benchmarks/cells.py --data FOLDER [--json FILE]

FOLDER holds ``data_quality/NAME/dirty.parquet`` and ``error_mask.parquet`` of the same shape. Missing values become "",
all values text. The first peer scores a value by how rare it is in its column. The second finds soft functional
dependencies: for every other column the log odds against a value under a majority vote of the rows that agree there,
weighted by how much the majority explains (Goodman and Kruskal's lambda), the largest of them.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from _timing import Report, arguments, duration

# isort: split

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from anomaly_detection.quality import score_cells

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

ROWS = 100_000


def main() -> int:
    """Score the cells of every table, and time a table of 100,000 rows."""
    given = arguments(__doc__)
    report = Report("Wrong cells in dirty tables")
    found = [one_table(report, folder) for folder in folders(given.data)]
    if found:
        ours, *peers, by_row = np.mean(found, axis=0)
        words = f"AP {ours:.3f} (value rarity {peers[0]:.3f}, soft dependencies {peers[1]:.3f})"
        report.add("mean of the tables", words, ">= 0.35", holds=ours >= 0.35, check=f"{len(found)} tables")
        report.add("with --method autoencoder", f"AP {by_row:.3f}", "not worse", holds=by_row > ours - 0.005, check="")
    speed(report)
    return report.publish(given.json)


def folders(data: Path | None) -> list[Path]:
    """The folders of the tables."""
    return [] if data is None else sorted(path.parent for path in (data / "data_quality").glob("*/dirty.parquet"))


def one_table(report: Report, folder: Path) -> list[float]:
    """Average precision over all cells of a table: ours, value rarity, soft dependencies, ours with an autoencoder."""
    frame = pl.read_parquet(folder / "dirty.parquet").cast(pl.String).fill_null("")
    mask = pl.read_parquet(folder / "error_mask.parquet").to_numpy().astype(bool).ravel()
    codes = [frame[name].rank("dense").to_numpy().astype(np.int64) - 1 for name in frame.columns]
    peers = np.column_stack([rarity(one) for one in codes]), soft_dependencies(codes)
    scores = (score_cells(frame).scores, *peers, score_cells(frame, method="autoencoder").scores)
    precision = [float(average_precision_score(mask, one.ravel())) for one in scores]
    words = f"AP {precision[0]:.3f} (value rarity {precision[1]:.3f}, soft dependencies {precision[2]:.3f})"
    size = f"{frame.height:,} x {frame.width}, {mask.mean():.1%} of the cells wrong"
    report.add(folder.name, words, "> both peers", holds=precision[0] > max(precision[1:3]), check=size)
    return precision


def rarity(codes: NDArray[np.int64]) -> Scores:
    """How rare each value is in its column."""
    return np.asarray(-np.log(np.bincount(codes)[codes] / len(codes)))


def soft_dependencies(columns: list[NDArray[np.int64]]) -> Scores:
    """The largest weighted log odds against each value under the majority of its group in another column."""
    out = np.zeros((len(columns[0]), len(columns)))
    for j, target in enumerate(columns):
        for i, left in enumerate(columns):
            if i != j:
                out[:, j] = np.maximum(out[:, j], against(left, target))
    return out


def against(left: NDArray[np.int64], target: NDArray[np.int64]) -> Scores:
    """The weighted log odds against each value by one other column."""
    _, pair, counts = np.unique(left * (target.max() + 1) + target, return_inverse=True, return_counts=True)
    size, both, top = np.bincount(left)[left], counts[pair], np.zeros(left.max() + 1, np.int64)
    np.maximum.at(top, left, both)
    top = top[left]
    many = size >= 2
    rule = float((top / size)[many].mean()) if many.sum() >= 0.1 * len(left) else 0.0
    plain = np.bincount(target).max() / len(target)
    weight = max(0.0, rule - plain) / max(1.0 - plain, 1e-9)
    odds = np.log(top / both) + (both < top) * np.log1p(top - both)
    return np.asarray(weight * np.where(many, odds, 0.0))


def speed(report: Report) -> None:
    """CPU seconds for 100,000 rows of twenty columns."""
    frame = made_up(ROWS)
    start = time.process_time()
    scores = score_cells(frame).scores
    taken = time.process_time() - start
    finite = bool(np.isfinite(scores).all())
    check = "finite, of the table's shape" if finite and scores.shape == frame.shape else "NOT FINITE"
    report.add(f"{ROWS:,} rows of {frame.width} columns", duration(taken), "< 20 s", holds=taken < 20, check=check)


def made_up(rows: int) -> pl.DataFrame:
    """Categories of 5 to 5,000 values, three columns that determine one another, numbers, texts, ids and dates."""
    rng = np.random.default_rng(0)
    site = rng.integers(0, 3_000, rows)
    columns: dict[str, object] = {
        f"category {j}": [f"v{k}" for k in rng.integers(0, 5 * 10 ** (j % 4), rows)] for j in range(8)
    }
    columns |= {"zip": [f"{k:05d}" for k in site], "city": [f"city {k % 700}" for k in site]}
    columns |= {"state": [f"s{k % 50}" for k in site], "id": [f"ID-{i:08d}" for i in range(rows)]}
    columns |= {f"number {j}": rng.normal(size=rows).round(3) for j in range(4)}
    columns |= {f"count {j}": rng.integers(0, 1_000, rows) for j in range(2)}
    columns["text"] = [f"item {a}-{b}" for a, b in rng.integers(0, 10_000, (rows, 2)).tolist()]
    columns["date"] = [f"2024-{m:02d}-{d:02d}" for m, d in rng.integers(1, (13, 29), (rows, 2)).tolist()]
    return pl.DataFrame(columns)


if __name__ == "__main__":
    sys.exit(main())
