"""The label column a user has → true or false per row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from anomaly_detection.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ANOMALY_WORDS = frozenset({"1", "1.0", "true", "t", "yes", "y", "anomaly", "anomalous", "abnormal", "outlier", "-1"})
NORMAL_WORDS = frozenset({"0", "0.0", "false", "f", "no", "n", "normal", "regular", "inlier"})


def parse_labels(labels: ArrayLike | pl.Series) -> NDArray[np.bool_]:
    """Read labels as true for an anomaly, false for a normal record.

    Parameters
    ----------
    labels : (n,) booleans; 0 and 1; -1 (anomaly) and 1 (normal), scikit-learn's way; or words such as ``"anomaly"``
        and ``"normal"``, in any case.

    Returns
    -------
    (n,) bool.

    Raises
    ------
    InputError
        if a label is missing or is none of these; shows the values found.

    >>> parse_labels(["normal", "Anomaly"]), parse_labels([1, -1])
    (array([False,  True]), array([False,  True]))
    """
    series = labels if isinstance(labels, pl.Series) else pl.Series(np.asarray(labels).tolist(), strict=False)
    if series.null_count():
        raise InputError(
            f"{series.null_count()} of {len(series)} labels are missing. Leave those rows out, or label them."
        )
    words = series.cast(pl.String).str.strip_chars().str.to_lowercase()
    values = set(words.unique().to_list())
    if values <= {"1", "-1", "1.0", "-1.0"} and values & {"-1", "-1.0"}:
        return words.is_in(["-1", "-1.0"]).to_numpy()
    if not values <= ANOMALY_WORDS - {"-1"} | NORMAL_WORDS:
        found = ", ".join(map(repr, series.unique().sort().to_list()[:6]))
        raise InputError(
            f"Labels have to be 0 and 1, false and true, or 'normal' and 'anomaly'; found {found}"
            f"{', …' if len(values) > 6 else ''}. Name another label column, or translate its values."
        )
    return words.is_in(list(ANOMALY_WORDS)).to_numpy()
