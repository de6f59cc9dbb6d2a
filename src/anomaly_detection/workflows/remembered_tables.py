"""The checks of tables with a memory: where no history comes with a request, that of earlier requests is used."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import UnknownNameError
from anomaly_detection.quality.arrivals import moment_of
from anomaly_detection.store import checks
from anomaly_detection.workflows import table_answers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from anomaly_detection.store import Database

MOST_ROWS = float(2**53)

CHECKS = {
    "volume": "about as many rows as usual",
    "distribution": "values as in earlier runs",
    "pattern": "cells that are written as they should be",
    "timeliness": "there when it usually is",
}
"""The checks, and what each looks at."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a table.

    Parameters
    ----------
    table_id : which table.
    data : its rows, or how many there are; None for a check of its arrival.
    history : earlier runs; None for those that are remembered.
    at : when it was, as text or seconds since 1970; now when not given.
    options : of the check.
    """

    table_id: str
    data: Any = None
    history: Any = None
    at: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def moment(self) -> datetime:
        """When it was, in UTC."""
        micros = moment_of(self.at)
        if micros is None:
            return datetime.now(UTC)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def check(database: Database, kind: str, run: Run) -> dict[str, Any]:
    """The answer of one of :data:`CHECKS`; of ``run.data``, the rows, it takes what it needs.

    Raises
    ------
    UnknownNameError
        for another check.
    InputError
        where the check cannot be made.
    """
    if kind not in CHECKS:
        raise UnknownNameError("check", kind, CHECKS)
    if kind == "volume":
        return check_volume(database, replace(run, data=len(run.data)))
    made = {"distribution": check_distribution, "pattern": check_pattern, "timeliness": check_timeliness}
    return made[kind](database, run)


def check_volume(database: Database, run: Run) -> dict[str, Any]:
    """Whether it has as many rows as usual; raises as :func:`~.table_answers.judge_volume` does."""

    def judge(history: Any) -> dict[str, Any]:
        return table_answers.judge_volume(run.table_id, run.data, history, timestamp=run.at, **run.options)

    return _remembering(database, "volume", run, judge, lambda: {"rows": run.data}, _count)


def check_distribution(database: Database, run: Run) -> dict[str, Any]:
    """Whether its values are as in earlier runs; raises as :func:`~.table_answers.judge_distribution` does."""

    def judge(history: Any) -> dict[str, Any]:
        return table_answers.judge_distribution(run.table_id, run.data, history, **run.options)

    def learn() -> dict[str, Any]:
        segments = run.options.get("segments", ())
        return table_answers.learn_distribution(run.data, timestamp=run.at, segments=segments)

    return _remembering(database, "distribution", run, judge, learn, _table)


def check_pattern(database: Database, run: Run) -> dict[str, Any]:
    """Whether its cells are written as they should; raises as :func:`~.table_answers.judge_pattern` does."""

    def judge(history: Any) -> dict[str, Any]:
        return table_answers.judge_pattern(run.table_id, run.data, history or None, **run.options)

    def learn() -> dict[str, Any]:
        return {"pattern": table_answers.learn_pattern(run.data)}

    return _remembering(database, "pattern", run, judge, learn, lambda one: one["profile"].get("pattern"))


def check_timeliness(database: Database, run: Run) -> dict[str, Any]:
    """Whether it came when it usually does; raises as :func:`~.table_answers.judge_timeliness` does.

    ``at`` is when it came; when it is not given, nothing came, and the present is judged.
    """
    options = dict(run.options)
    came = [] if run.at is None else [run.moment.isoformat()]
    history = [one["at"].isoformat() for one in _earlier(database, "timeliness", run)] if run.history is None else []
    known = [*history, *(run.history or ()), *came]
    if options.get("now") is None and not came:
        options["now"] = datetime.now(UTC).isoformat()
    if len(known) < 2:
        answer = _unknown(run, "timeliness", f"{len(known)} of the 2 arrivals that it takes at least")
    else:
        answer = table_answers.judge_timeliness(run.table_id, known, **options)
    if came:
        _keep(database, "timeliness", run, {"arrived": came[0]}, answer)
    return answer


def _remembering(
    database: Database,
    check: str,
    run: Run,
    judge: Callable[[Any], dict[str, Any]],
    learn: Callable[[], dict[str, Any]],
    past: Callable[[Mapping[str, Any]], Any],
) -> dict[str, Any]:
    history = run.history
    if history is None:
        history = [one for one in map(past, _earlier(database, check, run)) if one is not None]
    unknown = not history and check != "pattern"
    answer = _unknown(run, check, "an earlier run") if unknown else judge(history)
    _keep(database, check, run, learn(), answer)
    return answer


def _earlier(database: Database, check: str, run: Run) -> list[Mapping[str, Any]]:
    """What is remembered of runs before this one."""
    with database.read() as connection:
        found = checks.earlier_runs(connection, run.table_id, check)
    return [dict(one) for one in found if one["at"] < run.moment]


def _keep(database: Database, check: str, run: Run, profile: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    kept = {name: value for name, value in answer.items() if name != "cell_scores"}
    with database.write() as connection:
        checks.keep_run(connection, run.table_id, check, run.moment, profile, kept)


def _count(one: Mapping[str, Any]) -> Any:
    rows = one["profile"].get("rows")
    return None if rows is None else [one["at"].isoformat(), rows]


def _table(one: Mapping[str, Any]) -> Any:
    return one["profile"] if table_answers.is_profile(one["profile"]) else None


def _unknown(run: Run, check: str, missing: str) -> dict[str, Any]:
    """The answer where nothing is known to compare with."""
    ranges: dict[str, list[Any]] = {"volume": [0.0, MOST_ROWS], "distribution": [0.0, 0.0]}
    return {
        "is_anomaly": False,
        "severity": "normal",
        "confidence": 0.0,
        "expected_range": ranges.get(check, [None, None]),
        "message": f"{run.table_id}: nothing can be said yet; missing: {missing}. What came now is remembered.",
        "notes": ["Send historical_data, or the next runs as they come."],
    }
