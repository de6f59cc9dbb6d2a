"""The checks of tables for services: plain values in, plain values out, no files.

Each function takes what a request says, by the names of its fields, and gives what the response says: ``is_anomaly``,
``severity``, ``confidence``, ``expected_range`` and ``message``, and after them what the check has to add. Everything
in it can be written as JSON. What a service remembers of a table between requests is plain values, too: row counts and
arrivals as they came, and the profiles that :func:`learn_distribution` and :func:`learn_pattern` make.

Tables (``current_data``, and each run of ``historical_data``) are a list of rows, ``[{"price": 3.5}, …]``, or columns,
``{"price": [3.5, …]}``, or a frame of Polars, pandas or Arrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from anomaly_detection.errors import ParameterError
from anomaly_detection.frames import as_frame
from anomaly_detection.quality.arrivals import moment_of
from anomaly_detection.quality.cells import score_cells
from anomaly_detection.quality.distribution import ALPHA, check_distribution
from anomaly_detection.quality.pattern import TOLERANCE, check_pattern
from anomaly_detection.quality.profile import PatternProfile
from anomaly_detection.quality.table_profile import TableProfile, profile_table
from anomaly_detection.quality.timeliness import check_timeliness
from anomaly_detection.quality.volume import VolumeRules, check_volume


def judge_volume(
    table_id: str,
    current_row_count: int,
    historical_data: Any,
    *,
    timestamp: Any = None,
    alpha: float = ALPHA,
    direction: str = "both",
    minimum_relative: float = 0.0,
    holidays: Sequence[str | date] = (),
    country: str | None = None,
    zone: str | None = None,
) -> dict[str, Any]:
    """Say whether a table has about as many rows as usual.

    Parameters
    ----------
    table_id : the name of the table, for the message.
    current_row_count : how many rows it has.
    historical_data : row counts of earlier runs: numbers, the oldest first; or ``{"date": "2026-03-01", "row_count":
        1000}``, ``{"timestamp": …, "row_count": …}`` in any order; or ``[time, count]`` pairs. Three are enough for
        wide bounds; 28 days for weekdays. ``notes`` of the answer say how many more would help.
    timestamp : when the current run was; one step after the latest of the history when not given.
    alpha, direction, minimum_relative, country, zone : as in :class:`~anomaly_detection.quality.VolumeRules`.
    holidays : days unlike others, ``"2026-12-25"``.

    Returns
    -------
    The answer; ``expected_range`` is the least and the most rows that are no anomaly (2**53 where ``direction`` is
    ``drop``). Also ``expected``, ``row_count``, ``p_value``, ``anomaly_score``, ``runs`` and ``notes``.

    Raises
    ------
    InputError
        for a negative or broken count, or a history without any.
    ParameterError
        for a parameter out of range.

    >>> answer = judge_volume("orders", 430, [1000, 1010, 990] * 10)
    >>> list(answer)[:5], answer["is_anomaly"], answer["severity"]
    (['is_anomaly', 'severity', 'confidence', 'expected_range', 'message'], True, 'critical')
    """
    rules = VolumeRules(alpha, direction, minimum_relative, frozenset(map(_day, holidays)), zone, country)
    return check_volume(current_row_count, historical_data, timestamp, rules, table_id).to_dict()


def judge_distribution(
    table_id: str, current_data: Any, historical_data: Any, *, segments: Sequence[str] = (), alpha: float = ALPHA
) -> dict[str, Any]:
    """Say which columns of a table have other values than in earlier runs.

    Parameters
    ----------
    table_id : the name of the table, for the message.
    current_data : the table, or its profile.
    historical_data : a list of earlier runs, the oldest first, each a table or a profile; or one of them alone. One is
        enough for a comparison; eight say how much runs usually differ.
    segments : columns whose values part the table, to name the part that a change comes from.
    alpha : the share of the changes called anomalous which may be none.

    Returns
    -------
    The answer; ``expected_range`` is ``[0, 0]``, of the number of columns that have changed. Also ``changes`` (every
    test of every column, anomalies first), ``rows``, ``runs`` and ``notes``.

    Raises
    ------
    InputError
        for no earlier run with rows, or a profile that is none.
    SchemaError
        for data that is no table, or a segment that is no column.
    ParameterError
        for alpha out of range.

    >>> usual = {"status": ["paid", "open"] * 100}
    >>> answer = judge_distribution("orders", {"status": ["paid"] * 150 + [None] * 50}, [usual] * 8)
    >>> answer["is_anomaly"], answer["changes"][0]["test"]
    (True, 'distribution')
    """
    past = [TableProfile.from_dict(one) if is_profile(one) else table_of(one) for one in runs_of(historical_data)]
    now = TableProfile.from_dict(current_data) if is_profile(current_data) else table_of(current_data)
    return check_distribution(now, past, segments, alpha, table_id).to_dict()


def learn_distribution(data: Any, *, timestamp: Any = None, segments: Sequence[str] = ()) -> dict[str, Any]:
    """The profile of a run, to be kept for :func:`judge_distribution`; a few kilobytes, whatever the table's size.

    Parameters
    ----------
    data : the table.
    timestamp : when the run was.
    segments : columns whose values part the table; the same ones have to be asked for later.

    >>> learn_distribution([{"price": 1.5}, {"price": None}])["columns"]["price"]["missing"]
    1
    """
    return profile_table(table_of(data), moment_of(timestamp), segments=segments).to_dict()


def judge_pattern(
    table_id: str,
    current_data: Any,
    historical_data: Any = None,
    *,
    key: Sequence[str] = (),
    tolerance: float = TOLERANCE,
    method: str = "auto",
    cell_scores: bool = False,
    segments: Sequence[str] = (),
) -> dict[str, Any]:
    """Say whether the cells of a table look as they should: by itself, or against earlier tables.

    Parameters
    ----------
    table_id : the name of the table, for the message.
    current_data : the table.
    historical_data : a list of earlier tables or profiles, the oldest first, or one of them alone; None or an empty
        list make the table its own norm.
    key : columns that say what a row is about; without a history.
    tolerance : the share of a column's rows that may be wrong in one way.
    method : ``auto``, or ``autoencoder`` to look also at rows as a whole; without a history.
    cell_scores : whether to add ``cell_scores``, for each column a number in [0, 1) for each row, higher is worse.
    segments : columns whose values part the table, to name the part that most of the rows with a problem are in.

    Returns
    -------
    The answer; ``expected_range`` is ``[0, tolerance]``, of the share of rows with one problem. Also ``findings`` (what
    is wrong, by column and kind, with examples), ``rows``, ``columns`` and ``wrong_cells``.

    Raises
    ------
    InputError
        for a profile that is none.
    SchemaError
        for data that is no table, or a key or segment that is no column.
    ParameterError
        for a tolerance out of range.

    >>> codes = {"code": ["A-1", "B-2", "C-3"] * 100}
    >>> answer = judge_pattern("codes", {"code": ["A-1", "b2", "C-3"] * 50}, learn_pattern([codes]))
    >>> answer["is_anomaly"], answer["findings"][0]["kind"]
    (True, 'new shape')
    """
    frame = table_of(current_data)
    past = _patterns(historical_data) if historical_data is not None and frame.width else []
    found = None if past and not cell_scores else score_cells(frame, key=key, method=method)
    history = PatternProfile.merged(past) if past else None
    current = found if found is not None else frame
    answer = check_pattern(current, history, tolerance, frame, method, segments).to_dict()
    answer["message"] = f"{table_id}: {answer['message']}"
    if cell_scores and found is not None:
        answer["cell_scores"] = found.to_frame().to_dict(as_series=False)
    return answer


def learn_pattern(historical_data: Any, *, timestamp: Any = None) -> dict[str, Any]:
    """The profile of one or several tables, to be kept for :func:`judge_pattern`; a few kilobytes.

    Parameters
    ----------
    historical_data : tables, or profiles of some, or one of them alone, the oldest first; so a profile learns another
        run by ``learn_pattern([profile, table])``.
    timestamp : when the latest was.

    >>> profile = learn_pattern({"code": ["A-1", "B-2"]})
    >>> learn_pattern([profile, {"code": ["C-3"]}])["columns"]["code"]["values"]
    {'A-1': 1, 'B-2': 1, 'C-3': 1}
    """
    state = PatternProfile.merged(_patterns(historical_data)).state()
    moment = moment_of(timestamp)
    return state if moment is None else {**state, "time": moment}


def _patterns(historical_data: Any) -> list[PatternProfile]:
    runs = runs_of(historical_data)
    return [PatternProfile.from_state(one) if is_profile(one) else PatternProfile.fit([table_of(one)]) for one in runs]


def judge_timeliness(
    table_id: str, historical_data: Any, *, now: Any = None, zone: str | None = None, alpha: float = ALPHA
) -> dict[str, Any]:
    """Say whether a table is there when it usually is.

    Parameters
    ----------
    table_id : the name of the table, for the message.
    historical_data : when it arrived: times, or dicts with a ``timestamp``, in any order; ISO 8601 or seconds since
        1970. Two are enough; 14 make the bounds narrow.
    now : the present; when not given, the latest arrival is judged.
    zone : the time zone whose days and clocks the table follows, such as ``Europe/Berlin``; None is UTC.
    alpha : the share of normal arrivals that are called anomalous.

    Returns
    -------
    The answer; ``expected_range`` is two times, from the earliest to the latest. Also ``status``, ``cadence``,
    ``last_arrival``, ``usually_by``, ``next_range``, ``late_seconds``, ``p_value``, ``anomaly_score``, ``arrivals``,
    ``gaps`` and ``notes``.

    Raises
    ------
    InputError
        for fewer than two arrivals.
    ParameterError
        for an unknown zone, or alpha out of range.

    >>> days = [{"timestamp": f"2026-03-{day:02}T06:3{day % 5}"} for day in range(1, 29)]
    >>> judge_timeliness("orders", days, now="2026-03-29T09:00")["status"]
    'late'
    """
    return check_timeliness(historical_data, now, zone, alpha, table_id).to_dict()


def runs_of(historical_data: Any) -> list[Any]:
    """The runs of a history: tables or profiles; one of them alone is a history of one.

    >>> len(runs_of([{"price": [1, 2]}, {"price": [3]}])), len(runs_of([{"price": 1}, {"price": 2}]))
    (2, 1)
    """
    if not isinstance(historical_data, list | tuple):
        return [historical_data]
    first = historical_data[0] if historical_data else []
    is_row = isinstance(first, Mapping) and not is_profile(first) and not any(map(_is_listed, first.values()))
    return [historical_data] if is_row else list(historical_data)


def is_profile(data: Any) -> bool:
    """Whether this is a profile rather than a table; a column of a table is no mapping."""
    return isinstance(data, Mapping) and "version" in data and isinstance(data.get("columns"), Mapping)


def table_of(data: Any) -> pl.DataFrame:
    """A table from rows or columns; no rows are a table without columns.

    Raises
    ------
    SchemaError
        for what is no table.
    """
    return pl.DataFrame() if isinstance(data, list | tuple | Mapping) and not data else as_frame(data)


def _is_listed(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes | Mapping)


def _day(value: str | date) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ParameterError(f"{value!r} is no day. Write it like 2026-12-25.") from None
