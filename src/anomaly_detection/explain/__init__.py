"""Why a record scored as it did, and what would make it normal, in terms of the user's own columns.

Everything asks the detector itself, in batches of altered copies of the record, so it is faithful to any of them:
``shapley`` says how much each column adds to the score, ``repairs`` which few columns carry it together,
``counterfactuals`` the smallest change to a normal record. Normal values are those of a few training rows that a
pipeline keeps (``background``).
"""

from anomaly_detection.explain.background import Background
from anomaly_detection.explain.counterfactuals import Counterfactual
from anomaly_detection.explain.explainer import Explainer, Yardstick
from anomaly_detection.explain.explanation import Explanation
from anomaly_detection.explain.reasons import Reason

__all__ = ["Background", "Counterfactual", "Explainer", "Explanation", "Reason", "Yardstick"]
