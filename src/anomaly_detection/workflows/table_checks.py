"""Volume, distribution and timeliness of tables wherever they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.quality.arrivals import moment_of
from anomaly_detection.quality.distribution import DistributionAnswer, check_distribution
from anomaly_detection.quality.segments import guilty_rows, merged_segments
from anomaly_detection.quality.table_profile import TableProfile, profile_table
from anomaly_detection.quality.timeliness import TimelinessAnswer, check_timeliness
from anomaly_detection.quality.volume import MOST, VolumeAnswer, VolumeRules, check_volume
from anomaly_detection.records import counted
from anomaly_detection.sources.sql_profile import profile_sql
from anomaly_detection.workflows.quality_history import (
    MOST_RUNS,
    count_rows,
    data_files,
    history_of,
    profile_file,
    profiles_of,
    read_file,
    read_runs,
    remember_run,
)
from anomaly_detection.workflows.table_reading import aware, filled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anomaly_detection.workflows.quality_history import DataFile
    from anomaly_detection.workflows.table_reading import TablePlace

MOST_ARRIVALS = 2_000

Parts: TypeAlias = "dict[str, dict[str, float]]"
"""Rows by column and value."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Row counts of a table: earlier runs, the one that is judged, its parts, and rows whose time cannot be told.

    Where the run that is judged is not over, ``elapsed`` says how much of it is, and so much of the others was counted.
    """

    history: list[tuple[Any, int]]
    count: int
    time: Any
    now: Parts
    usual: Parts
    timeless: int = 0
    elapsed: timedelta | None = None


def volume_of(place: TablePlace, rules: VolumeRules, *, remember: bool = False, starting: bool = False) -> VolumeAnswer:
    """Judge the number of rows of a table.

    Parameters
    ----------
    place : where it is.
    rules : what counts as an anomaly.
    remember : whether to add this run to the history.
    starting : whether a history without runs is no error; so it is where the run is remembered.

    Raises
    ------
    InputError
        where there is no history, or the table cannot be read.
    SinkError
        where the run cannot be kept.
    """
    if (remember or starting) and _is_first(place):
        now = _remember(place) if remember else profile_now(place)
        return VolumeAnswer(**_first(place), row_count=now.rows, expected_range=(0, MOST))
    counts = _counted(place)
    answer = check_volume(counts.count, counts.history, counts.time, replace(rules, zone=None), place.name)
    if remember:
        _remember(place)
    if counts.elapsed is not None:
        answer = replace(answer, notes=(*answer.notes, _so_far_words(place, counts.elapsed)))
    if counts.timeless:
        answer = replace(answer, notes=(*answer.notes, f"{counted(counts.timeless, 'row')} without a time left out"))
    if answer.is_anomaly and counts.usual:
        part = guilty_rows(counts.now, counts.usual)
        answer = answer if part is None else replace(answer, message=f"{answer.message[:-1]}; {part.words()}.")
    return answer


def _counted(place: TablePlace) -> Counted:
    if place.timestamp is not None:
        return _by_time_sql(place) if place.url is not None else _by_time(place)
    if place.folder is not None:
        return _by_file(place)
    now = profile_now(place) if place.segments else None
    count = now.rows if now is not None else _rows_now(place)
    past = _earlier(place)
    times = [None if one.time is None else datetime.fromtimestamp(one.time / 1e6, UTC) for one in past]
    timed = all(one is not None for one in times) and len(times) > 1
    history = [(time, one.rows) if timed else one.rows for time, one in zip(times, past, strict=True)]
    moment = (place.now or _changed(place)) if timed else None
    parts, usual = _parts([one for one in past if one.segments], now, place)
    return Counted(history, count, None if moment is None else aware(moment), parts, usual)  # type: ignore[arg-type]


def _rows_now(place: TablePlace) -> int:
    if place.url is None:
        return count_rows(Path(str(place.data)))
    with place.sql() as table:
        return table.count()


def _changed(place: TablePlace) -> datetime:
    """When a file was last changed; the present for a table of a database."""
    if place.data is None:
        return datetime.now(UTC)
    return datetime.fromtimestamp(Path(place.data).stat().st_mtime, UTC)


def _by_file(place: TablePlace) -> Counted:
    files = _files(place)
    last = files[-1]
    history = [(datetime.fromtimestamp(one.time / 1e6, UTC), count_rows(one.path)) for one in files[:-1]]
    parts: Parts = {}
    usual: Parts = {}
    if place.segments:
        past = profiles_of(files[-MOST_RUNS - 1 : -1], place.segments)
        parts, usual = _parts(past, profile_file(last.path, last.time, place.segments), place)
    return Counted(history, count_rows(last.path), datetime.fromtimestamp(last.time / 1e6, UTC), parts, usual)


def _files(place: TablePlace) -> list[DataFile]:
    folder = Path(str(place.data))
    files = [one for one in data_files(folder) if place.present is None or one.time <= place.present]
    if len(files) < 2:
        raise InputError(
            f"{folder} has {len(files)} data files. Two are needed: one that is judged and an earlier one."
        )
    return files


def _parts(past: list[TableProfile], now: TableProfile | None, place: TablePlace) -> tuple[Parts, Parts]:
    """Rows of each part of the run, and of a usual one."""
    if not past or now is None:
        return {}, {}
    together = merged_segments([one.segments for one in past])
    runs = {by: sum(by in one.segments for one in past) for by in together}
    usual = {by: {value: part["rows"] / runs[by] for value, part in parts.items()} for by, parts in together.items()}
    here = {by: {value: part["rows"] for value, part in now.segments.get(by, {}).items()} for by in place.segments}
    return here, usual


def _by_time(place: TablePlace) -> Counted:
    frame = place.read([str(place.timestamp)])
    moments = place.moments(frame)
    frame = frame.with_columns(moments.alias("\0moment"), place.buckets(moments).alias("\0bucket"))
    frame = frame.filter(pl.col("\0bucket").is_not_null())
    runs = filled(_by_bucket(frame), place.every, place.bucket_now())
    if (elapsed := place.so_far(runs[-1][0])) is not None:
        frame = frame.filter(pl.col("\0moment") - pl.col("\0bucket") <= elapsed)
        runs = _same_part(runs, _by_bucket(frame), place.every)
    last = runs[-1]
    now: Parts = {}
    usual: Parts = {}
    for name in place.segments:
        here = pl.col("\0bucket") == last[0]
        texts = frame.select(pl.col(name).cast(pl.String).fill_null("").alias("part"), here.alias("here"))
        found = texts.group_by("part").agg(pl.col("here").sum(), pl.len().alias("n")).rows()
        now[name], usual[name] = _split(found, len(runs) - 1)
    return Counted(list(runs[:-1]), last[1], last[0], now, usual, elapsed=elapsed)


def _by_bucket(frame: pl.DataFrame) -> list[tuple[Any, int]]:
    return frame.group_by("\0bucket").agg(pl.len().cast(pl.Int64)).rows()


def _so_far_words(place: TablePlace, elapsed: timedelta) -> str:
    hours, minutes = divmod(int(elapsed.total_seconds()) // 60, 60)
    return f"the {place.every} is not over: its first {hours}:{minutes:02} hours are held against those of earlier ones"


def _same_part(
    runs: list[tuple[datetime, int]], counts: list[tuple[Any, int]], every: str
) -> list[tuple[datetime, int]]:
    """The same runs with the rows of the part of each that is over of the last one."""
    found = dict(filled(counts, every, runs[-1][0])) if counts else {}
    return [(when, found.get(when, 0)) for when, _ in runs]


def _by_time_sql(place: TablePlace) -> Counted:
    with place.sql() as table:
        table.check_columns(place.segments)
        counts = table.counts_by(str(place.timestamp), place.every, place.zone)
        timeless = table.count() - sum(rows for _, rows in counts)
        runs = filled(counts, place.every, place.bucket_now())
        if (elapsed := place.so_far(runs[-1][0])) is not None:
            part = table.counts_by(str(place.timestamp), place.every, place.zone, elapsed)
            runs = _same_part(runs, part, place.every)
        last = runs[-1]
        now: Parts = {}
        usual: Parts = {}
        for name in place.segments:
            found = table.parts_of(name, str(place.timestamp), place.every, place.zone, last[0], elapsed)
            now[name], usual[name] = _split(found, len(runs) - 1)
    return Counted(list(runs[:-1]), last[1], last[0], now, usual, max(timeless, 0), elapsed)


def _split(found: Iterable[tuple[str, int, int]], runs: int) -> tuple[dict[str, float], dict[str, float]]:
    """Rows of each value now, and of one of the runs before, from those now and in all."""
    parts = list(found)
    return (
        {value: new for value, new, _ in parts},
        {value: (every - new) / max(runs, 1) for value, new, every in parts},
    )


def profile_now(place: TablePlace) -> TableProfile:
    """The profile of a table as it is; of a directory, of its latest file.

    Raises
    ------
    InputError
        if it cannot be read.
    """
    if place.url is not None:
        with place.sql() as table:
            return profile_sql(table, place.present, place.segments)
    if place.folder is not None:
        last = _files(place)[-1]
        return profile_file(last.path, last.time, place.segments)
    return profile_file(Path(str(place.data)), place.present, place.segments)


def _earlier(place: TablePlace) -> list[TableProfile]:
    if place.history is None:
        raise InputError(
            f"There is no history of {place.name} to learn from. Give --history FOLDER, or --timestamp COLUMN to "
            "take each day as a run."
        )
    own = Path(place.data) if place.data is not None else None
    past = history_of(Path(place.history), place.segments, but=own)
    return [one for one in past if place.present is None or one.time is None or one.time < place.present]


def _is_first(place: TablePlace) -> bool:
    """Whether there is nothing yet to hold a run against."""
    return place.timestamp is None and place.folder is None and place.history is not None and not _earlier(place)


def _first(place: TablePlace) -> dict[str, Any]:
    words = f"{place.name} is the first run, so there is nothing yet to hold it against."
    return {"is_anomaly": False, "severity": "normal", "confidence": 0.0, "message": words}


def _remember(place: TablePlace, profile: TableProfile | None = None) -> TableProfile:
    if place.history is None or Path(place.history).is_file():
        raise ParameterError("--remember needs --history FOLDER to keep the run in.")
    now = aware(place.now) if place.now is not None else datetime.now(UTC)
    profile = profile if profile is not None else profile_now(place)
    remember_run(Path(place.history), profile, now)
    return profile


def distribution_of(
    place: TablePlace, alpha: float, *, remember: bool = False, starting: bool = False
) -> DistributionAnswer:
    """Judge the values of a table; raises as :func:`volume_of` does."""
    if (remember or starting) and _is_first(place):
        now = _remember(place) if remember else profile_now(place)
        return DistributionAnswer(**_first(place), rows=now.rows, expected_range=(0.0, 0.0))
    current, past = _compared(place)
    answer = check_distribution(current, past, place.segments, alpha, place.name)
    if remember:
        _remember(place, current if isinstance(current, TableProfile) else None)
    return answer


def _compared(place: TablePlace) -> tuple[pl.DataFrame | TableProfile, list[TableProfile]]:
    """The run that is judged, as a table where it is at hand, and earlier ones."""
    if place.timestamp is not None:
        return _compared_sql(place) if place.url is not None else _compared_by_time(place)
    if place.folder is not None:
        files = _files(place)
        return read_file(files[-1].path), profiles_of(files[-MOST_RUNS - 1 : -1], place.segments)
    past = _earlier(place)
    return (profile_now(place) if place.url is not None else read_file(Path(str(place.data)))), past


def _compared_by_time(place: TablePlace) -> tuple[pl.DataFrame, list[TableProfile]]:
    frame = place.read([str(place.timestamp)])
    buckets = place.buckets(place.moments(frame))
    runs = buckets.drop_nulls().unique().sort()
    last = place.bucket_now() or runs[-1]
    earlier = runs.filter(runs < last).tail(MOST_RUNS)
    rest = frame.drop(str(place.timestamp))
    past = [profile_table(rest.filter(buckets == one), segments=place.segments) for one in earlier]
    return rest.filter(buckets == last), past


def _compared_sql(place: TablePlace) -> tuple[TableProfile, list[TableProfile]]:
    with place.sql() as table:
        table.check_columns(place.segments)
        counts = table.counts_by(str(place.timestamp), place.every, place.zone)
        runs = filled(counts, place.every, place.bucket_now())
        last = runs[-1][0]
        chosen = [when for when, rows in runs[:-1] if rows][-MOST_RUNS // 2 :]
        made = [
            profile_sql(table, None, place.segments, table.within(str(place.timestamp), place.every, place.zone, when))
            for when in (*chosen, last)
        ]
    made = [replace(one, columns={k: v for k, v in one.columns.items() if k != place.timestamp}) for one in made]
    return made[-1], made[:-1]


def timeliness_of(place: TablePlace, alpha: float, present: datetime) -> TimelinessAnswer:
    """Judge when a table arrives.

    Parameters
    ----------
    place : where it is; daily files arrive when they are written, rows at their time, remembered runs at theirs.
    alpha : the share of normal arrivals that are called anomalous.
    present : the time at which it is judged, unless ``place`` says one.

    Raises
    ------
    InputError
        where there are too few arrivals, or the table cannot be read.
    """
    now = aware(place.now or present)
    return check_timeliness(_arrivals(place), now, place.zone, alpha, place.name)


def _arrivals(place: TablePlace) -> list[Any]:
    if place.url is not None and place.timestamp is not None:
        with place.sql() as table:
            return [aware(one) for one in table.latest_times(place.timestamp, MOST_ARRIVALS)]
    if place.timestamp is not None:
        frame = place.read([place.timestamp])
        column = frame[place.timestamp]
        times = sorted(
            {moment // 60_000_000 for moment in map(moment_of, column.drop_nulls().unique()) if moment is not None}
        )
        return [datetime.fromtimestamp(one * 60, UTC) for one in times[-MOST_ARRIVALS:]]
    if place.folder is not None:
        return [datetime.fromtimestamp(one.changed / 1e6, UTC) for one in data_files(place.folder)]
    if place.history is None:
        raise InputError(f"Nothing says when {place.name} arrived. Give --timestamp COLUMN or --history FOLDER.")
    runs = [one.time for one in read_runs(Path(place.history)) if one.time is not None]
    return [datetime.fromtimestamp(one / 1e6, UTC) for one in runs]
