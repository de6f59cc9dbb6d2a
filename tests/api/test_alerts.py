"""Alarms over HTTP: there when they are told, looked through, labelled, and turned into live quality."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from anomaly_detection.sources.logs.generated import generate_logs, lines_of
from live_support import running, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from anomaly_detection.api import Context

LOUD = {"service": "auth", "level": "CRITICAL", "message": "kernel panic at 0xdeadbeef", "response_time": 90_000.0}
QUIET = json.loads(lines_of(generate_logs(60, anomaly_share=0.0, seed=1))[50])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Context]]:
    with running(tmp_path_factory.mktemp("home")) as service:
        yield service


@pytest.fixture
def client(live: tuple[httpx.Client, Context]) -> httpx.Client:
    return live[0]


def alarm(client: httpx.Client, name: str) -> dict[str, Any]:
    assert client.post("/detect", json={**LOUD, "log_id": name}).json()["is_anomaly"]
    found = [each for each in client.get("/api/v1/alerts").json()["alerts"] if each["record_id"] == name]
    assert len(found) == 1
    return dict(found[0])


def test_an_alarm_is_there_when_it_is_told(client: httpx.Client) -> None:
    found = alarm(client, "told")
    assert (found["model"], found["version"], found["key"], found["state"]) == ("logs", 1, "auth", "open")
    assert found["record"]["message"] == LOUD["message"]
    assert "(p = " in found["reason"]
    assert client.get(f"/api/v1/alerts/{found['id']}").json() == found


def test_the_same_record_raises_one_alarm(client: httpx.Client) -> None:
    alarm(client, "twice")
    alarm(client, "twice")


def test_alarms_are_acknowledged_and_resolved(client: httpx.Client) -> None:
    found = alarm(client, "moved")
    for verb, state in (("acknowledge", "acknowledged"), ("resolve", "resolved"), ("resolve", "resolved")):
        answer = client.post(f"/api/v1/alerts/{found['id']}/{verb}")
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    listed = client.get("/api/v1/alerts", params={"state": "resolved"}).json()["alerts"]
    assert [each["record_id"] for each in listed] == ["moved"]


def test_pages_hold_each_alarm_once(client: httpx.Client) -> None:
    client.post("/detect", json=[{**LOUD, "log_id": f"page-{i}"} for i in range(7)])
    every = client.get("/api/v1/alerts", params={"limit": 1000}).json()["alerts"]
    paged, after = [], None
    while True:
        page = client.get("/api/v1/alerts", params={"limit": 3} | ({"after": after} if after else {})).json()
        paged += page["alerts"]
        if (after := page["next"]) is None:
            break
    assert paged == every


def test_times_are_given_as_text_or_in_seconds(client: httpx.Client) -> None:
    found = alarm(client, "timed")
    moment = datetime.fromisoformat(found["at"])
    ways = [
        (moment.isoformat(), (moment + timedelta(seconds=1)).isoformat()),
        (moment.astimezone(UTC).replace(tzinfo=None).isoformat(), None),
        (f"{moment.timestamp():.6f}", f"{moment.timestamp() + 1:.6f}"),
    ]
    for begin, end in ways:
        asked = {name: one for name, one in (("begin", begin), ("end", end)) if one}
        listed = client.get("/api/v1/alerts", params=asked).json()["alerts"]
        assert [one["record_id"] for one in listed] == ["timed"]
    assert client.get("/api/v1/alerts", params={"end": "0.5"}).json()["alerts"] == []
    assert client.get("/api/v1/alerts", params={"end": "soon"}).status_code == 422


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/alerts/none", 404),
        ("/api/v1/alerts?after=rubbish", 422),
        ("/api/v1/alerts?limit=0", 422),
        ("/api/v1/alerts?severity=loud", 422),
        ("/api/v1/models/unknown/quality", 404),
        ("/api/v1/history/..%2f..%2fetc", 404),
        ("/api/v1/history/.hidden", 422),
    ],
)
def test_what_is_not_there_is_said(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_labels_become_quality(live: tuple[httpx.Client, Context]) -> None:
    client, context = live
    first, second = alarm(client, "right"), alarm(client, "wrong")
    assert client.post("/api/v1/feedback", json={"alert_id": first["id"], "is_anomaly": True}).status_code == 201
    label = client.post("/api/v1/feedback", json={"record_id": "wrong", "is_anomaly": False, "note": "restart"}).json()
    assert (label["was_flagged"], label["said_by"], label["anomaly_score"]) == (
        True, "everyone", second["anomaly_score"],
    )  # fmt: skip
    found = client.get("/api/v1/models/logs/quality").json()["versions"]["1"]
    assert (found["precision"]["value"], found["recall"]) == (0.5, None)
    context.models.get("logs").model.pipeline.forget()  # type: ignore[union-attr]
    quiet = client.post("/detect", json={**QUIET, "log_id": "quiet"}).json()
    assert not quiet["is_anomaly"]
    said = {"record_id": "quiet", "is_anomaly": False}
    assert "say model and version" in client.post("/api/v1/feedback", json=said).json()["detail"]
    assert client.post("/api/v1/feedback", json={**said, "model": "logs", "version": 1}).status_code == 201
    until(lambda: client.get("/api/v1/models/logs/quality").json()["versions"]["1"]["records"])
    found = client.get("/api/v1/models/logs/quality").json()["versions"]["1"]
    assert (found["recall"]["value"], found["missing"]) == (1.0, [])
    assert len(client.get("/api/v1/feedback", params={"model": "logs"}).json()["labels"]) == 3


def test_feedback_names_something(client: httpx.Client) -> None:
    answer = client.post("/api/v1/feedback", json={"is_anomaly": True})
    assert answer.status_code == 422


def test_events_tell_of_alarms_and_go_on_where_they_were(client: httpx.Client) -> None:
    with client.stream("GET", "/api/v1/events", headers={"Last-Event-ID": "elsewhere-5"}) as stream:
        lines = stream.iter_lines()
        until(lambda: next(lines) == "event: missed")
        client.post("/detect", json={**LOUD, "log_id": "listened"})
        seen, last = "", ""
        while '"listened"' not in seen:
            seen = next(lines)
            last = seen[4:] if seen.startswith("id: ") else last
    client.post("/detect", json={**LOUD, "log_id": "meanwhile"})
    with client.stream("GET", "/api/v1/events", headers={"Last-Event-ID": last}) as stream:
        found = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
        assert next(one for one in found if "record_id" in one)["record_id"] == "meanwhile"
