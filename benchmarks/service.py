"""The service under load: CPU of the server a request, latency beside training, streams, start and memory.

python benchmarks/service.py [--seconds 60] [--python .venv-core/bin/python] [--json FILE]

The server, its peer (``_service_peer.py``: FastAPI, pydantic, scikit-learn) and the load are processes of their own.
``--python`` is the interpreter of the server: one with the core alone is what users have, without the tools of
development, some of which load themselves into every program.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _timing import Report, duration, options

# isort: split

import psutil
from websockets.asyncio.client import connect

from _load import Answers, closed, post, steady
from anomaly_detection import LogDetector
from anomaly_detection.registry import LocalRegistry
from anomaly_detection.sources.logs.generated import generate_logs, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
CONNECTIONS, BATCH = 16, 1_000
STREAMED, STREAM_BATCH, SLOW_MESSAGES = 10_000, 100, 1_000
TRAINING = """
import numpy as np
from anomaly_detection import AnomalyDetector
rows = np.random.default_rng(0).normal(size=(50_000, 20))
while True:
    AnomalyDetector("isolation_forest").fit(rows)
"""


def main() -> int:
    """Measure everything."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the steady loads last")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the server")
    given = parser.parse_args()
    report = Report("The service under load")
    with tempfile.TemporaryDirectory() as home:
        traffic = Traffic()
        with ours(Path(home), given.python) as (port, *_):
            learn(port, Path(home), traffic)
        with ours(Path(home), given.python) as (port, server, ready):
            add_start(report, server, ready)
            with peer() as (peer_port, peer_server):
                add_requests(report, Path(home), traffic, (port, server), (peer_port, peer_server))
            add_steady(report, port, traffic, given.seconds)
            asyncio.run(add_stream(report, port, server, traffic, given.seconds))
    report.below = f"Load average of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    return report.publish(given.json)


def learn(port: int, home: Path, traffic: Traffic) -> None:
    """Make a service ready as one that is used: kernels are compiled, and it has learned from its first entries."""
    many = [post("/detect", b"[" + b",".join(traffic.take(BATCH)) + b"]") for _ in range(2)]
    check_answered(asyncio.run(closed(port, many, 1)))
    wait_for(lambda: len(LocalRegistry(home / "registry").versions("logs")) > 1)


def add_start(report: Report, server: psutil.Process, ready: float) -> None:
    """From the command to the first ready answer, and memory once nothing happens any more."""
    report.add("start to ready", duration(ready), "<= 3 s", holds=ready <= 3)
    time.sleep(5)
    resident = server.memory_info().rss / 2**20
    report.add("idle memory", f"{resident:.0f} MiB", "<= 200 MB", holds=resident * 1.048576 <= 200)


def add_requests(
    report: Report, home: Path, traffic: Traffic, ours: tuple[int, psutil.Process], peer: tuple[int, psutil.Process]
) -> None:
    """Server CPU of single entries and of many at once, against the peer; the first answers are those of Python."""
    lines = traffic.take(500)
    records = [json.loads(line) for line in lines]
    expected = LogDetector.from_registry("logs", home / "registry").detect(records).anomaly_score.tolist()
    answers = asyncio.run(closed(ours[0], [post("/detect", line) for line in lines], 1))
    check_answered(answers)
    same = [json.loads(answers.bodies[i])["anomaly_score"] for i in range(500)] == expected
    check = "500 verdicts as in Python, bit for bit" if same else "verdicts DIFFER from those in Python"

    def single(count: int) -> list[bytes]:
        return [post("/detect", line) for line in traffic.take(count)]

    def many(path: str, count: int) -> list[bytes]:
        return [post(path, b"[" + b",".join(traffic.take(BATCH)) + b"]") for _ in range(count)]

    for what, connections, mine, theirs, bar in (
        ("one entry", CONNECTIONS, lambda: single(4_000), lambda: single(400), 30.0),
        ("1,000 entries", 1, lambda: many("/detect", 60), lambda: many("/detect-many", 30), 2.5),
    ):
        cpu = {
            "ours": cpu_of(*ours, mine, connections),
            "FastAPI + scikit-learn": cpu_of(*peer, theirs, connections),
        }
        report.ratio(
            f"server CPU, POST /detect, {what}", cpu, "ours", "FastAPI + scikit-learn", at_least=bar, check=check
        )
        if what != "one entry":
            rate = BATCH / cpu["ours"]
            report.add("entries a second of one worker", f"{rate:,.0f}", ">= 50,000", holds=rate >= 50_000, check=check)


def cpu_of(port: int, server: psutil.Process, made: Callable[[], list[bytes]], connections: int) -> float:
    """CPU seconds of the server a request, the best of three rounds, warm."""
    asyncio.run(closed(port, made(), connections))
    found = []
    for _ in range(3):
        requests = made()
        before = server.cpu_times()
        answers = asyncio.run(closed(port, requests, connections))
        after = server.cpu_times()
        check_answered(answers)
        found.append((after.user + after.system - before.user - before.system) / len(requests))
    return min(found)


def check_answered(answers: Answers) -> None:
    """Stop where a request was refused: its CPU says nothing."""
    if answers.errors:
        refused = next(body for body in answers.bodies.values() if b'"status"' in body)
        raise SystemExit(f"{answers.errors} of {len(answers.bodies)} requests failed: {refused!r}")


