"""The contract suite itself: sound detectors pass, and every kind of fault is found by the check it belongs to."""

from typing import ClassVar

import numpy as np
import pytest

from anomaly_detection.base import Range
from anomaly_detection.detectors import Tags
from anomaly_detection.detectors.mad import MAD
from anomaly_detection.errors import UnknownNameError
from anomaly_detection.testing import detector_checks
from testing.own_detectors import Mahalanobis, RecentGaussian


@pytest.mark.parametrize("check", [*detector_checks(Mahalanobis), *detector_checks(RecentGaussian)], ids=str)
def test_a_sound_detector_passes(check):
    check()


class SinglePrecision(Mahalanobis):
    def _score(self, X):
        return super()._score(X).astype(np.float32)


class SeesTheBatch(Mahalanobis):
    def _score(self, X):
        return super()._score(X) - X.mean()


class OtherWayIn(Mahalanobis):
    def score_row(self, row):
        return float(super()._score(row[None])[0]) + 1e-9


class Learning(Mahalanobis):
    def _score(self, X):
        self.mean_ = self.mean_ * 0.9
        return super()._score(X)


class Unseeded(Mahalanobis):
    def _fit(self, X):
        super()._fit(X)
        self.mean_ = self.mean_ + np.random.default_rng().normal()


class Remembering(Mahalanobis):
    def _fit(self, X):
        super()._fit(np.concatenate([X, getattr(self, "before", X[:0])]))
        self.before = X


class HalfSaved(Mahalanobis):
    learned = ("mean_",)

    def restore(self, state, features):
        self.metric_ = np.eye(len(features))
        return super().restore(state, features)


class ObjectState(Mahalanobis):
    def state(self):
        return {**super().state(), "extra": np.array([{}], dtype=object)}


class IgnoresMissing(Mahalanobis):
    tags = Tags(missing=True)

    def _fit(self, X):
        super()._fit(np.nan_to_num(X))

    def _score(self, X):
        return super()._score(np.where(np.isnan(X), self.mean_, X))


class CategoriesAsNumbers(Mahalanobis):
    tags = Tags(categories=True)

    def _score(self, X):
        return super()._score(X) * (X[:, -1] < 4)


class Upside(Mahalanobis):
    def _score(self, X):
        return -super()._score(X)


class LooksElsewhere(Mahalanobis):
    def _score(self, X):
        return np.abs(X[:, 0].astype(np.float64))


class Overflowing(Mahalanobis):
    def _score(self, X):
        with np.errstate(over="ignore"):
            return (super()._score(X).astype(np.float32) * np.float32(1e30)).astype(np.float64)


class DividesByZero(Mahalanobis):
    def _fit(self, X):
        super()._fit(X)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.metric_ = np.diag(1 / X.astype(np.float64).var(axis=0))

    def _score(self, X):
        with np.errstate(invalid="ignore"):
            return super()._score(X)


class Unruled(Mahalanobis):
    constraints: ClassVar = {}


class LooseRule(Mahalanobis):
    constraints: ClassVar = {"ridge": Range(-np.inf)}

    def validate(self):
        if not isinstance(self.ridge, float | int):
            super().validate()


class Drifting(Mahalanobis):
    def _fit(self, X):
        super()._fit(X)
        self.ridge = 0.5


class FittedClone(Mahalanobis):
    def clone(self, **changes):
        return super().clone(**changes).fit(np.eye(4)) if not changes else super().clone(**changes)


class LearnsChunks(RecentGaussian):
    def _update(self, X):
        super()._update(X.mean(axis=0, keepdims=True))


class Forgetful(RecentGaussian):
    def _begin(self, X):
        if not hasattr(self, "mean_"):
            super()._begin(X)


class LearnsByScoring(RecentGaussian):
    def _score(self, X):
        self.mean_ += 1e-9 * X[0]
        return super()._score(X)


class LearnsFirst(RecentGaussian):
    def _score_update(self, X):
        self._update(X)
        return self._score(X)


class KeepsASecret(RecentGaussian):
    learned = ("mean_",)

    def restore(self, state, features):
        self.covariance_ = np.eye(len(features))
        return super().restore(state, features)


