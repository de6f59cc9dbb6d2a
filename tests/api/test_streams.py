"""Streams: verdicts in order, resumed without loss or repetition, bounded whoever is slow."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from anomaly_detection import LogDetector
from anomaly_detection.api.routes.streams import MOST_RECORDS
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.sources.logs.generated import generate_logs, lines_of
from live_support import running, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from anomaly_detection.api import Context

RECORDS: list[dict[str, Any]] = [json.loads(line) for line in lines_of(generate_logs(400, seed=3))]
MESSAGES = 1_000
"""Of 100 records: more than the buffers of a connection hold."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, Context]]:
    with running(tmp_path_factory.mktemp("home")) as service:
        normal = pl.DataFrame({"a": np.random.default_rng(0).normal(size=300)})
        service[1].models.registry.register("orders", Pipeline("mad").fit(normal))
        yield service


@pytest.fixture(autouse=True)
def _fresh(live: tuple[httpx.Client, Context]) -> None:
    live[1].models.get("logs").model.pipeline.forget()  # type: ignore[union-attr]


def opened(live: tuple[httpx.Client, Context], query: str = "", model: str = "logs") -> ClientConnection:
    url = str(live[0].base_url).replace("http", "ws").rstrip("/")
    return connect(f"{url}/api/v1/stream/{model}{query}", compression=None)


def message(talking: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(talking.recv(timeout=20)))


