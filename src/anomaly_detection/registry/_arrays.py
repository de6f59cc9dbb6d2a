"""Named arrays in the bytes of an ``.npz`` file, and back, without trusting what the bytes claim."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import msgspec
import numpy as np

from anomaly_detection.errors import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import IO

    from numpy.typing import NDArray

_MAX_HEADER = 10_000
_MAX_NAME = 1_000
_UNIX = 3
_PLAIN_DTYPE = re.compile(r"[<>|](?:[biufcSU]\d{1,9}|[mM]8(?:\[\d{0,9}[a-zA-Z]{1,2}\])?)", re.ASCII)

UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    TypeError,
    OverflowError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
)
"""What a zip file that was made to mislead can raise while it is read."""

Length = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


@dataclass(frozen=True, slots=True)
class ArrayEntry:
    """An array of a saved model: its name, its type as NumPy writes it, and its shape."""

    name: str
    dtype: str
    shape: tuple[Length, ...]

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


def pack(arrays: Mapping[str, NDArray[Any]], max_bytes: int) -> tuple[bytes, tuple[ArrayEntry, ...]]:
    """Compress arrays; equal arrays in equal order give equal bytes.

    Raises
    ------
    ArtifactError
        for object or record arrays, names that are not text, and more than ``max_bytes`` in all.
    """
    plain = {name: np.asarray(array) for name, array in arrays.items()}
    entries = tuple(_describe(name, array) for name, array in plain.items())
    _check_total(entries, max_bytes, "The model")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in plain.items():
            with archive.open(_member(name), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return buffer.getvalue(), entries


def _describe(name: Any, array: NDArray[Any]) -> ArrayEntry:
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
        raise ArtifactError(f"The array name {name!r:.80} cannot be saved: use 1 to {_MAX_NAME} characters of text.")
    if not _is_plain(array.dtype.str):
        raise ArtifactError(
            f"The array {name!r} has the type {array.dtype}, which cannot be saved safely. "
            f"Use numbers, booleans, fixed-width text or times."
        )
    return ArrayEntry(name, array.dtype.str, array.shape)


def _is_plain(dtype: str) -> bool:
    """Whether a type is one of plain values, written as NumPy writes it."""
    try:
        return _PLAIN_DTYPE.fullmatch(dtype) is not None and np.dtype(dtype).str == dtype
    except TypeError:
        return False


def _member(name: str) -> zipfile.ZipInfo:
    """A name that is safe as a file name, a fixed time, and compression."""
    member = zipfile.ZipInfo(_file_name(name))
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = _UNIX
    member.external_attr = 0o600 << 16
    return member


def _file_name(name: str) -> str:
    return f"{quote(name, safe='', errors='surrogatepass')}.npy"


def _check_total(entries: Iterable[ArrayEntry], max_bytes: int, what: str) -> None:
    total = sum(entry.nbytes for entry in entries)
    if total > max_bytes:
        raise ArtifactError(
            f"{what} holds {total:,} bytes of arrays; at most {max_bytes:,} are allowed. "
            f"Make the model smaller, or allow more with max_bytes={total}."
        )


def unpack(data: bytes, entries: tuple[ArrayEntry, ...], path: Path, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Read exactly the arrays that were declared; anything else is refused before memory is taken for it.

    Raises
    ------
    ArtifactError
        naming the array and what is wrong with it.
    """
    for entry in entries:
        if not _is_plain(entry.dtype):
            raise ArtifactError(
                f"{path}: the array {entry.name!r:.80} has the type {entry.dtype!r:.80}, not a plain one."
            )
    _check_total(entries, max_bytes, str(path))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_directory(archive.infolist(), entries, path)
            return {entry.name: _read_one(archive, entry, path) for entry in entries}
    except UNREADABLE as error:
        raise ArtifactError(f"{path} cannot be read: {error}. Copy it again from where it came from.") from error


def _check_directory(members: list[zipfile.ZipInfo], entries: tuple[ArrayEntry, ...], path: Path) -> None:
    """Hold the directory of the zip file against what the manifest declares."""
    found = [member.filename for member in members]
    declared = [_file_name(entry.name) for entry in entries]
    if found != declared or len(set(found)) < len(found):
        raise ArtifactError(f"{path} does not hold the arrays that the manifest declares.")
    for member, entry in zip(members, entries, strict=True):
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArtifactError(f"{path}: the array {entry.name!r:.80} is packed in a way that is not read here.")
        if not entry.nbytes <= member.file_size <= entry.nbytes + _MAX_HEADER:
            raise ArtifactError(
                f"{path}: the array {entry.name!r:.80} would unpack to {member.file_size:,} bytes instead of the "
                f"declared {entry.nbytes:,}."
            )


def _read_one(archive: zipfile.ZipFile, entry: ArrayEntry, path: Path) -> NDArray[Any]:
    with archive.open(_file_name(entry.name)) as file:
        shape, fortran, dtype = _read_header(file)
        if (shape, dtype.str) != (entry.shape, entry.dtype):
            raise ArtifactError(
                f"{path}: the array {entry.name!r:.80} is {dtype.str} {shape}, not {entry.dtype} {entry.shape} as "
                f"declared."
            )
        array = np.empty(shape, dtype, order="F" if fortran else "C")
        _fill(array.T if fortran else array, file)
        if file.read(1):
            raise ArtifactError(f"{path}: the array {entry.name!r:.80} is followed by bytes that belong to nothing.")
    return array


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        return np.lib.format.read_array_header_1_0(file, max_header_size=_MAX_HEADER)
    if version == (2, 0):
        return np.lib.format.read_array_header_2_0(file, max_header_size=_MAX_HEADER)
    raise ValueError(f"an array has the .npy version {version}")


def _fill(array: NDArray[Any], file: IO[bytes]) -> None:
    if not array.nbytes:
        return
    target = memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
    while target:
        count = file.readinto(target)  # type: ignore[attr-defined]
        if not count:
            raise EOFError("an array is cut short")
        target = target[count:]
