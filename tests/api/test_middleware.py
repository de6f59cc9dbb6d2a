"""What stands before every route, on a real server with a few routes of its own."""

from __future__ import annotations

import gzip
import itertools
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest
from starlette.requests import Request  # noqa: TC002 - FastAPI reads it
from starlette.responses import StreamingResponse

from anomaly_detection.api import Context, create_api
from anomaly_detection.api.middleware.unpacking import Gzip, Zstandard
from anomaly_detection.settings import Settings
from anomaly_detection.telemetry import METRICS
from service_support import running, service, until

MOST = 200_000


class Counter:
    """How often a route did something."""

    def __init__(self):
        self.calls = 0
        self.go = threading.Event()


def extended(context: Context, counter: Counter):
    app = create_api(context)

    @app.post("/echo")
    async def echo(request: Request):
        return {"length": len(await request.body())}

    @app.post("/count")
    def count(body: dict):
        counter.calls += 1
        return {"calls": counter.calls, "body": body}

    @app.post("/held")
    def held():
        counter.calls += 1
        counter.go.wait(20)
        return {"calls": counter.calls}

    @app.post("/broken")
    def broken():
        counter.calls += 1
        raise RuntimeError("the inside")

    @app.get("/long")
    def long():
        return {"text": "anomaly " * 10_000}

    @app.get("/parts/{n}")
    def parts(n: int):
        return StreamingResponse((b"x" * 5000 for _ in range(n)), media_type="text/plain")

    return app


@pytest.fixture(scope="module")
def counter():
    return Counter()


@pytest.fixture(scope="module")
def client(tmp_path_factory, counter):
    home = tmp_path_factory.mktemp("home")
    context = Context.open(
        Settings(home=home, open_access=True, max_body=MOST, request_seconds=1.0, rate="100000/minute")
    )
    with running(extended(context, counter)) as url, httpx.Client(base_url=url, timeout=20) as client:
        yield client
    context.close()


def test_a_sane_request_id_is_taken_and_others_replaced(client):
    assert client.get("/health/live", headers={"X-Request-ID": "order-7.b"}).headers["x-request-id"] == "order-7.b"
    made = client.get("/health/live", headers={"X-Request-ID": "a b" * 40}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", made)


def test_every_answer_tells_browsers_to_be_careful(client):
    for path in ("/health/live", "/nowhere"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert "strict-transport-security" not in headers


def test_an_unexpected_error_is_a_problem_that_tells_nothing_of_the_inside(client, caplog):
    answer = client.post("/broken")
    assert answer.status_code == 500
    assert "the inside" not in answer.text
    assert answer.json()["request_id"] in caplog.text


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress, lambda data: gzip.compress(data) + gzip.compress(b"")])
def test_packed_bodies_are_unpacked(client, pack):
    encoding = "zstd" if pack is zstd.compress else "gzip"
    answer = client.post("/echo", content=pack(b"a" * MOST), headers={"Content-Encoding": encoding})
    assert answer.json() == {"length": MOST}


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_bomb_is_refused_at_the_limit(client, pack):
    encoding = "zstd" if pack is zstd.compress else "gzip"
    bomb = pack(b"\0" * 100_000_000)
    answer = client.post("/echo", content=bomb[:MOST], headers={"Content-Encoding": encoding})
    assert answer.status_code == 413


