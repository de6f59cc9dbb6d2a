"""Where a model comes from: the data, the parameters, the libraries, the seed, and when."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any, Self

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PACKAGE = "anomaly-detection"
LIBRARIES = ("numpy", "scipy", "numba", "scikit-learn", "polars")


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment in UTC, as ISO 8601 to the second.

    >>> stamp(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    '2026-01-02T03:04:05Z'
    """
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a model comes from.

    Parameters
    ----------
    created : when it was trained, UTC, ISO 8601.
    package_version : the version of this package.
    data_fingerprint : SHA-256 of the training records (:func:`fingerprint`), or of the file they came from.
    rows, columns : how many records, and the names of the columns that were looked at.
    parameters : the parameters of the model.
    library_versions : the libraries that computed it, with Python.
    seed : the random seed, if it was fixed.
    command : what was typed, if it was a command.
    job : the job of the service that made it, if one did.

    >>> lineage = Lineage.gather(rows=100, columns=["amount"], seed=0)
    >>> lineage.rows, lineage.columns, "numpy" in lineage.library_versions
    (100, ('amount',), True)
    """

    created: str
    package_version: str | None = None
    data_fingerprint: str | None = None
    rows: int | None = None
    columns: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    library_versions: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    command: str | None = None
    job: str | None = None

    @classmethod
    def gather(
        cls,
        *,
        data_fingerprint: str | None = None,
        rows: int | None = None,
        columns: Iterable[str] = (),
        parameters: Mapping[str, Any] | None = None,
        seed: int | None = None,
        command: str | None = None,
        job: str | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Add the time and the versions of what is installed; imports none of it."""
        return cls(
            created=stamp(now()),
            package_version=installed_version(PACKAGE),
            data_fingerprint=data_fingerprint,
            rows=rows,
            columns=tuple(columns),
            parameters=dict(parameters or {}),
            library_versions=library_versions(),
            seed=seed,
            command=command,
            job=job,
        )


def installed_version(package: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def library_versions(packages: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """The versions of Python and of those packages that are installed."""
    found = {package: installed_version(package) for package in packages}
    return {"python": platform.python_version()} | {name: version for name, version in found.items() if version}


def fingerprint(frame: pl.DataFrame) -> str:
    """SHA-256 over names, types and values of a frame; the same on every machine.

    >>> fingerprint(pl.DataFrame({"a": [1, 2]})) == fingerprint(pl.DataFrame({"a": [1, 3]}))
    False
    """
    digest = hashlib.sha256()
    for series in frame:
        digest.update(f"{series.name!r} {series.dtype} {len(series)}\n".encode("utf-8", "surrogatepass"))
        for part in _bytes_of(series):
            digest.update(part)
    return digest.hexdigest()


def _bytes_of(series: pl.Series) -> Iterable[bytes]:
    yield series.is_null().to_numpy().tobytes()
    physical = (
        series.to_physical() if not isinstance(series.dtype, pl.Categorical | pl.Enum) else series.cast(pl.String)
    )
    if physical.dtype.is_numeric() and not physical.dtype.is_decimal():
        yield physical.fill_null(0).to_numpy().tobytes()
    elif physical.dtype == pl.Boolean:
        yield physical.fill_null(value=False).to_numpy().tobytes()
    else:
        yield from _bytes_of_text(physical)


def _bytes_of_text(series: pl.Series) -> Iterable[bytes]:
    text = series if series.dtype == pl.String else pl.Series([repr(value) for value in series], dtype=pl.String)
    filled = text.fill_null("")
    yield filled.str.len_bytes().to_numpy().tobytes()
    yield "".join(filled.to_list()).encode()