def add_steady(report: Report, port: int, traffic: Traffic, seconds: float) -> None:
    """Latency of ``POST /score`` while a model is trained in another process."""
    requests = [post("/score", line) for line in traffic.take(int(500 * seconds))]
    training = subprocess.Popen([sys.executable, "-c", TRAINING])
    try:
        answers = asyncio.run(steady(port, requests, 500, seconds))
    finally:
        training.kill()
        training.wait()
    report.add(
        f"POST /score, 500 a second for {seconds:g} s beside training",
        f"p50 {duration(answers.percentile(0.5))}, p99 {duration(answers.percentile(0.99))}, {answers.errors} errors",
        "p99 <= 50 ms, no error",
        holds=answers.percentile(0.99) <= 0.05 and not answers.errors,
        check=f"{len(answers.seconds):,} answers",
    )


async def add_stream(report: Report, port: int, server: psutil.Process, traffic: Traffic, seconds: float) -> None:
    """10,000 records a second over a WebSocket, then a reader that stops for a while."""
    texts = traffic.messages(int(seconds * STREAMED / STREAM_BATCH) + SLOW_MESSAGES)
    url = f"ws://127.0.0.1:{port}/api/v1/stream/logs"
    before, began = server.memory_info().rss, server.cpu_times()
    async with connect(url, compression=None, max_queue=4) as talking:
        await talking.recv()
        messages = len(texts) - SLOW_MESSAGES
        reading = asyncio.create_task(_numbers(talking, messages * STREAM_BATCH))
        start = time.perf_counter()
        for k in range(messages):
            await asyncio.sleep(max(0.0, start + k * STREAM_BATCH / STREAMED - time.perf_counter()))
            await talking.send(texts[k])
        numbers = await reading
        took = time.perf_counter() - start
    after = server.cpu_times()
    peak = max(before, server.memory_info().rss)
    rate, ordered = len(numbers) / took, numbers == list(range(1, len(numbers) + 1))
    each = (after.user + after.system - began.user - began.system) / len(numbers)
    report.add(
        f"WebSocket, {STREAMED:,} records a second for {seconds:g} s",
        f"{rate:,.0f} a second, {duration(each)} of CPU a record",
        f">= {0.98 * STREAMED:,.0f} a second",
        holds=rate >= 0.98 * STREAMED,
        check="all verdicts, in order" if ordered else "verdicts LOST or out of order",
    )
    await _slow_reader(report, url, texts[-SLOW_MESSAGES:], server, peak)


async def _slow_reader(report: Report, url: str, texts: list[str], server: psutil.Process, before: int) -> None:
    messages = len(texts)
    async with connect(url, compression=None, max_queue=1, ping_interval=None) as talking:
        await talking.recv()
        sending = asyncio.create_task(_send(talking, texts))
        peak = before
        for _ in range(20):
            await asyncio.wait({sending}, timeout=0.5)
            peak = max(peak, server.memory_info().rss)
        stood_still = not sending.done()
        numbers = await _numbers(talking, messages * STREAM_BATCH)
        await sending
    whole = numbers == list(range(1, messages * STREAM_BATCH + 1))
    grown = (peak - before) / 2**20
    report.add(
        "WebSocket, a reader that stops for 10 s while 100,000 records are sent",
        f"{grown:.0f} MiB more memory",
        "<= 50 MiB",
        holds=grown <= 50 and whole and stood_still,
        check="the service stopped reading; all verdicts, in order" if whole and stood_still else "FAILS",
    )


async def _send(talking: Any, texts: list[str]) -> None:
    for text in texts:
        await talking.send(text)


async def _numbers(talking: Any, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        found += [one["seq"] for one in json.loads(await talking.recv())["verdicts"]]
    return found


class Traffic:
    """A log that goes on: no line comes twice, and time goes forward, as for a service that is used."""

    COLUMNS = ("time", "level", "service", "message", "response_time", "status_code")
    ROWS, DAYS = 60_000, 15

    def __init__(self) -> None:
        self._lines = self._all()

    def take(self, count: int) -> list[bytes]:
        """The next lines, as JSON."""
        return list(islice(self._lines, count))

    def messages(self, count: int) -> list[str]:
        """The next messages for a WebSocket."""
        return [(b"[" + b",".join(self.take(STREAM_BATCH)) + b"]").decode() for _ in range(count)]

    def _all(self) -> Iterator[bytes]:
        for part in count():
            start = datetime(2024, 5, 6, tzinfo=UTC) + timedelta(days=part * self.DAYS)
            frame = generate_logs(
                self.ROWS, hours=24.0 * self.DAYS, anomaly_share=0.002, quiet_share=0.0, start=start, seed=part + 2
            )
            yield from (line.encode() for line in lines_of(frame.select(self.COLUMNS)))


@contextlib.contextmanager
def ours(home: Path, python: str) -> Iterator[tuple[int, psutil.Process, float]]:
    """The service with its default settings, and how long it took to be ready."""
    port = free_port()
    command = [python, "-m", "anomaly_detection", "serve", "--open", "--port", str(port), "--workers", "0"]
    environment = {
        **os.environ,
        "ANOMALY_DETECTION_HOME": str(home),
        "ANOMALY_DETECTION_RATE": "100000000/minute",
    }
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: asked(port, "/health/ready"))
            ready = time.perf_counter() - began
            wait_for(lambda: asked(port, "/stats/gateway"))
            yield port, psutil.Process(process.pid), ready
        finally:
            process.terminate()


@contextlib.contextmanager
def peer() -> Iterator[tuple[int, psutil.Process]]:
    """The peer."""
    port = free_port()
    with subprocess.Popen([sys.executable, str(HERE / "_service_peer.py"), str(port)]) as process:
        try:
            wait_for(lambda: asked(port, "/health/ready"))
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asked(port: int, path: str) -> bool:
    """Whether a path answers 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], seconds: float = 180.0) -> None:
    """Wait until something is so."""
    deadline = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > deadline:
            raise SystemExit("the service did not come up")
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
