"""A page in Debian's Chromium."""

from __future__ import annotations

import pytest

from anomaly_detection.reports.log_pages import LOG_WRITERS
from anomaly_detection.reports.log_report import log_report_of
from anomaly_detection.reports.pages import html
from anomaly_detection.reports.report import report_of
from reports.documents import decoded, document


@pytest.fixture(scope="session")
def report_file(tmp_path_factory):
    """Write the report on a document; returns its address."""

    def write(plain=None, name="report.html"):
        path = tmp_path_factory.mktemp("report") / name
        path.write_text(html(report_of(decoded(plain or document()))))
        return path.as_uri()

    return write


@pytest.fixture(scope="session")
def report(report_file):
    """The address of a report with everything in it."""
    return report_file()


@pytest.fixture(scope="session")
def log_file(tmp_path_factory):
    """Write the report on the results of a log; returns its address."""

    def write(plain):
        path = tmp_path_factory.mktemp("report") / "log.html"
        document = decoded(plain)
        path.write_text(LOG_WRITERS["html"](log_report_of(document.summary.log, document)))
        return path.as_uri()

    return write


@pytest.fixture
def opened(chromium):
    """Open an address; whatever the page complains about or asks for fails the test at its end."""
    contexts, said, asked = [], [], []

    def call(address, *, width=1100, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
        page.goto(address)
        return page

    yield call
    for context in contexts:
        context.close()
    assert not said
    assert len(asked) == len(contexts), asked
