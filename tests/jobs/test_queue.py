"""The queue: what was put is done once, whoever dies, on both databases."""

import threading
from datetime import timedelta

import pytest

from anomaly_detection.errors import JobConflictError, JobNotFoundError, ParameterError, UnknownNameError
from anomaly_detection.jobs.lease import LeaseLostError
from anomaly_detection.store import audit


def put(queue, kind="train", **more):
    return queue.put(kind, {"name": "orders", "odd": 'ü"\u0000'}, asked_by="ada", **more)


def test_a_job_comes_back_as_it_was_put(queue, clock):
    job = put(queue, priority=3, max_attempts=5, dedupe="once")
    assert queue.get(job.id) == job
    assert (job.state, job.priority, job.max_attempts, job.created) == ("waiting", 3, 5, clock.time)
    assert job.payload == {"name": "orders", "odd": 'ü"\u0000'}


def test_a_job_is_done_once_and_its_lines_are_kept(queue):
    job = put(queue)
    lease = queue.claim("w1")
    assert queue.claim("w2") is None
    assert lease.job.id == job.id
    assert lease.beat(0.4, "fitting", ["began", "zero\u0000byte"]) is False
    running = queue.get(job.id)
    assert (running.state, running.progress, running.step, running.owner) == ("running", 0.4, "fitting", "w1")
    lease.finish({"version": 7}, ["ended"])
    done = queue.get(job.id)
    assert (done.state, done.result, done.progress, done.owner) == ("done", {"version": 7}, 1.0, None)
    assert [line.text for line in queue.lines(job.id)] == ["began", "zero\N{REPLACEMENT CHARACTER}byte", "ended"]
    assert [line.text for line in queue.lines(job.id, queue.lines(job.id)[1].id)] == ["ended"]
    assert queue.claim("w1") is None


def test_a_model_that_a_job_registered_is_in_the_audit(queue):
    job = put(queue)
    queue.claim("w1").finish({"reference": "orders@3"})
    put(queue, kind="retain")
    queue.claim("w1").finish({"jobs": 4})
    with queue.database.read() as connection:
        (change,) = audit.newest(connection, 10)
    assert (change.actor, change.action, change.subject) == ("ada", "register model", "orders@3")
    assert change.detail == {"kind": "train", "job": job.id}


def test_urgent_jobs_go_first_then_the_oldest(queue, clock):
    later = put(queue, run_after=clock.time + timedelta(hours=1), priority=9)
    first = put(queue)
    clock.forward(1)
    second = put(queue)
    urgent = put(queue, priority=1)
    assert [queue.claim("w").job.id for _ in range(3)] == [urgent.id, first.id, second.id]
    assert queue.claim("w") is None
    clock.forward(3600)
    assert queue.claim("w").job.id in {later.id, urgent.id, first.id, second.id}


def test_one_name_is_one_job_also_once_it_is_done(queue):
    first = put(queue, dedupe="nightly")
    assert put(queue, dedupe="nightly").id == first.id
    queue.claim("w").finish({})
    assert put(queue, dedupe="nightly").state == "done"
    assert [job.id for job in queue.list()] == [first.id]


