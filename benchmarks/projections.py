"""Extended isolation forest, LODA, CBLOF and one-class SVM against PyOD and scikit-learn: one row, a batch, fitting.

    python benchmarks/projections.py [--json FILE]

20,000 x 20 training rows in eight crowds with 1 % planted between them. The exact one-class SVM is fitted on 4,000
rows, ours and theirs on the same, and gives scikit-learn's scores in another unit. The others draw their own random
numbers, so they are compared by AUROC. The extended forest has no peer in either library; its speed is held against
PyOD's plain forest.
"""

from __future__ import annotations

from _timing import Report, arguments, cpu_seconds, duration

# isort: split
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from pyod.models import cblof, iforest, loda, ocsvm
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import SGDOneClassSVM
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from anomaly_detection.detectors.cblof import CBLOF
from anomaly_detection.detectors.extended_isolation_forest import ExtendedIsolationForest
from anomaly_detection.detectors.linear_ocsvm import LinearOCSVM
from anomaly_detection.detectors.loda import LODA
from anomaly_detection.detectors.ocsvm import OCSVM

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from anomaly_detection.detectors.base import Detector

ROWS, FEATURES = 20_000, 20

SHARES = (0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.04, 0.01)
"""How the rows are divided among the crowds; with equal ones PyOD's CBLOF finds no large clusters and gives up."""

MACHINE_ROWS = 4_000
"""Rows the exact one-class SVM is fitted on."""


def data(seed: int, n: int = ROWS) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Eight crowds, and rows half-way between two of them."""
    rng = np.random.default_rng(seed)
    centres = 1.5 * np.random.default_rng(0).normal(size=(8, FEATURES))
    is_planted = np.arange(n) < n // 100
    first, second = (centres[rng.choice(8, n, p=SHARES)] for _ in range(2))
    places = np.where(is_planted[:, None], (first + second) / 2, first)
    X = places + rng.normal(size=(n, FEATURES)) * np.where(is_planted[:, None], 2.0, 1.0)
    order = rng.permutation(n)
    return X[order].astype(np.float32), is_planted[order]


def aurocs(
    ours: Detector, theirs: Callable[..., Any], name: str, rows: NDArray[np.float32], y: NDArray[np.bool_]
) -> str:
    """Both AUROCs; ours may not be below theirs by more than 0.02."""
    mine, other = roc_auc_score(y, ours.score(rows)), roc_auc_score(y, theirs(rows.astype(np.float64)))
    if mine < other - 0.02:
        raise AssertionError(f"{ours!r}: AUROC {mine:.3f}; {name} {other:.3f}")
    return f"AUROC {mine:.3f} ({name} {other:.3f})"


def agree(ours: OCSVM, theirs: Any, rows: NDArray[np.float32]) -> str:
    """The largest difference from PyOD's scores divided by the sum of its weights, relative to the largest score."""
    expected = theirs.decision_function(rows.astype(np.float64)) / theirs.dual_coef_.sum()
    worst = float(np.max(np.abs(ours.score(rows) - expected)) / np.max(np.abs(expected)))
    if worst > 1e-5:
        raise AssertionError(f"{ours!r} differs from PyOD by {worst:.2g}")
    return f"scores within {worst:.1e}"


def compare(report: Report, name: str, ours: Detector, theirs: Any, train: NDArray[np.float32]) -> None:
    """One row, a batch of 20,000, and fitting, against PyOD."""
    test, y = data(1)
    wide_train, wide = train.astype(np.float64), test.astype(np.float64)
    ours.fit(train)
    theirs.fit(wide_train)
    check = aurocs(ours, theirs.decision_function, "PyOD", test, y)
    if isinstance(ours, OCSVM):
        check = f"{agree(ours, theirs, test)}, {check}"
    one = cpu_seconds(
        {"ours": partial(ours.score_row, test[0]), "PyOD": partial(theirs.decision_function, wide[:1])},
        rounds=5,
        calls={"ours": 500, "PyOD": 5},
    )
    report.ratio(f"{name}, one row", one, "ours", "PyOD", at_least=1, check=check)
    many = cpu_seconds({"ours": partial(ours.score, test), "PyOD": partial(theirs.decision_function, wide)}, rounds=3)
    report.ratio(f"{name}, {ROWS:,} rows", many, "ours", "PyOD", at_least=0, check=check)
    fits = cpu_seconds({"ours": partial(ours.clone().fit, train), "PyOD": partial(theirs.fit, wide_train)}, rounds=3)
    check = "PyOD's fit scores the rows as well"
    report.ratio(f"{name}, fit {len(train):,} rows", fits, "ours", "PyOD", at_least=0, check=check)


def linear_machine(report: Report) -> None:
    """The linear one-class SVM against scikit-learn's two steps and the exact one; and that its time is linear."""
    train, (test, y) = data(0)[0], data(1)
    ours, exact = LinearOCSVM().fit(train), OCSVM().fit(train)
    theirs = make_pipeline(
        Nystroem(gamma=ours.gamma_, n_components=256, random_state=0), SGDOneClassSVM(nu=0.5, random_state=0)
    )
    theirs.fit(train)
    check = aurocs(ours, lambda rows: -theirs.decision_function(rows), "scikit-learn's", test, y)
    check += f"; {aurocs(ours, exact.score, 'exact', test, y)}"
    one = cpu_seconds(
        {"ours": partial(ours.score_row, test[0]), "sklearn": partial(theirs.decision_function, test[:1])},
        rounds=5,
        calls={"ours": 500, "sklearn": 5},
    )
    report.ratio("linear one-class SVM, one row", one, "ours", "sklearn", at_least=1, check=check)
    both = {"ours": partial(ours.score, test), "sklearn": partial(theirs.decision_function, test)}
    many = cpu_seconds(both, rounds=3)
    report.ratio(f"linear one-class SVM, {ROWS:,} rows", many, "ours", "sklearn", at_least=0, check=check)
    fits = cpu_seconds({"ours": partial(ours.clone().fit, train), "sklearn": partial(theirs.fit, train)}, rounds=3)
    report.ratio(f"linear one-class SVM, fit {ROWS:,} rows", fits, "ours", "sklearn", at_least=0, check=check)
    sizes = {n: data(2, n)[0] for n in (100_000, 1_000_000)}
    times = cpu_seconds({f"{n:,}": partial(ours.clone().fit, rows) for n, rows in sizes.items()}, rounds=1)
    small, large = times.values()
    measured = f"{large / small:.1f} times as long as 100,000 rows ({duration(large)} against {duration(small)})"
    report.add("linear one-class SVM, fit 1,000,000 rows", measured, "<= 12 times", holds=large <= 12 * small)


def main() -> int:
    """Run all and print the table."""
    given = arguments(__doc__)
    warnings.filterwarnings("ignore", category=FutureWarning)
    report = Report("Projections, clusters and support vectors")
    train = data(0)[0]
    compare(
        report,
        "extended isolation forest (PyOD: plain)",
        ExtendedIsolationForest(),
        iforest.IForest(random_state=0),
        train,
    )
    compare(report, "LODA", LODA(), loda.LODA(random_state=0), train)
    compare(report, "CBLOF", CBLOF(n_clusters=8), cblof.CBLOF(n_clusters=8, random_state=0), train)
    compare(report, "one-class SVM", OCSVM(), ocsvm.OCSVM(gamma="scale"), data(0, MACHINE_ROWS)[0])
    linear_machine(report)
    return report.publish(given.json)


if __name__ == "__main__":
    raise SystemExit(main())
