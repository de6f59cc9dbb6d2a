"""Delete what is older than the service is to keep."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from anomaly_detection.jobs import Queue
from anomaly_detection.registry.lineage import utc_now
from anomaly_detection.store import Database
from anomaly_detection.workflows.feedback import delete_old
from anomaly_detection.workflows.job_requests import Retain
from anomaly_detection.workflows.runs import Runs
from anomaly_detection.workflows.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from pathlib import Path

    from anomaly_detection.jobs.task import Task
    from anomaly_detection.settings import Settings

_JOB = re.compile(r"([0-9a-f]{32})(\.jsonl)?", re.ASCII)


def retain(settings: Settings, task: Task) -> Mapping[str, Any]:
    """Delete old alarms, scores and detections, ended jobs with their files, and uploads that no job waits for.

    Raises
    ------
    StoreError
        if the database does not answer.
    """
    asked = Retain.model_validate(task.payload)
    days, now = asked.days or settings.keep_days, utc_now()
    before = now - timedelta(days=days)
    database = Database(settings.database_url)
    try:
        queue = Queue(database)
        jobs = 0
        while forgotten := queue.forget(before):
            jobs += len(forgotten)
            task.progress(0.0, f"deleting jobs: {jobs}")
        kept = queue.unended()
        task.progress(0.3, "deleting alarms and scores")
        found = delete_old(database, settings.home, days, now)
    finally:
        database.close()
    task.progress(0.5, "deleting files")
    uploads = Uploads.of(settings).forget(before.timestamp(), {str(job.payload.get("upload")) for job in kept})
    ids = {job.id for job in kept}
    results = sum(_files_of_jobs(settings.home / name, before, ids) for name in ("results", "studies"))
    runs = Runs.of(settings).forget(before)
    return {"before": before.isoformat(), "jobs": jobs, "uploads": uploads, "files": results, "runs": runs, **found}


def _files_of_jobs(folder: Path, before: datetime, kept: Collection[str]) -> int:
    """Delete what old jobs have left in a folder."""
    if not folder.is_dir():
        return 0
    named = [(one, _JOB.fullmatch(one.name)) for one in folder.iterdir()]
    old = [one for one, job in named if job and job[1] not in kept and one.lstat().st_mtime < before.timestamp()]
    for one in old:
        shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink(missing_ok=True)
    return len(old)
