"""What every test shares: tests that need an optional package say so with ``needs_extra``; a browser."""

from __future__ import annotations

import os
import secrets
import shutil
from importlib.util import find_spec

import pytest
from hypothesis import settings

from postgres import server

# The first call of a kernel compiles it, so nothing has a deadline. One commit has one outcome: a run that finds
# something new belongs to the one who asks for it (``make fuzz``), not to whoever comes next.
settings.register_profile("project", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("project")


def pytest_runtest_setup(item):
    """Skip a test whose optional packages are missing; fail it where all of them have to be there."""
    for marker in item.iter_markers("needs_extra"):
        missing = [name for name in marker.args if find_spec(name) is None]
        if not missing:
            continue
        reason = f"not installed: {', '.join(missing)}"
        if os.environ.get("AD_REQUIRE_EXTRAS") == "1":
            pytest.fail(f"{reason}, and AD_REQUIRE_EXTRAS=1 asks for every extra", pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL of this process's own."""
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_extra("psycopg"))])
def database_url(request, tmp_path):
    """An empty database of the service, once in SQLite and once in PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'service.db'}"
    import psycopg  # noqa: PLC0415  only tests with the extra get here

    url, name = request.getfixturevalue("postgres"), f"service_{secrets.token_hex(8)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")  # a database would be 7 MB of files
    return f"{url}&options=-csearch_path%3D{name}"


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)


@pytest.fixture(scope="module")
def chromium():
    """The browser; without one the tests are skipped, and fail where nothing may be skipped.

    It ends with its module: while it is there, nothing else in the process can run an event loop.
    """
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only tests with the extra get here

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        reason = f"no browser: none of {', '.join(BROWSERS)} is installed"
        if os.environ.get("AD_REQUIRE_EXTRAS") == "1":
            pytest.fail(f"{reason}, and AD_REQUIRE_EXTRAS=1 asks for it; try: apt-get install chromium", pytrace=False)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()
