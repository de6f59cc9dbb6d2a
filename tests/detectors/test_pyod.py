"""PyOD's detectors: every label is held against the contract suite, and is wrong when the suite says otherwise."""

import subprocess
import sys
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import Detector, create, name_of
from anomaly_detection.detectors import pyod as adapter
from anomaly_detection.detectors.spec import from_spec, to_spec
from anomaly_detection.errors import ArtifactError, InputError, MissingDependencyError, ParameterError
from anomaly_detection.features.space import FeatureSpace
from anomaly_detection.pyod_table import PYOD
from anomaly_detection.testing import _detector_data as data
from anomaly_detection.testing.detectors import APPLIES, PROMISES

BY_NAME = {one.name: one for one in PYOD}
ROWS = 60

BATCH = {"rows_alone_score_as_in_a_batch", "score_row_equals_score"}
SAVED = {"saved_state_gives_the_same_scores", "scoring_changes_nothing"}
MISSING = "missing_values_are_information"
LABELLED = {*BATCH, MISSING, "missing_values_are_refused", "categories_are_refused"}
OF_OTHERS = APPLIES.keys() - LABELLED
"""Promises of detectors that take categories or go on learning: none of PyOD's."""

QUALITY = {
    "a_planted_outlier_scores_highest",
    "beats_a_per_feature_z_score",
    "explanations_name_the_column_at_fault",
    "infinite_values_give_finite_scores",
    "huge_values_give_finite_scores",
    "duplicates_give_finite_scores",
    "constant_columns_give_finite_scores",
    "one_row_is_fitted_or_refused",
    "fitting_again_forgets_what_was_before",
    "float32_and_float64_agree",
}
"""Held against the streaming ones only: the others are for one table, and some are too slow."""

BROKEN = {
    "pyod_cblof": {"duplicates_give_finite_scores": "wants two sizes of clusters, and says so"},
    "pyod_hbos": {"beats_a_per_feature_z_score": "looks at one feature at a time"},
    "pyod_hdbscan": {
        "a_planted_outlier_scores_highest": "scores end at 1 for whatever is in no cluster",
        "infinite_values_give_finite_scores": "scores end at 1 for whatever is in no cluster",
        "beats_a_per_feature_z_score": "scores end at 1 for whatever is in no cluster",
    },
    "pyod_kde": {"a_planted_outlier_scores_highest": "an outlier fitted on is a density of its own"},
    "pyod_kpca": {"a_planted_outlier_scores_highest": "an outlier fitted on becomes a component"},
    "pyod_loda": {"a_planted_outlier_scores_highest": "an outlier fitted on fills a bin of its own"},
    "pyod_mcd": {
        "duplicates_give_finite_scores": "rows without spread have no covariance, and it says so",
        "huge_values_give_finite_scores": "rows without spread have no covariance, and it says so",
    },
    "pyod_ocsvm": {"a_planted_outlier_scores_highest": "scores end at the height where no support vector is near"},
    "pyod_pca": {
        "beats_a_per_feature_z_score": "adds up distances from the loadings, so that large axes drown small ones"
    },
    "pyod_qmcd": {
        "a_planted_outlier_scores_highest": "measures how evenly rows fill a cube, not how far they are out",
        "beats_a_per_feature_z_score": "measures how evenly rows fill a cube, not how far they are out",
        "explanations_name_the_column_at_fault": "measures how evenly rows fill a cube, not how far they are out",
        "infinite_values_give_finite_scores": "measures how evenly rows fill a cube, not how far they are out",
    },
    "pyod_sampling": {"a_planted_outlier_scores_highest": "an outlier may be drawn into the sample"},
}
"""Promises that a streaming detector breaks, beside those that its labels say."""

QUICK = {
    "pyod_iforest": {"n_estimators": 10},
    "pyod_inne": {"n_estimators": 20},
    "pyod_kpca": {"n_components": 5},
    "pyod_lmdd": {"n_iter": 3},
    "pyod_rgraph": {"transition_steps": 2, "maxiter": 2, "maxiter_lasso": 50},
}
"""Parameters for the suite, where the defaults take long."""


def here(wrapped):
    return wrapped.needs is None or find_spec(wrapped.needs) is not None


SUITE = [one.name for one in PYOD if one.needs != "torch" and one.name != "pyod_mad" and here(one)]


