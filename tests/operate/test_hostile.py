"""Callers that mean no good, against a service in a process of its own; another caller notices nothing."""

from __future__ import annotations

import gzip
import socket
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from running_service import running, until

HEADS = 2.0
"""Seconds that a head may take here."""

CROWD = 150
"""Connections that there may be here."""

USUALLY, ALWAYS = 0.25, 3.0
"""Seconds that an answer to a caller who does nothing wrong may take, on a machine that tests keep busy."""


@pytest.fixture(scope="module")
def service(home, tmp_path_factory):
    """A service with small limits."""
    limits = {
        "HEADER_SECONDS": HEADS,
        "REQUEST_SECONDS": 8,
        "MAX_CONNECTIONS": CROWD,
        "MAX_BODY": 100_000,
        "METRICS_OPEN": "true",
    }
    env = {f"ANOMALY_DETECTION_{name}": str(value) for name, value in limits.items()}
    with running(tmp_path_factory.mktemp("hostile"), home=home, env=env) as found:
        until(lambda: found.client.get("/stats/none").status_code != 503)  # the model of logs is there
        yield found


@pytest.fixture(autouse=True)
def _others_are_unaffected(service):
    """Ask for something harmless all the time, as another caller would, on new and on kept connections."""
    took, ended, failed = [], threading.Event(), []

    def ask():
        with httpx.Client(base_url=service.url, timeout=10) as kept:

            def get_kept(path):
                with suppress(httpx.TransportError):  # it was idle, and ended for a crowd
                    return kept.get(path)
                return kept.get(path)

            while not ended.is_set() or len(took) < 4:
                for get in (get_kept, lambda path: httpx.get(service.url + path, timeout=10)):
                    began = time.perf_counter()
                    answer = get("/health/live")
                    took.append(time.perf_counter() - began)
                    if answer.status_code != 200:
                        failed.append(answer.status_code)
                ended.wait(0.02)

    with ThreadPoolExecutor(1) as other:
        asking = other.submit(ask)
        yield
        ended.set()
        asking.result()
    assert not failed
    assert statistics.median(took) < USUALLY
    assert max(took) < ALWAYS
    assert service.client.get("/health/ready").status_code == 200


def connected(service):
    """A connection of bytes."""
    return socket.create_connection(service.address, timeout=20)


def sent(line, data):
    """Send, as far as the other side takes it."""
    with suppress(OSError):
        line.sendall(data)


def said(line):
    """Everything that comes until the service ends the connection."""
    found = b""
    with suppress(ConnectionResetError):
        while piece := line.recv(65536):
            found += piece
    return found


def answered(service, path):
    """The answer to our own client, whose idle connection may be one of those that were ended."""

    def ask():
        with suppress(httpx.TransportError):
            return service.client.get(path)

    return until(ask)


def ended(service, reason):
    """How many connections the service has ended for a reason."""
    wanted = f'anomaly_detection_connections_ended_total{{reason="{reason}"}} '
    lines = [line for line in answered(service, "/metrics").text.splitlines() if line.startswith(wanted)]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0


def test_heads_that_drip_in_are_cut_off(service):
    with connected(service) as line:
        began = time.monotonic()
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        with ThreadPoolExecutor(1) as drip:
            answer = drip.submit(said, line)
            while not answer.done():
                try:
                    line.sendall(b"X: 1\r\n")
                except OSError:
                    break
                assert time.monotonic() < began + HEADS + 5
                time.sleep(0.05)
            assert answer.result().startswith(b"HTTP/1.1 408 ")
        assert time.monotonic() - began >= HEADS * 0.9


@pytest.mark.parametrize("first", [b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\nGET"])
def test_connections_that_say_nothing_more_are_ended(service, first):
    with connected(service) as line:
        line.sendall(first)
        assert said(line).rpartition(b"HTTP/1.1 ")[2].startswith(b"408 ")


def test_a_crowd_of_slow_connections_ends_its_own(service):
    before = ended(service, "crowd")
    crowd = [connected(service) for _ in range(2 * CROWD)]
    try:
        for one in crowd:
            sent(one, b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        until(lambda: ended(service, "crowd") >= before + CROWD - 10)
        assert answered(service, "/health/live").status_code == 200
    finally:
        for one in crowd:
            one.close()


def test_answers_that_nobody_reads_are_cut_off(service):
    before = ended(service, "unread")
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(service.address)
        line.settimeout(0.5)
        sent(line, f"GET /openapi.json HTTP/1.1\r\nHost: {service.url[7:]}\r\n\r\n".encode() * 1000)
        until(lambda: ended(service, "unread") > before)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: aaaa\r\n" % number for number in range(20_000)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000,
    ],
)
def test_huge_heads(service, head):
    with connected(service) as line:
        sent(line, head)
        assert said(line)[:13] in {b"HTTP/1.1 431 ", b""}  # a reset may overtake the answer
    assert ended(service, "head too large") >= 1


JUNK = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\r\n" * 1000 + b"x",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/0.9\r\n\r\n",
    b"GET /health/live HTTP/1.0\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
]