def test_a_window_that_would_fill_memory_is_refused():
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    large = packer.compress(b"ab", mode=zstd.ZstdCompressor.FLUSH_BLOCK)
    with pytest.raises(ValueError, match="memory"):
        list(Zstandard().pieces(large))


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (b"no gzip", "gzip", 400),
        (b"no zstd", "zstd", 400),
        (gzip.compress(b"cut" * 100)[:-5], "gzip", 400),
        (b"", "gzip", 400),
        (b"x", "br", 415),
        (b"x", "gzip, gzip", 415),
        (b"x" * (MOST + 1), "identity", 413),
    ],
)
def test_bodies_that_are_not_what_they_say(client, content, encoding, status):
    answer = client.post("/echo", content=content, headers={"Content-Encoding": encoding})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_without_a_declared_length_is_counted(client):
    assert client.post("/echo", content=(b"x" * 1000 for _ in range(10))).json() == {"length": 10_000}
    assert client.post("/echo", content=(b"x" * 1000 for _ in range(MOST // 1000 + 1))).status_code == 413


@settings(max_examples=60, deadline=None)
@given(
    data=st.binary(max_size=3000),
    cuts=st.lists(st.integers(0, 3000), max_size=6),
    kind=st.sampled_from(["gzip", "zstd"]),
)
def test_unpacking_does_not_depend_on_the_parts_it_comes_in(data, cuts, kind):
    packed = gzip.compress(data) if kind == "gzip" else zstd.compress(data)
    ends = sorted({min(cut, len(packed)) for cut in cuts} | {0, len(packed)})
    unpacker = Gzip() if kind == "gzip" else Zstandard()
    parts = [packed[a:b] for a, b in itertools.pairwise(ends)]
    assert b"".join(piece for part in parts for piece in unpacker.pieces(part)) == data
    assert unpacker.whole


def test_a_slow_body_is_given_up(client):
    with socket.create_connection((client.base_url.host, client.base_url.port), timeout=10) as slow:
        slow.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        assert slow.recv(100).startswith(b"HTTP/1.1 408 ")


def test_a_slow_answer_is_given_up_and_others_are_answered(client, counter):
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.post, "/held")
        assert client.get("/health/live").status_code == 200
        answer = waiting.result()
    counter.go.set()
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "10"
    counter.go.clear()


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "gzip;q=0.3, zstd"])
@pytest.mark.parametrize("path", ["/long", "/parts/7"])
def test_answers_are_packed_for_those_who_take_it(client, encoding, path):
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    packed = client.get(path, headers={"Accept-Encoding": encoding})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == ("zstd" if "zstd" in encoding else "gzip")
    unpack = zstd.decompress if "zstd" in encoding else bytes  # httpx unpacks gzip itself
    assert unpack(packed.content) == plain.content
    assert packed.num_bytes_downloaded < plain.num_bytes_downloaded / 10


def test_small_answers_go_as_they_are(client):
    assert "content-encoding" not in client.get("/health/live", headers={"Accept-Encoding": "gzip"}).headers


def test_answers_are_counted_by_the_template_of_their_route(client):
    client.get("/parts/1")
    client.get("/nowhere/at/all")
    counted = generate_latest(METRICS).decode()
    assert 'anomaly_detection_requests_total{method="GET",route="/parts/{n}",status="200"}' in counted
    assert 'route="/nowhere' not in counted
    assert 'anomaly_detection_request_seconds_count{route="/parts/{n}"}' in counted


def test_a_write_with_an_idempotency_key_is_done_once(client, counter):
    before = counter.calls
    first = client.post("/count", json={"a": 1}, headers={"Idempotency-Key": "one"})
    again = client.post("/count", json={"a": 1}, headers={"Idempotency-Key": "one"})
    assert counter.calls == before + 1
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")


def test_another_request_with_the_same_idempotency_key_is_refused(client):
    client.post("/count", json={"a": 1}, headers={"Idempotency-Key": "two"})
    assert client.post("/count", json={"a": 2}, headers={"Idempotency-Key": "two"}).status_code == 422
    assert client.post("/count", json={"a": 2}, headers={"Idempotency-Key": "x" * 201}).status_code == 422


def test_a_refusal_is_kept_and_a_failure_is_not(client, counter):
    for _ in range(2):
        assert client.post("/count", content=b"[", headers={"Idempotency-Key": "bad"}).status_code == 422
    before = counter.calls
    for _ in range(2):
        assert client.post("/broken", headers={"Idempotency-Key": "broken"}).status_code == 500
    assert counter.calls == before + 2


def test_the_same_write_twice_at_once_is_done_once(client, counter):
    counter.go.clear()
    before = counter.calls
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.post, "/held", headers={"Idempotency-Key": "held"})
        until(lambda: counter.calls == before + 1, "the first is under way")
        assert client.post("/held", headers={"Idempotency-Key": "held"}).status_code == 409
        counter.go.set()
        assert first.result().json() == {"calls": before + 1}
    assert client.post("/held", headers={"Idempotency-Key": "held"}).json() == {"calls": before + 1}


def test_who_asks_too_often_has_to_wait(tmp_path, counter):
    context = Context.open(Settings(home=tmp_path, rate="3/hour"))
    with running(extended(context, counter)) as url, httpx.Client(base_url=url) as client:
        answers = [client.get("/nowhere") for _ in range(4)]
        probe = client.get("/health/live")
    context.close()
    assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
    assert probe.status_code == 200


def test_paths_and_methods_that_nobody_answers_are_problems_too(tmp_path):
    with service(tmp_path) as whole:
        missing = whole.client.get("/api/v1/nothing")
        wrong = whole.client.patch("/api/v1/models/orders/aliases/production")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert wrong.headers["allow"] == "DELETE, PUT"
    assert missing.headers["content-type"] == wrong.headers["content-type"] == "application/problem+json"