def breaks(promise, make):
    try:
        promise(make)
    except (AssertionError, InputError):
        return True
    return False


@pytest.fixture
def _small_data(monkeypatch):
    for one in (data.crowd, data.with_category, data.native):
        monkeypatch.setattr(one, "__defaults__", (ROWS, 0))
    monkeypatch.setattr(adapter, "COMPANY", 0)  # what PyOD does by itself


@pytest.mark.slow
@pytest.mark.needs_extra("pyod", "skops")
@pytest.mark.usefixtures("_small_data")
@pytest.mark.parametrize("name", SUITE)
def test_the_labels_are_what_the_suite_finds(name):
    wrapped = BY_NAME[name]
    make = partial(DETECTORS.load(name), **QUICK.get(name, {}))
    leave_out = {*OF_OTHERS, *(QUALITY if wrapped.batch_only else ())}
    broken = {one.__name__ for one in PROMISES if one.__name__ not in leave_out and breaks(one, make)}
    assert bool(broken & BATCH) == ("batch only" in wrapped.labels)
    assert ("saved_state_gives_the_same_scores" in broken) == ("not saved" in wrapped.labels)
    assert (MISSING in broken) == ("no missing values" in wrapped.labels)
    by_label = BATCH | {MISSING} | (SAVED if wrapped.not_saved else set())
    assert broken - by_label == set(BROKEN.get(name, ()))


@pytest.mark.needs_extra("pyod", "skops")
@pytest.mark.parametrize("name", [one for one in SUITE if not BY_NAME[one].batch_only])
def test_the_label_streaming_holds_on_wide_rows(name):
    rows = np.random.default_rng(0).normal(size=(130, 24)).astype(np.float32)
    detector = create(name, **QUICK.get(name, {})).fit(rows[:60])
    together = detector.score(rows[60:])
    np.testing.assert_array_equal([detector.score_row(row) for row in rows[60:]], together)


@pytest.mark.needs_extra("pyod", "skops")
def test_one_column_is_enough_and_the_most_for_mad():
    rows = data.crowd()
    detector = create("pyod_mad").fit(rows[:, :1])
    assert detector.score(rows[:, :1]).argmax() == np.abs(rows[:, 0] - np.median(rows[:, 0])).argmax()
    with pytest.raises(InputError, match=r"pyod_mad could not fit.*univariate.*use mad instead"):
        create("pyod_mad").fit(rows)


def test_names_and_plain_aliases():
    names = {entry.name for entry in DETECTORS.entries() if entry.extra == "pyod"}
    assert names == set(BY_NAME)
    assert len(names) == 41
    assert all(one.instead in DETECTORS.names() and not one.instead.startswith("pyod") for one in PYOD)
    assert DETECTORS.resolve("COF").name == "pyod_cof"
    assert DETECTORS.resolve("knn").name == "knn"
    assert len({one.class_name for one in PYOD}) == len(PYOD)


def test_what_stands_in_the_way_is_never_said_to_be_used_instead():
    for one in PYOD:
        tags = DETECTORS.load(one.instead)().tags
        assert tags.batch_invariant
        assert tags.saved


