"""The drawing of a series: quick, linked, readable by keyboard, with the same numbers in tables."""

from __future__ import annotations

import httpx
import msgspec
import numpy as np
import pytest

from anomaly_detection.web.columns import packed, thinned
from web.served import add_run

MOST_MS = 300
POINTS = 100_000


@pytest.fixture(scope="module")
def large(dashboard):
    """The address of a series of 100,000 points."""
    return f"{dashboard.url}/explore?run={add_run(dashboard.context, POINTS)}"


def drawn(page):
    page.locator(".plot[data-drawn]").wait_for()
    return page.locator(".plot")


def view(page):
    scale = page.evaluate("document.querySelector('.plot').plot.plots.map(p => [p.scales.x.min, p.scales.x.max])")
    assert scale[0] == scale[1], "both drawings show the same time"
    return tuple(scale[0])


@pytest.mark.needs_extra("playwright")
def test_many_points_are_drawn_at_once(opened, large):
    page = opened(large)
    figure = drawn(page)
    assert int(figure.get_attribute("data-points")) == POINTS
    assert float(figure.get_attribute("data-drawn")) <= MOST_MS
    ink = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(b => b > 0)"
    assert all(page.locator(".plot canvas").nth(i).evaluate(ink) for i in range(2))


@pytest.mark.needs_extra("playwright")
def test_zoom_is_linked_by_buttons_and_by_keys(opened, large):
    page = opened(large)
    drawn(page)
    start, end = view(page)
    page.get_by_role("button", name="Zoom in").click()
    near = view(page)
    assert near[1] - near[0] == pytest.approx((end - start) / 2)
    page.get_by_role("button", name="Later").click()
    assert view(page)[0] > near[0]
    page.get_by_role("slider").focus()
    page.keyboard.press("Escape")
    assert view(page) == (start, end)
    page.keyboard.press("+")
    assert view(page) != (start, end)


@pytest.mark.needs_extra("playwright")
def test_keys_read_values_and_go_from_anomaly_to_anomaly(opened, large):
    page = opened(large)
    drawn(page)
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    told = slider.get_attribute("aria-valuetext")
    assert "load" in told
    assert "expected" in told
    page.keyboard.press("n")
    assert slider.get_attribute("aria-valuetext").endswith(("low", "medium", "high", "critical"))
    first = int(slider.get_attribute("aria-valuenow"))
    page.keyboard.press("n")
    page.keyboard.press("p")
    assert int(slider.get_attribute("aria-valuenow")) == first
    assert page.locator(".plot .readout").inner_text() == slider.get_attribute("aria-valuetext")


@pytest.mark.needs_extra("playwright")
def test_a_row_of_the_table_leads_to_its_place(opened, large):
    page = opened(large)
    drawn(page)
    button = page.locator("[data-place]").first
    place = float(button.get_attribute("data-place"))
    button.click()
    start, end = view(page)
    assert start <= place <= end
    assert button.inner_text() in page.get_by_role("slider").get_attribute("aria-valuetext")


@pytest.mark.needs_extra("playwright")
def test_the_pointer_zooms_by_dragging(opened, large):
    page = opened(large)
    drawn(page)
    before = view(page)
    box = page.locator(".u-over").first.bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 60, steps=4)
    page.mouse.up()
    after = view(page)
    assert before[0] < after[0] < after[1] < before[1]


@pytest.mark.needs_extra("playwright")
def test_points_that_do_not_come_are_explained(opened, dashboard, large):
    page = opened(f"{dashboard.url}/login")
    page.route("**/explore/data/*", lambda route: route.fulfill(status=503, body=""))
    page.goto(large)
    assert "the service answered 503" in page.locator(".plot [role=alert]").inner_text()
    opened.said.clear()


def test_points_arrive_as_they_are(dashboard, large):
    run = large.rpartition("=")[2]
    answer = httpx.get(f"{dashboard.url}/explore/data/{run}?channel=load&key=")
    head, columns = unpacked(answer.content)
    assert head["rows"] == POINTS
    assert head["timed"] is True
    assert np.all(np.diff(columns["time"]) == 60)
    assert np.count_nonzero(columns["severity"]) == 500
    assert np.all(columns["upper"] - columns["lower"] == pytest.approx(14))


def unpacked(content):
    """What the browser makes of the bytes."""
    size = int.from_bytes(content[:4], "little")
    head = msgspec.json.decode(content[4 : 4 + size])
    place, columns = 4 + size, {}
    assert place % 8 == 0
    for name, kind in zip(head["names"], head["types"], strict=True):
        columns[name] = np.frombuffer(content, f"<{kind}", head["rows"], place)
        place += columns[name].nbytes
    assert place == len(content)
    return head, columns


def test_packing_loses_nothing():
    draw = np.random.default_rng(0)
    given = {"severity": np.array([0.0, 4.0, 1.0]), "time": draw.normal(size=3), "value": np.array([1.0, np.nan, 2.0])}
    head, found = unpacked(packed(given, {"label": "überlast"}))
    assert head["label"] == "überlast"
    for name, values in given.items():
        np.testing.assert_array_equal(found[name], values)


def test_thinning_keeps_extremes_and_anomalies():
    draw = np.random.default_rng(0)
    values = draw.normal(size=50_000)
    values[100:200] = np.nan
    odd = np.zeros(50_000, dtype=bool)
    odd[draw.choice(50_000, 50, replace=False)] = True
    kept = thinned(values, odd, 1000)
    assert len(kept) <= 1000 + 50 + 4
    assert np.all(np.diff(kept) > 0)
    assert set(np.flatnonzero(odd)) <= set(kept)
    assert np.nanmin(values[kept]) == np.nanmin(values)
    assert np.nanmax(values[kept]) == np.nanmax(values)
