"""The labelled tables of ``tables.py``, and how the algorithms are measured on them."""

from __future__ import annotations

import hashlib
import time
import warnings
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score, roc_auc_score

from _table_cache import Measured
from _table_peers import PEERS, peer_scores, plain
from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import create
from anomaly_detection.features.inference import infer_schema
from anomaly_detection.scorer import Scorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

FAMILIES = ("tabular", "tabular_categorical", "fraud_network")
PROTOCOLS = {"own": "rows that were learned from", "new": "new rows, learned from normal ones"}
ONLINE = ("half_space_trees", "random_cut_forest")
OURS = tuple(one.name for one in DETECTORS.entries() if one.extra is None and one.name not in ONLINE)


class Table(NamedTuple):
    """One labelled table: a digest of its file, its features, and which rows are anomalies."""

    digest: str
    frame: pl.DataFrame
    labels: NDArray[np.bool_]


class Task(NamedTuple):
    """Rows to fit on, rows to score (None: the same), and which of these are anomalies."""

    train: pl.DataFrame
    rows: pl.DataFrame | None
    labels: NDArray[np.bool_]


def labelled_tables(folder: Path) -> Iterator[Table]:
    """The tables, the smallest first."""
    manifest = pl.read_csv(folder / "manifest.csv")
    chosen = manifest.filter((pl.col("kind") == "tabular") & pl.col("family").is_in(FAMILIES))
    for name in chosen.sort(pl.col("rows") * pl.col("features"))["file"]:
        path = folder / name
        frame = pl.read_parquet(path)
        columns = [column for column in frame.columns if column.startswith("f") and column[1:].isdigit()]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield Table(digest, frame.select(columns), frame["label"].to_numpy() == 1)


def task_of(table: Table, protocol: str) -> Task:
    """What to fit on and what to score."""
    if protocol == "own":
        return Task(table.frame, None, table.labels)
    normal = np.random.default_rng(0).permutation(np.flatnonzero(~table.labels))
    train = np.sort(normal[: len(normal) // 2])
    rest = np.setdiff1d(np.arange(len(table.frame)), train)
    return Task(table.frame[train], table.frame[rest], table.labels[rest])


def measurements(names: list[str], task: Task) -> Iterator[tuple[str, Measured]]:
    """Each algorithm on one task."""
    peers = [name for name in names if name in PEERS]
    for name in names:
        if name not in peers:
            warm_up(name)
            yield name, measured(lambda name=name: our_scores(name, task), task.labels)
    if peers:
        X, rows = plain(task.train, task.train if task.rows is None else task.rows)
        to_score = None if task.rows is None else rows
        for name in peers:
            warm_up(name)
            yield name, measured(lambda name=name: peer_scores(PEERS[name], X, to_score), task.labels)


def measured(run: Callable[[], tuple[NDArray[np.float64], float]], labels: NDArray[np.bool_]) -> Measured:
    """How well the scores of a run rank the rows; a run that fails ranks no row above another."""
    failed = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scores, seconds = run()
    except Exception as error:  # noqa: BLE001  whatever a peer raises, the others are still measured
        failed, scores, seconds = f"{type(error).__name__}: {error}"[:200], np.zeros(len(labels)), 0.0
    scores = np.nan_to_num(scores, nan=0.0, posinf=1e30, neginf=-1e30)
    auroc, precision = roc_auc_score(labels, scores), average_precision_score(labels, scores)
    return Measured(float(auroc), float(precision), seconds, failed)


def our_scores(name: str, task: Task) -> tuple[NDArray[np.float64], float]:
    """The scores of one of ours and the CPU seconds of all it takes: schema, features, fitting and scoring."""
    began = time.process_time()
    detector = create(name)
    scorer = Scorer(detector.for_own_rows() if task.rows is None else detector)
    scorer.fit(task.train, infer_schema(task.train))
    scores = scorer.score(task.train if task.rows is None else task.rows)
    return scores, time.process_time() - began


@cache
def warm_up(name: str) -> None:
    """Run an algorithm once under either protocol, so that no compiling and no import is timed."""
    rng = np.random.default_rng(0)
    n = 500 if name in PEERS else 6_000
    numbers = {f"x{j}": rng.normal(size=n) for j in range(3)}
    if name in PEERS:
        X = np.column_stack(list(numbers.values()))
        for rows in (None, X):
            measured(lambda rows=rows: peer_scores(PEERS[name], X, rows), np.arange(n) == 0)
        return
    frame = pl.DataFrame({**numbers, "word": rng.choice(["a", "b", "c"], n)})
    for other in (None, frame):
        our_scores(name, Task(frame, other, np.zeros(n, dtype=np.bool_)))