class HandsOutItsOwn(RecentGaussian):
    def state(self):
        return {name: getattr(self, name) for name in ("limits_", *self.learned)}


class KeepsEveryRow(RecentGaussian):
    learned = ("mean_", "covariance_", "rows_")

    def _begin(self, X):
        super()._begin(X)
        self.rows_ = X[:0]

    def _update(self, X):
        super()._update(X)
        self.rows_ = np.concatenate([self.rows_, X])


class Stubborn(RecentGaussian):
    def __init__(self, rate=1e-9):
        super().__init__(rate)


class UpdatesUnfitted(RecentGaussian):
    def _checked(self, X):
        return X if self.is_fitted else X[:0]


class OnlineInName(Mahalanobis):
    tags = Tags(online=True)


FAULTS = {
    SinglePrecision: "scores_are_float64_finite_and_one_per_row",
    SeesTheBatch: "rows_alone_score_as_in_a_batch",
    OtherWayIn: "score_row_equals_score",
    Learning: "scoring_changes_nothing",
    Unseeded: "fitting_again_gives_the_same_scores",
    Remembering: "fitting_again_forgets_what_was_before",
    HalfSaved: "saved_state_gives_the_same_scores",
    ObjectState: "saved_state_gives_the_same_scores",
    IgnoresMissing: "missing_values_are_information",
    CategoriesAsNumbers: "categories_score_and_unseen_ones_too",
    Upside: "a_planted_outlier_scores_highest",
    LooksElsewhere: "explanations_name_the_column_at_fault",
    Overflowing: "huge_values_give_finite_scores",
    DividesByZero: "constant_columns_give_finite_scores",
    Unruled: "parameters_out_of_range_are_refused",
    LooseRule: "parameters_out_of_range_are_refused",
    Drifting: "parameters_are_the_signature",
    FittedClone: "a_clone_is_equal_and_not_fitted",
    LearnsChunks: "updates_by_row_equal_updates_by_chunk",
    Forgetful: "fitting_is_updating_from_nothing",
    LearnsByScoring: "scoring_between_updates_changes_nothing",
    LearnsFirst: "score_update_equals_score_and_then_update",
    KeepsASecret: "a_restored_detector_goes_on_alike",
    HandsOutItsOwn: "a_restored_detector_goes_on_alike",
    KeepsEveryRow: "state_stays_bounded",
    Stubborn: "what_becomes_normal_scores_lower",
    UpdatesUnfitted: "updates_that_cannot_be_learned_are_refused",
    OnlineInName: "updates_by_row_equal_updates_by_chunk",
}


def check_of(make, name, **exempt):
    return next(check for check in detector_checks(make, exempt=exempt) if check.name == name)


@pytest.mark.parametrize(("fault", "promise"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_fault_is_found_by_the_check_it_belongs_to(fault, promise):
    with pytest.raises(AssertionError):
        check_of(fault, promise)()


def test_an_exemption_holds_while_it_is_needed():
    name = "beats_a_per_feature_z_score"
    with pytest.raises(AssertionError, match="AUROC"):
        check_of(MAD, name)()
    assert check_of(MAD, name, **{name: "one feature at a time"})() is None


def test_an_exemption_no_longer_needed_fails():
    name = "beats_a_per_feature_z_score"
    with pytest.raises(AssertionError, match="take back the exemption 'too simple'"):
        check_of(Mahalanobis, name, **{name: "too simple"})()


def test_an_exemption_from_nothing_is_refused():
    with pytest.raises(UnknownNameError, match="beats_a_per_feature_z_score"):
        detector_checks(MAD, exempt={"beats_a_z_score": "typing error"})
    with pytest.raises(UnknownNameError):
        detector_checks(MAD, exempt={"missing_values_are_refused": "does not apply: it takes them"})


def test_identifiers_name_the_detector_and_the_promise():
    names = [str(check) for check in detector_checks(MAD, name="mad")]
    assert "mad:rows_alone_score_as_in_a_batch" in names
    assert len(set(names)) == len(names)
