"""Models over HTTP: versions, aliases, explanations, evaluation, files; and the audit of changes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from anomaly_detection.pipeline import Pipeline
from anomaly_detection.registry.local import LocalRegistry
from service_support import service

ROWS = [{"amount": 10.0 + i % 7, "days": float(i % 5), "fraud": i % 50 == 49} for i in range(200)]
ODD = {"amount": 900.0, "days": 2.0}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with service(tmp_path_factory.mktemp("home")) as running:
        registry = LocalRegistry(running.context.settings.registry_folder)
        pipeline = Pipeline("isolation_forest", 0.02).fit(pl.DataFrame(ROWS).drop("fraud"))
        for name in ("orders", "orders", "orders", "doomed", "doomed"):
            registry.register(name, pipeline, metrics={"auroc": 0.9})
        yield running


@pytest.fixture
def client(running):
    return running.client


def test_models_are_listed_page_by_page(client):
    first = client.get("/api/v1/models", params={"limit": 1}).json()
    rest = client.get("/api/v1/models", params={"limit": 10, "after": first["after"]}).json()
    names = [one["name"] for one in (*first["items"], *rest["items"])]
    assert names == sorted(names)
    assert "orders" in names
    assert rest["after"] is None


def test_a_model_has_versions_with_what_is_known_of_them(client):
    assert client.get("/api/v1/models/orders").json()["versions"] == [1, 2, 3]
    versions = client.get("/api/v1/models/orders/versions").json()["items"]
    assert [one["version"] for one in versions] == [1, 2, 3]
    assert client.get("/api/v1/models/orders/versions/2").json() == versions[1]
    assert versions[0]["metrics"] == {"auroc": 0.9}


def test_an_alias_is_moved_rolled_back_and_removed(client):
    path = "/api/v1/models/orders/aliases/testing"
    assert client.put(path, json={"version": 1}).json()["aliases"] == ["testing"]
    assert client.put(path, json={"version": 2, "replacing": 1}).json()["version"] == 2
    conflict = client.put(path, json={"version": 3, "replacing": 1})
    assert (conflict.status_code, "points at version 2" in conflict.json()["detail"]) == (409, True)
    assert client.post(f"{path}/rollback").json()["version"] == 1
    assert client.delete(path).json() == {"alias": "testing", "version": 1}
    assert client.delete(path).status_code == 404
    moves = [one["action"] for one in client.get("/api/v1/models/orders/history").json()["items"]]
    assert moves == ["promote", "promote", "rollback", "delete"]


def test_of_two_promotions_at_once_one_wins(client):
    path = "/api/v1/models/orders/aliases/race"
    client.put(path, json={"version": 1})
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda v: client.put(path, json={"version": v, "replacing": 1}), (2, 3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = next(answer.json()["version"] for answer in answers if answer.status_code == 200)
    assert client.get("/api/v1/models/orders").json()["aliases"]["race"] == winner


def test_every_change_is_in_the_audit_and_a_refused_one_is_not(client):
    client.put("/api/v1/models/orders/aliases/audited", json={"version": 2})
    client.put("/api/v1/models/orders/aliases/audited", json={"version": 99})
    newest = client.get("/api/v1/audit", params={"limit": 1}).json()
    (change,) = newest["items"]
    assert (change["actor"], change["action"], change["subject"]) == ("everyone", "promote model", "orders")
    assert change["detail"] == {"alias": "audited", "version": 2}
    older = client.get("/api/v1/audit", params={"after": newest["after"]}).json()["items"]
    assert all(one["id"] < change["id"] for one in older)


def test_a_version_goes_out_as_a_file_and_comes_in_again(client, running):
    exported = client.get("/api/v1/models/orders@2/export")
    assert exported.headers["content-disposition"] == 'attachment; filename="orders-2.zip"'
    imported = client.post("/api/v1/models", content=exported.content, params={"name": "copy"})
    assert imported.status_code == 201
    assert (imported.json()["name"], imported.json()["imported_from"]) == ("copy", "orders@2")
    left = [path.name for path in running.context.settings.home.iterdir()]
    assert not [name for name in left if name.startswith(("import-", "export-"))]


@pytest.mark.parametrize("damage", [lambda data: data[:-40], lambda data: data[::-1], lambda data: data[:0]])
def test_a_file_that_is_damaged_is_refused(client, running, damage):
    data = client.get("/api/v1/models/orders@2/export").content
    answer = client.post("/api/v1/models", content=damage(data), params={"name": "damaged"})
    assert answer.status_code == 422
    assert str(running.context.settings.home) not in answer.text
    assert client.get("/api/v1/models/damaged").status_code == 404


def test_versions_are_deleted_only_if_meant(client):
    client.put("/api/v1/models/doomed/aliases/production", json={"version": 1})
    assert client.delete("/api/v1/models/doomed/versions/1").status_code == 422
    assert client.delete("/api/v1/models/doomed/versions/2").json() == {"deleted": [2]}
    assert client.delete("/api/v1/models/doomed").status_code == 422
    assert client.delete("/api/v1/models/doomed", params={"force": True}).json() == {"deleted": [1]}
    assert client.get("/api/v1/models/doomed").status_code == 404


def test_rows_are_explained(client):
    items = client.post("/api/v1/models/orders/explain", json={"data": [ODD, {"amount": 12.0, "days": 1.0}]}).json()[
        "items"
    ]
    assert [one["is_anomaly"] for one in items] == [True, False]
    assert items[0]["explanation"]["columns"][0]["column"] == "amount"
    assert client.post("/api/v1/models/orders/explain", json={"data": [[900.0, 2.0]]}).json()["items"][0] == items[0]


def test_the_smallest_change_to_normal_is_found(client):
    answer = client.post("/api/v1/models/orders/counterfactual", json={"record": ODD}).json()
    (change,) = answer["counterfactual"]["changes"]
    assert (change["column"], change["from"]) == ("amount", 900.0)
    fixed = {**ODD, "amount": change["to"]}
    again = client.post("/api/v1/models/orders/counterfactual", json={"record": fixed}).json()
    assert again["verdict"]["is_anomaly"] is False
    stuck = client.post("/api/v1/models/orders/counterfactual", json={"record": ODD, "actionable": ["days"]}).json()
    assert stuck["counterfactual"] is None
    assert stuck["why_not"]


def test_labels_tell_how_good_a_model_is_and_which_is_better(client):
    rows = [*ROWS[:40], {**ODD, "fraud": True}]
    found = client.post("/api/v1/models/orders@1/evaluate", json={"data": rows, "label": "fraud"}).json()
    assert (found["rows"], found["anomalies"], found["auroc"]) == (41, 1, 1.0)
    compared = client.post(
        "/api/v1/compare", json={"a": "orders@1", "b": "orders@2", "data": rows, "label": "fraud"}
    ).json()
    assert compared["stored"][0]["metric"] == "auroc"
    assert compared["paired"]["auroc"]["difference"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/api/v1/models/orderz", None, 404, "orders"),
        ("GET", "/api/v1/models/orders/versions/99", None, 404, "99"),
        ("GET", "/api/v1/models/..%2f..%2fetc/versions", None, 404, ""),
        ("GET", "/api/v1/models/.hidden", None, 422, "hidden"),
        ("PUT", "/api/v1/models/orders/aliases/..", {"version": 1}, 405, ""),
        ("PUT", "/api/v1/models/orders/aliases/7", {"version": 1}, 422, "7"),
        ("POST", "/api/v1/models/orders/explain", {"data": [{"amount": 1.0}]}, 422, "days"),
        ("POST", "/api/v1/models/orders/explain", {"data": [[1.0]]}, 422, "2"),
        ("POST", "/api/v1/models/orders/explain", {"data": [ODD], "actionable": ["x"]}, 422, "x"),
        ("POST", "/api/v1/models/orders/evaluate", {"data": [ODD], "label": "amount"}, 422, "900"),
        ("POST", "/api/v1/models/orders/evaluate", {"data": [ODD], "label": "fraud"}, 422, "fraud"),
        ("POST", "/api/v1/compare", {"a": "orders@1", "b": "orders@2", "label": "x"}, 422, "belong"),
    ],
)
def test_what_is_wrong_is_named(client, method, path, body, status, words):
    answer = client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert words in answer.text


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/v1/models", "read"),
        ("GET", "/api/v1/algorithms", "read"),
        ("PUT", "/api/v1/models/none/aliases/production", "admin"),
        ("DELETE", "/api/v1/models/none", "admin"),
        ("POST", "/api/v1/models", "admin"),
        ("POST", "/api/v1/models/none/explain", "score"),
        ("POST", "/api/v1/detection/run", "score"),
        ("POST", "/api/v1/detect/volume", "score"),
        ("GET", "/api/v1/audit", "admin"),
    ],
)
def test_each_route_asks_for_its_scope(closed, method, path, scope):
    service_, keys = closed
    body = {"version": 1, "data": [[1]], "table_id": "t", "current_row_count": 1}
    for name, headers in keys.items():
        answer = service_.client.request(method, path, json=body, headers=headers)
        assert (answer.status_code == 403) == (name not in {scope, "admin"}), (name, answer.text)
    assert service_.client.request(method, path, json=body).status_code == 401


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with service(tmp_path_factory.mktemp("closed"), open_access=False) as running:
        yield running, {scope: running.key(scope, name=scope) for scope in ("read", "score", "train", "admin")}