def test_listing_imports_nothing_of_pyod():
    code = """
import sys
from anomaly_detection.catalog import DETECTORS
from anomaly_detection.workflows.models import algorithm_rows
assert len(algorithm_rows()) > 41 and DETECTORS.names()
print(*sorted({"pyod", "skops", "torch", "matplotlib"} & {name.partition(".")[0] for name in sys.modules}))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


@pytest.mark.needs_extra("pyod", "skops")
@pytest.mark.parametrize("wrapped", [one for one in PYOD if not here(one)], ids=lambda one: one.name)
def test_what_else_is_missing_is_named(wrapped):
    with pytest.raises(MissingDependencyError, match=rf"{wrapped.name} needs the package '(\w+)'.*pip install \1$"):
        create(wrapped.name)


def test_without_pyod_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(adapter, "import_module", _without_pyod)
    with pytest.raises(MissingDependencyError, match=r"pip install 'anomaly-detection\[pyod\]'"):
        adapter._made(BY_NAME["pyod_cof"])


def _without_pyod(name):
    raise ModuleNotFoundError(f"No module named {name!r}", name="pyod")


@pytest.mark.needs_extra("pyod", "skops")
def test_parameters_are_pyods_own_without_the_line_threads_and_objects():
    cof = DETECTORS.load("cof")
    assert cof.parameter_names() == ("n_neighbors", "method")
    assert cof(n_neighbors=7).clone(method="memory").parameters() == {"n_neighbors": 7, "method": "memory"}
    assert create("pyod_iforest").parameters()["random_state"] == 0
    with pytest.raises(ParameterError, match="Did you mean 'n_neighbors'"):
        create("cof", n_neighbours=5)
    with pytest.raises(ParameterError, match="n_neighbors='many' must be a whole number"):
        create("cof", n_neighbors="many")
    with pytest.raises(ParameterError, match="contamination"):
        create("pyod_knn", contamination=0.1)
    with pytest.raises(InputError, match=r"pyod_cof could not fit.*no_such"):
        create("cof", method="no_such").fit(data.crowd())


@pytest.mark.needs_extra("pyod", "skops")
def test_a_spec_comes_back():
    detector = create("pyod_knn", n_neighbors=3, metric="manhattan")
    assert name_of(detector) == "pyod_knn"
    assert repr(from_spec(to_spec(detector))) == repr(detector)
    assert isinstance(detector, Detector)


@pytest.mark.needs_extra("pyod", "skops")
@pytest.mark.parametrize("metric", ["minkowski", "euclidean", "manhattan", "chebyshev"])
@pytest.mark.parametrize("algorithm", ["kd_tree", "ball_tree"])
def test_every_metric_that_is_offered_can_be_saved(metric, algorithm):
    rows, space = data.crowd(), FeatureSpace.of_numbers(data.WIDTH)
    detector = create("pyod_knn", metric=metric, algorithm=algorithm).fit(rows)
    again = create("pyod_knn", metric=metric, algorithm=algorithm).restore(detector.state(), space)
    np.testing.assert_array_equal(again.score(rows), detector.score(rows))


@pytest.mark.needs_extra("pyod", "skops")
def test_a_file_with_a_foreign_type_or_damage_is_refused():
    rows, space = data.crowd(), FeatureSpace.of_numbers(data.WIDTH)
    state = create("pyod_gmm").fit(rows).state()
    pca = create("pyod_pca").fit(rows).state()
    with pytest.raises(ArtifactError, match=r"names pyod\.models\.pca\.PCA"):
        create("pyod_gmm").restore({**state, "model_": pca["model_"]}, space)
    foreign = state["model_"].tobytes().replace(b"pyod.models.gmm", b"os.path.abspath")
    for damaged in (foreign, state["model_"].tobytes()[:-40], b"", b"no zip file"):
        with pytest.raises(ArtifactError):
            create("pyod_gmm").restore({**state, "model_": np.frombuffer(damaged, dtype=np.uint8)}, space)
    with pytest.raises(ArtifactError):
        create("pyod_gmm").restore({name: array for name, array in state.items() if name != "model_"}, space)


@pytest.mark.needs_extra("pyod", "skops")
def test_types_that_are_allowed_by_skops_but_not_by_us_are_refused():
    state = create("pyod_gmm").fit(data.crowd()).state()
    foreign = import_module("sklearn.linear_model").LinearRegression()
    other = np.frombuffer(import_module("skops.io").dumps(foreign), dtype=np.uint8)
    with pytest.raises(ArtifactError, match="LinearRegression, which it is never made of"):
        create("pyod_gmm").restore({**state, "model_": other}, FeatureSpace.of_numbers(data.WIDTH))


@pytest.mark.needs_extra("pyod", "skops")
def test_pyod_works_quietly_and_leaves_the_shared_generator_alone(capfd):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    rows = data.crowd(40)
    first = create("lmdd", n_iter=2).fit(rows).score(rows)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    np.testing.assert_array_equal(create("lmdd", n_iter=2).fit(rows).score(rows), first)
    assert capfd.readouterr() == ("", "")


@pytest.mark.needs_extra("pyod", "skops")
def test_a_small_batch_has_company_and_numbers_only():
    rows = data.crowd(80)
    for name in ("cof", "sos", "cd"):
        detector = create(name).fit(rows)
        assert np.isfinite(detector.score(rows[:1])).all()
        assert np.isfinite(create(name).fit(rows[: detector.fewest_rows]).score(rows[:5])).all()
