"""The file formats of records and results, by name, and the compressions around them."""

from __future__ import annotations

import gzip
import sys
import zlib
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Literal, cast, get_args

from anomaly_detection.errors import MissingDependencyError, UnknownNameError

if TYPE_CHECKING:
    from types import ModuleType

Kind = Literal["csv", "tsv", "json", "jsonl", "parquet"]
Compression = Literal["gz", "zst"]

KINDS: tuple[Kind, ...] = get_args(Kind)

_KIND_OF: dict[str, Kind] = {
    **{kind: kind for kind in KINDS},
    "tab": "tsv",
    "ndjson": "jsonl",
    "jsonlines": "jsonl",
    "pq": "parquet",
    "parq": "parquet",
}
_COMPRESSION_OF: dict[str, Compression] = {"gz": "gz", "gzip": "gz", "zst": "zst", "zstd": "zst"}


_ZSTD = ("compression.zstd", "backports.zstd")


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file and the compression around it, if any.

    >>> str(Format("csv", "gz"))
    'csv.gz'
    """

    kind: Kind
    compression: Compression | None = None

    def __str__(self) -> str:
        return self.kind if self.compression is None else f"{self.kind}.{self.compression}"


def named(name: str) -> Format:
    """The format a user names, such as ``csv``, ``NDJSON`` or ``parquet.zst``.

    >>> named("ndjson.gz")
    Format(kind='jsonl', compression='gz')

    Raises
    ------
    UnknownNameError
        with the nearest known names.
    """
    kind, compression = _by_suffixes(f"x.{name.strip().lower().lstrip('.')}")
    if kind is None:
        raise UnknownNameError("file format", name, _KIND_OF)
    return Format(kind, compression)


def of_path(path: str | PurePath) -> tuple[Kind | None, Compression | None]:
    """What the name of a file says about its format; None where it says nothing.

    >>> of_path("orders.csv.gz"), of_path("orders.2024.txt")
    (('csv', 'gz'), (None, None))
    """
    return _by_suffixes(PurePath(path).name.lower())


def reader(file: IO[bytes], compression: Compression | None) -> IO[bytes]:
    """The plain bytes of a file that is open for reading."""
    if compression is None:
        return file
    if compression == "gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb"))
    return _zstd(file, "rb")


def writer(file: IO[bytes], compression: Compression | None) -> IO[bytes]:
    """A file for plain bytes that end up compressed in one that is open for writing; close both."""
    if compression is None:
        return file
    if compression == "gz":
        return cast("IO[bytes]", gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0))
    return _zstd(file, "wb")


def damage() -> tuple[type[Exception], ...]:
    """The errors that reading damaged compressed bytes raises."""
    modules = [sys.modules[name] for name in _ZSTD if name in sys.modules]
    return (EOFError, OSError, zlib.error, *(module.ZstdError for module in modules))


def _by_suffixes(name: str) -> tuple[Kind | None, Compression | None]:
    stem, _, last = name.rpartition(".")
    compression = _COMPRESSION_OF.get(last)
    if compression is not None:
        last = stem.rpartition(".")[2] if "." in stem else ""
    return _KIND_OF.get(last), compression


def _zstd(file: IO[bytes], mode: Literal["rb", "wb"]) -> IO[bytes]:
    for name in _ZSTD:
        module = _imported(name)
        if module is not None:
            return cast("IO[bytes]", module.ZstdFile(file, mode))
    arrow: Any = _imported("pyarrow")
    if arrow is None:
        raise MissingDependencyError("backports.zstd", "arrow", "A file compressed with Zstandard")
    wrapped = arrow.PythonFile(_LeftOpen(file), mode[0])
    stream = arrow.CompressedInputStream if mode == "rb" else arrow.CompressedOutputStream
    return cast("IO[bytes]", stream(wrapped, "zstd"))


class _LeftOpen:
    """A file for pyarrow, which would close it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        self.write = file.write
        self.flush = file.flush
        self.closed = False

    def close(self) -> None:
        self.closed = True


def _imported(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
