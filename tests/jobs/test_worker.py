"""A worker: every way in which a job can end, and in which a worker can be ended."""

import os
import threading

import pytest

from anomaly_detection.errors import StoreError
from anomaly_detection.jobs.runner import DiedError, Runner
from anomaly_detection.jobs.schedule import Schedules
from anomaly_detection.jobs.worker import Worker
from deadlines import until
from jobs.kinds import KINDS


def put(queue, kind, **payload):
    return queue.put(kind, payload, asked_by="ada")


@pytest.fixture
def running(sqlite_queue):
    """A worker in a thread, stopped in the end."""
    worker = Worker(sqlite_queue, KINDS, poll_seconds=0.02)
    thread = threading.Thread(target=worker.run)
    thread.start()
    yield worker
    worker.stop()
    thread.join(30)
    assert not thread.is_alive()


def ended(queue, job):
    return until(lambda: (now := queue.get(job.id)).ended and now)


def test_every_end_of_a_job_is_kept(sqlite_queue, tmp_path):
    queue = sqlite_queue
    done = put(queue, "note", n=21, folder=str(tmp_path))
    asked = {
        kind: put(queue, kind) for kind in ("bad_input", "no_store", "bug", "odd", "suicide", "nobody", "configured")
    }
    Worker(queue, KINDS).run_waiting()
    while queue.list("waiting"):
        Worker(queue, KINDS).run_waiting()
    now = {kind: queue.get(job.id) for kind, job in asked.items()}
    assert queue.get(done.id).result == {"doubled": 42}
    assert now["configured"].result == {"settings": "mine"}
    assert now["odd"].result == {"not": None, "when": "/x", "n": [1, 2]}
    assert [line.text for line in queue.lines(asked["odd"].id)] == ["\N{REPLACEMENT CHARACTER} ? ä"]
    assert {kind: (job.state, job.attempts) for kind, job in now.items()} == {
        "bad_input": ("failed", 1),
        "no_store": ("failed", 3),
        "bug": ("failed", 3),
        "odd": ("done", 1),
        "suicide": ("failed", 3),
        "nobody": ("failed", 1),
        "configured": ("done", 1),
    }
    assert now["bad_input"].problem == "n=7 is no good."
    assert now["no_store"].problem == "Attempt 3 of 3: The disk is full."
    assert now["bug"].problem == "Attempt 3 of 3: KeyError: 'missing'"
    assert "killed by SIGKILL" in now["suicide"].problem
    assert "Unknown kind 'nobody'. Known: bad_input" in now["nobody"].problem
    assert [line.text for line in queue.lines(asked["suicide"].id)].count("this is the end") == 3


@pytest.mark.usefixtures("running")
def test_progress_is_seen_and_a_running_job_is_cancelled(sqlite_queue):
    job = put(sqlite_queue, "endless")
    until(lambda: sqlite_queue.get(job.id).step == "on and on")
    assert sqlite_queue.cancel(job.id).state == "running"
    assert ended(sqlite_queue, job).state == "cancelled"
    after = put(sqlite_queue, "configured")
    assert ended(sqlite_queue, after).state == "done"


@pytest.mark.usefixtures("running")
def test_a_job_that_does_not_listen_is_ended_by_force(sqlite_queue, monkeypatch):
    monkeypatch.setattr("anomaly_detection.jobs.worker.PATIENCE", 0.1)
    job = put(sqlite_queue, "deaf")
    until(lambda: sqlite_queue.get(job.id).step == "deaf")
    sqlite_queue.cancel(job.id)
    assert ended(sqlite_queue, job).state == "cancelled"


def test_a_worker_that_is_stopped_gives_its_job_back(sqlite_queue):
    job = put(sqlite_queue, "endless")
    worker = Worker(sqlite_queue, KINDS)
    thread = threading.Thread(target=worker.run)
    thread.start()
    until(lambda: sqlite_queue.get(job.id).step == "on and on")
    pid = int(sqlite_queue.lines(job.id)[0].text)
    worker.stop()
    thread.join(30)
    now = sqlite_queue.get(job.id)
    assert (now.state, now.attempts, now.owner) == ("waiting", 0, None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_database_that_is_away_for_a_while_loses_nothing(sqlite_queue, tmp_path, monkeypatch):
    job = put(sqlite_queue, "slow_note", n=1, folder=str(tmp_path), seconds=0.1)
    real, failed = sqlite_queue.database.write, []

    def away():
        if sqlite_queue.get(job.id).state == "running" and len(failed) < 8:
            failed.append(1)
            raise StoreError("The database is away.")
        return real()

    monkeypatch.setattr(sqlite_queue.database, "write", away)
    assert Worker(sqlite_queue, KINDS).run_waiting() == 1
    assert len(failed) == 8
    assert (sqlite_queue.get(job.id).state, sqlite_queue.get(job.id).attempts) == ("done", 1)
    assert (tmp_path / job.id).read_text() == "x"


def test_a_job_that_another_worker_has_by_now_is_let_go(sqlite_queue):
    job = put(sqlite_queue, "endless")
    worker = Worker(sqlite_queue, KINDS)
    thread = threading.Thread(target=worker.run_one)
    thread.start()
    until(lambda: sqlite_queue.get(job.id).step == "on and on")
    sqlite_queue.now = lambda real=sqlite_queue.now: real() + 10 * sqlite_queue.lease
    heir = sqlite_queue.claim("heir")
    thread.join(30)
    assert not thread.is_alive()
    heir.finish({"by": "heir"})
    assert sqlite_queue.get(job.id).result == {"by": "heir"}
    with pytest.raises(DiedError):
        worker._runner.heard(0)


def test_a_worker_puts_what_is_due_by_schedule(sqlite_queue):
    schedules = Schedules(sqlite_queue)
    schedules.put("each minute", "* * * * *", "configured", {})
    sqlite_queue.now = lambda real=sqlite_queue.now: real() + 4 * sqlite_queue.lease
    assert Worker(sqlite_queue, KINDS, schedules).run_waiting() == 1
    assert sqlite_queue.list()[0].asked_by == "schedule each minute"


def test_the_process_of_jobs_ends_when_its_worker_is_killed(sqlite_queue):
    """The runner holds a pipe to its worker; closing our end of it is what a kill does."""
    runner = Runner(KINDS)
    runner.start(put(sqlite_queue, "configured"))
    until(lambda: any("ended" in one for one in runner.heard(0.1)))
    process = runner._process
    runner._connection.close()
    process.join(30)
    assert process.exitcode == 0
    runner._connection = None
    runner.kill()
