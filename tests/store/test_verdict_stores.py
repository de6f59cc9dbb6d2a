"""Journals, history, alarms, activity and labels: kept once, whatever happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from anomaly_detection.store import Database, activity, alerts, feedback, upgrade
from anomaly_detection.store.activity import Minute
from anomaly_detection.store.alerts import AlertFilter, alerts_of
from anomaly_detection.store.feedback import Label, LabelCounts
from anomaly_detection.store.history import History
from anomaly_detection.store.journal import LATEST_BYTES, Journal, Judged, VerdictRecord, judged_in, latest_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MICROS = int(NOON.timestamp()) * 1_000_000


def record(name: str, *, flagged: bool = False, seconds: int = 0) -> VerdictRecord:
    verdict = (0.9, 0.001, 0.8, True, "high", 0.9) if flagged else (0.1, 0.5, 0.2, False, "normal", 0.9)
    return VerdictRecord(name, "shop", MICROS + seconds * 1_000_000, *verdict, "odd" * flagged, {"a": 1})


def judged(*records: VerdictRecord, version: int = 1) -> Judged:
    return Judged("logs", version, MICROS, list(records))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database.in_folder(tmp_path)
    upgrade(found)
    yield found
    found.close()


def test_a_journal_that_is_written_to_is_not_abandoned(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    first.append(judged(record("a")))
    assert list(second.abandoned()) == []
    path = first.path
    first.close()
    assert list(second.abandoned()) == [path]
    second.close()


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(judged(record("a")))
    journal.append(judged(record("b")))
    path = journal.roll()
    path.write_bytes(path.read_bytes()[:-9])
    assert [one.records[0].id for one in judged_in(path)] == ["a"]
    journal.close()


def test_history_taken_twice_is_there_once(tmp_path: Path) -> None:
    journal, history = Journal(tmp_path / "journal"), History(tmp_path / "history")
    journal.append(judged(record("a"), record("b", flagged=True, seconds=1)))
    path = journal.roll()
    history.take(path)
    history.take(path)
    rows = history.read("logs", NOON, NOON + timedelta(seconds=5))
    assert [(row["id"], row["at"], row["is_anomaly"]) for row in rows] == [
        ("b", NOON + timedelta(seconds=1), True),
        ("a", NOON, False),
    ]
    assert history.read("logs", NOON + timedelta(seconds=1), NOON + timedelta(seconds=2))[0]["id"] == "b"
    assert history.read("others", NOON, NOON) == []
    assert history.forget(NOON) == 0
    assert history.forget(NOON + timedelta(days=1)) == 1
    assert history.read("logs", NOON, NOON + timedelta(seconds=5)) == []
    journal.close()


def test_an_alarm_kept_twice_is_there_once_and_keeps_its_state(database: Database) -> None:
    found = alerts_of(judged(record("a", flagged=True), record("b")))
    for _ in range(2):
        with database.write() as connection:
            alerts.keep(connection, found)
        with database.write() as connection:
            alerts.change(connection, found[0].id, "acknowledged", NOON)
    with database.read() as connection:
        there = alerts.listed(connection, AlertFilter())
    assert [(one.record_id, one.state, one.record) for one in there] == [("a", "acknowledged", {"a": 1})]


def test_alarms_are_listed_page_by_page_and_filtered(database: Database) -> None:
    records = [record(f"r{i}", flagged=True, seconds=i // 3) for i in range(10)]
    with database.write() as connection:
        alerts.keep(connection, alerts_of(judged(*records)))
        alerts.keep(connection, alerts_of(judged(records[0], version=2)))
    with database.read() as connection:
        every = alerts.listed(connection, AlertFilter(version=1))
        pages, after = [], None
        while page := alerts.listed(connection, AlertFilter(version=1), 3, after):
            pages += page
            after = page[-1].at, page[-1].id
        early = alerts.listed(connection, AlertFilter(begin=NOON, end=NOON + timedelta(seconds=1)))
        none = alerts.listed(connection, AlertFilter(state="resolved"))
    assert pages == every
    assert sorted(one.record_id for one in every) == sorted(one.id for one in records)
    assert (len(early), none) == (4, [])


def test_text_that_no_database_takes_is_mended(database: Database) -> None:
    with database.write() as connection:
        alerts.keep(connection, alerts_of(judged(record("a\0b" * 100, flagged=True))))
        found = alerts.listed(connection, AlertFilter())[0].record_id
    assert (len(found), "\0" in found) == (200, False)


def test_activity_adds_up(database: Database) -> None:
    minutes = [Minute("logs", 1, key, NOON, 10, 2, worst) for key, worst in (("a", 0.7), ("b", 0.9))]
    for factor in (1.0, 0.5):
        with database.write() as connection:
            activity.add(connection, [replace(one, worst=one.worst * factor) for one in minutes])
    with database.read() as connection:
        found = activity.between(connection, NOON, NOON + timedelta(minutes=1))
        assert activity.totals(connection, "logs") == {1: (40, 8)}
    assert [(one.key, one.rows, one.anomalies, one.worst) for one in found] == [("a", 20, 4, 0.7), ("b", 20, 4, 0.9)]
    with database.write() as connection:
        assert activity.forget(connection, NOON + timedelta(days=1)) == 2


def test_the_last_label_of_a_verdict_counts(database: Database) -> None:
    label = Label("x" * 32, "logs", 1, "a", True, True, 0.8, "ann", NOON, "")
    with database.write() as connection:
        feedback.keep(connection, label)
        again = feedback.keep(connection, replace(label, id="y" * 32, is_anomaly=False, said_by="bob"))
        feedback.keep(connection, replace(label, id="z" * 32, record_id="b", was_flagged=False))
    assert (again.id, again.is_anomaly, again.said_by) == (label.id, False, "bob")
    with database.read() as connection:
        assert feedback.counts(connection, "logs") == {1: LabelCounts(false_alarms=1, misses=1)}
        assert len(feedback.listed(connection, "logs")) == 2


def test_the_latest_verdicts_come_from_the_ends_of_all_journals(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    many = [record(f"old-{n}") for n in range(100)]
    while first.size <= LATEST_BYTES:
        first.append(judged(*many))
    first.append(replace_received(judged(record("a"), record("b", flagged=True)), 1))
    second.append(replace_received(judged(record("c")), 2))
    second.append(Judged("other", 1, MICROS + 9, [record("d")]))
    found = latest_in(tmp_path, "logs", None, 4)
    assert [one.id for one in found] == ["c", "b", "a", "old-99"]
    assert (found[1].is_anomaly, found[1].moment) == (True, NOON)
    assert latest_in(tmp_path, "logs", "shop", 1)[0].id == "c"
    assert latest_in(tmp_path, "logs", "elsewhere", 4) == []
    assert latest_in(tmp_path / "none", "logs", None, 4) == []
    first.close()
    second.close()


def replace_received(one: Judged, later: int) -> Judged:
    return Judged(one.model, one.version, one.received + later, one.records)
