"""What is measured, who may see it, and what is made of it: a dashboard, alert rules, a real Prometheus."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import shutil
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from anomaly_detection import telemetry
from anomaly_detection.monitoring import readiness
from anomaly_detection.monitoring.gauges import page
from anomaly_detection.store import Database, upgrade
from anomaly_detection.store.tables import activity, alerts, feedback, jobs
from anomaly_detection.telemetry import metrics as declared
from deployed import DEPLOY, program
from postgres import server as postgres_server
from running_service import until
from service_support import service

ALERTS = DEPLOY / "prometheus" / "alerts.yml"
NAME = re.compile(r"\banomaly_detection_\w+")


def samples_of(text):
    """Names of samples as PromQL has them."""
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def known_names():
    """Every name that PromQL may ask for."""
    endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
    return {
        family.name + ending for family in telemetry.METRICS.collect() for ending in endings.get(family.type, ("",))
    }


def test_each_metric_is_declared_once_exported_and_explained():
    tree = ast.parse(Path(declared.__file__).read_text())
    made = [node.targets[0].id for node in tree.body if isinstance(node, ast.Assign) and "registry" in ast.dump(node)]
    assert set(made) <= set(telemetry.__all__)
    for name in made:
        assert len(next(iter(getattr(telemetry, name).describe())).documentation) > 15
    rooms = Path(declared.__file__).parents[1]
    code = "".join(file.read_text() for file in rooms.rglob("*.py") if file.parent.name != "telemetry")
    assert [name for name in made if not re.search(rf"\b{name}\b", code)] == [], "these are filled by nobody"


def test_what_is_judged_is_timed_and_streams_are_counted(home, tmp_path):
    def timed():
        return telemetry.METRICS.get_sample_value("anomaly_detection_score_seconds_count", {"model": "logs"}) or 0

    with service(tmp_path, home=home) as running:
        assert running.context.models.prepared.wait(60)
        before = timed()
        entries = [{"level": "INFO", "message": f"entry {n}"} for n in range(30)]
        for path, body in (("/detect", entries), ("/detect", entries[0]), ("/score", entries[0])):
            running.client.post(path, json=body).raise_for_status()
        assert timed() - before == 3
        with connect(running.url.replace("http", "ws") + "/api/v1/stream/logs") as talking:
            talking.recv()
            assert 'anomaly_detection_streams{model="logs"} 1.0' in running.client.get("/metrics").text
        until(lambda: 'anomaly_detection_streams{model="logs"} 0.0' in running.client.get("/metrics").text)


def test_the_dashboard_asks_only_for_metrics_that_there_are():
    board = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    asked = {name for panel in board["panels"] for one in panel["targets"] for name in NAME.findall(one["expr"])}
    asked.update(NAME.findall(json.dumps(board["templating"])))
    assert asked <= known_names()
    assert len(asked) >= 20
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}
    assert len(places) == len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])


def test_alert_rules_ask_only_for_metrics_that_there_are():
    asked = set(NAME.findall(re.sub(r"(?m)^.*(name|job_name):.*$", "", ALERTS.read_text())))
    assert asked <= known_names()
    assert len(asked) >= 9


def test_promtool_finds_nothing_wrong_with_the_configuration():
    config = DEPLOY / "prometheus" / "prometheus.yml"
    ran = subprocess.run([program("promtool"), "check", "config", config], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


RULE_TESTS = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {{series: 'up{{job="anomaly-detection", instance="a"}}', values: '1 0 0 0'}}
      - {{series: 'anomaly_detection_model_drift{{model="m", version="1"}}', values: '9x60'}}
      - {{series: 'anomaly_detection_requests_total{{instance="a", status="500"}}', values: '0+60x60'}}
      - {{series: 'anomaly_detection_requests_total{{instance="a", status="200"}}', values: '0+600x60'}}
      - {{series: 'anomaly_detection_jobs_oldest_seconds', values: '2000x60'}}
    alert_rule_test:
      - {{eval_time: 1m, alertname: AnomalyDetectionDown, exp_alerts: []}}
      - eval_time: 3m
        alertname: AnomalyDetectionDown
        exp_alerts:
          - exp_labels: {{severity: critical, job: anomaly-detection, instance: a}}
            exp_annotations: {{summary: a does not answer.}}
      - eval_time: 45m
        alertname: AnomalyDetectionDrift
        exp_alerts:
          - exp_labels: {{severity: warning, model: m, version: "1"}}
            exp_annotations: {{summary: m@1 alarms five times as often as the day before.}}
      - eval_time: 20m
        alertname: AnomalyDetectionErrors
        exp_alerts:
          - exp_labels: {{severity: critical, instance: a}}
            exp_annotations: {{summary: More than one request in a hundred fails on a.}}
      - eval_time: 20m
        alertname: AnomalyDetectionJobsWait
        exp_alerts:
          - exp_labels: {{severity: warning}}
            exp_annotations: {{summary: "A job has waited for a quarter of an hour. Are there workers?"}}
"""


