"""Jobs that judge tables and histories."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import InputError
from anomaly_detection.evaluation.backtest import Plan
from anomaly_detection.quality.volume import check_volume
from anomaly_detection.registry.lineage import utc_now
from anomaly_detection.store import Database
from anomaly_detection.store.checks import earlier_runs
from anomaly_detection.workflows.backtest import BacktestRequest
from anomaly_detection.workflows.backtest import backtest as replay
from anomaly_detection.workflows.detect import DetectRequest, detect_file
from anomaly_detection.workflows.job_files import results_folder
from anomaly_detection.workflows.job_reading import fitting_of, reading_of, told
from anomaly_detection.workflows.job_requests import Backtest, Detect, Page, Volume
from anomaly_detection.workflows.runs import Runs, RunWishes
from anomaly_detection.workflows.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from anomaly_detection.jobs.task import Task
    from anomaly_detection.settings import Settings

NEEDED_RUNS = 3
MOST_RUNS = 10_000
SHOWN = ("rows", "anomaly_count", "severities", "alpha", "anomalies", "evaluation", "notes")


def detect(settings: Settings, task: Task) -> Mapping[str, Any]:
    """Judge the rows of an upload; the verdicts are in a file.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off.
    RegistryError
        if the model cannot be loaded.
    Cancelled
        if the job is to end; then there is no file.
    """
    asked = Detect.model_validate(task.payload)
    output = _output(settings, task, f"verdicts.{asked.output_format}")
    request = DetectRequest(
        reading=reading_of(asked, Uploads.of(settings)),
        fitting=fitting_of(asked),
        model=asked.model,
        registry=settings.registry_folder,
        train_column=asked.train_column,
        train_rows=asked.train_rows,
        fdr=asked.fdr,
        output=output,
        explain=asked.explain,
    )
    found = detect_file(request, told(task)).to_dict()
    return {"file": output.name, **{name: found[name] for name in SHOWN}}


def page(settings: Settings, task: Task) -> Mapping[str, Any]:
    """Judge the rows of an upload for the dashboard; begun twice, a job still makes one page.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off.
    RegistryError
        if the model cannot be loaded.
    Cancelled
        if the job is to end; then there is no page.
    """
    asked, runs = Page.model_validate(task.payload), Runs.of(settings)
    run = runs.find(task.id)
    if run is None:
        wishes = RunWishes(**asked.model_dump(exclude={"upload", "asked_by"}))
        with Uploads.of(settings).path(asked.upload).open("rb") as file:
            run = runs.start(file, wishes, asked.asked_by, told(task), task.id)
    return {"detection": run.id, "found": run.lead, "rows": run.rows, "anomalies": run.anomalies}


def backtest(settings: Settings, task: Task) -> Mapping[str, Any]:
    """Replay the history in an upload; the page is in a file.

    Raises
    ------
    InputError
        if the data, a name or a parameter is off, or the history is too short.
    Cancelled
        if the job is to end; then there is no file.
    """
    asked = Backtest.model_validate(task.payload)
    output = _output(settings, task, f"backtest.{asked.output_format}")
    request = BacktestRequest(
        reading=reading_of(asked, Uploads.of(settings)),
        fitting=fitting_of(asked),
        plan=Plan(asked.train_share, asked.refits),
        output=str(output),
    )
    found = replay(request, told(task))
    run = {name: value for name, value in found["configurations"][0].items() if name != "list"}
    history = {name: value for name, value in found["history"].items() if name != "series"}
    return {"file": output.name, "history": history, **run, "notes": found["notes"]}


def volume(settings: Settings, task: Task) -> Mapping[str, Any]:
    """Learn how many rows a table has from the runs of it that were checked; what the next run is expected to have.

    Raises
    ------
    InputError
        if there are too few runs, with how many more it takes.
    StoreError
        if the database does not answer.
    """
    asked = Volume.model_validate(task.payload)
    task.progress(0.0, "reading the history")
    database = Database(settings.database_url)
    try:
        with database.read() as connection:
            runs = earlier_runs(connection, asked.table_id, "volume", MOST_RUNS)
    finally:
        database.close()
    since = utc_now() - timedelta(days=asked.training_days)
    history = [(run["at"], run["profile"]["rows"]) for run in runs if run["at"] >= since]
    if len(history) < NEEDED_RUNS:
        raise InputError(
            f"{asked.table_id!r} was checked {len(history)} times within {asked.training_days} days, and learning "
            f"takes {NEEDED_RUNS} runs; 28 daily ones are good. Check it with POST /api/v1/detect/volume, or name more "
            "days."
        )
    task.progress(0.5, "learning")
    answer = check_volume(history[-1][1], history, table=asked.table_id)
    return {
        "table_id": asked.table_id,
        "training_days": asked.training_days,
        "runs": len(history),
        "first_run": history[0][0].isoformat(),
        "last_run": history[-1][0].isoformat(),
        "expected": answer.expected,
        "expected_range": list(answer.expected_range),
        "notes": list(answer.notes),
    }


def _output(settings: Settings, task: Task, name: str) -> Path:
    folder = results_folder(settings.home, task.id)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
