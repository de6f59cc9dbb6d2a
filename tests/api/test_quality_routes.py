"""``POST /api/v1/detect/*``: the answer of a service, and what it remembers between requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from service_support import service

FIELDS = ["is_anomaly", "severity", "confidence", "expected_range", "message"]
FIRST = datetime(2026, 1, 5, 6, 30, tzinfo=UTC)
DAYS = [(FIRST + timedelta(days=n)).isoformat() for n in range(40)]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with service(tmp_path_factory.mktemp("home"), max_rows=5000, max_columns=20) as running:
        yield running.client


def check(client, kind, **body):
    answer = client.post(f"/api/v1/detect/{kind}", json=body)
    assert answer.status_code == 200, answer.text
    assert list(answer.json())[:5] == FIELDS
    return answer.json()


def orders(seed, price=10.0, rows=200):
    rng = np.random.default_rng(seed)
    return {"code": [f"A-{n}" for n in rng.integers(10, 20, rows)], "price": rng.normal(price, 1, rows).tolist()}


def test_row_counts_against_a_history_that_is_sent(client):
    answer = check(client, "volume", table_id="sent", current_row_count=430, historical_data=[1000, 1010, 990] * 10)
    assert (answer["is_anomaly"], answer["severity"]) == (True, "critical")
    assert answer["expected_range"][0] < 1000 < answer["expected_range"][1]


def test_row_counts_are_remembered(client):
    for day, time in enumerate(DAYS):
        last = check(client, "volume", table_id="kept", current_row_count=1000 + day % 3, timestamp=time)
    assert last["runs"] == 39
    assert not last["is_anomaly"]
    assert check(client, "volume", table_id="kept", current_row_count=400, timestamp="2026-02-14T06:30:00Z")[
        "is_anomaly"
    ]


def test_a_run_that_is_sent_again_counts_once(client):
    for _ in range(3):
        check(client, "volume", table_id="again", current_row_count=1000, timestamp=DAYS[0])
    assert check(client, "volume", table_id="again", current_row_count=1000, timestamp=DAYS[1])["runs"] == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("volume", {"current_row_count": 5}),
        ("distribution", {"current_data": orders(0)}),
        ("timeliness", {}),
        ("timeliness", {"timestamp": DAYS[0]}),
    ],
)
def test_a_table_without_a_history_says_what_is_missing(client, kind, body):
    answer = check(client, kind, table_id=f"new {kind} {len(body)}", **body)
    assert (answer["is_anomaly"], answer["confidence"]) == (False, 0.0)
    assert "missing" in answer["message"]
    assert "historical_data" in answer["notes"][0]


def test_values_are_held_against_runs_that_are_remembered(client):
    for n in range(8):
        check(client, "distribution", table_id="prices", current_data=orders(n), timestamp=DAYS[n])
    assert not check(client, "distribution", table_id="prices", current_data=orders(8), timestamp=DAYS[8])["is_anomaly"]
    answer = check(client, "distribution", table_id="prices", current_data=orders(9, 20.0), timestamp=DAYS[9])
    assert answer["is_anomaly"]
    assert answer["changes"][0]["column"] == "price"


def test_cells_are_held_against_tables_that_are_remembered(client):
    check(client, "pattern", table_id="codes", current_data=orders(0), timestamp=DAYS[0])
    odd = {"shop": ["a"] * 20 + ["b"] * 180, **orders(1)}
    odd["code"] = ["b7"] * 20 + odd["code"][20:]
    answer = check(client, "pattern", table_id="codes", current_data=odd, timestamp=DAYS[1], segments=["shop"])
    assert answer["is_anomaly"]
    found = next(one for one in answer["findings"] if one["column"] == "code")
    assert found["guilty"] == "100% of them have shop = 'a' (10.0% of the rows)"


def test_arrivals_are_remembered_and_lateness_is_told(client):
    for time in DAYS[:20]:
        check(client, "timeliness", table_id="daily", timestamp=time)
    assert check(client, "timeliness", table_id="daily", now=DAYS[20])["is_anomaly"] is False
    late = check(client, "timeliness", table_id="daily", now="2026-01-25T20:00:00Z")
    assert (late["status"], late["is_anomaly"]) == ("late", True)


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        ("volume", {"current_row_count": -1}, "greater than or equal to 0"),
        ("volume", {"current_row_count": 5, "historical_data": [{"a": "x", "b": "y"}]}, "row_count"),
        ("volume", {"current_row_count": 5, "historical_data": [1, 2, 3], "zone": "Mars/Base"}, "Mars/Base"),
        ("volume", {"current_row_count": 5, "historical_data": [1, 2, 3], "holidays": ["Xmas"]}, "Xmas"),
        ("volume", {"current_row_count": 5, "timestamp": "yesterday"}, "yesterday"),
        ("distribution", {"current_data": {"a": [1] * 6000}}, "5,000"),
        ("distribution", {"current_data": {"a": [1, 2], "b": [1]}, "historical_data": [{"a": [1]}]}, "b"),
        ("pattern", {"current_data": [{"a": 1}], "key": ["b"]}, "b"),
        ("timeliness", {"historical_data": ["2026-01-01", "soon"]}, "soon"),
    ],
)
def test_what_is_wrong_is_named(client, kind, body, words):
    answer = client.post(f"/api/v1/detect/{kind}", json={"table_id": "bad", **body})
    assert answer.status_code == 422
    assert words in answer.text
