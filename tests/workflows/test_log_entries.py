"""What is read the quick way is what the general way reads."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.logs import LogPipeline
from anomaly_detection.workflows.log_entries import EntryReader, is_several
from anomaly_detection.workflows.log_models import TrainedLog
from anomaly_detection.workflows.log_reading import LogReading
from anomaly_detection.workflows.starting_models import COLUMNS

WORDS = st.sampled_from(["", "web", "INFO", "warning", "fatal", "ünlaut", "nul\0", "\ud800", "x" * 20_000, "12"])
STAMPS = st.sampled_from(
    [
        "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123Z", "2026-01-31T12:00:00.123456Z", "2026-01-31 12:00:00",
        "2026-01-31T12:00:00.1234567Z", "2026-02-31T12:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:60Z",
        "20260131T120000.00Z", "2026-01-31T12:00:00+01:00", "2026-W05-6T12:00:00.0000Z", "never", "",
    ]
)  # fmt: skip
NUMBERS = st.one_of(st.integers(-(10**18), 10**18), st.floats(allow_nan=False, allow_infinity=False), WORDS)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": st.one_of(STAMPS, st.none(), st.integers(0, 2**40)),
        "level": st.one_of(WORDS, st.none(), st.integers(0, 60)),
        "service": st.one_of(WORDS, st.none()),
        "message": st.one_of(WORDS, st.none()),
        "response_time": st.one_of(NUMBERS, st.none()),
        "latency_ms": st.one_of(NUMBERS, st.none()),
        "status_code": st.one_of(NUMBERS, st.none()),
        "msg": WORDS,
        "log_id": st.one_of(WORDS, st.integers()),
    },
)


def reader(*, plain: bool) -> EntryReader:
    found = EntryReader(TrainedLog(LogPipeline(), LogReading(""), 0, COLUMNS))
    found._is_plain = plain
    return found


def told(quick: bool, body: bytes) -> Any:
    try:
        entry = reader(plain=quick).one(body)
    except InputError as error:
        return str(error)
    return {name: value for name, value in entry.line.items() if value not in (None, "")}, entry.id, entry.time


@given(ENTRIES)
def test_the_quick_way_is_the_general_way(entry: dict[str, Any]) -> None:
    body = json.dumps(entry).encode()
    assert told(True, body) == told(False, body)


@given(ENTRIES)
def test_a_dict_is_read_as_its_json(entry: dict[str, Any]) -> None:
    try:
        expected = reader(plain=False).of(entry)
    except InputError:
        with pytest.raises(InputError):
            reader(plain=True).of(entry)
        return
    found = reader(plain=True).of(entry)
    assert (found.id, found.time) == (expected.id, expected.time)
    assert all(found.line[name] == value for name, value in expected.line.items() if value not in (None, ""))


@given(st.lists(ENTRIES, max_size=5))
def test_several_are_as_each(entries: list[dict[str, Any]]) -> None:
    bodies = [json.dumps(entry).encode() for entry in entries]
    try:
        each = [reader(plain=False).one(body) for body in bodies]
    except InputError:
        with pytest.raises(InputError):
            reader(plain=True).several(b"[" + b",".join(bodies) + b"]")
        return
    several = reader(plain=True).several(b'{"logs": [' + b",".join(bodies) + b"]}")
    assert [one.id for one in several] == [one.id for one in each]
    assert [one.time for one in several] == [one.time for one in each]


def test_several_are_told_from_one() -> None:
    assert is_several(b' {\n "logs" : []}')
    assert not is_several(b'{"level": "logs"}')
