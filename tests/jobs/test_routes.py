"""Jobs, uploads and schedules over HTTP."""

import threading

import msgspec
import pytest

from anomaly_detection.api.principal import Principal
from anomaly_detection.api.schemas.jobs import UPLOAD
from anomaly_detection.jobs.worker import Worker
from jobs.kinds import KINDS
from jobs.routes import ADA, service

READER = Principal("ben", frozenset({"read"}))
SCORER = Principal("eve", frozenset({"read", "score"}))
ADMIN = Principal("root", frozenset({"admin"}))
TABLE = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n % 7) for n in range(50))


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with service(tmp_path_factory.mktemp("service"), max_body=2**16) as running:
        yield running


@pytest.fixture
def ask(running):
    return running.ask


@pytest.fixture
def upload(ask):
    return ask("POST", "/api/v1/uploads?name=orders.csv", content=TABLE).json()["id"]


def train(upload, **more):
    return {"kind": "train", "payload": {"upload": upload, "name": "orders"}, **more}


def test_a_job_is_accepted_and_shown(ask, upload):
    answer = ask("POST", "/api/v1/jobs", json=train(upload, priority=2))
    job = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (202, f"/api/v1/jobs/{job['id']}")
    assert (job["state"], job["asked_by"], job["priority"]) == ("waiting", "ada", 2)
    assert ask("GET", answer.headers["location"]).json() == job
    assert ask("GET", "/api/v1/jobs", params={"limit": 1}).json()["items"] == [job]
    assert ask("GET", f"/api/v1/jobs/{job['id']}/lines").json() == {"items": [], "after": 0}
    assert "owner" not in job


def test_a_file_comes_as_a_body_or_in_a_form_and_is_kept_as_it_was(running, ask):
    raw = ask("POST", "/api/v1/uploads", params={"name": "../../etc/o.csv.gz"}, content=TABLE)
    form = ask("POST", "/api/v1/uploads", files={"file": ("my orders.JSONL", TABLE)})
    nameless = ask("POST", "/api/v1/uploads", content=TABLE)
    for answer, ending in ((raw, ".csv.gz"), (form, ".jsonl"), (nameless, "")):
        assert answer.status_code == 201
        assert answer.json()["size"] == len(TABLE)
        assert answer.json()["id"][32:] == ending
        assert running.context.uploads.path(answer.json()["id"]).read_bytes() == TABLE


