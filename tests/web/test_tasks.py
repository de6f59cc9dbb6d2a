"""What a person comes to each page for, done in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from anomaly_detection.jobs.worker import Worker
from anomaly_detection.store import feedback, tables
from anomaly_detection.workflows.job_kinds import kinds_of_jobs
from anomaly_detection.workflows.orders import orders
from service_support import until
from web.conftest import PHONE
from web.served import alert_row, csv_of, series_table

pytestmark = pytest.mark.needs_extra("playwright", "axe_playwright_python")


def file_of(frame, name="hosts.csv"):
    return {"name": name, "mimeType": "text/csv", "buffer": csv_of(frame)}


def test_a_box_of_a_lane_leads_to_its_alarms(opened, dashboard):
    page = opened(dashboard.url)
    assert page.locator(".lanes tbody tr").count() == 10
    assert page.locator(".lanes tbody tr th").first.inner_text() == "overall"
    assert page.locator(".lanes tbody tr th").nth(1).inner_text() == "shop-3"
    box = page.locator(".lanes tbody tr").nth(1).locator("a.box.critical").first
    assert "records are anomalies, the worst critical" in box.get_attribute("aria-label")
    box.click()
    page.wait_for_url("**/alerts?*")
    assert page.get_by_label("Key").input_value() == "shop-3"


def test_lanes_are_one_stop_of_the_tab_key_and_arrows_go_through_them(opened, dashboard):
    page = opened(dashboard.url)
    assert page.locator("a.box[tabindex='0']").count() == 1
    page.locator("a.box[tabindex='0']").focus()
    first = page.evaluate("document.activeElement.id")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") != first
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    page.keyboard.press("Enter")
    page.wait_for_url("**/alerts?*")


def test_the_overview_follows_new_alarms_by_itself(opened, bare):
    page = opened(f"{bare.url}/?back=1h")
    assert page.get_by_text("Nothing was scored in this time.").is_visible()
    now = datetime.now(UTC)
    row = alert_row(f"{1:032x}", "orders", "shop-1", now, 0.95, {"total": 9120.0})
    with bare.context.database.write() as connection:
        connection.execute(sa.insert(tables.alerts).values(row))
    page.get_by_text("Latest alarms").first.wait_for()
    assert page.locator("dl.figures .critical dd").inner_text() == "1"
    with bare.context.database.write() as connection:
        connection.execute(sa.delete(tables.alerts))


def test_an_alarm_is_explained_and_judged(opened, dashboard):
    page = opened(f"{dashboard.url}/alerts/{6:032x}")
    page.get_by_text("It would be normal:").wait_for()
    assert page.locator(".reasons tbody tr").count() >= 1
    page.get_by_label("Note").fill("a refund")
    page.get_by_role("button", name="False alarm").click()
    page.get_by_text("a refund").wait_for()
    assert page.locator("#say [role=status] strong").inner_text() == "a false alarm"
    page.get_by_role("button", name="Acknowledge").click()
    page.locator("#say strong", has_text="acknowledged").wait_for()
    page.get_by_role("button", name="Resolve").click()
    page.locator("#say strong", has_text="resolved").wait_for()
    with dashboard.context.database.read() as connection:
        said = feedback.of_verdict(connection, "orders", 1, f"{6:032x}")
    assert (said.is_anomaly, said.was_flagged, said.note, said.said_by) == (False, True, "a refund", "everyone")


def test_without_scripts_an_alarm_is_judged_by_plain_forms(chromium, dashboard):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{dashboard.url}/alerts/{7:032x}")
    page.get_by_role("button", name="Real anomaly").click()
    assert page.url.endswith(f"{7:032x}")
    assert page.locator("#say [role=status] strong").inner_text() == "a real anomaly"
    page.get_by_role("link", name="Ask the model").click()
    assert page.locator(".reasons tbody tr").count() >= 1
    context.close()


def test_what_people_say_is_counted_for_the_version(opened, dashboard):
    page = opened(f"{dashboard.url}/alerts/{8:032x}")
    page.get_by_role("button", name="Real anomaly").click()
    page.locator("#say strong", has_text="a real anomaly").wait_for()
    page.goto(f"{dashboard.url}/models/orders")
    assert "of alarms right" in page.locator("tr", has=page.get_by_text("1", exact=True)).last.inner_text()


def test_a_file_becomes_anomalies_a_report_and_a_drawing(opened, dashboard):
    page = opened(f"{dashboard.url}/detection", width=PHONE)
    page.get_by_label("File", exact=True).set_input_files(file_of(series_table(300)))
    page.get_by_label("Time column").fill("at")
    page.get_by_label("Key columns").fill("host")
    page.get_by_role("button", name="Find anomalies").click()
    page.wait_for_url("**/detection/*", timeout=60_000)
    assert page.locator("h1").inner_text() == "Anomalies in hosts.csv"
    page.locator(".found summary").first.click()
    assert page.locator(".found .record").first.is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    text = download.value.path().read_text()
    assert '"name":"hosts.csv"' in text
    assert str(dashboard.context.settings.home) not in text
    page.get_by_role("button", name="Explore").click()
    page.locator(".plot canvas").first.wait_for()


def test_a_large_file_becomes_a_job_that_leads_to_its_page(opened, dashboard):
    page = opened(f"{dashboard.url}/detection")
    page.get_by_label("File", exact=True).set_input_files(file_of(series_table(6_000), "large.csv"))
    page.get_by_label("Algorithm").select_option("mad")
    page.get_by_role("button", name="Find anomalies").click()
    page.wait_for_url("**/jobs/*")
    assert page.locator("h1").inner_text() == "detection of large.csv"
    assert Worker(dashboard.context.queue, kinds_of_jobs(dashboard.context.settings)).run_waiting() >= 1
    page.get_by_role("button", name="What was found").click()
    page.wait_for_url("**/detection/*")
    assert page.locator("h1").inner_text() == "Anomalies in large.csv"


def test_series_of_a_file_keep_to_a_budget(opened, dashboard):
    page = opened(f"{dashboard.url}/detection")
    page.get_by_label("File", exact=True).set_input_files(file_of(series_table(300)))
    page.get_by_label("Time column").fill("at")
    page.get_by_label("Key columns").fill("host")
    page.get_by_label("Or alarms of series").fill("2/day")
    page.get_by_role("button", name="Find anomalies").click()
    page.wait_for_url("**/detection/*", timeout=60_000)
    assert "budget 2/day: " in page.inner_text("main")


def test_each_key_of_a_file_has_a_model(opened, dashboard):
    page = opened(f"{dashboard.url}/detection")
    page.get_by_label("File", exact=True).set_input_files(file_of(orders(200), "orders.csv"))
    page.get_by_label("A model for each key").check()
    page.get_by_role("button", name="Find anomalies").click()
    assert "Name key columns" in page.get_by_role("alert").inner_text()
    opened.said.clear()
    page = opened(f"{dashboard.url}/detection")
    page.get_by_label("File", exact=True).set_input_files(file_of(series_table(300)))
    page.get_by_label("Key columns").fill("host")
    page.get_by_label("A model for each key").check()
    page.get_by_role("button", name="Find anomalies").click()
    page.wait_for_url("**/detection/*", timeout=60_000)
    assert page.locator("h1").inner_text() == "Anomalies in hosts.csv"


def test_pasted_rows_are_judged_too(opened, dashboard):
    page = opened(f"{dashboard.url}/detection")
    page.get_by_text("Or paste rows").click()
    rows = "\n".join(f"{i},{i % 7}" for i in range(40))
    page.get_by_label("Rows with a header").fill(f"a,b\n{rows}\n9999,900")
    page.get_by_label("Algorithm").select_option("mad")
    page.get_by_role("button", name="Find anomalies").click()
    page.wait_for_url("**/detection/*", timeout=60_000)
    assert "row 40" in page.locator(".found summary").first.inner_text()


def test_what_cannot_be_judged_is_explained_and_leaves_nothing(opened, dashboard):
    page = opened(f"{dashboard.url}/detection")
    page.get_by_label("File", exact=True).set_input_files(file_of(orders(20), "orders.csv"))
    page.get_by_label("Time column").fill("creatd")
    page.get_by_role("button", name="Find anomalies").click()
    assert "creatd" in page.get_by_role("alert").inner_text()
    assert "Did you mean 'created'" in page.get_by_role("alert").inner_text()
    assert str(dashboard.context.settings.home) not in page.content()
    assert not [one for one in (dashboard.context.settings.home / "runs").iterdir() if one.name.startswith(".")]
    opened.said.clear()  # Chromium says itself that the answer was 422


def test_a_model_is_trained_by_a_worker_and_promoted(opened, dashboard):
    page = opened(f"{dashboard.url}/models")
    page.get_by_label("Name", exact=True).fill("new-orders")
    page.get_by_label("File", exact=True).set_input_files(file_of(orders(200), "orders.csv"))
    page.get_by_label("Algorithm").select_option("hbos")
    page.get_by_role("button", name="Train").click()
    page.wait_for_url("**/jobs/*")
    assert page.get_by_role("status").inner_text().startswith("waiting")
    assert Worker(dashboard.context.queue, kinds_of_jobs(dashboard.context.settings)).run_waiting() >= 1
    page.get_by_role("button", name="To the model").click()
    page.get_by_role("button", name="Promote version 1 to production").click()
    page.get_by_text("in production").wait_for()
    assert dashboard.context.models.registry.aliases("new-orders")["production"] == 1


def test_a_running_job_says_how_far_it_is_and_a_waiting_one_is_cancelled(opened, dashboard):
    page = opened(f"{dashboard.url}/jobs?state=running")
    page.locator("tbody a").first.click()
    page.get_by_text("fitting, 40 %").wait_for()
    job = dashboard.context.queue.put("retain", {}, asked_by="ada", run_after=datetime.now(UTC) + timedelta(days=1))
    page.goto(f"{dashboard.url}/jobs/{job.id}")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("status").get_by_text("cancelled").wait_for()
    assert dashboard.context.queue.get(job.id).state == "cancelled"


def test_a_job_that_failed_says_why_and_is_tried_again(opened, dashboard):
    page = opened(f"{dashboard.url}/jobs?state=failed")
    page.locator("tbody a").first.click()
    assert "Did you mean 'total'?" in page.get_by_role("alert").inner_text()
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("status").get_by_text("waiting").wait_for()


def test_versions_are_compared_promoted_and_rolled_back(opened, dashboard):
    page = opened(f"{dashboard.url}/models/orders")
    page.get_by_role("button", name="Compare").click()
    assert page.locator("th", has_text="orders@2").is_visible()
    page.get_by_role("button", name="Promote version 1 to production").click()
    page.get_by_text("in production").wait_for()
    page.get_by_role("button", name="Promote version 2 to production").click()
    page.locator("tr", has_text="in production").locator("th", has_text="2").wait_for()
    page.get_by_role("button", name="Roll production back").click()
    page.locator("ol.plain li", has_text="rollback").first.wait_for()
    page.goto(f"{dashboard.url}/settings")
    assert page.get_by_text("everyone, roll back model orders").is_visible()


def test_a_table_is_checked_against_its_runs(opened, dashboard):
    page = opened(f"{dashboard.url}/quality")
    page.get_by_label("Table", exact=True).fill("shop.orders")
    page.get_by_label("File", exact=True).set_input_files(file_of(orders(60), "orders.csv"))
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/quality/shop.orders")
    assert page.locator(".lead .badge").inner_text() in ("high", "critical")
    assert "60 rows" in page.locator(".lead").inner_text()


@pytest.mark.parametrize("kind", ["distribution", "pattern", "timeliness"])
def test_the_first_run_of_a_table_is_remembered(opened, dashboard, kind):
    page = opened(f"{dashboard.url}/quality")
    page.get_by_label("Table", exact=True).fill(f"first {kind}")
    page.locator("select[name=check]").select_option(kind)
    page.get_by_label("File", exact=True).set_input_files(file_of(orders(60), "orders.csv"))
    page.get_by_role("button", name="Check").click()
    page.wait_for_url("**/quality/first*")
    assert page.locator("h1").inner_text() == f"first {kind}"


def test_entries_that_are_sent_appear_with_their_verdicts(opened, dashboard):
    until(lambda: dashboard.context.live_logs.now() is not None, "the starting model is ready", 60)
    page = opened(f"{dashboard.url}/logs")
    assert page.get_by_role("region", name="Lines that stand out").locator("tbody tr").count() == 3
    odd = {"level": "CRITICAL", "service": "billing", "message": "<b>no</b> disk left, giving up", "latency_ms": 90_000}
    usual = {"level": "INFO", "service": "billing", "message": "GET /api/orders 200", "latency_ms": 40}
    entries = [usual, odd]
    answer = httpx.post(f"{dashboard.url}/detect", json=entries, timeout=30).json()
    assert [one["is_anomaly"] for one in answer["results"]] == [False, True]
    judged = page.get_by_role("region", name="Judged last").locator("tbody tr", has_text="billing")
    judged.nth(1).wait_for()
    assert judged.locator(".badge").all_inner_texts() == [one["severity"] for one in answer["results"]][::-1]
    page.get_by_role("region", name="Lines that stand out").get_by_text("<b>no</b> disk left").wait_for()
    page.get_by_role("link", name="billing").wait_for()
    page.goto(f"{dashboard.url}/explore?model=logs")
    page.locator(".plot[data-drawn]").wait_for()
    length = (
        "(() => { const { min, max } = document.querySelector('.plot').plot.plots[0].scales.x; return max - min })()"
    )
    assert 0 < page.evaluate(length) <= 3600


def test_settings_tell_no_secret(opened, dashboard):
    page = opened(f"{dashboard.url}/settings")
    assert page.get_by_text("SQLite answers").is_visible()
    assert "memory://" not in page.content()


def test_the_reference_has_the_operations(opened, dashboard):
    page = opened(f"{dashboard.url}/reference")
    page.get_by_label("Find").fill("health/ready")
    assert page.locator(".operation:visible").count() == 1
    page.locator(".operation:visible summary").click()
    assert page.get_by_text("Say that the service can do its work").is_visible()
