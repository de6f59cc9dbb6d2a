"""What detectors that go on learning promise: order counts, chunks do not, and the state can be carried elsewhere."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, cast

import numpy as np

from anomaly_detection.detectors.online import OnlineDetector
from anomaly_detection.errors import InputError, NotFittedError, SchemaError
from anomaly_detection.features.space import FeatureSpace
from anomaly_detection.testing._detector_data import WIDTH, crowd, native, refused, require, require_equal, with_missing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

    from anomaly_detection.testing._detector_data import Make

CHUNKS = (1, 7, 64)
SHIFT = np.float32(4)
"""How far the crowd moves, in deviations."""

ENOUGH = 6000
"""So many rows make a change known to any detector."""


def updates_by_row_equal_updates_by_chunk(make: Make) -> None:
    """Row by row, in chunks or all at once, and by ``fit`` or by ``update``: the same state, the same scores."""
    rows = native(make, 700, seed=2)[0]
    together = started(make).update(rows)
    for size in CHUNKS:
        parts = started(make)
        for start in range(0, len(rows), size):
            require(parts.update(rows[start : start + size]) is parts, "update does not return the detector itself.")
        require_same_state(parts.state(), together.state(), f"chunks of {size}")
        require_equal(parts.score(rows), together.score(rows), f"scores after chunks of {size}")


def fitting_is_updating_from_nothing(make: Make) -> None:
    """``fit`` forgets what ``update`` learned."""
    X, space = native(make)
    used = started(make).update(native(make, 300, seed=5)[0] * 3 + 1)
    require_same_state(used.fit(X, space).state(), started(make).state(), "a detector fitted again")


def scoring_between_updates_changes_nothing(make: Make) -> None:
    """A stream that is scored on the way leaves the same state as one that is not; nor are its rows touched."""
    rows = native(make, 300, seed=3)[0]
    rows.flags.writeable = False
    silent, scored = started(make).update(rows), started(make)
    for start in range(0, len(rows), 50):
        scored.score(rows[start:])
        scored.update(rows[start : start + 50])
        scored.score(rows)
    require_same_state(scored.state(), silent.state(), "a detector that scored between updates")


def score_update_equals_score_and_then_update(make: Make) -> None:
    """Each row is scored before it is learned, with the bits of ``score``, also where windows and samples fill up."""
    rows = native(make, 600, seed=4)[0]
    at_once, in_turns = started(make, 20), started(make, 20)
    expected = np.empty(len(rows))
    for i in range(len(rows)):
        expected[i] = in_turns.score(rows[i : i + 1])[0]
        in_turns.update(rows[i : i + 1])
    require_equal(at_once.score_update(rows), expected, "score_update")
    require_same_state(at_once.state(), in_turns.state(), "score_update")


def a_restored_detector_goes_on_alike(make: Make) -> None:
    """Saved in the middle of a stream and restored, it learns and scores the rest alike; what was saved stays."""
    rows, space = native(make, 600, seed=6)
    detector = started(make).update(rows[:250])
    file = io.BytesIO()
    handed_out = detector.state()
    np.savez(file, allow_pickle=False, **handed_out)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        saved = dict(arrays)
        restored = cast("OnlineDetector", make()).restore(saved, space)
    require_equal(restored.score_update(rows[250:]), detector.score_update(rows[250:]), "the rest of the stream")
    require_same_state(restored.state(), detector.state(), "a restored detector, later")
    require_same_state(handed_out, saved, "state handed out before, after more updates of the detector")
    again = cast("OnlineDetector", make()).restore(saved, space)
    require_same_state(again.state(), handed_out, "saved state, after more updates of the detector restored from it")


def state_stays_bounded(make: Make) -> None:
    """A thousand rows or many: the state takes as many bytes."""
    detector = started(make).update(crowd(700, seed=7))
    before = sum(array.nbytes for array in detector.state().values())
    detector.update(crowd(ENOUGH, seed=8))
    after = sum(array.nbytes for array in detector.state().values())
    require(after <= before, f"The state grew from {before:,} to {after:,} bytes in {ENOUGH:,} updates.")


def what_becomes_normal_scores_lower(make: Make) -> None:
    """After a shift that lasts, the scores of the new normal rows lose at least half of their excess."""
    detector = make_online(make).fit(crowd(600))
    usual = float(np.median(detector.score(crowd(200, seed=9))))
    new = crowd(200, seed=10) + SHIFT
    first = float(np.median(detector.score(new))) - usual
    detector.update(crowd(ENOUGH, seed=11) + SHIFT)
    left = float(np.median(detector.score(new))) - usual
    require(first > 0, "Rows four deviations away score no higher than usual ones.")
    require(
        left < 0.5 * first, f"After {ENOUGH:,} rows of the new normal, {left:.3g} of an excess of {first:.3g} is left."
    )


def updates_that_cannot_be_learned_are_refused(make: Make) -> None:
    """Before fitting, of another width, or with missing values; zero rows change nothing."""
    with refused(NotFittedError, "fit", what="updating before fitting"):
        make_online(make).update(crowd(3))
    detector = make_online(make).fit(crowd(), FeatureSpace.of_numbers(WIDTH))
    before = detector.state()
    with refused(SchemaError, "7", "4", what="updating with 7 columns instead of 4"):
        detector.update(np.zeros((2, 7)))
    if not detector.tags.missing:
        with refused(InputError, "missing", what="updating with missing values"):
            detector.update(with_missing(crowd()))
    require(len(detector.update(np.empty((0, WIDTH))).score_update(np.empty((0, WIDTH)))) == 0, "No rows have scores.")
    require_same_state(detector.state(), before, "refused or empty updates")


def started(make: Make, n: int = 300) -> OnlineDetector:
    """A detector that learned its first rows."""
    return make_online(make).fit(*native(make, n))


def make_online(make: Make) -> OnlineDetector:
    """An unfitted detector, which has to have what its tag promises."""
    detector = make()
    require(isinstance(detector, OnlineDetector), f"{type(detector).__name__} is tagged online without update.")
    return cast("OnlineDetector", detector)


def require_same_state(found: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]], what: str) -> None:
    """Fail unless two states are equal, bit for bit."""
    different = [name for name in expected if name not in found or found[name].tobytes() != expected[name].tobytes()]
    require(found.keys() == expected.keys() and not different, f"{what}: the state differs in {different}.")