def test_files_that_cannot_be_are_refused_and_leave_nothing(running, ask):
    before = sorted(running.context.uploads.folder.iterdir())
    assert ask("POST", "/api/v1/uploads", content=b"x" * (2**16 + 1)).status_code == 413
    assert ask("POST", "/api/v1/uploads", content=b"").status_code == 422
    assert ask("POST", "/api/v1/uploads", data={"other": "1"}, files={"file2": b"1"}).status_code == 422
    assert ask("POST", "/api/v1/uploads", content=TABLE, caller=READER).status_code == 403
    assert sorted(running.context.uploads.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "train", "payload": {"upload": "0" * 32, "name": "orders"}}, 404),
        ({"kind": "train", "payload": {"upload": "../../../../../../etc/passwd/../x", "name": "orders"}}, 404),
        ({"kind": "train", "payload": {"upload": "0" * 32, "name": "orders", "path": "/etc/passwd"}}, 422),
        ({"kind": "train", "payload": {}}, 422),
        ({"kind": "shell", "payload": {}}, 422),
        ({"kind": "volume", "payload": {"table_id": "t", "training_days": 0}}, 422),
        ({"kind": "volume", "payload": {"table_id": "t"}, "priority": 1e9}, 422),
        ({"kind": "volume", "payload": {"table_id": "t"}, "dedupe": "a\0b"}, 422),
        ({"kind": "volume", "payload": {"table_id": "t"}, "run_after": "9999-12-31T23:59:59-14:00"}, 422),
        ({"kind": "volume", "payload": {"table_id": "t"}, "run_after": "2026-01-01T00:00:00"}, 422),
        ([], 422),
    ],
)
def test_jobs_that_cannot_be_are_refused(ask, body, status):
    answer = ask("POST", "/api/v1/jobs", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_scopes_are_held_to(ask, upload):
    job = ask("POST", "/api/v1/jobs", json=train(upload)).json()["id"]
    detect = {"kind": "detect", "payload": {"upload": upload, "model": "orders"}}
    assert ask("POST", "/api/v1/jobs", json=train(upload), caller=SCORER).status_code == 403
    assert ask("POST", "/api/v1/jobs", json=detect, caller=SCORER).status_code == 202
    assert ask("POST", "/api/v1/jobs", json={"kind": "retain"}, caller=ADA).status_code == 403
    assert ask("POST", "/api/v1/jobs", json={"kind": "retain"}, caller=ADMIN).status_code == 202
    assert ask("POST", f"/api/v1/jobs/{job}/cancel", caller=SCORER).status_code == 403
    assert ask("GET", f"/api/v1/jobs/{job}", caller=None).status_code == 401
    assert ask("GET", f"/api/v1/jobs/{job}", caller=READER).json()["state"] == "waiting"


@pytest.mark.parametrize(
    ("kind", "outside", "inside"),
    [
        ("volume", {"priority": True}, {"table_id": "orders"}),
        ("volume", {"max_attempts": "3"}, {"table_id": "orders"}),
        ("volume", {}, {"table_id": "orders", "training_days": True}),
        ("retain", {}, {"days": "30"}),
        ("retain", {}, {"days": True}),
    ],
)
def test_numbers_are_numbers(ask, kind, outside, inside):
    answer = ask("POST", "/api/v1/jobs", json={"kind": kind, "payload": inside, **outside}, caller=ADMIN)
    assert answer.status_code == 422, answer.text


def test_jobs_are_cancelled_and_tried_again(ask, upload):
    job = ask("POST", "/api/v1/jobs", json=train(upload)).json()["id"]
    assert ask("POST", f"/api/v1/jobs/{job}/retry").status_code == 409
    assert ask("POST", f"/api/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
    assert ask("POST", f"/api/v1/jobs/{job}/cancel").json()["state"] == "cancelled"
    assert ask("POST", f"/api/v1/jobs/{job}/retry").json()["state"] == "waiting"
    for path in ("", "/lines", "/result", "/events"):
        assert ask("GET", f"/api/v1/jobs/{'0' * 32}{path}").status_code == 404


def test_one_name_is_one_job_of_a_caller(ask):
    body = {"kind": "volume", "payload": {"table_id": "t"}, "dedupe": "today"}
    first, again, other = (ask("POST", "/api/v1/jobs", json=body, caller=who).json()["id"] for who in (ADA, ADA, ADMIN))
    assert first == again != other


def test_lists_are_given_page_by_page(ask):
    ids = [ask("POST", "/api/v1/train/volume-anomaly", json={"table_id": f"t{n}"}).json()["id"] for n in range(3)]
    first = ask("GET", "/api/v1/jobs", params={"limit": 2, "kind": "volume"}).json()
    second = ask("GET", "/api/v1/jobs", params={"limit": 1, "kind": "volume", "after": first["after"]}).json()
    assert [job["id"] for job in first["items"] + second["items"]] == ids[::-1]
    assert ask("GET", "/api/v1/jobs", params={"limit": 1001}).status_code == 422
    for wrong in ({"state": "odd"}, {"kind": "a\0"}, {"after": "a\0"}, {"limit": 0}):
        assert ask("GET", "/api/v1/jobs", params=wrong).status_code == 422
    raw = b'{"kind": "train", "payload": {"upload": "%s", "name": "o", "parameters": {"n": %s}}}'
    for odd in (b"NaN", b"1e999", b'"\\ud800"'):
        assert ask("POST", "/api/v1/jobs", content=raw % (b"0" * 32, odd)).status_code in {404, 422}


def test_a_job_is_followed_to_its_end(tmp_path):
    with service(tmp_path / "home") as running:
        job = running.queue.put("slow_note", {"n": 1, "folder": str(tmp_path), "seconds": 0.2}, asked_by="ada")
        worker = threading.Thread(target=Worker(running.queue, KINDS).run_waiting)
        worker.start()
        stream = running.ask("GET", f"/api/v1/jobs/{job.id}/events", timeout=60).text
        worker.join()
        again = running.ask("GET", f"/api/v1/jobs/{job.id}/events").text
    sent = [dict(line.split(": ", 1) for line in event.splitlines()) for event in stream.split("\n\n") if event]
    states = [msgspec.json.decode(event["data"])["state"] for event in sent if event["event"] == "job"]
    assert "running" in states
    assert states[-1] == "done"
    assert again.count("event: job") == 1


def test_schedules_are_made_changed_and_removed(ask, upload):
    body = {"cron": "30 3 * * *", "zone": "Europe/Berlin", "job": train(upload)}
    made = ask("PUT", "/api/v1/schedules/nightly", json=body).json()
    assert (made["kind"], made["payload"]["name"], made["enabled"]) == ("train", "orders", True)
    changed = ask("PUT", "/api/v1/schedules/nightly", json={**body, "enabled": False}).json()
    assert changed == {**made, "enabled": False}
    assert ask("GET", "/api/v1/schedules").json() == {"items": [changed], "after": None}
    assert ask("GET", "/api/v1/schedules/nightly").json() == changed
    assert ask("DELETE", "/api/v1/schedules/nightly", caller=SCORER).status_code == 403
    assert ask("DELETE", "/api/v1/schedules/nightly").status_code == 204
    assert ask("GET", "/api/v1/schedules/nightly").status_code == 404


@pytest.mark.parametrize(
    "wrong", [{"cron": "every day at 3"}, {"zone": "Mars/North"}, {"job": {"kind": "x"}}, {"more": 1}]
)
def test_schedules_that_cannot_be_are_refused(ask, upload, wrong):
    body = {"cron": "30 3 * * *", "job": train(upload), **wrong}
    assert ask("PUT", "/api/v1/schedules/nightly", json=body).status_code == 422
    assert ask("GET", "/api/v1/schedules").json()["items"] == []


def test_the_examples_of_the_documentation_are_valid(ask, upload):
    paths = ask("GET", "/openapi.json").json()["paths"]
    for path, method in (("/api/v1/jobs", "post"), ("/api/v1/schedules/{name}", "put")):
        examples = paths[path][method]["requestBody"]["content"]["application/json"]["examples"]
        for example in examples.values():
            text = msgspec.json.encode(example["value"]).replace(UPLOAD.encode(), upload.encode())
            body = msgspec.json.decode(text)
            assert ask(method, path.format(name="x"), json=body, caller=ADMIN).status_code in {200, 202}