def test_what_is_no_http(service):
    for junk in JUNK:
        with connected(service) as line:
            line.sendall(junk)
            line.shutdown(socket.SHUT_WR)
            answer = said(line)
        status = int(answer[9:12]) if answer else 400
        assert status == 200 or 400 <= status < 500, (junk, answer)
        assert b"Traceback" not in answer
    assert "Traceback" not in service.said()


TRICKS = [
    "/static/../../../../etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/%252e%252e/%252e%252e/etc/passwd",
    "/static/..\\..\\..\\etc\\passwd",
    "/static//etc/passwd",
    "//etc/passwd",
    "/static/%00/etc/passwd",
    "/static/%E2%80%AE/..%c0%af..%c0%afetc/passwd",
    "/api/v1/models/..%2f..%2fetc%2fpasswd",
    "/api/v1/models/%2e%2e",
    "/api/v1/jobs/..%2f..",
    "/file:///etc/passwd",
]


def test_paths_that_point_elsewhere(service):
    for path in TRICKS:
        with connected(service) as line:
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: {service.url[7:]}\r\nConnection: close\r\n\r\n".encode())
            answer = said(line)
        assert 400 <= int(answer[9:12]) < 500, (path, answer)
        assert b"root:" not in answer


def bodies(number):
    """Bad bodies of every kind, each one different."""
    kinds = [
        b'{"data": [[%d, "\\ud800"], null]}',
        b'{"data": [[1e999, %d]]}',
        b"[" * 2000 + b"%d",
        b'{"data": %d',
        b"\xff\xfe\x00%d",
        b'{"data": [[]], "algorithm": "../../etc/passwd", "n": %d}',
        b'{"level": %d, "message": [], "service": {}}',
        b"%d",
        b'{"latency_ms": "NaN", "n": %d}',
        b"\x80\x04\x95pickle%d",
    ]
    return [kinds[one % len(kinds)] % one for one in range(number)]


POSTS = ["/api/v1/detection/run", "/detect", "/score", "/predict", "/api/v1/detect/volume", "/api/v1/jobs", "/train"]


def test_ten_thousand_bad_bodies(service):
    """Sent on one connection after the other, so that the time goes into answering them."""
    wanted = set()
    all_bodies = bodies(10_000)
    for begin in range(0, len(all_bodies), 500):
        pieces = []
        for number, body in enumerate(all_bodies[begin : begin + 500]):
            head = f"POST {POSTS[number % len(POSTS)]} HTTP/1.1\r\nHost: {service.url[7:]}\r\n"
            kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            pieces.append((head + kind).encode() + body)
        pieces.append(f"GET /health/live HTTP/1.1\r\nHost: {service.url[7:]}\r\nConnection: close\r\n\r\n".encode())
        with connected(service) as line:
            sender = threading.Thread(target=sent, args=(line, b"".join(pieces)))
            sender.start()
            answer = said(line)
            sender.join()
        wanted |= {int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]}
        assert b"Traceback" not in answer
    assert 200 in wanted  # the harmless one at the end of each
    assert all(status < 500 for status in wanted), wanted
    assert "Traceback" not in service.said()


def test_bodies_that_drip_in_are_refused(service):
    with connected(service) as line:
        head = f"POST /api/v1/detection/run HTTP/1.1\r\nHost: {service.url[7:]}\r\n"
        line.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n".encode())
        assert said(line)[9:12] in {b"408", b"404"}


def test_bodies_that_are_too_large(service):
    with connected(service) as line:
        head = f"POST /api/v1/detection/run HTTP/1.1\r\nHost: {service.url[7:]}\r\n"
        line.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {10**12}\r\n\r\n".encode())
        assert line.recv(4096)[9:12] in {b"413", b"404"}


def test_bombs_are_refused(service):
    bomb = gzip.compress(b"[" + b"0," * 20_000_000, 9)
    assert len(bomb) < 100_000
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = service.client.post("/api/v1/detection/run", content=bomb, headers=headers)
    assert answer.status_code in {413, 404}
