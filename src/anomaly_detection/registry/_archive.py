"""A version of a model in one file: a zip of ``export.json`` and the artifact's two files, stored, nothing else."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import msgspec

from anomaly_detection.errors import ArtifactError, InputError, ModelConflictError
from anomaly_detection.registry._arrays import UNREADABLE
from anomaly_detection.registry._atomic import (
    make_folder,
    publish,
    staging,
    sync_file,
    sync_folder,
    write_file,
    writing,
)
from anomaly_detection.registry._model_folder import Record, decode, encode
from anomaly_detection.registry._sealed import AGAIN
from anomaly_detection.registry.artifact import ARRAYS, MANIFEST, MAX_MANIFEST_BYTES, read_artifact
from anomaly_detection.registry.names import check_name

if TYPE_CHECKING:
    from pathlib import Path

EXPORT = "export.json"
EXPORT_FORMAT = "anomaly-detection-export"
_MEMBERS = (EXPORT, MANIFEST, ARRAYS)


@dataclass(frozen=True, slots=True)
class Exported:
    """What ``export.json`` says: which version it was, and what was known about it."""

    name: str
    version: Annotated[int, msgspec.Meta(ge=1)]
    record: Record


def write_archive(path: Path, artifact: Path, exported: Exported, *, overwrite: bool) -> Path:
    """Pack an artifact and what is known about it; equal content gives equal bytes.

    Raises
    ------
    ModelConflictError
        if ``path`` exists and ``overwrite`` is not set, or is a folder.
    """
    if path.is_dir() or (path.exists() and not overwrite):
        way_out = (
            "name a file in it"
            if path.is_dir()
            else "choose another name, or replace it (--force, overwrite=True in Python)"
        )
        raise ModelConflictError(f"{path} exists already: {way_out}.")
    with writing(f"export to {path}", path.parent):
        make_folder(path.parent)
        with staging(path.parent, f".{path.name}.") as aside:
            _pack(aside / "export", artifact, encode(EXPORT_FORMAT, exported))
            publish(aside / "export", path)
    return path


def _pack(path: Path, artifact: Path, export: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(_member(EXPORT), export)
        for name in (MANIFEST, ARRAYS):
            archive.writestr(_member(name), (artifact / name).read_bytes())
    sync_file(path)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.create_system = 3
    member.external_attr = 0o644 << 16
    return member


def read_archive(path: Path, folder: Path, *, max_bytes: int) -> tuple[str, Record]:
    """Unpack an exported file into a new folder and check all of it; returns its name and record.

    Raises
    ------
    ArtifactError
        if the file is not a whole and unchanged export.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path} to import. Check the path.")
    parts = _read_parts(path, max_bytes)
    exported = decode(path, EXPORT_FORMAT, Exported, parts[EXPORT])
    folder.mkdir()
    for name in (MANIFEST, ARRAYS):
        write_file(folder / name, parts[name])
    sync_folder(folder)
    return _checked(path, folder, exported, max_bytes)


def _read_parts(path: Path, max_bytes: int) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(archive.infolist(), path, max_bytes)
            return {name: archive.read(name) for name in _MEMBERS}
    except UNREADABLE as error:
        raise ArtifactError(f"{path} is not an exported model, or was cut short: {error}. {AGAIN}") from error


def _check_members(members: list[zipfile.ZipInfo], path: Path, max_bytes: int) -> None:
    """Exactly the files of an export, plain, stored, and of a size that may be read."""
    if sorted(member.filename for member in members) != sorted(_MEMBERS):
        names = ", ".join(repr(member.filename[:80]) for member in members[:10])
        raise ArtifactError(f"{path} is not an exported model: it holds {names or 'nothing'}. {AGAIN}")
    for member in members:
        limit = max_bytes if member.filename == ARRAYS else MAX_MANIFEST_BYTES
        if member.file_size > limit:
            raise ArtifactError(
                f"{path}: {member.filename} has {member.file_size:,} bytes; at most {limit:,} are read."
            )
        if not _is_plain(member):
            raise ArtifactError(
                f"{path}: {member.filename} is a link, or was packed by something else. Export it again."
            )


def _is_plain(member: zipfile.ZipInfo) -> bool:
    mode = member.external_attr >> 16
    stored = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
    return stored and not member.flag_bits & 1 and stat.S_IFMT(mode) in (0, stat.S_IFREG)


def _checked(path: Path, folder: Path, exported: Exported, max_bytes: int) -> tuple[str, Record]:
    try:
        check_name(exported.name)
        digest = read_artifact(folder, max_bytes=max_bytes).manifest.digest
    except (ArtifactError, InputError) as error:
        raise ArtifactError(f"{path} cannot be imported. {error}") from error
    if digest != exported.record.digest:
        raise ArtifactError(f"{path} holds another model than it says. {AGAIN}")
    return exported.name, replace(exported.record, imported_from=f"{exported.name}@{exported.version}")
