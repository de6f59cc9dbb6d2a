"""A saved model comes back bit for bit, or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from anomaly_detection.errors import ArtifactError, ModelConflictError
from anomaly_detection.registry import read_artifact, read_manifest, write_artifact

SPEC = {"kind": "line", "slope": 2.5, "names": ["a", "ü"], "nested": {"none": None, "yes": True}}
ARRAYS = {"0/threshold_": np.linspace(0, 1, 5), "counts": np.arange(3, dtype=np.int16)}


@pytest.fixture
def folder(tmp_path):
    write_artifact(tmp_path / "model", SPEC, ARRAYS)
    return tmp_path / "model"


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("template") / "model"
    write_artifact(folder, SPEC, ARRAYS)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def reseal(folder, **changes):
    """Change the manifest the way an attacker would: with a seal that fits."""
    path = folder / "manifest.json"
    fields = json.loads(path.read_text()) | changes
    fields.pop("seal")
    head = "{" + ",\n".join(f"{json.dumps(key)}:{json.dumps(value)}" for key, value in fields.items())
    path.write_text(f'{head},\n"seal":"{hashlib.sha256(head.encode()).hexdigest()}"}}\n')


def replace_arrays(folder, data):
    (folder / "arrays.npz").write_bytes(data)
    reseal(folder, files={"arrays.npz": {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}})


def refused(folder, hint=None):
    with pytest.raises(ArtifactError, match=hint) as caught:
        read_artifact(folder)
    assert str(folder) in str(caught.value)


def test_spec_and_arrays_come_back_as_they_were(folder):
    artifact = read_artifact(folder)
    assert artifact.spec == SPEC
    assert list(artifact.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert artifact.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(artifact.arrays[name], array)
    assert read_manifest(folder) == (SPEC, artifact.manifest)


def test_loaded_arrays_have_the_memory_layout_they_had_and_can_be_written_to(tmp_path):
    given = {
        "c": np.zeros((3, 2)),
        "f": np.asfortranarray(np.arange(6.0).reshape(3, 2)),
        "none": np.empty((0, 4), np.float32),
        "scalar": np.array(7),
        "text": np.array(["a", "bcd"]),
        "strided": np.arange(10)[::3],
        "times": np.array(["2026-01-01"], "M8[us]"),
    }
    write_artifact(tmp_path / "model", {}, given)
    for name, array in read_artifact(tmp_path / "model").arrays.items():
        np.testing.assert_array_equal(array, given[name])
        assert (array.dtype, array.shape) == (given[name].dtype, given[name].shape)
        assert array.flags.writeable
        assert array.flags.aligned
        assert name != "f" or array.flags.f_contiguous


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
SPECS = st.dictionaries(
    st.text(), st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
)
NAMED_ARRAYS = st.dictionaries(
    st.text(min_size=1, max_size=30),
    arrays_of.arrays(
        st.sampled_from(["f4", "f8", "i8", "u1", "?", "U3"]), arrays_of.array_shapes(min_dims=0, min_side=0)
    ),
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(SPECS, NAMED_ARRAYS)
def test_any_spec_and_any_names_come_back_and_equal_content_gives_equal_bytes(tmp_path_factory, spec, arrays):
    folder = tmp_path_factory.mktemp("any")
    write_artifact(folder / "a", spec, arrays)
    write_artifact(folder / "b", spec, arrays)
    artifact = read_artifact(folder / "a")
    np.testing.assert_equal(artifact.spec, spec)
    np.testing.assert_equal(artifact.arrays, arrays)
    for file in ("manifest.json", "arrays.npz"):
        assert (folder / "a" / file).read_bytes() == (folder / "b" / file).read_bytes()


def test_arrays_are_an_ordinary_npz_file_and_the_manifest_strict_json(tmp_path):
    write_artifact(tmp_path / "model", {"limit": float("inf")}, ARRAYS)
    with np.load(tmp_path / "model" / "arrays.npz", allow_pickle=False) as loaded:
        np.testing.assert_array_equal(loaded["counts"], ARRAYS["counts"])
    json.loads((tmp_path / "model" / "manifest.json").read_text(), parse_constant=pytest.fail)


def test_every_single_changed_byte_is_noticed(folder):
    for name in ("manifest.json", "arrays.npz"):
        data = (folder / name).read_bytes()
        for position in range(len(data)):
            changed = bytearray(data)
            changed[position] ^= 1 << (position % 8)
            (folder / name).write_bytes(changed)
            with pytest.raises(ArtifactError):
                read_artifact(folder)
        (folder / name).write_bytes(data)
    assert read_artifact(folder).spec == SPEC


@pytest.mark.parametrize("name", ["manifest.json", "arrays.npz"])
def test_every_truncation_and_every_addition_is_noticed(folder, name):
    data = (folder / name).read_bytes()
    for length in range(0, len(data), 7):
        (folder / name).write_bytes(data[:length])
        with pytest.raises(ArtifactError, match=re.escape(name)):
            read_artifact(folder)
    (folder / name).write_bytes(data + b"\n")
    refused(folder, re.escape(name))


def test_swapped_arrays_of_another_model_are_noticed(folder, tmp_path):
    write_artifact(tmp_path / "other", SPEC, {name: array + 1 for name, array in ARRAYS.items()})
    (tmp_path / "other" / "arrays.npz").replace(folder / "arrays.npz")
    refused(folder, "arrays.npz")


def test_missing_and_extra_files_are_named(folder):
    (folder / "notes.txt").write_text("mine")
    refused(folder, "notes.txt does not belong")
    (folder / "notes.txt").unlink()
    (folder / "arrays.npz").unlink()
    refused(folder, "arrays.npz is missing")
    (folder / "manifest.json").unlink()
    refused(folder, "manifest.json is missing")


def test_what_is_no_folder_is_refused(folder, tmp_path):
    refused(tmp_path / "nowhere", "not a folder")
    refused(folder / "manifest.json", "not a folder")


@pytest.mark.parametrize("name", ["manifest.json", "arrays.npz"])
def test_links_to_outside_are_refused_even_when_the_content_fits(folder, tmp_path, name):
    (folder / name).replace(tmp_path / "outside")
    (folder / name).symlink_to(tmp_path / "outside")
    refused(folder, f"{name} is a link")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(folder):
    (folder / "arrays.npz").unlink()
    os.mkfifo(folder / "arrays.npz")
    refused(folder, "not a plain file")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "sub/arrays.npz", "arrays.npz\0", ""])
def test_file_names_that_reach_outside_are_refused(folder, name):
    files = json.loads((folder / "manifest.json").read_text())["files"]
    reseal(folder, files=files | {name: {"size": 0, "sha256": "0" * 64}})
    refused(folder, "names the file")


def test_unknown_formats_and_newer_versions_say_what_to_do(folder):
    reseal(folder, format_version=2)
    refused(folder, "newer version.*upgrade")
    for version in (0, -1, True, "1", None, 1.5):
        reseal(folder, format_version=version)
        refused(folder, "format version")
    reseal(folder, format="somebody-else", format_version=1)
    refused(folder, "somebody-else")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"[]", b"null", b"{}", b"[" * 200_000, b'{"a":' * 200_000, b"9" * 10_000, b'{"$float":[]}', b"\xff"],
    ids=lambda content: repr(content[:10]),
)
def test_a_manifest_that_is_none_is_refused(folder, content):
    (folder / "manifest.json").write_bytes(content)
    refused(folder, "manifest.json")


def test_a_manifest_that_is_too_large_is_not_read(folder, monkeypatch):
    monkeypatch.setattr("anomaly_detection.registry.artifact.MAX_MANIFEST_BYTES", 100)
    refused(folder, "at most 100 are read")


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": []},
        {"files": {}},
        {"files": {"arrays.npz": {"size": -1, "sha256": "0" * 64}}},
        {"files": {"arrays.npz": {"size": 1e300, "sha256": "0" * 64}}},
        {"files": {"arrays.npz": {"size": 10**17, "sha256": "0" * 64}}},
        {"files": {"arrays.npz": {"size": 10**400, "sha256": "0" * 64}}},
        {"files": {"arrays.npz": {"size": {"$float": "nan"}, "sha256": "0" * 64}}},
        {"files": {"arrays.npz": {"size": 10, "sha256": "no"}}},
        {"arrays": [{"name": "a", "dtype": "<f8", "shape": [-1]}]},
        {"arrays": [{"name": "a", "dtype": "<f8", "shape": [2.5]}]},
        {"arrays": [{"name": "a", "dtype": "<f8", "shape": "3"}]},
        {"arrays": [{"name": "a", "dtype": "|O", "shape": [3]}]},
        {"arrays": [{"name": "a", "dtype": "<f3", "shape": [3]}]},
        {"arrays": [{"name": "a", "dtype": "<m8[xx]", "shape": [3]}]},
        {"arrays": [{"name": "a", "dtype": "[('a','<f8')]", "shape": [3]}]},
        {"arrays": [{"name": "a", "dtype": "<f8", "shape": [2**60, 2**60]}]},
        {"arrays": []},
        {"arrays": None},
        {"extra": 1},
    ],
    ids=str,
)
def test_declarations_that_make_no_sense_are_refused(folder, changes):
    reseal(folder, **changes)
    refused(folder)


def packed(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return buffer.getvalue()


def npy(array, **options):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def declared(array):
    return [{"name": "a", "dtype": array.dtype.str, "shape": list(array.shape)}]


def test_an_array_that_unpacks_to_more_than_declared_is_refused_before_it_is_unpacked(folder):
    replace_arrays(folder, packed(a=b"\0" * 50_000_000))
    reseal(folder, arrays=declared(np.zeros(3)))
    refused(folder, "would unpack to 50,000,000 bytes")


def test_a_model_larger_than_allowed_is_refused_before_memory_is_taken(folder):
    with pytest.raises(ArtifactError, match="max_bytes=46"):
        read_artifact(folder, max_bytes=45)
    reseal(folder, arrays=[{"name": "a", "dtype": "<f8", "shape": [10**12]}])
    refused(folder, "8,000,000,000,000 bytes")


def test_an_array_header_that_contradicts_the_manifest_is_refused(folder):
    replace_arrays(folder, packed(a=npy(np.zeros((2, 3)))))
    reseal(folder, arrays=declared(np.zeros((3, 2))))
    refused(folder, "as declared")


def test_object_arrays_are_never_unpickled(folder):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    trap = np.array([Trap()], dtype=object)
    replace_arrays(folder, packed(a=npy(trap, allow_pickle=True)))
    reseal(folder, arrays=declared(np.zeros(1)))
    refused(folder)


@pytest.mark.parametrize("data", [b"", b"PK\5\6", b"PK\3\4" + b"\0" * 60, b"no zip at all" * 9])
def test_what_is_no_zip_is_refused(folder, data):
    replace_arrays(folder, data)
    refused(folder, "arrays.npz")


def test_arrays_that_are_declared_twice_or_packed_twice_are_refused(folder):
    reseal(folder, arrays=declared(np.zeros(3)) * 2)
    refused(folder, "does not hold the arrays")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_forged_archive_is_read_or_refused_but_never_crashes(tmp_path_factory, template, data):
    folder = tmp_path_factory.mktemp("forged")
    for name, content in template.items():
        (folder / name).write_bytes(content)
    changed = bytearray(template["arrays.npz"])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    replace_arrays(folder, bytes(changed))
    shapes = {name: array.shape for name, array in ARRAYS.items()}
    with suppress(ArtifactError):
        assert {name: array.shape for name, array in read_artifact(folder).arrays.items()} == shapes


@pytest.mark.parametrize("array", [np.array([{}]), np.zeros(2, "f8,i4"), np.zeros(2, "V3")], ids=str)
def test_arrays_that_could_not_be_read_safely_are_not_written(tmp_path, array):
    with pytest.raises(ArtifactError, match="'bad'"):
        write_artifact(tmp_path / "model", {}, {"bad": array})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("spec", "where"),
    [({"a": {"b": [1, object()]}}, r"spec\.a\.b\[1\]"), ({"a": {1: 2}}, r"spec\.a"), ({"a": np.zeros(2)}, r"spec\.a")],
)
def test_a_spec_that_is_not_json_is_refused_naming_the_place(tmp_path, spec, where):
    with pytest.raises(ArtifactError, match=where):
        write_artifact(tmp_path / "model", spec, {})
    assert list(tmp_path.iterdir()) == []


def test_a_model_too_large_to_be_read_back_is_not_written(tmp_path):
    with pytest.raises(ArtifactError, match="max_bytes=8000"):
        write_artifact(tmp_path / "model", {}, {"a": np.zeros(1000)}, max_bytes=100)


def test_another_model_is_not_overwritten_unless_asked(folder):
    with pytest.raises(ModelConflictError, match="overwrite=True"):
        write_artifact(folder, {}, {})
    assert read_artifact(folder).spec == SPEC
    write_artifact(folder, {"kind": "new"}, {}, overwrite=True)
    assert read_artifact(folder).spec == {"kind": "new"}
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_folder_with_other_things_is_left_alone_even_when_asked_to_overwrite(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_text("meow")
    for overwrite in (False, True):
        with pytest.raises(ModelConflictError, match="left alone"):
            write_artifact(tmp_path / "photos", {}, {}, overwrite=overwrite)
    assert (tmp_path / "photos" / "cat.jpg").read_text() == "meow"


def test_an_empty_folder_and_folders_that_do_not_exist_yet_are_fine(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b" / "model"):
        write_artifact(folder, SPEC, ARRAYS)
        assert read_artifact(str(folder)).spec == SPEC


def test_files_of_others_that_look_like_leftovers_are_left_alone(tmp_path):
    for name in (".model.x.lock", ".model.lock", ".model.0123.lock", "model.lock"):
        (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.iterdir())
    write_artifact(tmp_path / "model", {}, {})
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "model"])


def test_a_folder_may_be_reached_by_a_link(folder, tmp_path):
    current = tmp_path / "current"
    current.symlink_to(folder)
    assert read_artifact(current).spec == SPEC
    write_artifact(current, {"kind": "new"}, {}, overwrite=True)
    assert read_artifact(folder).spec == read_artifact(current).spec == {"kind": "new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "model"]


def test_the_current_folder_and_relative_ones_are_folders_too(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    assert read_artifact(".").spec == SPEC
    monkeypatch.chdir(tmp_path)
    write_artifact("other", SPEC, ARRAYS)
    assert read_artifact("model/../other/").spec == SPEC
    with pytest.raises(ArtifactError, match="not a folder"):
        read_artifact("nowhere")
    with pytest.raises(ModelConflictError, match="left alone"):
        write_artifact(".", SPEC, ARRAYS, overwrite=True)
