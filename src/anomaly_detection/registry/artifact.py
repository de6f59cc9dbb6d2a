"""A saved model: a folder with ``manifest.json`` and ``arrays.npz``, checked byte by byte before anything is used.

The manifest holds the model's spec (JSON), and for every file its size and SHA-256, for every array its type and
shape, and a SHA-256 over itself. ``arrays.npz`` is what :func:`numpy.load` reads; nothing in it is ever unpickled.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from anomaly_detection.errors import ArtifactError, ModelConflictError, RegistryError
from anomaly_detection.registry._arrays import ArrayEntry, pack, unpack
from anomaly_detection.registry._atomic import (
    make_folder,
    publish,
    read_file,
    staging,
    sync_folder,
    write_file,
    writing,
)
from anomaly_detection.registry._sealed import AGAIN, seal, unseal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

FORMAT = "anomaly-detection-model"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
ARRAYS = "arrays.npz"
MAX_MANIFEST_BYTES = 64 * 2**20
MAX_BYTES = 4 * 2**30
"""What the arrays of a model may take in memory, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file of a saved model: its size in bytes and its SHA-256 in hexadecimal."""

    size: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a saved model says about itself.

    Parameters
    ----------
    digest : SHA-256 over the manifest, which names every other byte: the identity of the model.
    files : the files beside the manifest.
    arrays : name, type and shape of each array, in order.
    extra : what the caller added.
    format_version : the version of the format it was written in.
    """

    digest: str
    files: dict[str, FileEntry]
    arrays: tuple[ArrayEntry, ...]
    extra: dict[str, Any] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION

    @property
    def size(self) -> int:
        """Bytes of the files beside the manifest."""
        return sum(entry.size for entry in self.files.values())


@dataclass(frozen=True, slots=True)
class Artifact:
    """A model that was read back: its spec, its arrays (writable, as they were) and its manifest."""

    spec: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class _Body:
    """The sealed part of ``manifest.json``, as checked by msgspec."""

    spec: dict[str, Any]
    files: dict[str, FileEntry]
    arrays: tuple[ArrayEntry, ...]
    extra: dict[str, Any]


def write_artifact(
    folder: Path | str,
    spec: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    extra: Mapping[str, Any] | None = None,
    *,
    overwrite: bool = False,
    max_bytes: int = MAX_BYTES,
) -> Manifest:
    """Save a model in a folder, whole or not at all; equal content gives equal bytes.

    Parameters
    ----------
    folder : where to; made, with the folders above it, if it is not there.
    spec : plain values that describe the model.
    arrays : what it learned, by any names; no object arrays.
    extra : plain values to keep beside the spec.
    overwrite : replace a saved model that is already there.
    max_bytes : the most the arrays may take in memory; a larger model would be refused when it is read.

    Raises
    ------
    ModelConflictError
        if the folder holds a model already, and ``overwrite`` is not set; or holds something else.
    ArtifactError
        if the model holds something that cannot be saved.
    RegistryError
        if the disk is full or the place cannot be written to; what was there before still is.

    >>> import numpy as np, tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "model"
    >>> written = write_artifact(folder, {"slope": 2.0}, {"line/points": np.arange(3)})
    >>> again = read_artifact(folder)
    >>> again.spec, again.arrays["line/points"], again.manifest == written
    ({'slope': 2.0}, array([0, 1, 2]), True)
    """
    target = Path(os.path.realpath(folder))
    with writing(f"save the model in {target}", target.parent):
        make_folder(target.parent)
        _restore(target)
        _check_free(target, overwrite=overwrite)
        with staging(target.parent, f".{target.name}.") as aside:
            manifest = write_parts(aside / "new", spec, arrays, extra, max_bytes=max_bytes)
            _swap(aside / "new", target)
    return manifest


def _check_free(folder: Path, *, overwrite: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MANIFEST).is_file():
        raise ModelConflictError(f"{folder} exists and holds no saved model; it is left alone. Choose another folder.")
    if not overwrite:
        raise ModelConflictError(
            f"{folder} already holds a saved model. Choose another folder, or overwrite it with overwrite=True."
        )


def _previous(folder: Path) -> Path:
    """Where the model that is being replaced stands for a moment; readers look here when ``folder`` is not there."""
    return folder.with_name(f".{folder.name}.previous")


def _restore(folder: Path) -> None:
    """Finish for a writer that died between the two renames."""
    previous = _previous(folder)
    if previous.is_dir() and not folder.exists():
        publish(previous, folder)


