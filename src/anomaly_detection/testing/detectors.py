"""The contract suite of detectors: one check for every promise a detector makes.

In the tests of a package that brings a detector of its own::

    import pytest
    from anomaly_detection.testing import detector_checks
    from my_package import MyDetector

    @pytest.mark.parametrize("check", detector_checks(MyDetector), ids=str)
    def test_contract(check):
        check()

A promise that a detector cannot keep is exempted by name and with a reason; an exemption that is no longer needed
fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.testing import _detector_inputs as inputs
from anomaly_detection.testing import _detector_online as online
from anomaly_detection.testing import _detector_quality as quality
from anomaly_detection.testing import _detector_scores as scores
from anomaly_detection.testing import _detector_words as words
from anomaly_detection.testing._promises import PromiseCheck, known_reasons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anomaly_detection.detectors.base import Detector, Tags
    from anomaly_detection.testing._detector_data import Make

ONLINE: tuple[Callable[[Make], None], ...] = (
    online.updates_by_row_equal_updates_by_chunk,
    online.fitting_is_updating_from_nothing,
    online.scoring_between_updates_changes_nothing,
    online.score_update_equals_score_and_then_update,
    online.a_restored_detector_goes_on_alike,
    online.state_stays_bounded,
    online.what_becomes_normal_scores_lower,
    online.updates_that_cannot_be_learned_are_refused,
)

PROMISES: tuple[Callable[[Make], None], ...] = (
    scores.scores_are_float64_finite_and_one_per_row,
    scores.rows_alone_score_as_in_a_batch,
    scores.score_row_equals_score,
    scores.scoring_changes_nothing,
    scores.fitting_again_gives_the_same_scores,
    scores.fitting_again_forgets_what_was_before,
    scores.saved_state_gives_the_same_scores,
    scores.float32_and_float64_agree,
    inputs.missing_values_are_information,
    inputs.missing_values_are_refused,
    inputs.categories_score_and_unseen_ones_too,
    inputs.categories_are_refused,
    inputs.wrong_width_names_both,
    inputs.scoring_before_fitting_is_refused,
    inputs.one_row_is_fitted_or_refused,
    inputs.zero_rows_give_zero_scores,
    inputs.duplicates_give_finite_scores,
    inputs.constant_columns_give_finite_scores,
    inputs.infinite_values_give_finite_scores,
    inputs.huge_values_give_finite_scores,
    inputs.what_is_no_matrix_is_refused,
    quality.a_planted_outlier_scores_highest,
    quality.beats_a_per_feature_z_score,
    quality.explanations_name_the_column_at_fault,
    *ONLINE,
    words.parameters_are_the_signature,
    words.a_clone_is_equal_and_not_fitted,
    words.parameters_out_of_range_are_refused,
    words.unknown_parameters_are_refused,
)

APPLIES: Mapping[str, Callable[[Tags], bool]] = {
    "rows_alone_score_as_in_a_batch": lambda tags: tags.batch_invariant,
    "score_row_equals_score": lambda tags: tags.batch_invariant and tags.one_row,
    "missing_values_are_information": lambda tags: tags.missing,
    "missing_values_are_refused": lambda tags: not tags.missing,
    "categories_score_and_unseen_ones_too": lambda tags: tags.categories,
    "categories_are_refused": lambda tags: not tags.categories,
    **dict.fromkeys((promise.__name__ for promise in ONLINE), lambda tags: tags.online),
}
"""Promises that depend on what a detector's tags say; all others hold for every detector."""


class DetectorCheck(PromiseCheck["Detector"]):
    """One promise, held against one detector; see :class:`~anomaly_detection.testing._promises.PromiseCheck`."""

    __slots__ = ()


def detector_checks(
    make: Callable[[], Detector], *, name: str | None = None, exempt: Mapping[str, str] | None = None
) -> list[DetectorCheck]:
    """Every check that applies to a detector, by what its tags say.

    Parameters
    ----------
    make : makes an unfitted detector; its class, when the defaults will do. With a seed, if it has one.
    name : stands before the colon of the checks' identifiers; the class name when not given.
    exempt : promises it cannot keep, each with the reason.

    Raises
    ------
    UnknownNameError
        for an exemption from a promise that does not exist or does not apply.

    Examples
    --------
    >>> from anomaly_detection.detectors.mad import MAD
    >>> checks = detector_checks(MAD, exempt={"beats_a_per_feature_z_score": "looks at one feature at a time"})
    >>> str(checks[0])
    'MAD:scores_are_float64_finite_and_one_per_row'
    >>> checks[0]()
    """
    example = make()
    applying = [one for one in PROMISES if one.__name__ not in APPLIES or APPLIES[one.__name__](example.tags)]
    reasons = known_reasons(applying, exempt)
    subject = name or type(example).__name__
    return [DetectorCheck(subject, one, make, reasons.get(one.__name__)) for one in applying]
