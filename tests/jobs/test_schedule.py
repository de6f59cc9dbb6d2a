"""Jobs at set times: once each, by the clocks of their zone, whatever happened in between."""

import threading
from datetime import UTC, datetime

import pytest

from anomaly_detection.errors import JobNotFoundError, ParameterError, UnknownNameError
from anomaly_detection.jobs.schedule import Schedules, next_after


@pytest.fixture
def schedules(queue):
    return Schedules(queue)


def put(schedules, name="nightly", cron="0 3 * * *", **more):
    return schedules.put(name, cron, "train", {"name": "orders"}, **more)


def test_a_run_is_put_when_its_time_has_come(schedules, clock):
    assert put(schedules).next_run == datetime(2026, 3, 2, 3, tzinfo=UTC)
    assert schedules.run_due() == ()
    clock.forward(15 * 3600)
    (job,) = schedules.run_due()
    assert (job.kind, job.payload, job.asked_by) == ("train", {"name": "orders"}, "schedule nightly")
    now = schedules.get("nightly")
    assert (now.last_job, now.last_run, now.next_run) == (job.id, clock.time, datetime(2026, 3, 3, 3, tzinfo=UTC))
    assert schedules.run_due() == ()


def test_runs_that_were_missed_are_made_up_for_by_one(schedules, clock):
    put(schedules)
    clock.forward(10 * 86_400)
    assert len(schedules.run_due()) == 1
    assert schedules.run_due() == ()
    assert schedules.get("nightly").next_run == datetime(2026, 3, 12, 3, tzinfo=UTC)


def test_a_run_waits_for_the_end_of_the_one_before(schedules, queue, clock):
    put(schedules, cron="* * * * *")
    clock.forward(60)
    (first,) = schedules.run_due()
    for _ in range(3):
        clock.forward(60)
        assert schedules.run_due() == ()
    queue.claim("w").finish({})
    clock.forward(60)
    assert [job.id != first.id for job in schedules.run_due()] == [True]


def test_several_workers_start_a_run_once(schedules, queue, clock):
    for n in range(5):
        put(schedules, f"s{n}")
    clock.forward(86_400)
    started, guard = [], threading.Lock()

    def look():
        jobs = Schedules(queue).run_due()
        with guard:
            started.extend(jobs)

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(job.asked_by for job in started) == [f"schedule s{n}" for n in range(5)]
    assert len(queue.list()) == 5


def test_a_schedule_that_is_off_does_not_run_and_is_kept_when_it_was_there(schedules, clock):
    put(schedules, enabled=False)
    assert put(schedules, cron="5 5 * * *", replace=False).cron == "0 3 * * *"
    clock.forward(86_400)
    assert schedules.run_due() == ()
    put(schedules)
    clock.forward(86_400)
    assert len(schedules.run_due()) == 1


def test_a_clock_that_was_set_back_does_not_stop_a_schedule(schedules, queue, clock):
    put(schedules, cron="0 * * * *")
    clock.forward(10 * 365 * 86_400)
    schedules.run_due()
    queue.claim("w").finish({})
    clock.forward(-10 * 365 * 86_400)
    schedules.run_due()
    clock.forward(3600)
    assert len(schedules.run_due()) == 1


@pytest.mark.parametrize(
    ("cron", "zone", "moment", "then"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00+00:00", "2026-03-29T01:00:00+00:00"),  # no 2:30 that night
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T20:00:00+00:00", "2026-10-25T00:30:00+00:00"),
        ("0 9 * * 1-5", "America/New_York", "2026-03-06T20:00:00+00:00", "2026-03-09T13:00:00+00:00"),
        ("0 0 1 * *", "UTC", "2026-12-31T23:59:59+00:00", "2027-01-01T00:00:00+00:00"),
    ],
)
def test_times_are_those_of_the_zone(cron, zone, moment, then):
    assert next_after(cron, zone, datetime.fromisoformat(moment)).isoformat() == then


def test_schedules_are_listed_by_name_and_removed(schedules):
    for name in ("b", "a", "c"):
        put(schedules, name)
    assert [one.name for one in schedules.list()] == ["a", "b", "c"]
    assert [one.name for one in schedules.list(1, after="a")] == ["b"]
    schedules.remove("b")
    assert [one.name for one in schedules.list()] == ["a", "c"]
    for call in (schedules.get, schedules.remove):
        with pytest.raises(JobNotFoundError, match="no schedule 'b'"):
            call("b")


@pytest.mark.parametrize("cron", ["", "every day", "61 * * * *", "0 0 31 2 *", "* * * *", "0 3 * * *\0"])
def test_what_is_no_cron_expression_is_refused(schedules, cron):
    with pytest.raises(ParameterError, match="cannot be used"):
        put(schedules, cron=cron)
    assert schedules.list() == ()


def test_names_and_zones_are_checked(schedules):
    with pytest.raises(UnknownNameError, match="Europe/Berlin"):
        put(schedules, zone="Europe/Berlim")
    for name in ("", "x" * 101, "a\0b"):
        with pytest.raises(ParameterError, match="name="):
            put(schedules, name)
