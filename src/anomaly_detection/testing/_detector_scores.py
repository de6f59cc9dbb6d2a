"""What detectors promise about scores: that they belong to the row, the seed and the state alone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from anomaly_detection.testing._detector_data import crowd, native, require, require_equal, require_finite

if TYPE_CHECKING:
    from anomaly_detection.testing._detector_data import Make

CHUNKS = (1, 3, 17, 64)


def scores_are_float64_finite_and_one_per_row(make: Make) -> None:
    """One finite float64 per row, for rows fitted on and for new ones."""
    X, space = native(make)
    detector = make()
    require(detector.fit(X, space) is detector, "fit does not return the detector itself.")
    require_finite(detector.score(X), len(X), "rows fitted on")
    require_finite(detector.score(native(make, 50, seed=9)[0]), 50, "new rows")


def rows_alone_score_as_in_a_batch(make: Make) -> None:
    """Row by row, all at once, in any order and any chunking: the same bits."""
    X, space = native(make)
    detector = make().fit(X, space)
    rows = native(make, 101, seed=2)[0]
    together = detector.score(rows)
    require_equal(detector.score(rows[::-1])[::-1], together, "rows in reverse order")
    for size in CHUNKS:
        parts = [detector.score(rows[start : start + size]) for start in range(0, len(rows), size)]
        require_equal(np.concatenate(parts), together, f"chunks of {size}")


def score_row_equals_score(make: Make) -> None:
    """The way in for a single clean row gives the bits of ``score``."""
    X, space = native(make)
    detector = make().fit(X, space)
    rows = native(make, 60, seed=3)[0]
    alone = [detector.score_row(row) for row in rows]
    require(all(type(score) is float for score in alone), "score_row does not return a float.")
    require_equal(np.array(alone), detector.score(rows), "score_row")


def scoring_changes_nothing(make: Make) -> None:
    """Neither the rows nor the detector are touched by scoring; nor are the rows by fitting."""
    X, space = native(make)
    X.flags.writeable = False
    detector = make().fit(X, space)
    before = {name: array.tobytes() for name, array in detector.state().items()}
    first = detector.score(X)
    require_equal(detector.score(X), first, "scoring a second time")
    after = {name: array.tobytes() for name, array in detector.state().items()}
    require(before == after, "Scoring changes the state.")


def fitting_again_gives_the_same_scores(make: Make) -> None:
    """Same rows, same parameters (the seed among them): the same scores."""
    X, space = native(make)
    require_equal(make().fit(X, space).score(X), make().fit(X, space).score(X), "a second detector")


def fitting_again_forgets_what_was_before(make: Make) -> None:
    """``fit`` starts afresh."""
    X, space = native(make)
    detector = make().fit(crowd(200, seed=5) * 3 + 1)
    require_equal(detector.fit(X, space).score(X), make().fit(X, space).score(X), "a detector fitted before")


def saved_state_gives_the_same_scores(make: Make) -> None:
    """State survives a file without pickle, and a clone that takes it back gives the same bits."""
    X, space = native(make)
    detector = make().fit(X, space)
    objects = [name for name, array in detector.state().items() if np.asarray(array).dtype.hasobject]
    require(not objects, f"State is not plain arrays: {objects} hold Python objects.")
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **detector.state())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        restored = make().restore(dict(arrays), space)
    require(restored.is_fitted, "A restored detector says that it is not fitted.")
    rows = native(make, 80, seed=4)[0]
    require_equal(restored.score(rows), detector.score(rows), "a restored detector")
    require(restored.state().keys() == detector.state().keys(), "A restored detector has other state.")


def float32_and_float64_agree(make: Make) -> None:
    """The same numbers, as float32, float64 or in another memory layout, give the same scores."""
    X, space = native(make)
    expected = make().fit(X, space).score(X)
    wide = X.astype(np.float64)
    require_equal(make().fit(wide, space).score(wide), expected, "float64")
    turned = np.asfortranarray(X)
    require_equal(make().fit(turned, space).score(turned), expected, "column-major rows")
