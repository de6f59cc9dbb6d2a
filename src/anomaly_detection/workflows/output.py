"""Where verdicts go: a file or standard output, whole or not at all, and how they were made."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import polars as pl

from anomaly_detection import formats
from anomaly_detection.detectors.series import name_of
from anomaly_detection.detectors.spec import to_spec
from anomaly_detection.keyed import KeyedPipeline
from anomaly_detection.registry.lineage import library_versions, stamp, utc_now
from anomaly_detection.series import SeriesPipeline
from anomaly_detection.series.explaining import SeriesResult
from anomaly_detection.sinks.files import FileSink
from anomaly_detection.version import __version__
from anomaly_detection.workflows.fitting import command_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from anomaly_detection.pipeline import Pipeline
    from anomaly_detection.results import Result
    from anomaly_detection.workflows.explaining import Explaining
    from anomaly_detection.workflows.request import DetectRequest

STANDARD_OUTPUT = "-"


class VerdictSink(Protocol):
    """Takes verdicts; when it is left without an error, they are where they belong."""

    format: formats.Format

    def made(self, how: Mapping[str, Any]) -> None:
        """Say how they were made."""

    def summary(self, found: Mapping[str, Any]) -> None:
        """Say what was found in all rows together."""

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_sink(output: str | Path, format_: str | None, data: str) -> VerdictSink:
    """The sink for ``--output``; ``-`` is standard output, as CSV unless told otherwise.

    Raises
    ------
    InputError
        for a place that cannot be written, an unknown format, or the input itself.
    SinkError
        where writing is not allowed.
    """
    if str(output) == STANDARD_OUTPUT:
        return StandardOutput(format_ or "csv")
    return FileSink(output, format_, source=data)


class StandardOutput:
    """Verdicts to standard output, all at once when the last one is there.

    Parameters
    ----------
    format : as :class:`~anomaly_detection.sinks.files.FileSink` takes it.
    """

    def __init__(self, format: str = "csv") -> None:
        self.format = formats.named(format)

    def made(self, how: Mapping[str, Any]) -> None:
        """Say how they were made."""
        self._file.made(how)

    def summary(self, found: Mapping[str, Any]) -> None:
        """Say what was found in all rows together."""
        self._file.summary(found)

    def write(self, frame: pl.DataFrame) -> None:
        """Write further rows."""
        self._file.write(frame)

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="anomaly-detection-")
        self._path = Path(self._folder.name) / "verdicts"
        self._file = FileSink(self._path, str(self.format)).__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._folder:
            self._file.__exit__(kind, error, trace)
            if kind is None:
                self._print()

    def _print(self) -> None:
        sys.stdout.flush()
        with self._path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer, 1 << 20)
        sys.stdout.buffer.flush()


def written(result: Result, frame: pl.DataFrame, kind: formats.Kind, explaining: Explaining | None) -> pl.DataFrame:
    """The columns that go to a file of a kind.

    With ``explaining`` the last one, ``explanation``, says why each anomaly is one: an object in JSON, else a text.
    Of series with several channels ``contributions`` has the part of each in each score, by name; a table of text does
    not.
    """
    columns = result.to_polars()
    if explaining is None:
        return columns
    if isinstance(result, SeriesResult) and result.contributions is not None and kind not in ("csv", "tsv"):
        parts = pl.DataFrame(result.contributions, schema=list(result.names), orient="row")
        columns = columns.with_columns(parts.to_struct("contributions"))
    return columns.with_columns(explaining.column(result, frame, as_objects=kind in ("json", "jsonl")))


def how_made(pipeline: Pipeline | SeriesPipeline, request: DetectRequest, fingerprint: str) -> dict[str, Any]:
    """Everything needed to make the same result again; ``fingerprint`` is the SHA-256 of the data."""
    return {
        "model": request.model,
        **_algorithm(pipeline),
        "alpha": pipeline.alpha_,
        "fdr": request.fdr,
        "trained_on_rows": pipeline.rows_,
        "calibration_rows": pipeline.calibrator_.n_,
        "schema": pipeline.schema_.to_dict(),
        "levels": pipeline.evidence() if isinstance(pipeline, KeyedPipeline) else None,
        "data": {"name": request.reading.name, "sha256": fingerprint},
        **signature(),
    }


def signature() -> dict[str, Any]:
    """The versions, the command and the time that results are made with."""
    return {
        "versions": {"anomaly-detection": __version__, **library_versions()},
        "command": command_line(),
        "created": stamp(utc_now()),
    }


def _algorithm(pipeline: Pipeline | SeriesPipeline) -> dict[str, Any]:
    parameters = {name: value for name, value in pipeline.parameters().items() if name != "detector"}
    if isinstance(pipeline, SeriesPipeline):
        own = pipeline.detector
        spec = (
            {"name": own, "parameters": {}}
            if isinstance(own, str)
            else {"name": name_of(own), "parameters": own.parameters()}
        )
        return {"algorithm": spec, "evidence": pipeline.evidence(), "parameters": parameters}
    detector = pipeline.scorer_.detector
    found = detector if isinstance(pipeline, KeyedPipeline) else pipeline
    return {"algorithm": to_spec(detector), "evidence": found.evidence(), "parameters": parameters}
