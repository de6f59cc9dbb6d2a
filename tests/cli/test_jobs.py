"""``jobs`` and ``worker`` as they are typed."""

import json

import pytest

from anomaly_detection.cli.app import run
from anomaly_detection.jobs import Queue
from anomaly_detection.store import Database, upgrade

SECRET = "very-quiet"


@pytest.fixture
def queue(tmp_path, monkeypatch):
    monkeypatch.setenv("ANOMALY_DETECTION_HOME", str(tmp_path))
    database = Database.in_folder(tmp_path)
    upgrade(database)
    yield Queue(database)
    database.close()


def test_jobs_are_seen_and_ended(queue, capsys):
    job = queue.put("retain", {}, asked_by="a\x1b[31mda")
    assert run(["jobs", "list", "--json"]) == 0
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == [job.id]
    assert run(["jobs", "cancel", job.id]) == 0
    assert capsys.readouterr().out == f"The job {job.id} is cancelled.\n"
    assert run(["jobs", "list", "--state", "cancelled"]) == 0
    shown = capsys.readouterr().out
    assert "retain" in shown
    assert "\x1b[31m" not in shown
    assert run(["jobs", "retry", job.id]) == 0
    assert queue.get(job.id).state == "waiting"
    queue.claim("w").fail("no room", ["a line"], final=True)
    capsys.readouterr()
    assert run(["jobs", "show", job.id]) == 0
    shown = capsys.readouterr().out
    assert "a line" in shown
    assert "no room" in shown
    assert run(["jobs", "show", job.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"][0]["text"] == "a line"


@pytest.mark.parametrize("command", ["show", "cancel", "retry"])
@pytest.mark.usefixtures("queue")
def test_an_unknown_job_is_bad_input(command, capsys):
    assert run(["jobs", command, "nine"]) == 2
    assert "There is no job 'nine'" in capsys.readouterr().err


@pytest.mark.usefixtures("queue")
def test_an_unknown_state_is_bad_input(capsys):
    assert run(["jobs", "list", "--state", "runing"]) == 2
    assert "Did you mean 'running'" in capsys.readouterr().err


def test_a_worker_does_what_waits(queue, capsys):
    job = queue.put("retain", {"days": 1.0}, asked_by="ada")
    assert run(["worker", "--once"]) == 0
    assert "1 job done." in capsys.readouterr().err
    assert queue.get(job.id).state == "done"


def test_a_worker_takes_the_database_it_is_given(queue, tmp_path, capsys):
    other = Database.in_folder(tmp_path / "other")
    upgrade(other)
    job = Queue(other).put("retain", {}, asked_by="ada")
    assert run(["worker", "--once", "--database", f"sqlite:///{tmp_path / 'other' / 'service.db'}"]) == 0
    assert Queue(other).get(job.id).state == "done"
    assert queue.list() == ()
    other.close()
    assert run(["worker", "--once", "--database", f"mysql://x:{SECRET}@y/z"]) == 2
    assert SECRET not in capsys.readouterr().err
