"""What the last minutes of a log file hold of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anomaly_detection.base import Range
from anomaly_detection.errors import ParameterError, UnknownNameError
from anomaly_detection.features.logs import Lines
from anomaly_detection.logs.statistics import ServiceStatistics, WholeWindow
from anomaly_detection.pipeline import silent

if TYPE_CHECKING:
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.workflows.log_reading import LogReading

LENGTH = Range(0, 60 * 24 * 7, open_low=True)


def statistics_of_log(
    reading: LogReading, service: str, minutes: float = 5.0, progress: Progress = silent
) -> tuple[ServiceStatistics, tuple[str, ...]]:
    """Count the lines of a service in the minutes up to the last line of a log.

    Returns
    -------
    The counts, and what the user should know of how the file was read.

    Raises
    ------
    SourceError
        for a file that cannot be read, or with too many lines that cannot be decoded.
    UnknownNameError
        for a service that wrote no line, with the nearest ones.
    ParameterError
        for a length that is out of range, or where no line says who wrote it.
    """
    if problem := LENGTH.problem(minutes):
        raise ParameterError(f"--minutes {minutes} {problem}: that is the length of the window.")
    window, services, rows = WholeWindow(service, minutes), set[str](), 0
    with reading.open() as source:
        for batch in source.batches():
            window.update(Lines.of(batch.frame))
            services |= set(batch.frame["service"].drop_nulls().unique())
            rows += len(batch.frame)
            progress("reading", rows, None)
        notes = tuple(source.notes)
    if not services:
        raise ParameterError("No line of this log says which service wrote it. Name the field: --service NAME.")
    if service not in services:
        raise UnknownNameError("service", service, sorted(services))
    return window.statistics(), notes
