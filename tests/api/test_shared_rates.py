"""Rates that several processes count together in Redis, and what happens without it."""

from __future__ import annotations

import shutil
import socket
import subprocess

import pytest

from service_support import service, until

SERVER = shutil.which("redis-server")

pytestmark = [
    pytest.mark.needs_extra("redis"),
    pytest.mark.skipif(SERVER is None, reason="redis-server is not installed"),
]


@pytest.fixture
def redis(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(answers, "Redis answers")
    yield process, f"redis://127.0.0.1:{port}"
    process.kill()
    process.wait()


def test_two_services_count_together_and_each_for_itself_without_redis(tmp_path, redis):
    process, url = redis
    given = {"rate": "3/hour", "rate_store": url}
    with service(tmp_path / "a", **given) as a, service(tmp_path / "b", **given) as b:
        codes = [each.client.get("/api/v1/nothing").status_code for each in (a, b, a, b)]
        assert codes == [404, 404, 404, 429]
        process.kill()
        process.wait()
        assert b.client.get("/api/v1/nothing").status_code == 404
