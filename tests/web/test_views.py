"""What the dashboard reads: counts over time agree with a naive count."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from anomaly_detection.store import Database, tables, upgrade, views
from anomaly_detection.web.pages.overview import STEPS, span_of

NOW = datetime(2026, 3, 8, 12, 34, 56, tzinfo=UTC)


@pytest.fixture
def filled():
    """A database with random activity of 40 keys over a week, and its rows."""
    database = Database("sqlite://")
    upgrade(database)
    draw = np.random.default_rng(0)
    rows = {}
    for _ in range(3000):
        minute = (NOW - timedelta(minutes=int(draw.integers(0, 9000)))).replace(second=0)
        key, model = f"key-{draw.integers(40)}", ("orders", "logs")[draw.integers(2)]
        place = {"model": model, "version": 1, "key": key, "minute": minute}
        counts = {"rows": int(draw.integers(1, 50)), "anomalies": int(draw.integers(3)), "worst": float(draw.random())}
        rows[model, key, minute] = place | counts
    with database.write() as connection:
        connection.execute(sa.insert(tables.activity), list(rows.values()))
    yield database, list(rows.values())
    database.close()


@pytest.mark.parametrize("back", STEPS)
@pytest.mark.parametrize("model", ["", "orders"])
def test_lanes_agree_with_a_naive_count(filled, back, model):
    database, rows = filled
    span = span_of(back, NOW)
    assert span.end > NOW >= span.end - span.step
    inside = [row for row in rows if span.start <= row["minute"] < span.end and model in ("", row["model"])]
    counts, worst = defaultdict(lambda: [0, 0, 0.0]), defaultdict(float)
    for row in inside:
        part = (row["minute"] - span.start) // span.step
        worst[row["key"]] = max(worst[row["key"]], row["worst"])
        for key in (row["key"], ""):
            cell = counts[key, part]
            cell[:] = cell[0] + row["rows"], cell[1] + row["anomalies"], max(cell[2], row["worst"])
    with database.read() as connection:
        overall, lanes, keys = views.lanes(connection, span, model)
    assert keys == len(worst)
    assert [lane.key for lane in lanes] == sorted(worst, key=lambda key: -worst[key])[: views.MOST_LANES]
    for lane in (overall, *lanes):
        for part, cell in enumerate(lane.cells):
            assert [cell.rows, cell.anomalies, cell.worst] == counts.get((lane.key, part), [0, 0, 0.0])


def test_what_changes_has_another_trace(filled):
    database, _ = filled
    with database.read() as connection:
        before = views.traces(connection)
        assert views.traces(connection) == before
    row = {"table_id": "t", "check": "volume", "at": NOW, "profile": {}, "answer": {}}
    with database.write() as connection:
        connection.execute(sa.insert(tables.table_runs).values(row))
        after = views.traces(connection)
    assert {name for name in after if after[name] != before[name]} == {"checks"}


def test_minutes_of_a_key_are_in_order(filled):
    database, rows = filled
    since = NOW - timedelta(days=2)
    with database.read() as connection:
        found = views.minutes_of(connection, "orders", "key-3", since)
    mine = sorted(r["minute"] for r in rows if (r["model"], r["key"]) == ("orders", "key-3") and r["minute"] >= since)
    assert [one["minute"] for one in found] == mine


def test_what_a_model_scored_is_listed_by_key_and_what_was_checked_by_table(filled):
    database, rows = filled
    since = NOW - timedelta(days=30)
    row = {"table_id": "t", "check": "volume", "profile": {}, "answer": {"severity": "low"}}
    runs = [{**row, "at": NOW}, {**row, "at": NOW - timedelta(days=1)}]
    with database.write() as connection:
        connection.execute(sa.insert(tables.table_runs), runs)
    with database.read() as connection:
        keys = views.keys_seen(connection, "logs", since)
        assert [int(one["rows"]) for one in keys if one["key"] == "key-7"] == [
            sum(row["rows"] for row in rows if (row["model"], row["key"]) == ("logs", "key-7"))
        ]
        assert views.models_seen(connection) == ["logs", "orders"]
        assert [one["at"] for one in views.latest_checks(connection)] == [NOW]
        assert len(views.latest_checks(connection, "t")) == 2
        assert views.severities(connection, span_of("24h", NOW)) == [{}] * 36