def test_rules_fire_when_they_should(tmp_path):
    tests = tmp_path / "rules.yml"
    tests.write_text(RULE_TESTS.format(rules=ALERTS))
    ran = subprocess.run([program("promtool"), "test", "rules", tests], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@contextmanager
def prometheus(folder, target):
    """A Prometheus that scrapes an address every second."""
    rules = ALERTS.read_text().replace("for: 1m", "for: 1s")
    (folder / "alerts.yml").write_text(rules)
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [alerts.yml]\nscrape_configs:\n"
        f"  - {{job_name: anomaly-detection, static_configs: [{{targets: ['{target}']}}]}}\n"
    )
    log = (folder / "prometheus.log").open("w+")
    command = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}", "--web.listen-address=127.0.0.1:0"]
    with (
        log,
        subprocess.Popen(
            [*command, f"--storage.tsdb.path={folder / 'data'}", "--log.format=json"], stderr=log, stdout=log
        ) as process,
    ):
        try:
            found = until(lambda: re.search(r"127\.0\.0\.1:[1-9]\d*", Path(log.name).read_text()))
            with httpx.Client(base_url=f"http://{found.group()}", timeout=10) as client:
                yield client
        finally:
            process.kill()


def test_a_real_prometheus_scrapes_and_a_rule_fires(home, tmp_path, monkeypatch):
    with service(tmp_path, home=home) as running, prometheus(tmp_path, running.url[7:]) as client:

        def value(query):
            result = client.get("/api/v1/query", params={"query": query}).json()["data"]["result"]
            return float(result[0]["value"][1]) if result else None

        until(lambda: value('up{job="anomaly-detection"}') == 1)
        until(lambda: value('anomaly_detection_up{part="database"}') == 1)
        assert value("anomaly_detection_jobs_waiting") == 0
        monkeypatch.setattr(readiness, "disk_problem", lambda _: "full")

        def firing():
            alerts_now = client.get("/api/v1/alerts").json()["data"]["alerts"]
            return {(one["labels"]["alertname"], one["state"]) for one in alerts_now}

        until(lambda: ("AnomalyDetectionPartDown", "firing") in firing())


def test_metrics_need_a_key_of_scope_read_unless_they_are_open(home, tmp_path):
    with service(tmp_path, home=home, open_access=False) as running:
        assert running.client.get("/metrics").status_code == 401
        assert running.client.get("/metrics", headers=running.key("score", name="a")).status_code == 403
        answer = running.client.get("/metrics", headers=running.key("read", name="b"))
        assert answer.headers["content-type"].startswith("text/plain")
        assert {"anomaly_detection_up", "anomaly_detection_jobs_waiting"} <= samples_of(answer.text)
        for path in ("/health", "/health/live", "/health/ready"):
            assert running.client.get(path).status_code == 200
    with service(tmp_path, home=home, open_access=False, metrics_open=True) as running:
        assert running.client.get("/metrics").status_code == 200


def filled(tmp_path):
    """A database with something to count."""
    database = Database.in_folder(tmp_path)
    upgrade(database)
    now = datetime.now(UTC)
    job = {"payload": {}, "progress": 0, "step": "", "attempts": 0, "max_attempts": 3, "asked_by": "a", "priority": 0}
    job |= {"cancel_asked": False, "created": now, "run_after": now - timedelta(minutes=5)}
    alarm = {
        "key": "",
        "at": now,
        "received": now,
        "anomaly_score": 0.9,
        "p_value": 0.001,
        "confidence": 1,
        "reason": "",
    }
    alarm |= {"record": {}, "state": "open", "changed": now, "model": "m", "version": 1}
    minutes = {"model": "m", "version": 1, "key": "", "worst": 1}
    said = {"model": "m", "version": 1, "was_flagged": True, "said_by": "a", "at": now, "note": ""}
    with database.write() as connection:
        states = ["waiting", "waiting", "failed"]
        connection.execute(
            sa.insert(jobs), [{**job, "id": str(n), "kind": "train", "state": state} for n, state in enumerate(states)]
        )
        done = {
            **job,
            "id": "9",
            "kind": "train",
            "state": "done",
            "started": now - timedelta(seconds=90),
            "ended": now,
        }
        connection.execute(sa.insert(jobs), [done])
        connection.execute(sa.insert(alerts), [{**alarm, "id": "1", "record_id": "1", "severity": "high"}])
        connection.execute(
            sa.insert(activity),
            [
                {**minutes, "minute": now - timedelta(hours=5), "rows": 10_000, "anomalies": 100},
                {**minutes, "minute": now - timedelta(minutes=5), "rows": 1_000, "anomalies": 50},
            ],
        )
        connection.execute(
            sa.insert(feedback),
            [{**said, "id": str(n), "record_id": str(n), "is_anomaly": n > 0} for n in range(4)],
        )
    return database


