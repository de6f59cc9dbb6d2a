"""Whatever is in the data stays text, and a page needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

import anomaly_detection.reports
from anomaly_detection.reports.pages import WRITERS, html, markdown, markdown_text
from anomaly_detection.reports.report import report_of
from reports.documents import HOSTILE, decoded, document, hostile

TEMPLATES = Path(anomaly_detection.reports.__file__).parent / "templates"
ALLOWED = {
    *("html", "head", "meta", "title", "link", "style", "body", "a", "header", "h1", "h2", "h3", "p", "nav", "ul"),
    *("li", "main", "section", "dl", "div", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td"),
    *("figure", "figcaption", "strong", "span", "svg", "path", "text", "g", "rect", "details", "summary", "article"),
    *("pre", "code", "footer", "script"),
}


class Page(HTMLParser):
    """The tags of a page and the text in it."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text, self.open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *each) for each in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["script"] and self.open[-1:] != ["style"]:
            self.text.append(data)


@pytest.fixture(scope="module")
def bad():
    return report_of(decoded(hostile()))


def test_a_page_has_the_tags_of_the_template_only(bad):
    good, odd = Page(html(report_of(decoded(document())))), Page(html(bad))
    assert set(odd.tags) <= ALLOWED
    assert odd.tags.count("script") == odd.tags.count("style") == good.tags.count("script") == 1
    assert odd.open == good.open == []


def test_no_attribute_can_run_or_fetch_anything(bad):
    for tag, name, value in Page(html(bad)).attributes:
        assert not name.startswith("on")
        assert name not in ("src", "style", "srcset", "action")
        if name == "href":
            assert value.startswith("#") or (tag, value) == ("link", "data:,")


def test_what_is_hostile_is_there_as_text(bad):
    text = " ".join("".join(Page(html(bad)).text).split())
    for words in (HOSTILE[0], HOSTILE[1], HOSTILE[3], HOSTILE[6], "\\x00\\x1b[31m\\u202eetatis"):
        assert words in text
    assert "49" not in "".join(re.findall(r"\{\{.*?\}\}", text))


def test_the_policy_allows_the_own_script_and_style_only(bad):
    page = html(bad)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_nothing_is_marked_safe_but_the_own_style_and_script():
    text = "".join(path.read_text() for path in TEMPLATES.iterdir())
    assert re.findall(r"\{\{ *(\w+) *\| *safe", text) == ["style", "script"]
    assert text.count("safe") == 2
    assert "autoescape" not in text


def test_no_address_is_in_the_page():
    page = html(report_of(decoded(document())))
    assert re.findall(r"https?://[^\s\"')]+", page) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in page
    assert "url(" not in page


def test_markdown_keeps_its_tables_and_headings(bad):
    text = markdown(bad)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert [line[3:] for line in headings] == [
        *("Summary", "Scores", "Time", "Groups", "Most anomalous", "Columns", "Data quality", "How it was made"),
    ]
    width = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (0, width) or not width
        width = cells
    bare = re.sub(r"\\.", "", text)
    assert not re.search(r"<\w|\]\(|`", bare)
    assert "\x1b" not in text


@pytest.mark.parametrize("words", ["- a", "+ a", "# a", "1. a", "= a", "a_b*c", "<b>", "a|b", "[a](b)", "$x$", "`a`"])
def test_markdown_text_is_escaped(words):
    assert markdown_text(words) != words
    assert markdown_text(words).replace("\\", "") == words


def test_markdown_leaves_plain_sentences_alone():
    words = "total is 5,257 (normal: 48.97 to 639.5), at 1.5 %."
    assert markdown_text(words) == words


def test_json_says_the_same(bad):
    found = json.loads(WRITERS["json"](bad))
    assert found["rows"] == 60
    assert len(found["anomalies"]) == 7
    assert found["anomalies"][0]["row"]["key"] in HOSTILE
    assert found["scores"]["columns"] == ["anomaly score", "rows"]
    assert sum(int(cells[1]) for cells in found["scores"]["rows"]) == 60


@pytest.mark.parametrize("format_", WRITERS)
def test_the_same_results_give_the_same_bytes(format_):
    assert WRITERS[format_](report_of(decoded(document()))) == WRITERS[format_](report_of(decoded(document())))
