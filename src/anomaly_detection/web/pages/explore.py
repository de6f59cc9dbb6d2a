"""One series: what was, what was expected, where the anomalies are; of a detection, or of what a model scores live."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from starlette.exceptions import HTTPException

from anomaly_detection.errors import InputError
from anomaly_detection.reports.words import moment, number
from anomaly_detection.results import SEVERITIES, SEVERITY_LINES
from anomaly_detection.store import alerts, views
from anomaly_detection.store.alerts import AlertFilter
from anomaly_detection.web.columns import sent, thinned
from anomaly_detection.web.doors import context_of
from anomaly_detection.web.pages.detection import runs_of
from anomaly_detection.web.rendering import render
from anomaly_detection.workflows.run_rows import VALUE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from starlette.requests import Request
    from starlette.responses import Response

    from anomaly_detection.workflows.runs import Run

MOST_LISTED = 200
MOST_KEYS = 500
PARTS = 24
BACK = timedelta(days=7)


def explore(request: Request) -> Response:
    """The page: what can be looked at, and the one that was chosen."""
    asked = request.query_params
    if asked.get("run"):
        return _of_run(request, _run(request, asked["run"]))
    here = context_of(request)
    with here.database.read() as connection:
        models = views.models_seen(connection)
        model = asked.get("model", "") or next(iter(models), "")
        since = datetime.now(UTC) - BACK
        keys = views.keys_seen(connection, model, since) if model else []
        key = asked.get("key", "")
        wanted = AlertFilter(model=model, key=key or None, begin=since)
        alarms = alerts.listed(connection, wanted, 50) if model else []
        minutes = views.minutes_of(connection, model, key, since) if model else []
    values = {
        "runs": runs_of(here).list(20),
        "models": models,
        "model": model,
        "keys": keys,
        "key": key,
        "alarms": alarms,
        "table": _minutes_table(minutes),
    }
    return render(request, "explore", values)


def _run(request: Request, id_: str) -> Run:
    try:
        return runs_of(context_of(request)).get(id_)
    except InputError as error:
        raise HTTPException(404) from error


def _of_run(request: Request, run: Run) -> Response:
    rows = runs_of(context_of(request)).rows(run.id)
    keys = rows["key"].unique(maintain_order=True).to_list() if run.keys else []
    key = request.query_params.get("key") or (_worst_key(rows) if keys else "")
    mine = rows.filter(pl.col("key") == key)
    if mine.is_empty():
        raise HTTPException(404)
    channel = request.query_params.get("channel", "")
    channel = channel if channel in run.channels else next(iter(run.channels), "")
    odd = mine.filter(pl.col("severity") > 0).sort("anomaly_score", descending=True)
    values = {
        "run": run,
        "keys": sorted(keys[:MOST_KEYS]),
        "key": key,
        "channel": channel,
        "rows": len(mine),
        "odd": len(odd),
        "listed": [_listed(row, channel, timed=run.timed) for row in odd.head(MOST_LISTED).iter_rows(named=True)],
        "most": MOST_LISTED,
        "table": _table(mine, channel, timed=run.timed) if channel else [],
    }
    return render(request, "series", values)


def _worst_key(rows: pl.DataFrame) -> str:
    worst = pl.col("anomaly_score").max()
    count = (pl.col("severity") > 0).sum()
    by_key = rows.group_by("key").agg(worst, count.alias("n")).sort("anomaly_score", "n", "key", descending=True)
    return str(by_key["key"][0])


def _listed(row: dict[str, Any], channel: str, *, timed: bool) -> dict[str, Any]:
    return {
        "place": row["time"],
        "when": moment(row["time"]) if timed else f"row {row['row']:,}",
        "value": row.get(f"{VALUE}{channel}"),
        "expected": row["expected"],
        "lower": row["lower"],
        "upper": row["upper"],
        "severity": SEVERITIES[row["severity"]],
        "score": row["anomaly_score"],
        "reason": row["reason"] or "",
    }


def _table(mine: pl.DataFrame, channel: str, *, timed: bool) -> list[tuple[str, ...]]:
    """The drawing in numbers: equal parts of the rows, in order of time."""
    ordered = mine.sort("time").with_row_index("i")
    part = (pl.col("i") * PARTS // len(mine)).alias("part")
    value = pl.col(f"{VALUE}{channel}")
    parts = ordered.group_by(part, maintain_order=True).agg(
        pl.col("time").first(),
        value.min().alias("low"),
        value.max().alias("high"),
        pl.col("expected").mean(),
        (pl.col("severity") > 0).sum().alias("odd"),
    )
    return [
        (
            moment(one["time"], 60.0) if timed else f"from row {one['time']:,.0f}",
            *(_number(one[name]) for name in ("low", "high", "expected")),
            str(one["odd"]),
        )
        for one in parts.iter_rows(named=True)
    ]


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else number(float(value))  # noqa: PLR0124  not a number


def _minutes_table(minutes: list[Any]) -> list[tuple[str, ...]]:
    step = max(1, -(-len(minutes) // PARTS))
    parts = [minutes[i : i + step] for i in range(0, len(minutes), step)]
    return [
        (
            f"{part[0]['minute']:%Y-%m-%d %H:%M}",
            f"{sum(int(one['rows']) for one in part):,}",
            f"{sum(int(one['anomalies']) for one in part):,}",
            f"{max(float(one['worst']) for one in part):.2f}",
        )
        for part in parts
    ]


def run_data(request: Request) -> Response:
    """The points of a series of a detection."""
    run = _run(request, request.path_params["id"])
    channel, key = request.query_params.get("channel", ""), request.query_params.get("key", "")
    if channel not in run.channels:
        raise HTTPException(404)
    rows = runs_of(context_of(request)).rows(run.id).filter(pl.col("key") == key).sort("time", maintain_order=True)
    names = {"time": "time", "value": f"{VALUE}{channel}", "severity": "severity", "score": "anomaly_score"}
    if rows["expected"].is_not_null().any():
        names |= {name: name for name in ("expected", "lower", "upper")}
    found = {name: _floats(rows[column]) for name, column in names.items()}
    kept = thinned(found["value"], found["severity"] > 0)
    head = {"timed": run.timed, "label": channel, "total": len(rows)}
    return sent({name: column[kept] for name, column in found.items()}, head)


def live_data(request: Request) -> Response:
    """What a model scored, minute by minute."""
    model, key = request.query_params.get("model", ""), request.query_params.get("key", "")
    with context_of(request).database.read() as connection:
        minutes = views.minutes_of(connection, model, key, datetime.now(UTC) - BACK)
    columns = {
        "time": np.array([one["minute"].timestamp() for one in minutes]),
        "value": np.array([float(one["rows"]) for one in minutes]),
        "severity": np.array([_code(float(one["worst"])) if one["anomalies"] else 0.0 for one in minutes]),
        "score": np.array([float(one["worst"]) for one in minutes]),
    }
    return sent(columns, {"timed": True, "label": "records a minute", "total": len(minutes)})


def _code(score: float) -> float:
    return float(np.searchsorted(SEVERITY_LINES, score, side="right"))


def _floats(column: pl.Series) -> NDArray[np.float64]:
    found: NDArray[np.float64] = column.cast(pl.Float64).to_numpy().astype(np.float64, copy=False)
    return found
