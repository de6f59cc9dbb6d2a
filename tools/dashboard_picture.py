"""Take the pictures of the dashboard for the documentation, in Chromium, of the service that its tests look at.

python tools/dashboard_picture.py docs/assets
"""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

from report_picture import FLAGS, MOST_BYTES, picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

TESTS = Path(__file__).parent.parent / "tests"


def main(arguments: list[str]) -> int:
    """Write the pictures into a folder; 1 when one is too large for the documentation."""
    sys.path.insert(0, str(TESTS))
    tested = importlib.import_module("web.served")
    with (
        tempfile.TemporaryDirectory() as folder,
        tested.served(Path(folder)) as service,
        sync_playwright() as playwright,
    ):
        tested.fill(service.context, datetime.now(UTC))
        run = tested.add_detection(service.context, tested.series_table().drop("queue"), timestamp="at", key=("host",))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        pictures = {
            "dashboard-overview.webp": overview(browser, service.url),
            "dashboard-explore.webp": explore(browser, f"{service.url}/explore?run={run.id}"),
            "dashboard-alarm.webp": alarm(browser, f"{service.url}/alerts/{5:032x}"),
            "dashboard-phone.webp": phone(browser, service.url),
        }
        browser.close()
    for name, taken in pictures.items():
        (Path(arguments[0]) / name).write_bytes(taken)
        print(name, len(taken))
    return 1 if max(map(len, pictures.values())) > MOST_BYTES else 0


def opened(browser: Browser, address: str, width: int, height: int, **options: Any) -> Page:
    """A page."""
    page = browser.new_page(viewport={"width": width, "height": height}, **options)
    page.goto(address)
    return page


def overview(browser: Browser, address: str) -> bytes:
    """Figures, alarms over time, lanes."""
    return picture(opened(browser, address, 1000, 900, color_scheme="light"), 0, 720)


def explore(browser: Browser, address: str) -> bytes:
    """A series with its band and its anomalies, in the dark, with the pointer on an anomaly."""
    page = opened(browser, address, 1000, 900, color_scheme="dark")
    page.locator(".plot[data-drawn]").wait_for()
    page.get_by_role("slider").focus()
    page.keyboard.press("n")
    return picture(page, 0, 760)


def alarm(browser: Browser, address: str) -> bytes:
    """One alarm, explained."""
    page = opened(browser, address, 1000, 900, color_scheme="light")
    page.locator(".reasons").wait_for()
    return picture(page, 0, 560)


def phone(browser: Browser, address: str) -> bytes:
    """The overview on a phone."""
    return picture(opened(browser, address, 400, 900, color_scheme="dark", device_scale_factor=2), 0, 900)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
