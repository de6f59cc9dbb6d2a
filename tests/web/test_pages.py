"""Every page in a real browser: nothing to complain about, in the dark, on a phone, without scripts, for axe."""

from __future__ import annotations

import gzip

import httpx
import pytest

from web.conftest import DESKTOP, NARROW, PHONE
from web.served import HOSTILE

pytestmark = pytest.mark.needs_extra("playwright", "axe_playwright_python")

PLACES = {
    "overview": "/",
    "alarms": "/alerts",
    "alarm": f"/alerts/{5:032x}",
    "why": f"/alerts/{5:032x}/reasons",
    "logs": "/logs",
    "tables": "/quality",
    "table": "/quality/shop.orders",
    "models": "/models",
    "model": "/models/orders?a=1&b=2",
    "detect": "/detection",
    "explore": "/explore?model=orders",
    "jobs": "/jobs",
    "settings": "/settings",
    "API": "/reference",
    "sign in": "/login",
}
EMPTY = ("/", "/explore", "/alerts", "/logs", "/quality", "/detection", "/jobs")
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def places(dashboard):
    """Every page by name, with those whose address is known only now."""
    run = _run(dashboard)
    job = dashboard.context.queue.list("running")[0].id
    more = {"found": f"/detection/{run}", "series": f"/explore?run={run}", "job": f"/jobs/{job}"}
    return {name: dashboard.url + place for name, place in {**PLACES, **more}.items()}


def serious(page):
    """What axe finds that keeps people from using a page."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    found = Axe().run(page).response["violations"]
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    return [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0].get("failureSummary")) for one in bad]


def settle(page):
    """Wait for what a page loads by itself, and open what is folded."""
    page.locator("[aria-busy]").first.wait_for(state="detached")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")


ALL = [*PLACES, "found", "series", "job"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_axe_finds_nothing_serious(opened, places, name, width, scheme):
    page = opened(places[name], width=width, color_scheme=scheme)
    settle(page)
    assert not serious(page)
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("place", EMPTY)
def test_an_empty_service_says_what_to_do(opened, bare, place):
    page = opened(bare.url + place, width=NARROW, color_scheme="dark")
    assert page.locator(".empty:visible").count() >= 1
    assert not serious(page)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW


def test_without_scripts_every_page_can_be_read(chromium, places):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    for name, address in places.items():
        assert page.goto(address).status == 200, name
        assert page.locator("h1").inner_text(), name
        assert page.locator("main").inner_text().count("\n") > 2, name
    page.goto(places["series"])
    page.get_by_text("The drawing in numbers").click()
    assert page.locator(".twin tbody tr").count() == 24
    context.close()


def test_dark_mode_is_dark(opened, dashboard):
    colours = [
        opened(dashboard.url, color_scheme=scheme).evaluate(
            "getComputedStyle(document.documentElement).backgroundColor"
        )
        for scheme in ("light", "dark")
    ]
    assert colours == ["rgb(255, 255, 255)", "rgb(20, 24, 29)"]


def test_names_are_never_markup(opened, dashboard):
    page = opened(f"{dashboard.url}/alerts?key={HOSTILE}")
    assert page.locator("tbody tr").count() == 1
    assert page.locator("tbody img").count() == 0
    assert page.get_by_text(HOSTILE).count() >= 1


def test_the_first_load_is_small(dashboard):
    with httpx.Client(base_url=dashboard.url, headers={"Accept-Encoding": "gzip"}) as client:
        page = client.get(f"/explore?run={_run(dashboard)}")
        names = [part.split('"')[0] for part in page.text.split('"/static/')[1:]]
        assert len(names) == 9
        sizes = [len(gzip.compress(page.content, 6))]
        for name in names:
            answer = client.get(f"/static/{name}")
            assert answer.status_code == 200
            assert "immutable" in answer.headers["Cache-Control"]
            sizes.append(int(answer.headers["Content-Length"]))
    assert sum(sizes) <= MOST_BYTES, sizes


def _run(dashboard):
    from anomaly_detection.web.pages.detection import runs_of  # noqa: PLC0415

    return next(run.id for run in runs_of(dashboard.context).list() if run.name == "hosts.csv")


def test_the_policy_is_strict(dashboard):
    answer = httpx.get(dashboard.url)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "style=" not in answer.text
    assert "<script>" not in answer.text
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_report_reaches_nothing_of_the_site(dashboard):
    answer = httpx.get(f"{dashboard.url}/detection/{_run(dashboard)}/report")
    assert "Anomalies in hosts.csv" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")
    assert str(dashboard.context.settings.home) not in answer.text
