"""The log endpoints answer as the contract says, with the bits of the pipeline in Python."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from anomaly_detection import LogDetector
from anomaly_detection.sources.logs.generated import generate_logs, lines_of
from anomaly_detection.workflows import starting_models
from live_support import running
from service_support import service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from anomaly_detection.api import Context

LOUD = {"service": "auth", "level": "CRITICAL", "message": "kernel panic at 0xdeadbeef", "response_time": 90_000.0}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Context]]:
    with running(tmp_path_factory.mktemp("home"), first=True) as service:
        yield service


@pytest.fixture
def client(live: tuple[httpx.Client, Context]) -> httpx.Client:
    return live[0]


@pytest.fixture
def records(live: tuple[httpx.Client, Context]) -> list[dict[str, Any]]:
    live[1].models.get("logs").model.pipeline.forget()  # type: ignore[union-attr]
    return [json.loads(line) for line in lines_of(generate_logs(300, anomaly_share=0.2, seed=5))]


def twin(live: tuple[httpx.Client, Context]) -> LogDetector:
    return LogDetector.from_registry("logs", live[1].settings.registry_folder)


def test_detect_says_what_the_contract_asks_for(client: httpx.Client) -> None:
    answer = client.post("/detect", json={**LOUD, "log_id": "mine", "timestamp": "2026-01-31T12:00:00Z"})
    assert answer.status_code == 200
    found = answer.json()
    assert found.keys() == {
        "is_anomaly", "anomaly_score", "severity", "confidence", "prediction", "log_id", "detection_method",
        "timestamp",
    }  # fmt: skip
    assert (found["is_anomaly"], found["prediction"], found["log_id"]) == (True, -1, "mine")
    assert found["timestamp"] == "2026-01-31T12:00:00Z"


@pytest.mark.usefixtures("records")
def test_entries_without_a_time_happened_when_they_came(client: httpx.Client) -> None:
    entry = {"service": "shop", "level": "ERROR", "message": "no answer", "latency_ms": 900}
    for _ in range(3):
        scored = client.post("/score", json=entry).json()
    client.post("/detect", json=[entry, {**entry, "level": "INFO"}]).raise_for_status()
    client.post("/detect", json={**entry, "level": "INFO"}).raise_for_status()
    window = scored["methods"]["sliding_window"]["metrics"]
    assert (window["error_rate"], window["total_logs"]) == (1.0, 3)
    stats = client.get("/stats/shop").json()
    assert (stats["total_logs"], stats["error_count"], stats["avg_latency"]) == (6, 4, 900.0)


def test_one_by_one_is_as_in_python(live: Any, client: httpx.Client, records: list[dict[str, Any]]) -> None:
    detector = twin(live)
    for record in records:
        verdict, found = detector.detect_one(record), client.post("/detect", json=record).json()
        assert [found[name] for name in ("anomaly_score", "is_anomaly", "severity", "confidence")] == [
            verdict.anomaly_score, verdict.is_anomaly, verdict.severity, verdict.confidence,
        ]  # fmt: skip


@pytest.mark.parametrize("wrapped", [True, False])
def test_many_at_once_are_as_in_python(
    live: Any, client: httpx.Client, records: list[dict[str, Any]], wrapped: bool
) -> None:
    expected = [verdict.anomaly_score for verdict in twin(live).detect(records)]
    found = client.post("/detect", json={"logs": records} if wrapped else records).json()
    assert [one["anomaly_score"] for one in found["results"]] == expected
    assert found["anomalies"] == sum(one["is_anomaly"] for one in found["results"])


def test_score_says_what_each_method_says(live: Any, client: httpx.Client, records: list[dict[str, Any]]) -> None:
    detector = twin(live)
    for record in records[:50]:
        found = client.post("/score", json=record).json()
        expected = detector.detect_one(record).to_dict()
        assert {name: found[name] for name in expected} == expected
    assert found["methods"].keys() >= {"isolation_forest", "sliding_window"}
    assert found["methods"]["sliding_window"]["metrics"].keys() == {"error_rate", "latency_zscore", "total_logs"}


def test_requests_of_one_moment_get_each_their_own_answer(client: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [{**LOUD, "log_id": f"own-{i}"} for i in range(200)]
        answers = list(pool.map(lambda record: client.post("/detect", json=record).json()["log_id"], sent))
    assert answers == [record["log_id"] for record in sent]


def test_stats_of_a_service(client: httpx.Client, records: list[dict[str, Any]]) -> None:
    assert records
    client.post("/detect", json=[{"service": "shop", "level": "ERROR", "response_time": 10 * i} for i in range(1, 5)])
    found = client.get("/stats/shop").json()
    assert (found["total_logs"], found["error_rate"], found["avg_latency"], found["max_latency"]) == (4, 1.0, 25, 40)
    assert found["window_minutes"] == 5


def test_stats_of_a_service_that_nobody_knows(client: httpx.Client) -> None:
    answer = client.get("/stats/nobody")
    assert answer.status_code == 404
    assert "Known: " in answer.json()["detail"]


def test_predict_follows_what_train_learned(client: httpx.Client) -> None:
    slow = {"latency_ms": 5_000_000, "level": "ERROR"}
    assert client.post("/predict", json=slow).json()["is_anomaly"]
    rows = [[4_900_000 + 500 * i, 2] for i in range(400)]
    trained = client.post("/train", json={"data": rows}).json()
    assert (trained["status"], trained["rows"], trained["generated_rows"]) == ("trained", 400, 0)
    found = client.post("/predict", json=slow).json()
    assert not found["is_anomaly"]
    assert found["model"] == f"{trained['model']}@{trained['version']}"


def test_a_few_rows_are_enough_to_train(client: httpx.Client) -> None:
    trained = client.post("/train", json={"data": [[100, 0], [150, 0], [2000, 2]]})
    assert trained.status_code == 200
    assert trained.json()["generated_rows"] == 253


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"5", "dict"),
        (b"{}", "none of the fields"),
        (b'{"colour": "red"}', "none of the fields"),
        (b'{"level": {"a": 1}}', "level"),
        (b'{"level": "INFO", "timestamp": "yesterday"}', "time"),
        (b'{"level": "INFO", "log_id": 7}', "log_id"),
        (b'[{"level": "INFO"}, 7]', "Entry 1"),
        (b'{"logs": 7}', "array"),
        (b"[" * 100_000, "array"),
        (b'{"a":' * 100_000, "not JSON"),
    ],
)
def test_what_is_no_entry_is_refused(client: httpx.Client, body: bytes, says: str) -> None:
    answer = client.post("/detect", content=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.json()["detail"]


def test_another_verb_is_refused(client: httpx.Client) -> None:
    assert client.get("/detect").status_code == 405


def test_the_document_describes_the_bodies(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    body = document["paths"]["/detect"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert [each["type"] for each in body["anyOf"]] == ["object", "array", "object"]
    assert "latency_ms" in body["anyOf"][0]["properties"]


def test_whoever_asks_before_the_first_models_are_made_is_told_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting_models, "do_apart", lambda *_, ends: ends.wait())
    with service(tmp_path) as young:
        answers = [
            young.client.post("/detect", json=LOUD),
            young.client.post("/score", json=LOUD),
            young.client.post("/predict", json={"latency_ms": 5.0}),
            young.client.get("/stats/auth"),
        ]
    assert [answer.status_code for answer in answers] == [503] * 4
    assert {answer.headers["retry-after"] for answer in answers} == {"2"}
