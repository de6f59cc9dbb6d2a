"""Results that somebody changed: a report or a refusal, never a crash."""

from __future__ import annotations

import copy
import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.errors import InputError
from anomaly_detection.reports.document import Document
from anomaly_detection.reports.pages import WRITERS
from anomaly_detection.reports.report import report_of
from reports.documents import HOSTILE, document, rows

SMALL = document(rows(24, anomalies=4))
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([*HOSTILE, "", "2026-01-01", "0001-01-01", "9999-12-31T23:59:59", "12:00"]),
    st.builds(list),
    st.builds(dict),
)


def places(value, path=()):
    """Every place in a document."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from places(inner, (*path, name))


PLACES = [path for path in places(SMALL) if path]


def changed(changes):
    """The document with other values in some places, as far as these still exist."""
    found = copy.deepcopy(SMALL)
    for path, value in changes:
        inner = found
        try:
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    return json.dumps(found).encode()


@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_a_changed_document_is_refused_or_reported_on(changes):
    try:
        report = report_of(msgspec.json.decode(changed(changes), type=Document))
    except (msgspec.ValidationError, InputError):
        return
    for write in WRITERS.values():
        assert "24" in write(report) or report.rows != 24
