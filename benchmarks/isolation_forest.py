"""Isolation forest against scikit-learn and coniferest: speed, size and quality, each with its check.

    python benchmarks/isolation_forest.py [--data DATA] [--json FILE]

DATA is a folder with ``manifest.csv`` (columns ``name, kind, file``) and Parquet files of features and a ``label``;
without it, quality is not measured.
"""

from __future__ import annotations

import io
import pickle
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from _timing import Report, arguments, cpu_seconds  # before numpy: it sets the number of threads

# isort: split

import numpy as np
import polars as pl
from coniferest.isoforest import IsolationForest as Coniferest
from sklearn.ensemble import IsolationForest as Sklearn
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors._forest_score_kernels import score_plain_row
from anomaly_detection.detectors.isolation_forest import IsolationForest
from anomaly_detection.features.space import MOST_CATEGORIES, Feature, FeatureSpace
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.registry.artifact import read_artifact, write_artifact

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from detectors import naive_forest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROWS, FEATURES, TREES, SAMPLES, SEEDS = 50_000, 78, 100, 256, 5


def speed(report: Report) -> None:
    """Batch, one row, fit and size on random numbers."""
    X = np.random.default_rng(0).standard_normal((ROWS, FEATURES)).astype(np.float32)
    ours = IsolationForest(n_estimators=TREES, max_samples=SAMPLES).fit(X)
    sklearn = Sklearn(n_estimators=TREES, max_samples=SAMPLES, random_state=0, n_jobs=1).fit(X)
    coniferest = Coniferest(n_trees=TREES, n_subsamples=SAMPLES, random_seed=0, n_jobs=1).fit(X)
    _batch(report, X, ours, sklearn, coniferest)
    _one_row(report, X, ours, sklearn, coniferest)
    _fit(report, X, ours, sklearn, coniferest)
    file = io.BytesIO()
    np.savez_compressed(file, **ours.state())
    size, peer = len(file.getvalue()), len(pickle.dumps(sklearn))
    restored = ours.clone().restore(ours.state(), ours.features_)
    equal = np.array_equal(restored.score(X[:5000]), ours.score(X[:5000]))
    report.add(
        "model size",
        f"1/{peer / size:.0f} of sklearn's pickle ({size:,} against {peer:,} bytes)",
        "<= 1/4",
        holds=size * 4 <= peer and equal,
        check=f"restored scores equal: {equal}",
    )


def whole_model(report: Report) -> None:
    """The folder of a registered model: forest, calibration, features, schema."""
    X = np.random.default_rng(0).standard_normal((ROWS, FEATURES)).astype(np.float32)
    frame = pl.DataFrame(X, schema=[f"f{i}" for i in range(FEATURES)])
    pipeline = Pipeline("isolation_forest", contamination=0.01).fit(frame)
    sklearn = Sklearn(n_estimators=TREES, max_samples=SAMPLES, random_state=0).fit(X)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        write_artifact(folder, *pipeline.state())
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        artifact = read_artifact(folder)
    equal = np.array_equal(Pipeline.from_state(artifact.spec, artifact.arrays).score(frame), pipeline.score(frame))
    peer = len(pickle.dumps(sklearn))
    report.add(
        "whole registered model, 10,000 calibration scores included",
        f"1/{peer / size:.1f} of sklearn's pickle ({size:,} against {peer:,} bytes)",
        "<= 1/4",
        holds=size * 4 <= peer and equal,
        check=f"loaded scores equal: {equal}",
    )


