"""The page on a log in a real browser: complete, readable on a phone and by keyboard, and nothing of the log runs."""

from __future__ import annotations

import pytest

from reports.documents import hostile_log, log_document
from reports.test_browser import DESKTOP, NARROW, readout

pytestmark = pytest.mark.needs_extra("playwright", "axe_playwright_python")


def test_it_loads_without_a_complaint_or_a_request(opened, log_file):
    page = opened(log_file(log_document()))
    assert page.title() == "Anomalies in app.log"
    assert page.locator("figure.chart .tools").count() == 3
    assert page.locator(".anomaly").count() == 5
    assert page.locator(".spark").count() == 2
    frame = page.locator("#service-0-chart .frame")
    frame.focus()
    page.keyboard.press("End")
    assert readout(page, "service-0").endswith("lines 25 · anomalies 0")


def test_hostile_lines_run_nothing(opened, log_file):
    page = opened(log_file(hostile_log()))
    page.get_by_role("button", name="Open all").click()
    assert page.locator("script").count() == 1
    assert page.locator("img, b, iframe").count() == 0
    assert "<script>alert(1)</script>" in page.locator("main").inner_text()


@pytest.mark.parametrize(("width", "scheme", "unit"), [(DESKTOP, "light", "line"), (NARROW, "dark", "session")])
def test_axe_finds_nothing(opened, log_file, width, scheme, unit):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  a test with an extra

    page = opened(log_file(log_document(unit)), width=width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = Axe().run(page)
    assert not [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]]


@pytest.mark.parametrize("plain", [log_document(), hostile_log()], ids=["log", "hostile"])
def test_nothing_is_wider_than_a_narrow_phone(opened, log_file, plain):
    page = opened(log_file(plain), width=NARROW)
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    outside = page.evaluate(
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 "
        "&& !e.closest('.scroll, pre, .unseen, .skip, svg')).map(e => e.outerHTML.slice(0, 80))"
    )
    assert outside == []
