"""The locks say exactly what is installed: pinned, by hash, agreeing, with no address."""

import re
import tomllib
from pathlib import Path

import pytest

import environment

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DASHES = str.maketrans("_.", "--")


def pins(path):
    """The pinned requirements of a lock: ``name==version ; marker``."""
    return {line.removesuffix(" \\").strip() for line in path.read_text().splitlines() if "==" in line[:80]}


def versions(path):
    return {pin.partition(" ")[0] for pin in pins(path)}


def names(path):
    return {pin.partition("==")[0] for pin in pins(path)}


def asked(requirements):
    words = [one for one in requirements if isinstance(one, str)]
    return {re.split(r"[\[<>=~! ;]", one)[0].lower().translate(DASHES) for one in words} - {"anomaly-detection"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_pin_has_a_hash_and_no_lock_has_an_address(path):
    text = path.read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(pins(path))
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


@pytest.mark.parametrize("name", ["core", "all", "build", "test"])
def test_a_smaller_lock_holds_nothing_that_dev_does_not(name):
    assert versions(environment.lock_file(name)) <= versions(environment.lock_file("dev"))


def test_the_benchmarks_measure_the_versions_that_are_tested():
    core, bench = (versions(environment.lock_file(name)) for name in ("core", "bench"))
    assert core <= bench


def test_everything_the_project_asks_for_is_locked():
    extras = PROJECT["project"]["optional-dependencies"]
    groups = PROJECT["dependency-groups"]
    assert asked(PROJECT["project"]["dependencies"]) <= names(environment.lock_file("core"))
    assert all(asked(extra) <= names(environment.lock_file("all")) for extra in extras.values())
    assert all(asked(groups[name]) <= names(environment.lock_file("dev")) for name in ("dev", "test", "lint", "docs"))
    assert asked(groups["bench"]) <= names(environment.lock_file("bench"))


def test_the_core_holds_no_extra():
    assert not names(environment.lock_file("core")) & {"pandas", "pyarrow", "pytest"}


def test_an_environment_whose_stamp_fits_is_left_alone(tmp_path, monkeypatch):
    stamp = tmp_path / "env" / ".locks" / "core"
    stamp.parent.mkdir(parents=True)
    stamp.write_text(environment.digest("core"))
    monkeypatch.setattr(environment, "create", lambda _: pytest.fail("it was made again"))
    environment.ensure(tmp_path / "env", "core")
    assert [path.name for path in tmp_path.iterdir()] == ["env"]


def test_a_changed_lock_is_installed_and_stamped(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "create", lambda folder: folder.mkdir())
    installed = []
    monkeypatch.setattr(environment, "install", lambda _, locks: installed.append(locks))
    environment.ensure(tmp_path / "env", "core")
    environment.ensure(tmp_path / "env", "core")
    assert installed == [environment.LOCKS["core"]]


def test_pip_takes_over_when_uv_cannot(tmp_path, monkeypatch):
    said = []

    def run(*command, **_):
        said.append([str(word) for word in command])
        if "uv" in said[-1]:
            raise environment.subprocess.CalledProcessError(2, command)

    monkeypatch.setattr(environment, "run", run)
    environment.install(tmp_path, ("core",))
    assert [words[2] for words in said] == ["uv", "pip", "pip"]
    assert all("--require-hashes" in words for words in said[:2])


def test_wrong_usage_is_said(capsys):
    assert environment.main([".venv", "no-such-set"]) == 2
    assert "usage" in capsys.readouterr().err