def _batch(
    report: Report, X: NDArray[np.float32], ours: IsolationForest, sklearn: Sklearn, coniferest: Coniferest
) -> None:
    holed, wild = _with_missing(X), _with_wild_rows(X)
    seconds = cpu_seconds(
        {
            "ours": lambda: ours.score(X),
            "ours, 1 % missing": lambda: ours.score(holed),
            "ours, 1 % beyond": lambda: ours.score(wild),
            "sklearn": lambda: sklearn.score_samples(X),
            "coniferest": lambda: coniferest.score_samples(X),
        }
    )
    some = np.concatenate([X[:500], holed[:500], wild[:300]])
    naive = naive_forest.score(
        naive_forest.trees_of(ours),
        some,
        ours.features_.n_categories,
        sample_rows=ours.sample_rows_,
        ranges=ours.ranges_,
        shares=ours.features_.shares,
    )
    check = f"naive scorer on the same trees: {np.abs(naive - ours.score(some)).max():.1e} off"
    what = f"batch {ROWS:,} x {FEATURES}"
    report.ratio(what, seconds, "ours", "sklearn", at_least=4, check=check)
    report.ratio(what, seconds, "ours", "coniferest", at_least=3, check=check)
    report.ratio(f"{what}, 1 % missing", seconds, "ours, 1 % missing", "sklearn", at_least=4, check=check)
    what = f"{what}, 1 % of the rows beyond the training range"
    report.ratio(what, seconds, "ours, 1 % beyond", "sklearn", at_least=4, check=check)


def _one_row(
    report: Report, X: NDArray[np.float32], ours: IsolationForest, sklearn: Sklearn, coniferest: Coniferest
) -> None:
    rows, wild = list(X[:2000]), X[:2000].copy()
    wild[:, 3] = 1e3
    model = ours._plain  # noqa: SLF001
    assert model is not None
    seconds = cpu_seconds(
        {
            "ours": lambda: [score_plain_row(row, *model) for row in rows],
            "beyond": lambda: [ours.score_row(row) for row in wild],
            "sklearn": lambda: [sklearn.score_samples(row[None]) for row in rows[:20]],
            "coniferest": lambda: [coniferest.score_samples(row[None]) for row in rows[:200]],
        }
    )
    one = {
        "ours": seconds["ours"] / 2000,
        "sklearn": seconds["sklearn"] / 20,
        "coniferest": seconds["coniferest"] / 200,
    }
    equal = np.array_equal([score_plain_row(row, *model) for row in rows], ours.score(X[:2000]))
    check = f"2,000 single rows equal the batch bit for bit: {equal}"
    report.add("one row", f"{one['ours'] * 1e6:.2f} µs", "<= 3 µs", holds=one["ours"] <= 3e-6 and equal, check=check)
    beyond = seconds["beyond"] / 2000
    equal = np.array_equal([ours.score_row(row) for row in wild], ours.score(wild))
    report.add(
        "one row beyond the training range",
        f"{beyond * 1e6:.2f} µs",
        "<= 10 µs",
        holds=beyond <= 10e-6 and equal,
        check=f"2,000 single rows equal the batch bit for bit: {equal}",
    )
    report.ratio("one row", one, "ours", "sklearn", at_least=1000, check=check)
    report.ratio("one row", one, "ours", "coniferest", at_least=1, check=check)


def _fit(
    report: Report, X: NDArray[np.float32], ours: IsolationForest, sklearn: Sklearn, coniferest: Coniferest
) -> None:
    seconds = cpu_seconds(
        {"ours": lambda: ours.fit(X), "sklearn": lambda: sklearn.fit(X), "coniferest": lambda: coniferest.fit(X)}
    )
    check = "detection quality below"
    report.ratio("fit", seconds, "ours", "sklearn", at_least=20, check=check)
    report.ratio("fit", seconds, "ours", "coniferest", at_least=0.4, check=check)


def _with_missing(X: NDArray[np.float32]) -> NDArray[np.float32]:
    holed = X.copy()
    holed[np.random.default_rng(1).random(X.shape) < 0.01] = np.nan
    return holed


def _with_wild_rows(X: NDArray[np.float32]) -> NDArray[np.float32]:
    wild = X.copy()
    wild[::100, 3] = 10.0
    return wild


