"""What the service logs: one way, no secrets, the request's id."""

from __future__ import annotations

import asyncio
import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.monitoring.log_lines import start_log
from anomaly_detection.monitoring.requests import Requests
from anomaly_detection.monitoring.secrets import HIDDEN, cleaned, without_secrets


@pytest.fixture
def log():
    """What is logged."""
    return io.StringIO()


def test_json_is_an_object_a_line_also_from_libraries_and_errors(log):
    start_log("json", log)
    structlog.get_logger("a").info("trained", rows=3, model="orders")
    logging.getLogger("other").warning("odd %s", "thing")
    try:
        int("no\nnumber")
    except ValueError:
        structlog.get_logger("a").exception("failed")
    first, second, third = (json.loads(line) for line in log.getvalue().splitlines())
    assert (first["event"], first["rows"], first["level"]) == ("trained", 3, "info")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("odd thing", "warning")
    assert "ValueError: invalid" in third["exception"]


def test_lines_are_for_people_and_values_cannot_make_lines_of_their_own(log):
    start_log("lines", log)
    structlog.get_logger("a").info("request", path="/x\n2026 error forged")
    (line,) = log.getvalue().splitlines()
    assert "info     request  path='/x\\n2026 error forged'" in line


def test_values_of_locals_are_in_no_traceback(log):
    start_log("json", log)

    def fails():
        password = "hunter2"  # noqa: F841
        raise KeyError("x")

    try:
        fails()
    except KeyError:
        structlog.get_logger("a").exception("failed")
    assert "fails" in log.getvalue()
    assert log.getvalue().count("hunter2") <= 1  # the line of code itself


SECRETS = [
    {"password": "hunter2"},
    {"api_key": "hunter2"},
    {"headers": {"Authorization": "Bearer hunter2"}},
    {"headers": [{"Cookie": "hunter2"}]},
    {"url": f"postgresql://ann:{'hunter2'}@db/x"},
    {"event": "asked with Authorization: Bearer hunter2hunter2"},
    {"event": "cannot open redis://:hunter2@cache"},
    {"event": "bad key ad_hunter2hunter2hunter2"},
    {"event": "connect(password=hunter2)"},
    {"detail": "{'token': 'hunter2'}"},
    {"exception": "Traceback\n psycopg.OperationalError: postgresql://ann:" + "hunter2@db/x"},
]


@pytest.mark.parametrize("event", SECRETS)
@pytest.mark.parametrize("how", ["lines", "json"])
def test_no_secret_is_logged(log, how, event):
    start_log(how, log)
    structlog.get_logger("a").info(**{"event": "asked", **event})
    assert HIDDEN in log.getvalue()
    assert "hunter2" not in log.getvalue()


@given(
    st.dictionaries(st.sampled_from(["path", "model", "rows", "key"]), st.integers() | st.text("abc /-_", max_size=20))
)
def test_what_is_no_secret_stays(event):
    assert without_secrets(None, "info", dict(event)) == event
    assert cleaned(event) == event


async def _asked(app, path="/x", method="GET"):
    scope = {"type": "http", "method": method, "path": path, "headers": [], "client": ("10.0.0.1", 5)}

    async def receive():
        return {"type": "http.request"}

    async def send(_):
        pass

    await app(scope, receive, send)


def _app(status, inside=None):
    async def app(scope, _, send):
        scope["request_id"] = "abc123"
        if inside:
            inside()
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return Requests(app)


def lines_of(log, *asked):
    """The lines of some requests."""

    async def ask():
        for one in asked:
            await one()

    start_log("json", log)
    asyncio.run(ask())
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_request_has_one_line_and_its_id_is_on_all_that_is_said_meanwhile(log):
    inside = lambda: structlog.get_logger("a").info("working")  # noqa: E731
    working, request = lines_of(log, lambda: _asked(_app(201, inside), "/models", "POST"))
    assert working["request_id"] == request["request_id"] == "abc123"
    wanted = {"event": "request", "method": "POST", "path": "/models", "status": 201, "client": "10.0.0.1"}
    assert request.items() >= wanted.items()
    assert request["milliseconds"] >= 0


def test_what_machines_ask_all_the_time_is_said_only_when_wrong(log):
    lines = lines_of(log, lambda: _asked(_app(200), "/health/ready"), lambda: _asked(_app(503), "/health/ready"))
    assert [(line["status"], line["level"]) for line in lines] == [(503, "error")]


def test_a_request_without_an_answer_is_said(log):
    async def silent(scope, _, __):
        scope["request_id"] = "abc123"

    (line,) = lines_of(log, lambda: _asked(Requests(silent)))
    assert line["event"] == "request ended without an answer"
