"""The page of a backtest in a browser."""

from __future__ import annotations

import pytest

from anomaly_detection.reports.backtest_pages import BACKTEST_WRITERS, duration

pytestmark = pytest.mark.needs_extra("playwright", "axe_playwright_python")

DESKTOP, NARROW = 1100, 320
HOSTILE = "<script>alert(1)</script>"


def alarm(at, key=None, severity="low", reason="v 3 is above the expected 1"):
    when = f"1970-01-01T{at // 3600:02}:00:00Z"
    score = {"start": when, "end": when, "at": float(at), "row": at // 3600, "rows": 2, "anomaly_score": 0.65}
    return {**score, "key": key, "severity": severity, "reason": reason}


def found(*, several=True, known=True, timed=True, key=HOSTILE):
    """What a workflow hands to the page."""
    alarms = [alarm(3600 * hour, key, reason=HOSTILE) for hour in (2, 9, 20)]
    incident = {"name": HOSTILE, "key": key, "start": "1970-01-01T08:00:00Z", "end": "1970-01-01T11:00:00Z"}
    configuration = {
        "settings": {"algorithm": "ewma", "budget": "5/week"},
        "alarms": 3,
        "flagged_rows": 6,
        "alarms_per_week": 21.0,
        "next_week": {"low": 12, "high": 31, "mean": 21.0},
        "fits": ["1970-01-01T00:00:00Z", "1970-01-01T12:00:00Z"],
        "list": alarms,
        "notes": [],
        "injected": [] if known else [{"kind": "level_shift", "about": "another level", "injected": 5, "caught": 4}],
    }
    if known:
        late = {"late": [3600.0], "median_late": 3600.0, "false_alarms": 2}
        configuration["incidents"] = {"known": 1, "caught": 1, **late}
    values = [[3600.0 * hour, 5.0, 4.0 - hour % 3, 6.0] for hour in range(24)]
    history = {
        "rows": 48,
        "learned_rows": 24,
        "judged_rows": 24,
        "keys": 2,
        "channels": ["v"],
        "timed": timed,
        "from": "1970-01-01T00:00:00Z",
        "to": "1970-01-01T23:00:00Z",
        "weeks": 1 / 7,
        "unit": "week",
        "train_share": 0.5,
        "refits": 1,
        "series": {"key": key, "channel": HOSTILE, "values": values},
    }
    return {
        "data": {"name": f"{HOSTILE}.csv", "sha256": "0" * 64},
        "history": history,
        "incidents": [{**incident, "at": 28_800.0, "until": 39_600.0}] if known else None,
        "configurations": [configuration] * (2 if several else 1),
        "difference": {"both": alarms[:1], "only_first": alarms[1:], "only_second": []} if several else None,
        "notes": [HOSTILE],
        "made": {"versions": {"anomaly-detection": "1"}, "command": f"backtest {HOSTILE}", "created": "now"},
    }


@pytest.fixture
def page_of(opened, tmp_path):
    """Open the page on what was found."""

    def call(plain, **options):
        path = tmp_path / "backtest.html"
        path.write_text(BACKTEST_WRITERS["html"](plain))
        return opened(path.as_uri(), **options)

    return call


def test_hostile_data_runs_nothing(page_of):
    page = page_of(found())
    assert page.locator("script").count() == 1
    assert HOSTILE in page.locator("main").inner_text()
    assert page.locator("figure.chart").count() == 3
    assert "1 hour" in page.locator("#incidents").inner_text()


def test_alarms_of_one_configuration_and_injected_anomalies(page_of):
    page = page_of(found(several=False, known=False))
    assert page.locator("figure.chart").count() == 2
    assert "4 of 5" in page.locator("#injected").inner_text()
    assert "All alarms: 3" in page.locator("#alarms").inner_text()


@pytest.mark.parametrize(("width", "scheme"), [(DESKTOP, "light"), (NARROW, "dark")])
@pytest.mark.parametrize("several", [True, False])
def test_axe_finds_nothing(page_of, width, scheme, several):
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415  a test with an extra

    page = page_of(found(several=several, known=several), width=width, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    told = [(one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page).response["violations"]]
    assert not told


def test_nothing_is_wider_than_a_narrow_phone(page_of):
    page = page_of(found(), width=NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW


def test_words_of_time():
    assert [duration(each, timed=True) for each in (0, 60, 86_400 * 2)] == ["at once", "1 minute", "2 days"]
    assert duration(1, timed=False) == "1 row"