def test_threads_that_put_the_same_name_get_the_same_job(queue):
    found = []
    threads = [threading.Thread(target=lambda: found.append(put(queue, dedupe="same").id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_workers_share_jobs_without_doing_one_twice(queue):
    wanted = {put(queue).id for _ in range(40)}
    done, guard = [], threading.Lock()

    def work(name):
        while (lease := queue.claim(name)) is not None:
            with guard:
                done.append(lease.job.id)
            lease.finish({})

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(wanted)
    assert {job.id for job in queue.list("done")} == wanted


def test_a_silent_worker_loses_the_job_and_can_change_nothing_more(queue, clock):
    job = put(queue)
    silent = queue.claim("w1")
    clock.forward(29)
    assert queue.claim("w2") is None
    silent.beat()
    clock.forward(31)
    heir = queue.claim("w2")
    assert heir.job.id == job.id
    assert heir.job.attempts == 2
    for call in (silent.beat, silent.cancelled, silent.give_back, silent.cancel_asked):
        with pytest.raises(LeaseLostError, match="no longer"):
            call()
    with pytest.raises(LeaseLostError):
        silent.finish({"version": 1})
    heir.finish({"version": 2})
    assert queue.get(job.id).result == {"version": 2}
    assert any("fell silent" in line.text for line in queue.lines(job.id))


def test_the_same_worker_that_lost_its_job_is_another_owner(queue, clock):
    put(queue)
    first = queue.claim("w")
    clock.forward(31)
    second = queue.claim("w")
    with pytest.raises(LeaseLostError):
        first.finish({})
    second.finish({})


def test_a_job_that_kills_every_worker_fails_in_the_end(queue, clock):
    job = put(queue, max_attempts=3)
    for _ in range(3):
        assert queue.claim("w").job.id == job.id
        clock.forward(31)
    assert queue.claim("w") is None
    failed = queue.get(job.id)
    assert failed.state == "failed"
    assert failed.problem == "Attempt 3 of 3: The worker that ran it fell silent: it was killed, or its machine was."


def test_failures_are_tried_again_later_and_later(queue, clock):
    job = put(queue, max_attempts=3)
    for least, most in ((1, 2), (2, 4)):
        queue.claim("w").fail("The disk is full.")
        waiting = queue.get(job.id)
        assert waiting.state == "waiting"
        assert least <= (waiting.run_after - clock.time).total_seconds() <= most
        assert queue.claim("w") is None
        clock.forward(most)
    queue.claim("w").fail("The disk is full.")
    assert queue.get(job.id).state == "failed"
    assert queue.get(job.id).problem == "Attempt 3 of 3: The disk is full."


def test_a_final_failure_is_not_tried_again_unless_asked_for(queue):
    job = put(queue)
    queue.claim("w").fail("No column 'x'.", final=True)
    assert (queue.get(job.id).state, queue.get(job.id).problem) == ("failed", "No column 'x'.")
    again = queue.retry(job.id)
    assert (again.state, again.attempts, again.problem, again.ended) == ("waiting", 0, None, None)
    queue.claim("w").finish({})
    with pytest.raises(JobConflictError, match="it is done"):
        queue.retry(job.id)


def test_a_lease_left_by_an_error_is_a_failed_attempt(queue):
    job = put(queue)
    with pytest.raises(ZeroDivisionError), queue.claim("w"):
        1 / 0  # noqa: B018
    assert queue.get(job.id).problem == "Attempt 1 of 3: ZeroDivisionError: division by zero"


def test_a_job_given_back_is_begun_anew_at_once(queue):
    job = put(queue, max_attempts=1)
    queue.claim("w1").give_back()
    lease = queue.claim("w2")
    assert (lease.job.id, lease.job.attempts) == (job.id, 1)


def test_cancelling_ends_a_waiting_job_and_tells_a_running_one(queue):
    waiting = put(queue)
    assert queue.cancel(waiting.id).state == "cancelled"
    assert queue.claim("w") is None
    running = put(queue)
    lease = queue.claim("w")
    assert (queue.cancel(running.id).state, lease.cancel_asked(), lease.beat()) == ("running", True, True)
    lease.cancelled()
    assert queue.cancel(running.id).state == "cancelled"
    assert queue.retry(running.id).cancel_asked is False


@pytest.mark.parametrize("end", ["killed", "given back", "failed"])
def test_a_job_to_be_cancelled_never_begins_again(queue, clock, end):
    job = put(queue)
    lease = queue.claim("w")
    queue.cancel(job.id)
    if end == "killed":
        clock.forward(31)
    elif end == "given back":
        lease.give_back()
    else:
        lease.fail("The disk is full.")
    clock.forward(60)
    assert queue.claim("w") is None
    assert queue.get(job.id).state == "cancelled"


def test_a_clock_set_back_holds_nobody_up(queue, clock):
    running = put(queue)
    queue.claim("w1")
    waiting = put(queue)
    clock.forward(-86_400)
    assert {queue.claim("w2").job.id for _ in range(2)} == {running.id, waiting.id}


def test_lists_go_on_where_they_ended(queue, clock):
    every = []
    for n in range(5):
        every.append(put(queue, "train" if n % 2 else "tune").id)
        clock.forward(1)
    first = queue.list(limit=2)
    rest = queue.list(limit=10, after=first[-1].id)
    assert [job.id for job in (*first, *rest)] == every[::-1]
    assert [job.id for job in queue.list(kind="train")] == [every[3], every[1]]
    queue.cancel(every[0])
    assert [job.id for job in queue.list("cancelled")] == [every[0]]
    with pytest.raises(UnknownNameError, match="Did you mean 'running'"):
        queue.list("runing")


def test_the_newest_lines_are_kept(queue):
    job = put(queue)
    lease = queue.claim("w")
    lease.beat(lines=[f"line {n}" for n in range(700)])
    lease.beat(lines=[f"line {n}" for n in range(700, 1300)])
    lease.beat(lines=["x" * 10_000])
    kept = queue.lines(job.id)
    assert len(kept) == 1000
    assert (kept[0].text, kept[-2].text, len(kept[-1].text)) == ("line 301", "line 1299", 2000)


def test_old_ended_jobs_are_forgotten_with_their_lines(queue, clock):
    old = put(queue)
    queue.claim("w").finish({}, ["a line"])
    waiting = put(queue, run_after=clock.time + timedelta(days=99))
    clock.forward(86_400)
    assert queue.forget(clock.time) == (old.id,)
    assert queue.forget(clock.time) == ()
    assert [job.id for job in queue.list()] == [waiting.id]
    with pytest.raises(JobNotFoundError):
        queue.lines(old.id)


@pytest.mark.parametrize("id", ["", "no such job", "0" * 32, "0" * 31 + "\0", "'; drop table jobs; --"])
def test_unknown_jobs_are_said_to_be_unknown(queue, id):
    for call in (queue.get, queue.cancel, queue.retry, queue.lines):
        with pytest.raises(JobNotFoundError, match="There is no job"):
            call(id)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), "\ud800", {1, 2}])
def test_payloads_that_are_not_plain_are_refused(queue, odd):
    with pytest.raises(ParameterError, match="not plain"):
        queue.put("train", {"deep": [odd]}, asked_by="ada")
    assert queue.list() == ()


def test_lists_begin_behind_jobs_only(queue):
    with pytest.raises(ParameterError, match="no id of a job"):
        queue.list(after="x\0")


@pytest.mark.parametrize(
    "wrong", [{"kind": ""}, {"kind": "x" * 61}, {"dedupe": "x" * 201}, {"dedupe": "a\0"}, {"max_attempts": 0}]
)
def test_jobs_that_cannot_be_are_refused(queue, wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        put(queue, **wrong)
    assert queue.list() == ()
