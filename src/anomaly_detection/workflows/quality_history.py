"""Histories of tables: a folder with a small file per run, or with a data file per day."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import polars as pl

from anomaly_detection.errors import InputError, NoRecordsError, SinkError, SourceError
from anomaly_detection.quality.profile import PatternProfile
from anomaly_detection.quality.table_profile import TableProfile, profile_table
from anomaly_detection.sources.files import open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

Kept = TypeVar("Kept")

RUN, PATTERN = ".run.json", ".pattern.json"
"""How the names of files end that hold what a run was like, and what its cells looked like."""

LARGEST = 64 * 2**20
"""Bytes of the largest file that is read as a run."""

MOST_RUNS = 30
"""Days or hours of one table, or daily files, whose values are compared."""

DATA = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet")
PACKED = (".gz", ".zst", ".bz2", ".xz")

DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?:[T_-]?([01]\d|2[0-3]))?(?!\d)"
)
"""A day, or an hour of one, in the name of a file."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a directory of daily files.

    Parameters
    ----------
    path : where it is.
    time : what its name says, microseconds since 1970; when it was last changed, where the name says nothing.
    changed : when it was last changed, microseconds since 1970 UTC.
    dated : whether the name says.
    """

    path: Path
    time: int
    changed: int
    dated: bool


def data_files(folder: Path) -> list[DataFile]:
    """The data files of a directory, the oldest first; hidden ones and runs are left out.

    Raises
    ------
    SourceError
        where it cannot be looked into.
    """
    try:
        paths = [path for path in folder.iterdir() if _is_data(path)]
        found = [_data_file(path) for path in paths]
    except OSError as error:
        raise SourceError(f"The directory {folder} cannot be read: {error.strerror}.") from error
    return sorted(found, key=lambda one: (one.time, one.path.name))


def _is_data(path: Path) -> bool:
    name = path.name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name.endswith(DATA) and not name.endswith((RUN, PATTERN)) and not name.startswith(".") and path.is_file()


def _data_file(path: Path) -> DataFile:
    changed = path.stat().st_mtime_ns // 1_000
    time = time_in_name(path.name)
    return DataFile(path, changed if time is None else time, changed, time is not None)


def time_in_name(name: str) -> int | None:
    """The day, or the hour, that the name of a file says; microseconds since 1970.

    >>> time_in_name("orders_2026-03-01.csv") == time_in_name("20260301.parquet"), time_in_name("orders.csv")
    (True, None)
    """
    found = DATE.search(name)
    if found is None:
        return None
    year, month, day, hour = (int(part or 0) for part in found.groups())
    try:
        return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000
    except ValueError:
        return None


def count_rows(path: Path) -> int:
    """How many records a file has.

    Raises
    ------
    SourceError
        if it cannot be read as records.
    """
    try:
        with open_source(str(path)) as source:
            if source.rows is not None:
                return source.rows
            return sum(len(batch) for batch in source.with_dtypes(dict.fromkeys(source.columns, pl.String)).batches())
    except NoRecordsError:
        return 0


def profile_file(path: Path, time: int | None = None, segments: Sequence[str] = ()) -> TableProfile:
    """The profile of a file; one without records is a table without rows.

    Raises
    ------
    SourceError
        if it cannot be read as records.
    SchemaError
        for a segment that is no column of it.
    """
    frame = read_file(path)
    return profile_table(frame, time, path.name, segments if frame.width else ())


def read_file(path: Path) -> pl.DataFrame:
    """The records of a file; no columns where it has no record.

    Raises
    ------
    SourceError
        if it cannot be read as records.
    """
    try:
        with open_source(str(path)) as source:
            return source.read()
    except NoRecordsError:
        return pl.DataFrame()


def read_runs(folder: Path) -> list[TableProfile]:
    """The runs that a folder remembers, the oldest first; none where there is no such folder yet.

    Raises
    ------
    InputError
        for a file that holds no run.
    SourceError
        for one that cannot be read.
    """
    return sorted(_kept(folder, RUN, TableProfile.from_dict), key=lambda one: one.time or 0)


def read_patterns(folder: Path) -> list[PatternProfile]:
    """The same for what cells looked like; raises as :func:`read_runs` does."""
    return sorted(_kept(folder, PATTERN, PatternProfile.from_state), key=lambda one: one.time or 0)


def _kept(folder: Path, ending: str, make: Callable[[Any], Kept]) -> list[Kept]:
    if not folder.exists():
        return []
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.endswith(ending))
        return [_read_kept(path, make) for path in paths]
    except OSError as error:
        raise SourceError(f"The history {folder} cannot be read: {error.strerror}.") from error


def _read_kept(path: Path, make: Callable[[Any], Kept]) -> Kept:
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path} is larger than any run; at most {LARGEST:,} bytes are read. Remove it.")
    try:
        return make(msgspec.json.decode(path.read_bytes()))
    except (msgspec.DecodeError, InputError) as error:
        raise InputError(f"{path}: {error} Remove the file, or make it again.") from error


def remember_run(folder: Path, profile: TableProfile | PatternProfile, now: datetime) -> Path:
    """Keep a run in a folder, which is made if need be; a run of the same time replaces the one there was.

    Parameters
    ----------
    folder : where to.
    profile : what the run was like, or what its cells looked like.
    now : the time of a run that has none.

    Raises
    ------
    SinkError
        where it cannot be written; nothing is left behind.
    """
    time = profile.time if profile.time is not None else int(now.timestamp() * 1e6)
    profile = replace(profile, time=time)
    state, ending = (profile.to_dict(), RUN) if isinstance(profile, TableProfile) else (profile.state(), PATTERN)
    stamp = datetime.fromtimestamp(time / 1e6, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = folder / f"{stamp}{ending}"
    aside = folder / f".{stamp}.{os.getpid()}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with aside.open("xb") as file:
            file.write(msgspec.json.encode(state))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise SinkError(f"The run could not be kept in {folder}: {error.strerror}.") from error
    return target


def history_of(place: Path, segments: Sequence[str] = (), *, but: Path | None = None) -> list[TableProfile]:
    """Profiles of earlier runs: of a folder of runs, or of daily files.

    Parameters
    ----------
    place : the folder.
    segments : columns whose values part the table.
    but : a file that is none of them.

    Raises
    ------
    InputError
        where the place is a file.
    """
    if place.is_file():
        return [_earlier_profile(place, None, segments)]
    runs = read_runs(place)
    if runs or not place.exists():
        return runs
    return profiles_of((one for one in data_files(place) if but is None or not one.path.samefile(but)), segments)


def profiles_of(files: Iterable[DataFile], segments: Sequence[str] = ()) -> list[TableProfile]:
    """A profile of each file, with the segments that it has."""
    return [_earlier_profile(one.path, one.time, segments) for one in files]


def _earlier_profile(path: Path, time: int | None, segments: Sequence[str]) -> TableProfile:
    frame = read_file(path)
    return profile_table(frame, time, path.name, [name for name in segments if name in frame.columns])


def folder_name(table: str) -> str:
    """A name for the folder of a table, whatever the table is called.

    >>> folder_name("orders"), folder_name("../a b")[:6]
    ('orders', '___a_b')
    """
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", table)[:60]
    return plain if plain == table and plain else f"{plain}-{sha256(table.encode()).hexdigest()[:10]}"
