"""Batches over HTTP have the bits of the pipeline, in every form they come in."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from anomaly_detection.pipeline import Pipeline
from live_support import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from anomaly_detection.api import Context

RANDOM = np.random.default_rng(0)
FRAME = pl.DataFrame({"a": RANDOM.normal(size=400), "b": RANDOM.normal(size=400)})
ODD = pl.concat([FRAME.head(50), pl.DataFrame({"a": [50.0], "b": [-60.0]})])


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Context]]:
    with running(tmp_path_factory.mktemp("home"), max_rows=1_000, max_columns=5) as service:
        service[1].models.registry.register("orders", Pipeline("mad", contamination=0.01).fit(FRAME))
        yield service


@pytest.fixture
def client(live: tuple[httpx.Client, Context]) -> httpx.Client:
    return live[0]


def expected(live: tuple[httpx.Client, Context]) -> list[tuple[float, bool]]:
    pipeline = live[1].models.get("orders").model
    assert isinstance(pipeline, Pipeline)
    return [(one.score, one.is_anomaly) for one in pipeline.detect(ODD)]


def test_objects_and_rows(live: tuple[httpx.Client, Context], client: httpx.Client) -> None:
    ids = [f"order-{i}" for i in range(len(ODD))]
    for body in ({"records": ODD.to_dicts(), "ids": ids}, {"data": [list(row) for row in ODD.rows()], "ids": ids}):
        found = client.post("/api/v1/models/orders/score", json=body).json()
        assert [(one["score"], one["is_anomaly"]) for one in found["results"]] == expected(live)
        assert [one["id"] for one in found["results"]] == ids
        assert (found["model"], found["total"]) == ("orders@1", 51)
        assert found["anomalies"] == sum(flag for _, flag in expected(live))


def test_alarms_of_a_batch_are_kept(client: httpx.Client) -> None:
    client.post("/api/v1/models/orders@1/score", json={"records": ODD.tail(1).to_dicts(), "ids": ["kept"]})
    found = client.get("/api/v1/alerts", params={"model": "orders"}).json()["alerts"]
    kept = next(one for one in found if one["record_id"] == "kept")
    assert kept["record"] == {"a": 50.0, "b": -60.0}


def test_json_lines_are_answered_line_by_line(live: tuple[httpx.Client, Context], client: httpx.Client) -> None:
    lines = [json.dumps(record) for record in ODD.to_dicts()]
    lines[10:10] = ["{", '{"a": "x", "b": 1}', "", "7"]
    body = "\n".join(lines).encode()
    chunks = (body[at : at + 700] for at in range(0, len(body), 700))
    answer = client.post(
        "/api/v1/models/orders/score", content=chunks, headers={"Content-Type": "application/x-ndjson"}
    )
    found = [json.loads(line) for line in answer.text.splitlines()]
    good = [one for one in found if "error" not in one]
    assert [(one["score"], one["is_anomaly"]) for one in good] == expected(live)
    assert [one["line"] for one in found if "error" in one] == [11, 12, 14]
    assert [one["line"] for one in found] == [*range(1, 13), *range(14, 56)]


def test_arrow_in_and_out(live: tuple[httpx.Client, Context], client: httpx.Client) -> None:
    body = io.BytesIO()
    ODD.with_columns(record_id=pl.Series([f"row-{i}" for i in range(51)])).write_ipc_stream(body)
    headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
    answer = client.post("/api/v1/models/orders/score", content=body.getvalue(), headers=headers)
    found = pl.read_ipc_stream(io.BytesIO(answer.content))
    assert found.select("score", "is_anomaly").rows() == expected(live)
    assert found["id"][50] == "row-50"
    broken = client.post("/api/v1/models/orders/score", content=body.getvalue()[:99], headers=headers)
    assert broken.status_code == 422


def test_an_arrow_stream_that_unpacks_to_much_is_refused_unread(client: httpx.Client) -> None:
    body = io.BytesIO()
    pl.DataFrame({"a": np.zeros(20_000_000), "b": 0.0}).write_ipc_stream(body, compression="zstd")
    headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
    answer = client.post("/api/v1/models/orders/score", content=body.getvalue(), headers=headers)
    assert (answer.status_code, "once unpacked" in answer.json()["detail"]) == (413, True)


def test_log_models_take_records(client: httpx.Client) -> None:
    found = client.post("/api/v1/models/logs/score", json={"records": [{"level": "INFO", "message": "hello"}]}).json()
    assert found["total"] == 1


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"records": [{"a": 1.0}]}, 422, "'b'"),
        ({"records": [{"a": "x", "b": 1}]}, 422, "number"),
        ({"records": [5]}, 422, "Expected `object`"),
        ({"data": [[1.0]]}, 422, "1 values"),
        ({"data": [[1.0], [1.0, 2.0]]}, 422, "width"),
        ({"data": [[1.0, 2.0]], "records": []}, 422, "either"),
        ({}, 422, "either"),
        ({"records": [{"a": 1.0, "b": 1.0}], "ids": []}, 422, "ids"),
        ({"data": [[1.0, 2.0]] * 1_001}, 413, "1,001 rows"),
        ({"data": [[1.0] * 6]}, 413, "6 columns"),
    ],
)
def test_what_cannot_be_judged_is_said(client: httpx.Client, body: object, status: int, says: str) -> None:
    answer = client.post("/api/v1/models/orders/score", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert says in answer.json()["detail"]


def test_other_forms_and_models_are_refused(client: httpx.Client) -> None:
    text = client.post("/api/v1/models/orders/score", content=b"a,b", headers={"Content-Type": "text/csv"})
    assert text.status_code == 415
    assert client.post("/api/v1/models/orders@9/score", json={"records": []}).status_code == 404
    assert client.post("/api/v1/models/nothing/score", json={"records": []}).status_code == 404
