"""Every kind of job, done by a worker as it is in the service."""

from datetime import timedelta
from io import BytesIO

import pytest

from anomaly_detection.jobs.queue import utc_now
from anomaly_detection.jobs.task import Cancelled, Task
from anomaly_detection.jobs.worker import Worker
from anomaly_detection.registry.local import LocalRegistry
from anomaly_detection.store.tables import table_runs
from anomaly_detection.workflows.job_kinds import PLACES, kinds_of_jobs
from anomaly_detection.workflows.job_models import train
from anomaly_detection.workflows.job_requests import REQUESTS
from anomaly_detection.workflows.job_tables import backtest, detect, page
from anomaly_detection.workflows.retention import retain
from anomaly_detection.workflows.runs import Runs, RunWishes
from jobs.routes import service

ROWS = 240


@pytest.fixture
def running(tmp_path):
    with service(tmp_path / "home") as running:
        yield running


@pytest.fixture
def upload(running):
    rows = (
        f"2026-01-{1 + n // 24:02}T{n % 24:02}:00:00,{(n * 7919) % 101},{n % 13},{n % 40 == 39}" for n in range(ROWS)
    )
    table = "time,a,b,odd\n" + "\n".join(rows)
    return running.ask("POST", "/api/v1/uploads?name=orders.csv", content=table.encode()).json()["id"]


def asked(running, kind, **payload):
    whole = REQUESTS[kind].model_validate(payload).model_dump(mode="json")
    return running.queue.put(kind, whole, asked_by="ada")


def task_of(job, cancel=lambda: False):
    said = []
    return Task(job.id, job.payload, said.append, cancel), said


def model(upload, **more):
    return {"upload": upload, "name": "orders", "ignore": ["time", "odd"], "algorithm": "hbos", **more}


def test_a_page_that_is_made_again_after_a_kill_is_the_same(running, upload):
    job = asked(running, "page", upload=upload, asked_by="ada", name="orders.csv", algorithm="mad", timestamp="time")
    found = [page(running.settings, task_of(job)[0]) for _ in range(2)]
    assert found[0] == found[1]
    assert (found[0]["detection"], found[0]["rows"]) == (job.id, ROWS)
    runs = Runs.of(running.settings)
    assert [(run.id, run.asked_by, run.name) for run in runs.list()] == [(job.id, "ada", "orders.csv")]


def test_kinds_that_can_be_asked_for_are_those_there_are():
    assert set(PLACES) == set(REQUESTS)


def test_jobs_are_done_from_upload_to_download(running, upload):
    trained = asked(running, "train", **model(upload, aliases=["production"], label="odd", ignore=["time"]))
    broken = asked(running, "train", **model(upload, ignore=["tine"]))
    judged = asked(running, "detect", upload=upload, model="orders", output_format="csv")
    assert Worker(running.queue, kinds_of_jobs(running.settings)).run_waiting() == 3
    result = running.queue.get(trained.id).result
    assert (result["reference"], result["aliases"], result["metrics"]["rows"]) == ("orders@1", ["production"], ROWS)
    assert result["evaluation"]["auroc"] > 0
    problem = running.queue.get(broken.id).problem
    assert "has no column 'tine'. Did you mean 'time'?" in problem
    assert str(running.settings.home) not in problem
    assert running.queue.get(judged.id).result["rows"] == ROWS
    file = running.ask("GET", f"/api/v1/jobs/{judged.id}/result")
    assert len(file.text.splitlines()) == ROWS + 1
    assert file.headers["content-disposition"] == f'attachment; filename="detect-{judged.id[:12]}.csv"'
    assert running.ask("GET", f"/api/v1/jobs/{trained.id}/result").status_code == 404
    assert "reading" in [
        line["text"] for line in running.ask("GET", f"/api/v1/jobs/{trained.id}/lines").json()["items"]
    ]


def test_a_training_that_is_begun_twice_registers_one_version(running, upload):
    job = asked(running, "train", **model(upload))
    first = train(running.settings, task_of(job)[0])
    second = train(running.settings, task_of(job)[0])
    assert (first["reference"], second["reference"]) == ("orders@1", "orders@1")
    other = train(running.settings, task_of(asked(running, "train", **model(upload)))[0])
    assert other["reference"] == "orders@2"


def test_a_training_that_two_workers_finish_registers_one_version(running, upload, monkeypatch):
    job = asked(running, "train", **model(upload))
    train(running.settings, task_of(job)[0])
    monkeypatch.setattr("anomaly_detection.workflows.job_models.registered_by", lambda *_: None)
    assert train(running.settings, task_of(job)[0])["reference"] == "orders@1"
    assert LocalRegistry(running.settings.registry_folder).resolve("orders@1").lineage.job == job.id


def test_a_cancelled_training_registers_nothing(running, upload):
    job = asked(running, "train", **model(upload))
    with pytest.raises(Cancelled):
        train(running.settings, task_of(job, cancel=lambda: True)[0])
    assert LocalRegistry(running.settings.registry_folder).list() == ()


def test_a_cancelled_detection_leaves_no_file(running, upload):
    calls = iter([False, False])
    job = asked(running, "detect", upload=upload, ignore=["time"], algorithm="hbos")
    with pytest.raises(Cancelled):
        detect(running.settings, task_of(job, cancel=lambda: next(calls, True))[0])
    assert list((running.settings.home / "results" / job.id).iterdir()) == []


