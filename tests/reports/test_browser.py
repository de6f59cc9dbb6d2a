"""The page in a real browser: it loads nothing else, can be read in every way, and runs nothing from the data."""

from __future__ import annotations

import itertools
import re

import pytest

from reports.documents import document, hostile, rows

pytestmark = pytest.mark.needs_extra("playwright", "axe_playwright_python")

DESKTOP, PHONE, NARROW = 1100, 390, 320


def readout(page, chart):
    return page.locator(f"#{chart}-chart .readout").text_content()


def point_at(page, chart, share):
    """Move the pointer over a chart; returns where it is."""
    box = page.locator(f"#{chart}-chart .drawing").bounding_box()
    place = box["x"] + share * box["width"], box["y"] + 60
    page.mouse.move(*place)
    return place


def view(page, chart):
    left, _, width, _ = page.locator(f"#{chart}-chart .plot").get_attribute("viewBox").split()
    return float(left), float(left) + float(width)


def test_it_loads_without_a_complaint_or_a_request(opened, report):
    page = opened(report)
    assert page.title() == "Anomalies in orders.csv"
    assert page.locator("figure.chart").count() == 4
    assert page.locator("figure.chart .tools").count() == 4
    assert page.locator(".anomaly").count() == 12


def test_hostile_data_runs_nothing(opened, report_file):
    page = opened(report_file(hostile()))
    page.get_by_role("button", name="Open all").click()
    assert page.locator("script").count() == 1
    assert page.locator("img, b, iframe").count() == 0
    assert "<script>alert(1)</script>" in page.locator("main").inner_text()


@pytest.mark.parametrize("chart", ["scores", "alarms", "score-line", "column-0"])
def test_pointing_at_a_chart_shows_its_values(opened, report, chart):
    page = opened(report)
    page.locator(f"#{chart}-chart").scroll_into_view_if_needed()
    point_at(page, chart, 0.3145)
    told = readout(page, chart)
    cells = page.locator(f"#{chart}-chart tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    edges = [int(edge) for edge in page.locator(f"#{chart}-chart").get_attribute("data-edges").split()]
    row = next(cells[i] for i in range(len(cells)) if edges[i] <= 314.5 < edges[i + 1])
    assert told.startswith(row[0])
    assert all(value in told for value in row)
    page.mouse.move(0, 0)
    assert row[0] not in readout(page, chart)


def test_dragging_zooms_and_a_double_click_shows_all(opened, report):
    page = opened(report)
    point_at(page, "scores", 0.6)
    page.mouse.down()
    point_at(page, "scores", 0.7)
    point_at(page, "scores", 0.8)
    page.mouse.up()
    assert view(page, "scores") == (600, 820)
    ticks = page.locator("#scores-chart .ticks text").evaluate_all(
        "all => all.filter(t => t.style.display !== 'none').map(t => [t.textContent, t.getAttribute('x')])"
    )
    assert ticks[0] == ["0.6", "0%"]
    assert len(ticks) >= 5
    point_at(page, "scores", 0.01)
    assert readout(page, "scores").startswith("0.60 to 0.62")
    page.locator("#scores-chart .frame").dblclick(position={"x": 400, "y": 60})
    assert view(page, "scores") == (0, 1000)


def test_a_click_does_not_zoom(opened, report):
    page = opened(report)
    page.mouse.click(*point_at(page, "scores", 0.6))
    assert view(page, "scores") == (0, 1000)


def test_a_tap_reads_a_value_and_presses_buttons(opened, report):
    page = opened(report, width=PHONE, has_touch=True, is_mobile=True)
    page.locator("#scores-chart").scroll_into_view_if_needed()
    box = page.locator("#scores-chart .drawing").bounding_box()
    page.touchscreen.tap(box["x"] + 0.61 * box["width"], box["y"] + 80)
    assert readout(page, "scores").startswith("0.60 to 0.62 · rows ")
    page.locator("#scores-chart").get_by_role("button", name="Zoom in").tap()
    assert view(page, "scores") != (0, 1000)


def test_the_keyboard_reads_and_zooms_a_chart(opened, report):
    page = opened(report)
    frame = page.get_by_role("slider", name="How the anomaly scores are spread")
    frame.focus()
    page.keyboard.press("ArrowRight")
    assert frame.get_attribute("aria-valuetext").startswith("0.00 to 0.02 · rows ")
    page.keyboard.press("End")
    assert frame.get_attribute("aria-valuenow") == "50"
    assert frame.get_attribute("aria-valuetext") == readout(page, "scores")
    page.keyboard.press("+")
    assert view(page, "scores") == (500, 1000)
    page.keyboard.press("Home")
    assert view(page, "scores") == (0, 500)
    page.keyboard.press("Escape")
    assert view(page, "scores") == (0, 1000)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert view(page, "scores") != (0, 1000)


def test_everything_can_be_reached_by_tab(opened, report):
    page = opened(report)
    reached = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const e = document.activeElement; return `${e.tagName} ${e.getAttribute('role') ?? ''} "
                "${e.closest('section')?.id ?? ''}` }"
            )
        )
    for wanted in ("A  ", "DIV slider scores", "BUTTON  time", "SUMMARY  anomalies", "BUTTON  anomalies", "PRE  made"):
        assert wanted in reached
    assert "DIV slider columns" in reached


