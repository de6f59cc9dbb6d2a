"""What a job was asked for, in the words of the workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.keyed.pipeline import MIN_ROWS
from anomaly_detection.workflows.fitting import Fitting, per_key_columns
from anomaly_detection.workflows.reading import Reading
from anomaly_detection.workflows.series_wishes import OF_SERIES, SeriesWishes

if TYPE_CHECKING:
    from anomaly_detection.jobs.task import Task
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.workflows.job_requests import FittedTable, Table
    from anomaly_detection.workflows.uploads import Uploads


def reading_of(asked: Table, uploads: Uploads) -> Reading:
    """How to read an uploaded table.

    Raises
    ------
    JobNotFoundError
        if there is no such upload.
    """
    return Reading(
        data=str(uploads.path(asked.upload)),
        format=asked.format,
        encoding=asked.encoding,
        delimiter=asked.delimiter,
        columns=asked.columns,
        categorical=asked.categorical,
        timestamp=asked.timestamp,
        key=asked.key[0] if len(asked.key) == 1 else asked.key or None,
        label=asked.label,
        ignore=asked.ignore,
        called=asked.upload,
    )


def fitting_of(asked: FittedTable) -> Fitting:
    """How to fit."""
    return Fitting(
        algorithm=asked.algorithm,
        parameters=asked.parameters,
        contamination=asked.contamination,
        threshold=asked.threshold,
        transforms=asked.transforms,
        random_state=asked.random_state,
        key=per_key_columns(asked.algorithm, asked.key, asked.min_rows, per_key=asked.per_key),
        min_rows=MIN_ROWS if asked.min_rows is None else asked.min_rows,
        series=SeriesWishes(*(getattr(asked, name) for name in OF_SERIES)),
    )


def told(task: Task) -> Progress:
    """The progress of a workflow as that of a job; the first word on something new is logged, too."""
    logged: set[str] = set()

    def progress(what: str, done: int, total: int | None) -> None:
        if what not in logged and len(logged) < 100:
            logged.add(what)
            task.log(what)
        if total:
            task.progress(done / total, f"{what}: {done} of {total}")
        else:
            task.progress(0.0, f"{what}: {done}" if done else what)

    return progress
