"""Head and body of an answer leave together, and nothing is held that no body follows."""

from __future__ import annotations

import socket

import pytest

from anomaly_detection.server.writing import Joined
from running_service import running

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Written(list):
    """A transport that keeps what is written."""

    def write(self, data):
        self.append(data)

    def close(self):
        self.append(b"closed")


@pytest.mark.parametrize(
    ("parts", "calls"),
    [
        ([HEAD, b"body"], [HEAD + b"body"]),
        ([HEAD, b"bo", b"dy"], [HEAD + b"bo", b"dy"]),
        ([HEAD, b""], [HEAD]),
        ([CHUNKED, b"4\r\nbody\r\n"], [CHUNKED, b"4\r\nbody\r\n"]),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, b"body"], [b"HTTP/1.1 100 Continue\r\n\r\n", HEAD, b"body"]),
    ],
)
def test_a_head_waits_for_its_body_alone(parts, calls):
    written = Written()
    joined = Joined(written)
    for part in parts:
        joined.write(part)
    assert written == calls


def test_what_is_held_is_written_where_no_body_comes():
    written = Written()
    joined = Joined(written)
    joined.write(HEAD)
    assert written == []
    joined.flush()
    joined.close()
    assert written == [HEAD, b"closed"]


def test_requests_without_a_body_in_their_answer_are_answered(home, tmp_path):
    with running(tmp_path, home=home) as service:
        assert service.client.head("/health/live").status_code in {200, 405}
        head = f"OPTIONS /detect HTTP/1.1\r\nHost: localhost:{service.address[1]}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(service.address, timeout=30) as plain:
            plain.sendall(2 * head.encode())
            assert plain.makefile("rb").readline().startswith(b"HTTP/1.1 ")
