"""Exported models: one file each, the same bytes each time; nothing else is imported."""

from __future__ import annotations

import io
import stat
import zipfile

import numpy as np
import pytest

from anomaly_detection.errors import ArtifactError, InputError, ModelConflictError
from anomaly_detection.registry import LocalRegistry


class Model:
    def state(self):
        return {"kind": "line"}, {"points": np.arange(4.0)}


@pytest.fixture
def registry(tmp_path):
    registry = LocalRegistry(tmp_path / "registry")
    registry.register("orders", Model(), metrics={"auroc": 0.9})
    return registry


@pytest.fixture
def exported(registry, tmp_path):
    return registry.export("orders", tmp_path / "orders.zip")


def members(path):
    with zipfile.ZipFile(path) as archive:
        return [(member, archive.read(member)) for member in archive.infolist()]


def repack(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in parts:
            archive.writestr(member, data)


def refused(registry, path, hint=None):
    with pytest.raises(ArtifactError, match=hint) as caught:
        registry.import_(path)
    assert str(path) in str(caught.value)
    assert [model.versions for model in registry.list()] == [(1,)]
    assert list((registry.root / ".staging").iterdir()) == []


def test_the_same_version_gives_the_same_bytes(registry, exported, tmp_path):
    again = registry.export("orders@1", tmp_path / "again.zip")
    assert again.read_bytes() == exported.read_bytes()


def test_the_file_can_be_imported_into_another_registry(exported, tmp_path):
    other = LocalRegistry(tmp_path / "other")
    version = other.import_(exported)
    assert (version.reference, version.metrics, version.imported_from) == ("orders@1", {"auroc": 0.9}, "orders@1")
    np.testing.assert_array_equal(other.load("orders").arrays["points"], np.arange(4.0))


def test_an_existing_file_is_not_overwritten_unless_asked(registry, exported, tmp_path):
    exported.write_text("mine")
    with pytest.raises(ModelConflictError, match="overwrite=True"):
        registry.export("orders", exported)
    assert exported.read_text() == "mine"
    registry.export("orders", exported, overwrite=True)
    assert registry.import_(exported).version == 2
    with pytest.raises(ModelConflictError, match="name a file in it"):
        registry.export("orders", tmp_path, overwrite=True)


def test_a_damaged_version_is_not_exported(registry, tmp_path):
    arrays = registry.root / "models" / "orders" / "versions" / "1" / "model" / "arrays.npz"
    arrays.write_bytes(arrays.read_bytes()[:-1])
    with pytest.raises(ArtifactError, match=r"arrays\.npz"):
        registry.export("orders", tmp_path / "orders.zip")
    assert not (tmp_path / "orders.zip").exists()


def test_missing_files_and_folders_are_bad_input(registry, tmp_path):
    for path in (tmp_path / "nowhere.zip", tmp_path):
        with pytest.raises(InputError, match="no file"):
            registry.import_(path)


def test_a_bad_name_is_refused_before_anything_is_read(registry, tmp_path):
    with pytest.raises(InputError, match="letters"):
        registry.import_(tmp_path / "nowhere.zip", name="../orders")


def test_every_truncation_is_refused(registry, exported):
    data = exported.read_bytes()
    for length in range(0, len(data), 97):
        exported.write_bytes(data[:length])
        refused(registry, exported)


def test_every_changed_byte_of_the_content_is_refused(registry, exported):
    data = exported.read_bytes()
    starts = [data.index(content) for _, content in members(exported)]
    sizes = [len(content) for _, content in members(exported)]
    for start, size in zip(starts, sizes, strict=True):
        for position in range(start, start + size, 41):
            changed = bytearray(data)
            changed[position] ^= 4
            exported.write_bytes(changed)
            refused(registry, exported)


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "C:\\evil", "a/../../evil", "models/orders/state.json", "x"])
def test_members_that_lead_outside_or_do_not_belong_are_refused(registry, exported, name):
    repack(exported, [*members(exported), (zipfile.ZipInfo(name), b"evil")])
    refused(registry, exported, "not an exported model")


@pytest.mark.parametrize("name", ["export.json", "manifest.json", "arrays.npz"])
def test_members_that_are_missing_or_there_twice_are_refused(registry, exported, name):
    parts = members(exported)
    repack(exported, [part for part in parts if part[0].filename != name])
    refused(registry, exported, "not an exported model")
    with pytest.warns(UserWarning, match="Duplicate name"):
        repack(exported, parts + [part for part in parts if part[0].filename == name])
    refused(registry, exported, "not an exported model")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(registry, exported, kind):
    parts = members(exported)
    parts[2][0].external_attr = (kind | 0o777) << 16
    repack(exported, parts)
    refused(registry, exported, "is a link")


def test_compressed_members_are_refused_so_that_nothing_can_swell(registry, exported):
    parts = members(exported)
    parts[2][0].compress_type = zipfile.ZIP_DEFLATED
    repack(exported, [*parts[:2], (parts[2][0], b"\0" * 10_000_000)])
    assert exported.stat().st_size < 100_000
    refused(registry, exported, "Export it again")


def test_a_member_larger_than_allowed_is_refused(exported, tmp_path):
    small = LocalRegistry(tmp_path / "small", max_bytes=100)
    with pytest.raises(ArtifactError, match="at most 100 are read"):
        small.import_(exported)
    assert small.list() == ()


def test_a_record_that_belongs_to_another_model_is_refused(registry, exported, tmp_path):
    class Other:
        def state(self):
            return {"kind": "other"}, {}

    other = LocalRegistry(tmp_path / "other")
    other.register("orders", Other())
    foreign = other.export("orders", tmp_path / "foreign.zip")
    repack(exported, [members(foreign)[0], *members(exported)[1:]])
    refused(registry, exported, "another model than it says")


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip", b"PK\5\6" + b"\0" * 18, b"\x1f\x8b" + b"\0" * 50])
def test_what_is_no_export_is_refused(registry, exported, content):
    exported.write_bytes(content)
    refused(registry, exported, "not an exported model")


def test_bytes_before_and_after_the_archive_do_no_harm(registry, exported):
    exported.write_bytes(b"#!/bin/sh\n" + exported.read_bytes())
    version = registry.import_(exported, name="copy")
    assert registry.load("copy").manifest.digest == registry.resolve("orders").digest == version.digest


def test_an_export_keeps_models_whose_content_is_anything(tmp_path):
    class Odd:
        def state(self):
            return {"$float": "x", "n": float("nan")}, {"../../x": np.array(["é"]), " ": np.empty(0)}

    registry = LocalRegistry(tmp_path / "registry")
    registry.register("odd", Odd(), metrics={"auroc": float("nan"), "f1": float("inf")})
    version = registry.import_(registry.export("odd", tmp_path / "deep" / "odd"))
    assert np.isnan(version.metrics["auroc"])
    np.testing.assert_equal(registry.load("odd@2").spec, Odd().state()[0])
    assert io.BytesIO((tmp_path / "deep" / "odd").read_bytes()).read(2) == b"PK"
