"""INNE, GMM, EllipticEnvelope, ABOD and KDE against PyOD: one row, a batch, fitting, agreement and detection.

    python benchmarks/densities.py [--json FILE]

20,000 x 30 rows with planted anomalies; ABOD and KDE, which keep their rows, are fitted on 2,000. One row and batches
are timed with equal models: GMM with one component and no trimming, INNE with PyOD's own samples, KDE with PyOD's
bandwidth. Fitting and detection are those of our defaults. PyOD's ABOD has no weights, and its MCD draws subsets at
random: they are compared by ranks. PyOD's KDE gets a single leaf: in its tree, the densities of far rows lose digits.
"""

from __future__ import annotations

from _timing import Report, arguments, cpu_seconds

# isort: split
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from pyod.models import abod, gmm, inne, kde, mcd
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from anomaly_detection.detectors.abod import ABOD
from anomaly_detection.detectors.elliptic_envelope import EllipticEnvelope
from anomaly_detection.detectors.gmm import GMM
from anomaly_detection.detectors.inne import INNE
from anomaly_detection.detectors.kde import KDE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from anomaly_detection.detectors.base import Detector

    Make = Callable[[int, int], tuple[NDArray[np.float32], NDArray[np.int64]]]

ROWS, FEATURES, FEW = 20_000, 30, 2_000


def clusters(seed: int, n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Rows in eight clusters; one in a hundred has more than twice the variance."""
    rng = np.random.default_rng(seed)
    centres = 3 * np.random.default_rng(0).normal(size=(8, FEATURES))
    y = (np.arange(n) < n // 100).astype(np.int64)
    spread = np.where(y == 1, 1.6, 1.0)[:, None]
    return (centres[rng.integers(0, 8, n)] + spread * rng.normal(size=(n, FEATURES))).astype(np.float32), y


def one_cloud(seed: int, n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Rows of one correlated cloud; one in ten is moved off it, all of them to the same side."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(0).normal(size=(FEATURES, FEATURES)) / FEATURES**0.5 + np.eye(FEATURES)
    y = (np.arange(n) < n // 10).astype(np.int64)
    return (rng.normal(size=(n, FEATURES)) @ mix + 0.7 * y[:, None]).astype(np.float32), y


def agreement(ours: Detector, theirs: Any, test: NDArray[np.float32], within: float | None) -> str:
    """How far the scores are from PyOD's at most, relatively; or the rank correlation where they are not the same."""
    mine, other = ours.score(test), theirs.decision_function(test.astype(np.float64))
    if within is None:
        correlation = float(spearmanr(mine, other).statistic)
        if correlation < 0.9:
            raise AssertionError(f"{ours!r}: rank correlation {correlation:.3f} with PyOD")
        return f"rank correlation {correlation:.4f}"
    np.testing.assert_allclose(mine, other, rtol=within, atol=within)
    return f"scores within {np.max(np.abs(mine - other) / np.maximum(1e-9, np.abs(other))):.0e}"


def compare(
    report: Report,
    name: str,
    data: Make,
    models: tuple[Detector, Detector, Any],
    rows: int,
    within: float | None,
    one_row: float = 0,
) -> None:
    """All lines of one detector.

    Parameters
    ----------
    data : makes rows and labels from a seed and a number of rows.
    models : ours, fitted to be the same model as PyOD's; ours as a user gets it, unfitted; PyOD's, fitted.
    rows : how many rows both are fitted on, and score.
    within : relative tolerance of the scores; None compares ranks.
    one_row : least ratio for one row.
    """
    equal, default, theirs = models
    train, _ = data(1, rows)
    test, y = data(2, rows)
    checked = agreement(equal, theirs, test, within)
    row, wide, wide_test, wide_train = test[0], test[:1].astype(float), test.astype(float), train.astype(float)
    one = cpu_seconds(
        {"ours": partial(equal.score_row, row), "PyOD": partial(theirs.decision_function, wide)},
        rounds=5,
        calls={"ours": 2000, "PyOD": 5},
    )
    report.ratio(f"{name}, one row", one, "ours", "PyOD", at_least=one_row, check=checked)
    many = cpu_seconds(
        {"ours": partial(equal.score, test), "PyOD": partial(theirs.decision_function, wide_test)}, rounds=3
    )
    report.ratio(f"{name}, {rows:,} rows", many, "ours", "PyOD", at_least=0, check=checked)
    fits = cpu_seconds({"ours": partial(default.clone().fit, train), "PyOD": partial(theirs.fit, wide_train)}, rounds=3)
    report.ratio(f"{name}, fit", fits, "ours", "PyOD", at_least=0, check="PyOD's fit scores the rows as well")
    mine = roc_auc_score(y, default.clone().fit(train).score(test))
    other = roc_auc_score(y, theirs.decision_function(wide_test))
    report.add(
        f"{name}, detection", f"AUROC {mine:.3f} (PyOD {other:.3f})", ">= PyOD - 0.02", holds=mine >= other - 0.02
    )


def with_state(kind: type[Detector], train: NDArray[np.float32], **arrays: NDArray[Any]) -> Detector:
    """Our detector with arrays of PyOD's model in place of its own."""
    ours = kind().fit(train)
    return kind().restore({**ours.state(), **arrays}, ours.features_)


def main() -> int:
    options = arguments(__doc__)
    warnings.simplefilter("ignore")
    report = Report("Densities, balls and angles")
    train, few = clusters(1, ROWS)[0], clusters(1, FEW)[0]

    balls = inne.INNE(random_state=0).fit(train.astype(float))
    same_balls = with_state(INNE, train, centres_=balls._centroids.astype(np.float32))  # noqa: SLF001
    compare(report, "INNE", clusters, (same_balls, INNE(), balls), ROWS, 1e-4, one_row=50)

    mixture = gmm.GMM(random_state=0).fit(train.astype(float))
    same_mixture = GMM(1, trimmed=0.0, prior_rows=1e-6, max_rows=ROWS).fit(train)
    compare(report, "GMM", clusters, (same_mixture, GMM(), mixture), ROWS, 1e-4, one_row=50)

    one = one_cloud(1, ROWS)[0]
    robust = mcd.MCD(random_state=0).fit(one.astype(float))
    same_robust = EllipticEnvelope(0.5, prior_rows=1e-6, max_rows=ROWS).fit(one)
    compare(report, "EllipticEnvelope", one_cloud, (same_robust, EllipticEnvelope(), robust), ROWS, None)

    angles = abod.ABOD(n_neighbors=20).fit(few.astype(float))
    compare(report, "ABOD", clusters, (ABOD().fit(few), ABOD(), angles), FEW, None)

    smooth = kde.KDE(bandwidth=1.0, leaf_size=FEW).fit(few.astype(float))
    same_smooth = with_state(KDE, few, bandwidths_=np.ones(FEATURES))
    compare(report, "KDE", clusters, (same_smooth, KDE(), smooth), FEW, 1e-4)
    return report.publish(options.json)


if __name__ == "__main__":
    sys.exit(main())
