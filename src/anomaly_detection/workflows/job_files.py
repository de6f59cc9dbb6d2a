"""The files of jobs: what they take, and what they made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anomaly_detection.workflows.job_requests import REQUESTS, Table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from anomaly_detection.jobs import Job
    from anomaly_detection.workflows.uploads import Uploads


def check_job(kind: str, payload: Mapping[str, Any], uploads: Uploads) -> None:
    """Refuse a job that could not begin.

    Raises
    ------
    JobNotFoundError
        if there is no such upload.
    """
    asked = REQUESTS[kind].model_validate(payload)
    if isinstance(asked, Table):
        uploads.path(asked.upload)


def results_folder(home: Path, job: str) -> Path:
    """Where a job may write."""
    return home / "results" / job


def result_file(job: Job, home: Path) -> Path | None:
    """The file that a job made, if it is done and made one."""
    name = (job.result or {}).get("file")
    if job.state != "done" or not isinstance(name, str):
        return None
    path = results_folder(home, job.id) / name
    return path if path.parent.name == job.id and path.is_file() else None
