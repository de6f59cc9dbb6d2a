"""Algorithms of other people: registered in a process, or found by the entry point of an installed package."""

import pytest

from anomaly_detection.catalog import DETECTORS
from anomaly_detection.detectors import create, name_of, register
from anomaly_detection.detectors.mad import MAD
from anomaly_detection.entries import Catalog
from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.testing import detector_checks
from testing.own_detectors import Mahalanobis

PLUGIN = '''
from anomaly_detection.detectors.mad import MAD

class Median(MAD):
    """A detector from elsewhere."""
'''

ENTRY_POINTS = "[anomaly_detection.detectors]\nmedian_of_theirs = their_package.detector:Median\n"


@pytest.fixture
def _registry_restored(monkeypatch):
    DETECTORS.entries()
    monkeypatch.setattr(DETECTORS, "_entries", dict(DETECTORS._entries))
    monkeypatch.setattr(DETECTORS, "_aliases", dict(DETECTORS._aliases))


@pytest.mark.usefixtures("_registry_restored")
def test_a_registered_algorithm_is_listed_made_by_name_and_passes_the_suite():
    register("my_mahalanobis", Mahalanobis, summary="distance from the mean", aliases=["Ellipse"])
    assert {"my_mahalanobis", "ellipse"} <= set(DETECTORS.names())
    detector = create("Ellipse", ridge=0.01)
    assert detector.parameters() == {"ridge": 0.01}
    assert name_of(detector) == "my_mahalanobis"
    for check in detector_checks(lambda: create("my_mahalanobis")):
        check()


@pytest.mark.usefixtures("_registry_restored")
def test_a_taken_name_is_refused():
    with pytest.raises(ParameterError, match="'mad' already stands for"):
        register("mad", Mahalanobis)


@pytest.mark.usefixtures("_registry_restored")
def test_parameters_of_a_registered_algorithm_are_checked():
    register("my_mahalanobis", Mahalanobis)
    with pytest.raises(ParameterError, match="ridge=2"):
        create("my_mahalanobis", ridge=2)
    with pytest.raises(ParameterError, match="Did you mean 'ridge'"):
        create("my_mahalanobis", rigde=0.5)


def test_an_installed_plug_in_is_found_by_its_entry_point(tmp_path, monkeypatch):
    package = tmp_path / "their_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "detector.py").write_text(PLUGIN)
    metadata = tmp_path / "their_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    catalog = Catalog("algorithm", group=DETECTORS.group)
    found = catalog.load("median-of-theirs")
    assert issubclass(found, MAD)
    assert catalog.resolve("median_of_theirs").summary == "from their-package"
    check = detector_checks(found, exempt={"beats_a_per_feature_z_score": "one feature at a time"})[1]
    assert str(check) == "Median:rows_alone_score_as_in_a_batch"
    check()


@pytest.mark.parametrize("typed", ["my-own", "My Own", "my_own", "their-way"])
def test_a_registered_name_is_found_however_it_is_typed(typed):
    catalog = Catalog("algorithm")
    catalog.register("My-Own", MAD, aliases=["their way"])
    assert catalog.load(typed) is MAD


def test_an_unknown_algorithm_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match="isolation_forest"):
        create("isolation_forrest")