def test_a_link_to_an_anomaly_opens_it(opened, report):
    page = opened(report)
    link = page.locator("#groups td a").first
    name = link.get_attribute("href")
    link.click()
    assert page.locator(f"{name}[open] .record").is_visible()


def test_all_anomalies_open_and_close(opened, report):
    page = opened(report)
    page.get_by_role("button", name="Open all").click()
    assert page.locator(".anomaly[open]").count() == 12
    page.get_by_role("button", name="Close all").click()
    assert page.locator(".anomaly[open]").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (NARROW, "dark")])
def test_axe_finds_nothing(opened, report_file, width, scheme):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  a test with an extra

    page = opened(report_file(document(rows(40, anomalies=5))), width=width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    found = Axe().run(page)
    told = [(one["id"], one["impact"], one["nodes"][0]["html"][:200]) for one in found.response["violations"]]
    assert not told


def test_dark_mode_is_dark(opened, report):
    colours = {
        scheme: opened(report, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    }
    assert colours == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}


@pytest.mark.parametrize("plain", ["report", "hostile"])
def test_nothing_is_wider_than_a_narrow_phone(opened, report, report_file, plain):
    page = opened(report if plain == "report" else report_file(hostile()), width=NARROW)
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW
    assert (
        page.evaluate(
            "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 "
            "&& !e.closest('.scroll, pre, .unseen, .skip, svg')).map(e => e.outerHTML.slice(0, 80))"
        )
        == []
    )


def test_the_words_below_a_chart_do_not_touch(opened, report):
    for width in (NARROW, PHONE, DESKTOP):
        page = opened(report, width=width)
        boxes = page.evaluate(
            "[...document.querySelectorAll('.ticks')].map(g => [...g.children].map(t => t.getBoundingClientRect())"
            ".filter(b => b.width).map(b => [b.left, b.right]).sort((a, b) => a[0] - b[0]))"
        )
        for ticks in boxes:
            assert len(ticks) >= 2
            assert all(right < left for (_, right), (left, _) in itertools.pairwise(ticks))
            assert all(left >= 0 and right <= width for left, right in ticks)


def test_on_paper_everything_is_open_and_nothing_is_to_be_pressed(opened, report):
    page = opened(report, width=760, color_scheme="dark")
    page.emulate_media(media="print")
    for record in page.locator(".anomaly .record").all():
        assert record.is_visible()
    assert page.locator("button:visible, nav:visible, .readout:visible, .twin:visible").count() == 0
    assert page.locator(".drawing:visible").count() == 4
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pages = page.pdf(format="A4")
    assert pages.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pages)) >= 3
    assert page.locator(".anomaly[open]").count() == 0


def test_without_scripts_it_is_all_there(opened, report):
    page = opened(report, java_script_enabled=False)
    assert page.locator(".drawing").count() == 4
    assert page.locator("button").count() == 0
    page.locator(".anomaly summary").first.click()
    assert page.locator(".anomaly .record").first.is_visible()


@pytest.mark.parametrize(
    "plain",
    [
        document(rows(anomalies=0)),
        document(rows(key=False, time=False, explain=False)),
        document(rows(24)[:1], summary=None, made=None),
    ],
    ids=["none", "bare", "one row"],
)
def test_odd_reports_open_too(opened, report_file, plain):
    page = opened(report_file(plain))
    for chart in ("scores", "alarms", "score-line"):
        page.locator(f"#{chart}-chart .frame").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("+")
        assert readout(page, chart)
