"""Ensembles: how members are named, seeded and saved, and what their scores become."""

import io
import json

import numpy as np
import pytest

from anomaly_detection.base import Range
from anomaly_detection.detectors import Detector, Tags
from anomaly_detection.detectors.ecod import ECOD
from anomaly_detection.detectors.ensemble import (
    AverageEnsemble,
    MaximumEnsemble,
    TailEnsemble,
    WeightedEnsemble,
    mean_excess,
)
from anomaly_detection.detectors.hbos import HBOS
from anomaly_detection.detectors.mad import MAD
from anomaly_detection.detectors.spec import from_spec, to_spec
from anomaly_detection.errors import InputError, ParameterError, UnknownNameError
from anomaly_detection.features.space import Feature, FeatureSpace

KINDS = [AverageEnsemble, MaximumEnsemble, WeightedEnsemble, TailEnsemble]
MEMBERS = [ECOD(), HBOS(n_bins=12), MAD("mean")]


def rows(n=300, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)


class Seeded(Detector):
    """Random projection: takes a seed, and numbers only."""

    constraints = {"random_state": Range(0, 2**32 - 1, integer=True)}  # noqa: RUF012
    learned = ("direction_",)

    def __init__(self, random_state=0):
        self.random_state = random_state

    def _fit(self, X):
        self.direction_ = np.random.default_rng(self.random_state).normal(size=X.shape[1])

    def _score(self, X):
        return np.abs(np.array([float(row @ self.direction_) for row in X.astype(np.float64)]))


def standardised(X, new):
    found = []
    for member in MEMBERS:
        fitted = member.clone().fit(X)
        train = fitted.score(X)
        center = np.median(train)
        found.append((fitted.score(new) - center) / (1.482602218505602 * np.median(np.abs(train - center))))
    return np.array(found)


def test_standardised_scores_are_averaged_maximised_and_weighted():
    X, new = rows(), rows(50, seed=1) * 2
    z = standardised(X, new)
    np.testing.assert_allclose(AverageEnsemble(MEMBERS).fit(X).score(new), z.mean(axis=0))
    np.testing.assert_allclose(MaximumEnsemble(MEMBERS).fit(X).score(new), z.max(axis=0))
    weighted = WeightedEnsemble(MEMBERS, weights=[1, 0, 3]).fit(X).score(new)
    np.testing.assert_allclose(weighted, (z[0] + 3 * z[2]) / 4)
    equal = WeightedEnsemble(MEMBERS).fit(X).score(new)
    np.testing.assert_allclose(equal, z.mean(axis=0))


def test_the_tail_ensemble_averages_surprise_and_grows_beyond_what_it_saw():
    X = rows(400)
    new = np.concatenate([rows(50, seed=1), [[6, 0, 0], [60, 0, 0], [600, 0, 0]]])
    expected = np.zeros(len(new))
    for member in MEMBERS:
        fitted = member.clone().fit(X)
        train = fitted.score(X)
        for i, score in enumerate(fitted.score(new)):
            beyond = max(score - train.max(), 0) / mean_excess(train)
            expected[i] += -np.log((np.sum(train >= score) + 1) / 401) + beyond
    scores = TailEnsemble(MEMBERS).fit(X).score(new)
    np.testing.assert_allclose(scores, expected / 3)
    assert scores[-1] > scores[-2] > scores[-3]


@pytest.mark.parametrize("kind", KINDS)
def test_members_may_be_names_detectors_or_specs(kind):
    given = [
        ["ECOD", "hbos"],
        [ECOD(), HBOS()],
        ({"name": "ecod"}, {"name": "histogram", "parameters": {"n_bins": "auto"}}),
    ]
    scores = [kind(detectors).fit(rows()).score(rows(40, seed=2)) for detectors in given]
    assert scores[0].tolist() == scores[1].tolist() == scores[2].tolist()


def test_the_detectors_given_are_not_touched():
    mine = ECOD()
    AverageEnsemble([mine, "mad"]).fit(rows())
    assert not mine.is_fitted


def test_a_seed_gives_every_member_its_own_and_none_leaves_theirs():
    detectors = [Seeded(3), Seeded(3), MAD()]
    kept = [member.parameters().get("random_state") for member in AverageEnsemble(detectors).members()]
    assert kept == [3, 3, None]
    first, again, other = (AverageEnsemble(detectors, random_state=seed).members() for seed in (7, 7, 8))
    seeds = [[member.random_state for member in members[:2]] for members in (first, again, other)]
    assert seeds[0] == seeds[1] != seeds[2]
    assert seeds[0][0] != seeds[0][1]


def test_tags_are_what_all_members_can_do():
    assert AverageEnsemble(MEMBERS).tags == Tags(missing=True, categories=True)
    mixed = AverageEnsemble([*MEMBERS, Seeded()])
    assert mixed.tags == Tags(missing=False, categories=False)
    with pytest.raises(InputError, match="AverageEnsemble does not take missing values"):
        mixed.fit(np.where(rows() > 2, np.nan, rows()))


