"""What the package shows to the outside: names, errors, and how little an import costs."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import anomaly_detection
from anomaly_detection import errors
from anomaly_detection.catalog import DETECTORS

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"sklearn", "pandas", "pyarrow", "scipy", "numba", "polars", "matplotlib"}
ERRORS = [one for one in vars(errors).values() if inspect.isclass(one) and one.__module__ == errors.__name__]


def loaded_by(statement):
    """The top-level modules that a fresh interpreter has after a statement."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_importing_the_package_loads_no_library():
    assert not loaded_by("import anomaly_detection") & {*HEAVY, "numpy", "typer", "rich", "pydantic"}


def test_importing_the_command_line_loads_no_numeric_library():
    assert not loaded_by("import anomaly_detection.cli") & {*HEAVY, "numpy"}


def test_importing_the_python_door_loads_no_terminal():
    found = loaded_by("from anomaly_detection import AnomalyDetector")
    assert "polars" in found
    assert not found & {"typer", "rich", "matplotlib"}


@pytest.mark.parametrize("name", anomaly_detection.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(anomaly_detection, name)
    assert name in dir(anomaly_detection)
    assert isinstance(value, str) or inspect.getdoc(value)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        anomaly_detection.no_such_name  # noqa: B018


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_in_the_tree_of_the_docstring_and_below_the_root(error):
    assert f" {error.__name__}" in f" {errors.__doc__}".replace("\n", " ")
    assert issubclass(error, errors.AnomalyDetectionError)
    assert error.__doc__


@pytest.mark.parametrize("entry", DETECTORS.entries(), ids=lambda entry: entry.name)
def test_every_algorithm_is_in_the_guide(entry):
    page = "use-pyod-detectors" if entry.extra == "pyod" else "choose-an-algorithm"
    guide = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
    assert f"| `{entry.name}` |" in guide
    assert entry.summary
