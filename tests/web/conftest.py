"""The dashboard in Chromium, on a real service."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from web.served import add_detection, fill, series_table, served

PHONE, NARROW, DESKTOP = 390, 320, 1100


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory):
    """A service with something in it; open to everyone."""
    with served(tmp_path_factory.mktemp("web")) as found:
        fill(found.context, datetime.now(UTC))
        found.run = add_detection(found.context, series_table(), timestamp="at", key=("host",))
        yield found


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A service with nothing in it, and where nothing stays; open to everyone."""
    with served(tmp_path_factory.mktemp("bare")) as found:
        yield found


@pytest.fixture
def opened(chromium):
    """Open a page; whatever it complains about, or loads from elsewhere, fails the test at its end."""
    contexts, said, asked = [], [], []

    def call(address, *, width=DESKTOP, height=900, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        return page

    call.said = said
    yield call
    for context in contexts:
        context.close()
    assert not said
    assert all(url.startswith(("http://127.0.0.1", "data:")) for url in asked), asked