@pytest.mark.parametrize("kind", KINDS)
def test_missing_values_and_categories_reach_the_members(kind):
    X = rows()
    X[:, 2] = np.arange(300) % 3
    X[::7, 0] = np.nan
    space = FeatureSpace((Feature("a", "a"), Feature("b", "b"), Feature("c", "c", "category", 3)))
    fitted = kind(MEMBERS).fit(X, space)
    known, unseen = fitted.score([[0, 0, 1], [0, 0, 3]])
    assert unseen > known


@pytest.mark.parametrize("kind", KINDS)
def test_state_nests_and_survives_a_file(kind):
    ensemble = kind([kind(["ecod", "mad"]), "hbos"]).fit(rows())
    state = ensemble.state()
    assert {"0/1/centers_", "0/0/knots_", "1/levels_", "limits_"} <= state.keys()
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **state)
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        restored = from_spec(json.loads(json.dumps(to_spec(ensemble)))).restore(dict(arrays), ensemble.features_)
    new = rows(60, seed=3)
    assert restored.score(new).tolist() == ensemble.score(new).tolist()
    assert [restored.score_row(row) for row in new] == ensemble.score(new).tolist()


def test_a_spec_is_plain_json_and_makes_the_same_detector():
    ensemble = WeightedEnsemble((ECOD(np.int64(64)), "mad", {"name": "hbos"}), weights=np.array([1, 2, 3]))
    spec = to_spec(ensemble)
    assert spec == {
        "name": "weighted",
        "parameters": {
            "detectors": [{"name": "ecod", "parameters": {"quantile_points": 64}}, "mad", {"name": "hbos"}],
            "weights": [1, 2, 3],
            "random_state": None,
        },
    }
    assert to_spec(from_spec(json.loads(json.dumps(spec)))) == spec


def test_what_cannot_be_saved_is_refused():
    with pytest.raises(ParameterError, match="aggregation holds"):
        to_spec(MAD(aggregation=object()))
    with pytest.raises(ParameterError, match="cannot be saved"):
        to_spec(WeightedEnsemble(weights=[float("nan")]))
    with pytest.raises(UnknownNameError, match="Seeded"):
        to_spec(AverageEnsemble([Seeded()]))


@pytest.mark.parametrize(
    "spec",
    [
        "mad",
        {},
        {"name": 3},
        {"name": "mad", "parameters": []},
        {"name": "mad", "module": "os"},
        {"name": "mad", "parameters": {1: 2}},
    ],
    ids=str,
)
def test_what_is_no_spec_is_refused(spec):
    with pytest.raises(ParameterError, match="describes no detector"):
        from_spec(spec)


def test_parameters_of_a_spec_are_checked_whatever_they_are_called():
    for name in ("name", "self", "no_such"):
        with pytest.raises(ParameterError, match=f"Unknown parameter '{name}'"):
            from_spec({"name": "mad", "parameters": {name: 1}})


def test_tags_of_members_that_do_not_exist_are_an_error_in_plain_words():
    with pytest.raises(ParameterError, match="detectors=3 must be a list"):
        _ = AverageEnsemble(3).tags
    with pytest.raises(UnknownNameError, match="maad"):
        _ = AverageEnsemble(["maad"]).tags


def test_a_spec_makes_only_what_is_in_the_catalog():
    with pytest.raises(UnknownNameError, match="os:system"):
        from_spec({"name": "os:system", "parameters": {}})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"detectors": []}, "must be a list of one or more"),
        ({"detectors": "mad"}, "must be a list of one or more"),
        ({"detectors": ["mad", 3]}, "must hold names, detectors or specs, not 3"),
        ({"detectors": ["maad"]}, "Did you mean 'mad'"),
        ({"detectors": ["mad", HBOS(n_bins=0)]}, "WeightedEnsemble, member HBOS: .*n_bins=0"),
        ({"detectors": [{"name": "hbos", "parameters": {"n_bins": 0}}]}, "WeightedEnsemble, member hbos: .*n_bins=0"),
        ({"detectors": ["mad", "hbos"], "weights": [1, 2, 3]}, "3 weights for 2 detectors"),
        ({"detectors": ["mad", "hbos"], "weights": [1, -2]}, "at least 0"),
        ({"detectors": ["mad", "hbos"], "weights": [0, 0]}, "one of them above 0"),
        ({"detectors": ["mad", "hbos"], "weights": "ab"}, "must be numbers"),
        ({"detectors": ["mad", "hbos"], "weights": [1, float("nan")]}, "must be numbers"),
        ({"random_state": -1}, "random_state=-1"),
    ],
    ids=str,
)
def test_bad_members_weights_and_seeds_are_refused(parameters, message):
    with pytest.raises(InputError, match=message):
        WeightedEnsemble(**parameters).fit(rows())


def test_a_member_that_scores_all_rows_alike_adds_nothing_odd():
    constant = np.full((50, 2), 3.0)
    for kind in KINDS:
        fitted = kind(MEMBERS).fit(constant)
        same, other = fitted.score([[3.0, 3.0], [4.0, 3.0]])
        assert other > same
        assert np.isfinite([same, other]).all()
