"""Raw score → p-value: how probable is a score at least this high for a normal record?

A conformal p-value (Vovk, Gammerman & Shafer 2005) needs nothing but exchangeability: with n scores of normal rows the
detector was not fitted on, ``(1 + #{calibration >= s}) / (n + 1)``. It cannot go below ``1 / (n + 1)``, so all extreme
rows look alike. Beyond the largest few calibration scores a generalised-Pareto tail (Pickands 1975) takes over.
"""

from anomaly_detection.calibration.calibrator import Calibrator
from anomaly_detection.calibration.clusters import cluster_size, declustered
from anomaly_detection.calibration.following import Following
from anomaly_detection.calibration.held_out import FEWEST_ROWS, calibration_scores, check_rows
from anomaly_detection.calibration.ranks import Ranks
from anomaly_detection.calibration.tail import fit_tail, weighted_moments

__all__ = [
    "FEWEST_ROWS",
    "Calibrator",
    "Following",
    "Ranks",
    "calibration_scores",
    "check_rows",
    "cluster_size",
    "declustered",
    "fit_tail",
    "weighted_moments",
]
