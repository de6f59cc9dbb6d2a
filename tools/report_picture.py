"""Take the pictures of a report for the documentation, in Chromium, of the orders that the demonstration makes.

python tools/report_picture.py docs/assets/report-light.webp docs/assets/report-dark.webp
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from anomaly_detection.workflows.orders import orders

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PROGRAM = (
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'anomaly-detection'; import anomaly_detection.cli as c; c.main()",
)
RUN = "detection run --data orders.csv --key order_id --timestamp created --label fraud --explain --output results.json"
REPORT = "reports detection results.json --format html --output report.html"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
MOST_BYTES = 150_000


def main(arguments: list[str]) -> int:
    """Write the two pictures; 1 when one is too large for the documentation."""
    light, dark = map(Path, arguments)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        address = report_in(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        light.write_bytes(desktop(browser, address))
        dark.write_bytes(phone(browser, address))
        browser.close()
    sizes = {path.name: path.stat().st_size for path in (light, dark)}
    print(sizes)
    return 1 if max(sizes.values()) > MOST_BYTES else 0


def report_in(folder: Path) -> str:
    """Make the report in a folder; its address."""
    orders().write_csv(folder / "orders.csv")
    for command in (RUN, REPORT):
        subprocess.run([*PROGRAM, *command.split()], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return (folder / "report.html").as_uri()


def desktop(browser: Browser, address: str) -> bytes:
    """The top of the page, with the pointer on a bar."""
    page = browser.new_page(viewport={"width": 1000, "height": 1320}, color_scheme="light")
    page.goto(address)
    box = page.locator("#scores-chart .drawing").bounding_box()
    if box is not None:
        page.mouse.move(box["x"] + 0.73 * box["width"], box["y"] + 100)
    bottom = page.evaluate("document.querySelector('#score-line-chart').getBoundingClientRect().top + scrollY")
    return picture(page, 0, float(bottom))


def phone(browser: Browser, address: str) -> bytes:
    """The most anomalous row, opened."""
    page = browser.new_page(viewport={"width": 400, "height": 900}, color_scheme="dark", device_scale_factor=2)
    page.goto(address)
    page.locator(".anomaly summary").first.click()
    top = page.evaluate("document.querySelector('#groups').getBoundingClientRect().top + scrollY")
    return picture(page, float(top), 900.0)


def picture(page: Page, top: float, height: float) -> bytes:
    """A part of the page as WebP, which Chromium's own protocol offers."""
    session = page.context.new_cdp_session(page)
    width = page.viewport_size["width"] if page.viewport_size else 1000
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    options = {"format": "webp", "quality": 82, "clip": clip, "captureBeyondViewport": True}
    return base64.b64decode(session.send("Page.captureScreenshot", options)["data"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
