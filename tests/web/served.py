"""A real service with something in it: alarms, activity, jobs, checks, models."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO

import numpy as np
import polars as pl
import sqlalchemy as sa

from anomaly_detection.api import Context
from anomaly_detection.server import create_app
from anomaly_detection.settings import Settings
from anomaly_detection.store import tables
from anomaly_detection.store.checks import keep_run
from anomaly_detection.web.pages.detection import runs_of
from anomaly_detection.workflows.fitting import Fitting
from anomaly_detection.workflows.job_requests import Train
from anomaly_detection.workflows.models import TrainRequest, train_model
from anomaly_detection.workflows.orders import orders
from anomaly_detection.workflows.reading import Reading
from anomaly_detection.workflows.runs import Run, RunWishes
from live_support import starting_registry
from service_support import running

HOSTILE = "<img src=x onerror=alert(1)>"


@dataclass
class Served:
    """A running service; ``run`` is the detection that was made in it."""

    url: str
    context: Context
    run: Run | None = None


@contextmanager
def served(home, **settings):
    """A service with a home of its own; everyone may do everything unless ``open_access=False`` is given."""
    shutil.copytree(starting_registry(), home / "registry")
    context = Context.open(Settings(home=home, workers=0, **{"open_access": True, **settings}))
    with running(create_app(context)) as url:
        yield Served(url, context)


def fill(context: Context, now: datetime) -> None:
    """Put two models, a day of activity of nine keys with a bad hour, alarms, jobs and checks into a service."""
    frame = orders(400)
    path = context.settings.home / "orders.csv"
    frame.write_csv(path)
    for algorithm in ("hbos", "ecod"):
        reading = Reading(str(path), key="order_id", label="fraud")
        train_model(TrainRequest(reading, "orders", Fitting(algorithm), registry=context.settings.registry_folder))
    odd = frame.filter(pl.col("fraud")).drop("fraud").head(4).to_dicts()
    for state, progress in (("running", 0.4), ("waiting", 0.0), ("failed", 0.7)):
        add_job(context, state, progress, now)
    with context.database.write() as connection:
        connection.execute(sa.insert(tables.activity), activity_rows(now))
        connection.execute(sa.insert(tables.alerts), alert_rows(now, odd))
        for day in range(9, 0, -1):
            profile = {"version": 1, "rows": 1000 + 7 * (day % 3), "columns": {}}
            answer = {"is_anomaly": day == 1, "severity": "high" if day == 1 else "normal", "confidence": 0.98}
            answer |= {"expected_range": [950, 1060], "message": f"shop.orders has {profile['rows']} rows."}
            keep_run(connection, "shop.orders", "volume", now - timedelta(days=day), profile, answer)


def activity_rows(now):
    """Minutes of nine keys; one of them has a bad hour."""
    first = now.replace(second=0, microsecond=0) - timedelta(hours=20)
    rows = []
    for key in range(9):
        for step in range(0, 1200, 10):
            bad = key == 3 and 600 <= step < 660
            slight = (step + 70 * key) % 430 == 0
            found = {"anomalies": 12 if bad else int(slight), "worst": 0.95 if bad else 0.66 if slight else 0.3}
            rows.append(
                {"model": "orders", "version": 1, "key": f"shop-{key}", "minute": first + timedelta(minutes=step)}
                | {"rows": 100 + key, **found}
            )
    return rows


def alert_rows(now, odd):
    """Alarms on planted frauds, on log lines, and one with a name that is markup."""
    rows = []
    for i in range(24):
        record = {name: str(value) if isinstance(value, datetime) else value for name, value in odd[i % 4].items()}
        at = now - timedelta(minutes=50 * i + 5)
        rows.append(alert_row(f"{i:032x}", "orders", f"shop-{i % 4}", at, 0.61 + 0.016 * i, record))
    rows[2]["key"] = HOSTILE
    for i in range(3):
        line = {"service": "payments", "level": "ERROR", "message": "card declined <*>", "response_time": 3000 + i}
        at = now - timedelta(minutes=9 * i + 2)
        rows.append(alert_row(f"{100 + i:032x}", "logs", "payments", at, 0.85, line))
    return rows


def alert_row(id_, model, key, at, score, record):
    """One alarm."""
    names = ("normal", "low", "medium", "high", "critical")
    severity = names[int(np.searchsorted((0.6, 0.7, 0.8, 0.9), score, side="right"))]
    said = {"anomaly_score": score, "p_value": 10.0 ** (-2 - 5 * (score - 0.6)), "confidence": 0.97}
    why = "total is 9,120 (normal: 12 to 640)" if model == "orders" else "answered in 3,000 ms (normal: 20 to 180)"
    place = {"model": model, "version": 1, "record_id": id_, "key": key, "at": at, "received": at, "changed": at}
    return {"id": id_, **place, **said, "severity": severity, "reason": why, "record": record, "state": "open"}


def add_job(context, state, progress, now):
    """A job as a worker elsewhere would leave it; returns its id."""
    payload = Train(name="orders", upload="f" * 32).model_dump(mode="json")
    job = context.queue.put("train", payload, asked_by="ada", run_after=now + timedelta(days=1))
    ended = now if state == "failed" else None
    values = {"state": state, "progress": progress, "step": "fitting", "started": now, "ended": ended, "attempts": 1}
    values["problem"] = "data.csv has no column 'totl'. Did you mean 'total'?" if state == "failed" else None
    lines = [{"job": job.id, "at": now, "text": text} for text in ("read 400 rows", f"fitting: {progress:.0%}")]
    with context.database.write() as connection:
        connection.execute(sa.update(tables.jobs).where(tables.jobs.c.id == job.id).values(values))
        connection.execute(sa.insert(tables.job_lines), lines)
    return job.id


def series_table(rows=600):
    """CPU and memory of two hosts; one jumps."""
    draw = np.random.default_rng(0)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    parts = []
    for host in ("web-1", "web-2"):
        wave = 40 + 10 * np.sin(np.arange(rows) / 48 * 2 * np.pi) + draw.normal(0, 1, rows)
        wave[rows - 60] += 40 if host == "web-1" else 0
        at = [start + timedelta(minutes=30 * i) for i in range(rows)]
        parts.append(pl.DataFrame({"at": at, "host": host, "cpu": wave, "queue": draw.poisson(3, rows)}))
    return pl.concat(parts)


def csv_of(frame):
    """A table as a file holds it."""
    file = BytesIO()
    frame.write_csv(file)
    return file.getvalue()


def add_run(context, rows=100_000):
    """A detection of that many rows, as if it had been made here; returns its id."""
    draw = np.random.default_rng(1)
    place = np.arange(rows, dtype=float)
    expected = 50 + 20 * np.sin(place / 2000) + 5 * np.sin(place / 50)
    value = expected + draw.normal(0, 2, rows)
    severity = np.zeros(rows, np.int8)
    odd = draw.choice(rows, 500, replace=False)
    severity[odd] = draw.integers(1, 5, 500)
    value[odd] += 6 + 5 * severity[odd]
    frame = pl.DataFrame(
        {"time": 1.76e9 + 60 * place, "key": "", "value load": value, "row": np.arange(rows)}
        | {"anomaly_score": np.where(severity > 0, 0.55 + 0.1 * severity, 0.1), "severity": severity}
        | {"p_value": 0.5, "expected": expected, "lower": expected - 7, "upper": expected + 7, "reason": ""}
    )
    runs, id_ = runs_of(context), "f" * 32
    folder = runs.folder / id_
    folder.mkdir(parents=True)
    frame.write_parquet(folder / "rows.parquet")
    lead = "500 of 100,000 rows are anomalies."
    run = Run(id_, "load.csv", "ada", datetime.now(UTC), lead, rows, 500, {}, "auto", ["load"], 0, timed=True)
    fields = {name: getattr(run, name) for name in Run.__dataclass_fields__} | {"created": run.created.isoformat()}
    (folder / "about.json").write_text(json.dumps(fields))
    return id_


def add_detection(context, frame, **wishes):
    """A real detection; returns its outline."""
    given = RunWishes(**{"name": "hosts.csv", "algorithm": "auto", **wishes})
    return runs_of(context).start(BytesIO(csv_of(frame)), given, "ada")