def test_gauges_say_what_is_stored(tmp_path):
    database = filled(tmp_path)
    text = page(database, tmp_path, tmp_path / "registry").decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, *sorted(sample.labels.values())] = sample.value
    assert found["anomaly_detection_jobs", "train", "waiting"] == found["anomaly_detection_jobs_waiting",] == 2
    assert found["anomaly_detection_jobs", "failed", "train"] == 1
    assert found["anomaly_detection_job_seconds", "train"] == 90
    assert 299 < found["anomaly_detection_jobs_oldest_seconds",] < 360
    assert found["anomaly_detection_alerts", "high", "open"] == 1
    assert found["anomaly_detection_model_quality", "1", "m"] == 0.75
    assert 4 < found["anomaly_detection_model_drift", "1", "m"] < 6
    assert found["anomaly_detection_models",] == 0
    assert found["anomaly_detection_disk_free_bytes",] > 0
    database.close()


def test_gauges_of_what_does_not_answer_are_gone(tmp_path):
    database = filled(tmp_path)
    assert b"anomaly_detection_jobs{" in page(database, tmp_path, tmp_path)
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE activity")
    text = page(database, tmp_path, tmp_path).decode()
    assert "anomaly_detection_model_drift{" not in text
    database.close()
    broken = Database(f"sqlite:///{tmp_path / 'none' / 'x.db'}")
    text = page(broken, tmp_path, tmp_path).decode()
    assert 'anomaly_detection_up{part="database"} 0.0' in text
    assert "anomaly_detection_jobs{" not in text
    broken.close()


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    database = Database("sqlite://")
    assert readiness.missing(database, tmp_path / "a" / "b", tmp_path / "registry") == {}
    file = tmp_path / "file"
    file.touch()
    assert "is no folder" in readiness.missing(database, tmp_path, file)["registry"]

    def full(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(readiness.tempfile, "TemporaryFile", full)
    assert "No space left" in readiness.missing(database, tmp_path, tmp_path)["disk"]
    monkeypatch.setattr(readiness.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    assert "0 MiB are free" in readiness.missing(database, tmp_path, tmp_path)["disk"]
    database.close()


def statuses(running):
    """Ready, live."""
    return tuple(running.client.get(path).status_code for path in ("/health/ready", "/health/live"))


def test_a_full_disk_is_not_ready_and_said(home, tmp_path, monkeypatch):
    with service(tmp_path, home=home) as running:
        monkeypatch.setattr(readiness.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
        assert statuses(running) == (503, 200)
        assert running.client.get("/health/ready").json() == {"status": "not ready", "missing": ["disk"]}
        assert running.client.get("/health").json()["status"] == "degraded"
        monkeypatch.undo()
        assert statuses(running) == (200, 200)


ENTRY = {"level": "INFO", "service": "web", "message": "GET / took 12 ms", "latency_ms": 12}


@pytest.mark.needs_extra("psycopg")
def test_a_database_that_goes_and_comes_back(home, tmp_path):
    with postgres_server() as url, service(tmp_path, home=home, database=url) as running:
        until(lambda: running.client.get("/health").json()["model_loaded"])
        assert running.client.post("/score", json=ENTRY).status_code == 200
        door = Path(url.partition("host=")[2]) / ".s.PGSQL.5432"
        away = door.with_name(".s.PGSQL.5433")
        door.rename(away)
        admin = Database(f"{url}&port=5433")
        with admin.read() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            connection.exec_driver_sql(f"{others} AND backend_type = 'client backend'")
        admin.close()
        assert statuses(running) == (503, 200)
        assert running.client.get("/health/ready").json()["missing"] == ["database"]
        assert running.client.post("/score", json=ENTRY).status_code == 200
        assert running.client.get("/metrics").status_code == 200
        away.rename(door)
        until(lambda: statuses(running) == (200, 200))


def test_a_clock_that_jumps_breaks_no_time_limit(home, tmp_path, monkeypatch):
    with service(tmp_path, home=home) as running:
        until(lambda: running.client.get("/health").json()["model_loaded"])
        really = time.time
        for jump in (-10 * 86400, 10 * 86400):
            monkeypatch.setattr(time, "time", lambda jump=jump: really() + jump)
            assert statuses(running) == (200, 200)
            assert running.client.post("/predict", json={"latency_ms": 10, "level": "INFO"}).status_code == 200
