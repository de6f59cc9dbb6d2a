"""Half-space trees against river, random cut forest against rrcf: rows learned and scored a second, memory, AUROC.

    python benchmarks/online.py [--data FOLDER] [--json FILE]

Every row is scored and then learned, in the order of the stream. Both half-space trees have 25 trees of depth 8 and
windows of 250 rows; both random cut forests 40 trees of 256 rows. The memory of ours is all that a restored detector is
made from; that of river's is every object reachable from it.

With ``--data``, anomalies are put into the streams of the family ``drift`` by a fixed rule, and the mean AUROC is
compared: 1.5 % of the rows, a quarter of their columns (at least two). In every other one the values come from other
rows of the stream, one row for each column; in the rest they are moved by 2 to 4 deviations. The first window is
learned and not judged. River is given features between 0 and 1 from its own running scaler, as its pages ask for.
"""

from __future__ import annotations

from _timing import Report, arguments, cpu_seconds

# isort: split
import gc
import sys
from collections import deque
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import rrcf
from river import anomaly, preprocessing
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors.half_space_trees import HalfSpaceTrees
from anomaly_detection.detectors.random_cut_forest import RandomCutForest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from anomaly_detection.detectors.online import OnlineDetector

ROWS, FEATURES = 4_000, 10
TREES, DEPTH, WINDOW = 25, 8, 250
CUT_TREES, SAMPLE = 40, 256
MOST, SHARE, SEEDS = 10_000, 0.015, (0, 1, 2)


def data(rows: int = ROWS, seed: int = 0) -> NDArray[np.float32]:
    """A crowd of correlated features within [0, 1], for the timing."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, FEATURES)) + rng.normal(size=(rows, 1))
    return (0.5 + 0.1 * X).clip(0, 1).astype(np.float32)


def half_space_trees(seed: int = 0) -> HalfSpaceTrees:
    """Ours."""
    return HalfSpaceTrees(TREES, DEPTH, WINDOW, random_state=seed)


def river_trees(seed: int = 0) -> Any:
    """River's, with as many trees of as many levels."""
    return anomaly.HalfSpaceTrees(n_trees=TREES, height=DEPTH, window_size=WINDOW, seed=seed)


def through(model: Any, records: list[dict[int, float]]) -> NDArray[np.float64]:
    """Score each record with river and then learn it."""
    scores = np.empty(len(records))
    for i, record in enumerate(records):
        scores[i] = model.score_one(record)
        model.learn_one(record)
    return scores


def records_of(X: NDArray[np.float32]) -> list[dict[int, float]]:
    """Rows as river takes them."""
    return [dict(enumerate(row)) for row in X.tolist()]


class PeerForest:
    """A forest of rrcf's trees over the latest rows, as its examples make one."""

    def __init__(self) -> None:
        self.trees = [rrcf.RCTree() for _ in range(CUT_TREES)]
        self.seen = 0

    def score_update(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """The mean displacement of each row, once it is in the trees."""
        scores = np.zeros(len(X))
        for i, row in enumerate(X.astype(np.float64)):
            for tree in self.trees:
                if len(tree.leaves) >= SAMPLE:
                    tree.forget_point(self.seen - SAMPLE)
                tree.insert_point(row, index=self.seen)
                scores[i] += tree.codisp(self.seen) / CUT_TREES
            self.seen += 1
        return scores


def deep_bytes(thing: Any) -> int:
    """The bytes of every object that can be reached, without code."""
    code = (type, ModuleType, FunctionType, BuiltinFunctionType)
    seen, waiting, total = set(), deque([thing]), 0
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, code):
            continue
        seen.add(id(found))
        total += sys.getsizeof(found)
        waiting.extend(gc.get_referents(found))
    return total


def state_bytes(detector: OnlineDetector) -> int:
    """The arrays a detector consists of."""
    return sum(array.nbytes for array in detector.state().values())


def time_half_space_trees(report: Report) -> None:
    """Learn and score the same rows, and count the bytes afterwards."""
    X = data()
    ours, peer, records = half_space_trees().fit(data(WINDOW, seed=1)), river_trees(), records_of(X)
    in_turns = half_space_trees().fit(data(WINDOW, seed=1))
    expected = np.array([(in_turns.score(row[None])[0], in_turns.update(row[None]))[0] for row in X])
    if not np.array_equal(ours.score_update(X), expected):
        raise AssertionError("score_update differs from score and update, row by row.")
    seconds = cpu_seconds({"ours": lambda: ours.score_update(X), "river": lambda: through(peer, records)}, rounds=5)
    check = "score_update equals score, then update, row by row, bit for bit"
    what = f"half-space trees, learn and score {ROWS:,} rows"
    report.ratio(what, seconds, "ours", "river", at_least=30, check=check)
    mine, theirs = state_bytes(ours), deep_bytes(peer)
    measured = f"1/{theirs / mine:.0f} of river's ({mine / 1024:,.0f} kB against {theirs / 1024:,.0f} kB)"
    report.add("half-space trees, memory", measured, "<= 1/50", holds=theirs >= 50 * mine)