@pytest.mark.needs_extra("optuna")
def test_tuning_goes_on_where_it_was_killed(running, upload):
    payload = {
        "upload": upload,
        "name": "tuned",
        "ignore": ["time"],
        "label": "odd",
        "trials": 3,
        "algorithms": ["hbos"],
    }
    job = asked(running, "tune", **payload)
    calls, kinds = iter([False] * 4), kinds_of_jobs(running.settings)
    with pytest.raises(Cancelled):
        kinds["tune"](task_of(job, cancel=lambda: next(calls, True))[0])
    study = running.settings.home / "studies" / f"{job.id}.jsonl"
    begun = study.read_bytes()
    result = kinds["tune"](task_of(job)[0])
    assert study.read_bytes().startswith(begun)
    assert (result["reference"], result["trials"]) == ("tuned@1", 3)


def test_a_backtest_makes_a_page_that_names_no_path(running, upload):
    job = asked(running, "backtest", upload=upload, timestamp="time", ignore=["odd"], algorithm="ewma")
    result = backtest(running.settings, task_of(job)[0])
    page = (running.settings.home / "results" / job.id / result["file"]).read_text()
    assert result["history"]["rows"] == ROWS
    assert result["alarms"] >= 0
    assert str(running.settings.home) not in page
    assert upload in page


def test_a_budget_and_other_wishes_for_series_reach_the_model_and_the_page(running, upload):
    wishes = {"timestamp": "time", "columns": ["a"], "algorithm": "ewma", "budget": "2/day", "direction": "rise"}
    job = asked(running, "train", upload=upload, name="cpu", lower_bound=-5.5, zone="Europe/Berlin", **wishes)
    train(running.settings, task_of(job)[0])
    found = LocalRegistry(running.settings.registry_folder).resolve("cpu@1").lineage.parameters
    assert (found["budget"], found["direction"], found["zone"]) == ("2/day", "rise", "Europe/Berlin")
    assert found["bounds"] == [-5.5, None]
    result = backtest(running.settings, task_of(asked(running, "backtest", upload=upload, **wishes))[0])
    assert result["settings"]["budget"] == "2/day"


def test_each_key_has_a_model_where_that_is_asked_for(running):
    rows = "\n".join(f"{'ab'[n % 2]},{(n * 7919) % 101 + 1000 * (n % 2)},{n % 13}" for n in range(200))
    table = running.ask("POST", "/api/v1/uploads?name=k.csv", content=f"shop,a,b\n{rows}".encode()).json()["id"]
    keyed = {"upload": table, "key": ["shop"], "per_key": True, "min_rows": 40, "algorithm": "mad"}
    train(running.settings, task_of(asked(running, "train", name="shops", **keyed))[0])
    found = LocalRegistry(running.settings.registry_folder).resolve("shops@1").lineage.parameters
    assert (found["key"], found["min_rows"]) == (["shop"], 40)
    result = detect(running.settings, task_of(asked(running, "detect", **keyed))[0])
    assert result["anomalies"]
    assert all(one["key"] in ("a", "b") and one["level"] in ("all", "shop") for one in result["anomalies"])


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ({"per_key": True}, "per_key needs a key"),
        ({"min_rows": 30}, "Set per_key, too"),
        ({"timestamp": "time", "budget": "5/fortnight"}, "'fortnight' is none of hour, day, week, month"),
        ({"timestamp": "time", "budget": "5/week", "contamination": 0.1}, "all set the alarm line"),
        ({"upper_bound": 3.0}, "upper_bound is about time series. Name the column of time"),
        ({"timestamp": "time", "model": "cpu", "offline": True}, "'cpu' is fitted already, so offline has no meaning"),
    ],
)
def test_what_means_nothing_together_is_refused_before_there_is_a_job(running, upload, payload, says):
    body = {"kind": "detect", "payload": {"upload": upload, **payload}}
    answer = running.ask("POST", "/api/v1/jobs", json=body)
    assert answer.status_code == 422
    assert says in answer.json()["errors"][0]["what"]


def test_row_counts_are_learned_from_the_checks_of_a_table(running):
    job = asked(running, "volume", table_id="shop.orders", training_days=30)
    volume = kinds_of_jobs(running.settings)["volume"]
    with pytest.raises(
        ValueError, match=r"'shop.orders' was checked 0 times within 30 days, and learning takes 3 runs"
    ):
        volume(task_of(job)[0])
    now = utc_now()
    rows = [
        {
            "table_id": "shop.orders",
            "check": "volume",
            "at": now - timedelta(days=n),
            "profile": {"rows": 1000 + n},
            "answer": {},
        }
        for n in range(40)
    ]
    with running.context.database.write() as connection:
        connection.execute(table_runs.insert(), rows)
    result = volume(task_of(job)[0])
    low, high = result["expected_range"]
    assert result["runs"] == 30
    assert low < 1000 < high < 1200


def test_what_is_old_is_deleted_and_what_is_needed_stays(running, upload):
    for folder, name in (("results", "f" * 32), ("results", "notes"), ("studies", "e" * 32)):
        (running.settings.home / folder / name).mkdir(parents=True)
    running.queue.cancel(asked(running, "train", **model(upload)).id)
    asked(running, "retain")
    days = 1e-9
    waiting = asked(running, "train", **model(upload))
    other = running.ask("POST", "/api/v1/uploads", content=b"x").json()["id"]
    runs = Runs.of(running.settings)
    old = runs.start(BytesIO(b"a\n" + b"1\n2\n4\n" * 20), RunWishes("a.csv", "mad"), "ada")
    result = retain(running.settings, task_of(asked(running, "retain", days=days))[0])
    assert (result["jobs"], result["uploads"], result["files"], result["runs"]) == (1, 1, 2, 1)
    assert not (runs.folder / old.id).exists()
    assert running.queue.get(waiting.id).state == "waiting"
    assert running.context.uploads.path(upload).is_file()
    assert not (running.context.uploads.folder / other).exists()
    assert [one.name for one in (running.settings.home / "results").iterdir()] == ["notes"]
    assert retain(running.settings, task_of(asked(running, "retain"))[0])["files"] == 0
