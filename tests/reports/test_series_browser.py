"""The page on time series in a real browser: complete, readable on a phone and by keyboard."""

from __future__ import annotations

import pytest

from reports.documents import HOSTILE, series_document
from reports.test_browser import DESKTOP, NARROW, point_at, readout

pytestmark = pytest.mark.needs_extra("playwright", "axe_playwright_python")


def test_it_loads_and_every_chart_can_be_read(opened, report_file):
    page = opened(report_file(series_document()))
    assert page.locator("#series figure.chart .tools").count() == 2
    assert page.locator(".lanes tbody > tr").count() == 2
    page.locator("#series-0-chart").scroll_into_view_if_needed()
    point_at(page, "series-0", 0.61)
    assert "expected 41 · band 34 to 48 · anomalies" in readout(page, "series-0")
    frame = page.locator("#series-1-chart .frame")
    frame.focus()
    page.keyboard.press("End")
    assert frame.get_attribute("aria-valuetext") == readout(page, "series-1")
    page.keyboard.press("+")
    assert page.locator("#series-1-chart .plot").get_attribute("viewBox") != "0 0 1000 1000"


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (NARROW, "dark")])
def test_axe_finds_nothing(opened, report_file, width, scheme):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  a test with an extra

    page = opened(report_file(series_document()), width=width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = Axe().run(page)
    assert not [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]]


@pytest.mark.parametrize("keys", [("a", "b"), HOSTILE, ()], ids=["plain", "hostile", "none"])
def test_nothing_is_wider_than_a_narrow_phone(opened, report_file, keys):
    page = opened(report_file(series_document(keys=keys)), width=NARROW)
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    assert page.locator("img, b, iframe").count() == 0