def time_cut_forest(report: Report) -> None:
    """Learn and score rows, once with every row taken in as rrcf's examples do, once with the sample of the default."""
    X, few, first = data(2000), data(60, seed=2), data(SAMPLE, seed=1)
    latest, peer = RandomCutForest(CUT_TREES, SAMPLE, time_decay=1.0).fit(first), PeerForest()
    peer.score_update(first)
    few[::3] = 0.5 + 3 * (few[::3] - 0.5)
    correlation = float(spearmanr(latest.score(few), peer.score_update(few)).statistic)
    if correlation < 0.8:
        raise AssertionError(f"The scores agree with rrcf's in rank by {correlation:.3f} only.")
    sample = RandomCutForest(CUT_TREES, SAMPLE).fit(first)
    runs = {
        "ours": lambda: latest.score_update(X),
        "ours, a sample": lambda: sample.score_update(X),
        "rrcf": lambda: peer.score_update(few),
    }
    seconds = cpu_seconds(runs, rounds=3)
    per_row = {name: taken / len(few if name == "rrcf" else X) for name, taken in seconds.items()}
    check = f"rank correlation {correlation:.3f} with rrcf's scores"
    what = "random cut forest, learn and score a row"
    report.ratio(f"{what}, every row taken in", per_row, "ours", "rrcf", at_least=0, check=check)
    report.ratio(f"{what}, default", per_row, "ours, a sample", "rrcf", at_least=0, check="rrcf takes in every row")


def with_anomalies(X: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The stream with anomalies put in, and where they are."""
    rng = np.random.default_rng(seed)
    n, width = X.shape
    chosen = rng.choice(n, int(SHARE * n), replace=False)
    odd, deviations, count = X.copy(), X.std(axis=0), max(2, width // 4)
    for place, row in enumerate(chosen):
        columns = rng.choice(width, count, replace=False)
        if place % 2:
            odd[row, columns] = X[rng.integers(0, n, count), columns]
        else:
            odd[row, columns] += rng.choice([-1, 1], count) * rng.uniform(2, 4, count) * deviations[columns]
    return odd.astype(np.float32), np.isin(np.arange(n), chosen)


def streams(folder: Path) -> Iterator[NDArray[np.float64]]:
    """The middle of every stream of the family ``drift``, missing values filled in with medians."""
    found = pl.read_csv(folder / "manifest.csv").filter(pl.col("family") == "drift")
    for file in found["file"]:
        frame = pl.read_parquet(folder / file)
        X = frame.select([column for column in frame.columns if column.startswith("f")]).to_numpy().astype(np.float64)
        X = np.where(np.isnan(X), np.nanmedian(X, axis=0), X)
        start = max(0, (len(X) - MOST) // 2)
        yield X[start : start + MOST]


def aurocs(X: NDArray[np.float32], is_anomaly: NDArray[np.bool_], seed: int) -> tuple[float, float, float]:
    """Half-space trees, river's, and the random cut forest, on the rows after the first window."""
    scaler, model = preprocessing.MinMaxScaler(), river_trees(seed)
    scaled = []
    for record in records_of(X):
        scaler.learn_one(record)
        scaled.append(scaler.transform_one(record))
    first, rest = X[:WINDOW], X[WINDOW:]
    centre, scale = first.mean(axis=0), np.maximum(first.std(axis=0), 1e-9)
    cut = RandomCutForest(CUT_TREES, SAMPLE, random_state=seed).fit((first - centre) / scale)
    scores = (
        half_space_trees(seed).fit(first).score_update(rest),
        through(model, scaled)[WINDOW:],
        cut.score_update((rest - centre) / scale),
    )
    ours, theirs, forest = (float(roc_auc_score(is_anomaly[WINDOW:], each)) for each in scores)
    return ours, theirs, forest


def judge(report: Report, folder: Path) -> None:
    """The mean AUROC over streams and seeds."""
    means = []
    for X in streams(folder):
        found = np.mean([aurocs(*with_anomalies(X, seed), seed) for seed in SEEDS], axis=0)
        report.add(
            f"half-space trees, AUROC, {len(X):,} x {X.shape[1]}",
            f"{found[0]:.3f} (river {found[1]:.3f}; random cut forest {found[2]:.3f})",
            ">= river",
            holds=found[0] >= found[1],
        )
        means.append(found)
    ours, theirs, forest = np.mean(means, axis=0)
    what = f"AUROC, {len(means)} streams, {len(SEEDS)} seeds"
    report.add(f"half-space trees, {what}", f"{ours:.3f} (river {theirs:.3f})", ">= river", holds=ours >= theirs)
    report.add(f"random cut forest, {what}", f"{forest:.3f}", "none set", holds=True)


def main() -> int:
    """Run all and print the table."""
    given = arguments(__doc__)
    report = Report("Learning while scoring")
    time_half_space_trees(report)
    time_cut_forest(report)
    if given.data is not None:
        judge(report, given.data)
    return report.publish(given.json)


if __name__ == "__main__":
    raise SystemExit(main())
