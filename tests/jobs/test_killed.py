"""kill -9 at random moments: no acknowledged job is lost or done twice, and nobody repairs anything."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from anomaly_detection.jobs.pool import Pool
from anomaly_detection.registry.local import LocalRegistry
from deadlines import until
from jobs import killing
from running_service import children, is_up, running

TABLE = b"a,b\n" + b"".join(b"%d,%d\n" % ((n * 7919) % 101, n % 13) for n in range(120))
TRAIN = {"name": "orders", "algorithm": "hbos"}


@pytest.mark.parametrize("kills", [50])
def test_processes_that_put_and_do_jobs_are_killed(database_url, tmp_path, kills):
    kills = kills if database_url.startswith("sqlite") else kills // 3
    traces = tmp_path / "traces"
    traces.mkdir()
    program = [sys.executable, killing.__file__, database_url, str(traces), str(kills)]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=200, check=False)
    assert ran.returncode == 0, ran.stderr
    acknowledged = ran.stdout.split()
    queue = killing.queue_at(database_url)
    jobs = {job.id: job for job in queue.list(limit=1000)}
    assert len(acknowledged) > kills
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(jobs)
    assert len(jobs) <= len(acknowledged) + kills
    for job in jobs.values():
        assert (job.state, job.result) == ("done", {"doubled": 2 * job.payload["n"]})
        assert [line.text for line in queue.lines(job.id)].count(killing.FINISHED) == 1
        assert 1 <= len((traces / job.id).read_text()) <= job.attempts
    queue.database.close()


def workers_of(service):
    """The worker processes of a service; it may have others."""
    found = []
    for pid in children(service.process.pid):
        with suppress(FileNotFoundError, ProcessLookupError):
            if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
    return found


def kill_in_the_middle_of_a_training(service):
    """Ask for two trainings, kill the service while one runs; the jobs. All its processes end by themselves."""
    upload = service.client.post("/api/v1/uploads?name=orders.csv", content=TABLE).json()["id"]
    body = {"kind": "train", "payload": {**TRAIN, "upload": upload}}
    asked = [service.client.post("/api/v1/jobs", json=body).json()["id"] for _ in range(2)]
    until(lambda: service.client.get("/api/v1/jobs?state=running").json()["items"])
    workers = workers_of(service)
    runners = until(lambda: [pid for worker in workers for pid in children(worker)])
    service.stop(signal.SIGKILL)
    until(lambda: not any(map(is_up, [*workers, *runners])))
    return asked


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes as Linux shows them")
def test_a_service_that_is_killed_while_it_trains_goes_on(tmp_path):
    acknowledged = []
    for _ in range(2):
        with running(tmp_path, "--workers", "1") as service:
            acknowledged += kill_in_the_middle_of_a_training(service)
    with running(tmp_path, "--workers", "1") as service:
        jobs = [f"/api/v1/jobs/{job}" for job in acknowledged]
        until(lambda: all(service.client.get(job).json()["ended"] for job in jobs), 120)
        done = [service.client.get(job).json() for job in jobs]
        workers = workers_of(service)
        service.stop()
        assert not any(map(is_up, workers))
    assert [job["state"] for job in done] == ["done"] * len(acknowledged)
    made = LocalRegistry(tmp_path / "home" / "registry").versions("orders")
    assert sorted(version.lineage.job for version in made) == sorted(acknowledged)
    assert sorted(job["result"]["version"] for job in done) == [version.version for version in made]


def test_workers_that_die_are_started_again_and_end_with_their_pool(monkeypatch):
    monkeypatch.setattr("anomaly_detection.jobs.pool.FIRST_PAUSE", 0.01)
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with Pool(2, dict(os.environ), command) as pool:
        first = until(lambda: len(pool.pids) == 2 and pool.pids)
        os.kill(first[0], signal.SIGKILL)
        second = until(lambda: len(pool.pids) == 2 and first[0] not in pool.pids and pool.pids)
        assert first[1] in second
    assert pool.pids == ()
    for pid in (*first, *second):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_worker_that_does_not_end_is_ended_by_force(monkeypatch):
    monkeypatch.setattr("anomaly_detection.jobs.pool.FIRST_PAUSE", 0.01)
    monkeypatch.setattr("anomaly_detection.jobs.pool.GRACE", 0.05)
    with Pool(1, dict(os.environ), [sys.executable, "-c", "import time; time.sleep(600)"]) as pool:
        (pid,) = until(lambda: pool.pids)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
