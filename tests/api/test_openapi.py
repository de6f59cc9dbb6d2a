"""The OpenAPI document is complete, and the service does what it says, whatever is sent."""

from __future__ import annotations

import os
import subprocess
import sys

import polars as pl
import pytest

from anomaly_detection.api.openapi import REFUSALS
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.registry.local import LocalRegistry
from service_support import service

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
"""Per route; ``make fuzz`` sets 2,000."""

PHASES = os.environ.get("FUZZ_PHASES", "examples,fuzzing")

SEED = os.environ.get("FUZZ_SEED", "1")

ONLY = os.environ.get("FUZZ_ONLY", "")
"""A part of a path, to fuzz some routes alone."""


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with service(tmp_path_factory.mktemp("home"), open_access=False, rate="", max_rows=2000) as running:
        registry = LocalRegistry(running.context.settings.registry_folder)
        frame = pl.DataFrame([{"amount": 10.0 + i % 7, "days": float(i % 5)} for i in range(100)])
        registry.register("orders", Pipeline("mad").fit(frame), aliases=["production"])
        running.client.headers.update(running.key("admin"))
        assert running.context.models.prepared.wait(120)
        yield running


@pytest.fixture(scope="module")
def document(running):
    return running.client.get("/openapi.json").json()


def operations(document):
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_says_what_it_may_answer_instead(document):
    for name, operation in operations(document):
        if "/health" in name or "/metrics" in name:
            continue
        missing = {str(status) for status in REFUSALS} - set(operation["responses"])
        assert not missing, f"{name} does not document {missing}"
        assert operation["security"], name


def test_every_route_has_a_tag_a_sentence_and_an_answer(document):
    described = {tag["name"] for tag in document["tags"]}
    for name, operation in operations(document):
        assert set(operation["tags"]) <= described, name
        assert operation["description"].endswith("."), name
        assert any(status.startswith("2") for status in operation["responses"]), name


def test_every_json_body_has_an_example(document):
    schemas = document["components"]["schemas"]
    for name, operation in operations(document):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is None:
            continue
        schema = body["schema"]
        named = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
        assert body.get("examples") or named.get("examples"), f"{name} shows no example of its body"


CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404", "409", "413", "422", "501"]

[checks.missing_required_header]
expected-statuses = ["400", "401", "403", "415", "422"]
"""
"""What a schema cannot say is refused, too: rows of unequal length, unknown algorithms, models that are not there."""


def fuzzed(running, folder, *more):
    """What schemathesis says of the service, and whether it found nothing."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    program = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    key = running.client.headers["Authorization"]
    asked = ["--checks", "all", "--max-examples", str(EXAMPLES), "--phases", PHASES, "--seed", SEED, "--no-color"]
    asked += ["--continue-on-failure", "--suppress-health-check", "all", "--no-shrink", "--request-timeout", "60"]
    command = [*program, "run", f"{running.url}/openapi.json", "-H", f"Authorization: {key}", *asked, *more]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.needs_extra("schemathesis")
@pytest.mark.timeout(0 if EXAMPLES > 20 else 300)
def test_the_service_does_what_its_document_says(running, tmp_path):
    only = ["--include-path-regex", ONLY] if ONLY else []
    holds, said = fuzzed(running, tmp_path, *only, "--exclude-path-regex", "events$")  # streams do not end
    assert holds, said


@pytest.mark.needs_extra("schemathesis")
@pytest.mark.timeout(0 if EXAMPLES > 20 else 300)
def test_streams_of_events_do_what_the_document_says(running, tmp_path):
    running.context.events.end()  # as when the service stops: they begin, and end
    holds, said = fuzzed(running, tmp_path, "--include-path-regex", "events$")
    assert holds, said
