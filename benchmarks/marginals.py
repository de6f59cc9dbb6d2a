"""ECOD, COPOD and HBOS against PyOD: one row, a batch, fitting, the size of a model, and whether the scores agree.

    python benchmarks/marginals.py [--json FILE]

20,000 x 20 training rows with a planted 1 %. ECOD and COPOD are compared row by row with PyOD's answer for the same
row alone (its distributions take in the rows it predicts; ours are frozen). PyOD's histogram adds 0.1 to a density
whatever the unit, so HBOS is compared by ranks and by AUROC.
"""

from __future__ import annotations

from _timing import Report, arguments, cpu_seconds

# isort: split
import pickle
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from pyod.models import copod, ecod, hbos
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors.copod import COPOD
from anomaly_detection.detectors.ecod import ECOD
from anomaly_detection.detectors.hbos import HBOS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from anomaly_detection.detectors.base import Detector

ROWS, FEATURES, PLANTED = 20_000, 20, 200


def data(seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Features of several shapes; the planted rows are far out in three of them."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, FEATURES))
    X[:, ::3] = rng.exponential(size=X[:, ::3].shape)
    X[:, 1::3] = -rng.gamma(2.0, size=X[:, 1::3].shape)
    y = np.zeros(ROWS, dtype=np.int64)
    y[:PLANTED] = 1
    for row in range(PLANTED):
        X[row, rng.choice(FEATURES, 3, replace=False)] *= 4
    return X.astype(np.float32), y


def agree_alone(ours: Detector, theirs: Any, test: NDArray[np.float32]) -> str:
    """The largest relative difference from PyOD's scores of rows predicted one at a time."""
    expected = np.array([theirs.decision_function(row[None].astype(np.float64))[0] for row in test])
    worst = float(np.max(np.abs(ours.score(test) - expected) / expected))
    if worst > 1e-5:
        raise AssertionError(f"{ours!r} differs from PyOD by {worst:.2g}")
    return f"scores within {worst:.1e}"


def agree_in_rank(ours: Detector, theirs: Any, test: NDArray[np.float32], y: NDArray[np.int64]) -> str:
    """Rank correlation with PyOD on a batch, and both AUROCs."""
    mine, other = ours.score(test), theirs.decision_function(test.astype(np.float64))
    correlation = float(spearmanr(mine, other).statistic)
    aurocs = float(roc_auc_score(y, mine)), float(roc_auc_score(y, other))
    if correlation < 0.9 or aurocs[0] < aurocs[1] - 0.02:
        raise AssertionError(f"{ours!r}: rank correlation {correlation:.3f}, AUROC {aurocs[0]:.3f} and {aurocs[1]:.3f}")
    return f"rank correlation {correlation:.4f}, AUROC {aurocs[0]:.3f} (PyOD {aurocs[1]:.3f})"


def kilobytes(detector: Detector) -> float:
    """The arrays a fitted detector saves."""
    return sum(array.nbytes for array in detector.state().values()) / 1024


def compare(report: Report, name: str, ours: Detector, theirs: Any, *, check: Callable[..., str], batch: float) -> None:
    """One row, a batch of 20,000, fitting, and the size of the model."""
    train, _ = data(0)
    test, y = data(1)
    ours.fit(train)
    theirs.fit(train.astype(np.float64))
    checked = check(ours, theirs, test, y)
    row, wide = test[0], test[:1].astype(np.float64)
    one = cpu_seconds(
        {"ours": partial(ours.score_row, row), "PyOD": partial(theirs.decision_function, wide)},
        rounds=5,
        calls={"ours": 5000, "PyOD": 5},
    )
    report.ratio(f"{name}, one row", one, "ours", "PyOD", at_least=50, check=checked)
    many = cpu_seconds(
        {"ours": partial(ours.score, test), "PyOD": partial(theirs.decision_function, test.astype(np.float64))},
        rounds=3,
    )
    report.ratio(f"{name}, {ROWS:,} rows", many, "ours", "PyOD", at_least=batch, check=checked)
    wide_train = train.astype(np.float64)
    fits = cpu_seconds({"ours": partial(ours.clone().fit, train), "PyOD": partial(theirs.fit, wide_train)}, rounds=3)
    report.ratio(f"{name}, fit", fits, "ours", "PyOD", at_least=1, check="PyOD's fit scores the rows as well")
    mine, other = kilobytes(ours), len(pickle.dumps(theirs)) / 1024
    report.add(f"{name}, model", f"{mine:,.0f} kB (PyOD {other:,.0f} kB)", "<= 512 kB", holds=mine <= 512)


def main() -> int:
    """Run all and print the table."""
    given = arguments(__doc__)
    report = Report("One feature at a time")
    for name, kind, peer in (("ECOD", ECOD, ecod.ECOD), ("COPOD", COPOD, copod.COPOD)):
        compare(report, name, kind(), peer(), check=alone_with_every_point(kind), batch=3)
    compare(report, "HBOS", HBOS(n_bins=10), hbos.HBOS(), check=agree_in_rank, batch=5)
    return report.publish(given.json)


def alone_with_every_point(kind: type[ECOD | COPOD]) -> Callable[..., str]:
    """Exact equality with all points kept, and the rank correlation of the default with PyOD's batch."""

    def check(ours: Detector, theirs: Any, test: NDArray[np.float32], y: NDArray[np.int64]) -> str:
        exact = kind(quantile_points=ROWS).fit(data(0)[0])
        return f"{agree_alone(exact, theirs, test[:10])} of PyOD's; {agree_in_rank(ours, theirs, test, y)}"

    return check


if __name__ == "__main__":
    raise SystemExit(main())
