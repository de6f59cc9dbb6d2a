"""Take the pictures of reports for the documentation, in Chromium, of what the demonstrations make.

python tools/report_picture.py docs/assets
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
LOG = "logs demo --folder ."
REPORT = "reports detection results.json --format html --output report.html"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
MOST_BYTES = 150_000


def main(arguments: list[str]) -> int:
    """Write the pictures into a folder; 1 when one is too large for the documentation."""
    place = Path(arguments[0])
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        orders().write_csv(Path(folder) / "orders.csv")
        table = report_in(Path(folder), RUN, REPORT)
        pictures = {"report-light.webp": desktop(browser, table), "report-dark.webp": phone(browser, table)}
        pictures["report-log.webp"] = templates(browser, report_in(Path(folder), LOG))
        browser.close()
    for name, taken in pictures.items():
        (place / name).write_bytes(taken)
        print(name, len(taken))
    return 1 if max(map(len, pictures.values())) > MOST_BYTES else 0


def report_in(folder: Path, *commands: str) -> str:
    """Make a report in a folder; its address."""
    for command in commands:
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


def templates(browser: Browser, address: str) -> bytes:
    """The anomalies of a log over time by service, and the oddest templates."""
    page = browser.new_page(viewport={"width": 1000, "height": 1400}, color_scheme="light")
    page.goto(address)
    page.evaluate("document.querySelectorAll('.column:nth-child(n+3)').forEach(one => { one.hidden = true })")
    place = "document.querySelector({!r}).getBoundingClientRect().top + scrollY"
    top, bottom = (page.evaluate(place.format(where)) for where in ("#time", ".template:nth-child(6)"))
    return picture(page, float(top), float(bottom - top))


def picture(page: Page, top: float, height: float) -> bytes:
    """A part of the page as WebP, which Chromium's own protocol offers."""
    session = page.context.new_cdp_session(page)
    width = page.viewport_size["width"] if page.viewport_size else 1000
    clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
    options = {"format": "webp", "quality": 82, "clip": clip, "captureBeyondViewport": True}
    return base64.b64decode(session.send("Page.captureScreenshot", options)["data"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
