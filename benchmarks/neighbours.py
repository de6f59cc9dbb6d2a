"""KNN, LOF and PCA against PyOD and scikit-learn: CPU seconds in one run, equality beside each, detection quality.

    python benchmarks/neighbours.py [--json FILE] [--data FOLDER]

``--data`` is a folder of Parquet tables with columns ``f0 …`` and ``label``; without it, quality is not measured.
"""

from __future__ import annotations

from _timing import Report, arguments, cpu_seconds

# isort: split
import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from pyod.models import knn, lof, pca
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from anomaly_detection.detectors.knn import KNN
from anomaly_detection.detectors.lof import LOF
from anomaly_detection.detectors.pca import PCA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

N_TRAIN, N_BATCH = 20_000, 1_000


def clusters(n: int, d: int, seed: int) -> NDArray[np.float32]:
    """Rows in eight clusters."""
    rng = np.random.default_rng(seed)
    centres = 3 * np.random.default_rng(0).standard_normal((8, d))
    return (centres[rng.integers(0, 8, n)] + rng.standard_normal((n, d))).astype(np.float32)


def one_cloud(n: int, d: int, seed: int) -> NDArray[np.float32]:
    """Independent normal columns: nothing that a search could use."""
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def flat(n: int, d: int, seed: int) -> NDArray[np.float32]:
    """Columns that follow four hidden ones."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(0).standard_normal((4, d))
    return (rng.standard_normal((n, 4)) @ mix + 0.05 * rng.standard_normal((n, d))).astype(np.float32)


TABLES = (
    (clusters, "in clusters", 3, 0),
    (clusters, "in clusters", 30, 2),
    (clusters, "in clusters", 100, 2),
    (flat, "flat", 30, 2),
    (one_cloud, "cloud", 30, 0),
    (one_cloud, "cloud", 100, 0),
)
"""What is measured, and the least ratio for a batch, 0 for none: in a cloud no distance can be skipped,
and BLAS adds up faster; in three columns PyOD's tree is as good."""


def furthest_apart(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> str:
    """The largest relative difference, which has to be below 1e-4."""
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)
    return f"relative difference {np.abs(ours / theirs - 1).max():.0e}"


def knn_lines(
    report: Report, name: str, train: NDArray[np.float32], rows: NDArray[np.float32], at_least: float
) -> None:
    """One row and a batch, against PyOD as installed and scikit-learn's brute force."""
    ours, pyod, brute = KNN().fit(train), knn.KNN().fit(train), NearestNeighbors(algorithm="brute").fit(train)
    one, first = rows[:1], rows[0]
    check = furthest_apart(ours.score(rows), pyod.decision_function(rows))
    seconds = cpu_seconds(
        {
            "KNN": lambda: ours.score(rows),
            "PyOD": lambda: pyod.decision_function(rows),
            "brute force": lambda: brute.kneighbors(rows, 5),
        },
        rounds=5,
    )
    alone = cpu_seconds(
        {"KNN": lambda: ours.score_row(first), "PyOD": lambda: pyod.decision_function(one)},
        rounds=5,
        calls={"KNN": 100, "PyOD": 10},
    )
    where = f"KNN, {N_TRAIN:,} x {train.shape[1]} {name}"
    report.ratio(f"{where}, one row", alone, "KNN", "PyOD", at_least=5, check=check)
    report.ratio(f"{where}, {N_BATCH:,} rows", seconds, "KNN", "PyOD", at_least=at_least, check=check)
    report.ratio(f"{where}, {N_BATCH:,} rows", seconds, "KNN", "brute force", at_least=at_least, check=check)


def fit_lines(report: Report, train: NDArray[np.float32], rows: NDArray[np.float32]) -> None:
    """Fitting each, and scoring with LOF and PCA."""
    ours_lof, ours_pca = LOF().fit(train), PCA().fit(train)
    pyod_lof, pyod_pca = lof.LOF().fit(train), pca.PCA().fit(train)
    check = furthest_apart(ours_lof.score(rows), pyod_lof.decision_function(rows))
    seconds = cpu_seconds(
        {
            "LOF": lambda: ours_lof.score(rows),
            "PyOD LOF": lambda: pyod_lof.decision_function(rows),
            "LOF fit": lambda: LOF().fit(train),
            "PyOD LOF fit": lambda: lof.LOF().fit(train),
            "KNN fit": lambda: KNN().fit(train),
            "PyOD KNN fit": lambda: knn.KNN().fit(train),
            "PCA": lambda: ours_pca.score(rows),
            "PyOD PCA": lambda: pyod_pca.decision_function(rows),
            "PCA fit": lambda: PCA().fit(train),
            "PyOD PCA fit": lambda: pca.PCA().fit(train),
        },
        rounds=3,
        calls={"PCA": 20, "PyOD PCA": 20},
    )
    for name, agreement in (("LOF", check), ("LOF fit", check), ("KNN fit", ""), ("PCA", ""), ("PCA fit", "")):
        report.ratio(f"{name}, 20,000 x 30", seconds, name, f"PyOD {name}", at_least=1, check=agreement)


def quality_line(report: Report, folder: Path) -> None:
    """Mean AUROC of PCA and of PyOD's, fitted on half of the normal rows and scored on the rest."""
    ours, theirs = [], []
    for X, label in labelled(folder):
        fitted = (np.arange(len(X)) % 2 == 0) & (label == 0)
        try:
            theirs.append(roc_auc_score(label[~fitted], pca.PCA().fit(X[fitted]).decision_function(X[~fitted])))
        except ValueError:  # where a variance is 0, PyOD's scores are infinite
            continue
        ours.append(roc_auc_score(label[~fitted], PCA().fit(X[fitted]).score(X[~fitted])))
    measured = f"mean AUROC {np.mean(ours):.3f} against {np.mean(theirs):.3f} of PyOD on {len(ours)} sets it can score"
    report.add("PCA, detection", measured, ">= PyOD", holds=np.mean(ours) >= np.mean(theirs))


def labelled(folder: Path) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """The features and labels of each table, at most 6,000 rows drawn at random."""
    for path in sorted((folder / "tabular").glob("*.parquet")):
        frame = pl.read_parquet(path)
        frame = frame.sample(min(6_000, len(frame)), shuffle=True, seed=0)
        features = [name for name in frame.columns if name.startswith("f") and name[1:].isdigit()]
        yield frame.select(features).to_numpy().astype(np.float32), frame["label"].to_numpy().astype(np.int64)


def main() -> int:
    options = arguments(__doc__)
    warnings.simplefilter("ignore")
    report = Report("Neighbours and principal axes")
    for make, name, d, at_least in TABLES:
        knn_lines(report, name, make(N_TRAIN, d, 1), make(N_BATCH, d, 2), at_least)
    fit_lines(report, clusters(N_TRAIN, 30, 1), clusters(N_BATCH, 30, 2))
    if options.data is not None:
        quality_line(report, options.data)
    return report.publish(options.json)


if __name__ == "__main__":
    sys.exit(main())
