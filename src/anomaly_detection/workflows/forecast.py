"""Forecast the series in a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from anomaly_detection.errors import ParameterError
from anomaly_detection.pipeline import silent
from anomaly_detection.registry.lineage import library_versions, stamp, utc_now
from anomaly_detection.series.forecasting import outlooks_of
from anomaly_detection.version import __version__
from anomaly_detection.workflows.fitting import command_line
from anomaly_detection.workflows.output import open_sink

if TYPE_CHECKING:
    from anomaly_detection.pipeline import Progress
    from anomaly_detection.series.forecasting import Outlooks, Wish
    from anomaly_detection.workflows.reading import Reading


@dataclass(frozen=True, slots=True)
class ForecastRequest:
    """What to forecast, and where to write it.

    Parameters
    ----------
    reading : where the rows are; it names the column of time.
    wish : how far, how sure, and which limit matters.
    algorithm, parameters : the forecaster.
    zone : the time zone of the calendar.
    output, output_format : a file for the rows of the forecast, ``-`` for standard output.
    """

    reading: Reading
    wish: Wish
    algorithm: str = "auto"
    parameters: dict[str, Any] = field(default_factory=dict)
    zone: str | None = None
    output: str | None = None
    output_format: str | None = None


def forecast_file(request: ForecastRequest, progress: Progress = silent) -> Outlooks:
    """Read, forecast, and write where that was asked for.

    Raises
    ------
    InputError
        for a file that holds no series that is long enough, or a place that cannot be written; nothing is written then.
    """
    reading = request.reading
    if reading.timestamp is None:
        raise ParameterError("A forecast goes on in time: name the column of time with --timestamp.")
    request.wish.check()
    if request.output is not None:
        open_sink(request.output, request.output_format, reading.data)
    with reading.open() as source:
        progress("reading", 0, None)
        found = outlooks_of(
            source.read(),
            request.wish,
            reading.timestamp,
            reading.columns or None,
            reading.key,
            request.algorithm,
            request.zone,
            request.parameters,
            reading.ignore,
            progress,
        )
        if request.output is not None:
            _write(request, found, source.fingerprint())
    return found


def _write(request: ForecastRequest, found: Outlooks, fingerprint: str) -> None:
    with open_sink(str(request.output), request.output_format, request.reading.data) as sink:
        sink.made(
            {
                "algorithm": {"name": request.algorithm, "parameters": request.parameters},
                "level": request.wish.level,
                "horizon": request.wish.horizon,
                "data": {"name": request.reading.data, "sha256": fingerprint},
                "versions": {"anomaly-detection": __version__, **library_versions()},
                "command": command_line(),
                "created": stamp(utc_now()),
            }
        )
        sink.summary({"crossings": [one.to_dict() for one in found.crossings()], "notes": list(found.notes)})
        sink.write(found.to_polars())
