"""Who gets in, what a form has to bring, and what happens when something is missing or down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from anomaly_detection.store import tables
from anomaly_detection.store.keys import digest_of
from anomaly_detection.store.sessions import close_session, key_of, open_session
from service_support import until
from web.served import series_table, served

PAGES = ("/", "/explore", "/alerts", "/logs", "/quality", "/models", "/detection", "/jobs", "/settings", "/reference")


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    """A service that asks for keys, and takes little at once."""
    with served(tmp_path_factory.mktemp("closed"), open_access=False, max_body=20_000) as found:
        yield found


@pytest.fixture
def browser(closed):
    with httpx.Client(base_url=closed.url, timeout=60) as client:
        yield client


def make_key(closed, secret, *scopes, expires=None):
    row = {"id": secret[:32], "name": secret, "digest": digest_of(secret), "scopes": list(scopes)}
    with closed.context.database.write() as connection:
        connection.execute(sa.delete(tables.api_keys).where(tables.api_keys.c.id == row["id"]))
        connection.execute(sa.insert(tables.api_keys).values({**row, "created": datetime.now(UTC), "expires": expires}))


def token(client, place="/login"):
    return client.get(place).text.split('name="csrf" value="')[1].split('"')[0]


def sign_in(client, key, place="/"):
    return client.post("/login", data={"csrf": token(client), "key": key, "next": place})


@pytest.mark.parametrize("place", PAGES)
def test_nobody_gets_in_without_a_key(browser, place):
    answer = browser.get(place)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/login?next={place}")


def test_a_key_becomes_a_session_that_scripts_cannot_read(closed, browser):
    make_key(closed, "reader", "read")
    answer = sign_in(browser, "reader", "/jobs")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "reader" not in cookie
    assert browser.get("/").status_code == 200
    with closed.context.database.read() as connection:
        kept = connection.execute(sa.select(tables.sessions)).mappings().all()
    assert browser.cookies["anomaly_detection"] not in str(kept)


def test_signing_in_changes_the_cookie(closed, browser):
    make_key(closed, "reader", "read")
    browser.get("/login")
    before = browser.cookies["anomaly_detection"]
    sign_in(browser, "reader")
    assert browser.cookies["anomaly_detection"] != before


@pytest.mark.parametrize("key", ["unknown", "", "ended"])
def test_a_wrong_key_is_refused(closed, browser, key):
    make_key(closed, "ended", "read", expires=datetime.now(UTC) - timedelta(seconds=1))
    answer = sign_in(browser, key)
    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert browser.get("/").status_code == 303


def test_a_revoked_key_ends_its_sessions(closed, browser):
    make_key(closed, "leaver", "read")
    sign_in(browser, "leaver")
    assert browser.get("/").status_code == 200
    with closed.context.database.write() as connection:
        mine = sa.update(tables.api_keys).where(tables.api_keys.c.name == "leaver")
        connection.execute(mine.values(revoked=datetime.now(UTC)))
    until(lambda: browser.get("/").status_code == 303, "the session has ended")


def test_signing_out_ends_the_session(closed, browser):
    make_key(closed, "reader", "read")
    sign_in(browser, "reader")
    old = browser.cookies["anomaly_detection"]
    browser.post("/logout", data={"csrf": token(browser, "/")})
    assert httpx.get(closed.url, cookies={"anomaly_detection": old}).status_code == 303


def test_a_session_ends_by_itself(closed):
    make_key(closed, "reader", "read")
    now, lasts = datetime.now(UTC), timedelta(hours=1)
    with closed.context.database.write() as connection:
        open_session(connection, "s" * 43, "reader", now, lasts)
        assert key_of(connection, "s" * 43, now + lasts - timedelta(seconds=1)) == digest_of("reader")
        assert key_of(connection, "s" * 43, now + lasts) is None
        close_session(connection, "s" * 43)
        assert key_of(connection, "s" * 43, now) is None


@pytest.mark.parametrize("place", ["//evil.example/", "https://evil.example", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(closed, browser, place):
    make_key(closed, "reader", "read")
    assert sign_in(browser, "reader", place).headers["Location"] == "/"


def test_a_form_from_elsewhere_does_nothing(closed, browser):
    make_key(closed, "trainer", "read", "train", "score")
    sign_in(browser, "trainer")
    good = token(browser, "/models")
    for data, headers in (
        ({}, {}),
        ({"csrf": "f" * 64}, {}),
        ({"csrf": good}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        assert browser.post("/models", data={**data, "name": "x"}, headers=headers).status_code == 403
    other = httpx.Client(base_url=closed.url, timeout=60)
    assert browser.post("/models", data={"csrf": token(other), "name": "x"}).status_code == 403
    other.close()
    assert browser.post("/models", data={"csrf": good, "name": "x"}).status_code == 422


def test_scopes_are_kept(closed, browser):
    make_key(closed, "reader", "read")
    sign_in(browser, "reader")
    form = {"csrf": token(browser, "/models"), "rows": "a\n1"}
    assert browser.post("/detection", data=form).status_code == 403
    assert browser.post("/models", data=form).status_code == 403
    assert "Keys" not in browser.get("/settings").text
    make_key(closed, "trainer", "read", "train")
    sign_in(browser, "trainer")
    form = {"csrf": token(browser, "/models"), "version": "1"}
    assert browser.post("/models/orders/promote", data=form).status_code == 403
    job = closed.context.queue.put("retain", {}, asked_by="chief", run_after=datetime.now(UTC) + timedelta(days=1))
    assert browser.post(f"/jobs/{job.id}/cancel", data=form).status_code == 403
    make_key(closed, "scorer", "score")
    sign_in(browser, "scorer")
    answer = browser.get("/")
    assert answer.status_code == 403
    assert "scope" in answer.text


def test_administrators_see_keys_without_secrets(closed, browser):
    make_key(closed, "chief", "admin")
    sign_in(browser, "chief")
    page = browser.get("/settings").text
    assert "chief" in page
    with closed.context.database.read() as connection:
        digests = connection.scalars(sa.select(tables.api_keys.c.digest)).all()
    assert not any(digest in page for digest in digests)


def test_what_is_too_large_is_refused(closed, browser):
    make_key(closed, "scorer", "read", "score")
    sign_in(browser, "scorer")
    files = {"file": ("big.csv", b"a\n" + b"1\n" * 20_000, "text/csv")}
    answer = browser.post("/detection", data={"csrf": token(browser, "/detection")}, files=files)
    assert answer.status_code == 413
    assert "20,000 bytes" in answer.text


PLACES = ("/static/../app.py", "/static/%2e%2e/app.py", "/detection/../../etc", f"/detection/{'0' * 32}/report")


@pytest.mark.parametrize("place", [*PLACES, "/nope", "/alerts/1", "/jobs/1", "/models/none", "/quality/none"])
def test_what_is_not_there_is_a_page_too(bare, place):
    answer = httpx.get(bare.url + place, follow_redirects=True)
    assert answer.status_code == 404
    if not place.startswith("/static"):
        assert "There is no such page" in answer.text


@pytest.mark.parametrize("place", ["/detection/..%2f..%2fservice.db/report", "/detection/.hidden", "/explore?run=../x"])
def test_no_request_names_a_path(bare, place):
    assert httpx.get(bare.url + place).status_code == 404


def test_a_mistake_of_the_program_shows_nothing_of_itself(bare, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret details")

    monkeypatch.setattr("anomaly_detection.jobs.queue.Queue.list", broken)
    answer = httpx.get(f"{bare.url}/jobs")
    assert answer.status_code == 500
    assert "mistake of the program" in answer.text
    assert "secret" not in answer.text


def test_a_database_that_is_down_is_said_so(tmp_path):
    with served(tmp_path) as found:
        assert httpx.get(found.url).status_code == 200
        with found.context.database.write() as connection:
            connection.execute(sa.text("DROP TABLE alerts"))
        answer = httpx.get(found.url)
        assert answer.status_code == 503
        assert "The database does not answer" in answer.text
        assert httpx.get(f"{found.url}/detection").status_code == 200


def test_an_upload_keeps_nothing_of_its_name(tmp_path):
    with served(tmp_path) as found, httpx.Client(base_url=found.url, timeout=60) as client:
        rows = series_table(80).write_csv().encode()
        files = {"file": ("../../evil.csv", rows, "text/csv")}
        form = {"csrf": token(client, "/detection"), "algorithm": "mad"}
        answer = client.post("/detection", data=form, files=files)
        assert answer.status_code == 303
        assert "Anomalies in evil.csv" in client.get(answer.headers["Location"]).text
    names = {path.name for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    assert names == {"data.csv", "results.json", "rows.parquet", "report.html", "about.json"}


def test_changes_are_told_as_events(bare):
    with httpx.stream("GET", f"{bare.url}/live?since=jobs-else", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        lines = (line for line in answer.iter_lines() if line.startswith("event:"))
        assert next(lines) in {"event: alerts", "event: activity", "event: jobs", "event: checks"}