def _swap(new: Path, folder: Path) -> None:
    previous = _previous(folder)
    if folder.exists():
        shutil.rmtree(previous, ignore_errors=True)
        publish(folder, previous)
    try:
        publish(new, folder)
    except OSError as error:
        if not (folder / MANIFEST).is_file():
            raise
        raise ModelConflictError(f"{folder} was written by somebody else in the meantime; theirs was kept.") from error
    finally:
        _restore(folder)
    shutil.rmtree(previous, ignore_errors=True)


def write_parts(
    folder: Path,
    spec: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    extra: Mapping[str, Any] | None = None,
    *,
    max_bytes: int = MAX_BYTES,
) -> Manifest:
    """Write the files of a model into a new folder that nobody reads yet."""
    packed, entries = pack(arrays, max_bytes)
    files = {ARRAYS: FileEntry(len(packed), hashlib.sha256(packed).hexdigest())}
    body = {
        "spec": dict(spec),
        "files": files,
        "arrays": entries,
        "extra": dict(extra or {}),
    }
    sealed, digest = seal(FORMAT, FORMAT_VERSION, body)
    if len(sealed) > MAX_MANIFEST_BYTES:
        raise ArtifactError(f"The spec takes {len(sealed):,} bytes; at most {MAX_MANIFEST_BYTES:,} are read back.")
    folder.mkdir()
    write_file(folder / ARRAYS, packed)
    write_file(folder / MANIFEST, sealed)
    sync_folder(folder)
    return Manifest(digest, files, entries, dict(extra or {}))


def read_artifact(folder: Path | str, *, max_bytes: int = MAX_BYTES) -> Artifact:
    """Read a saved model back, after every byte of it was checked.

    Parameters
    ----------
    folder : a folder that :func:`write_artifact` made.
    max_bytes : the most the arrays may take in memory.

    Raises
    ------
    ArtifactError
        if anything about it is not as it was written; the message names the file, the reason and the way out.
    """
    return _steadily(Path(os.path.realpath(folder)), lambda place: _read_parts(place, max_bytes))


def read_manifest(folder: Path | str) -> tuple[dict[str, Any], Manifest]:
    """Read spec and manifest only; the arrays are neither read nor checked.

    Raises
    ------
    ArtifactError
        if the manifest is not as it was written.
    """
    return _steadily(Path(os.path.realpath(folder)), _read_manifest)


T = TypeVar("T")


def _steadily(folder: Path, read: Callable[[Path], T]) -> T:
    """Read again if the folder was replaced while it was read."""
    while True:
        before = _seen(folder), _seen(_previous(folder))
        replacing = before[0] is None and before[1] is not None
        try:
            return read(_previous(folder) if replacing else folder)
        except (RegistryError, OSError) as error:
            if before != (_seen(folder), _seen(_previous(folder))):
                continue
            if isinstance(error, OSError):
                raise RegistryError(f"{folder} cannot be read: {error.strerror}.") from error
            raise


def _seen(folder: Path) -> tuple[int, ...] | None:
    """What tells a folder from another that takes its place; inodes alone come back."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _read_manifest(folder: Path) -> tuple[dict[str, Any], Manifest]:
    if not folder.is_dir():
        raise ArtifactError(f"{folder} is not a folder with a saved model. Check the path.")
    path = folder / MANIFEST
    fields, digest = unseal(read_file(path, MAX_MANIFEST_BYTES), path, FORMAT, FORMAT_VERSION)
    try:
        body = msgspec.convert(fields, _Body)
    except msgspec.ValidationError as error:
        raise ArtifactError(
            f"{path} does not describe a model: {error}. Take it from where it came from again."
        ) from error
    _check_names(folder, body.files)
    return body.spec, Manifest(digest, body.files, body.arrays, body.extra)


def _check_names(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """Only the two files of the format, no others, neither declared nor there."""
    for name in files:
        if name != ARRAYS:
            raise ArtifactError(f"{folder / MANIFEST} names the file {name!r:.80}, which no saved model has.")
    for name in sorted(entry.name for entry in folder.iterdir()):
        if name not in (MANIFEST, ARRAYS):
            raise ArtifactError(f"{folder / name} does not belong to the saved model. Move it out of the folder.")
    if ARRAYS not in files:
        raise ArtifactError(f"{folder / MANIFEST} does not name {ARRAYS}. Take it from where it came from again.")


def _read_parts(folder: Path, max_bytes: int) -> Artifact:
    spec, manifest = _read_manifest(folder)
    path = folder / ARRAYS
    entry = manifest.files[ARRAYS]
    data = read_file(path, entry.size)
    if len(data) != entry.size:
        raise ArtifactError(f"{path} has {len(data):,} bytes instead of {entry.size:,}: it was cut short. {AGAIN}")
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise ArtifactError(f"{path} was changed after it was written: its SHA-256 does not match. {AGAIN}")
    return Artifact(spec, unpack(data, manifest.arrays, path, max_bytes), manifest)
