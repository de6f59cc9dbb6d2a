"""How close the false-positive rate comes to α on normal rows that were held back.

For each tabular data set with enough normal rows: fit and calibrate on a random half of the normal rows, score the
other half, and count p <= α. Run: python benchmarks/calibration.py DATA_DIR --detectors forest knn
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anomaly_detection.calibration import Calibrator, calibration_scores
from anomaly_detection.catalog import DETECTORS
from anomaly_detection.thresholds import choose_alpha

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ALPHAS = (0.01, 0.05)
NOT_FEATURES = {"label", "is_train", "attack", "scenario", "alert_tag", "fault", "workload"}


class Forest:
    """scikit-learn's isolation forest, higher is more anomalous."""

    def fit(self, X: NDArray[np.float64]) -> Forest:
        from sklearn.ensemble import IsolationForest

        self.model = IsolationForest(random_state=0).fit(X)
        return self

    def score(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return -self.model.score_samples(X)


class Neighbours:
    """The distance to the fifth nearest training row."""

    def fit(self, X: NDArray[np.float64]) -> Neighbours:
        from sklearn.neighbors import NearestNeighbors

        self.model = NearestNeighbors(n_neighbors=5).fit(X)
        return self

    def score(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.model.kneighbors(X)[0][:, -1]


STAND_INS = {"forest": Forest, "knn": Neighbours}


def make(name: str) -> Any:
    """A stand-in from scikit-learn, or one of our detectors."""
    return STAND_INS[name]() if name in STAND_INS else DETECTORS.load(name)()


def matrices(data: Path, fewest: int, most: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The normal rows of each set, numbers scaled, categories as 0/1 columns."""
    manifest = pl.read_csv(data / "manifest.csv").filter(pl.col("kind") == "tabular")
    for row in manifest.iter_rows(named=True):
        if row["rows"] - row["n_anomalies"] < fewest:
            continue
        file = data / row["file"]
        frame = pl.concat([pl.read_parquet(f) for f in (sorted(file.glob("*.parquet")) if file.is_dir() else [file])])
        features = frame.filter(pl.col("label") == 0).drop(NOT_FEATURES & set(frame.columns))
        numbers = features.to_dummies(features.select(pl.col(pl.String)).columns).to_numpy().astype(np.float64)
        numbers = np.random.default_rng(0).permutation(np.nan_to_num(numbers))[:most]
        spread = numbers.std(axis=0)
        yield row["name"], (numbers[:, spread > 0] - numbers[:, spread > 0].mean(axis=0)) / spread[spread > 0]


def rates(name: str, X: NDArray[np.float64], seed: int, **how: Any) -> tuple[list[float], float]:
    """The false-positive rate at each α, and the automatic α."""
    rows = np.random.default_rng(seed).permutation(len(X))
    known, held_back = X[rows[: len(X) // 2]], X[rows[len(X) // 2 :]]

    fitted = []

    def fit_and_score(fit: NDArray[np.int64], score: NDArray[np.int64]) -> NDArray[np.float64]:
        fitted.append(make(name).fit(known[fit]))
        return fitted[-1].score(known[score])

    calibration = calibration_scores(fit_and_score, len(known), seed=seed, **how)
    calibrator = Calibrator().fit(calibration)
    final = fitted[0] if how["method"] == "split" else make(name).fit(known)
    p = calibrator.p_value(final.score(held_back))
    return [float((p <= alpha).mean()) for alpha in ALPHAS], choose_alpha("auto", calibrator, calibration)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--detectors", nargs="+", default=["forest"])
    parser.add_argument("--method", default="cross")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--most-rows", type=int, default=8000)
    wish = parser.parse_args()
    sets = list(matrices(wish.data, fewest=2000, most=wish.most_rows))
    for name in wish.detectors:
        print(f"\n{name}, {wish.method}, {wish.folds} folds\n{'set':24} rows  columns  FPR at {ALPHAS}   auto alpha")
        table = []
        for label, X in sets:
            runs = [rates(name, X, seed, method=wish.method, folds=wish.folds) for seed in range(wish.seeds)]
            mean, auto = np.mean([r for r, _ in runs], axis=0), np.mean([a for _, a in runs])
            table.append(mean / ALPHAS)
            print(f"{label:24} {len(X):5} {X.shape[1]:5}    {mean[0]:.4f}  {mean[1]:.4f}   {auto:.4f}", flush=True)
        print(f"mean FPR / alpha: {np.mean(table, axis=0).round(3)}")


if __name__ == "__main__":
    main()
