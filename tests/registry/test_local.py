"""What the local registry adds to the contract: files on a disk, which can be damaged, full or read-only."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime

import numpy as np
import pytest

from anomaly_detection.errors import ArtifactError, InputError, ModelNotFoundError, RegistryError
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.testing.registries import Sample


class Model:
    def __init__(self, number=1):
        self.number = number

    def state(self):
        return {"number": self.number}, {"numbers": np.full(10, self.number)}


@pytest.fixture
def registry(tmp_path):
    registry = LocalRegistry(tmp_path / "registry", now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    for number in (1, 2, 3):
        registry.register("orders", Model(number), metrics={"auroc": number / 10})
    return registry


def part(registry, *names):
    return registry.root.joinpath("models", "orders", *names)


def damage(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_registry_that_does_not_exist_is_empty_and_reading_it_makes_nothing(tmp_path):
    registry = LocalRegistry(tmp_path / "none")
    assert registry.list() == ()
    with pytest.raises(ModelNotFoundError, match="no models yet"):
        registry.load("orders")
    assert list(tmp_path.iterdir()) == []


def test_versions_carry_the_time_of_the_clock(registry):
    assert [version.created for version in registry.versions("orders")] == ["2026-01-02T03:04:05Z"] * 3
    registry.promote("orders", 2)
    assert registry.history("orders")[0].at == "2026-01-02T03:04:05Z"


def test_unknown_models_come_with_the_nearest_name_and_what_there_is(registry):
    registry.register("payments", Model())
    with pytest.raises(ModelNotFoundError, match=r"'ordres'\. Did you mean 'orders'\?.*has: orders, payments\."):
        registry.load("ordres")
    with pytest.raises(ModelNotFoundError, match=r"orders has no version 9\. It has: 1, 2, 3\."):
        registry.promote("orders", 9)


@pytest.mark.parametrize("version", ["3", "../1", 1.0, True, None])
def test_a_version_that_is_no_whole_number_is_refused(registry, version):
    with pytest.raises(InputError, match="whole number"):
        registry.promote("orders", version)


@pytest.mark.parametrize("metrics", [{"auroc": "high"}, {"auroc": None}])
def test_metrics_that_are_no_numbers_are_refused(registry, metrics):
    with pytest.raises(InputError, match="auroc"):
        registry.register("orders", Model(), metrics=metrics)
    assert len(registry.versions("orders")) == 3


def test_one_text_is_not_a_list_of_aliases(registry):
    with pytest.raises(InputError, match=r"\['production'\]"):
        registry.register("orders", Model(), aliases="production")


def test_aliases_set_while_registering_can_be_rolled_back(registry):
    registry.register("orders", Model(4), aliases=["production"])
    registry.register("orders", Model(5), aliases=["production", "tried"])
    assert registry.resolve("orders@5").aliases == ("production", "tried")
    assert registry.rollback("orders").version == 4


def test_rollback_skips_versions_that_were_deleted(registry):
    for version in (1, 2, 3):
        registry.promote("orders", version)
    registry.delete("orders@2")
    assert registry.rollback("orders").version == 1
    registry.delete("orders@1", force=True)
    assert registry.aliases("orders") == {}
    with pytest.raises(ModelNotFoundError, match="cannot be rolled back"):
        registry.rollback("orders", alias="never-set")


@pytest.mark.parametrize(
    "names", [("version.json",), ("model", "manifest.json"), ("model", "arrays.npz")], ids=lambda names: names[-1]
)
def test_a_damaged_version_is_not_loaded_and_the_others_are(registry, names):
    damage(part(registry, "versions", "3", *names))
    with pytest.raises(ArtifactError, match=names[-1]):
        registry.load("orders")
    assert registry.load("orders@2").spec == {"number": 2}
    assert registry.register("orders", Model()).version == 4


def test_a_damaged_version_is_listed_with_its_problem_and_can_be_deleted(registry):
    damage(part(registry, "versions", "3", "version.json"))
    (model,) = registry.list()
    assert "version.json" in model.latest.problem
    assert [version.problem is None for version in registry.versions("orders")] == [True, True, False]
    assert registry.delete("orders@3") == (3,)
    assert registry.register("orders", Model()).version == 4


def test_a_whole_model_put_in_the_place_of_another_is_noticed(registry):
    part(registry, "versions", "3", "model").rename(part(registry, "aside"))
    part(registry, "versions", "2", "model").rename(part(registry, "versions", "3", "model"))
    for read in (registry.load, registry.show):
        with pytest.raises(ArtifactError, match="not the model that was registered"):
            read("orders@3")


def test_damaged_aliases_say_how_to_go_on(registry):
    registry.promote("orders", 1)
    damage(part(registry, "state.json"))
    with pytest.raises(ArtifactError, match=r"state\.json.*remove it"):
        registry.load("orders")
    assert [model.versions for model in registry.list()] == [(1, 2, 3)]
    part(registry, "state.json").unlink()
    assert registry.load("orders").spec == {"number": 3}


def test_what_does_not_belong_in_the_folder_is_not_taken_for_a_model(registry):
    (registry.root / "models" / ".DS_Store").write_text("x")
    (registry.root / "models" / "notes.txt").write_text("x")
    (registry.root / "models" / "empty").mkdir()
    part(registry, "versions", "latest").mkdir()
    part(registry, "versions", "007").mkdir()
    assert [(model.name, model.versions) for model in registry.list()] == [("orders", (1, 2, 3))]


def test_a_file_in_the_place_of_the_registry_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("mine")
    registry = LocalRegistry(tmp_path / "file")
    assert registry.list() == ()
    with pytest.raises(RegistryError, match="Could not register 'orders'"):
        registry.register("orders", Model())
    assert (tmp_path / "file").read_text() == "mine"


CHANGES = {
    "register": lambda registry: registry.register("orders", Model()),
    "promote": lambda registry: registry.promote("orders", 1),
    "rollback": lambda registry: registry.rollback("orders"),
    "delete": lambda registry: registry.delete("orders@1"),
    "import": lambda registry: registry.import_(registry.root.parent / "orders.zip"),
}


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_read_only_registry_is_read_and_says_that_it_cannot_be_written_to(registry, monkeypatch, number):
    registry.promote("orders", 1)
    registry.promote("orders", 2)
    registry.export("orders@1", registry.root.parent / "orders.zip")
    real = os.open

    def read_only(path, flags, *arguments, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(number, os.strerror(number), path)
        return real(path, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", read_only)
    for change in CHANGES.values():
        with pytest.raises(RegistryError, match=r"cannot be written to \(.*Nothing was changed"):
            change(registry)
    assert registry.load("orders").spec == {"number": 2}
    assert registry.list()[0].versions == (1, 2, 3)
    assert registry.history("orders")[-1].version == 2


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_without_the_right_to_write_is_a_clear_error(registry):
    (registry.root / ".staging").chmod(0o500)
    try:
        with pytest.raises(RegistryError, match="cannot be written to"):
            registry.register("orders", Model())
        assert registry.load("orders").spec == {"number": 3}
    finally:
        (registry.root / ".staging").chmod(0o700)


def test_a_full_disk_is_a_clear_error_and_leaves_nothing_behind(registry, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted(path for path in registry.root.rglob("*"))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RegistryError, match=r"is full\. Free some space"):
        registry.register("orders", Model())
    assert sorted(path for path in registry.root.rglob("*")) == before


def test_an_interrupted_registration_leaves_nothing_behind(registry, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    before = sorted(path for path in registry.root.rglob("*"))
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        registry.register("orders", Model())
    assert sorted(path for path in registry.root.rglob("*")) == before


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    registry = LocalRegistry(tmp_path / "registry")
    (registry.root / "models" / "m").mkdir(parents=True)
    (registry.root / "models" / "m" / ".lock").symlink_to(elsewhere)
    with pytest.raises(RegistryError):
        registry.register("m", Sample(1))
    assert not elsewhere.exists()
