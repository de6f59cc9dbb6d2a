"""Detections that people start in the dashboard: the file, what was found, what is drawn of it; a folder each.

::

    runs/<random id>/data.csv       what was sent
                     results.json   what ``detection run --output`` writes
                     rows.parquet   values and verdicts by row, for charts
                     report.html    for people
                     about.json     the outline, as it is listed
"""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Self

import msgspec
import polars as pl

from anomaly_detection.errors import InputError, ParameterError
from anomaly_detection.pipeline import silent
from anomaly_detection.reports.words import plain
from anomaly_detection.workflows.detect import DetectRequest, detect_file
from anomaly_detection.workflows.fitting import Fitting
from anomaly_detection.workflows.reading import Reading
from anomaly_detection.workflows.report import ReportRequest, report_detection
from anomaly_detection.workflows.run_rows import VALUE, rows_of
from anomaly_detection.workflows.series_wishes import SeriesWishes
from anomaly_detection.workflows.uploads import ending_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from anomaly_detection.pipeline import Progress
    from anomaly_detection.settings import Settings

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class RunWishes:
    """What to do with a file that was sent.

    Parameters
    ----------
    name : what the sender calls it; it is shown, and tells the format by its ending.
    algorithm, model : how to judge the rows; a model takes the place of an algorithm.
    key, timestamp, label : columns with these roles.
    contamination : the share of rows that are called anomalies; the default line when not given.
    per_key : whether each key of a table has a model of its own, as far as it is different.
    budget : how many alarms series may have, such as ``5/week``.
    """

    name: str
    algorithm: str = "auto"
    model: str | None = None
    key: tuple[str, ...] = ()
    timestamp: str | None = None
    label: str | None = None
    contamination: float | None = None
    per_key: bool = False
    budget: str | None = None

    def fitting(self) -> Fitting:
        """What is fitted on the file itself.

        Raises
        ------
        ParameterError
            for what has no meaning beside a model, or a model per key without a key.
        """
        if self.model is not None and (self.per_key or self.budget):
            asked = "a budget" if self.budget else "a model per key"
            raise ParameterError(f"The model {self.model!r} is fitted already, so {asked} has no meaning beside it.")
        if self.per_key and not self.key:
            raise ParameterError("A model per key needs the columns that say what a row is about. Name key columns.")
        return Fitting(
            algorithm=self.algorithm,
            contamination=self.contamination or "auto",
            key=self.key if self.per_key else (),
            series=SeriesWishes(budget=self.budget),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """The outline of a detection.

    Parameters
    ----------
    id : of its folder.
    name, asked_by, created : what was sent, by whom, and when (UTC).
    lead : what was found, in one sentence.
    rows, anomalies, severities : the counts.
    how : the algorithm or the model.
    channels : columns of numbers that can be drawn.
    keys : how many keys there are; 0 where the rows have none.
    timed : whether the rows have a time.
    notes : what was noticed while reading.
    """

    id: str
    name: str
    asked_by: str
    created: datetime
    lead: str
    rows: int
    anomalies: int
    severities: dict[str, int]
    how: str
    channels: list[str] = field(default_factory=list)
    keys: int = 0
    timed: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Runs:
    """The detections of a service.

    Parameters
    ----------
    folder : where they are.
    registry : the folder of the models.
    most_rows : larger tables are refused.
    keep : older ones are deleted when a new one is made.
    """

    folder: Path
    registry: Path
    most_rows: int
    keep: timedelta

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of a service."""
        keep = timedelta(days=settings.keep_days)
        return cls(settings.home / "runs", settings.registry_folder, settings.max_rows, keep)

    def start(
        self, file: IO[bytes], wishes: RunWishes, asked_by: str, progress: Progress = silent, id_: str | None = None
    ) -> Run:
        """Judge the rows of a file and keep what was found; whole, or nothing is kept.

        Parameters
        ----------
        file, wishes : what was sent, and what to do with it.
        asked_by : who sent it.
        progress : told how far it is.
        id_ : of the new one: 32 hexadecimal digits, those of chance when not given.

        Raises
        ------
        InputError
            if the file, a name or a parameter is off.
        RegistryError
            if the model cannot be loaded.
        SinkError
            if nothing can be written.
        """
        id_ = id_ or secrets.token_hex(16)
        aside = self.folder / f".{secrets.token_hex(16)}"
        aside.mkdir(parents=True)
        try:
            run = self._judged(aside, id_, file, wishes, asked_by, progress)
            aside.rename(self.folder / id_)
        except InputError as error:
            raise InputError(without_place(str(error), aside, wishes.name)) from None
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        self.forget(datetime.now(UTC) - self.keep)
        return run

    def _judged(
        self, folder: Path, id_: str, file: IO[bytes], wishes: RunWishes, asked_by: str, progress: Progress
    ) -> Run:
        data = folder / f"data{ending_of(wishes.name)}"
        with data.open("xb") as target:
            shutil.copyfileobj(file, target, 1 << 20)
        reading = Reading(str(data), key=wishes.key or None, timestamp=wishes.timestamp, label=wishes.label)
        with reading.open() as source:
            frame = source.read()
        if len(frame) > self.most_rows:
            raise ParameterError(
                f"{wishes.name} has {len(frame):,} rows; this service takes {self.most_rows:,} at once."
            )
        results = folder / "results.json"
        request = DetectRequest(
            reading, wishes.fitting(), model=wishes.model, registry=self.registry, output=results, explain=True
        )
        outcome = detect_file(request, progress)
        _rename(results, wishes.name)
        report = report_detection(ReportRequest(str(results), str(folder / "report.html")))
        rows = rows_of(results, frame, reading)
        rows.write_parquet(folder / "rows.parquet")
        run = Run(
            id=id_,
            name=wishes.name,
            asked_by=asked_by,
            created=datetime.now(UTC),
            lead=report.lead,
            rows=outcome.rows,
            anomalies=outcome.anomaly_count,
            severities=dict(outcome.severities),
            how=wishes.model or wishes.algorithm,
            channels=[name.removeprefix(VALUE) for name in rows.columns if name.startswith(VALUE)],
            keys=rows["key"].n_unique() if wishes.key else 0,
            timed=wishes.timestamp is not None,
            notes=list(outcome.notes),
        )
        (folder / "about.json").write_bytes(msgspec.json.encode(run))
        return run

    def find(self, id_: str) -> Run | None:
        """The outline of one; None where there is none."""
        return self.get(id_) if (self.folder / id_ / "about.json").is_file() else None

    def get(self, id_: str) -> Run:
        """The outline of one.

        Raises
        ------
        InputError
            if there is none.
        """
        return msgspec.json.decode(self.place(id_, "about.json").read_bytes(), type=Run)

    def place(self, id_: str, name: str) -> Path:
        """A file of one.

        Raises
        ------
        InputError
            if there is none; an id is never taken for a path.
        """
        path = self.folder / id_ / name
        if _ID.fullmatch(id_) is None or not path.is_file():
            raise InputError(f"There is no detection {plain(id_, 40)}; it may have been deleted as too old.")
        return path

    def list(self, most: int = 50) -> list[Run]:
        """The outlines, the newest first."""
        found = sorted((self.get(path.name) for path in self._folders()), key=lambda run: run.created, reverse=True)
        return found[:most]

    def forget(self, before: datetime) -> int:
        """Delete those that were made before; returns how many."""
        old = [run.id for run in map(self.get, (path.name for path in self._folders())) if run.created < before]
        for id_ in old:
            shutil.rmtree(self.folder / id_, ignore_errors=True)
        return len(old)

    def rows(self, id_: str) -> pl.DataFrame:
        """Values and verdicts by row: ``time`` (seconds, or row numbers), ``key``, ``value NAME``, and the verdict."""
        return pl.read_parquet(self.place(id_, "rows.parquet"))

    def _folders(self) -> Iterator[Path]:
        if self.folder.is_dir():
            yield from (path for path in self.folder.iterdir() if (path / "about.json").is_file())


def without_place(text: str, folder: Path, name: str) -> str:
    """A message that says the sender's name of a file, not where it lies here.

    >>> from pathlib import Path
    >>> without_place("/srv/a/data.csv has no rows.", Path("/srv/a"), "orders.csv")
    'orders.csv has no rows.'
    """
    return re.sub(rf"{re.escape(str(folder))}/[\w.]+", lambda _: name, text)


def _rename(results: Path, name: str) -> None:
    """Say the sender's name of the data, not where it lies here."""
    document = msgspec.json.decode(results.read_bytes())
    document["made"]["data"]["name"] = name
    document["made"]["command"] = None
    results.write_bytes(msgspec.json.encode(document))