def quality(report: Report, data: Path) -> None:
    """Mean area under the ROC curve over the tables of a folder, five seeds."""
    found: dict[str, list[tuple[float, float, float]]] = {"numbers": [], "with categories": []}
    for X, space, train, label in tables(data):
        kind = "with categories" if space.has_categories else "numbers"
        found[kind] += [_areas(X, space, train, label, seed) for seed in range(SEEDS)]
    for kind, areas in (*found.items(), ("all", [*found["numbers"], *found["with categories"]])):
        ours, codes, sklearn = np.mean(areas, axis=0)
        report.add(
            f"mean AUROC, {len(areas) // SEEDS} tables, {kind}",
            f"{ours:.4f} against sklearn's {sklearn:.4f}",
            "not below by > 0.01",
            holds=ours >= sklearn - 0.01,
            check=f"{SEEDS} seeds; categories as numbers: {codes:.4f}",
        )


def held_back(report: Report, data: Path) -> None:
    """Mean area under the ROC curve where new normal rows are told from anomalies, as a user of a model does."""
    areas = []
    for X, space, _, label in tables(data):
        for seed in range(SEEDS):
            normal = np.random.default_rng(seed).permutation(np.flatnonzero(label == 0))
            train, new = np.zeros(len(X), bool), np.ones(len(X), bool)
            train[normal[: len(normal) // 2]] = True
            new[train] = False
            areas.append(_areas(X, space, train, label, seed, new))
    ours, _, sklearn = np.mean(areas, axis=0)
    report.add(
        f"mean AUROC, {len(areas) // SEEDS} tables, fitted on half of the normal rows, the others and anomalies scored",
        f"{ours:.4f} against sklearn's {sklearn:.4f}",
        "not below by > 0.01",
        holds=ours >= sklearn - 0.01,
        check=f"{SEEDS} seeds",
    )


def _areas(
    X: NDArray[np.float32],
    space: FeatureSpace,
    train: NDArray[np.bool_],
    label: NDArray[np.int8],
    seed: int,
    scored: NDArray[np.bool_] | None = None,
) -> tuple[float, float, float]:
    ours = IsolationForest(random_state=seed).fit(X[train], space)
    numbers = IsolationForest(random_state=seed).fit(X[train]) if space.has_categories else ours
    sklearn = Sklearn(max_samples=min(256, int(train.sum())), random_state=seed).fit(X[train])
    if scored is not None:
        X, label = X[scored], label[scored]
    scores = (ours.score(X), numbers.score(X), -sklearn.score_samples(X))
    return tuple(float(roc_auc_score(label, score)) for score in scores)


def tables(data: Path) -> Iterator[tuple[NDArray[np.float32], FeatureSpace, NDArray[np.bool_], NDArray[np.int8]]]:
    """Each table of kind ``tabular``: matrix, what its columns mean, rows to fit on, labels."""
    manifest = pl.read_csv(data / "manifest.csv").filter(pl.col("kind") == "tabular")
    for name in manifest["file"]:
        frame = pl.read_parquet(data / name)
        names = [column for column in frame.columns if column.startswith("f") and column[1:].isdigit()]
        columns, features = zip(*(_column(frame[column]) for column in names), strict=True)
        train = frame["is_train"].to_numpy().astype(bool) if "is_train" in frame.columns else np.zeros(len(frame), bool)
        fitted = train if train.any() else np.ones(len(frame), bool)
        scored = np.column_stack(columns).astype(np.float32)
        yield scored, FeatureSpace(features), fitted, frame["label"].to_numpy()


def _column(column: pl.Series) -> tuple[NDArray[np.float64], Feature]:
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).to_numpy(), Feature(column.name, column.name)
    values = column.unique().drop_nulls().sort()
    codes = column.replace_strict(values, pl.int_range(len(values), eager=True), return_dtype=pl.Float64)
    known = len(values) if len(values) <= MOST_CATEGORIES else 0
    return codes.to_numpy(), Feature(column.name, column.name, "category" if known else "number", known)


def main() -> int:
    """Measure, print the table, fail when a bar does not hold."""
    given = arguments(__doc__)
    report = Report("Isolation forest")
    speed(report)
    whole_model(report)
    if given.data is not None:
        quality(report, given.data)
        held_back(report, given.data)
    return report.publish(given.json)


if __name__ == "__main__":
    sys.exit(main())