def verdicts(talking: ClientConnection, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        told = message(talking)
        assert told["first"] == told["verdicts"][0]["seq"]
        found += told["verdicts"]
    return found


def test_verdicts_come_in_order_as_in_python(live: tuple[httpx.Client, Context]) -> None:
    expected = LogDetector.from_registry("logs", live[1].settings.registry_folder).detect(RECORDS)
    with opened(live) as talking:
        ready = message(talking)
        assert (ready["type"], ready["next"], ready["model"]) == ("ready", 1, "logs@1")
        for record in RECORDS[:50]:
            talking.send(json.dumps(record))
        talking.send(json.dumps(RECORDS[50:]))
        found = verdicts(talking, len(RECORDS))
    assert [one["seq"] for one in found] == list(range(1, len(RECORDS) + 1))
    assert [one["anomaly_score"] for one in found] == expected.anomaly_score.tolist()
    flagged = {one["id"] for one in found if one["is_anomaly"]}
    kept = live[0].get("/api/v1/alerts", params={"limit": 1000}).json()["alerts"]
    assert flagged <= {one["record_id"] for one in kept}


def test_a_bad_record_has_an_error_in_its_place(live: tuple[httpx.Client, Context]) -> None:
    with opened(live) as talking:
        message(talking)
        talking.send(json.dumps([RECORDS[0], {"colour": "red"}, 7, RECORDS[1]]))
        found = verdicts(talking, 4)
    assert ["error" in one for one in found] == [False, True, True, False]


def test_a_client_that_comes_back_goes_on_where_it_was(live: tuple[httpx.Client, Context]) -> None:
    with opened(live, "?stream=mine") as talking:
        message(talking)
        talking.send(json.dumps(RECORDS[:100]))
        first = verdicts(talking, 100)
        talking.send(json.dumps(RECORDS[100:150]))
    stream = next(one for one in live[1].streams if one.id == "mine")
    until(lambda: stream.connection is None)
    with opened(live, "?stream=mine&last=40") as talking:
        ready = message(talking)
        again = verdicts(talking, ready["next"] - 41)
        assert again[:60] == first[40:]
        talking.send(json.dumps(RECORDS[ready["next"] - 1 : 200]))
        rest = verdicts(talking, 200 - ready["next"] + 1)
    every = first + again[60:] + rest
    assert [one["seq"] for one in every] == list(range(1, 201))
    expected = LogDetector.from_registry("logs", live[1].settings.registry_folder).detect(RECORDS[:200])
    assert [one["anomaly_score"] for one in every] == expected.anomaly_score.tolist()


def test_what_is_too_old_is_said_to_be_gone(live: tuple[httpx.Client, Context]) -> None:
    with opened(live, "?stream=old") as talking:
        message(talking)
        for _ in range(3):
            talking.send(json.dumps(RECORDS[:10]))
            verdicts(talking, 10)
    stream = next(one for one in live[1].streams if one.id == "old")
    until(lambda: stream.connection is None)
    stream._past.popleft()
    with opened(live, "?stream=old&last=5") as talking:
        assert message(talking)["next"] == 31
        assert message(talking) == {"type": "gone", "first": 6, "last": 10}
        assert verdicts(talking, 20)[0]["seq"] == 11


def test_a_newer_connection_takes_the_stream_over(live: tuple[httpx.Client, Context]) -> None:
    with opened(live, "?stream=both") as older:
        message(older)
        with opened(live, "?stream=both") as newer:
            message(newer)
            newer.send(json.dumps(RECORDS[:3]))
            assert len(verdicts(newer, 3)) == 3
            with pytest.raises(ConnectionClosed) as closed:
                message(older)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4409


def test_streams_are_listed(live: tuple[httpx.Client, Context]) -> None:
    with opened(live, "?stream=listed") as talking:
        message(talking)
        talking.send(json.dumps(RECORDS[:5]))
        verdicts(talking, 5)
        found = live[0].get("/api/v1/streams").json()["streams"]
        listed = next(one for one in found if one["id"] == "listed")
    assert (listed["records"], listed["is_connected"], listed["model"]) == (5, True, "logs")


@pytest.mark.parametrize(
    ("query", "model", "sent", "code"),
    [
        ("", "nothing", None, 1008),
        ("?last=x", "logs", None, 1008),
        ("?stream=" + "x" * 80, "logs", None, 1008),
        ("", "logs", "{", 1008),
        ("", "logs", b"{}", 1008),
        ("", "logs", "[" * 100_000, 1008),
        ("", "logs", json.dumps([{}] * (MOST_RECORDS + 1)), 1008),
        ("", "logs", json.dumps({"message": "x" * 2**20}), 1009),
    ],
)
def test_nonsense_closes_the_connection(
    live: tuple[httpx.Client, Context], query: str, model: str, sent: str | bytes | None, code: int
) -> None:
    with opened(live, query, model) as talking:
        if sent is not None:
            message(talking)
            talking.send(sent)
        with pytest.raises(ConnectionClosed) as closed:
            message(talking)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, bool(closed.value.rcvd.reason)) == (code, True)


def test_a_slow_reader_stops_the_reading_and_loses_nothing(live: tuple[httpx.Client, Context]) -> None:
    plain = socket.socket()
    for side in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        plain.setsockopt(socket.SOL_SOCKET, side, 65_536)
    plain.connect(("127.0.0.1", live[0].base_url.port))
    text = json.dumps([{"a": 0.1, "unused": "x" * 200}] * 100)

    async def talk() -> list[int]:
        url = "ws://127.0.0.1/api/v1/stream/orders?stream=slow"
        async with connect_async(url, sock=plain, compression=None, max_queue=1, ping_interval=None) as talking:
            await talking.recv()

            async def send() -> None:
                for _ in range(MESSAGES):
                    await talking.send(text)

            sending = asyncio.create_task(send())
            stream = next(one for one in live[1].streams if one.id == "slow")
            seen = -1
            while seen != stream.next:  # until the service stands still because nobody reads
                seen = stream.next
                await asyncio.wait({sending}, timeout=0.5)
            assert not sending.done()
            assert stream._bytes <= 5 * 2**20
            numbers: list[int] = []
            while len(numbers) < MESSAGES * 100:
                numbers += [one["seq"] for one in json.loads(await talking.recv())["verdicts"]]
            await sending
            return numbers

    assert asyncio.run(talk()) == list(range(1, MESSAGES * 100 + 1))
