"""``POST /api/v1/detection/run``: rows in, verdicts out."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from anomaly_detection import detect
from service_support import service

JSON = {"Content-Type": "application/json"}
ROWS = [*np.random.default_rng(0).normal(size=(60, 2)).round(3).tolist(), [9.0, -9.0]]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with service(tmp_path_factory.mktemp("home"), max_rows=1000, max_columns=20) as running:
        yield running.client


def run(client, **body):
    return client.post("/api/v1/detection/run", json=body)


def test_rows_are_judged_as_python_judges_them(client):
    answer = run(client, data=ROWS, algorithm="knn", contamination=0.05).json()
    expected = detect(np.array(ROWS), "knn", contamination=0.05)
    assert answer["scores"] == expected.score.tolist()
    assert answer["p_values"] == expected.p_value.tolist()
    assert answer["predictions"] == expected.is_anomaly.astype(int).tolist()
    assert answer["anomaly_count"] == sum(answer["predictions"]) == 3
    assert answer["predictions"][60] == 1


def test_objects_have_names_and_reasons_name_them(client):
    rows = [{"amount": 10.0 + i % 7, "country": "NL"} for i in range(80)] + [{"amount": 900.0, "country": "XX"}]
    answer = run(client, data=rows, contamination=0.02, explain=True).json()
    assert answer["feature_names"] == ["amount", "country"]
    worst = next(one for one in answer["explanations"] if one["row"] == 80)
    assert {column["column"] for column in worst["columns"]} >= {"amount"}
    assert worst["counterfactual"]["changes"]


def test_columns_can_be_named_and_algorithms_take_parameters(client):
    answer = run(client, data=ROWS, algorithm="knn", parameters={"n_neighbors": 3}, feature_names=["a", "b"]).json()
    assert answer["feature_names"] == ["a", "b"]
    assert answer["scores"] != run(client, data=ROWS, algorithm="knn").json()["scores"]


def test_too_few_rows_are_answered_and_a_note_says_what_is_missing(client):
    answer = run(client, data=[[1, 2], [3, 4]], algorithm="isolation_forest").json()
    assert answer["predictions"] == [0, 0]
    assert answer["anomaly_count"] == 0
    assert "too few" in answer["notes"][0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": ROWS, "algorithm": "isolaton_forest"}, "isolation_forest"),
        ({"data": ROWS, "algorithm": "knn", "parameters": {"neighbours": 3}}, "neighbours"),
        ({"data": ROWS, "contamination": 0.9}, "0.5"),
        ({"data": []}, "at least 1"),
        ({"data": [[1], [1, 2]] * 10}, "one width"),
        ({"data": [[1.0], {"a": 1.0}] * 10}, "lists"),
        ({"data": [["a" * 9]] * 2000}, "1,000"),
        ({"data": [[1] * 21] * 10}, "20"),
        ({"data": ROWS, "explane": True}, "explane"),
        ({"data": ROWS, "feature_names": ["a"]}, "name"),
        ({"data": ROWS, "feature_names": ["a", "a"]}, "a"),
        ({"data": [[None]] * 10}, "column"),
        ({"data": [[1e999]] * 10}, ""),
    ],
)
def test_what_is_wrong_is_named(client, body, words):
    answer = client.post("/api/v1/detection/run", content=json.dumps(body), headers=JSON)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.text


def test_a_large_packed_body_is_taken(client):
    body = json.dumps({"data": [[0.25 * (i % 9), i % 5] for i in range(1000)], "algorithm": "hbos"})
    headers = {**JSON, "Content-Encoding": "gzip"}
    answer = client.post("/api/v1/detection/run", content=gzip.compress(body.encode()), headers=headers)
    assert len(answer.json()["scores"]) == 1000
