"""Spans, in memory and at a collector."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module

import httpx
import pytest
from fastapi import FastAPI

from anomaly_detection.errors import MissingDependencyError
from anomaly_detection.jobs import Queue
from anomaly_detection.jobs.worker import Worker
from anomaly_detection.monitoring import traces
from anomaly_detection.monitoring.log_lines import start_log
from anomaly_detection.monitoring.requests import Requests
from anomaly_detection.monitoring.traces import Traces, carried, extracted
from anomaly_detection.store import Database, upgrade
from anomaly_detection.telemetry import span, tracing
from running_service import running, until

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def spans():
    """An exporter that keeps what was traced."""
    memory = import_module("opentelemetry.sdk.trace.export.in_memory_span_exporter")

    exporter = memory.InMemorySpanExporter()
    started = Traces(exporter=exporter)
    yield exporter
    started.close()
    assert not tracing()


def ask(path, headers=None):
    """Ask an application that is traced."""
    app = FastAPI()
    app.add_middleware(Requests)

    @app.get("/models/{name}")
    async def model(name):
        with span("load", {"model": name}):
            if name == "broken":
                raise RuntimeError("cannot")
        return {}

    async def asked():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(asked())


@pytest.mark.needs_extra("opentelemetry.sdk")
def test_a_request_is_a_span_of_its_route_below_the_callers(spans):
    assert ask("/models/orders", {"traceparent": PARENT}).status_code == 200
    load, request = spans.get_finished_spans()
    assert request.name == "GET /models/{name}"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["url.path"] == "/models/orders"
    assert f"{request.context.trace_id:x}" in PARENT
    assert f"{request.parent.span_id:x}" in PARENT
    assert (load.name, load.parent.span_id) == ("load", request.context.span_id)


@pytest.mark.needs_extra("opentelemetry.sdk")
def test_an_error_is_part_of_its_span(spans):
    assert ask("/models/broken").status_code == 500
    load = spans.get_finished_spans()[0]
    assert not load.status.is_ok
    assert load.events[0].attributes["exception.message"] == "cannot"


@pytest.mark.needs_extra("opentelemetry.sdk")
def test_work_of_another_process_goes_on_in_the_same_trace(spans):
    with span("asked"):
        left = carried()
    with span("job", {"kind": "train"}, context=extracted(left)):
        pass
    asked, job = spans.get_finished_spans()
    assert job.parent.span_id == asked.context.span_id


def test_without_a_tracer_nothing_happens():
    assert not tracing()
    with span("work") as made:
        assert made is None
    assert ask("/models/orders").status_code == 200


def test_the_extra_is_named_where_it_is_missing(monkeypatch):
    def missing(_):
        raise ModuleNotFoundError(name="opentelemetry")

    monkeypatch.setattr(traces, "import_module", missing)
    with pytest.raises(MissingDependencyError, match=r"anomaly-detection\[otel\]"):
        Traces("http://127.0.0.1:4318")


@pytest.mark.needs_extra("opentelemetry.sdk", "opentelemetry.exporter")
def test_a_collector_gets_the_spans_of_a_service(home, tmp_path):
    trace_service = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")

    came = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            came.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever).start()
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        with running(tmp_path, home=home, env={"ANOMALY_DETECTION_TRACE_ENDPOINT": endpoint}) as service:
            service.client.get("/health/live")
            assert service.stop() == 0
        until(lambda: came)
        collector.shutdown()
    path, body = came[0]
    assert path == "/v1/traces"
    (resource,) = trace_service.ExportTraceServiceRequest.FromString(body).resource_spans
    assert {one.key: one.value.string_value for one in resource.resource.attributes}[
        "service.name"
    ] == "anomaly-detection"
    assert "GET /health/live" in {one.name for scope in resource.scope_spans for one in scope.spans}


@pytest.mark.needs_extra("opentelemetry.sdk")
def test_a_job_is_a_span_and_a_line(spans, tmp_path, capsys):
    start_log("json")
    database = Database.in_folder(tmp_path)
    upgrade(database)
    queue = Queue(database)
    job = queue.put("unknown", {}, asked_by="ann", max_attempts=1)
    worker = Worker(queue, {})
    assert worker.run_one()
    worker.stop()
    database.close()
    (made,) = spans.get_finished_spans()
    assert (made.name, made.attributes["job.kind"], made.attributes["job.id"]) == ("job", "unknown", job.id)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["job"], line["state"]) for line in lines if line["event"] == "job"] == [(job.id, "failed")]
