"""The requests that the documentation shows are answered as it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import polars as pl
import pytest

from anomaly_detection.pipeline import Pipeline
from anomaly_detection.registry.local import LocalRegistry
from service_support import service

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "use-the-rest-api.md"


def requests():
    blocks = re.findall(r"^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [
        each.strip()
        for block in blocks
        for each in re.split(r"^(?=curl )", block, flags=re.MULTILINE)
        if "curl" in each
    ]


def sent(client, words, folder):
    """What curl would do: method, headers and body as given."""
    method, headers, body, output, url = "GET", {}, None, None, ""
    given = iter(words[1:])
    for word in given:
        if word == "-X":
            method = next(given)
        elif word == "-H":
            name, value = next(given).split(": ", 1)
            headers[name] = value
        elif word in {"-d", "--data-binary"}:
            text = next(given)
            body = (folder / text[1:]).read_bytes() if text.startswith("@") else text.encode()
        elif word == "-o":
            output = folder / next(given)
        else:
            url = word
    answer = client.request(method, url, headers=headers, content=body)
    if output is not None:
        output.write_bytes(answer.content)
    return answer


def test_every_request_of_the_page_is_answered(tmp_path):
    with service(tmp_path, open_access=False) as running:
        registry = LocalRegistry(running.context.settings.registry_folder)
        frame = pl.DataFrame([{"amount": 10.0 + i % 7, "days": float(i % 5)} for i in range(100)])
        pipeline = Pipeline("mad").fit(frame)
        registry.register("orders", pipeline, aliases=["production"])
        registry.register("orders", pipeline)
        key = running.key("admin")["Authorization"].removeprefix("Bearer ")
        shown = requests()
        assert len(shown) == 12
        for request in shown:
            words = shlex.split(request.replace("$URL", running.url).replace("$KEY", key))
            answer = sent(running.client, words, tmp_path)
            if answer.status_code not in {200, 201}:
                pytest.fail(f"{request}\n{answer.status_code} {answer.text}")
