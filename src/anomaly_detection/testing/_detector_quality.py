"""What detectors promise to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.explain.normal import reference_row
from anomaly_detection.explain.shapley import contributions
from anomaly_detection.features.space import Feature, FeatureSpace
from anomaly_detection.testing._detector_data import WIDTH, crowd, require

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anomaly_detection.testing._detector_data import Make

MARGIN = 0.1
"""By how much the area under the ROC curve has to exceed that of the z-score."""


def a_planted_outlier_scores_highest(make: Make) -> None:
    """A row far out in every feature scores above all others, whether it was fitted on or not: higher is worse."""
    outlier = np.full((1, WIDTH), 25, dtype=np.float32)
    new = crowd(200, seed=8)
    for rows in (crowd(), np.concatenate([crowd(), outlier])):
        detector = make().fit(rows)
        require(
            detector.score(outlier)[0] > detector.score(new).max(),
            f"A row 25 deviations out does not score highest (fitted on {len(rows)} rows).",
        )


def beats_a_per_feature_z_score(make: Make) -> None:
    """Rows that are ordinary in every feature, but not together, are found better than by the largest z-score."""
    train, _ = tied_together(600, 0, seed=10)
    rows, is_planted = tied_together(400, 40, seed=11)
    ours = area_under_roc(is_planted, make().fit(train).score(rows))
    z = np.abs(rows - train.mean(axis=0)) / train.std(axis=0)
    theirs = area_under_roc(is_planted, z.max(axis=1))
    require(ours >= theirs + MARGIN, f"AUROC {ours:.3f}; the largest z-score has {theirs:.3f}.")


def explanations_name_the_column_at_fault(make: Make) -> None:
    """One number per column of the user's table; the column made odd has the largest, and without it the score falls.

    The deletion test: with that column made normal, less than half of the score's excess over the median is left.
    """
    columns = ("pair", "pair", "long", "short")
    space = FeatureSpace(tuple(Feature(f"{column}.{i}", column) for i, column in enumerate(columns)))
    X = crowd()
    detector = make().fit(X, space)
    normal = reference_row(X, space)
    usual = float(np.median(detector.score(X)))
    for place, (column, positions) in enumerate(space.columns().items()):
        odd = normal[None, :].copy()
        odd[:, positions] = 25
        parts = contributions(detector.score, odd, normal[None, :], space)
        require(parts.shape == (1, 3), f"Three columns have contributions of shape {parts.shape}.")
        require(int(parts[0].argmax()) == place, f"Column {column!r} is at fault; contributions are {parts[0]}.")
        excess = float(detector.score(odd)[0]) - usual
        left = float(detector.score(normal[None, :])[0]) - usual
        require(left < 0.5 * excess, f"With {column!r} made normal, {left:.3g} of an excess of {excess:.3g} is left.")


def tied_together(n: int, planted: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Rows of four features that rise together, and planted ones in which two of them fall."""
    rng = np.random.default_rng(seed)
    is_planted = np.arange(n + planted) >= n
    base = rng.normal(size=n + planted)
    base[is_planted] = rng.choice([-1, 1], planted) * rng.uniform(0.6, 1.2, planted)
    signs = np.where(is_planted[:, None], [1, -1, 1, -1], 1)
    return (base[:, None] * signs + 0.1 * rng.normal(size=(n + planted, WIDTH))).astype(np.float32), is_planted


def area_under_roc(is_anomaly: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The probability that an anomaly scores above a normal row, ties counted half."""
    above = scores[is_anomaly][:, None] - scores[~is_anomaly][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))
