"""A report on a log: what it says, that whatever is in the log stays text, and what becomes of damaged results."""

from __future__ import annotations

import copy
import json
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly_detection.reports.document import Document
from anomaly_detection.reports.log_pages import LOG_WRITERS
from anomaly_detection.reports.log_report import log_report_of
from reports.documents import HOSTILE, decoded, hostile_log, log_document
from reports.test_damage import ODD, places
from reports.test_pages import ALLOWED, Page


def report_on(plain, most=50):
    document = decoded(plain)
    return log_report_of(document.summary.log, document, most)


@pytest.mark.parametrize("unit", ["line", "session"])
def test_it_has_the_counts_and_the_anomalies(unit):
    report = report_on(log_document(unit), most=3)
    assert report.title == ("Anomalies in app.log" if unit == "line" else "Anomalous sessions in app.log")
    windows = " and 2 windows stand" if unit == "line" else " stands"
    assert report.lead == (
        f"5 of 200 {unit}s (2.5 %) are anomalies: 3 critical and 2 high. 1 template{windows} out. 1 template is new "
        "since training."
    )
    assert (report.judged, report.anomaly_count, len(report.anomalies), report.left_out) == (200, 5, 3, 2)
    assert [(one.name, one.judged, one.anomalies) for one in report.services] == [
        ("shop", 100, 5),
        ("no service", 100, 0),
    ]
    assert dict(report.reading)["Could not be decoded"] == "3"


def test_charts_count_everything_once_and_sparks_what_there_is():
    report = report_on(log_document())
    assert sum(int(cells[1]) for cells in report.scores.cells) == 200
    assert [cells[1:3] for cells in report.time.cells] == [("50", "0"), ("50", "0"), ("50", "5"), ("50", "0")]
    assert report.services[0].chart.cells[2] == (report.time.cells[2][0], "25", "5")
    assert report.services[1].chart is None
    assert report.templates[0].cells == ((report.time.cells[2][0], "5"),)
    assert report.templates[0].spark.count("M") == 1


def test_without_times_lines_are_counted():
    report = report_on(log_document(timed=False))
    assert report.time.header[0] == "lines"
    assert "Order of the lines" in LOG_WRITERS["html"](report)


def test_nothing_found_is_said():
    plain = log_document()
    found = plain["summary"]["log"]
    found |= {"scores": {"normal": [200] + 49 * [0]}, "severities": {"normal": [50] * 4}}
    found |= {"anomalies": [], "templates": [], "windows": [], "odd_templates": 0, "odd_windows": 0, "services": []}
    report = report_on(plain)
    assert report.lead == "None of 200 lines is an anomaly."
    for write in LOG_WRITERS.values():
        assert "None of 200 lines is an anomaly." in write(report)


def test_a_page_has_the_tags_of_the_template_only_and_hostile_words_are_text():
    page = Page(LOG_WRITERS["html"](report_on(hostile_log())))
    assert set(page.tags) <= ALLOWED | {"h4"}
    assert page.open == []
    assert page.tags.count("script") == page.tags.count("style") == 1
    for tag, name, value in page.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "style", "srcset", "action")
        if name == "href":
            assert value.startswith("#") or (tag, value) == ("link", "data:,")
    text = " ".join("".join(page.text).split())
    for words in (HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[6], "\\x00\\x1b[31m\\u202eetatis"):
        assert words in text


def test_markdown_keeps_its_tables():
    text = LOG_WRITERS["md"](report_on(hostile_log()))
    width = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (0, width) or not width
        width = cells
    assert not re.search(r"<\w|\]\(|`", re.sub(r"\\.", "", text))
    assert "\x1b" not in text


def test_json_says_the_same():
    found = json.loads(LOG_WRITERS["json"](report_on(hostile_log())))
    assert found["judged"] == 200
    assert found["anomalies"][0]["session"] in HOSTILE
    assert found["templates"][0]["template"] in HOSTILE


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"judged": 0}, "nothing was judged"),
        ({"judged": 7}, "not those of 7 lines"),
        ({"severities": {"normal": [1]}}, "4 buckets"),
        ({"services": [{"service": "a", "judged": [0] * 4, "anomalies": [1] * 4}]}, "more anomalies than lines"),
    ],
)
def test_what_cannot_be_is_refused(change, words):
    plain = log_document()
    plain["summary"]["log"] |= change
    with pytest.raises(msgspec.ValidationError, match=words):
        decoded(plain)


PLACES = [path for path in places(log_document()) if path[:2] == ("summary", "log")]


@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_changed_results_are_refused_or_reported_on(changes):
    plain = copy.deepcopy(log_document())
    for path, value in changes:
        inner = plain
        try:
            for name in path[:-1]:
                inner = inner[name]
            inner[path[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            continue
    try:
        document = msgspec.json.decode(json.dumps(plain), type=Document)
    except msgspec.ValidationError:
        return
    if document.summary is None or document.summary.log is None:
        return
    report = log_report_of(document.summary.log, document)
    for write in LOG_WRITERS.values():
        assert "200" in write(report)
