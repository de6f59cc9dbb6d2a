"""Keys, tokens, scopes: who gets in, and what a refusal says."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from anomaly_detection.api import Context
from anomaly_detection.api.middleware import stack
from anomaly_detection.api.principal import EVERYONE, Principal
from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.pipeline import Pipeline
from anomaly_detection.settings import Settings
from anomaly_detection.store import Database, audit, keys, upgrade
from anomaly_detection.workflows.api_keys import create_key, create_token, first_key, list_keys, revoke_key
from service_support import Service, running, service, until

if TYPE_CHECKING:
    import httpx

NORMAL = pl.DataFrame({"a": [0.1 * (7 * n % 300) for n in range(300)]})


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with service(tmp_path_factory.mktemp("closed"), open_access=False) as running:
        yield running


def post_token(closed: Service, headers: dict[str, str]) -> httpx.Response:
    return closed.client.post("/api/v1/tokens", headers=headers)


def test_nobody_gets_in_without_a_key(closed):
    answer = post_token(closed, {})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("name", ["Authorization", "X-API-Key", "Ocp-Apim-Subscription-Key"])
def test_a_key_is_taken_from_where_clients_put_it(closed, name):
    secret = closed.key("read", name=f"by {name}")["Authorization"].removeprefix("Bearer ")
    given = f"Bearer {secret}" if name == "Authorization" else secret
    assert post_token(closed, {name: given}).status_code == 201


@pytest.mark.parametrize(
    "wrong", ["Bearer ad_unknown", "Basic dXNlcjpwYXNz", "Bearer", "\xff\xfe", "Bearer " + "x" * 5000]
)
def test_a_wrong_key_is_refused(closed, wrong):
    assert post_token(closed, {"Authorization": wrong.encode("latin-1")}).status_code == 401


def test_a_revoked_key_stops_within_two_seconds(closed):
    headers = closed.key("read", name="to be revoked")
    assert post_token(closed, headers).status_code == 201
    other_process = Database(closed.context.settings.database_url)
    revoke_key(other_process, "to be revoked", asked_by="test")
    other_process.close()
    until(lambda: post_token(closed, headers).status_code == 401, "the key stopped", 2.0)


def test_a_revoked_key_ends_what_its_holder_follows(closed):
    headers = closed.key("read", "score", name="to be ended")
    token = post_token(closed, headers).json()["token"]
    with closed.client.stream("GET", f"/api/v1/events?token={token}") as followed:
        lines = followed.iter_lines()
        assert next(lines) == "retry: 2000"
        revoke_key(closed.context.database, "to be ended", asked_by="test")
        closed.context.keys.look()
        closed.context.events.publish("alert", {})
        assert "event: alert" not in list(lines)
    assert closed.client.post(f"/api/v1/tokens?token={token}").status_code == 401


def test_who_came_without_a_key_goes_on_until_their_token_ends(closed):
    now = time.time()
    told = [Principal("oidc ann", frozenset(), ends=ends) for ends in (now - 1, now + 60)]
    assert [closed.context.keys.has_ended(one) for one in (*told, EVERYONE)] == [True, False, False]


def test_a_revoked_key_ends_its_streams(closed):
    closed.context.models.registry.register("orders", Pipeline("mad").fit(NORMAL))
    headers = closed.key("score", name="streaming")
    address = closed.url.replace("http", "ws") + "/api/v1/stream/orders"
    with connect(address, additional_headers=headers) as talking:
        assert json.loads(talking.recv())["type"] == "ready"
        talking.send('{"a": 1}')
        assert json.loads(talking.recv())["type"] == "verdicts"
        revoke_key(closed.context.database, "streaming", asked_by="test")
        closed.context.keys.look()
        talking.send('{"a": 1}')
        with pytest.raises(ConnectionClosed, match="The key of this connection has ended"):
            talking.recv()


def test_a_key_made_by_another_process_works_at_once(closed):
    other_process = Database(closed.context.settings.database_url)
    _, secret = create_key(other_process, "new", ("read",), asked_by="test")
    other_process.close()
    assert post_token(closed, {"X-API-Key": secret}).status_code == 201


def test_a_key_ends_at_its_expiry(closed):
    with closed.context.database.write() as connection:
        _, secret = keys.create(connection, "short", ("read",), datetime.now(UTC) + timedelta(seconds=0.7))
    assert post_token(closed, {"X-API-Key": secret}).status_code == 201
    until(lambda: post_token(closed, {"X-API-Key": secret}).status_code == 401, "the key expired", 2.0)


def test_keys_that_are_known_work_while_the_database_is_down(closed, monkeypatch):
    headers = closed.key("read", name="known")
    secret = headers["Authorization"].removeprefix("Bearer ")
    with monkeypatch.context() as patched:
        patched.setattr(closed.context.database, "engine", Database("sqlite:////nowhere/at/all.db").engine)
        assert closed.context.keys.check_again("ad_unknown") is None
        assert closed.context.keys.check(secret).name == "known"


def test_a_token_has_the_scopes_of_its_maker_and_may_stand_in_an_address(closed):
    token = post_token(closed, closed.key("score", name="maker")).json()["token"]
    assert closed.context.keys.check(token).scopes == {"score"}
    assert closed.client.post(f"/api/v1/tokens?token={token}").status_code == 201


def test_a_key_that_lasts_is_not_taken_from_an_address(closed):
    secret = closed.key("read", name="lasting")["Authorization"].removeprefix("Bearer ")
    assert closed.client.post(f"/api/v1/tokens?token={secret}").status_code == 401


def test_a_websocket_needs_a_key(closed):
    address = closed.url.replace("http", "ws") + "/api/v1/stream/none"
    with pytest.raises(InvalidStatus) as refused, connect(address):
        pass
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["status"] == 401


async def stream(scope, receive, send):
    """A route that says which subprotocols it sees, and who asks."""
    await receive()
    await send({"type": "websocket.accept"})
    seen = f"{scope['principal'].name} {scope['subprotocols']}"
    await send({"type": "websocket.send", "text": seen})
    await send({"type": "websocket.close"})


@pytest.mark.parametrize("as_subprotocol", [True, False])
def test_a_websocket_opens_with_a_token_that_its_route_does_not_see(tmp_path, as_subprotocol):
    context = Context.open(Settings(home=tmp_path))
    app = stream
    for each in reversed(stack(context)):
        app = each.cls(app, *each.args, **each.kwargs)
    with running(app) as url:
        _, token = create_token(context.database, "browser", ("score",))
        given = {"subprotocols": ["anomaly-detection", token]} if as_subprotocol else {}
        address = url.replace("http", "ws") + ("/s" if as_subprotocol else f"/s?token={token}")
        with connect(address, **given) as socket:
            assert socket.subprotocol == ("anomaly-detection" if as_subprotocol else None)
            assert socket.recv() == f"browser {['anomaly-detection'] if as_subprotocol else []}"
    context.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "rebound.example"}, 403),
        ({"Authorization": "Bearer whatever"}, 201),
    ],
)
def test_open_access_is_for_this_machine_and_not_for_pages_of_other_sites(tmp_path, headers, status):
    with service(tmp_path) as running:
        assert post_token(running, headers).status_code == status


def test_the_first_start_makes_one_key_and_only_one(tmp_path):
    database = Database.in_folder(tmp_path)
    upgrade(database)
    assert first_key(database).startswith("ad_")
    assert first_key(database) is None
    assert [(key.name, key.scopes) for key in list_keys(database)] == [("admin", ("admin",))]
    database.close()


def test_a_secret_is_nowhere_in_the_database(tmp_path):
    database = Database.in_folder(tmp_path)
    upgrade(database)
    _, secret = create_key(database, "orders", ("read",), 1.5, asked_by="me")
    with database.read() as connection:
        (change,) = audit.newest(connection, 10)
    database.close()
    assert (change.actor, change.action, change.subject) == ("me", "create key", "orders")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret.encode() not in kept
    assert keys.digest_of(secret).encode() in kept


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [("", ("read",), 1), ("x" * 101, ("read",), 1), ("a\nb", ("read",), 1), ("a", (), 1), ("a", ("all",), 1),
     ("a", ("read",), 0), ("a", ("read",), float("nan"))],
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_refused(tmp_path, name, scopes, days):
    database = Database.in_folder(tmp_path)
    upgrade(database)
    with pytest.raises(ParameterError):
        create_key(database, name, scopes, days, asked_by="me")
    assert list_keys(database) == []
    database.close()


def test_two_keys_in_use_have_two_names(tmp_path):
    database = Database.in_folder(tmp_path)
    upgrade(database)
    create_key(database, "orders", ("read",), asked_by="me")
    with pytest.raises(InputError, match="in use"):
        create_key(database, "orders", ("read",), asked_by="me")
    revoke_key(database, "orders", asked_by="me")
    create_key(database, "orders", ("read",), asked_by="me")
    assert [key.state for key in list_keys(database)] == ["revoked", "active"]
    with pytest.raises(InputError, match="no key"):
        revoke_key(database, "nobody", asked_by="me")
    database.close()


def test_a_rate_that_is_none_is_refused_at_the_start(tmp_path):
    with pytest.raises(ValueError, match="parse"):
        Settings(home=tmp_path, rate="often")


def test_uploads_are_limited_in_sum(tmp_path):
    with service(tmp_path, max_uploads=2048) as running:
        table = b"a\n" + b"1\n" * 800
        for _ in range(2):
            assert running.client.post("/api/v1/uploads", content=table).status_code == 201
        refused = running.client.post("/api/v1/uploads", content=table)
        assert (refused.status_code, refused.headers["content-type"]) == (507, "application/problem+json")
        assert "Delete old ones" in refused.json()["detail"]
        assert len(list((tmp_path / "home" / "uploads").iterdir())) == 2
